#!/usr/bin/env bats
# What is told about a transfer, on stderr.

load helpers/common

# server ARGS…: a sockctl that listens, with `input` as its stdin.
server() {
    START_STDIN=${input:-} start server "$SOCKCTL" listen "$@"
    listening server
}

make_file() { head -c "$2" /dev/zero >"$1"; }

# How a connection ended, in the line at -v

@test "closed: an end of file is not worth a word" {
    peer peer send-close abc
    try "$SOCKCTL" connect -v 127.0.0.1 "$PORT"
    assert_status 0
    assert_errors '^sockctl: closed 127\.0\.0\.1:[0-9]+: 3 bytes in, 0 out$'
}

@test "closed: a reset, a limit and a signal are told, by connect and listen" {
    peer peer rst-after 1
    TRY_STDIN=<(echo) try "$SOCKCTL" connect -v 127.0.0.1 "$PORT"
    assert_status 1
    assert_errors '^sockctl: closed 127\.0\.0\.1:[0-9]+: 0 bytes in, 1 out, reset$'
    server -v -i 50ms 127.0.0.1 0
    start client "$SOCKCTL" connect -v -d 127.0.0.1 "$PORT"
    finish server
    assert_status 5
    assert_errors '^sockctl: closed 127\.0\.0\.1:[0-9]+: 0 bytes in, 0 out, timeout$'
    finish client
    server 127.0.0.1 0
    start client "$SOCKCTL" connect -v -d 127.0.0.1 "$PORT"
    wait_line client 'connected to'
    stop client INT
    assert_status 130
    assert_errors '^sockctl: closed 127\.0\.0\.1:[0-9]+: 0 bytes in, 0 out, signal$'
}

@test "closed: stdout that cannot be written is our error" {
    [ -e /dev/full ] || skip "there is no /dev/full"
    peer peer send-close abc
    # shellcheck disable=SC2016 # for the other shell
    try sh -c '"$0" connect -v 127.0.0.1 "$1" >/dev/full' "$SOCKCTL" "$PORT"
    assert_status 8
    assert_errors '^sockctl: closed 127\.0\.0\.1:[0-9]+: 3 bytes in, 0 out, error$'
}

@test "closed: each client of listen -k and echo-server, how it ended" {
    for command in 'listen -k' echo-server; do
        # shellcheck disable=SC2086 # two words
        start server "$SOCKCTL" $command -v 127.0.0.1:0
        listening server
        start peer python3 "$HELPERS/peer.py" rst-after --connect "$PORT" 0
        wait_line server 'closed .*: 0 bytes in, 0 out, reset$'
        start client "$SOCKCTL" connect --send-only 127.0.0.1 "$PORT"
        wait_line server 'closed .*: 0 bytes in, 0 out$'
        finish client
        start client "$SOCKCTL" connect -v -d 127.0.0.1 "$PORT"
        wait_line client 'connected from'
        wait_line server "accepted ${LINE##* }\$"
        stop server
        assert_status 0
        assert_errors 'closed .*: 0 bytes in, 0 out, signal$'
        finish client
    done
}

# --stats

@test "--stats: bytes, time, rates, round-trip time, by connect and listen" {
    make_file data 1048576
    server --stats 127.0.0.1 0
    TRY_STDIN=data try "$SOCKCTL" connect --stats 127.0.0.1 "$PORT"
    assert_status 0
    [ "$(wc -l <try.err)" -eq 2 ]
    assert_errors '^sockctl: sent 1\.0 MiB, received 0 B in [0-9]+\.[0-9]{2} s \([0-9.]+ [KMG]?i?B/s, 0 B/s\)$'
    assert_errors '^sockctl: rtt [0-9]+\.[0-9]{2} ms, [0-9]+ retransmits$'
    finish server
    assert_errors '^sockctl: sent 0 B, received 1\.0 MiB in '
    assert_errors '^sockctl: rtt '
}

@test "--stats: a UNIX socket and UDP have no round-trip time" {
    server --stats -v "unix:$T/s"
    echo hello >data
    TRY_STDIN=data try "$SOCKCTL" connect --stats "$T/s"
    assert_status 0
    assert_one_error_line
    assert_errors '^sockctl: sent 6 B, received 0 B in '
    finish server
    start server "$SOCKCTL" echo-server udp:127.0.0.1:0
    listening server
    TRY_STDIN=data try "$SOCKCTL" connect --stats -u -q 50ms 127.0.0.1 "$PORT"
    assert_status 0
    assert_one_error_line
    assert_errors '^sockctl: sent 6 B, received 6 B in '
}

@test "--stats: told when the transfer fails or is interrupted, too" {
    peer peer rst-after 1
    TRY_STDIN=<(echo) try "$SOCKCTL" connect --stats 127.0.0.1 "$PORT"
    assert_status 1
    assert_errors '^sockctl: sent 1 B, received 0 B in '
    server 127.0.0.1 0
    start client "$SOCKCTL" connect --stats -vv -d 127.0.0.1 "$PORT"
    wait_line client 'connected to'
    stop client
    assert_status 143
    assert_errors '^sockctl: sent 0 B, received 0 B in '
    assert_errors 'getsockopt\([0-9]+, IPPROTO_TCP, TCP_INFO, \[rtt=[0-9]+, total_retrans=0\]\) = 0$'
}
