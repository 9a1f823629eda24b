#!/usr/bin/env bats
# listen --to: the forwarder. helpers/forward.py is the clients and the far side.

load helpers/common

case_of() {
    need python3
    TRY_SECONDS=40 try python3 "$HELPERS/forward.py" "$@"
    assert_status 0
}

@test "any kind of stream to any other, both directions at once" { case_of any_to_any; }

@test "without splice the same" { SOCKCTL_NO_SPLICE=1 case_of any_to_any; }

@test "hundreds of clients at once, each gets its own bytes" {
    need_descriptors 1024
    case_of many 400 60000
}

@test "messages stay messages from seqpacket to seqpacket" { case_of seqpacket; }

@test "an end passes, and leaves the other direction open" { case_of half_close; }

@test "a reset passes, in both directions" { case_of passes_reset; }

@test "a reset is heard from a side that has ended its half" { case_of reset_after_half_close; }

@test "what was read before a reset is still delivered" { case_of reset_comes_last; }

@test "a far side that refuses costs one client and a warning" { case_of gone_far_side; }

@test "a name is looked up once, and anew when nobody answers there any more" {
    unshare -rm true 2>/dev/null || skip "needs a mount namespace"
    echo '127.0.0.2 farside.test' >hosts
    start one "$SOCKCTL" echo-server 127.0.0.2 0
    listening one
    port=$PORT
    start server unshare -rm bash -c 'mount --bind hosts /etc/hosts && exec "$@"' bash \
        "$SOCKCTL" listen 127.0.0.1 0 --to "farside.test:$port"
    listening server
    TRY_STDIN=<(echo first) try "$SOCKCTL" connect 127.0.0.1 "$PORT"
    assert_output first
    echo '127.0.0.3 farside.test' >hosts
    TRY_STDIN=<(echo second) try "$SOCKCTL" connect 127.0.0.1 "$PORT"
    assert_output second
    stop one
    start two "$SOCKCTL" echo-server -v 127.0.0.3 "$port"
    wait_line two 'listening on'
    TRY_STDIN=<(echo third) try "$SOCKCTL" connect 127.0.0.1 "$PORT"
    assert_output third
    stop server
    [ "$errors" = "sockctl: listening on 127.0.0.1:$PORT" ]
}

@test "-w limits connecting" { case_of slow_far_side 500ms; }

@test "-i ends a pair on which nothing moves" { case_of idle; }

@test "-m: more clients wait" { case_of max_conns; }

@test "a far side that does not read holds up its client alone" { case_of back_pressure; }

@test "SIGTERM ends all pairs within a second, with status 0" { case_of terminate; }

@test "12.3.4: SIGTERM, or a limit: a stream that is cut is reset, once what was sent has arrived" {
    case_of cut_is_no_end tcp4
    case_of cut_is_no_end tcp6 --max-time 2
    case_of cut_is_no_end unix
}

@test "without descriptors, clients wait for others to go" { case_of few_descriptors; }

@test "datagrams: a flow for each client, there and back, boundaries kept" { case_of datagrams; }

@test "datagrams: answers come from the address that was asked" {
    case_of answers_from_where_it_was_asked
}

@test "datagrams: idle flows end, and the oldest where there are too many" { case_of flow_limits; }

@test "datagrams: a refusal does not end a flow" { case_of far_side_of_datagrams_comes_late; }

@test "--send-proxy announces the client" { case_of sends_proxy; }

@test "--accept-proxy reads who it is, whole and in pieces" { case_of accepts_proxy; }

@test "a missing, malformed or late PROXY header costs its client alone" { case_of refuses_headers; }

