#!/usr/bin/env bats
# http-get and answers that are not the whole: 206, 304 and 416, asked for or not.

load helpers/common
load helpers/http

TAGGED='ETag: "v"\r\n'

no_leftovers() { [ -z "$(find . -name '.*sockctl*')" ]; }

# part FIRST-LAST/TOTAL BODY [FIELDS]
part() { printf '%s' "HTTP/1.1 206 x\\r\\n${3:-}Content-Range: bytes $1\\r\\n\\r\\n$2"; }

# refused STATUS ERE TEXT ARGUMENT…: what TEXT answers to these options is that, on stdout and in a file.
refused() {
    local expected=$1 pattern=$2
    serve_text "$3" "$3"
    shift 3
    try "$SOCKCTL" http-get "$@" "$URL"
    assert_status "$expected" && assert_output '' && assert_one_error_line && assert_errors "$pattern" || return
    echo old >file
    try "$SOCKCTL" http-get "$@" -o file "$URL"
    assert_status "$expected" && [ "$(<file)" = old ] && no_leftovers || fail "the file is touched"
    finish peer
}

# granted BODY TEXT ARGUMENT…
granted() {
    local body=$1
    serve_text "$2"
    shift 2
    try "$SOCKCTL" http-get "$@" "$URL"
    assert_status 0 && assert_output "$body"
    finish peer
}

@test "13.3: a 206 has to be the range that was asked for" {
    refused 7 'not the range asked for \(0-3\): bytes 10-13' "$(part 10-13/100 KLMN)" -r 0-3
    refused 7 'not the range asked for \(0-3\): bytes 0-1' "$(part 0-1/100 AB)" -r 0-3
    refused 7 'not the range asked for \(0-3\): bytes 0-4' "$(part 0-4/100 ABCDE)" -r 0-3
    refused 7 'not the range asked for \(0-3\): bytes 0-1' "$(part '0-1/*' AB)" -r 0-3
    refused 7 'not the range asked for \(2-\): bytes 2-3' "$(part 2-3/5 CD)" -r 2-
    refused 7 'not the range asked for \(-2\): bytes 2-3' "$(part 2-3/5 CD)" -r -2
    refused 7 'not the range asked for \(-2\): bytes 2-4' "$(part 2-4/5 CDE)" -r -2
    refused 7 'there is no valid Content-Range' 'HTTP/1.1 206 x\r\n\r\nABCD' -r 0-3
    refused 7 'there is no valid Content-Range' "$(part '*/4' ABCD)" -r 0-3
    refused 7 'its length and its range differ' "$(part 0-3/4 ABC 'Content-Length: 3\r\n')" -r 0-3
    refused 7 'not the range asked for \(0-3\)' "$(part 10-13/100 KLMN)" -H 'Range: bytes=0-3'
    refused 7 'not the range asked for \(0-3\)' "$(part 10-13/100 KLMN)" -H 'Range: bytes=0-3' -r 10-13
    several='HTTP/1.1 206 x\r\nContent-Type: multipart/byteranges; boundary=b\r\n\r\n--b--\r\n'
    refused 7 'in several parts' "$several" -r 0-3
    refused 7 'in several parts' "$several" -r 0-0,2-3
}

@test "13.3: the range that was asked for, and one that the file's end cuts" {
    granted ABCD "$(part 0-3/100 ABCD)" -r 0-3
    granted ABCD "$(part '0-3/*' ABCD)" -r 0-3
    granted ABC "$(part 0-2/3 ABC)" -r 0-3
    granted CD "$(part 2-3/4 CD)" -r 2-
    granted CD "$(part '2-3/*' CD)" -r 2-
    granted CD "$(part 2-3/4 CD)" -r -2
    granted ABCD "$(part 0-3/4 ABCD)" -r -9
    granted KLMN "$(part 10-13/100 KLMN)" -H 'range:bytes=10-13' -r 0-3
    granted ABCD "$OK\r\nABCD" -r 0-1 # with a warning
    serve_text "$(part 0-3/100 ABC)" "HTTP/1.1 206 x\r\nContent-Range: bytes 0-3/9\r\nContent-Length: 4\r\n\r\n"
    try "$SOCKCTL" http-get -r 0-3 -o file "$URL"
    assert_status 7
    assert_errors 'the body and its range differ in length'
    [ ! -e file ]
    try "$SOCKCTL" http-get -I -r 0-3 "$URL"
    assert_status 0
}

