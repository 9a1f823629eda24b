#!/usr/bin/env bats
# The exam of docs/exam.md: what it quotes is what --explain prints, in the run that it names.

load helpers/common

# says TEXT: the rows of try.err, joined, contain it.
says() {
    [[ $text == *"$1"* ]] || { printf 'not said: %s\n' "$1" && return 1; }
}

@test "18.2: ten questions, answered by --explain alone" {
    unset SOCKCTL_LANG LANG LC_MESSAGES
    # shellcheck disable=SC2016 # the inner shell's
    try "$SOCKCTL" listen --explain -k -c cat --run 127.0.0.1:0 -- \
        sh -c 'echo hola | "$0" connect --explain 127.0.0.1 "$SOCKCTL_PORT"' "$SOCKCTL"
    assert_status 0
    assert_output hola
    text=$(sed 's/^ *│ *//' try.err | tr '\n' ' ')
    grep -q '\[server\] accept4(' try.err
    grep -q '\[client\] connect(' try.err
    # The quotations: those with three dots are said in two parts.
    sed 's/^    *//' "$ROOT/docs/exam.md" | tr '\n' ' ' | grep -o '"[^"]*"' | tr -d '"' |
        sed 's/ \.\.\. /\n/g' >quoted
    [ "$(wc -l <quoted)" -ge 12 ]
    while read -r quoted; do
        case $quoted in
        *8080* | datagrams* | 'Sends nothing' | 'It arrives whole'*) ;; # another port, another run
        *) says "$quoted" ;;
        esac
    done <quoted
    says 'state: TIME_WAIT'
    try sh -c 'echo hola | "$0" connect -u --explain -w1 127.0.0.1 9' "$SOCKCTL"
    text=$(sed 's/^ *│ *//' try.err | tr '\n' ' ')
    says 'datagrams, each one by itself, without a connection'
    says 'Sends nothing'
    says 'It arrives whole or not at all, and nobody says which.'
    says '← ICMP port unreachable'
}
