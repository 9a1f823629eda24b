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
    grep -q 'TIME_WAIT is on its side' server.err
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
    [ "$(grep -c '← SYN ' server.err)" = 4 ]
    [ "$(grep -c 'EAGAIN' server.err)" -ge 2 ]
}

@test "18.2: --explain is for a person, --log json is not" {
    try "$SOCKCTL" connect --explain --log json 127.0.0.1:1
    assert_status 2
    assert_errors '^sockctl: options --explain and --log exclude each other$'
}

@test "18.2: UNIX sockets: the path, a client without a name, a message byte by byte" {
    start server "$SOCKCTL" unix-serve --explain ./s
    listening server
    SOCKCTL_LANG=es try "$SOCKCTL" unix-send --explain ./s hola quit
    assert_status 0
    below 'connect(' 'sun_path: 2e 2f 73                 "./s"'
    below 'send(' '05 00 00 00              longitud 5, contando el NUL'
    below 'send(' '68 6f 6c 61              "hola"'
    below 'send(' '00                       NUL'
    finish server
    ERRORS=server.err
    below 'bind(' 'Makes the socket file'
    below 'accept4(' 'The client'"'"'s address has no path'
    below 'recv(' '05 00 00 00              length 5, the NUL included'
    below 'unlink(' 'Removes the socket file'
    try "$SOCKCTL" unix-send --explain ./s hola
    ERRORS=try.err
    below 'connect(' 'ENOENT: there is no such file'
}

@test "18.2: UDP: one call, one datagram; sendmsg names the receiver; nobody is there" {
    start server "$SOCKCTL" echo-server -u --explain 127.0.0.1:0
    listening server
    TRY_STDIN=<(echo hi) try "$SOCKCTL" connect -u --explain -W1 "$ADDR"
    assert_output hi
    stop server
    ERRORS=server.err
    below 'recvmsg(' 'like recvfrom, tells who sent it'
    below 'sendmsg(' 'sendto name the receiver'
    ERRORS=try.err
    TRY_STDIN=<(echo x) try "$SOCKCTL" connect -u --explain -w1 127.0.0.1 9
    below 'socket(' 'without a connection'
    below 'connect(' 'Sends nothing'
    below 'send(' 'UDP, 2 bytes →'
    grep -q '← ICMP port unreachable' try.err
}

@test "18.2: IPv6, both families, and http-get" {
    need_ipv6
    start server "$SOCKCTL" listen --explain -c 'echo page' 0
    listening server
    try "$SOCKCTL" http-get --explain --http0.9 "http://[::1]:$PORT/"
    below 'connect(' '00 00 00 00 00 00 00 01'
    below 'connect(' 'sin6_scope_id'
    below 'send(' 'The request is text'
    finish server
    ERRORS=server.err
    below 'setsockopt(5, IPPROTO_IPV6' 'also takes IPv4 clients'
    below 'bind(' ':: is every address of this machine'
}

@test "18.2: programs: fork, execve, a zombie" {
    start server "$SOCKCTL" listen --explain -c 'exit 3' 127.0.0.1:0
    listening server
    try "$SOCKCTL" connect -d "$ADDR"
    finish server
    ERRORS=server.err
    below 'fork(' 'in the child, 0.'
    below 'execve(' 'becomes another program'
    below 'waitpid(' 'it is a zombie'
}

@test "18.2: nobody answers" {
    need python3
    start full python3 "$HELPERS/sockets.py" full 127.0.0.1
    wait_file full.out '^PORT'
    try "$SOCKCTL" connect --explain -w 1.5 "127.0.0.1:${LINE#PORT }"
    assert_status 5
    below 'connect(' 'wire:  SYN →   state: SYN_SENT'
    below 'close(' 'neither SYN+ACK nor RST has come. Times that SYN was sent again: 1.'
}

@test "18.2: a peer that breaks the connection off" {
    peer peer rst-after 3
    TRY_STDIN=<(echo hi) try "$SOCKCTL" connect --explain "127.0.0.1:$PORT"
    grep -q "← RST   state: CLOSED" try.err
    refute grep -q '← FIN' try.err
    grep -q ECONNRESET try.err
}

@test "18.2: a name that is taken: of a file, of a port" {
    echo text >file
    try "$SOCKCTL" listen --explain ./file
    below 'bind(' 'EADDRINUSE: there is a file of that name already'
    start server "$SOCKCTL" echo-server 127.0.0.1:0
    listening server
    try "$SOCKCTL" listen --explain "$ADDR"
    below 'bind(' 'EADDRINUSE: another socket has that address'
}
