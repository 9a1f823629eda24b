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

# Python that has what several tests below need; what follows runs in the same process.
# shellcheck disable=SC2016 # Python's
AIDS='
import fcntl, os, signal, socket, subprocess, sys, threading, time
SOCKCTL = os.environ["SOCKCTL"]
UDP_SEGMENT, UDP_GRO = 103, 104
def udp(*options):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    s.bind(("127.0.0.1", 0)); s.settimeout(5)
    return s
def run(*words, **more):
    return subprocess.Popen([SOCKCTL, *words], stderr=subprocess.PIPE,
                            **{"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, **more})
def listener(*words, **more):
    p = run("listen", *words, "-u", "127.0.0.1:0", **more)
    return p, ("127.0.0.1", int(p.stderr.readline().split(b":")[-1]))
def connect_to(s, *words, **more):
    return run("connect", "-u", *words, "127.0.0.1", str(s.getsockname()[1]), **more)
def same(got, wanted):
    if got != wanted:
        sys.exit("not %.300r but %.300r" % (wanted, got))
def ends(p, status=0):
    out, errors = p.communicate(timeout=5)
    if p.returncode != status:
        sys.exit("status %d: %s" % (p.returncode, errors))
    return out
def batch(s, data, size, to):
    s.setsockopt(socket.IPPROTO_UDP, UDP_SEGMENT, size); s.sendto(data, to)
    s.setsockopt(socket.IPPROTO_UDP, UDP_SEGMENT, 0)
'

# peers CODE: runs it after AIDS; it fails where Python ends with an error.
peers() {
    need python3
    TRY_SECONDS=${TRY_SECONDS:-20} try python3 -c "$AIDS$1" "${@:2}"
    assert_status 0
}

@test "UDP: datagrams of 0, 1, 1472 and 65,507 bytes come whole, an empty one is data" {
    peers '
sizes = (1, 0, 1472, 65507, 0, 2)
data = [os.urandom(n) for n in sizes]
for kind in "connect", "listen", "listen -k":
    with udp() as s:
        if kind == "connect":
            p = connect_to(s, "-W", "6", stdin=subprocess.PIPE)
            p.stdin.write(b"hello"); p.stdin.flush()
            got, to = s.recvfrom(100)
            same(got, b"hello")
        else:
            p, to = listener("-W", "6", *kind.split()[1:])
        for d in data: s.sendto(d, to)
        same(ends(p), b"".join(data))
for n in 1, 1472, 65507:
    with udp() as s, open("data", "wb+") as f:
        f.write(bytes(n)); f.seek(0)
        p = connect_to(s, "-q", "0", stdin=f)
        same(s.recv(70000), bytes(n))
        ends(p)'
}

@test "each packet of a pipe is a datagram, whatever their sizes, and stdin stays as it was" {
    peers '
sizes = [64] * 200 + [64, 63, 64, 1, 1, 2, 4096, 4096, 5] + [1400] * 40 + list(range(1, 60))
with udp() as s:
    r, w = os.pipe2(os.O_DIRECT)
    p = connect_to(s, "-q", "0", stdin=r)
    for i, n in enumerate(sizes):
        os.write(w, bytes([i % 256]) * n)
    same([s.recv(70000) for n in sizes], [bytes([i % 256]) * n for i, n in enumerate(sizes)])
    same(fcntl.fcntl(r, fcntl.F_GETFL) & os.O_NONBLOCK, 0)
    os.close(w)
    ends(p)'
}

@test "--lines: lines of one size and of many, each a datagram of its own" {
    peers '
import random
random.seed(3)
mixed = [b"x" * random.choice((0, 1, 9, 9, 9, 63, 500)) + b"\n" for i in range(2000)]
alike = [b"%063d\n" % i for i in range(2000)]
for lines in alike, mixed, alike[:100] + [b"short\n"] + alike[:100] + [b"rest"]:
    with udp() as s, open("lines", "wb+") as f:
        f.write(b"".join(lines)); f.seek(0)
        p = connect_to(s, "--lines", "-q", "0", stdin=f)
        same([s.recv(70000) for i in lines], lines)
        same(ends(p), b"")'
}

@test "--lines: what is longer than the MTU is not lost, nor what is sent beside it" {
    need python3 unshare
    unshare -rn ip link set lo up || skip "no network namespace can be made"
    # shellcheck disable=SC2016 # Python's
    try unshare -rn sh -c 'ip link set lo mtu 1500 up; python3 -c "$0"' "$AIDS"'
lines = ([b"a" * 2999 + b"\n"] * 9 + [b"b" * 63 + b"\n"] * 40) * 3
with udp() as s, open("lines", "wb+") as f:
    f.write(b"".join(lines)); f.seek(0)
    p = connect_to(s, "-vv", "--lines", "-q", "0", stdin=f)
    same([s.recv(70000) for i in lines], lines)
    errors = p.communicate(timeout=5)[1]
    same(p.returncode, 0)
    same(errors.count(b"UDP_SEGMENT [3000]}, MSG_DONTWAIT|MSG_NOSIGNAL) = -1 "), 1)
    same(b"UDP_SEGMENT [64]}, MSG_DONTWAIT|MSG_NOSIGNAL) = 2560" in errors, True)'
    assert_status 0
}

@test "datagrams that came together: -W, -o and --hex-dump see each of them" {
    peers '
data = b"".join(b"%04d" % i for i in range(30)) + b"end"
def session(*words):
    with udp() as s:
        p, to = listener(*words)
        batch(s, data, 4, to)
        return ends(p)
same(session("-W", "3"), data[:12])
same(session("-W", "31"), data)
same(session("-W", "3", "-o", "copy"), data[:12])
same(open("copy", "rb").read(), data[:12])
same(session("-W", "31", "--hex-dump", "dump"), data)
same(sum(line.endswith(" 4 bytes\n") for line in open("dump")), 30)'
}

@test "the first peer is the peer, however two of them are mixed" {
    peers '
with udp() as one, udp() as other:
    p, to = listener("-W", "101")
    one.sendto(b"first\n", to)
    same(p.stdout.readline(), b"first\n")
    p.send_signal(signal.SIGSTOP)
    for i in range(10):
        batch(one, b"1" * 40, 4, to)
        batch(other, b"2" * 40, 4, to)
        other.sendto(b"2", to)
    p.send_signal(signal.SIGCONT)
    same(ends(p), b"1" * 400)
with udp() as one, udp() as other:
    p, to = listener("-k", "-W", "40", stdin=subprocess.PIPE)
    p.send_signal(signal.SIGSTOP)
    for i in range(10):
        batch(one, b"1" * 8, 4, to)
        batch(other, b"2" * 8, 4, to)
    p.send_signal(signal.SIGCONT)
    same(ends(p), b"1111111122222222" * 10)'
}

@test "a stdout in packet mode, or of datagrams, gets each datagram by itself" {
    peers '
sizes = [1, 100, 100, 100, 7, 4096]
def session(out, read):
    with udp() as s:
        p, to = listener("-W", str(len(sizes)), stdout=out)
        p.send_signal(signal.SIGSTOP)
        for n in sizes[:1]: s.sendto(b"x" * n, to)
        batch(s, b"x" * 300, 100, to)
        for n in sizes[4:]: s.sendto(b"x" * n, to)
        p.send_signal(signal.SIGCONT)
        same([len(read()) for n in sizes], sizes)
        ends(p)
r, w = os.pipe2(os.O_DIRECT)
session(w, lambda: os.read(r, 70000))
one, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
one.settimeout(5)
session(other, lambda: one.recv(70000))'
}

@test "an ICMP refusal ends it at once, whatever still waits" {
    peers '
with udp() as s:
    port = s.getsockname()[1]
for words in ["--lines"], []:
    began = time.monotonic()
    p = run("connect", "-u", *words, "-q", "5", "127.0.0.1", str(port), stdin=subprocess.PIPE)
    try:
        for i in range(1000): p.stdin.write(b"x" * 63 + b"\n"); p.stdin.flush()
    except BrokenPipeError:
        p.stdin = None
    same(p.wait(timeout=5), 1)
    errors = p.stderr.read()
    same(errors.endswith((b": Connection refused\n", b": Connection refused (nothing listens there)\n")) and errors.count(b"\n") == 1, True)
    same(time.monotonic() - began < 2, True)'
}

@test "both send; -v adds no bytes; the end of stdin does not end a listener (P01, P02, P03)" {
    start listener "$SOCKCTL" listen -v -u -W 2 127.0.0.1:0
    listening listener
    TRY_STDIN=<(printf 'hello\n') try "$SOCKCTL" connect -v -u -q 0 127.0.0.1 "$PORT"
    assert_status 0
    poll 5000 grep -q hello listener.out
    peers '
with udp() as peer:
    open("greeting", "w").write("from stdin")
    p, to = listener("-W", "2", stdin=open("greeting"))
    peer.sendto(b"one", to)
    same(peer.recv(100), b"from stdin")
    peer.sendto(b"two", to) # after its stdin has ended
    same(ends(p), b"onetwo")'
    [ "$(cat listener.out)" = hello ]
}

@test "both families of a port are heard (L03)" {
    need python3
    need_ipv6
    start listener "$SOCKCTL" listen -u -k -W 2 0
    listening listener
    TRY_STDIN=<(printf four) try "$SOCKCTL" connect -u -q 0 127.0.0.1 "$PORT"
    TRY_STDIN=<(printf six) try "$SOCKCTL" connect -u -q 0 ::1 "$PORT"
    finish listener
    assert_status 0
    assert_output foursix
}

@test "an inherited socket keeps its way of receiving" {
    peers '
with udp() as s, udp() as peer:
    p = run("listen", "-u", "-W", "1", "fd:%d" % s.fileno(), pass_fds=[s.fileno()])
    peer.sendto(b"one", s.getsockname())
    same(ends(p), b"one")
    same(s.getsockopt(socket.IPPROTO_UDP, UDP_GRO), 0)'
}

@test "a UNIX peer that does not read costs no time, and gets all in the end" {
    peers '
c = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); c.bind("client"); c.settimeout(5)
lines = [b"%d\n" % i for i in range(100)]
open("lines", "wb").write(b"".join(lines))
p = run("listen", "-v", "-u", "--lines", "./server", stdin=open("lines"))
p.stderr.readline()
c.sendto(b"hello", "server")
time.sleep(0.5) # in which it has nothing to do
ticks = sum(map(int, open("/proc/%d/stat" % p.pid).read().rsplit(")", 1)[1].split()[11:13]))
same([c.recv(100) for i in lines], lines)
same(ticks <= 10, True)
p.terminate(); p.wait()'
}

@test "a listener answers from the address that was asked, also many datagrams in one call" {
    peers '
for words in ["listen", "-u", "0"], ["listen", "-u", "-k", "0"]:
    for family, host in (socket.AF_INET, "127.0.0.2"), (socket.AF_INET, "127.0.0.1"):
        p = run(*words, "--lines", stdin=subprocess.PIPE)
        s = socket.socket(family, socket.SOCK_DGRAM); s.settimeout(5)
        s.connect((host, int(p.stderr.readline().split(b":")[-1])))
        s.send(b"question")
        same(os.read(p.stdout.fileno(), 100), b"question")
        p.stdin.write(b"answer\n" * 100); p.stdin.flush()
        for i in range(100):
            same(s.recv(100), b"answer\n")
        p.kill()
'
}

@test "which address a datagram is sent to is asked for before the first one can come" {
    for words in 'echo-server -u' 'listen -u' 'listen -u -k' 'listen -u --to 127.0.0.1:9'; do
        # shellcheck disable=SC2086 # words
        start server "$SOCKCTL" $words -vvv 127.0.0.1:0
        listening server
        sed -n '/PKTINFO/p;/ bind(/p' server.err >order
        [[ $(<order) == *PKTINFO*bind* ]] || fail "$words" server.err
        stop server
    done
}
