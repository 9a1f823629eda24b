#!/usr/bin/env bats
# Where http-get writes to, and how that fails; everything against nginx.

load helpers/common
load helpers/http

# Without `<`: nginx loses one at the end of what it includes, for it might begin a directive.
make_file() { head -c "$2" /dev/urandom | tr '<' '>' >"$1"; }

@test "a stdout that fails is status 8" {
    serve_text "$OK\r\nhello" "$OK\r\nhello" "$OK\r\nhello"
    try bash -c 'exec "$SOCKCTL" http-get "$0" >/dev/full' "$URL"
    assert_status 8
    assert_one_error_line
    assert_errors 'write to stdout: No space left'
    try bash -c 'exec "$SOCKCTL" http-get "$0" >&-' "$URL"
    assert_status 8
    assert_one_error_line
    try bash -c '"$SOCKCTL" http-get "$0" | true; exit ${PIPESTATUS[0]}' "$URL"
    [ "$status" -eq 0 ] || [ "$status" -eq 8 ]
    [ -z "$errors" ]
}

@test "a reader that goes away ends it at once, also while the server says nothing" {
    serve_text --end=stall "$OK\r\nhello\n"
    try bash -c '"$SOCKCTL" http-get "$0" | head -n1; exit ${PIPESTATUS[0]}' "$URL"
    assert_status 8
    assert_output hello
    [ -z "$errors" ]
}

@test "--output: the file is there when all is there, with the mode of any new file or of the old one" {
    serve_text "$OK\r\nhello" "$OK\r\nhello, world" "${OK}Content-Length: 0\r\n\r\n" "$OK\r\nagain"
    umask 027
    try "$SOCKCTL" http-get -o file "$URL"
    assert_status 0
    assert_output ''
    [ "$(<file)" = hello ]
    [ "$(stat -c %a file)" = 640 ]
    chmod 600 file
    try "$SOCKCTL" http-get -o file "$URL"
    [ "$(<file)" = 'hello, world' ]
    [ "$(stat -c %a file)" = 600 ]
    try "$SOCKCTL" http-get -o "$T/empty" "$URL"
    assert_status 0
    [ -e empty ] && [ ! -s empty ]
    try "$SOCKCTL" http-get -i -o file "$URL"
    cmp file <(printf '%b' "$OK\r\nagain")
    [ -z "$(find . -name '.sockctl*')" ]
}

@test "--output: a download that fails leaves the old file, and nothing else" {
    serve_text 'HTTP/1.1 404 x\r\n\r\nno' "${OK}Content-Length: 5\r\n\r\nhel" 'HTTP/1.1 200 OK\r\nA\r\n' ''
    echo old >file
    for expected in 6 7 7 7 4; do
        try "$SOCKCTL" http-get -o file "$URL"
        assert_status "$expected"
        [ "$expected" = 6 ] || assert_output ''
        [ "$expected" != 6 ] || assert_output no
        [ "$(<file)" = old ]
        [ -z "$(find . -name '.sockctl*')" ]
        [ "$expected" != 7 ] || [ -n "$errors" ]
    done
}

@test "--output: a signal leaves the old file, and nothing else" {
    half="${OK}Content-Length: 10\r\n\r\nhello"
    serve_text --end=stall "$half" "$half" "$half"
    echo old >file
    for signal in INT TERM HUP; do
        start get "$SOCKCTL" http-get -o file "$URL"
        poll 5000 has_begun
        stop get $signal
        assert_status $((128 + $(kill -l $signal)))
        [ -z "$errors" ]
        [ "$(<file)" = old ]
        [ -z "$(find . -name '.sockctl*')" ]
    done
}

has_begun() { [ -n "$(find . -name '.sockctl*' -size +0)" ]; }

@test "--output: what is no regular file is written in place, a link stays" {
    serve_text "$OK\r\none" "$OK\r\ntwo" "$OK\r\nthree" "$OK\r\nfour" "$OK\r\nfive"
    try "$SOCKCTL" http-get -o /dev/null "$URL"
    assert_status 0
    [ -c /dev/null ]
    try "$SOCKCTL" http-get -o /dev/full "$URL"
    assert_status 8
    assert_errors 'write to /dev/full: No space left'
    mkdir sub
    echo old >sub/file
    ln -s sub/file link
    try "$SOCKCTL" http-get -o link "$URL"
    assert_status 0
    [ -L link ]
    [ "$(<sub/file)" = three ]
    mkfifo fifo
    start reader cat fifo
    try "$SOCKCTL" http-get -o fifo "$URL"
    assert_status 0
    finish reader
    assert_output four
    try "$SOCKCTL" http-get -o - "$URL"
    assert_output five
}

