#!/usr/bin/env bats
# Failures known of other programs that no other file has a test for; tests/CASES.md has them all.

load helpers/common

# server ARGS…: a sockctl that listens, with `input` as its stdin.
server() {
    START_STDIN=${input:-} start server "$SOCKCTL" listen "$@"
    listening server
}

send() { TRY_STDIN=<(printf '%s\n' "$1") try "$SOCKCTL" connect 127.0.0.1 "$PORT"; }

# Clock ticks that a process has used.
ticks() { awk '{ print $14 + $15 }' "/proc/$1/stat"; }

@test "L06: a name is listened on, and told as an address" {
    server -4 localhost 0
    [[ $ADDR == 127.0.0.1:* ]]
    send hello
    finish server
    assert_output hello
}

@test "L16: -m counts clients that have gone" {
    need python3
    server -k -m 2 127.0.0.1 0
    python3 -c '
import socket, sys
where = "127.0.0.1", int(sys.argv[1])
for i in range(100): socket.create_connection(where).close()
three = [socket.create_connection(where) for i in range(3)]
for i, c in enumerate(three): c.sendall(b"%d\n" % i)
print("SENT", flush=True)
c.settimeout(0.3)
sys.stdin.readline()
three[0].close()
sys.stdin.readline()' "$PORT" < <(
        wait_file server.out '^0$'
        wait_file server.out '^1$'
        if wait_file server.out '^2$' 1 2>/dev/null; then echo served >early; fi
        echo
        wait_file server.out '^2$' && touch late
        echo
    )
    [ ! -e early ]
    [ -e late ]
}

@test "L17: after a client has gone, a server that waits uses no time" {
    sanitized && skip "the sanitizers use some"
    server -k 127.0.0.1 0
    send hello
    wait_file server.out hello
    before=$(ticks "${PIDS[server]}")
    read -rt 1 _ <> <(:) || :
    (($(ticks "${PIDS[server]}") - before <= 1))
}

@test "L19, L20: listen --send-only and -d" {
    echo ours >ours
    input=ours server --send-only 127.0.0.1 0
    send theirs
    assert_status 0
    assert_output ours
    finish server
    assert_status 0
    assert_output ""
    input=ours server -d 127.0.0.1 0
    send theirs
    assert_status 0
    assert_output ""
    finish server
    assert_status 0
    assert_output theirs
}

@test "L21, C07: when the client ends, the reader of stdout sees the end at once" {
    mkfifo out
    START_STDIN=<(sleep 9) start server bash -c 'exec "$@" >out' bash \
        "$SOCKCTL" listen --until-stdin-ends 127.0.0.1 0
    exec 6<out
    listening server
    peer peer send-close hello --connect "$PORT"
    read -rt 5 -d '' got <&6 || [ $? -eq 1 ] # the end, rather than the limit of 5 s
    [ "$got" = hello ]
    refute gone "${PIDS[server]}"
    exec 6<&-
}

@test "L25: more clients than select(2) could watch" {
    need python3
    need_descriptors 4096
    server -k 127.0.0.1 0
    python3 -c '
import socket, sys
all = [socket.create_connection(("127.0.0.1", int(sys.argv[1]))) for i in range(1500)]
for c in all: c.sendall(b"x\n")' "$PORT"
    poll 5000 has_lines 1500
    stop server
    assert_status 0
}
has_lines() { [ "$(wc -l <server.out)" -eq "$1" ]; }

@test "L27: the environment of another program changes nothing" {
    export SOCAT_DEFAULT_LISTEN_IP=6 SOCAT_PREFERRED_RESOLVE_IP=6 NCAT_PROTO=UDP
    server 127.0.0.1 0
    send hello
    finish server
    assert_output hello
}

@test "L30: a port that is empty is usage, and nothing listens" {
    for words in '127.0.0.1:' '[::1]:' : ''; do
        try "$SOCKCTL" listen "$words"
        assert_usage_error 'the port is missing$'
    done
    try "$SOCKCTL" listen 127.0.0.1 ''
    assert_usage_error 'the port is missing$'
}

@test "L39, C31: descriptors that were inherited are left alone, also a thousand of them" {
    need python3
    server 127.0.0.1 0
    python3 -c '
import os, resource, subprocess, sys
if resource.getrlimit(resource.RLIMIT_NOFILE)[1] >= 2048:
    resource.setrlimit(resource.RLIMIT_NOFILE, (2048,) * 2)
file = os.open("theirs", os.O_RDWR | os.O_CREAT); os.write(file, b"mine")
fds = list(range(10, resource.getrlimit(resource.RLIMIT_NOFILE)[0] - 100))
for fd in fds: os.dup2(file, fd)
p = subprocess.run([os.environ["SOCKCTL"], "connect", "127.0.0.1", sys.argv[1]], input=b"hello",
    stdout=subprocess.PIPE, pass_fds=fds, timeout=10)
sys.exit(p.returncode or os.lseek(file, 0, os.SEEK_CUR) != 4 or os.fstat(file).st_size != 4)' "$PORT"
    finish server
    assert_output hello
}

@test "L40: a little more than a buffer, then the end" {
    for size in 4098 65537 131073; do
        head -c $size /dev/zero >data
        server 127.0.0.1 0
        TRY_STDIN=data try "$SOCKCTL" connect 127.0.0.1 "$PORT"
        finish server
        cmp server.out data
    done
}

