#!/usr/bin/env bats
# http-get: --remote-name, --continue, --sha256, and what is told: progress, timing.

load helpers/common
load helpers/http

TAGGED='ETag: "v"\r\n'
HELLO_DIGEST=2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824

no_leftovers() { [ -z "$(find . -name '.*sockctl*')" ]; }

# part FIRST-LAST/TOTAL BODY [FIELDS]
part() { printf '%s' "HTTP/1.1 206 x\\r\\n${3:-}Content-Range: bytes $1\\r\\n\\r\\n$2"; }

@test "--remote-name: the last part of the path as typed, never a path, never hidden" {
    serve_text "$OK\r\none" "$OK\r\ntwo" 'HTTP/1.1 302 x\r\nLocation: /else\r\n\r\n' "$OK\r\nthree"
    try "$SOCKCTL" http-get -O "$URL/a/b?c/d#e/f" "$URL/x%2Fy"
    assert_status 0
    assert_output ''
    [ "$(<b)" = one ]
    [ "$(<x%2Fy)" = two ]
    try "$SOCKCTL" http-get -OL "$URL/typed"
    [ "$(<typed)" = three ]
    [ ! -e else ]
    for url in h h/ h/a/ h/.a h/a/.. h/a/. 'h/?x' 'h?x/y' h/a/../; do
        try "$SOCKCTL" http-get -O "$url"
        assert_usage_error 'has no file name' || fail "$url"
    done
    try "$SOCKCTL" http-get -O -o x "$URL/y"
    assert_usage_error
}

@test "--continue: the rest of a file that is there" {
    serve_text "$(part 3-5/6 def)" "$(part 3-5/* def 'Transfer-Encoding: chunked\r\n' | sed 's/def$/3\\r\\ndef\\r\\n0\\r\\n\\r\\n/')"
    for _ in 1 2; do
        printf abc >file
        try "$SOCKCTL" http-get -C -o file "$URL"
        assert_status 0
        assert_output ''
        [ "$(<file)" = abcdef ]
        no_leftovers
    done
    [ "$(requests | grep -c '^Range: bytes=3-')" -eq 2 ]
    refute grep -q If-Range peer.err
}

@test "--continue: nothing there yet, or a server that sends everything" {
    serve_text "$OK\r\nabcdef" "$OK\r\nabcdef"
    try "$SOCKCTL" http-get -C -o file "$URL"
    assert_status 0
    [ "$(<file)" = abcdef ]
    refute grep -q Range peer.err
    printf xyz >file
    try "$SOCKCTL" http-get -C -o file "$URL"
    assert_status 0
    [ "$(<file)" = abcdef ]
    no_leftovers
}

@test "--continue: what is not the rest leaves the file alone" {
    printf abc >file
    local answers=("$(part 2-5/6 cdef)" "$(part 3-4/6 de)" "$(part 3-5/6 de)" "$(part 3-5/6 defg)"
        "$(part 3-5 def)" 'HTTP/1.1 206 x\r\n\r\ndef' "$(part '*/6' def)"
        "$(part 3-5/6 def 'Content-Length: 4\r\n')" 'HTTP/1.1 404 x\r\n\r\n' ''
        'HTTP/1.1 416 x\r\nContent-Range: bytes */9\r\n\r\n'
        "${OK}Content-Length: 6\r\n\r\nabc")
    serve_text "${answers[@]}"
    for expected in 7 7 7 7 7 7 7 7 6 7 6 7; do
        try "$SOCKCTL" http-get -C -o file "$URL"
        assert_status "$expected"
        assert_one_error_line
        [ "$(<file)" = abc ]
        no_leftovers
    done
}

