#!/usr/bin/env bats
# Broadcast and multicast, in a network namespace of the test's own.

load helpers/common

# in_network CODE: Python, where 10.77.0.1/24 and fe80::77 are on an interface v0 that can do both.
# shellcheck disable=SC2016 # the shell's in there, and Python's
in_network() {
    need python3 unshare ip
    unshare -rn ip link add v0 type veth peer name v1 2>"$T/why" ||
        skip "no network namespace can be made: $(<"$T/why")"
    TRY_SECONDS=30 try unshare -rn sh -c '
        ip link set lo up; ip link add v0 type veth peer name v1
        ip link set v0 addrgenmode none
        ip addr add 10.77.0.1/24 brd + dev v0; ip link set v0 up; ip link set v1 up
        ip -6 addr add fe80::77/64 dev v0 nodad 2>/dev/null
        ip route add 224.0.0.0/4 dev v0
        exec python3 -c "$0"' "$AIDS$1
for p in servers: p.kill()"
    assert_status 0
}

AIDS='
import os, signal, socket, struct, subprocess, sys, time
SOCKCTL = os.environ["SOCKCTL"]
signal.alarm(25)
servers = []
def start(*words, **more):
    p = subprocess.Popen([SOCKCTL, *words], stderr=subprocess.PIPE, **{"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, **more})
    servers.append(p)
    return p, int(p.stderr.readline().split(b":")[-1])
def asker():
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.settimeout(5)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    return s
def check(good, *what):
    if not good: sys.exit("wrong: " + repr(what))
def connect(*words, ask=b"ask"):
    p = subprocess.run([SOCKCTL, "connect", "-u", *words], input=ask, capture_output=True, timeout=10)
    return p.returncode, p.stdout, p.stderr.decode()
'

@test "13.2: a server on every address answers what was sent to a broadcast address, from its own" {
    in_network '
far, far_port = start("echo-server", "-u", "127.0.0.1:0")
for where in "0", "0.0.0.0:0":
    for words in ["echo-server", "-u"], ["echo-server", "-u", "--delay", "1ms"], ["listen", "-u", "--to", "127.0.0.1:%d" % far_port]:
        p, port = start(*words, where)
        for to in "10.77.0.255", "10.77.0.1":
            s = asker(); s.sendto(b"ask", (to, port))
            check(s.recvfrom(100) == (b"ask", ("10.77.0.1", port)), words, where, to)
    for keep in [], ["-k"]:
        p, port = start("listen", "-u", *keep, where, stdin=subprocess.PIPE)
        s = asker(); s.sendto(b"ask", ("10.77.0.255", port))
        check(p.stdout.read1() == b"ask")
        p.stdin.write(b"answer"); p.stdin.flush()
        check(s.recvfrom(100) == (b"answer", ("10.77.0.1", port)), keep, where)
        check(p.poll() is None)'
}

@test "13.2: and what was sent to a multicast group" {
    in_network '
def member(family, where, level, join, group):
    """An inherited socket, for listen does not join by itself."""
    s = socket.socket(family, socket.SOCK_DGRAM); s.bind((where, 0)); s.setsockopt(level, join, group)
    return s
v0 = socket.if_nametoindex("v0")
four = socket.inet_aton("239.1.2.3") + socket.inet_aton("10.77.0.1")
six = socket.inet_pton(socket.AF_INET6, "ff02::77") + struct.pack("@i", v0)
for family, where, group, to, ours in (
        (socket.AF_INET, "0.0.0.0", four, "239.1.2.3", "10.77.0.1"),
        (socket.AF_INET6, "::", four, "239.1.2.3", "10.77.0.1"),
        (socket.AF_INET6, "::", six, "ff02::77%v0", "fe80::77%v0")):
    is_four = group == four
    s = member(family, where, socket.IPPROTO_IP if is_four else socket.IPPROTO_IPV6,
               socket.IP_ADD_MEMBERSHIP if is_four else socket.IPV6_JOIN_GROUP, group)
    p = subprocess.Popen([SOCKCTL, "echo-server", "-u", "fd:%d" % s.fileno()], pass_fds=[s.fileno()])
    servers.append(p)
    port = s.getsockname()[1]
    host = "[%s]" % ours if ":" in ours else ours
    # It may not have set its options yet when the first comes.
    for i in range(50):
        status, out, err = connect("-v", "-q", "0.2", to, str(port))
        if out: break
    check((status, out) == (0, b"ask") and "answer from %s:%d" % (host, port) in err, to, where, status, out, err)'
}

@test "13.2: connect -u -b shows the answers of everybody, and -v names them" {
    in_network '
subprocess.run(["ip", "addr", "add", "10.77.0.2/24", "brd", "+", "dev", "v0"])
one, port = start("echo-server", "-u", "10.77.0.1:0")
any, port = start("listen", "-u", "0", stdin=subprocess.PIPE)
other = asker(); other.bind(("10.77.0.2", 0))
p = subprocess.Popen([SOCKCTL, "connect", "-v", "-u", "-b", "-W", "3", "10.77.0.255", str(port)],
    stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
p.stdin.write(b"ask"); p.stdin.flush()
check(any.stdout.read1() == b"ask")
any.stdin.write(b"first"); any.stdin.flush()
check(p.stdout.read1() == b"first")
for line in p.stderr:
    if b"answer from" in line: break
check(line == b"sockctl: answer from 10.77.0.1:%d\n" % port, line)
# Somebody else, who was not asked by name: that is what the local address is for.
with open("/proc/%d/net/udp" % p.pid) as f:
    mine = {int(l.split()[1].split(":")[1], 16) for l in f.readlines()[1:]} - {port}
for to in mine: other.sendto(b"second", ("10.77.0.1", to))
check(p.stdout.read1() == b"second")
p.stdin.write(b"again"); p.stdin.flush()  # goes to all, not to who was heard last
check(any.stdout.read1() == b"again")
any.stdin.write(b"third"); any.stdin.flush()
check(p.communicate(timeout=5)[0] == b"third" and p.returncode == 0, p.returncode)'
}

@test "13.2: connect -u -b to one host is connected as before; a broadcast without -b says what to type" {
    in_network '
s = asker(); s.bind(("10.77.0.1", 0)); port = str(s.getsockname()[1]); s.close()
status, out, err = connect("-b", "10.77.0.1", port)
check(status == 1 and "refused" in err, status, err)
status, out, err = connect("10.77.0.255", port)
check(status == 4 and "--broadcast" in err and err.count("\n") == 1, status, err)'
}

@test "13.2: listen --to a group passes on what its members answer" {
    in_network '
m = asker(); m.bind(("", 0)); m.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP,
    socket.inet_aton("239.1.2.3") + socket.inet_aton("10.77.0.1"))
p, port = start("listen", "-u", "127.0.0.1:0", "--to", "239.1.2.3:%d" % m.getsockname()[1])
s = asker()
for i in range(2):
    s.sendto(b"ask", ("127.0.0.1", port))
    data, flow = m.recvfrom(100)
    m.sendto(b"answer", flow)
    check(data == b"ask" and s.recv(100) == b"answer")'
}

@test "16.2: who listens on a multicast group has joined it; --ttl counts for groups" {
    in_network '
def heard(*words, to, count=1):
    p, port = start("listen", "-u", "-W", str(count), *words)
    code, out, err = connect("-q0", "-vv", "--ttl", "3", *to, str(port), ask=b"to all")
    check(code == 0, err)
    check(p.stdout.read() == b"to all" and p.wait(5) == 0, words)
    return err
err = heard("239.7.7.7:0", to=["239.7.7.7"])
check("IP_MULTICAST_TTL, [3], 4) = 0" in err, err)
heard("--interface", "v0", "239.7.7.7:0", to=["--interface", "v0", "239.7.7.7"])
err = heard("[ff02::77%v0]:0", to=["ff02::77%v0"])
check("IPV6_MULTICAST_HOPS, [3], 4) = 0" in err, err)
# Several may listen on one group; over TCP there is nothing of the kind.
p, port = start("listen", "-u", "-W1", "239.7.7.7:0")
q = subprocess.Popen([SOCKCTL, "listen", "-vu", "-W1", "239.7.7.7:%d" % port], stderr=subprocess.PIPE, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL)
servers.append(q)
q.stderr.readline()
connect("-q0", "239.7.7.7", str(port), ask=b"both")
check(p.stdout.read() == b"both" and q.stdout.read() == b"both")
r = subprocess.run([SOCKCTL, "connect", "--ttl", "3", "10.77.0.1", "9"], input=b"", capture_output=True)
check(b"refused" in r.stderr, r.stderr)'
}

@test "16.2: a group on an interface that cannot be known, or is not there, is status 4" {
    try unshare -rn true || skip "needs a network namespace"
    try unshare -rn "$SOCKCTL" listen -u 239.7.7.7:0
    assert_status 4
    assert_errors 'no interface is known for this group \(--interface NAME\)$'
    try unshare -rn "$SOCKCTL" listen -u --interface nosuch 239.7.7.7:0
    assert_status 4
}
