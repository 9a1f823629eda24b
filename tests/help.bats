#!/usr/bin/env bats
# --help and its groups, as text and on terminals. That the man pages agree with it is in docs.bats.

load helpers/common
export LOOPBACK=no

COMMANDS='connect listen echo-server unix-send unix-serve http-get resolve'
ESC=$'\e'

# no_wider COLUMNS: nothing in $output is.
no_wider() { awk -v most="$1" 'length > most { print length ": " $0; bad = 1 } END { exit bad }' <<<"$output"; }

# help WORDS: of the program.
help() {
    # shellcheck disable=SC2086
    try "$SOCKCTL" $1
    assert_status 0
    assert_errors ''
}

# groups COMMAND: the names that its --help has.
groups() {
    help "$1 --help"
    tr '\n' ' ' <<<"$output" | tr -s ' ' | sed 's/.*--help GROUP: //'
}

# on_terminal COLUMNS WORDS: the program, with stdout on a terminal; what that shows is in $output.
on_terminal() {
    need python3
    # shellcheck disable=SC2086
    TERM=${TERM_IS-xterm} try python3 "$HELPERS/terminal.py" --on 1 "$1" "$SOCKCTL" $2
    assert_status 0
    output=$(tr -d '\r' <try.out)
    output=${output#"<$1>"}
}

@test "15.4: the help of each command is one screen: usage, addresses, options used most, examples, groups" {
    for command in '' $COMMANDS; do
        help "$command --help"
        no_wider 80
        [ "$(wc -l <<<"$output")" -le 23 ] || fail "$command: the prompt pushes the first line out" try.out
    done
    for command in $COMMANDS; do
        help "$command --help"
        [[ $output == "usage: sockctl $command [OPTIONS] "* ]] || fail "$command" try.out
        [[ $output =~ $'\n'(ADDRESS|PATH|URL|NAME)': ' ]] || fail "$command" try.out
        [[ $output == *$'\nUsed most:\n  '*$'\nExamples: '*$'\nMore: man sockctl-'"$command; --help all; --help GROUP: "* ]] ||
            fail "$command" try.out
        [ "$(sed -n '/^Examples:/,/^$/p' try.out | grep -c '^.\{10\}.*sockctl '"$command ")" -eq 2 ]
    done
}

@test "15.4: the options in the examples of help exist" {
    for command in $COMMANDS; do
        help "$command --help"
        sed -n '/^Examples:/,/^$/s/^..........*$/&/p' try.out | sed 's/^........../    $ /' >>examples
    done
    [ "$(wc -l <examples)" -eq 14 ]
    try "$ROOT/tests/checks/examples" examples
    assert_output ''
    assert_status 0
}

@test "15.4: --help all has every option once, and each group is a part of it" {
    for command in $COMMANDS; do
        help "$command --help all"
        no_wider 80
        grep -oE '^  (-.,|   ) --[a-z0-9.-]+' try.out | sed 's/.*--//' | sort >all
        "$SOCKCTL" --table | awk -F '\t' -v command="$command" '$1 == command { print $3 }' | sort | diff - all ||
            fail "$command: the table has others"
        cp try.out all
        for group in $(groups "$command"); do
            "$SOCKCTL" "$command" --help "$group" || echo "status $? for $group"
            echo
        done | sed '$d' | diff all - || fail "$command: other groups"
        grep -qE '^[A-Z][A-Za-z -]+:$' all
    done
}

@test "15.4: a group is asked for in several ways, and may be abbreviated" {
    help 'connect --help limits'
    [[ $output == $'Time limits:\n  -w, --timeout TIME '* ]]
    [[ $output != *--source* ]]
    cp try.out limits
    for words in 'connect --help=limits' 'connect -h limits' 'connect --help lim' 'connect --help=li' 'con --help li' \
        'help connect limits' 'help conn lim' '--help connect limits' '-h connect lim'; do
        help "$words"
        cmp try.out limits
    done
    help 'connect --help all'
    cp try.out all
    for words in 'connect --help=all' 'help connect all' 'connect -h all'; do
        help "$words"
        cmp try.out all
    done
}

@test "15.4: an unknown group and an ambiguous one are usage errors that name the groups" {
    for words in 'resolve --help nosuch' 'resolve --help=nosuch' 'help resolve nosuch'; do
        # shellcheck disable=SC2086
        try "$SOCKCTL" $words
        assert_usage_error "resolve has no group of options 'nosuch': try all, lookup, dns, output, general"
    done
    try "$SOCKCTL" connect --help d
    assert_usage_error "'d' is ambiguous: data datagrams"
    try "$SOCKCTL" help connect limits more
    assert_usage_error "too many operands, starting with 'more'"
}

@test "15.4: --help shows the screen wherever it stands in a command line that means something else" {
    help 'connect --help'
    cp try.out screen
    for words in 'connect host 80 --help' 'connect host --help 80' 'connect --help 80' 'connect --help host 80' \
        'connect 80 --help' 'connect -v --help' 'connect --help -z' 'connect --help=' 'connect --help -- all' 'help connect' \
        'help connect --help' '--help connect'; do
        help "$words"
        cmp try.out screen || fail "$words"
    done
    help 'http-get --help http://user:secret@host/'
    [[ $output == 'usage: sockctl http-get'* ]]
}

@test "15.4: sockctl alone is the list of commands on stderr, with status 2" {
    try "$SOCKCTL"
    assert_status 2
    assert_output ''
    "$SOCKCTL" --help | cmp - try.err
    for command in $COMMANDS; do
        grep -q "^  $command  " try.err || fail "$command is missing" try.err
    done
}

@test "15.4: help is never wider than the terminal, and no word is cut" {
    for width in 40 50 70 80 200; do
        for words in --help 'connect --help' 'connect --help all' 'http-get --help'; do
            NO_COLOR=1 on_terminal $width "$words"
            no_wider $width
            tr -s ' \n' '\n' <<<"$output" | grep . >words
            # shellcheck disable=SC2086
            "$SOCKCTL" $words | tr -s ' \n' '\n' | grep . | cmp - words || fail "$words: at $width columns, cut"
        done
    done
}

@test "15.4: headings and names of options are bold on a terminal, and nowhere else" {
    on_terminal 80 'connect --help'
    grep -qF "${ESC}[1mUsed most${ESC}[0m:" <<<"$output"
    grep -qF "${ESC}[1m  -w, --timeout${ESC}[0m TIME     limit" <<<"$output"
    plain=$(sed "s/$ESC\[[01]m//g" <<<"$output")
    help 'connect --help'
    [ "$output" = "$plain" ]
    on_terminal 80 'connect --help limits'
    grep -qF "${ESC}[1mTime limits${ESC}[0m:" <<<"$output"
    NO_COLOR=1 on_terminal 80 'connect --help'
    [ "$output" = "$plain" ]
    TERM_IS=dumb on_terminal 80 'connect --help'
    [ "$output" = "$plain" ]
}

@test "help and version go to stdout, with status 0" {
    for words in --help help 'help connect' 'connect --help' 'connect -h' --version 'connect -V'; do
        # shellcheck disable=SC2086
        try "$SOCKCTL" $words
        assert_status 0
        [ -n "$output" ]
        [ -z "$errors" ]
    done
    try "$SOCKCTL" help nosuch
    assert_usage_error
}

@test "help to a full disk is status 8" {
    status=0
    "$SOCKCTL" --help >/dev/full 2>err || status=$?
    errors=$(cat err)
    assert_status 8
    assert_one_error_line
}

@test "help to a reader that has had enough is quiet" {
    mkfifo gate
    { read -r _ <gate; "$SOCKCTL" --help 2>err || echo $? >code; } | { exec <&-; echo >gate; }
    [ "$(cat code)" = 8 ]
    [ ! -s err ]
}
