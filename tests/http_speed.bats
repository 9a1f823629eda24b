#!/usr/bin/env bats
# http-get: --speed-limit and --speed-time.

load helpers/common
load helpers/http

# 80 bytes.
LONG="${OK}Content-Length: 80\\r\\n\\r\\n$(printf '%080d' 0)"

# A byte each 20 ms: 50 a second, which no --idle-timeout finds.
trickle() { serve_text --split=1 --pause=0.02 "$@"; }

SLOW='slower than 1000 B/s for 0\.4 seconds$'

@test "a trickle is given up, in the head and in the body, where nothing is silent" {
    trickle "$LONG"
    try "$SOCKCTL" http-get -Y 1000 -y 400ms --idle-timeout 300ms "$URL/x"
    assert_status 5
    assert_output ''
    assert_one_error_line
    assert_errors "^sockctl: GET http://$URL/x: $SLOW"
    finish peer
    # The head comes at once.
    serve_text --split=50 --pause=0.3 "$LONG"
    try "$SOCKCTL" http-get -Y 1000 -y 400ms -o file "$URL/x"
    assert_status 5
    assert_errors "$SLOW"
    [ ! -e file ]
}

@test "what is fast enough is not" {
    trickle "$LONG"
    try "$SOCKCTL" http-get -Y 5 -y 400ms "$URL/x"
    assert_status 0
    [ "$(wc -c <try.out)" -eq 80 ]
    [ -z "$errors" ]
}

@test "a server that is silent; either option is enough; 0 is no limit" {
    serve_text --end=stall '' '' ''
    try "$SOCKCTL" http-get -y 300ms "$URL"
    assert_status 5
    assert_errors 'slower than 1 B/s for 0\.3 seconds$'
    try "$SOCKCTL" http-get --speed-time 200ms --speed-limit 5K "$URL"
    assert_status 5
    assert_errors 'slower than 5\.0 KiB/s for 0\.2 seconds$'
    try "$SOCKCTL" http-get -Y 1 -m 300ms "$URL" # for 30 seconds
    assert_status 5
    assert_errors 'limit of 0\.3 seconds'
}

@test "curl means the same" {
    need curl
    serve_text --end=stall '' ''
    try curl -s -Y 1000 -y 1 "$URL"
    assert_status 28
    try "$SOCKCTL" http-get -Y 1000 -y 1 "$URL"
    assert_status 5
}

@test "what our own side holds up is not the server's fault" {
    nginx_start
    head -c 4194304 /dev/zero >www/big
    # A reader that begins late, after several times the limit.
    try bash -c '"$@" | { sleep 1; wc -c; }; exit "${PIPESTATUS[0]}"' - "$SOCKCTL" http-get -Y 1M -y 200ms "$URL/big"
    assert_status 0
    assert_output 4194304
    # Nor is --limit-rate, whatever falls between two looks.
    head -c 40000 www/big >www/small
    try "$SOCKCTL" http-get -Y 50000 -y 200ms --limit-rate 50000 -o small "$URL/small"
    assert_status 0
    cmp small www/small
}

@test "--retry goes on where it was given up" {
    serve_text --end=stall "${OK}ETag: \"v\"\\r\\nContent-Length: 10\\r\\n\\r\\nhello" \
        'HTTP/1.1 206 x\r\nETag: "v"\r\nContent-Range: bytes 5-9/10\r\nContent-Length: 5\r\n\r\nworld'
    try "$SOCKCTL" http-get -Y 1000 -y 300ms --retry 1 "$URL"
    assert_status 0
    assert_output helloworld
    [ "$(requests | grep -c '^GET')" -eq 2 ]
    assert_errors 'slower than .*; trying again'
}

@test "--speed-limit above --limit-rate is a usage error" {
    try "$SOCKCTL" http-get -Y 2k --limit-rate 1k h
    assert_usage_error '--speed-limit is above --limit-rate'
    try "$SOCKCTL" http-get -Y fast h
    assert_usage_error 'speed-limit'
    try "$SOCKCTL" http-get -y -1 h
    assert_usage_error 'speed-time'
}
