#!/usr/bin/env bats
# What a person who has read no more than --help types for an everyday task, and what comes of it (15, "Shown by").

load helpers/common

@test "15: a time limit of 0 is no limit" {
    start server "$SOCKCTL" listen -k -w 0 -i 0 --max-time 0 -c 'echo hello' 127.0.0.1:0
    listening server
    for options in '-w 0' '-w 0s -i 0' '--max-time 0' '-z -w 0'; do
        # shellcheck disable=SC2086 # words
        try "$SOCKCTL" connect $options localhost:"$PORT"
        assert_status 0
        assert_errors '^$'
    done
    for options in '-m 0' '--connect-timeout 0 --idle-timeout 0'; do
        # shellcheck disable=SC2086 # words
        try "$SOCKCTL" http-get --http0.9 $options "127.0.0.1:$PORT"
        assert_status 0
        assert_output hello
    done
    try "$SOCKCTL" resolve -w 0 -s 127.0.0.1
    assert_status 0
}

@test "15: -C is for what --send says, too" {
    start server "$SOCKCTL" listen 127.0.0.1:0
    listening server
    try "$SOCKCTL" connect -C --send 'a\nb\r\n\n' 127.0.0.1 "$PORT" </dev/null
    assert_status 0
    finish server
    printf 'a\r\nb\r\n\r\n' | cmp - server.out
}

@test "15: -4 is for both sides of a forwarder, and a message says so" {
    try "$SOCKCTL" listen -4 127.0.0.1:0 --to '[::1]:80'
    assert_status 2
    assert_usage_error "an IPv6 address, where IPv4 is asked for \(-4 and -6 are for --to, too; tcp4:PORT and tcp6:PORT are not\)"
}

@test "15: with -k, a client that is late for a file on stdin gets nothing, and is named once" {
    echo page >page
    start server bash -c 'exec "$0" listen -k 127.0.0.1:0 <page' "$SOCKCTL"
    listening server
    try "$SOCKCTL" connect "127.0.0.1:$PORT" </dev/null
    assert_output page
    for _ in 1 2; do
        try "$SOCKCTL" connect "127.0.0.1:$PORT" </dev/null
        assert_status 0
        assert_output ''
    done
    stop server
    [ "$(grep -c "gets nothing: stdin has ended (-c 'cat FILE' sends FILE to every client)" server.err)" -eq 1 ]
}

@test "15: http-get -r and -O of wget" {
    try "$SOCKCTL" http-get -r web
    assert_status 2
    assert_usage_error "option --range: 'web' is not a range \(0-99, 100-, -50\)"
    try "$SOCKCTL" http-get -O page.html 127.0.0.1:1/page.html
    assert_status 2
    assert_errors "URL 'page\.html' has no file name in it, for --remote-name; --output FILE names one, as wget's -O FILE does$"
}
