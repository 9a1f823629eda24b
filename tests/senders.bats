#!/usr/bin/env bats
# Who may send datagrams to a server, and what comes beside them.

load helpers/common

# Python for the tests below: a server, and sockets that speak to it from an address of their choice.
# shellcheck disable=SC2016 # Python's
AIDS='
import array, os, resource, signal, socket, subprocess, sys, time
SOCKCTL = os.environ["SOCKCTL"]
signal.alarm(60)
servers = []
def udp(host="127.0.0.1", port=0):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind((host, port)); s.settimeout(10)
    return s
class Server:
    def __init__(self, *words, **more):
        self.p = subprocess.Popen([SOCKCTL, *words], stderr=subprocess.PIPE,
            **{"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, **more})
        servers.append(self.p)
        name = self.said("listening on ").split("listening on ")[1]
        self.to = ("127.0.0.1", int(name.rsplit(":", 1)[1])) if "unix:" not in name else name[5:]
    def said(self, text):
        while line := self.p.stderr.readline().decode():
            if text in line: return line.strip()
        sys.exit("it never said: " + text)
    def hup(self):
        self.p.send_signal(signal.SIGHUP); self.said("read again")
    def fds(self): return len(os.listdir("/proc/%d/fd" % self.p.pid))
    def stop(self):
        self.p.terminate()
        out = self.p.communicate(timeout=10)[0]
        if self.p.returncode: sys.exit("status %d" % self.p.returncode)
        return out
def write(name, text):
    with open(name, "w") as f: f.write(text)
def check(good, *what):
    if not good: sys.exit("wrong: " + repr(what))
def nothing_for(s):
    s.settimeout(.2)
    try: sys.exit("got %r" % s.recv(100))
    except TimeoutError: s.settimeout(10)
'

peers() {
    need python3
    TRY_SECONDS=${TRY_SECONDS:-30} try python3 -c "$AIDS$1
for p in servers:
    p.kill()" "${@:2}"
    assert_status 0
}

@test "12.2.1: --deny, --allow and @FILE hold for every datagram, whatever is done with it" {
    peers '
write("denied", "127.0.0.2\n"); write("allowed", "127.0.0.3\n")
for lists in ["--deny", "127.0.0.2"], ["--deny", "@denied"], ["--allow", "127.0.0.3"], ["--allow", "@allowed"]:
    bad, good, far = udp("127.0.0.2"), udp("127.0.0.3"), udp()
    echo = Server("echo-server", "-u", *lists, "127.0.0.1:0")
    to = Server("listen", "-u", *lists, "127.0.0.1:0", "--to", "127.0.0.1:%d" % far.getsockname()[1])
    one = Server("listen", "-u", *lists, "127.0.0.1:0")
    many = Server("listen", "-u", "-k", *lists, "127.0.0.1:0")
    for s in echo, to, one, many:
        for i in range(200): bad.sendto(b"bad", s.to)  # more than are dropped in one go
        good.sendto(b"good", s.to)
    check(good.recv(100) == b"good", "echo")
    check(far.recv(100) == b"good", "--to")
    nothing_for(far)
    nothing_for(bad)
    for s in one, many:
        check(os.read(s.p.stdout.fileno(), 100) == b"good", lists)'
}

@test "12.2.1: after SIGHUP, flows of those who are denied now end, and no answer reaches them" {
    peers '
write("denied", "")
far = udp()
for keep in "--to", "", "-k":
    write("denied", "")
    words = ["--to", "127.0.0.1:%d" % far.getsockname()[1]] if keep == "--to" else [keep] if keep else []
    r, w = os.pipe()
    s = Server("listen", "-v", "-u", "--deny", "@denied", "127.0.0.1:0", *words, stdin=r)
    bad, good = udp("127.0.0.2"), udp("127.0.0.3")
    bad.sendto(b"hello", s.to)
    if keep == "--to":
        bad_flow = far.recvfrom(100)[1]
        good.sendto(b"hello", s.to)
        good_flow = far.recvfrom(100)[1]
    else:
        check(os.read(s.p.stdout.fileno(), 100) == b"hello")
    write("denied", "127.0.0.2")
    s.hup()
    if keep == "--to":
        check("127.0.0.2" in s.said("closed"))
        far.sendto(b"answer", bad_flow)
        far.sendto(b"answer", good_flow)
        check(good.recv(100) == b"answer")
        bad.sendto(b"again", s.to)
        nothing_for(far)
    else:
        os.write(w, b"answer")
        bad.sendto(b"again", s.to)
        nothing_for(bad)
        good.sendto(b"me now", s.to)
        check(os.read(s.p.stdout.fileno(), 100) == b"me now", keep)
        check(good.recv(100) == b"answer", keep)
    nothing_for(bad)'
}

@test "12.2.1: --allow-uid holds for UNIX datagrams, by what the kernel says of each" {
    peers '
me = os.getuid()
def client(name):
    if os.path.exists(name): os.unlink(name)
    s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); s.bind(name); s.settimeout(10)
    return s
for list, served in (str(me), True), (str(me + 1), False), ("@users", True):
    write("users", "%d\n" % me)
    c, far = client("client"), client("far")
    s = Server("echo-server", "-v", "-u", "--allow-uid", list, "./echo")
    to = Server("listen", "-v", "-u", "--allow-uid", list, "./to", "--to", "unix-dgram:./far")
    c.sendto(b"", "echo"); c.sendto(b"to all", "to")
    if served:
        check(c.recv(100) == b"")
        check(far.recv(100) == b"to all")
    else:
        nothing_for(c); nothing_for(far)
    if list == "@users":
        flow = to.said("connected to")
        write("users", "%d\n" % (me + 1))
        to.hup()
        check(to.said("closed"))
        c.sendto(b"again", "to")
        nothing_for(far)
    s.stop(); to.stop()'
}

# Peers that send descriptors: those that are open in the server must not be more afterwards.
RIGHTS='
def rights(n): return [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [0] * n))]
counts = (1, 3, 20, 60, 200)  # for the last there is no room
def answered(s, data, note):
    got, beside, flags, name = s.recvmsg(100, 4096)
    check(got == data and not beside, note, got, beside)
