#!/usr/bin/env bats
#
# What servers and unix-send give up before the first client: the table of sockctl(1), SECURITY CONSIDERATIONS, compared with
# the calls that are possible then.

load helpers/common
load helpers/sandbox

@test "17: listen, one client" {
    START_STDIN=<(echo hello) intruded listen 127.0.0.1:0
    try "$SOCKCTL" connect -d 127.0.0.1 "$PORT"
    assert_output hello
    finish server
    assert_status 0
    assert_kept listen
    touch own/beside
    AFTER_CUT_FILE=$T/own/beside intruded listen --accept-proxy -o own/output 127.0.0.1:0
    assert_kept listen # before a header is read
    try "$SOCKCTL" connect --send-proxy 127.0.0.1 "$PORT"
    finish server
    assert_status 0
    [ -e own/beside ] || fail 'the file beside the output was removed'
    intruded listen -v "$T/own/socket"
    try "$SOCKCTL" connect "$T/own/socket"
    finish server
    assert_status 0
    assert_kept 'listen PATH'
    [ ! -e own/socket ] || fail 'own/socket is still there'
}

@test "17: listen, many clients and datagrams" {
    local how
    for how in -k --broker --chat --serial; do
        intruded listen $how 127.0.0.1:0
        assert_kept 'listen -k'
        stop server
    done
    for how in '' -k; do
        intruded listen -u $how 127.0.0.1:0
        assert_kept 'listen -u'
        stop server
    done
}

@test "17: listen --to" {
    intruded listen 127.0.0.1:0 --to 127.0.0.1:1
    assert_kept 'listen --to ADDRESS'
    stop server
    intruded listen 127.0.0.1:0 --to localhost:1
    assert_kept 'listen --to NAME'
    stop server
    intruded listen -u 127.0.0.1:0 --to 127.0.0.1:1
    assert_kept 'listen -u --to ADDRESS'
    stop server
}

@test "17: listen --to HOST:SERVICE: the service is looked up before" {
    SOCKCTL_SANDBOX=strict start server "$SOCKCTL" listen -v 127.0.0.1:0 --to 127.0.0.1:discard
    listening server
    try "$SOCKCTL" connect 127.0.0.1 "$PORT"
    wait_line server 'connect to 127.0.0.1:9: Connection refused'
    stop server
    assert_status 0
}

@test "17: echo-server" {
    intruded echo-server 127.0.0.1:0
    assert_kept echo-server
    stop server
    intruded echo-server -u 127.0.0.1:0
    assert_kept 'echo-server -u'
    stop server
}

@test "17: unix-serve, unix-send" {
    intruded unix-serve -v "$T/own/socket"
    assert_kept unix-serve
    rm passed
    try "${intruder[@]}" unix-send "$T/own/socket" hello quit
    assert_status 0
    assert_kept unix-send
    finish server
    assert_status 0
    assert_output hello$'\n'quit
    [ ! -e own/socket ] || fail 'own/socket is still there'
}

# calls_of_echoes N [OPTION]: sets TOTAL to the system calls of an echo server with one client of N messages.
calls_of_echoes() {
    rm -f calls
    start server strace -D -qq -c -o calls "$SOCKCTL" echo-server "${@:2}" 127.0.0.1:0
    listening server
    try python3 -c '
import socket, sys
peer = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
for _ in range(int(sys.argv[2])):
    peer.sendall(b"x")
    peer.recv(1)' "$PORT" "$1"
    assert_status 0
    stop server
    wait_file calls 'total$'
    TOTAL=$(awk '$NF == "total" { print $4 }' calls)
}

@test "17: it costs some calls at the start, and none for a message" {
    need python3 strace
    local few many free_few free_many
    calls_of_echoes 10 && few=$TOTAL
    calls_of_echoes 210 && many=$TOTAL
    calls_of_echoes 10 --no-sandbox && free_few=$TOTAL
    calls_of_echoes 210 --no-sandbox && free_many=$TOTAL
    ((few - free_few <= 20)) || fail "$few calls, and $free_few without a sandbox"
    ((many - few <= free_many - free_few + 20)) || fail "from $few to $many; without a sandbox, from $free_few to $free_many"
}

@test "17: each row of the table is tested" {
    local row
    while IFS=$'\t' read -r row _; do
        grep -qE "assert_kept.* '?$row('|\$)" "$BATS_TEST_DIRNAME"/sandbox*.bats || fail "no test of '$row'"
    done < <(table)
}
