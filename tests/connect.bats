#!/usr/bin/env bats
# connect and its ends, against peers that behave in one exact way.

load helpers/common

# peer NAME ARGS…: a misbehaving TCP peer; its port in PORT.
peer() {
    need python3
    start "$1" python3 "$HELPERS/peer.py" "${@:2}"
    wait_file "$1.out" '^PORT '
    PORT=${LINE#PORT }
}

# server ARGS…: a sockctl that listens, with `input` as its stdin.
server() {
    START_STDIN=${input:-} start server "$SOCKCTL" listen "$@"
    listening server
}

make_file() { head -c "$2" /dev/urandom >"$1"; }

@test "both directions at once, over IPv4 and IPv6" {
    make_file up 300000
    make_file down 400000
    for host in 127.0.0.1 $(ipv6 ::1); do
        input=down server "$host" 0
        TRY_STDIN=up try "$SOCKCTL" connect "$host" "$PORT"
        assert_status 0
        cmp try.out down
        finish server
        assert_status 0
        cmp server.out up
    done
}

@test "a UNIX stream" {
    make_file up 300000
    make_file down 400000
    input=down server -v "unix:$T/s"
    [ "$ADDR" = "unix:$T/s" ]
    TRY_STDIN=up try "$SOCKCTL" connect "$T/s"
    assert_status 0
    cmp try.out down
    finish server
    assert_status 0
    cmp server.out up
    [ ! -e s ]
}

@test "every pair of kinds of stdin and stdout is byte-exact, spliced and copied" {
    make_file data 200000
    for no in 0 1; do
        export SOCKCTL_NO_SPLICE=$no
        input=data server 127.0.0.1 0
        "$SOCKCTL" connect 127.0.0.1 "$PORT" <data | cat >got
        cmp got data
        finish server
        cmp server.out data
        input=<(cat data) server 127.0.0.1 0
        # shellcheck disable=SC2002 # a pipe is what is tested
        cat data | timeout 10 "$SOCKCTL" connect 127.0.0.1 "$PORT" >got
        cmp got data
        finish server
        cmp server.out data
    done
}

@test "the end of stdin is passed on and the answer still arrives" {
    need python3
    start peer python3 -c '
import socket
s = socket.create_server(("127.0.0.1", 0)); print("PORT", s.getsockname()[1], flush=True)
c = s.accept()[0]; got = b""
while part := c.recv(100): got += part
c.sendall(b"you said " + got); c.close()'
    wait_file peer.out '^PORT '
    TRY_STDIN=<(printf hello) try "$SOCKCTL" connect 127.0.0.1 "${LINE#PORT }"
    assert_status 0
    assert_output "you said hello"
}

@test "when the peer ends first, a file is still sent whole" {
    make_file data 20000000
    need python3
    start peer python3 -c '
import socket, sys
s = socket.create_server(("127.0.0.1", 0)); print("PORT", s.getsockname()[1], flush=True)
c = s.accept()[0]; c.shutdown(socket.SHUT_WR); n = 0
while part := c.recv(65536): n += len(part)
print(n)'
    wait_file peer.out '^PORT '
    TRY_STDIN=data try "$SOCKCTL" connect 127.0.0.1 "${LINE#PORT }"
    assert_status 0
    finish peer
    [ "${lines[1]}" = 20000000 ]
}

@test "when the peer ends first and stdin stays silent, it is over after half a second" {
    peer peer send-close bye
    start_ms=$(now_ms)
    TRY_STDIN=<(sleep 5) try "$SOCKCTL" connect 127.0.0.1 "$PORT"
    assert_status 0
    assert_output bye
    took=$(($(now_ms) - start_ms))
    ((took >= 500 && took < 3000 * PATIENCE))
}

exits_on_eof() {
    peer "peer$((tried++))" send-close bye
    start_ms=$(now_ms)
    TRY_STDIN=<(sleep 5) try "$SOCKCTL" connect --exit-on-eof 127.0.0.1 "$PORT"
    took $(($(now_ms) - start_ms))
    assert_status 0
}

@test "--exit-on-eof is done at once; --until-stdin-ends is not" {
    tried=0
    quickest 0 450 exits_on_eof
    peer again send-close bye
    start_ms=$(now_ms)
    TRY_STDIN=<(sleep 1.2) try "$SOCKCTL" connect --until-stdin-ends 127.0.0.1 "$PORT"
    assert_status 0
    assert_output bye
    (($(now_ms) - start_ms >= 1100))
}

@test "when the peer ends, a piped stdout is closed so that its reader sees the end" {
    peer peer send-close bye
    start_ms=$(now_ms)
    "$SOCKCTL" connect --until-stdin-ends 127.0.0.1 "$PORT" < <(sleep 2) |
        { cat >got; now_ms >ended; }
    [ "$(cat got)" = bye ]
    (($(cat ended) - start_ms < 1500 * PATIENCE))
}

@test "a reset in mid-download is status 1, and what came is on stdout" {
    peer peer rst-after 3
    TRY_STDIN=<(printf abc; sleep 3) try "$SOCKCTL" connect 127.0.0.1 "$PORT"
    assert_status 1
    assert_one_error_line
    assert_errors 'Connection reset by peer'
}

@test "a reset in mid-upload is status 1 and tells what was lost" {
    make_file data 20000000
    peer peer rst-after 100000
    TRY_STDIN=data try "$SOCKCTL" connect 127.0.0.1 "$PORT"
    assert_status 1
    assert_one_error_line
    assert_errors 'Connection reset by peer \([0-9]+ bytes not delivered\)$'
    [[ $errors =~ \(([0-9]+)\ bytes ]]
    ((BASH_REMATCH[1] > 10000000 && BASH_REMATCH[1] <= 19900000))
}

@test "a reset that splice(2) keeps to itself is called one" {
    need strace
    make_file data 1000000
    peer peer stall
    # What is left of it for the call after the one that has written some bytes.
    export ASAN_OPTIONS=detect_leaks=0
    TRY_STDIN=data try strace -o trace -e trace=splice -e inject=splice:error=EPIPE:when=2 \
        "$SOCKCTL" connect 127.0.0.1 "$PORT"
    assert_status 1
    assert_one_error_line
    assert_errors 'write to 127\.0\.0\.1:[0-9]+: Connection reset by peer \([0-9]+ bytes not delivered\)$'
}

@test "a consumer that pauses gets every byte" {
    make_file data 5000000
    mkfifo nothing
    input=data server 127.0.0.1 0
    "$SOCKCTL" connect -d 127.0.0.1 "$PORT" | { read -rt 0.3 _ <>nothing || :; cat >got; }
    cmp got data
    finish server
    assert_status 0
}

@test "crosswise stalled ends do not deadlock" {
    make_file up 8000000
    make_file down 8000000
    need python3
    start peer python3 -c '
import socket, sys
s = socket.create_server(("127.0.0.1", 0)); print("PORT", s.getsockname()[1], flush=True)
c = s.accept()[0]; c.sendall(open("down", "rb").read()); c.shutdown(socket.SHUT_WR)
with open("got", "wb") as f:
    while part := c.recv(65536): f.write(part)'
    wait_file peer.out '^PORT '
    TRY_STDIN=up try "$SOCKCTL" connect 127.0.0.1 "${LINE#PORT }"
    assert_status 0
    finish peer
    cmp got up
    cmp try.out down
}

@test "nothing is acknowledged: status 0 only when it was" {
    peer peer stall
    TRY_STDIN=/dev/zero try timeout 3 "$SOCKCTL" connect -i 0.5 127.0.0.1 "$PORT"
    assert_status 5
    assert_errors 'nothing moved for 0.5 seconds'
}

@test "-q: at most so long after the end of stdin" {
    peer peer stall
    start_ms=$(now_ms)
    TRY_STDIN=<(echo x) try "$SOCKCTL" connect -q 0.3 127.0.0.1 "$PORT"
    assert_status 0
    took=$(($(now_ms) - start_ms))
    ((took >= 300 && took < 1500 * PATIENCE))
}

@test "-d does not read stdin, --send-only throws away what arrives" {
    server 127.0.0.1 0
    echo secret >secret
    input=secret server 127.0.0.1 0
    TRY_STDIN=secret try "$SOCKCTL" connect -d 127.0.0.1 "$PORT"
    assert_output secret
    finish server
    assert_output ""
    input=secret server 127.0.0.1 0
    TRY_STDIN=secret try "$SOCKCTL" connect --send-only 127.0.0.1 "$PORT"
    assert_status 0
    assert_output ""
    finish server
    assert_output secret
}

@test "--no-shutdown keeps the sending half open" {
    peer peer stall
    TRY_STDIN=/dev/null try "$SOCKCTL" connect -vv --no-shutdown -q 0.1 127.0.0.1 "$PORT"
    assert_status 0
    if grep -q shutdown try.err; then fail "the sending half was shut down"; fi
}

@test "12.1: a file is sent from beyond 4 GiB, also where a long has 32 bits" {
    truncate -s 5000000000 file || skip "no room for a file of holes"
    echo hello >>file
    start server "$SOCKCTL" listen 127.0.0.1 0
    listening server
    # shellcheck disable=SC2016
    TRY_STDIN='file' try bash -c 'dd bs=1000 skip=5000000 count=0 2>dd.err && exec "$0" connect "$@"' \
        "$SOCKCTL" 127.0.0.1 "$PORT"
    assert_status 0
    finish server
    assert_output hello
}

@test "refused: status 4, one line with the address and the reason" {
    try "$SOCKCTL" connect 127.0.0.1 1
    assert_status 4
    assert_one_error_line
    [ "$errors" = "sockctl: connect to 127.0.0.1:1: Connection refused" ]
}

@test "a name that does not resolve is status 3; -n forbids the look-up" {
    try "$SOCKCTL" connect nosuchhost.invalid 80
    assert_status 3
    assert_one_error_line
    try "$SOCKCTL" connect -n localhost 80
    assert_status 3
    assert_one_error_line
}

@test "-w limits connecting: status 5" {
    need python3
    # A listener whose backlog is full does not answer.
    start peer python3 -c '
import socket, signal
s = socket.socket(); s.bind(("127.0.0.1", 0)); s.listen(0)
print("PORT", s.getsockname()[1], flush=True)
others = []
for i in range(4):
    c = socket.socket(); c.setblocking(False); c.connect_ex(s.getsockname()); others.append(c)
print("FULL", flush=True); signal.alarm(20); signal.pause()'
    wait_file peer.out '^FULL'
    wait_file peer.out '^PORT '
    start_ms=$(now_ms)
    try "$SOCKCTL" connect -w 0.4 127.0.0.1 "${LINE#PORT }"
    assert_status 5
    assert_one_error_line
    took=$(($(now_ms) - start_ms))
    ((took >= 400 && took < 1500 * PATIENCE))
}

@test "--max-time limits the whole command: status 5" {
    peer peer stall
    TRY_STDIN=<(sleep 5) try "$SOCKCTL" connect --max-time 300ms 127.0.0.1 "$PORT"
    assert_status 5
    assert_one_error_line
}

@test "-s and -p choose the local end" {
    need python3
    start peer python3 -c '
import socket
s = socket.create_server(("127.0.0.1", 0)); print("PORT", s.getsockname()[1], flush=True)
c, who = s.accept(); c.sendall(who[0].encode()); c.close()'
    wait_file peer.out '^PORT '
    try "$SOCKCTL" connect -s 127.0.0.9 127.0.0.1 "${LINE#PORT }"
    assert_output 127.0.0.9
}

@test "-v tells of the connection, -vv every socket call; stdout has data only" {
    peer peer send-close data
    try "$SOCKCTL" connect -v 127.0.0.1 "$PORT"
    assert_output data
    assert_errors "^sockctl: connected to 127\.0\.0\.1:$PORT\$"
    peer again send-close data
    try "$SOCKCTL" connect -vv 127.0.0.1 "$PORT"
    assert_output data
    assert_errors "^sockctl: connect\([0-9]+, \{AF_INET, 127\.0\.0\.1, port $PORT\}, 16\) = "
    assert_errors '^sockctl: close\([0-9]+\) = 0$'
}

@test "a full disk behind stdout is status 8" {
    peer peer send-close data
    status=0
    timeout 5 "$SOCKCTL" connect 127.0.0.1 "$PORT" </dev/null >/dev/full 2>err || status=$?
    errors=$(cat err)
    assert_status 8
    [ "$errors" = "sockctl: write to stdout: No space left on device" ]
}

@test "a reader that has had enough ends it promptly and quietly" {
    input=/dev/zero server 127.0.0.1 0
    { timeout 5 "$SOCKCTL" connect -d 127.0.0.1 "$PORT" 2>err || echo $? >code; } | head -c 1 >/dev/null
    [[ $(cat code) == 8 || $(cat code) == 141 ]]
    [ ! -s err ]
}

@test "a reader that goes away is noticed although nothing arrives" {
    peer peer stall
    { timeout 5 "$SOCKCTL" connect -d 127.0.0.1 "$PORT" 2>err || echo $? >code; } | :
    [[ $(cat code) == 8 ]]
    mkfifo open
    exec 5<>open
    peer other stall
    { timeout 5 "$SOCKCTL" connect 127.0.0.1 "$PORT" <open 2>err || echo $? >code; } | :
    exec 5>&-
    [[ $(cat code) == 8 ]]
}

@test "13.7: a reader that goes away is an end in order where stdin has ended and nothing is lost" {
    need python3
    peer peer stall
    rm -f code
    { timeout 5 "$SOCKCTL" connect 127.0.0.1 "$PORT" </dev/null 2>err || echo $? >code; } | :
    [ ! -e code ] || fail "status $(cat code)" err
    [ ! -s err ]
    # As git does it: one after the other; and a socket for both, which is closed as one.
    cat >closing.py <<'END'
import os, signal, socket, subprocess, sys, time
def run(stdin, stdout, *words):
    return subprocess.Popen([os.environ["SOCKCTL"], "connect", *words, "127.0.0.1", sys.argv[1]],
                            stdin=stdin, stdout=stdout)
for pause in 0, 0.01, 0.02:
    for first in "stdin", "stdout":
        p = run(subprocess.PIPE, subprocess.PIPE)
        p.stdin.write(b"hello"); p.stdin.flush()
        for name in (first, "stdout" if first == "stdin" else "stdin"):
            getattr(p, name).close()
            time.sleep(pause)
        assert p.wait(10) == 0, (pause, first, p.returncode)
# The peer's end and the reader's come together, and the peer's is seen first: splice(2) into a pipe that nobody
# reads is EPIPE even where there is nothing to move.
listener = socket.create_server(("127.0.0.1", 0))
p = subprocess.Popen([os.environ["SOCKCTL"], "connect", "127.0.0.1", str(listener.getsockname()[1])],
                     stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
conn = listener.accept()[0]
assert conn.recv(10) == b""
os.kill(p.pid, signal.SIGSTOP)
conn.close()
p.stdout.close()
os.kill(p.pid, signal.SIGCONT)
assert p.wait(10) == 0, p.returncode
for words in (), ("--no-shutdown",):
    ours, theirs = socket.socketpair()
    p = run(theirs, theirs, *words)
    theirs.close()
    ours.send(b"hello")
    ours.close()
    assert p.wait(10) == 0, (words, p.returncode)
END
    server -k -d 127.0.0.1 0
    try python3 closing.py "$PORT"
    assert_status 0
    [ -z "$errors" ] || show_results "something was said"
    # What arrives then is lost.
    input=/dev/zero server -k 127.0.0.1 0
    cat >full.py <<'END'
import array, fcntl, os, subprocess, sys, termios, time
p = subprocess.Popen([os.environ["SOCKCTL"], "connect", "127.0.0.1", sys.argv[1]],
                     stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
waiting = array.array("i", [0])
while waiting[0] < 65536:
    time.sleep(0.01)
    fcntl.ioctl(p.stdout, termios.FIONREAD, waiting)
time.sleep(0.5) # until more has come than there is room for
p.stdout.close()
assert p.wait(10) == 8, p.returncode
END
    try python3 full.py "$PORT"
    assert_status 0
    [ -z "$errors" ] || show_results "something was said"
}

@test "13.7: a peer that ends without a byte after our end is told at -v" {
    for words in '' '--send hello'; do
        start server "$SOCKCTL" listen -k 127.0.0.1:0 -c 'cat >/dev/null'
        listening server
        # shellcheck disable=SC2086 # words
        TRY_STDIN=<(echo hello) try "$SOCKCTL" connect $words 127.0.0.1 "$PORT"
        assert_status 0
        [ -z "$errors" ] || show_results "something was said"
        # shellcheck disable=SC2086 # words
        TRY_STDIN=<(echo hello) try "$SOCKCTL" connect -v $words 127.0.0.1 "$PORT"
        assert_status 0
        assert_errors "^sockctl: 127.0.0.1:$PORT ended without a byte after the sending half was shut down.*--no-shutdown"
        stop server
    done
    for words in -d --send-only --no-shutdown; do
        command='read -r line'
        [ $words != -d ] || command=true
        start server "$SOCKCTL" listen -k 127.0.0.1:0 -c "$command"
        listening server
        TRY_STDIN=<(echo hello) try "$SOCKCTL" connect -v $words 127.0.0.1 "$PORT"
        assert_status 0
        refute grep -q 'without a byte' try.err
        stop server
    done
    start server "$SOCKCTL" echo-server 127.0.0.1:0
    listening server
    TRY_STDIN=<(echo hello) try "$SOCKCTL" connect -v 127.0.0.1 "$PORT"
    refute grep -q 'without a byte' try.err
}

@test "closed descriptors never become the socket" {
    peer peer recv-once
    status=0
    timeout 5 "$SOCKCTL" connect 127.0.0.1 "$PORT" <&- >&- 2>&- || status=$?
    finish peer
    [ "${#lines[@]}" = 1 ] # the port, and nothing that would have been written to 0, 1 or 2
    peer again send-close data
    timeout 5 "$SOCKCTL" connect 127.0.0.1 "$PORT" </dev/null >&- 2>err || status=$?
    errors=$(cat err)
    assert_status 8
    assert_one_error_line
}

@test "a directory as stdin is status 8" {
    peer peer stall
    TRY_STDIN=/ try "$SOCKCTL" connect 127.0.0.1 "$PORT"
    assert_status 8
    assert_one_error_line
    assert_errors 'read from stdin: Is a directory'
}

@test "stdin and stdout are left blocking" {
    peer peer send-close data
    mkfifo pipe
    exec 5<>pipe
    try "$SOCKCTL" connect 127.0.0.1 "$PORT" 0<&5
    flags=$(sed -n 's/^flags:[[:space:]]*//p' /proc/self/fdinfo/5)
    exec 5>&-
    (((8#$flags & 04000) == 0))
}

@test "a signal ends it as the signal would" {
    peer peer stall
    START_STDIN=<(sleep 5) start client "$SOCKCTL" connect -v 127.0.0.1 "$PORT"
    wait_line client 'connected to'
    stop client TERM
    assert_status 143
}

@test "UDP: datagrams there and back, and an end after a second of silence" {
    start server "$SOCKCTL" echo-server -u 127.0.0.1 0
    listening server
    TRY_STDIN=<(printf hello) try "$SOCKCTL" connect -u 127.0.0.1 "$PORT"
    assert_status 0
    assert_output hello
}

@test "UDP: the largest datagram is kept whole" {
    need python3
    start peer python3 -c '
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("127.0.0.1", 0))
print("PORT", s.getsockname()[1], flush=True)
d, who = s.recvfrom(70000); print("GOT", len(d), flush=True); s.sendto(d, who)'
    wait_file peer.out '^PORT '
    make_file data 65507
    TRY_STDIN=data try "$SOCKCTL" connect -u -q 200ms 127.0.0.1 "${LINE#PORT }"
    assert_status 0
    cmp data try.out
    wait_file peer.out '^GOT 65507'
}

@test "UDP: an ICMP refusal is an error" {
    TRY_STDIN=<(echo x) try "$SOCKCTL" connect -u 127.0.0.1 1
    assert_status 1
    assert_one_error_line
    assert_errors 'Connection refused'
}

@test "UNIX datagrams and seqpackets" {
    for type in unix-dgram unix-seqpacket; do
        start "$type" "$SOCKCTL" echo-server -v "$type:$T/$type"
        listening "$type"
        TRY_STDIN=<(printf hello) try "$SOCKCTL" connect -q 300ms "$type:$T/$type"
        assert_status 0
        assert_output hello
    done
}

@test "-s PATH binds a UNIX datagram client there, and the file is removed" {
    start server "$SOCKCTL" echo-server -v "unix-dgram:$T/server"
    listening server
    TRY_STDIN=<(printf hello) try "$SOCKCTL" connect -q 300ms -s "$T/client" "unix-dgram:$T/server"
    assert_status 0
    assert_output hello
    [ ! -e client ]
    [ -S server ]
}

@test "a UNIX socket that is not there, not answered, or of another type is status 4" {
    need python3
    try "$SOCKCTL" connect "$T/missing"
    assert_status 4
    [ "$errors" = "sockctl: connect to unix:$T/missing: No such file or directory" ]
    python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("stale")'
    try "$SOCKCTL" connect unix:stale
    assert_status 4
    assert_errors 'Connection refused'
    start server "$SOCKCTL" echo-server -v "unix-dgram:$T/dgram"
    listening server
    try "$SOCKCTL" connect "$T/dgram"
    assert_status 4
    assert_one_error_line
}

@test "fd:N is a connection that was inherited" {
    need python3
    python3 -c '
import os, socket, subprocess, sys
a, b = socket.socketpair()
b.sendall(b"hello"); b.shutdown(socket.SHUT_WR)
p = subprocess.run([os.environ["SOCKCTL"], "connect", "fd:%d" % a.fileno()],
    pass_fds=[a.fileno()], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, timeout=5)
sys.exit(p.returncode or p.stdout != b"hello")'
}

@test "a pipe that was read full, and is empty now, does not block what arrives" {
    need python3
    SOCKCTL_NO_SPLICE=1 python3 -c '
import os, select, socket, subprocess, sys
s = socket.create_server(("127.0.0.1", 0)); r, w = os.pipe(); os.write(w, b"x" * 65536)
p = subprocess.Popen([os.environ["SOCKCTL"], "connect", "127.0.0.1", str(s.getsockname()[1])],
    stdin=r, stdout=subprocess.PIPE)
c = s.accept()[0]; n = 0
while n < 65536: n += len(c.recv(65536))
c.sendall(b"hello")
arrived = select.select([p.stdout], [], [], 5)[0]
os.close(w); c.close()
sys.exit(not arrived or p.wait(5))'
}

@test "-F passes the connected socket over stdout, with one byte, and is done" {
    peer peer send-close hello
    python3 -c '
import os, socket, subprocess, sys
a, b = socket.socketpair()
p = subprocess.run([os.environ["SOCKCTL"], "connect", "-F", "127.0.0.1", sys.argv[1]],
    stdin=subprocess.DEVNULL, stdout=b, timeout=5)
data, fds, _, _ = socket.recv_fds(a, 100, 1)
s = socket.socket(fileno=fds[0])
assert p.returncode == 0 and len(data) == 1 and os.get_blocking(fds[0])
got = b""
while part := s.recv(100): got += part
sys.exit(got != b"hello")' "$PORT"
}

@test "-F wants a UNIX socket as stdout: status 8, before anything is connected" {
    try "$SOCKCTL" connect -vv -F 127.0.0.1 1
    assert_status 8
    assert_errors 'stdout is not a UNIX socket: no descriptor can be passed over it$'
    refute grep -q 'connect(' try.err
}
