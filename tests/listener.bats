#!/usr/bin/env bats
# How servers bind: socket files, ports in use, inherited sockets, clients that cannot be accepted.

load helpers/common

sockets() { python3 "$HELPERS/sockets.py" "$@"; }

server() {
    start server "$SOCKCTL" echo-server -v "$@"
    listening server
}

# The server at ADDRESS answers.
alive() {
    TRY_STDIN=<(echo hello) try "$SOCKCTL" connect -q 300ms "$1"
    assert_status 0
    assert_output hello
}

# refused ERE ADDRESS: cannot be listened on, and one line says why.
refused() {
    try "$SOCKCTL" echo-server "$2"
    assert_status 4
    assert_one_error_line
    assert_errors "$1"
}

refute() { if "$@"; then return 1; fi; }

mode_of() { stat -c %a "$1"; }

# UNIX socket files

@test "a stale socket file is replaced, of whichever type it was" {
    need python3
    for kind in SOCK_STREAM SOCK_DGRAM SOCK_SEQPACKET; do
        for address in unix:s unix-dgram:s unix-seqpacket:s; do
            sockets stale s "$kind"
            server "$address"
            alive "$address"
            stop server
            assert_status 0
            [ ! -e s ]
        done
    done
}

@test "the socket file of a killed server is replaced" {
    server unix:s
    stop server KILL
    [ -S s ]
    server unix:s
    alive unix:s
}

@test "a running server's socket file is refused, and the server does not notice" {
    # One client is all it waits for: a connection to see whether it lives would end it.
    start server "$SOCKCTL" listen -v unix:s
    listening server
    for address in unix:s unix-dgram:s unix-seqpacket:s; do
        refused "listen on unix:s: in use by a running server \(.*, process ${PIDS[server]}\)\$" "$address"
    done
    TRY_STDIN=<(echo still here) try "$SOCKCTL" connect unix:s
    assert_status 0
    finish server
    assert_status 0
    assert_output "still here"
}

@test "the socket files of running datagram and seqpacket servers are refused" {
    for address in unix-dgram:s unix-seqpacket:s; do
        server "$address"
        refused "in use by a running server \(.*, process ${PIDS[server]}\)\$" unix:s
        refused "in use by a running server \(.*, process ${PIDS[server]}\)\$" "$address"
        alive "$address"
        stop server
    done
}

@test "a file of another kind, and a symbolic link, are left alone" {
    echo precious >file
    mkdir directory
    ln -s file link
    ln -s nowhere dangling
    mkfifo fifo
    need python3
    sockets stale stale
    ln -s stale link_to_stale
    for path in file directory link dangling fifo link_to_stale; do
        refused "listen on unix:$path: exists and is not a socket$" "unix:$path"
    done
    [ "$(<file)" = precious ]
    [ -d directory ] && [ -p fifo ] && [ -L link ] && [ -L dangling ] && [ -L link_to_stale ]
    [ -S stale ]
}

@test "another user's stale socket file is left alone" {
    [ "$EUID" -eq 0 ] || skip "needs the right to give a file away"
    need python3
    sockets stale s
    chown 65534 s
    refused 'exists and belongs to another user$' unix:s
    [ -S s ]
}

@test "a directory that is not there, or may not be written to" {
    refused 'listen on unix:none/s: No such file or directory$' unix:none/s
    need_other_user
    mkdir -m 755 closed
    try "${OTHER[@]}" "$SOCKCTL" echo-server unix:closed/s
    assert_status 4
    assert_errors 'listen on unix:closed/s: Permission denied$'
}

@test "the file's mode is 0600, or as --mode says, whatever the umask" {
    for mask in 000 022 077; do
        umask "$mask"
        server unix:s
        [ "$(mode_of s)" = 600 ]
        stop server
        for mode in 666 640 000; do
            start server "$SOCKCTL" listen -v --mode "0$mode" unix:s
            listening server
            [ "$(mode_of s)" = "${mode#00}" ]
            stop server
        done
    done
}

