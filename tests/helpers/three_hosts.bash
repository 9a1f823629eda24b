# shellcheck shell=bash
#
# Three hosts on one network, in network namespaces of the test's own: a, b and c, whose eth0 has 10.77.0.1, 2 and 3 and
# fe80::1, 2 and 3, and a route for multicast.

# three_hosts CODE: Python, with run(HOST, WORDS…, ask=BYTES) for sockctl, which returns its status, stdout and stderr;
# start(HOST, WORDS…) for one in the background; python(HOST, WORDS…) for a helper that writes READY; check(GOOD, WHAT…).
# shellcheck disable=SC2016 # Python's
three_hosts() {
    need python3 unshare nsenter ip
    unshare -rn ip link add v0 type bridge 2>"$T/why" ||
        skip "no network namespace with a bridge can be made: $(<"$T/why")"
    TRY_SECONDS=60 try unshare -rn python3 -c "$THREE_HOSTS$1
end()"
    assert_status 0
}

THREE_HOSTS='
import os, signal, subprocess, sys, time
SOCKCTL = os.environ["SOCKCTL"]
signal.alarm(50)
running = []
pids = {}
def end():
    for p in running: p.kill()
def check(good, *what):
    if not good:
        end()
        sys.exit("wrong: " + repr(what))
def ip(words): subprocess.run(["ip", *words.split()], check=True)
def within(host, *words): return ["nsenter", "-t", str(pids[host]), "-n", *words]
ip("link add lan type bridge mcast_snooping 0"); ip("link set lan up")
for number, host in enumerate("abc", 1):
    p = subprocess.Popen(["unshare", "-n", "sh", "-c", "echo up; exec sleep 60"], stdout=subprocess.PIPE)
    p.stdout.readline()
    running.append(p); pids[host] = p.pid
    ip(f"link add port{number} type veth peer name eth0 netns {p.pid}"); ip(f"link set port{number} master lan up")
    for words in ("link set lo up", "link set eth0 addrgenmode none", f"addr add 10.77.0.{number}/24 brd + dev eth0", "link set eth0 up",
                  f"-6 addr add fe80::{number}/64 dev eth0 nodad", "route add 224.0.0.0/4 dev eth0"):
        subprocess.run(within(host, "ip", *words.split()), check=True)
def run(host, *words, ask=b""):
    p = subprocess.run(within(host, SOCKCTL, *words), input=ask, capture_output=True, timeout=20)
    return p.returncode, p.stdout, p.stderr.decode()
def start(host, *words, stdin=subprocess.DEVNULL):
    p = subprocess.Popen(within(host, SOCKCTL, *words), stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    running.append(p)
    line = p.stderr.readline().decode()
    check("listening on" in line, words, line)
    return p
def python(host, *words):
    p = subprocess.Popen(within(host, "python3", *words), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    running.append(p)
    check(p.stdout.readline() == b"READY\n", words)
'
