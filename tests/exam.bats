#!/usr/bin/env bats
# The exam of docs/exam.md, and docs/exam.es.md: what they quote is what --explain prints, in the runs that they name.

load helpers/common

# read_rows: the rows of try.err, joined, are in `text`.
read_rows() { text=$(sed 's/^ *│ *//' try.err | tr '\n' ' '); }

# says TEXT: the rows contain it.
says() {
    [[ $text == *"$1"* ]] || { printf 'not said: %s\n' "$1" && return 1; }
}

# quotations PAGE: a line each; those with three dots are two.
quotations() {
    local page
    page=$(sed 's/^    *//' "$1" | tr '\n' ' ')
    page=${page//«/\"}
    page=${page//»/\"}
    grep -o '"[^"]*"' <<<"$page" | tr -d '"' | sed 's/ \.\.\. /\n/g'
}

# examine PAGE: the TCP run says what the first nine answers quote, the UDP run what the tenth does.
examine() {
    local page=$1
    sed '/^10\./,$d' "$ROOT/docs/$page" >first_nine
    sed -n '/^10\./,$p' "$ROOT/docs/$page" >tenth
    # shellcheck disable=SC2016 # the inner shell's
    try "$SOCKCTL" listen --explain -k -c cat --run 127.0.0.1:0 -- \
        sh -c 'echo hola | "$0" connect --explain 127.0.0.1 "$SOCKCTL_PORT"' "$SOCKCTL"
    assert_status 0
    assert_output hola
    read_rows
    grep -q '\[server\] accept4(' try.err
    grep -q '\[client\] connect(' try.err
    says "← FIN   $(grep -o '[a-z]*: TIME_WAIT' first_nine)"
    quotations first_nine >quoted
    [ "$(wc -l <quoted)" -ge 14 ]
    while read -r quoted; do
        [[ $quoted == *8080* ]] || says "$quoted" # the port is another here
    done <quoted
    # shellcheck disable=SC2016 # the inner shell's
    try sh -c 'echo hola | "$0" connect -u --explain -w1 127.0.0.1 9' "$SOCKCTL"
    assert_status 1
    read_rows
    quotations tenth >quoted
    [ "$(wc -l <quoted)" = 3 ]
    while read -r quoted; do says "$quoted"; done <quoted
    says '← ICMP port unreachable'
}

@test "18.2: ten questions, answered by --explain alone" {
    unset SOCKCTL_LANG LANG LC_MESSAGES
    examine exam.md
}

@test "18.2: the same ten in Spanish" {
    export SOCKCTL_LANG=es
    examine exam.es.md
}

@test "18.2: the byte order of port 8080 is as the first answer has it" {
    # Nobody needs to listen there; where somebody does, the bytes are the same.
    try sh -c '"$0" connect --explain -d -w1 127.0.0.1 8080 || :' "$SOCKCTL"
    read_rows
    says "$(quotations "$ROOT/docs/exam.md" | grep 8080)"
    SOCKCTL_LANG=es try sh -c '"$0" connect --explain -d -w1 127.0.0.1 8080 || :' "$SOCKCTL"
    read_rows
    says "$(quotations "$ROOT/docs/exam.es.md" | grep 8080)"
}