@test "the mode is in force before the file is there" {
    need strace
    export ASAN_OPTIONS=detect_leaks=0
    start server strace -D -o trace -e trace=umask,bind,listen,chmod,fchmod,fchmodat \
        "$SOCKCTL" echo-server -v unix:s
    listening server
    stop server INT
    sed -E 's/^(umask\([0-7]+|[a-z]+).*/\1/' trace | grep -A 3 -m 1 umask >calls
    [ "$(tr '\n' ' ' <calls)" = 'umask(0177 bind umask(022 listen ' ] || fail "otherwise" calls
}

@test "only the own file is removed at the end" {
    server unix:s
    rm s
    echo another >s
    stop server
    assert_status 0
    [ "$(<s)" = another ]
    rm s
    server unix:s
    mv s moved
    stop server
    assert_status 0
    [ -S moved ]
}

@test "of servers that find a stale file at the same moment, exactly one wins" {
    need python3
    for _ in 1 2 3 4 5; do
        sockets stale s
        for i in 1 2 3 4 5 6; do start "s$i" "$SOCKCTL" echo-server -v unix:s; done
        running=0
        for i in 1 2 3 4 5 6; do
            wait_line "s$i" 'listening on|in use by a running server'
            [[ $LINE == *'in use'* ]] || running=$((running + 1)) winner=s$i
        done
        [ "$running" -eq 1 ] || fail "$running of them run"
        alive unix:s
        stop "$winner"
        [ ! -e s ]
    done
}

@test "a lock on the directory that somebody holds does not hold us up for long" {
    need python3 flock
    sockets stale s
    start holder flock . sleep 20
    poll 2000 refute flock -n . true
    server unix:s
    alive unix:s
}

@test "an abstract name has no file, and one server" {
    name=sockctl-test-$$-$RANDOM
    server "unix:@$name"
    [ "$ADDR" = "unix:@$name" ]
    [ -z "$(ls ./*@* 2>/dev/null)" ]
    alive "unix:@$name"
    refused "listen on unix:@$name: Address already in use \(.*, process ${PIDS[server]}\)\$" "unix:@$name"
}

@test "a path that is too long is refused and not cut" {
    try "$SOCKCTL" echo-server "unix:$T/$(printf %0200d 0)"
    assert_usage_error 'limit'
    [ -z "$(ls)" ] || [ "$(ls)" = "$(printf 'try.err\ntry.out')" ]
}

# Ports

@test "a TCP port in use is refused" {
    server 127.0.0.1:0
    refused "listen on $ADDR: Address already in use" "$ADDR"
    refused "Address already in use" "*:$PORT"
    alive "$ADDR"
}

@test "a UDP port in use is refused" {
    server -u 127.0.0.1 0
    refused "listen on $ADDR: Address already in use" "udp:$ADDR"
    refused "Address already in use" "udp:*:$PORT"
    alive "udp:$ADDR"
}

@test "a port whose last connections are in TIME_WAIT can be listened on" {
    server 127.0.0.1:0
    address=$ADDR
    start client "$SOCKCTL" connect --no-shutdown "$address"
    wait_line server accepted
    stop server # which closes first
    finish client
    server "$address"
    alive "$address"
}

@test "an address that is not ours is refused" {
    refused 'listen on 192\.0\.2\.1:0: Cannot assign requested address' 192.0.2.1:0
    refused 'listen on \[2001:db8::1\]:0: Cannot assign requested address' '[2001:db8::1]:0'
}

@test "a name is listened on at all its addresses, with one port" {
    unshare -rm true || skip "needs a mount namespace"
    need_ipv6
    printf '127.0.0.2 three\n127.0.0.3 three\n::1 three\n192.0.2.9 three\n' >hosts
    # shellcheck disable=SC2016 # the inner shell expands it
    start server unshare -rm bash -c \
        'mount --bind hosts /etc/hosts && exec "$0" echo-server three:0' "$SOCKCTL"
    listening server
    poll 2000 grep -q '127.0.0.3:' server.err
    for address in 127.0.0.2 127.0.0.3 '[::1]'; do
        grep -qF "listening on $address:$PORT" server.err || fail "$address" server.err
        alive "$address:$PORT"
    done
}