@test "--continue: 416 on a complete file is success" {
    printf abcdef >file
    serve_text 'HTTP/1.1 416 x\r\nContent-Range: bytes */6\r\n\r\n' \
        'HTTP/1.1 416 x\r\nContent-Range: bytes */6\r\n\r\n' 'HTTP/1.1 416 x\r\nContent-Range: bytes */6\r\n\r\n'
    try "$SOCKCTL" http-get -C -o file "$URL"
    assert_status 0
    try "$SOCKCTL" http-get -C -o file --sha256 bef57ec7f53a6d40beb640a780a639c83bc29ac8a9816f1fc6c5c6dcd93c4721 "$URL"
    assert_status 0
    try "$SOCKCTL" http-get -C -o file --sha256 "$HELLO_DIGEST" "$URL"
    assert_status 7
    [ "$(<file)" = abcdef ]
    no_leftovers
}

@test "--continue: a download that was cut goes on, if it is still the same file" {
    serve_text "${OK}${TAGGED}Content-Length: 6\r\n\r\nabc" "$(part 3-5/6 de "$TAGGED")" \
        "$(part 5-5/6 f "$TAGGED")" \
        "${OK}${TAGGED}Content-Length: 6\r\n\r\nabc" "${OK}ETag: \"w\"\r\n\r\nuvwxyz" \
        "${OK}${TAGGED}Content-Length: 6\r\n\r\nabc" "$(part 3-5/6 xyz 'ETag: "w"\r\n')"
    echo old >file
    try "$SOCKCTL" http-get -C -o new "$URL"
    assert_status 7
    [ ! -e new ]
    getfattr -V >/dev/null 2>&1 || python3 -c 'import os; os.getxattr(".new.sockctl-part", "user.sockctl.validator")' ||
        skip "no extended attributes here"
    try "$SOCKCTL" http-get -C -o new "$URL"
    assert_status 7
    [ ! -e new ]
    try "$SOCKCTL" http-get -C -o new "$URL"
    assert_status 0
    [ "$(<new)" = abcdef ]
    no_leftovers
    [ "$(requests | grep '^\(If-\)\?Range' | paste -sd' ')" = \
        'Range: bytes=3- If-Range: "v" Range: bytes=5- If-Range: "v"' ]
    python3 -c 'import os, sys; sys.exit(os.listxattr("new") != [])'
    # Another one by now: all of it; or, from a server that ignores If-Range, nothing.
    try "$SOCKCTL" http-get -C -o other "$URL"
    assert_status 7
    try "$SOCKCTL" http-get -C -o other "$URL"
    assert_status 0
    [ "$(<other)" = uvwxyz ]
    try "$SOCKCTL" http-get -C -o third "$URL"
    try "$SOCKCTL" http-get -C -o third "$URL"
    assert_status 7
    assert_errors 'the file has changed'
    [ ! -e third ]
    [ "$(<file)" = old ]
}

@test "--continue: a try that fails before anything comes leaves what there is; a useless part goes" {
    serve_text "${OK}${TAGGED}Content-Length: 6\r\n\r\nabc" 'HTTP/1.1 404 x\r\n\r\n' '' "$(part 3-5/6 def "$TAGGED")" \
        "${OK}${TAGGED}Content-Length: 6\r\n\r\nabc" 'HTTP/1.1 416 x\r\n\r\n' "$OK\r\nuvwxyz"
    python3 -c 'import os; open("x", "w"); os.setxattr("x", "user.a", b"b")' || skip "no extended attributes here"
    try "$SOCKCTL" http-get -C -o file "$URL"
    try "$SOCKCTL" http-get -C -o file 127.0.0.1:1
    assert_status 4
    try "$SOCKCTL" http-get -C -o file "$URL"
    assert_status 6
    try "$SOCKCTL" http-get -C -o file "$URL"
    assert_status 7
    [ "$(<.file.sockctl-part)" = abc ]
    try "$SOCKCTL" http-get -C -o file "$URL"
    assert_status 0
    [ "$(<file)" = abcdef ]
    try "$SOCKCTL" http-get -C -o other "$URL"
    try "$SOCKCTL" http-get -C -o other "$URL"
    assert_status 6
    no_leftovers
    try "$SOCKCTL" http-get -C -o other "$URL"
    assert_status 0
    [ "$(<other)" = uvwxyz ]
}

