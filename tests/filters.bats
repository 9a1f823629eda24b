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

@test "--hex-dump: both directions, with a time, and nothing else changes" {
    printf 'down\n' >down
    input=down server --greeting 'hi\n' --hex-dump server.dump 127.0.0.1 0
    TRY_STDIN=<(printf 'up\n') try "$SOCKCTL" connect -C --hex-dump - 127.0.0.1 "$PORT"
    assert_status 0
    assert_output $'hi\ndown'
    assert_errors '^> [0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\.[0-9]{6}Z 4 bytes$'
    assert_errors '^> 00000000  75 70 0d 0a                                       \|up\.\.\|$'
    finish server
    assert_status 0
    grep -q '^> .* 3 bytes' server.dump
    grep -q '^> 00000000  68 69 0a  *|hi\.|' server.dump
    grep -q '^> 00000003  64 6f 77 6e 0a  *|down\.|' server.dump
    grep -q '^< 00000000  75 70 0d 0a  *|up\.\.|' server.dump
}

@test "--hex-dump: every byte of a stream is in it" {
    need python3
    head -c 300001 /dev/urandom >data
    input=data server 127.0.0.1 0
    try "$SOCKCTL" connect -d --hex-dump dump 127.0.0.1 "$PORT"
    assert_status 0
    cmp try.out data
    finish server
    python3 -c '
import re, sys
sys.stdout.buffer.write(b"".join(bytes.fromhex(m[1]) for m in
    re.finditer(r"^< [0-9a-f]{8}  ([0-9a-f ]{49}) \|", open("dump").read(), re.M)))' >again
    cmp again data
}

@test "--hex-dump: datagrams, the empty one too; -a adds" {
    need python3
    start peer python3 -c '
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("127.0.0.1", 0))
print("PORT", s.getsockname()[1], flush=True)
d, who = s.recvfrom(100); s.sendto(b"", who); s.sendto(b"abc", who)'
    wait_file peer.out '^PORT '
    echo old >dump
    TRY_STDIN=<(printf x) try "$SOCKCTL" connect -u -q 200ms -a --hex-dump dump 127.0.0.1 "${LINE#PORT }"
    assert_status 0
    assert_output abc
    [ "$(head -n 1 dump)" = old ]
    grep -q '^> .* 1 byte$' dump
    grep -q '^< .* 0 bytes$' dump
    grep -q '^< 00000000  61 62 63  *|abc|$' dump
}

@test "--hex-dump: a file that cannot be written ends it, status 8" {
    server --hex-dump /dev/full -d 127.0.0.1 0
    TRY_STDIN=<(echo x) try "$SOCKCTL" connect -q 1 127.0.0.1 "$PORT"
    finish server
    assert_status 8
    assert_errors '^sockctl: write to /dev/full: No space left on device$'
    server -d 127.0.0.1 0
    TRY_STDIN=<(echo x) try "$SOCKCTL" connect --hex-dump /dev/full 127.0.0.1 "$PORT"
    assert_status 8
    assert_errors '^sockctl: write to /dev/full: No space left on device$'
}