'

@test "12.2.2: descriptors that come with datagrams and messages are closed, and go nowhere" {
    peers "$RIGHTS"'
def client(kind, name):
    s = socket.socket(socket.AF_UNIX, kind); s.settimeout(10)
    if kind == socket.SOCK_DGRAM: s.bind("client." + name)
    s.connect(name)
    return s
DGRAM, PACKET, STREAM = socket.SOCK_DGRAM, socket.SOCK_SEQPACKET, socket.SOCK_STREAM
Server("echo-server", "-v", "unix-dgram:./far"); Server("echo-server", "-v", "unix-seqpacket:./far-packets")
Server("echo-server", "-v", "./far-bytes")
ways = [(DGRAM, "echo", "echo-server -v unix-dgram:./echo"),
        (DGRAM, "late", "echo-server -v --delay 1ms unix-dgram:./late"),
        (DGRAM, "to", "listen -v unix-dgram:./to --to unix-dgram:./far"),
        (DGRAM, "one", "listen -v unix-dgram:./one"),
        (DGRAM, "users", "echo-server -v --allow-uid %d unix-dgram:./users" % os.getuid()),
        (PACKET, "packets", "echo-server -v unix-seqpacket:./packets"),
        (PACKET, "faulty", "echo-server -v --delay 1ms unix-seqpacket:./faulty"),
        (PACKET, "discard", "echo-server -v --mode discard unix-seqpacket:./discard"),
        (PACKET, "pair", "listen -v unix-seqpacket:./pair --to unix-seqpacket:./far-packets"),
        (PACKET, "single", "listen -v unix-seqpacket:./single"),
        (STREAM, "bytes", "echo-server -v ./bytes"),
        (STREAM, "lines", "unix-serve -v --framing line --echo ./lines"),
        (STREAM, "join", "listen -v ./join --to ./far-bytes")]
for kind, name, words in ways:
    s = Server(*words.split())
    c = client(kind, name)
    silent = name in ("one", "discard", "single")
    def ask(data, beside):
        c.sendmsg([data], beside)
        if silent and name == "discard": time.sleep(.01)
        elif silent: check(os.read(s.p.stdout.fileno(), 100) == data, name)
        else: answered(c, data, name)
    ask(b"first\n", [])
    before = s.fds()
    for n in counts:
        ask(b"%d descriptors\n" % n, rights(n))
    check(s.fds() == before, name, before, s.fds())'
}

@test "12.2.2: neither does connect keep descriptors, or unix-serve --recv-fd those that nobody takes" {
    peers "$RIGHTS"'
for kind, word in (socket.SOCK_SEQPACKET, "unix-seqpacket:"), (socket.SOCK_DGRAM, "unix-dgram:"):
    name = "server%d" % kind
    listener = socket.socket(socket.AF_UNIX, kind); listener.bind(name); listener.settimeout(10)
    if kind == socket.SOCK_SEQPACKET: listener.listen()
    c = subprocess.Popen([SOCKCTL, "connect", "-q", "20", word + "./" + name] +
        (["-s", "./c"] if kind == socket.SOCK_DGRAM else []), stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    servers.append(c)
    c.stdin.write(b"hello"); c.stdin.flush()
    if kind == socket.SOCK_SEQPACKET:
        s = listener.accept()[0]
        check(s.recv(100) == b"hello")
    else:
        data, to = listener.recvfrom(100)
        listener.connect(to); s = listener
    fds = lambda: len(os.listdir("/proc/%d/fd" % c.pid))
    def say(data, beside):
        s.sendmsg([data], beside)
        check(os.read(c.stdout.fileno(), 100) == data)
    say(b"first", [])
    before = fds()
    for n in counts: say(b"%d" % n, rights(n))
    check(fds() == before, word, before, fds())
s = Server("unix-serve", "-v", "--framing", "line", "--recv-fd", "./recv", "-c", "cat; [ ! -e /proc/self/fd/3 ] || readlink /proc/self/fd/3")
c = socket.socket(socket.AF_UNIX); c.connect("recv"); c.settimeout(10)
with open("passed", "w") as f:
    for n, wanted in (0, b"x"), (1, b"/passed\n"), (60, b""), (0, b"x"):
        c.sendmsg([b"x\n"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [f.fileno()] * n))] if n else [])
        got = b""
        while not got.endswith(b"\n"): got += c.recv(100)
        check(wanted in got, n, got)
        if n == 0: before = s.fds()
    check(s.fds() == before)'
}