@test "without IPv6, every address means those of IPv4" {
    need strace
    export ASAN_OPTIONS=detect_leaks=0
    start server strace -D -o trace -e trace=socket -e inject=socket:error=EAFNOSUPPORT:when=1 \
        "$SOCKCTL" echo-server 0
    listening server
    [ "$ADDR" = "0.0.0.0:$PORT" ]
    alive "127.0.0.1:$PORT"
    stop server INT
    assert_status 0
}

# Accepting

@test "errors of a client that is gone before it was accepted are passed over" {
    need strace python3
    export ASAN_OPTIONS=detect_leaks=0
    for errno in ECONNABORTED EPROTO EINTR ENETDOWN EHOSTUNREACH EPERM; do
        start server strace -D -o trace -e trace=accept4 -e "inject=accept4:error=$errno:when=1" \
            "$SOCKCTL" echo-server 127.0.0.1:0
        listening server
        python3 "$HELPERS/echo_clients.py" ping "$ADDR" 2
        stop server INT
        refute grep -q accept server.err
    done
}

@test "when accept fails for want of something, it rests and tries again" {
    need strace python3
    export ASAN_OPTIONS=detect_leaks=0
    for errno in EMFILE ENFILE ENOBUFS ENOMEM EINVAL; do
        start server strace -D -o trace -e trace=accept4 -e "inject=accept4:error=$errno:when=1..2" \
            "$SOCKCTL" echo-server 127.0.0.1:0
        listening server
        before=$(now_ms)
        python3 "$HELPERS/echo_clients.py" ping "$ADDR" 2
        (($(now_ms) - before < 2000 * PATIENCE))
        stop server INT
        [ "$(grep -c 'accept on 127\.0\.0\.1:.*new clients wait' server.err)" -eq 1 ]
    done
}

# Inherited sockets

# passed KINDS NAMES ADDRESS: a server that gets its sockets as from systemd; the ports in GIVEN.
passed() {
    need python3
    start server python3 "$HELPERS/sockets.py" systemd "$1" "$2" "$SOCKCTL" echo-server -v "$3"
    wait_line server 'sockctl: '
    mapfile -t GIVEN < <(sed -n 's/^PORT //p' server.err)
}

@test "systemd: serves what was passed" {
    passed stream,stream "" systemd:
    alive "127.0.0.1:${GIVEN[0]}"
    alive "127.0.0.1:${GIVEN[1]}"
    stop server
    assert_status 0
}

@test "systemd:NAME serves those of that name" {
    passed stream,dgram,stream web:dns:web systemd:web
    alive "127.0.0.1:${GIVEN[0]}"
    alive "127.0.0.1:${GIVEN[2]}"
    stop server
    passed stream,dgram web:dns systemd:dns
    alive "udp:127.0.0.1:${GIVEN[1]}"
}

@test "a socket file that was passed is not removed" {
    passed "unix:$T/s" "" systemd:
    alive "unix:$T/s"
    stop server
    [ -S s ]
}

@test "systemd: without what it asks for" {
    need python3
    refused 'systemd: no socket was passed' systemd:
    LISTEN_PID=1 LISTEN_FDS=1 refused 'systemd: no socket was passed' systemd:
    for case in 'stream|a|systemd:b|no socket of that name' 'stream,dgram||systemd:|several types'; do
        IFS='|' read -r kinds names address complaint <<<"$case"
        try python3 "$HELPERS/sockets.py" systemd "$kinds" "$names" "$SOCKCTL" echo-server "$address"
        assert_status 4
        assert_errors "sockctl: $address?: .*$complaint"
    done
}

@test "fd:N serves a listening socket, and refuses all else" {
    need python3
    start server python3 "$HELPERS/sockets.py" systemd stream "" "$SOCKCTL" echo-server -v fd:3
    listening server
    alive "$ADDR"
    stop server
    refused 'fd:77 \(descriptor 77\): Bad file descriptor' fd:77
    refused 'fd:1.*: Socket operation on non-socket' fd:1
    try python3 "$HELPERS/sockets.py" given SOCK_STREAM "$SOCKCTL" echo-server fd:5
    assert_status 4
    assert_errors 'fd:5: .*not a listening socket'
}
