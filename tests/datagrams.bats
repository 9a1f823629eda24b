#!/usr/bin/env bats
# Datagrams of connect and listen: boundaries both ways, --lines, -W.

load helpers/common

# A peer that prints what it receives, each datagram as Python would write it: UDP, on PORT.
receiver() {
    need python3
    start peer python3 -c '
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("127.0.0.1", 0))
print("PORT", s.getsockname()[1], flush=True)
for i in range(int(sys.argv[1])):
    d = s.recv(70000)
    print(d if len(d) < 40 else len(d), flush=True)' "$@"
    wait_file peer.out '^PORT '
    PORT=${LINE#PORT }
}

received() {
    finish peer
    assert_status 0
    [ "$(tail -n +2 peer.out)" = "$1" ] || fail "not received: $1" peer.out
}

@test "--lines: a datagram for each line, its LF included, however they are read" {
    receiver 5
    TRY_STDIN=<(printf 'one\n\ntw'; sleep 0.1; printf 'o\nthree\nrest') \
        try "$SOCKCTL" connect -u --lines -q 0 127.0.0.1 "$PORT"
    assert_status 0
    received "b'one\\n'
b'\\n'
b'two\\n'
b'three\\n'
b'rest'"
}

@test "without --lines a read is a datagram, whatever is in it" {
    receiver 1
    printf 'one\ntwo\n' >data
    TRY_STDIN=data try "$SOCKCTL" connect -u -q 0 127.0.0.1 "$PORT"
    received "b'one\\ntwo\\n'"
}

@test "--lines: thousands of lines, in their order" {
    need python3
    seq 20000 >data
    start peer python3 -c '
import socket
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); s.bind("slow.sock"); print("READY", flush=True)
out = open("got", "wb")
for i in range(20000): out.write(s.recv(100))'
    wait_file peer.out READY
    TRY_STDIN=data try "$SOCKCTL" connect --lines -q 0 unix-dgram:slow.sock
    assert_status 0
    finish peer
    cmp data got
}

@test "--lines: the longest line, with and without LF, and one that is too long" {
    receiver 2
    { head -c 65506 /dev/zero | tr '\0' x; echo; head -c 65507 /dev/zero | tr '\0' y; } >data
    TRY_STDIN=data try "$SOCKCTL" connect -u --lines -q 0 127.0.0.1 "$PORT"
    assert_status 0
    received "65507
65507"
    receiver 1
    { echo first; head -c 65508 /dev/zero | tr '\0' x; } >data
    TRY_STDIN=data try "$SOCKCTL" connect -u --lines -q 0 127.0.0.1 "$PORT"
    assert_status 7
    assert_one_error_line
    assert_errors 'stdin: a line is longer than a datagram can be \(65507 bytes\)$'
    received "b'first\\n'"
}

@test "the largest UNIX datagram, both ways, and the largest UDP datagram to listen" {
    head -c 65535 /dev/urandom >large
    start server "$SOCKCTL" echo-server -v "unix-dgram:$T/echo"
    listening server
    TRY_STDIN=large try "$SOCKCTL" connect -W 1 "unix-dgram:$T/echo"
    assert_status 0
    cmp large try.out
    start listener "$SOCKCTL" listen -u -W 1 127.0.0.1:0
    listening listener
    head -c 65507 large >udp
    TRY_STDIN=udp try "$SOCKCTL" connect -u -q 0 127.0.0.1 "$PORT"
    finish listener
    assert_status 0
    cmp udp listener.out
}

@test "-W: connect and listen end with status 0 after so many, empty ones counted" {
    need python3
    for kind in listen "listen -k" connect; do
        : >try.out
        python3 -c '
import os, socket, subprocess, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("127.0.0.1", 0)); s.settimeout(5)
words = sys.argv[1].split()
if words[0] == "listen":
    p = subprocess.Popen([os.environ["SOCKCTL"], *words, "-u", "-W", "3", "127.0.0.1:0"],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    to = ("127.0.0.1", int(p.stderr.readline().split(b":")[-1]))
else:
    p = subprocess.Popen([os.environ["SOCKCTL"], *words, "-u", "-W", "3", "127.0.0.1",
        str(s.getsockname()[1])], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    p.stdin.write(b"hello"); p.stdin.flush()
    to = s.recvfrom(100)[1]
for data in (b"one", b"", b"three", b"four"): s.sendto(data, to)
out = p.stdout.read()
sys.exit(p.wait(timeout=5) or out != b"onethree")' "$kind"
    done
}

@test "-W waits until a stdout that was full has taken the last one" {
    need python3
    head -c 60000 /dev/urandom >data
    python3 -c '
import os, socket, subprocess, sys, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
data = open("data", "rb").read()
p = subprocess.Popen([os.environ["SOCKCTL"], "listen", "-u", "-W", "3", "127.0.0.1:0"],
    stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
to = ("127.0.0.1", int(p.stderr.readline().split(b":")[-1]))
for i in range(3): s.sendto(data, to)
time.sleep(0.2) # the pipe is full by now; if not, the test is only weaker
sys.exit(p.stdout.read() != 3 * data or p.wait(timeout=5))'
}

@test "a seqpacket connection keeps to -W and --lines too" {
    start server "$SOCKCTL" echo-server -v "unix-seqpacket:$T/s"
    listening server
    TRY_STDIN=<(printf 'a\nb\nc\n'; sleep 5) try "$SOCKCTL" connect --lines -W 2 "unix-seqpacket:$T/s"
    assert_status 0
    [ "$(cat try.out)" = $'a\nb' ]
}

@test "-W takes a number from 1 on" {
    try "$SOCKCTL" connect -u -W 0 127.0.0.1 1
    assert_usage_error "option --max-messages: '0' is too small"
}
