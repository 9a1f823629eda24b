#!/usr/bin/env bats
# http-get on a terminal: no binary bytes, and where a redirect leads.

load helpers/common
load helpers/http

# on_terminal ARGS…: http-get with stdout and stderr on one, of 200 columns.
on_terminal() {
    # shellcheck disable=SC2016
    NO_COLOR=1 try python3 "$HELPERS/terminal.py" 200 bash -c 'exec "$SOCKCTL" http-get "$@" >&2' bash "$@"
    output=${output//$'\r'/}
}

@test "a binary body is not written to a terminal, unless -o - says so" {
    binary="${OK}Content-Length: 6\r\n\r\nab\0cde"
    serve_text "$binary" "$binary" "$binary" "$binary" "$binary"
    on_terminal "$URL"
    assert_status 8
    assert_output "<200>sockctl: GET http://$URL/: the body is binary, and stdout is a terminal: -o FILE saves it, -o - prints it all the same"
    on_terminal --sha256 "$(printf 'ab\0cde' | sha256sum | cut -d' ' -f1)" "$URL"
    assert_status 8
    on_terminal -o - "$URL"
    assert_status 0
    assert_output '<200>abcde'
    on_terminal -s -o file "$URL"
    assert_status 0
    cmp file <(printf 'ab\0cde')
    # A pipe takes what comes.
    try "$SOCKCTL" http-get "$URL"
    cmp try.out <(printf 'ab\0cde')
}

@test "text is; --sha256 looks at it too; a NUL counts among the first 2000 bytes" {
    digest=$(printf 'hello\n' | sha256sum | cut -d' ' -f1)
    printf '%b%s\0' "$OK\r\n" "$(head -c 2000 /dev/zero | tr '\0' x)" >late
    serve_text "$OK\r\nhello\n" "$OK\r\nother\n"
    on_terminal --sha256 "$digest" "$URL"
    assert_status 0
    assert_output '<200>hello'
    on_terminal --sha256 "$digest" "$URL"
    assert_status 7
    serve late
    on_terminal "$URL"
    assert_status 0
}

@test "a refusal with a binary body is status 6" {
    serve_text 'HTTP/1.1 404 Not Found\r\n\r\n\0\0'
    on_terminal "$URL"
    assert_status 6
    assert_output "<200>sockctl: GET http://$URL/: 404 Not Found (the body is binary: -o - prints it)"
}

@test "without -L a terminal is told where a redirect leads" {
    moved='HTTP/1.1 301 Moved Permanently\r\nLocation: /dir/\r\nContent-Length: 0\r\n\r\n'
    serve_text "$moved" "$moved" "$moved" 'HTTP/1.1 302 Found\r\nLocation: https://u:secret@h/\r\nContent-Length: 0\r\n\r\n' \
        "$moved"
    on_terminal "$URL/dir"
    assert_status 0
    assert_output "<200>sockctl: GET http://$URL/dir: 301 Moved Permanently, to http://$URL/dir/ (-L follows)"
    on_terminal -s "$URL/dir"
    assert_output '<200>'
    on_terminal -I "$URL/dir"
    refute grep -q follows <<<"$output"
    on_terminal "$URL/old"
    assert_status 0
    refute grep -q 'secret' <<<"$output"
    grep -qF '302 Found, to @h/ (-L follows)' <<<"$output"
    # Not where nobody looks.
    try "$SOCKCTL" http-get "$URL/dir"
    assert_status 0
    [ -z "$errors" ]
}
