# shellcheck shell=bash
#
# What three shells offer, each in a real one: `offered SHELL LINE…` prints for each line what would be put in place of
# its last word, sorted, in one line; nothing where that is the word itself. What stands before a `:`, `=` or `,` in it
# is left out, since bash completes what follows alone, and a `/`, colon or comma at the end, which not every shell adds.

offered() {
    local shell=$1 line results
    shift
    mapfile -t results < <("in_${shell%-*}" "$shell" "$@")
    for line; do
        show_offers "${line##* }" "${results[0]}"
        results=("${results[@]:1}")
    done
}

# show_offers WORD OFFERS, which a US (\037) separates.
show_offers() {
    local offer offers
    IFS=$'\037' read -ra offers <<<"$2"
    for offer in "${offers[@]}"; do
        offer=${offer%[ /,:]}
        [ "$offer" = "$1" ] || printf '%s\n' "${offer##*[=:,]}"
    done | sort -u | paste -sd ' ' -
}

# bash inserts what it offers with M-*, and then the line is the arguments of a function. `bash-completion` has the
# package of that name.
in_bash() {
    local line before setup=". '$ROOT/completions/sockctl.bash'"
    [ "$1" = bash ] || setup=". /usr/share/bash-completion/bash_completion; $setup"
    shift
    {
        # shellcheck disable=SC2016 # of the shell that reads it
        printf '%s\n' "$setup" 'bind "set bell-style none"' 'offers() { local IFS=$'"'\037'"'; echo "${*:COUNT}"; }'
        for line; do
            read -ra before <<<"${line% *}"
            printf 'COUNT=%d\n%s\e*\001offers \n' $((${#before[@]} + 1)) "$line"
        done
    } | HISTFILE='' TERM=dumb timeout 50 bash --norc --noprofile -i 2>shell.err
}

# zsh in a terminal of its own (zpty), in which a key inserts all offers, and another shows the line.
in_zsh() {
    shift
    HOME=$T TERM=dumb ZDOTDIR=$T timeout 50 zsh -f "$HELPERS/completions.zsh" "$ROOT/completions" "$@" 2>shell.err
}

in_fish() {
    shift
    # shellcheck disable=SC2016 # of fish
    HOME=$T timeout 50 fish --no-config -c 'source $argv[1]
        for line in $argv[2..]
            string join -- \x1f "" (complete -C $line | string replace -r "\t.*" "") | string sub -s 2
        end' "$ROOT/completions/sockctl.fish" "$@" 2>shell.err
}
