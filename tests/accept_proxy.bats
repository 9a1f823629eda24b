#!/usr/bin/env bats
# listen --accept-proxy: who the clients are that a proxy passes on. With --to: see forward.bats.

load helpers/common

HEADER='PROXY TCP4 192.0.2.1 203.0.113.2 12345 443\r\n'
V2='\r\n\r\n\0\r\nQUIT\n'
HEADER_V2=$V2'\x21\x11\0\x0c\xc0\0\x02\x01\xcb\0\x71\x02\x30\x39\x01\xbb'
LOCAL=$V2'\x20\0\0\0'

server() {
    start server "$SOCKCTL" listen -v --accept-proxy "$@"
    listening server
}

# client BYTES: what it gets is in $output.
client() { TRY_STDIN=<(printf '%b' "$1") try "$SOCKCTL" connect "$ADDR"; }

open_descriptors() { find "/proc/${PIDS[server]}/fd" | wc -l; }
has_open() { [ "$(open_descriptors)" -eq "$1" ]; }

@test "one client: its bytes, and its name at -v" {
    for header in "$HEADER" "$HEADER_V2"; do
        server 127.0.0.1 0
        client "${header}hello"
        finish server
        assert_status 0
        assert_output hello
        assert_errors '^sockctl: accepted 192\.0\.2\.1:12345$'
        assert_errors '^sockctl: closed 192\.0\.2\.1:12345: 5 bytes in'
    done
}

@test "one client: who has no header is refused, and the wait goes on" {
    start server "$SOCKCTL" listen --accept-proxy --log json 127.0.0.1 0
    wait_line server '"listening"'
    ADDR=$(grep -o '127\.0\.0\.1:[0-9]*' <<<"$LINE")
    client 'GET / HTTP/1.0\r\n\r\n'
    client "${HEADER}hello"
    finish server
    assert_status 0
    assert_output hello
    assert_errors 'malformed or no PROXY header'
    assert_errors '"accepted".*192\.0\.2\.1:12345'
}

@test "one client: a second one's header is not waited for" {
    server 127.0.0.1 0
    start silent "$SOCKCTL" connect --no-shutdown 127.0.0.1 "$PORT"
    wait_line server 'listening'
    client "${HEADER}hello"
    finish server
    assert_status 0
    finish silent
}

@test "-k: clients side by side, in whatever pieces; -w limits the wait for a header" {
    need python3
    server -k -w 2 127.0.0.1 0
    client "$HEADER" # the first one, for which -w is too
    cat >clients.py <<'END'
import socket, sys, time
def connect():
    s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return s
one, two, silent = connect(), connect(), connect()
for byte in b"PROXY TCP6 2001:db8::1 2001:db8::2 1 2\r\none":
    one.send(bytes([byte]))
two.sendall(b"PROXY TCP4 192.0.2.9 192.0.2.1 7 8\r\ntwo")
one.close(); two.close()
if silent.recv(1):
    sys.exit("not closed")
END
    try python3 clients.py "$PORT"
    assert_status 0
    wait_line server 'accepted \[2001:db8::1\]:1$'
    wait_line server 'accepted 192\.0\.2\.9:7$'
    wait_line server 'no PROXY header within the time limit'
    stop server
    assert_status 0
    [[ $output == onetwo || $output == twoone ]]
}

@test "-e: the environment has who and where, and no users of the proxy" {
    for at in "127.0.0.1 0" "$T/socket"; do
        # shellcheck disable=SC2016,SC2086 # the program's; words
        server $at -k -c 'echo $SOCKCTL_PROTO $SOCKCTL_REMOTE_ADDR $SOCKCTL_REMOTE_PORT \
            $SOCKCTL_LOCAL_ADDR $SOCKCTL_LOCAL_PORT $TCPREMOTEIP $NCAT_LOCAL_PORT u$SOCKCTL_PEER_UID'
        client "$HEADER"
        assert_output "TCP 192.0.2.1 12345 203.0.113.2 443 192.0.2.1 443 u"
        client "$LOCAL"
        [[ $output != *192.0.2* ]]
        stop server
    done
}

@test "--allow and --deny are about whom the header names" {
    for at in "127.0.0.1 0" "$T/socket"; do
        # shellcheck disable=SC2086 # words
        server $at -k --greeting welcome --allow 192.0.2.0/24 --deny 192.0.2.2
        client "$HEADER"
        assert_output welcome
        client "PROXY TCP4 192.0.2.2 203.0.113.2 12345 443\r\n"
        assert_output ""
        client "PROXY TCP4 127.0.0.1 203.0.113.2 12345 443\r\n"
        assert_output ""
        client "$LOCAL"
        assert_output ""
        wait_line server '192\.0\.2\.2:12345 is not allowed: closed'
        stop server
    done
}

@test "--allow-uid is about the proxy" {
    server "$T/socket" -k --greeting welcome --allow-uid "$(id -u)"
    client "$HEADER"
    assert_output welcome
    stop server
    server "$T/socket" -k --greeting welcome --allow-uid 4242
    client "$HEADER"
    assert_output ""
    stop server
}

@test "clients whose header is awaited count for -m, and cost nothing once refused" {
    server -k -m 1 -w 2 127.0.0.1 0 --greeting welcome
    client "$HEADER"
    before=$(open_descriptors)
    for i in 1 2; do start "silent$i" "$SOCKCTL" connect --no-shutdown 127.0.0.1 "$PORT"; done
    client "$HEADER"
    assert_output welcome
    for i in 1 2; do finish "silent$i"; done
    poll 2000 has_open "$before"
    stop server
    assert_status 0
}

@test "a signal and the end of --run do not wait for a header" {
    server -k 127.0.0.1 0
    start silent "$SOCKCTL" connect -v --no-shutdown 127.0.0.1 "$PORT"
    wait_line silent connected
    stop server
    assert_status 0
    # shellcheck disable=SC2016 # the command's
    try "$SOCKCTL" listen --accept-proxy 127.0.0.1:0 --run -- \
        sh -c '"$SOCKCTL" connect -q 0 "127.0.0.1:$SOCKCTL_PORT" </dev/null'
    assert_status 0
}

@test "datagrams have no header" {
    try "$SOCKCTL" listen -u --accept-proxy 127.0.0.1:0
    assert_usage_error 'option --accept-proxy: datagrams have no PROXY header'
}