@test "haproxy and sockctl understand each other's PROXY headers" {
    need haproxy python3
    need_descriptors 256
    server() { start "$1" "$SOCKCTL" listen -v "${@:2}" && listening "$1"; }
    # client → sockctl (v2) → haproxy → (v1, v2) → sockctl → far side
    for version in send-proxy send-proxy-v2; do
        START_STDIN=/dev/null start far "$SOCKCTL" listen -d 127.0.0.1 0
        listening far
        server behind 127.0.0.1 0 --to "127.0.0.1:$PORT" --accept-proxy
        cat >haproxy.cfg <<END
defaults
    mode tcp
    timeout connect 5s
    timeout client 10s
    timeout server 10s
listen between
    bind unix@$T/haproxy.sock accept-proxy
    server behind 127.0.0.1:$PORT $version
END
        start haproxy haproxy -db -f haproxy.cfg
        poll 5000 test -S haproxy.sock
        server before 127.0.0.1 0 --to "unix:$T/haproxy.sock" --send-proxy
        TRY_STDIN=<(echo "$version") try "$SOCKCTL" connect -v 127.0.0.1 "$PORT"
        from=$(sed -n 's/^sockctl: from local address //p' try.err)
        finish far
        assert_output "$version"
        wait_line behind "accepted $from"
        stop before
        stop behind
        stop haproxy
        rm haproxy.sock
    done
}

@test "13.8: haproxy takes the header for a UNIX client without a name" {
    need haproxy
    need_descriptors 256
    start far "$SOCKCTL" echo-server 127.0.0.1 0
    listening far
    cat >haproxy.cfg <<END
defaults
    mode tcp
    timeout connect 5s
    timeout client 10s
    timeout server 10s
listen between
    bind unix@$T/haproxy.sock accept-proxy
    server far 127.0.0.1:$PORT
END
    start haproxy haproxy -db -f haproxy.cfg
    poll 5000 test -S haproxy.sock
    start before "$SOCKCTL" listen "$T/front" --to "unix:$T/haproxy.sock" --send-proxy
    poll 5000 test -S front
    TRY_STDIN=<(echo hello) try "$SOCKCTL" connect ./front
    assert_status 0
    assert_output hello
    stop before
    [ -z "$errors" ] || show_results "something was said"
    stop haproxy
}

@test "what contradicts --to is refused" {
    try "$SOCKCTL" listen 127.0.0.1:0 --to 127.0.0.1:9 --stats
    assert_usage_error 'option --stats'
    try "$SOCKCTL" listen 127.0.0.1:0 --to 127.0.0.1:9 --greeting hello
    assert_usage_error 'option --greeting'
    try "$SOCKCTL" listen 127.0.0.1:0 --to 127.0.0.1:99999
    assert_usage_error 99999
    try "$SOCKCTL" listen 127.0.0.1:0 --to ""
    assert_usage_error
    try "$SOCKCTL" listen 127.0.0.1:0 --to fd:5
    assert_usage_error 'inherited'
    try "$SOCKCTL" listen 127.0.0.1:0 --send-proxy
    assert_usage_error 'for --to'
    try "$SOCKCTL" listen -u 127.0.0.1:0 --to 127.0.0.1:9 --accept-proxy
    assert_usage_error 'option --accept-proxy is for connections'
    try "$SOCKCTL" listen 127.0.0.1:0 --to udp:127.0.0.1:9
    assert_usage_error 'cannot be forwarded'
    try "$SOCKCTL" listen -u 127.0.0.1:0 --to tcp:127.0.0.1:9
    assert_usage_error 'cannot be forwarded'
    try "$SOCKCTL" listen -u 127.0.0.1:0 --to 127.0.0.1:9 --send-proxy
    assert_usage_error 'option --send-proxy is for connections'
}

@test "--log json: accepted, connected, closed with the bytes each way" {
    need python3
    start far "$SOCKCTL" echo-server 127.0.0.1 0
    listening far
    start server "$SOCKCTL" listen --log json 127.0.0.1 0 --to "127.0.0.1:$PORT"
    wait_file server.err '"listening"'
    PORT=$(sed -n 's/.*127\.0\.0\.1:\([0-9]*\)".*/\1/p' <<<"$LINE")
    TRY_STDIN=<(echo hello) try "$SOCKCTL" connect 127.0.0.1 "$PORT"
    assert_output hello
    wait_line server '"closed"'
    [[ $LINE == *'"bytes_in":6,"bytes_out":6,'* ]] || fail "$LINE"
    [ "$(grep -cE '"(accepted|connected)"' server.err)" -eq 2 ]
    stop server
    assert_status 0
}
