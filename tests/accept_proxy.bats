#!/usr/bin/env bats
# listen --accept-proxy: who the clients are that a proxy passes on. With --to: see forward.bats.

load helpers/common

HEADER='PROXY TCP4 192.0.2.1 203.0.113.2 12345 443\r\n'
V2='\r\n\r\n\0\r\nQUIT\n'
HEADER_V2=$V2'\x21\x11\0\x0c\xc0\0\x02\x01\xcb\0\x71\x02\x30\x39\x01\xbb'
NGINX_STREAM=/usr/lib/nginx/modules/ngx_stream_module.so # Debian: libnginx-mod-stream
LOCAL=$V2'\x20\0\0\0'

server() {
    start server "$SOCKCTL" listen -v --accept-proxy "$@"
    listening server
}

# client BYTES: what it gets is in $output.
client() { TRY_STDIN=<(printf '%b' "$1") try "$SOCKCTL" connect "$ADDR"; }

# client_from ADDRESS BYTES
client_from() {
    TRY_STDIN=<(printf '%b' "$2") try "$SOCKCTL" connect -s "$1" "$ADDR"
}

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

@test "12.2.3: --allow and --deny judge whom the header names" {
    for at in "127.0.0.1 0" "$T/socket"; do
        # shellcheck disable=SC2086 # words
        server $at -k --greeting welcome --allow 192.0.2.0/24,127.0.0.1 --deny 192.0.2.2
        client "$HEADER"
        assert_output welcome
        client "PROXY TCP4 192.0.2.2 203.0.113.2 12345 443\r\n"
        assert_output ""
        client "PROXY TCP4 127.0.0.2 203.0.113.2 12345 443\r\n"
        assert_output ""
        wait_line server '192\.0\.2\.2:12345 is not allowed: closed'
        [[ $at != *socket ]] || { client "$LOCAL" && assert_output ""; }
        stop server
    done
}

@test "12.2.3: --allow and --deny judge the proxy's own address, too" {
    server 127.0.0.1 0 -k --greeting welcome --allow 192.0.2.0/24
    client "$HEADER"
    assert_output ""
    wait_line server '127\.0\.0\.1:[0-9]+ is not allowed: closed'
    stop server
    server 127.0.0.1 0 -k --greeting welcome --deny 127.0.0.1
    client "$HEADER"
    assert_output ""
    client_from 127.0.0.2 "$HEADER"
    assert_output welcome
    stop server
}

# With everything that listen does with a client: what a client gets, and what of it arrives.
@test "12.2.3: --proxy-from: others are served under their own address, and their bytes are theirs" {
    start far "$SOCKCTL" echo-server 127.0.0.1 0
    listening far
    for way in "--to 127.0.0.1:$PORT" "-k -e cat" "-e cat"; do
        for proxy in 127.0.0.2 192.0.2.0/24,127.0.0.2/31; do
            # shellcheck disable=SC2086 # words
            server 127.0.0.1 0 --proxy-from "$proxy" $way
            client "${HEADER}hello"
            assert_output $'PROXY TCP4 192.0.2.1 203.0.113.2 12345 443\r\nhello'
            wait_line server 'accepted 127\.0\.0\.1:[0-9]+$'
            if [[ $way != "-e cat" ]]; then
                client_from 127.0.0.2 "${HEADER}hello"
                assert_output hello
                wait_line server 'accepted 192\.0\.2\.1:12345$'
                client hello
                assert_output hello
                stop server
            fi
            finish server
        done
    done
}

@test "12.2.3: --proxy-from: whoever may not announce is not waited for, and speaks second if it likes" {
    # shellcheck disable=SC2016 # the program's
    server 127.0.0.1 0 -k --proxy-from 127.0.0.2 \
        -c 'echo "$SOCKCTL_REMOTE_ADDR $SOCKCTL_LOCAL_ADDR"; cat'
    client_from 127.0.0.2 "$HEADER"
    assert_output '192.0.2.1 203.0.113.2'
    client ''
    assert_output '127.0.0.1 127.0.0.1' # and not where the one before it went
    client "$HEADER_V2"
    [[ $output == '127.0.0.1 127.0.0.1'* ]]
    [ "$(stat -c %s try.out)" -eq 48 ]
    stop server
}

@test "12.2.3: --proxy-from @FILE, and SIGHUP" {
    echo 127.0.0.2 >proxies
    server 127.0.0.1 0 -k -c 'echo "$SOCKCTL_REMOTE_ADDR"' --proxy-from @proxies
    client_from 127.0.0.2 "$HEADER"
    assert_output 192.0.2.1
    echo 127.0.0.1 >proxies
    kill -s HUP "${PIDS[server]}"
    wait_line server 'read again'
    client_from 127.0.0.2 "$HEADER"
    assert_output 127.0.0.2
    client "$HEADER"
    assert_output 192.0.2.1
    echo 127.0.0.1/08 >proxies
    kill -s HUP "${PIDS[server]}"
    wait_line server 'SIGHUP: option --proxy-from: proxies, line 1: '
    client "$HEADER"
    assert_output 192.0.2.1
    stop server
    assert_status 0
}

