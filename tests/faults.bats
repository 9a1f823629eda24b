#!/usr/bin/env bats
# Every system call that can fail is made to fail, at one ordinal after the other: no crash, no
# hang, and either the exact bytes or a message and a status of the table. An interruption, a signal
# and a stop are invisible.

load helpers/common

# faults SCENARIO…: see helpers/faults.py.
faults() {
    local scenario
    need python3 strace
    strace -o /dev/null true || skip "strace may not trace here"
    for scenario; do
        TRY_SECONDS=60 try python3 "$HELPERS/faults.py" "$scenario"
        assert_status 0
        TRY_SECONDS=60 try python3 "$HELPERS/faults.py" "$scenario" eintr
        assert_status 0
    done
}

@test "connect, spliced from a pipe to a pipe" { faults connect; }

@test "connect, from a file to a file, through a pipe of its own" { faults connect-files; }

@test "connect, copied" { faults connect-copy; }

@test "connect, datagrams" { faults connect-udp; }

@test "listen, spliced and copied" { faults listen listen-copy; }

@test "listen, datagrams" { faults listen-udp; }

@test "connect, over a UNIX socket" { faults connect-unix; }

@test "200 signals and 20 stops in mid-transfer are invisible on both sides" {
    need python3
    head -c 30000000 /dev/urandom >up
    head -c 20000000 /dev/urandom >down
    python3 -c '
import os, signal, subprocess, sys, threading, time
S = os.environ["SOCKCTL"]
server = subprocess.Popen([S, "listen", "127.0.0.1:0"], stdin=open("down", "rb"),
    stdout=subprocess.PIPE, stderr=subprocess.PIPE)
port = server.stderr.readline().split(b":")[-1].strip().decode()
client = subprocess.Popen([S, "connect", "127.0.0.1", port], stdin=open("up", "rb"),
    stdout=subprocess.PIPE)
got = {}
def drain(process, name):
    parts = []
    while part := process.stdout.read1(1 << 20):
        parts.append(part)
        paused.wait() # so that it lasts until the signals have been sent
    got[name] = b"".join(parts)
paused = threading.Event()
drains = [threading.Thread(target=drain, args=a) for a in ((server, "up"), (client, "down"))]
for d in drains: d.start()
for i in range(200):
    for process in server, client:
        process.send_signal((signal.SIGWINCH, signal.SIGCONT, signal.SIGURG, signal.SIGCHLD)[i % 4])
        if i % 10 == 0:
            process.send_signal(signal.SIGSTOP)
            process.send_signal(signal.SIGCONT)
    if i == 50: paused.set() # the rest meets a transfer in full swing
for d in drains: d.join(10)
for name in got: assert got[name] == open(name, "rb").read(), name
sys.exit(len(got) != 2 or server.wait(5) or client.wait(5))'
}
