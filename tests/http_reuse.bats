#!/usr/bin/env bats
# http-get: one connection for several URLs, and tries.

load helpers/common
load helpers/http

# text LENGTH BODY [FIELDS]
text() { printf '%s' "${OK}${3:-}Content-Length: $1\\r\\n\\r\\n$2"; }

clients() { grep -c CLIENT peer.out; }

@test "several URLs of one host, one connection; the last one closes it" {
    serve_text --keep=9 "$(text 3 one)" "${OK}Transfer-Encoding: chunked\r\n\r\n3\r\ntwo\r\n0\r\n\r\n" \
        'HTTP/1.1 204 No\r\n\r\n' "$(text 5 three)"
    try "$SOCKCTL" http-get -v "$URL/1" "$URL/2" "$URL/3" "$URL/4"
    assert_status 0
    assert_output onetwothree
    [ "$(clients)" -eq 1 ]
    [ "$(requests | grep -n '^Connection: close')" = "$(requests | grep -n '' | tail -n 2 | head -n 1)" ]
    [ "$(grep -c 'closed' <<<"$errors")" -eq 1 ]
    [ "$(grep -c 'connected to' <<<"$errors")" -eq 1 ]
}

@test "a connection is not kept where its end, or what comes by it, is in doubt" {
    serve_text "$(text 3 one 'Connection: close\r\n')" "${OK}\r\ntwo" "$(text 5 'three, and more')" \
        'HTTP/1.0 200 OK\r\nContent-Length: 4\r\n\r\nfour' "$(text 4 five)" "$(text 3 six)"
    try "$SOCKCTL" http-get "$URL" "$URL" "$URL" "$URL" "$URL" "$URL"
    assert_status 0
    assert_output 'onetwothreefourfivesix'
    [ "$(clients)" -eq 6 ]
    refute grep -q 'GET.*GET' peer.err
    finish peer
    serve_text --keep=2 'HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 3\r\n\r\none' "$(text 3 two)"
    try "$SOCKCTL" http-get "$URL" "$URL"
    assert_output onetwo
    [ "$(clients)" -eq 1 ]
}

@test "a kept connection that dies: once more on a fresh one" {
    # The second request gets no answer where the first came; nor is that held against a fresh one.
    serve_text --keep=2 "$(text 3 one)" '' "$(text 3 two)" "$(text 5 three)"
    try "$SOCKCTL" http-get "$URL" "$URL" "$URL"
    assert_status 0
    assert_output onetwothree
    [ "$(clients)" -eq 2 ]
    [ "$(requests | grep -c '^GET')" -eq 4 ]
    finish peer
    serve_text --keep=2 "$(text 3 one)" '' ''
    try "$SOCKCTL" http-get "$URL" "$URL"
    assert_status 7
    assert_errors 'empty reply'
    assert_one_error_line
    finish peer
    # An answer that is cut off is one.
    serve_text --keep=2 "$(text 3 one)" 'HTTP/1.1 2' "$(text 3 two)"
    try "$SOCKCTL" http-get "$URL" "$URL"
    assert_status 7
    assert_errors 'cut off'
}

@test "what comes by a kept connection before anything is asked is no answer" {
    serve_text --keep=1 "$(text 3 one)HTTP/1.1 408 Request Timeout\r\n\r\n" "$(text 3 two)"
    try "$SOCKCTL" http-get "$URL" "$URL"
    assert_status 0
    assert_output onetwo
}

@test "other hosts and ports, and refusals in between" {
    nginx_start
    echo hello >www/x
    try "$SOCKCTL" http-get -vf "$URL/x" "$URL/none" "$URL/empty" "$URL/x" "localhost:${URL#*:}/x"
    assert_status 6
    assert_output $'hello\nhello\nhello'
    [ "$(grep -c 'connected to' <<<"$errors")" -eq 2 ]
}

@test "nginx: a thousand URLs in one run" {
    nginx_start
    echo hello >www/x
    for _ in {1..1000}; do urls+=("$URL/x"); done
    try "$SOCKCTL" http-get "${urls[@]}"
    assert_status 0
    [ "$(wc -l <try.out)" -eq 1000 ]
    [ "$(sort -u try.out)" = hello ]
}

# Tries.

