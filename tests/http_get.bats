#!/usr/bin/env bats
# What http-get asks, whom, and for how long; bad URLs and options.

load helpers/common
load helpers/http

# Requests.

@test "the request, and what the options make of it" {
    serve_text "$OK\r\n" "$OK\r\n" "$OK\r\n" "$OK\r\n" "$OK\r\n"
    version=$("$SOCKCTL" --version | head -n 1)
    agent="User-Agent: ${version/ //}"
    try "$SOCKCTL" http-get "http://$URL"
    try "$SOCKCTL" http-get -0 "$URL/a/./../b?c=d&e%20#f"
    try "$SOCKCTL" http-get -A '' -e from -b a=b -r 0-9 "$URL?q"
    try "$SOCKCTL" http-get -u me:secret -H 'X-A: b' -H 'Accept:' -H 'X-B;' -H 'host: other' "$URL"
    try "$SOCKCTL" http-get "http://m%40e:se:cret@$URL"
    finish peer
    assert_requests "\
GET / HTTP/1.1\nHost: $URL\n$agent\nAccept: */*\nConnection: close\n\n\
GET /b?c=d&e%20 HTTP/1.0\nHost: $URL\n$agent\nAccept: */*\n\n\
GET /?q HTTP/1.1\nHost: $URL\nAccept: */*\nRange: bytes=0-9\nReferer: from\nCookie: a=b\n\
Connection: close\n\n\
GET / HTTP/1.1\nAuthorization: Basic bWU6c2VjcmV0\n$agent\nConnection: close\nX-A: b\nX-B:\n\
host: other\n\n\
GET / HTTP/1.1\nHost: $URL\nAuthorization: Basic bUBlOnNlOmNyZXQ=\n$agent\nAccept: */*\n\
Connection: close\n\n"
}

@test "13.3: several -b are one Cookie, several Hosts are one" {
    serve_text "$OK\r\n" "$OK\r\n" "$OK\r\n"
    try "$SOCKCTL" http-get -b a=b --cookie 'c=d; e=f' -b '' -b g=h -H 'Host: one' -H 'host: two' "$URL"
    [ "$(requests | grep -i '^cookie')" = 'Cookie: a=b; c=d; e=f; g=h' ]
    [ "$(requests | grep -i '^host')" = 'Host: one' ]
    try "$SOCKCTL" http-get -b '' -H 'Host:' -H 'Host: two' "$URL"
    [ "$(requests | grep -ic '^cookie')" -eq 1 ]
    [ "$(requests | grep -i '^host' | paste -sd' ')" = 'Host: one Host: two' ]
    try "$SOCKCTL" http-get -b a=ok -b $'a\nb' h
    assert_usage_error 'option --cookie: .* control character'
    try "$SOCKCTL" http-get -H 'Host:' "$URL"
    [ "$(requests | grep -ic '^host')" -eq 2 ]
}

@test "--http0.9 sends the bare request and prints whatever comes" {
    serve_text --bare '<html>\0\n' 'HTTP/1.0 404 Not Found\r\n\r\nno' ''
    try "$SOCKCTL" http-get --http0.9 "$URL"
    assert_status 0
    cmp try.out <(printf '<html>\0\n')
    try "$SOCKCTL" http-get --http0.9 "$URL/path?q"
    assert_status 0
    cmp try.out <(printf 'HTTP/1.0 404 Not Found\r\n\r\nno')
    try "$SOCKCTL" http-get --http0.9 "$URL"
    assert_status 7
    assert_errors 'empty reply'
    finish peer
    cmp peer.err <(printf 'GET /\r\nGET /path?q\r\nGET /\r\n')
}

