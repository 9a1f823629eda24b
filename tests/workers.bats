#!/usr/bin/env bats
# listen --workers: several processes that share the clients. Those of echo-server: echo_faults.bats.

load helpers/common

server() {
    start server "$SOCKCTL" listen "$@"
    listening server
}

@test "-k -e: programs of all workers, each client served once, and all end together" {
    # shellcheck disable=SC2016 # the program's
    server -k --workers 3 -c 'echo $SOCAT_PPID; cat' 127.0.0.1 0
    poll 5000 has_children server 3
    for i in {1..12}; do start "client$i" "$SOCKCTL" connect --no-shutdown 127.0.0.1 "$PORT"; done
    for i in {1..12}; do
        wait_file "client$i.out" '^[0-9]+$'
        children server
        [[ " ${CHILDREN[*]} " == *" $LINE "* ]]
    done
    stop server
    assert_status 0
    for i in {1..12}; do finish "client$i"; done
}

@test "--to: bytes and ends, and -m is shared" {
    start far "$SOCKCTL" echo-server 127.0.0.1 0
    listening far
    server --workers 2 -m 4 --to "127.0.0.1:$PORT" 127.0.0.1 0
    for i in {1..10}; do
        TRY_STDIN=<(echo "client $i") try "$SOCKCTL" connect 127.0.0.1 "$PORT"
        assert_status 0
        assert_output "client $i"
    done
    stop server
    assert_status 0
}

@test "--to a socket file: made once, removed once" {
    start far "$SOCKCTL" echo-server "$T/far"
    poll 5000 test -S far
    start server "$SOCKCTL" listen -v --workers 2 --accept-proxy --to "$T/far" "$T/socket"
    wait_line server listening
    [ "$(grep -c listening server.err)" -eq 1 ]
    TRY_STDIN=<(printf 'PROXY TCP4 192.0.2.1 203.0.113.2 12345 443\r\nhello') \
        try "$SOCKCTL" connect "$T/socket"
    assert_output hello
    wait_line server 'accepted 192\.0\.2\.1:12345'
    stop server
    assert_status 0
    [ ! -e socket ]
}

@test "when a worker ends, so does the server" {
    server -k --workers 2 -e cat 127.0.0.1 0
    poll 5000 has_children server 2
    kill -KILL "${CHILDREN[0]}"
    finish server
    assert_status 1
    assert_errors 'a worker was ended by signal 9'
}

@test "what --workers cannot be had with" {
    for words in '' '-k' '-e cat' '--broker' '--serial -e cat' '-k -e cat -w 1' '-u -k'; do
        # shellcheck disable=SC2086 # words
        try "$SOCKCTL" listen --workers 2 127.0.0.1:0 $words
        assert_usage_error workers
    done
    try "$SOCKCTL" listen --workers 2 -k -e cat 127.0.0.1:0 --run -- true
    assert_usage_error workers
    try "$SOCKCTL" listen --workers 2 -u --to 127.0.0.1:9 127.0.0.1:0
    assert_usage_error workers
    try "$SOCKCTL" listen --workers 1 -w 100ms 127.0.0.1:0
    assert_status 5
}
