#!/usr/bin/env bats
# --explain: what is said below each call, and that it is what has happened.

load helpers/common

unset SOCKCTL_LANG SOCKCTL_SHARED LC_MESSAGES LANG
export LC_ALL=C
refute() { if "$@"; then return 1; fi; }

# below CALL TEXT: the explanation in $ERRORS (try.err) of the first call of that name, with its rows joined, contains TEXT.
below() {
    local text
    text=$(awk -v call="$1" '
        /^sockctl: / { inside = !seen && index($0, " " call); seen = seen || inside; next }
        inside { sub(/^ *(│|\|) */, ""); printf "%s ", $0 }' "${ERRORS:-try.err}")
    case $text in
    *"$2"*) ;;
    *) printf 'below %s is not "%s", but: %s\n' "$1" "$2" "$text" && return 1 ;;
    esac
}

@test "18.2: a client over TCP: address, handshake, states, end" {
    start server "$SOCKCTL" listen -c 'cat; exec >&-; sleep 0.1' 127.0.0.1:0
    listening server
    TRY_STDIN=<(echo hi) try "$SOCKCTL" connect --explain "$ADDR"
    assert_status 0
    assert_output hi
    assert_errors '^sockctl: [0-9]+\.[0-9]{3} socket\(AF_INET, SOCK_STREAM\|SOCK_NONBLOCK\|SOCK_CLOEXEC, 0\) = 5$'
    below 'socket(' 'a TCP socket over IPv4'
    below 'socket(' '5 is its descriptor'
    below 'connect(' 'SYN →'
    below 'connect(' 'EINPROGRESS is no failure'
    below 'connect(' 'struct sockaddr_in, 16 bytes, as the kernel gets it'
    below 'connect(' '02 00 '
    below 'connect(' "$(printf '%02x %02x ' $((PORT >> 8)) $((PORT & 255)))"
    below 'connect(' "htons($PORT)"
    below 'connect(' '7f 00 00 01              sin_addr      127.0.0.1'
    grep -q 'state: ESTABLISHED' try.err
    below 'getsockname(' 'Nobody has called bind'
    below 'send(' 'wire:  3 bytes →'
    below 'shutdown(' 'FIN →'
    below 'shutdown(' 'Half-close'
    below 'recv(' '← 3 bytes'
    grep -q '← FIN   state: TIME_WAIT' try.err
    grep -q '0 is the end of the stream' try.err
    below 'close(' 'nothing goes over the wire'
    refute grep -q ' splice(' try.err
}

@test "18.2: a server over TCP: bind, backlog, a second descriptor; the peer ends first" {
    start server "$SOCKCTL" listen --explain 127.0.0.1:0
    listening server
    TRY_STDIN=<(echo hi) try "$SOCKCTL" connect "$ADDR"
    finish server
    assert_status 0
    ERRORS=server.err
    below 'setsockopt(' TIME_WAIT
    below 'bind(' 'Port 0 lets the kernel choose'
    below 'listen(' 'state: LISTEN'
    below 'listen(' 'the backlog'
    below 'getsockname(' "The kernel has chosen port $PORT."
    below 'accept4(' '← SYN  SYN+ACK →  ← ACK'
    below 'accept4(' 'It has a socket of its own'
    below 'accept4(' 'as the kernel fills it in'
    grep -q 'TIME_WAIT is at its end' server.err
    refute grep -q 'state: TIME_WAIT' server.err
}

@test "18.2: a port that is closed" {
    try "$SOCKCTL" connect --explain 127.0.0.1:1
    assert_status 4
    grep -q '← RST' try.err
    grep -q 'ECONNREFUSED: the machine is there' try.err
    below 'close(' 'There was no connection to end'
}

@test "18.2: Spanish, by SOCKCTL_LANG and by the locale; 80 columns" {
    start server "$SOCKCTL" echo-server 127.0.0.1:0
    listening server
    SOCKCTL_LANG=es try "$SOCKCTL" connect --explain "$ADDR"
    assert_status 0
    below 'socket(' 'Pide al núcleo un socket TCP sobre IPv4'
    below 'connect(' 'red:  SYN →'
    awk '!/^sockctl: / && length($0) > 80 { print; long = 1 } END { exit long }' \
        <(LC_ALL=C sed 's/[\x80-\xbf]//g' try.err)
    LC_ALL=es_ES.ISO-8859-1 try "$SOCKCTL" connect --explain "$ADDR"
    below 'socket(' 'Pide al nucleo un socket TCP sobre IPv4'
    below 'connect(' 'SYN ->'
    refute grep -q '[^ -~]' try.err
    LC_ALL=en_US.UTF-8 LANG=es_ES.UTF-8 try "$SOCKCTL" connect --explain "$ADDR"
    below 'socket(' 'Asks the kernel'
}

@test "18.2: each sentence once, however many calls" {
    start server "$SOCKCTL" echo-server --explain 127.0.0.1:0
    listening server
    for i in 1 2 3 4 5; do
        TRY_STDIN=<(echo "$i") try "$SOCKCTL" connect "$ADDR"
        assert_output "$i"
    done
    stop server
    [ "$(grep -c 'accept4(.*) = [0-9]' server.err)" = 5 ]
    [ "$(grep -c '│ Takes the first connection' server.err)" = 1 ]
    [ "$(grep -c '← SYN ' server.err)" = 2 ]
    [ "$(grep -c 'EAGAIN' server.err)" -ge 2 ]
}

@test "18.2: --explain is for a person, --log json is not" {
    try "$SOCKCTL" connect --explain --log json 127.0.0.1:1
    assert_status 2
    assert_errors '^sockctl: options --explain and --log exclude each other$'
}