@test "--continue: kill -9 in the middle, and again" {
    serve_text --end=stall "${OK}${TAGGED}Content-Length: 6\r\n\r\nabc" "$(part 3-5/6 def "${TAGGED}Content-Length: 3\r\n")"
    python3 -c 'import os; open("x", "w"); os.setxattr("x", "user.a", b"b")' || skip "no extended attributes here"
    echo old >file
    start get "$SOCKCTL" http-get -C -o file "$URL"
    poll 5000 find_three
    kill -KILL "${PIDS[get]}"
    finish get
    [ "$(<file)" = old ]
    try "$SOCKCTL" http-get -C -o file "$URL"
    assert_status 0
    [ "$(<file)" = abcdef ]
    no_leftovers
}

find_three() { [ "$(cat .file.sockctl-part 2>/dev/null)" = abc ]; }

@test "--continue: somebody else's part is not touched" {
    echo mine >target
    ln -s target .file.sockctl-part
    try "$SOCKCTL" http-get -C -o file 127.0.0.1:1
    assert_status 8
    rm .file.sockctl-part
    ln target .file.sockctl-part
    try "$SOCKCTL" http-get -C -o file 127.0.0.1:1
    assert_status 8
    assert_errors 'in use, or not ours'
    [ "$(<target)" = mine ]
    rm .file.sockctl-part
    mkfifo .file.sockctl-part
    try "$SOCKCTL" http-get -C -o file 127.0.0.1:1
    assert_status 8
    for args in '' '-o -' '-o x -i' '-o x -I' '-o x -r 0-1' '-o x --http0.9'; do
        # shellcheck disable=SC2086 # several words
        try "$SOCKCTL" http-get -C $args h
        assert_usage_error '--continue'
    done
}

@test "nginx: --continue" {
    nginx_start
    head -c 1000003 /dev/urandom >www/file
    for size in 0 1 500000 1000002 1000003; do
        head -c $size www/file >file
        try "$SOCKCTL" http-get -C -o file "$URL/file"
        assert_status 0
        cmp file www/file
        head -c $size www/file >file2
        try "$SOCKCTL" http-get -C -o file2 --sha256 "$(sha256sum www/file | cut -d' ' -f1)" "$URL/file"
        assert_status 0
        cmp file2 www/file
    done
    no_leftovers
    echo more >>file
    try "$SOCKCTL" http-get -C -o file "$URL/file"
    assert_status 6
    assert_errors '416'
}

@test "--sha256: a file is kept only if it agrees; stdout is told too late, but told" {
    chunked="${OK}Transfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n"
    serve_text "$OK\r\nhello" "$chunked" "$OK\r\nhallo" "$OK\r\nhallo" "$OK\r\n"
    try "$SOCKCTL" http-get --sha256 "$HELLO_DIGEST" -o file "$URL"
    assert_status 0
    [ "$(<file)" = hello ]
    try "$SOCKCTL" http-get --sha256 "${HELLO_DIGEST^^}" "$URL"
    assert_status 0
    assert_output hello
    try "$SOCKCTL" http-get --sha256 "$HELLO_DIGEST" -o file "$URL"
    assert_status 7
    assert_one_error_line
    assert_errors 'SHA-256 is another: d3751d33f9cd5049c4af2b462735457e4d3baf130bcbb87f389e349fbaeb20b9'
    [ "$(<file)" = hello ]
    no_leftovers
    try "$SOCKCTL" http-get --sha256 "$HELLO_DIGEST" "$URL"
    assert_status 7
    try "$SOCKCTL" http-get --sha256 e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 "$URL"
    assert_status 0
    for digest in '' x "${HELLO_DIGEST}0" "${HELLO_DIGEST/2/g}"; do
        try "$SOCKCTL" http-get --sha256 "$digest" h
        assert_usage_error 'not a digest'
    done
    try "$SOCKCTL" http-get --sha256 "$HELLO_DIGEST" h h
    assert_usage_error
}