@test "--output: a place where nothing can be written is status 8, before anything is asked" {
    serve_text "$OK\r\nhello"
    try "$SOCKCTL" http-get -o . "$URL"
    assert_status 8
    assert_errors 'Is a directory'
    try "$SOCKCTL" http-get -o none/file "$URL"
    assert_status 8
    assert_errors 'none/file: No such file'
    try "$SOCKCTL" http-get -o '' "$URL"
    assert_usage_error
}

@test "more than 1,024 inherited descriptors" {
    serve_text "$OK\r\nhello"
    cat >crowd.py <<'EOF'
import os, resource, sys
resource.setrlimit(resource.RLIMIT_NOFILE, (2048, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
for _ in range(1500):
    os.set_inheritable(os.open("/dev/null", os.O_RDONLY), True)
os.execv(sys.argv[1], sys.argv[1:])
EOF
    need_descriptors 2048
    try python3 crowd.py "$SOCKCTL" http-get "$URL"
    assert_status 0
    assert_output hello
}

@test "chunks of all sizes in turn, their framing now short, now long" {
    need python3
    cat >chunks.py <<'PY'
import random
random.seed(7)
with open("answer", "wb") as answer, open("body", "wb") as body:
    answer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    for _ in range(300):
        data = random.randbytes(random.choice((1, 2, 15, 300, 5000, 16383, 16384, 20000, 70000)))
        extension = random.choice((b"", b"", b"", b";a=b", b";" + b"c" * random.randrange(300)))
        zeros = b"0" * random.choice((0, 0, 0, 1, 9))
        answer.write(zeros + b"%x" % len(data) + extension + b"\r\n" + data + b"\r\n")
        body.write(data)
    answer.write(b"0\r\nA: b\r\n\r\n")
PY
    python3 chunks.py
    serve answer answer answer answer answer
    try "$SOCKCTL" http-get "$URL"
    assert_status 0
    cmp try.out body
    try bash -c '"$SOCKCTL" http-get "$0" | cat' "$URL"
    cmp try.out body
    SOCKCTL_NO_SPLICE=1 try "$SOCKCTL" http-get -o copy "$URL"
    assert_status 0
    cmp copy body
    try "$SOCKCTL" http-get -s --sha256 "$(sha256sum body | cut -d' ' -f1)" --limit-rate 100M -o copy "$URL"
    assert_status 0
    cmp copy body
    try "$SOCKCTL" http-get -o /dev/null "$URL"
    assert_status 0
}

@test "a reader that goes away before the head has come" {
    serve_text --end=stall ''
    try bash -c '"$SOCKCTL" http-get "$0" | true; exit ${PIPESTATUS[0]}' "$URL"
    assert_status 8
    [ -z "$errors" ]
}

# nginx.

@test "nginx: files of all sizes to a pipe, a file and --output, by a length and by chunks" {
    nginx_start
    for size in 0 1 16384 65536 1000003 3000000; do
        make_file www/file $size
        for path in file included/file; do
            try "$SOCKCTL" http-get "$URL/$path"
            assert_status 0
            cmp try.out www/file
            try bash -c '"$SOCKCTL" http-get "$0" | cat' "$URL/$path"
            cmp try.out www/file
            SOCKCTL_NO_SPLICE=1 try "$SOCKCTL" http-get -o copy "$URL/$path"
            cmp copy www/file
            try "$SOCKCTL" http-get -0 -U nginx.socket "h/$path"
            cmp try.out www/file
        done
    done
}

@test "nginx: 204, 302, 404, HEAD, ranges, HTTP/0.9" {
    nginx_start
    echo 0123456789 >www/file
    try "$SOCKCTL" http-get "$URL/empty"
    assert_status 0
    assert_output ''
    try "$SOCKCTL" http-get -I "$URL/old"
    assert_status 0
    assert_output "$(sed -n '1,/^\r*$/p' try.out)"
    grep -q '^Location: .*/new' try.out
    try "$SOCKCTL" http-get "$URL/none"
    assert_status 6
    [[ $output == *'404 Not Found'* ]]
    assert_errors '/none: 404 Not Found$'
    try "$SOCKCTL" http-get -r 2-4 "$URL/file"
    assert_status 0
    assert_output 234
    try "$SOCKCTL" http-get -r 100- "$URL/file"
    assert_status 6
    assert_errors ': 416 '
    try "$SOCKCTL" http-get --http0.9 "$URL/file"
    assert_status 0
    assert_output 0123456789
}

@test "nginx: a slow reader gets everything" {
    nginx_start
    make_file www/file 3000000
    try bash -c '"$SOCKCTL" http-get "$0" | python3 -c "
import os, sys, time
while data := os.read(0, 9973):
    sys.stdout.buffer.write(data)
    time.sleep(0.0005)
"' "$URL/file"
    cmp try.out www/file
}
