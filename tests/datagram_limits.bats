#!/usr/bin/env bats
# What one sender, one receiver or one duplicate of a socket may cost the others.

load helpers/common

AIDS='
import array, ctypes, os, signal, socket, struct, subprocess, sys, time
SOCKCTL = os.environ["SOCKCTL"]
signal.alarm(50)
servers = []
def start(*words):
    p = subprocess.Popen([SOCKCTL, *words], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
    servers.append(p)
    text = p.stderr.readline().decode().split("listening on ")[1].strip()
    return p, text[5:] if "unix:" in text else ("127.0.0.1", int(text.rsplit(":", 1)[1]))
def sock(kind=socket.SOCK_DGRAM, family=socket.AF_INET):
    s = socket.socket(family, kind); s.settimeout(10)
    return s
def udp(host="127.0.0.1", port=0):
    s = sock(); s.bind((host, port))
    return s
def check(good, *what):
    if not good: sys.exit("wrong: " + repr(what))
def ticks(p): return sum(map(int, open("/proc/%d/stat" % p.pid).read().rsplit(")", 1)[1].split()[11:13]))
def resident(p): return int(open("/proc/%d/statm" % p.pid).read().split()[1]) * 4096
def sockets_of(p):
    found = set()
    for n in os.listdir("/proc/%d/fd" % p.pid):
        try:
            if os.readlink("/proc/%d/fd/%s" % (p.pid, n)).startswith("socket:"): found.add(int(n))
        except FileNotFoundError: pass
    return found
'

peers() {
    need python3
    TRY_SECONDS=${TRY_SECONDS:-60} try ${IN:-} python3 -c "$AIDS$1
for p in servers: p.kill()"
    assert_status 0
}

@test "12.3.5: a socket that lives on elsewhere after it was closed costs neither memory nor time" {
    python3 -c 'import ctypes, os, socket, sys
s = socket.socket()
sys.exit(ctypes.CDLL(None).syscall(438, os.pidfd_open(os.getpid()), s.fileno(), 0) < 0)' 2>/dev/null ||
        skip "descriptors of other processes cannot be had (pidfd_getfd)"
    peers '
libc = ctypes.CDLL(None)
far = udp(); back = sock(socket.SOCK_STREAM); back.bind(("127.0.0.1", 0)); back.listen()
def duplicates(p, known):
    pidfd = os.pidfd_open(p.pid)
    fds = [libc.syscall(438, pidfd, n, 0) for n in sockets_of(p) - known]
    check(fds and min(fds) >= 0, fds)
    return fds
for words in ["listen", "--to", "127.0.0.1:%d" % back.getsockname()[1], "127.0.0.1:0"], ["echo-server", "127.0.0.1:0"]:
    p, to = start(*words)
    known = sockets_of(p)
    clients = []
    for i in range(20):
        c = sock(socket.SOCK_STREAM); c.connect(to); c.sendall(b"x")
        d = None
        if words[0] == "listen":
            d = back.accept()[0]; check(d.recv(1) == b"x")
        else: check(c.recv(1) == b"x")
        clients.append((c, d))
    kept = duplicates(p, known)
    for c, d in clients:  # both ends go; the duplicates hold the sockets, which have events for ever
        c.shutdown(socket.SHUT_WR)
        if d: d.shutdown(socket.SHUT_WR)
    end = time.monotonic() + 10
    while sockets_of(p) - known and time.monotonic() < end: time.sleep(.01)
    check(not sockets_of(p) - known)
    before = ticks(p)
    for i in range(20):
        c = sock(socket.SOCK_STREAM); c.connect(to); c.sendall(b"y")
        if words[0] == "listen":
            d = back.accept()[0]; check(d.recv(1) == b"y"); d.sendall(b"y")
        check(c.recv(1) == b"y")
        time.sleep(.02)
    check(ticks(p) - before < 20, words, ticks(p) - before)
    check(p.poll() is None)
p, to = start("listen", "-u", "-m", "1", "--to", "127.0.0.1:%d" % far.getsockname()[1], "127.0.0.1:0")
known = sockets_of(p)
for i in range(20):
    c = udp(); c.sendto(b"x", to)
    flow = far.recvfrom(10)[1]
    kept = duplicates(p, known)
    other = udp(); other.sendto(b"pushes it out", to); far.recvfrom(100)
    far.sendto(b"for nobody", flow)
other.sendto(b"ask", to); flow = far.recvfrom(10)[1]; far.sendto(b"answer", flow)
check(other.recv(100) == b"answer")
before = ticks(p)
time.sleep(.5)
check(ticks(p) - before < 20, ticks(p) - before)'
}

@test "12.3.10: a UNIX client that does not read its answers keeps nobody else from getting theirs" {
    peers '
def client():
    s = sock(family=socket.AF_UNIX); s.bind(""); return s
far, far_name = start("echo-server", "-v", "unix-dgram:./far")
for words in ["echo-server", "-v", "unix-dgram:./echo"], ["listen", "-v", "unix-dgram:./to", "--to", "unix-dgram:./far"]:
    for size in 1, 3000, 20000:
        p, to = start(*words)
        silent = client()
        for i in range(700): silent.sendto(b"s" * size, to)
        other = client(); other.settimeout(1)
        lost = 0
        for i in range(300):
            other.sendto(b"%d" % i, to)
            try: check(other.recv(100) == b"%d" % i, i)
            except TimeoutError: lost += 1; break
            if i % 3 == 0: silent.sendto(b"s" * size, to)
        check(not lost, words[0], size, i)
        # What was sent to it first is there, in its order.
        check(silent.recv(100000) == b"s" * size)
        p.terminate(); p.wait()
        if os.path.exists(to): os.unlink(to)'
}

# in_network: IN runs what follows where the only network is a loopback of its own.
in_network() {
    need unshare ip
    unshare -rnm ip link set lo up 2>"$T/why" ||
        skip "no network namespace can be made: $(<"$T/why")"
    # shellcheck disable=SC2016 # the inner shell's
    printf '%s\n' '#!/bin/sh' 'ip link set lo up' "$1" 'exec "$@"' >inside
    chmod +x inside
    IN="unshare -rnm ./inside"
}

@test "12.3.12: datagrams to a name that is still looked up are bounded in number and bytes" {
    printf 'nameserver 127.0.0.1\noptions timeout:20 attempts:1\n' >resolv.conf
    echo 'hosts: dns' >nsswitch.conf
    # shellcheck disable=SC2016
    in_network 'mount --bind resolv.conf /etc/resolv.conf && mount --bind nsswitch.conf /etc/nsswitch.conf'
    peers '
names, far = udp(port=53), udp(port=5555)
names.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
p, to = start("listen", "-u", "127.0.0.1:0", "--to", "slow.test:5555")
c = udp(); c.connect(to)
c.send(b"0")
query, asker = names.recvfrom(500)
small, before = resident(p), ticks(p)
for i in range(1, 100000):
    c.send(b"%d" % i if i < 200 else b"")
    if i % 500 == 0: time.sleep(.002)  # it is to take them, not to lose them
end = time.monotonic() + 10
def left(): return int(next(l for l in open("/proc/net/udp") if l.split()[1].endswith(":%04X" % to[1])).split()[4].split(":")[1], 16)
while left() and time.monotonic() < end: time.sleep(.01)
check(resident(p) - small < 4 << 20, resident(p) - small)
check(ticks(p) - before < 300, ticks(p) - before)
# Many clients while it lasts: no thread for each.
for i in range(1, 250):
    s = udp("127.0.1.%d" % i); s.sendto(b"x" * 60000, to)
time.sleep(.2)
check(len(os.listdir("/proc/%d/task" % p.pid)) < 20, "threads")
check(resident(p) - small < 8 << 20, resident(p) - small)
def answer(query, asker):
    kind = struct.unpack("!H", query[query.index(b"\0", 12) + 1:][:2])[0]
    end = query.index(b"\0", 12) + 5
    found = b"\xc0\x0c" + struct.pack("!HHIH", 1, 1, 60, 4) + socket.inet_aton("127.0.0.1") if kind == 1 else b""
    names.sendto(query[:2] + b"\x81\x80" + struct.pack("!HHHH", 1, kind == 1, 0, 0) + query[12:end] + found, asker)
answer(query, asker)
names.settimeout(.2)
far.settimeout(.2)
got = []
end = time.monotonic() + 10
while not got and time.monotonic() < end:
    try: answer(*names.recvfrom(500))
    except TimeoutError: pass
    try:
        while True: got.append(far.recv(70000))
    except TimeoutError: pass
mine = [g for g in got if len(g) < 1000]
check(mine == [b"%d" % i for i in range(64)], mine[:5], len(mine))'
}

@test "12.3.12: thousands of flows are found again, each by its client's address" {
    peers '
def say(s, source, data, to):
    s.sendmsg([data], [(socket.IPPROTO_IP, 8, struct.pack("i4s4s", 0, socket.inet_aton(source), b"\0" * 4))], 0, to)
far = udp()
far.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
p, to = start("listen", "-u", "127.0.0.1:0", "-m", "3000", "--to", "127.0.0.1:%d" % far.getsockname()[1])
room = int(next(l for l in open("/proc/%d/limits" % p.pid) if "open files" in l).split()[3])
count = min(3000, room - 100)
c = udp("0.0.0.0")
flows = {}
for turn in range(2):
    for i in range(count):
        source = "127.9.%d.%d" % (i // 250, i % 250 + 1)
        say(c, source, source.encode(), to)
        data, flow = far.recvfrom(100)
        check(data == source.encode() and flows.setdefault(source, flow) == flow, source)
check(len(set(flows.values())) == count)'
}

@test "12.3.13: --to without local ports warns once in ten seconds, of connections and of datagrams" {
    in_network 'echo "40000 40003" >/proc/sys/net/ipv4/ip_local_port_range'
    peers '
far = udp(port=5555)
p, to = start("listen", "-v", "-u", "127.0.0.1:5000", "--to", "127.0.0.1:5555")
for i in range(60):
    s = udp(port=6000 + i); s.sendto(b"x", to)
back = sock(socket.SOCK_STREAM); back.bind(("127.0.0.1", 5556)); back.listen(100)
q, to = start("listen", "-v", "127.0.0.1:5001", "--to", "127.0.0.1:5556")
clients = []
for i in range(20):
    s = sock(socket.SOCK_STREAM); s.bind(("127.0.0.1", 7000 + i)); s.connect(to); s.sendall(b"x")
    clients.append(s)
time.sleep(1)
for server in p, q:
    server.terminate()
    lines = server.communicate(timeout=5)[1].decode().splitlines()
    check(sum("Cannot assign requested address" in line for line in lines) == 1, lines)'
}

# calls NAME: how often strace has counted that call, in $T/counts.
calls() { awk -v name="$1" '$NF == name {print $4}' counts; }

@test "12.3.13: a connection costs echo-server one epoll_ctl, an answer costs a flow one recvfrom" {
    need strace python3
    ! sanitized || skip "figures of the release alone"
    counted() {
        strace -f -c -o counts -e trace=epoll_ctl,recvfrom -p "${PIDS[$1]}" 2>attached &
        local pid=$!
        wait_file attached 'attached' 5
        python3 -c "$AIDS$2" "${@:3}"
        kill -INT "$pid"
        wait "$pid" || :
    }
    start server "$SOCKCTL" echo-server 127.0.0.1:0
    listening server
    counted server '
for i in range(200):
    s = sock(socket.SOCK_STREAM); s.connect(("127.0.0.1", int(sys.argv[1]))); s.sendall(b"x")
    check(s.recv(1) == b"x"); s.shutdown(socket.SHUT_WR); check(s.recv(1) == b"")' "$PORT"
    (($(calls epoll_ctl) <= 210)) || fail "epoll_ctl: $(calls epoll_ctl)" counts
    start far "$SOCKCTL" echo-server -u 127.0.0.1:0
    listening far
    start server "$SOCKCTL" listen -u 127.0.0.1:0 --to "127.0.0.1:$PORT"
    listening server
    counted server '
s = udp(); s.connect(("127.0.0.1", int(sys.argv[1])))
for i in range(200):
    s.send(b"%d" % i); check(s.recv(10) == b"%d" % i)' "$PORT"
    (($(calls recvfrom) <= 240)) || fail "recvfrom: $(calls recvfrom)" counts
}