@test "C04: of a name with both families, the one that answers is used" {
    unshare -rm true 2>/dev/null || skip "needs a mount namespace"
    printf '127.0.0.1 both\n::1 both\n' >hosts
    for host in 127.0.0.1 $(ipv6 ::1); do
        server "$host" 0
        # shellcheck disable=SC2016 # the inner shell expands it
        TRY_STDIN=<(echo hello) try unshare -rm bash -c 'mount --bind hosts /etc/hosts && exec "$@"' \
            bash "$SOCKCTL" connect both "$PORT"
        assert_status 0
        finish server
        assert_output hello
    done
}

@test "C06: --no-shutdown: the peer sees no end, and its answer arrives" {
    need python3
    start peer python3 -c '
import socket
s = socket.create_server(("127.0.0.1", 0)); print("PORT", s.getsockname()[1], flush=True)
c = s.accept()[0]; c.settimeout(0.3); got = c.recv(100)
try: got += b"END" + c.recv(100)
except TimeoutError: c.sendall(b"answer to " + got)'
    wait_file peer.out '^PORT '
    TRY_STDIN=<(printf hello) try "$SOCKCTL" connect --no-shutdown 127.0.0.1 "${LINE#PORT }"
    assert_status 0
    assert_output 'answer to hello'
}

@test "C10: the idle limit waits for silence in both directions" {
    need python3
    start peer python3 -c '
import socket, time
s = socket.create_server(("127.0.0.1", 0)); print("PORT", s.getsockname()[1], flush=True)
c = s.accept()[0]
for i in range(4): time.sleep(0.2); c.sendall(b"x")
for i in range(4): c.recv(1)
time.sleep(9)'
    wait_file peer.out '^PORT '
    start_ms=$(now_ms)
    TRY_STDIN=<(for _ in 1 2 3 4; do sleep 0.3; printf y; done; sleep 9) \
        try "$SOCKCTL" connect -i 500ms 127.0.0.1 "${LINE#PORT }"
    took=$(($(now_ms) - start_ms))
    assert_status 5
    assert_output xxxx
    ((took >= 1700 && took < 3000 * PATIENCE)) || fail "after $took ms"
}

@test "C20: a UNIX path at -v" {
    server -v "unix:$T/s"
    TRY_STDIN=<(echo hello) try "$SOCKCTL" connect -v "unix:$T/s"
    assert_status 0
    assert_errors "^sockctl: connected to unix:$T/s\$"
    finish server
    assert_output hello
}

@test "C28: a peer that reads 1 KiB at a time gets all" {
    need python3
    head -c 2000000 /dev/urandom >data
    start peer python3 -c '
import socket
s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
s.bind(("127.0.0.1", 0)); s.listen(); print("PORT", s.getsockname()[1], flush=True)
c = s.accept()[0]
with open("got", "wb") as f:
    while part := c.recv(1024): f.write(part)'
    wait_file peer.out '^PORT '
    TRY_STDIN=data try "$SOCKCTL" connect 127.0.0.1 "${LINE#PORT }"
    assert_status 0
    finish peer
    cmp got data
}

@test "C29: ends in any order are one end, without a word" {
    mkfifo up down
    exec 6<>up 7<>down
    CLOSE+=" 6>&- 7>&-"
    for first in connect listen; do
        input=down server 127.0.0.1 0
        START_STDIN=up start client "$SOCKCTL" connect --until-stdin-ends 127.0.0.1 "$PORT"
        echo hello >&6
        wait_file server.out hello
        echo hello >&7
        wait_file client.out hello
        if [ $first = connect ]; then exec 6>&- 7>&-; else exec 7>&- 6>&-; fi
        finish client
        assert_status 0
        [ -z "$errors" ]
        finish server
        assert_status 0
        [ "$(wc -l <server.err)" = 1 ]
        exec 6<>up 7<>down
    done
    exec 6>&- 7>&-
}

@test "C30, U08: each signal ends it as that signal would, and leaves no socket file" {
    for signal in TERM:143 INT:130 HUP:129 QUIT:131; do
        for type in unix unix-dgram unix-seqpacket; do
            server -v "$type:$T/s"
            stop server "${signal%:*}"
            assert_status "${signal#*:}"
            [ ! -e s ]
        done
        server -v 127.0.0.1 0
        START_STDIN=<(sleep 9) start client "$SOCKCTL" connect -v 127.0.0.1 "$PORT"
        wait_line client 'connected to'
        stop client "${signal%:*}"
        assert_status "${signal#*:}"
        finish server || :
    done
}

@test "C32, C38: stdin and stdout of every two kinds, terminals and sockets too" {
    need python3
    for no in 0 1; do
        SOCKCTL_NO_SPLICE=$no TRY_SECONDS=30 try python3 "$HELPERS/kinds.py"
        assert_status 0
        assert_output ""
    done
}

@test "C33: listen with a reader that has had enough ends promptly and quietly" {
    { timeout 5 "$SOCKCTL" listen 127.0.0.1 0 2>err </dev/null || echo $? >code; } | head -c 1 >/dev/null &
    wait_file err '^sockctl: listening on '
    TRY_STDIN=/dev/zero try "$SOCKCTL" connect 127.0.0.1 "${LINE##*:}"
    assert_status 1
    wait_file code .
    [[ $(cat code) == 8 || $(cat code) == 141 ]]
    [ "$(wc -l <err)" = 1 ]
}