@test "13.3: a 206 or 304 that nobody asked for leaves the file alone" {
    refused 7 '206 x, which was not asked for' "$(part 0-3/100 ABCD)"
    refused 7 '304 x, which was not asked for' 'HTTP/1.1 304 x\r\n\r\n'
    refused 7 '304 x, which was not asked for' 'HTTP/1.1 304 x\r\n\r\n' -r 0-3
    refused 7 '304 x, which was not asked for' 'HTTP/1.1 304 x\r\n\r\n' -H 'If-None-Match:'
    refused 7 '304 x, which was not asked for' 'HTTP/1.1 304 x\r\n\r\n' -C -o file
}

@test "13.3: a 304 that the user's own condition asked for is success, and the file stays" {
    echo old >file
    touch -d '2001-01-01' file
    before=$(stat -c '%i %Y' file)
    for condition in 'If-None-Match: "v"' 'if-modified-since: Mon, 01 Jan 2001 00:00:00 GMT'; do
        serve_text "HTTP/1.1 304 Not Modified\r\n${TAGGED}\r\n" "HTTP/1.1 304 Not Modified\r\n${TAGGED}\r\n" \
            "HTTP/1.1 304 Not Modified\r\n${TAGGED}\r\n" "HTTP/1.1 304 Not Modified\r\n${TAGGED}\r\n" "$OK\r\nnew"
        for more in '' '-C' '-i'; do
            try "$SOCKCTL" http-get $more -o file -H "$condition" "$URL"
            assert_status 0
            assert_output ''
            [ -z "$errors" ]
            [ "$(<file) $(stat -c '%i %Y' file)" = "old $before" ]
            no_leftovers
        done
        try "$SOCKCTL" http-get -i -H "$condition" "$URL"
        assert_status 0
        [ "$(head -n 1 try.out | tr -d '\r')" = 'HTTP/1.1 304 Not Modified' ]
        try "$SOCKCTL" http-get -H "$condition" "$URL"
        assert_output new
        finish peer
    done
    # With --sha256 the file that stays is what is checked.
    digest=$(sha256sum <file)
    serve_text 'HTTP/1.1 304 x\r\n\r\n' 'HTTP/1.1 304 x\r\n\r\n'
    try "$SOCKCTL" http-get -o file --sha256 "${digest%% *}" -H "$condition" "$URL"
    assert_status 0
    try "$SOCKCTL" http-get -o file --sha256 "${digest%% *}" -H "$condition" -o other "$URL"
    assert_status 8
    [ ! -e other ]
}

@test "13.3: --continue, and a 416 without Content-Range: a file that is there is taken for complete" {
    printf abcdef >file
    serve_text 'HTTP/1.1 416 x\r\n\r\n' 'HTTP/1.1 416 x\r\nContent-Range: bytes */x\r\n\r\n'
    try "$SOCKCTL" http-get -C -o file "$URL"
    assert_status 0
    [ -z "$errors" ]
    try "$SOCKCTL" http-get -C -o file "$URL"
    assert_status 6
    [ "$(<file)" = abcdef ]
    no_leftovers
}

# changed REST…: the first try is cut after "abc"; REST answers what follows. The file is then uvwxyz.
changed() {
    rm -f file
    serve_text "${OK}${FIRST}Content-Length: 6\r\n\r\nabc" "$@"
    try "$SOCKCTL" http-get --retry 1 -o file "$URL"
    assert_status 0 && [ "$(<file)" = uvwxyz ] && no_leftovers || fail "$(cat file)" peer.err
    finish peer
}

