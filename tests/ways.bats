#!/usr/bin/env bats
# The ways that the bytes of a stream take, and that all of them deliver the same.

load helpers/common

make_file() { head -c "$2" /dev/urandom >"$1"; }

server() {
    START_STDIN=${input:-} start server "$SOCKCTL" listen -v "$@"
    listening server
}

# pieces FROM TO: at most so many bytes at a time, by turns, with a pause after the small ones.
pieces() {
    start "pieces-$1" timeout 60 python3 -c '
import sys, time
data = open(sys.argv[1], "rb").read()
with open(sys.argv[2], "wb", buffering=0) as to:
    while data:
        for size, times, pause in ((1 << 20, 2, 0), (10000, 6, 0.01), (64, 3, 0.01), (65536, 3, 0.002)):
            for _ in range(times):
                part, data = data[:size], data[size:]
                while part: part = part[to.write(part):]
                time.sleep(pause)' "$1" "$2"
}

@test "large and small pieces by turns arrive whole, whatever they go through" {
    local at
    need python3
    make_file up 9000000
    make_file down 7000000
    mkfifo first second
    for at in 127.0.0.1:0 "unix:$T/s"; do
        pieces up first
        pieces down second
        input=second server "$at"
        [[ $at == unix:* ]] || at=127.0.0.1:$PORT
        TRY_STDIN=first TRY_SECONDS=30 try "$SOCKCTL" connect "$at"
        assert_status 0
        cmp try.out down
        finish server
        assert_status 0
        cmp server.out up
    done
}

@test "the same from pipe to pipe" {
    local at
    need python3
    make_file up 9000000
    mkfifo first last
    for at in 127.0.0.1:0 "unix:$T/s"; do
        start reader timeout 60 sh -c 'cat <last >got'
        start server timeout 60 sh -c 'exec "$0" "$@" >last' "$SOCKCTL" listen -dv "$at"
        wait_line server 'listening on .*'
        [[ $at == unix:* ]] || at=127.0.0.1:${LINE##*:}
        pieces up first
        TRY_STDIN=first TRY_SECONDS=30 try "$SOCKCTL" connect "$at"
        assert_status 0
        finish server
        assert_status 0
        finish reader
        cmp got up
    done
}

@test "a stream makes its pipes hold 1 MiB, messages leave them as they are" {
    need python3
    python3 -c '
import fcntl, os, socket, subprocess, sys
GETPIPE_SZ = 1032
s = socket.create_server(("127.0.0.1", 0))
def sizes(count, piece):
    (stdin, into), (out, stdout) = os.pipe(), os.pipe()
    p = subprocess.Popen([os.environ["SOCKCTL"], "connect", "127.0.0.1", str(s.getsockname()[1])],
        stdin=stdin, stdout=stdout)
    c = s.accept()[0]
    c.settimeout(10)
    for _ in range(count):
        os.write(into, b"x" * piece)
        left = piece
        while left: left -= len(c.recv(left))
    c.sendall(b"y" * (count * piece))
    left = count * piece
    while left: left -= len(os.read(out, 65536))
    both = fcntl.fcntl(into, GETPIPE_SZ), fcntl.fcntl(out, GETPIPE_SZ)
    os.close(into); c.close()
    assert p.wait(10) == 0
    return both
few, many = sizes(3, 10000), sizes(64, 65536)
assert few == (65536, 65536), few
assert many == (1 << 20, 1 << 20), many'
}

# sizes_asked ADDRESS OPTION…: those of the buffer that connect asked for while it sent `data`.
sizes_asked() {
    local at=$1
    server "$at"
    [[ $at == unix:* ]] || at=127.0.0.1:$PORT
    TRY_STDIN=data try "$SOCKCTL" connect -vv "${@:2}" "$at"
    assert_status 0
    finish server
    cmp server.out data
    sed -n 's/.* SO_SNDBUF, \[\([0-9]*\)\], 4) = 0$/\1/p' try.err >sizes
}

@test "a UNIX stream has room for a pipeful, a chosen size and TCP are left alone" {
    make_file data 1000000
    sizes_asked "unix:$T/s"
    [ "$(cat sizes)" = 524288 ]
    sizes_asked "unix:$T/s" --sndbuf 8k
    [ "$(cat sizes)" = 8192 ]
    sizes_asked 127.0.0.1:0
    [ ! -s sizes ]
    echo short >data
    sizes_asked "unix:$T/s"
    [ ! -s sizes ]
}

@test "what goes to /dev/null is counted, and read only where somebody looks" {
    local no
    need python3
    make_file data 3000000
    for no in 0 1; do
        input=data server 127.0.0.1:0
        SOCKCTL_NO_SPLICE=$no timeout 10 "$SOCKCTL" connect --stats -vv 127.0.0.1 "$PORT" \
            </dev/null >/dev/null 2>err
        grep -q 'sent 0 B, received 2\.9 MiB in ' err
        [ "$(grep -c 'recv([0-9]*, NULL, [0-9]*, MSG_DONTWAIT|MSG_TRUNC) = [1-9]' err)" -gt 0 ] || [ $no = 1 ]
        [ "$(grep -c 'MSG_TRUNC' err)" -eq 0 ] || [ $no = 0 ]
        finish server
        assert_status 0
    done
    input=data server 127.0.0.1:0
    timeout 10 "$SOCKCTL" connect -o copy 127.0.0.1 "$PORT" </dev/null >/dev/null
    cmp copy data
    finish server
    # A reset is one there, too.
    peer peer send-rst 1000
    status=0
    timeout 10 "$SOCKCTL" connect 127.0.0.1 "$PORT" <<<x >/dev/null 2>try.err || status=$?
    read_results /dev/null try.err
    assert_status 1
    assert_errors ' 127\.0\.0\.1:[0-9]+: Connection reset by peer'
}

@test "a file opened to append takes no splice: that is asked once" {
    need strace
    make_file data 5000000
    echo before >got
    input=data server 127.0.0.1:0
    ASAN_OPTIONS=detect_leaks=0 timeout 20 strace -o trace -e trace=splice \
        "$SOCKCTL" connect 127.0.0.1 "$PORT" </dev/null >>got
    { echo before && cat data; } | cmp - got
    [ "$(grep -c EINVAL trace)" = 1 ]
}

@test "a stdin that others read, too, does not block whoever finds it empty" {
    need python3
    timeout 30 python3 -c '
import os, socket, subprocess, time
server = socket.create_server(("127.0.0.1", 0))
stdin, into = os.pipe()
words = [os.environ["SOCKCTL"], "connect", "--max-time", "2", "127.0.0.1", str(server.getsockname()[1])]
both = [subprocess.Popen(words, stdin=stdin, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    for _ in range(2)]
peers = [server.accept()[0] for _ in both]
for i in range(800):
    os.write(into, b"x")
    time.sleep(0.003 if i % 3 == 0 else 0.0003)
for process in both:
    assert process.wait(10) == 5, process.stderr.read()'
}