@test "bad URLs are usage errors, in one line" {
    while IFS= read -r url; do
        try "$SOCKCTL" http-get "$url"
        assert_usage_error "^sockctl: URL '.*' (has|is) " || fail "$url"
    done <<'EOF'

http://
http:///path
ftp://h/
h:0
h:65536
h:-1
h:80x
h:+80
h:4294967376
h: 80
[::1
[::1]x
[localhost]
::1
h/a b
a b/c
h!
h/	tab
http://me%0aX:y@h/
EOF
    for url in $'h/a\r\nX: y' $'h/a\nb' $'h\rx' $'h/\x7f' $'\x01'; do
        try "$SOCKCTL" http-get "$url"
        assert_usage_error 'a space or a control character'
    done
}

@test "one bad URL, and nothing is fetched" {
    serve_text "$OK\r\nhello"
    try "$SOCKCTL" http-get "$URL" h:x
    assert_usage_error 'h:x'
    try "$SOCKCTL" http-get "$URL"
    assert_output hello
}

@test "bad options are usage errors" {
    for field in '' A 'A b' 'A b: c' ': b' '@file' 'A;b' $'A: b\r\nC: d' $'A: b\nc' $'A\r: b'; do
        try "$SOCKCTL" http-get -H "$field" h
        assert_usage_error 'option --header: .*( is not a field|a control character|is given with an -H of its own)' || fail "$field"
    done
    for option in -A -e -u -b; do
        try "$SOCKCTL" http-get $option $'a\r\nb' h
        assert_usage_error 'a control character'
    done
    for range in '' x 0..9 'bytes=0-9' '0 - 9'; do
        try "$SOCKCTL" http-get -r "$range" h
        assert_usage_error 'not a range'
    done
    try "$SOCKCTL" http-get
    assert_usage_error 'missing operand'
    try "$SOCKCTL" http-get -o x h h
    assert_usage_error 'one URL'
    try "$SOCKCTL" http-get --http0.9 -I h
    assert_usage_error
    try "$SOCKCTL" http-get -m -1 h
    assert_usage_error 'max-time.*-1'
    try "$SOCKCTL" http-get -U "$(printf 'x%.0s' {1..200})" h
    assert_usage_error '200 bytes'
}

@test "a URL of 64 KiB is sent whole, a host of 64 KiB is refused shortly" {
    long=$(head -c 65536 /dev/zero | tr '\0' x)
    serve_text "$OK\r\nhello" 'HTTP/1.1 414 Too Long\r\n\r\n'
    try "$SOCKCTL" http-get "$URL/$long"
    assert_status 0
    assert_output hello
    try "$SOCKCTL" http-get "$URL/$long"
    assert_status 6
    [ ${#errors} -lt 400 ] || show_results "the message is too long"
    assert_errors ': 414 Too Long$'
    [ "$(requests | head -n 1)" = "GET /$long HTTP/1.1" ]
    try "$SOCKCTL" http-get "$long"
    assert_usage_error 'more than 255 bytes'
    [ ${#errors} -lt 400 ]
}

@test "a request of a megabyte, more than the socket takes at once, arrives whole" {
    need python3
    printf '%b' "$OK\r\nhello" >text
    start peer python3 "$HELPERS/http_peer.py" --unix peer.socket text
    wait_file peer.out READY
    large=$(head -c 100000 /dev/zero | tr '\0' x)
    for i in {1..10}; do fields+=(-H "X-$i: $large"); done
    try "$SOCKCTL" http-get -U peer.socket "${fields[@]}" h
    assert_status 0
    assert_output hello
    [ "$(requests | grep -cx "X-[0-9]*: x*")" -eq 10 ]
    [ "$(wc -c <peer.err)" -gt 1000000 ]
}

@test "credentials are never shown" {
    serve_text 'HTTP/1.1 404 x\r\n\r\n' ''
    for option in '' ''; do
        try "$SOCKCTL" http-get -vv "me:secret@$URL"
        ! grep -aiE 'secret|bWU6' try.err || fail "they are shown"
    done
    assert_errors '> Authorization: \.\.\.'
    for field in 'Authorization Basic secret' $'Authorization: secret\nX: y' 'Authorization;secret'; do
        try "$SOCKCTL" http-get -H "$field" h
        assert_usage_error "option --header: 'Authorization(: )?\.\.\.' "
    done
    try "$SOCKCTL" http-get -e http://me:secret@h/x h
    assert_usage_error 'option --referer: leave USER:PASS@ out'
    refute grep -q secret try.err
    for url in "ftp://me:secret@h/" "me:secret@h:x" "me:sec%0aret@h" "http://me:secret /@h"; do
        try "$SOCKCTL" http-get "$url"
        assert_usage_error
        ! grep -aE 'sec' try.err || fail "they are shown"
    done
}

@test "-v tells the heads, escaped" {
    serve_text 'HTTP/1.1 200 a\033[31m\r\nX: \a\b\r\n\r\n'
    try "$SOCKCTL" http-get -v "$URL/x"
    assert_status 0
    assert_errors "^sockctl: connected to $URL$"
    assert_errors '^sockctl: > GET /x HTTP/1\.1$'
    assert_errors '^sockctl: < HTTP/1\.1 200 a\\x1b\[31m$'
    assert_errors '^sockctl: < X: \\x07\\x08$'
    assert_errors "^sockctl: closed $URL: [0-9]+ bytes in, [0-9]+ out$"
}

@test "what may surprise is said, unless --silent" {
    answer='HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\nhello'
    serve_text "$answer" "$answer" "$OK\r\n"
    try "$SOCKCTL" http-get "$URL"
    assert_output hello
    assert_status 0
    assert_errors 'encoded \(gzip\)'
    try "$SOCKCTL" http-get --silent "$URL"
    [ -z "$errors" ]
    try "$SOCKCTL" http-get -r 0-9 "$URL"
    assert_errors 'ignores the range'
}

# Getting there, and limits.

@test "what cannot be reached: statuses 3, 4 and 5" {
    try "$SOCKCTL" http-get 127.0.0.1:1
    assert_status 4
    assert_one_error_line
    assert_errors 'connect to 127.0.0.1:1: Connection refused'
    try "$SOCKCTL" http-get http://no-such-host.invalid/
    assert_status 3
    assert_one_error_line
    try "$SOCKCTL" http-get -6 127.0.0.1:1
    [ "$status" -ne 0 ]
    try "$SOCKCTL" http-get -U "$T/none" h
    assert_status 4
    assert_errors 'none: No such file'
}

@test "time limits: --max-time, --idle-timeout" {
    serve_text --end=stall '' ''
    begun=$(now_ms)
    try "$SOCKCTL" http-get -m 200ms "$URL" "$URL/2"
    assert_status 5
    assert_one_error_line
    assert_errors 'limit of 0.2 seconds'
    try "$SOCKCTL" http-get --idle-timeout 0.2 "$URL"
    assert_status 5
    assert_one_error_line
    assert_errors 'nothing moved for 0.2 seconds'
    (($(now_ms) - begun >= 400 && $(now_ms) - begun < 3000 * PATIENCE))
}

@test "an answer that comes slowly but steadily is no idling" {
    printf '%b' "${OK}Content-Length: 300\r\n\r\n" >slow
    head -c 300 /dev/zero >>slow
    serve --split 1 slow # a byte a millisecond
    try "$SOCKCTL" http-get --idle-timeout 150ms "$URL"
    assert_status 0
}

@test "several URLs: each is tried, the status is that of the first failure" {
    serve_text "$OK\r\none" 'HTTP/1.1 404 x\r\n\r\ntwo' "$OK\r\nthree" "$OK\r\nfour"
    try "$SOCKCTL" http-get "$URL" "$URL/no" 127.0.0.1:1 "$URL"
    assert_status 6
    assert_output onetwothree
    assert_errors '/no: 404 x'
    assert_errors '127.0.0.1:1: Connection refused'
    [ "$(wc -l <try.err)" -eq 2 ]
    try "$SOCKCTL" http-get 127.0.0.1:1 "$URL"
    assert_status 4
    assert_output four
}

@test "an UNIX socket" {
    nginx_start
    echo hello >www/x
    try "$SOCKCTL" http-get -U nginx.socket http://example.com/x
    assert_status 0
    assert_output hello
}

@test "12.3.6: a send that fails ends the transfer, and is no reason to wait" {
    need strace
    for failure in ENOBUFS ENOMEM EPERM; do
        serve_text "$OK\r\nhello" "$OK\r\nhello"
        ASAN_OPTIONS=detect_leaks=0 try strace -f -qq -o /dev/null -e trace=sendto \
            -e inject=sendto:error=$failure:when=1 "$SOCKCTL" http-get "$URL"
        assert_status 1
        assert_one_error_line
        assert_errors "GET http://$URL/: send the request: "
        ASAN_OPTIONS=detect_leaks=0 try strace -f -qq -o /dev/null -e trace=sendto \
            -e inject=sendto:error=$failure:when=1 "$SOCKCTL" http-get --retry 1 "$URL"
        assert_status 0
        assert_output hello
        stop peer || :
    done
}