@test "13.3: --retry, when the file has changed meanwhile, starts anew and never mixes two versions" {
    whole="${OK}Content-Length: 6\r\n\r\nuvwxyz"
    FIRST=$TAGGED
    changed "$whole"
    changed "$(part 3-5/6 xyz 'ETag: "w"\r\n')" "$whole"
    changed "$(part 3-4/5 xy)" "$whole"
    changed "$(part 3-5/6 xyz 'ETag: W/"w"\r\n')" "$whole"
    changed "$(part 2-5/6 wxyz)" "$whole"
    changed 'HTTP/1.1 206 x\r\n\r\nxyz' "$whole"
    changed 'HTTP/1.1 416 x\r\n\r\n' "$whole"
    changed 'HTTP/1.1 416 x\r\nContent-Range: bytes */2\r\n\r\n' "$whole"
    FIRST='Last-Modified: Mon, 18 Dec 2017 17:29:50 GMT\r\n'
    changed "$(part 3-5/6 xyz 'Last-Modified: Mon, 18 Dec 2017 17:29:51 GMT\r\n')" "$whole"
    # The same version: one that says so in other words, or not at all.
    for fields in "$FIRST" "${FIRST}$TAGGED" ''; do
        serve_text "${OK}${FIRST}Content-Length: 6\r\n\r\nabc" "$(part 3-5/6 d "$fields")" "$(part 4-5/6 ef)"
        try "$SOCKCTL" http-get --retry 2 -o file "$URL"
        assert_status 0
        [ "$(<file)" = abcdef ]
        [ "$(requests | grep -c '^If-Range: Mon, 18 Dec 2017 17:29:50 GMT$')" -eq 2 ]
        finish peer
    done
}

@test "13.3: --retry to stdout, when the file has changed: status 7 or 1, and nothing is added" {
    serve_text "${OK}${TAGGED}Content-Length: 6\r\n\r\nabc" "$(part 3-5/6 xyz 'ETag: "w"\r\n')"
    try "$SOCKCTL" http-get --retry 1 "$URL"
    assert_status 7
    assert_output abc
    assert_errors 'the file has changed$'
    finish peer
    serve_text "${OK}${TAGGED}Content-Length: 6\r\n\r\nabc" "${OK}\r\nuvwxyz"
    try "$SOCKCTL" http-get --retry 1 "$URL"
    assert_status 1
    assert_output abc
}

@test "13.3: a -r that is no range is a usage error" {
    for range in '' x 5 - 5-4 '0-9,' ',0-9' 0--9 -5- 0-9223372036854775808 -x 1-x; do
        try "$SOCKCTL" http-get -r "$range" h
        assert_usage_error 'option --range: .* is not a range \(0-99, 100-, -50\)' || fail "$range"
    done
}

# real_server: what the server at URL, with 0123456789 in www/file, makes of ranges and conditions.
real_server() {
    touch -d '2001-01-01 00:00:00 UTC' www/file
    try "$SOCKCTL" http-get -r 2-4 "$URL/file"
    assert_status 0
    assert_output 234
    try "$SOCKCTL" http-get -r 8-99 "$URL/file"
    assert_status 0
    assert_output 89
    try "$SOCKCTL" http-get -r -3 "$URL/file"
    assert_output 789
    try "$SOCKCTL" http-get -r 0-1,5-6 -o file "$URL/file"
    assert_status 7
    assert_errors 'in several parts|not the range asked for' # some join parts that are near
    [ ! -e file ]
    echo old >file
    try "$SOCKCTL" http-get -o file -H 'If-Modified-Since: Mon, 01 Jan 2001 00:00:00 GMT' "$URL/file"
    assert_status 0
    [ "$(<file)" = old ]
    tag=$("$SOCKCTL" http-get -I "$URL/file" | tr -d '\r' | sed -n 's/^ETag: //p')
    try "$SOCKCTL" http-get -o file -H "If-None-Match: $tag" "$URL/file"
    assert_status 0
    [ "$(<file)" = old ]
    try "$SOCKCTL" http-get -o file -H 'If-None-Match: "other"' "$URL/file"
    assert_status 0
    cmp file www/file
    try "$SOCKCTL" http-get -C -o file "$URL/file"
    assert_status 0
    cmp file www/file
    try "$SOCKCTL" http-get -r 100- -o file "$URL/file"
    assert_status 6
    assert_errors ': 416 '
    cmp file www/file
    no_leftovers
}

@test "13.3: nginx, ranges and conditions" {
    nginx_start
    printf 0123456789 >www/file
    real_server
}

@test "13.3: lighttpd, ranges and conditions" {
    lighttpd_start
    printf 0123456789 >www/file
    real_server
}

@test "13.3: apache2, ranges and conditions" {
    apache_start
    printf 0123456789 >www/file
    real_server
}
