#!/usr/bin/env bats
# Whatever is written about the options agrees with their tables.

load helpers/common
export LOOPBACK=no

setup() {
    common_setup
    CHECKS=$ROOT/tests/checks
}

silent() {
    try "$@"
    assert_output ""
    assert_status 0
}

@test "each option is in its command's man page, in the group that help has, and the page has no other" {
    silent "$CHECKS/manpages" "$ROOT/man"
}

@test "the check of the man pages finds an option too few, too many, misspelt and in another group" {
    cp -r "$ROOT/man" man
    sed -i '/^\.It Fl .*Fl -timeout/d' man/sockctl-connect.1
    sed -i 's/^\.It Fl V , Fl -version/.It Fl V , Fl -versions/' man/sockctl-listen.1
    printf '.It Fl -nonsense\n' >>man/sockctl-resolve.1
    sed -i 's/^\.Ss DNS/.Ss Servers/' man/sockctl-resolve.1
    try "$CHECKS/manpages" man
    assert_status 1
    [[ $output == *'connect.1 lacks, or spells otherwise: Time limits: -w --timeout TIME'* ]]
    [[ $output == *'listen.1 has, but no table: General: -V --versions'* ]]
    [[ $output == *'resolve.1 has, but no table: '*': --nonsense'* ]]
    [[ $output == *'resolve.1 lacks, or spells otherwise: DNS: --tcp'* ]]
}

@test "the check of the man pages finds groups, and options in them, in another order" {
    cp -r "$ROOT/man" man
    page=man/sockctl-connect.1
    {
        sed '/^\.Ss General/,$d; /^\.Ss Proxy/,/^\.El/d' "$ROOT/$page"
        sed -n '/^\.Ss Proxy/,/^\.El/p' "$ROOT/$page"
        sed -n '/^\.Ss General/,$p' "$ROOT/$page"
    } >$page
    try "$CHECKS/manpages" man
    assert_status 1
    [[ $output == *'connect.1, order: < Proxy: -x --proxy URL'* ]]
    [[ $output != *otherwise* ]]
}

@test "the man pages are well-formed" {
    need mandoc
    silent "$CHECKS/mandoc" "$ROOT"/man/*.[17]
}

@test "sockctl(1) names every command" {
    for command in $("$SOCKCTL" --table | cut -f 1 | uniq); do
        grep -q "Xr sockctl-$command 1" "$ROOT/man/sockctl.1" || fail "$command is missing"
    done
}

@test "the options in examples exist" {
    silent "$CHECKS/examples" "$ROOT/README.md" "$ROOT"/man/*.1 "$ROOT/man/sockctl-cookbook.7"
}

@test "the check of the examples finds an option that is gone" {
    echo '    $ sockctl connect -v --nonsense host 80 | sockctl listen --timeout 5 80' >page
    try "$CHECKS/examples" page
    assert_status 1
    assert_output 'page:1: sockctl connect has no --nonsense'
}

@test "every module is on the map" {
    silent "$CHECKS/map"
}

@test "the check of the map finds a module too few, too many and in the wrong room" {
    sed 's/`write_queue` holds/holds/; s/`dial` races/`dial`, `nonsense` races/; s/`units`, /`units`, `pump`, /' \
        "$ROOT/ARCHITECTURE.md" >map
    try "$CHECKS/map" "$PWD/map"
    assert_status 1
    [[ $output == *'map lacks src/stream/write_queue'* ]]
    [[ $output == *'map has src/net/nonsense, which is not there'* ]]
    [[ $output == *'map has src/base/pump, which is not there'* ]]
}

@test "the completions are current (make completions)" {
    mkdir current
    "$CHECKS/gen-completions" current
    diff -r current "$ROOT/completions"
    "$CHECKS/gen-migrate" | diff - "$ROOT/man/sockctl-migrate.7"
}

@test "12.1: the checks and what they generate are the same with each awk" {
    path=$PATH
    for awk in mawk gawk original-awk 'busybox awk'; do
        command -v "${awk%% *}" >/dev/null || continue
        rm -rf bin current
        mkdir bin current
        printf '#!/bin/sh\nexec %s "$@"\n' "$awk" >bin/awk
        chmod +x bin/awk
        export PATH=$T/bin:$path TRY_SECONDS=60
        for check in 'gen-completions|current' "manpages|$ROOT/man" "examples|$ROOT/README.md"; do
            silent "$CHECKS/${check%|*}" "${check#*|}"
            [ -z "$errors" ] || show_results "$awk: $check"
        done
        diff -r current "$ROOT/completions"
    done
}

@test "12.1: fish completes, and has nothing to complain of" {
    need fish
    # shellcheck disable=SC2016 # of fish
    HOME=$T try fish --no-config -c 'source $argv[1]
        complete -C "sockctl ec"; complete -C "sockctl connect --timeo"; complete -C "sockctl connect -"' \
        "$ROOT/completions/sockctl.fish"
    assert_status 0
    [ -z "$errors" ] || show_results 'it complains'
    [ "${lines[0]%%$'\t'*} ${lines[1]%%$'\t'*}" = 'echo-server --timeout' ] || show_results 'these are others'
    letters=$("$SOCKCTL" --table | awk -F '\t' '$1 == "connect" && $2 != "" { print "-" $2 }' | sort)
    [ "$(cut -f 1 try.out | grep -x -- '-[^-]' | sort)" = "$letters" ] || show_results 'some letters are missing'
}

@test "12.1: zsh completes, and has nothing to complain of" {
    need zsh
    cat >complete.zsh <<'END'
zmodload zsh/zpty
zpty shell zsh -f -i
zpty -w shell "PS1= fpath=(${(q)1} \$fpath) TERM=dumb; autoload -Uz compinit && compinit -D -u; echo READ''Y"
zpty -r -m shell text '*READY*'
for words in 'sockctl ec' 'sockctl connect --timeo'; do
    zpty -n -w shell "$words"$'\t'
    zpty -r -m shell text '*(server |--timeout[= ])*'
    print -r -- "$text"
    zpty -n -w shell $'\x15'
done
END
    HOME=$T TERM=dumb TRY_SECONDS=30 try zsh -f complete.zsh "$ROOT/completions"
    assert_status 0
    [[ $output == *'sockctl echo-server'*'sockctl connect --timeout'* ]] || show_results 'these are others'
    refute grep -qE 'error|not found|bad ' try.out
}

@test "bash completes commands, options and files" {
    cat >complete.bash <<'END'
. "$1"
complete_words() {
    COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
    _sockctl
    echo "${COMPREPLY[*]}"
}
complete_words sockctl ec
complete_words sockctl connect --timeo
complete_words sockctl help reso
complete_words sockctl connect --timeout comp
complete_words sockctl connect comp
END
    try bash complete.bash "$ROOT/completions/sockctl.bash"
    assert_output $'echo-server\n--timeout\nresolve\n\ncomplete.bash'
}

@test "each test that tests/CASES.md names is there" {
    cd "$ROOT/tests"
    sed -nE 's/^\| [A-Z][0-9]+ \| ([a-z_]+) \| (.*) \|$/\1 \2/p' CASES.md >"$T/cases"
    [ -s "$T/cases" ]
    while read -r file name; do
        grep -qF "@test \"$name\" {" "$file.bats" || fail "$file has no test '$name'"
    done <"$T/cases"
}