@test "12.2.3: --proxy-from: behind haproxy and nginx, and beside them" {
    need haproxy nginx "$NGINX_STREAM"
    need_descriptors 256
    # shellcheck disable=SC2016 # the program's
    server 127.0.0.1 0 -k -c 'echo "$SOCKCTL_REMOTE_ADDR"; cat' --proxy-from 127.0.0.2,127.0.0.3
    cat >haproxy.cfg <<END
defaults
    mode tcp
    timeout connect 5s
    timeout client 10s
    timeout server 10s
listen one
    bind unix@$T/one.sock accept-proxy
    server behind 127.0.0.1:$PORT send-proxy source 127.0.0.2
listen two
    bind unix@$T/two.sock accept-proxy
    server behind 127.0.0.1:$PORT send-proxy-v2 source 127.0.0.2
END
    cat >nginx.conf <<END
load_module $NGINX_STREAM;
pid $T/nginx.pid;
error_log stderr;
daemon off;
events {}
stream {
    server {
        listen 127.0.88.1:$PORT;
        proxy_protocol on;
        proxy_half_close on;
        proxy_bind 127.0.0.3;
        proxy_pass 127.0.0.1:$PORT;
    }
}
END
    start haproxy haproxy -db -f haproxy.cfg
    start nginx nginx -p "$T" -e stderr -c "$T/nginx.conf"
    for name in one two; do
        poll 5000 test -S $name.sock
        TRY_STDIN=<(printf '%bhello' "$HEADER") try "$SOCKCTL" connect "./$name.sock"
        assert_output $'192.0.2.1\nhello'
    done
    TRY_STDIN=<(echo hello) try "$SOCKCTL" connect --wait 5 -s 127.0.0.9 127.0.88.1 "$PORT"
    assert_output $'127.0.0.9\nhello'
    client hello
    assert_output $'127.0.0.1\nhello'
    client_from 127.0.0.4 "${HEADER}hello"
    assert_output $'127.0.0.4\nPROXY TCP4 192.0.2.1 203.0.113.2 12345 443\r\nhello'
    stop haproxy
    stop nginx QUIT
    stop server
}

@test "12.2.3: --proxy-from: what it is for" {
    try "$SOCKCTL" listen --proxy-from 127.0.0.1 127.0.0.1:0
    assert_usage_error 'option --proxy-from is for --accept-proxy'
    try "$SOCKCTL" listen --accept-proxy --proxy-from 127.0.0.1 "$T/socket"
    assert_usage_error 'option --proxy-from is for internet sockets.*--allow-uid'
    [ ! -e socket ]
    for list in '' localhost 10.0.0.0/33 127.0.0.1/08; do
        try "$SOCKCTL" listen --accept-proxy --proxy-from "$list" 127.0.0.1:0
        assert_usage_error 'option --proxy-from'
    done
}

# checked WORD: haproxy looks whether the server is there; until it has been seen five times. (Without
# a header it resets before the handshake is over, and no server ever hears of that.)
checked() {
    cat >haproxy.cfg <<END
defaults
    mode tcp
    timeout connect 5s
    timeout client 10s
    timeout server 10s
listen between
    bind unix@$T/haproxy.sock
    server behind 127.0.0.1:$PORT check inter 20ms $1
END
    start haproxy haproxy -db -f haproxy.cfg
    poll 10000 seen_often
    stop haproxy
}
seen_often() { (($(grep -Ec '127\.0\.0\.1:[0-9]+: closed without a byte|^sockctl: closed 127' server.err) >= 5)); }

@test "13.8: a load balancer's health checks are told at -v, and are no warnings" {
    need haproxy python3
    need_descriptors 256
    for way in "-k" "-k -e cat" "--broker"; do
        for check in send-proxy send-proxy-v2; do
            # shellcheck disable=SC2086 # words
            server 127.0.0.1 0 $way
            checked $check
            stop server
            assert_status 0
        done
        # The same without -v: nothing is said, whether it closes in order or resets.
        # shellcheck disable=SC2086 # words
        start server "$SOCKCTL" listen --accept-proxy 127.0.0.1 0 $way
        listening server
        cat >checks.py <<'END'
import socket, struct, sys
for header in b"", b"PROXY UNKNOWN\r\n", b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0":
    for reset in False, True:
        with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as s:
            s.sendall(header)
            if reset:
                s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as s:
    s.sendall(b"PROXY TCP4 192.0.2.1 203.0.113.2 1 2\r\nlast")
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
END
        try python3 checks.py "$PORT"
        [ -z "$errors" ] || fail "$errors"
        wait_line server '^sockctl: .*192\.0\.2\.1:1.*Connection reset by peer'
        stop server
        [ "$(wc -l <server.err)" -eq 2 ] || show_results "more was said"
    done
}

@test "13.8: -i holds while a PROXY header is awaited" {
    server -k -w 300 -i 300ms 127.0.0.1 0
    try "$SOCKCTL" connect --no-shutdown 127.0.0.1 "$PORT"
    wait_line server 'no PROXY header within the time limit'
    stop server
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
    assert_usage_error 'option --accept-proxy is for connections'
}