@test "--retry: what may pass is tried again, and said so" {
    serve_text '' 'HTTP/1.1 503 Busy\r\nRetry-After: 0\r\n\r\nno' 'HTTP/1.1 429 x\r\n\r\nno' "$(text 5 hello)"
    try "$SOCKCTL" http-get --retry 3 "$URL"
    assert_status 0
    assert_output hello
    assert_errors 'empty reply; trying again in 0\.25 seconds$'
    assert_errors '503 Busy; trying again in 0\.5 seconds$'
    finish peer
    serve_text 'HTTP/1.1 503 x\r\n\r\none' 'HTTP/1.1 503 x\r\n\r\ntwo'
    try "$SOCKCTL" http-get -s --retry 1 "$URL"
    assert_status 6
    assert_output two
    assert_one_error_line
    try "$SOCKCTL" http-get -s --retry 1 127.0.0.1:1
    assert_status 4
}

@test "--retry: what will not pass is not tried again, nor beyond --max-time" {
    serve_text 'HTTP/1.1 404 x\r\n\r\n' "${OK}bad\r\n\r\n" 'HTTP/1.1 503 x\r\nRetry-After: 3600\r\n\r\n'
    try "$SOCKCTL" http-get --retry 5 "$URL"
    assert_status 6
    try "$SOCKCTL" http-get --retry 5 "$URL"
    assert_status 7
    try "$SOCKCTL" http-get --retry 5 -m 300ms "$URL"
    assert_status 5
    assert_errors 'limit of 0.3 seconds'
    try "$SOCKCTL" http-get --retry -1 h
    assert_usage_error
}

@test "--retry: a body that was cut is resumed where the server names its version" {
    whole="Content-Length: 10\r\nETag: \"v\"\r\n\r\nhello"
    rest='HTTP/1.1 206 x\r\nContent-Range: bytes 5-9/10\r\nETag: "v"\r\n\r\nworld'
    serve_text "$OK$whole" "$rest" "$OK$whole" "$rest"
    try "$SOCKCTL" http-get --retry 1 "$URL"
    assert_status 0
    assert_output helloworld
    requests | grep -qx 'Range: bytes=5-'
    requests | grep -qx 'If-Range: "v"'
    try "$SOCKCTL" http-get --retry 1 -o file --sha256 \
        936a185caaa266bb9cbe981e9e05cb78cd732b0b3280eb944412bb6f8f8f07af "$URL"
    assert_status 0
    [ "$(<file)" = helloworld ]
}

@test "--retry: without a version stdout is left as it is, and a file fetched anew" {
    cut="${OK}Content-Length: 5\r\n\r\nhel"
    serve_text "$cut" "$cut" "$(text 5 again)" "${OK}Content-Length: 5\r\nETag: W/\"v\"\r\n\r\nhel"
    try "$SOCKCTL" http-get --retry 1 "$URL"
    assert_status 7
    assert_output hel
    try "$SOCKCTL" http-get --retry 1 -o file "$URL"
    assert_status 0
    [ "$(<file)" = again ]
    refute grep -q Range peer.err
    try "$SOCKCTL" http-get --retry 1 "$URL" # a weak one is none
    assert_status 7
    assert_output hel
}

@test "--retry: an answer that is another one is not mixed with what was written" {
    cut="${OK}Content-Length: 5\r\nETag: \"v\"\r\n\r\nhel"
    serve_text "$cut" "$(text 5 other)" "$cut" 'HTTP/1.1 206 x\r\nContent-Range: bytes 2-4/5\r\n\r\nlo!'
    try "$SOCKCTL" http-get --retry 1 "$URL"
    assert_status 1
    assert_output hel
    assert_errors 'cannot be taken back'
    try "$SOCKCTL" http-get --retry 1 "$URL"
    assert_status 7
    assert_output hel
    assert_errors 'starts at another byte'
}

@test "--retry into a pipe, of which nothing was written yet" {
    cut="${OK}Content-Length: 5\r\n\r\n"
    serve_text "$cut" 'HTTP/1.1 200' "$(text 5 hello)" "$cut" "$cut" "$(text 5 hello)"
    try bash -c '"$@" | cat; exit "${PIPESTATUS[0]}"' - "$SOCKCTL" http-get --retry 2 "$URL"
    assert_status 0
    assert_output hello
    # A head that was printed is something.
    try bash -c '"$@" | cat; exit "${PIPESTATUS[0]}"' - "$SOCKCTL" http-get -i --retry 2 "$URL"
    assert_status 7
    [ "$(grep -c HTTP/1.1 try.out)" -eq 1 ]
    try "$SOCKCTL" http-get -i --retry 2 -o file "$URL"
    assert_status 0
    [ "$(grep -c HTTP/1.1 file)" -eq 1 ]
    [ "$(tail -n 1 file)" = hello ]
}