@test "nginx: --sha256 of large bodies, by a length and by chunks" {
    nginx_start
    head -c 3000000 /dev/urandom | tr '<' '>' >www/file
    digest=$(sha256sum www/file | cut -d' ' -f1)
    for path in file included/file; do
        try "$SOCKCTL" http-get --sha256 "$digest" "$URL/$path"
        assert_status 0
        cmp try.out www/file
    done
}

@test "--limit-rate" {
    nginx_start
    head -c 60000 /dev/zero >www/file
    begun=$(now_ms)
    try bash -c '"$SOCKCTL" http-get --limit-rate 100k "$0" | wc -c' "$URL/file"
    assert_output 60000
    try "$SOCKCTL" http-get --limit-rate 100k -o file "$URL/included/file"
    cmp file www/file
    (($(now_ms) - begun >= 700))
}

# What is told.

@test "--timing: a chart, and an object" {
    serve_text "$OK\r\nhello" "$OK\r\nhello" 'HTTP/1.1 404 x\r\n\r\n'
    try "$SOCKCTL" http-get --timing "$URL/a"
    assert_status 0
    assert_output hello
    assert_errors "^sockctl: GET http://$URL/a$"
    for row in name connect 'first byte' transfer total; do
        assert_errors "^sockctl:   $row +[0-9.]+ ms  "
    done
    need python3
    try "$SOCKCTL" http-get --timing=json "$URL/\"\\"
    assert_output hello
    python3 - try.err <<'PY'
import json, sys
told = json.load(open(sys.argv[1]))
parts = [told[name] for name in ("name", "connect", "first_byte", "transfer")]
assert told["status"] == 200 and told["bytes"] == 5 and all(part >= 0 for part in parts)
assert abs(sum(parts) - told["total"]) < 0.00001
PY
    try "$SOCKCTL" http-get --timing=json -f "$URL"
    assert_status 6
    [ "$(wc -l <try.err)" -eq 2 ]
    try "$SOCKCTL" http-get --timing=xml h
    assert_usage_error
}

@test "progress: a line on the terminal, unless the body goes there; nothing elsewhere" {
    nginx_start
    yes | head -c 250000 >www/file
    try python3 "$HELPERS/terminal.py" 100 "$SOCKCTL" http-get -o file --limit-rate 1M "$URL/file"
    assert_status 0
    grep -qE 'file +[0-9]+%  \[#+> *\] +[0-9.]+/244.1 KiB +[0-9.]+ [KM]iB/s  eta 0:00' <<<"$output" || show_results "no line"
    grep -qE '^.*sockctl: wrote file: 244.1 KiB in [0-9]+ ms \([0-9.]+ [KM]iB/s\)' <<<"$output" || show_results "nothing stays"
    try python3 "$HELPERS/terminal.py" 100 "$SOCKCTL" http-get -s -o file --limit-rate 1M "$URL/file"
    refute grep -qE '%|wrote' <<<"$output"
    try python3 "$HELPERS/terminal.py" 100 bash -c '"$SOCKCTL" http-get --limit-rate 1M "$0" >&2' "$URL/file"
    refute grep -qE '%|wrote|received' <<<"$output"
    try "$SOCKCTL" http-get --progress -o file "$URL/file"
    [ -z "$errors" ]
}

@test "--log json" {
    serve_text "$OK\r\nhello"
    try "$SOCKCTL" http-get --log json "$URL"
    assert_output hello
    [ "$(grep -oE '"event":"[a-z]+"' try.err | paste -sd' ')" = '"event":"connected" "event":"closed"' ]
}
