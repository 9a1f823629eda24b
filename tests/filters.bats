#!/usr/bin/env bats
# The options of connect and listen that look at what passes, change it or slow it down.

load helpers/common

# server ARGS…: a sockctl that listens, with `input` as its stdin.
server() {
    START_STDIN=${input:-} start server "$SOCKCTL" listen "$@"
    listening server
}

@test "-C: LF is sent as CR LF, a CR LF as it is, and what arrives is left alone" {
    printf 'one\ntwo\r\nthree\r' >lines
    printf 'down\n' >down
    input=down server 127.0.0.1 0
    TRY_STDIN=lines try "$SOCKCTL" connect -C 127.0.0.1 "$PORT"
    assert_status 0
    finish server
    assert_status 0
    cmp server.out <(printf 'one\r\ntwo\r\nthree\r')
    cmp try.out down
}

@test "-C: across reads, of a file, a pipe and in listen, byte-exact" {
    need python3
    # Lines of 63 and 64 bytes: their ends fall on every side of every read.
    python3 -c 'print("x" * 62 + "\n" + "y" * 62 + "\r", end="\n") or [
        print("x" * 62 + "\n" + "y" * 62 + "\r") for _ in range(9999)]' >data
    sed 's/\r$//; s/$/\r/' data >want
    server 127.0.0.1 0
    TRY_STDIN=data try "$SOCKCTL" connect -C 127.0.0.1 "$PORT"
    assert_status 0
    finish server
    cmp server.out want
    # shellcheck disable=SC2002 # a pipe is what is tested
    input=<(cat data) server -C 127.0.0.1 0
    try "$SOCKCTL" connect 127.0.0.1 "$PORT"
    assert_status 0
    cmp try.out want
    finish server
    assert_status 0
}

@test "-C: for datagrams and for many clients too" {
    server -u -q 0.3 127.0.0.1 0
    TRY_STDIN=<(printf 'a\nb\n') try "$SOCKCTL" connect -C -u -q 50ms 127.0.0.1 "$PORT"
    assert_status 0
    poll 2000 cmp -s server.out <(printf 'a\r\nb\r\n')
    stop server
    mkfifo say
    input=say server -k -v -C "unix:$T/s" 5<>say
    TRY_STDIN=<(wait_line server accepted && echo hi >say && sleep 0.3) \
        try "$SOCKCTL" connect "$T/s"
    cmp try.out <(printf 'hi\r\n')
    stop server
    assert_status 0
}

@test "-o: what arrives goes to the file as well; -a adds to it" {
    head -c 300000 /dev/urandom >data
    echo old >file
    for _ in 1 2; do
        input=data server 127.0.0.1 0
        try "$SOCKCTL" connect -o file 127.0.0.1 "$PORT"
        assert_status 0
        cmp try.out data
        cmp file data
        finish server
    done
    server -a -o file 127.0.0.1 0
    TRY_STDIN=data try "$SOCKCTL" connect 127.0.0.1 "$PORT"
    finish server
    assert_status 0
    cmp server.out data
    cmp file <(cat data data)
}

@test "-o: a new file has the mode of any new file" {
    input=<(echo x) server 127.0.0.1 0
    (umask 027 && try "$SOCKCTL" connect -o file 127.0.0.1 "$PORT" && assert_status 0)
    [ "$(stat -c %a file)" = 640 ]
}

@test "-o: for datagrams and for many clients too" {
    server -u -o file 127.0.0.1 0
    TRY_STDIN=<(printf hello) try "$SOCKCTL" connect -u -q 50ms 127.0.0.1 "$PORT"
    assert_status 0
    poll 2000 grep -q hello file
    stop server
    server -k -o file 127.0.0.1 0
    for word in one two; do
        TRY_STDIN=<(echo $word) try "$SOCKCTL" connect --exit-on-eof -q 50ms 127.0.0.1 "$PORT"
    done
    poll 2000 grep -q two file
    stop server
    assert_status 0
    cmp file server.out
}

@test "-o: a file that cannot be opened or written is status 8 and named" {
    try "$SOCKCTL" connect -o /nonexistent/file 127.0.0.1 1
    assert_status 8
    [ "$errors" = "sockctl: open /nonexistent/file: No such file or directory" ]
    for kind in "" -k; do
        # shellcheck disable=SC2086 # no word where it is empty
        server $kind -o /dev/full 127.0.0.1 0
        TRY_STDIN=<(echo x) try "$SOCKCTL" connect -q 1 127.0.0.1 "$PORT"
        finish server
        assert_status 8
        assert_errors '^sockctl: write to /dev/full: No space left on device$'
    done
}
