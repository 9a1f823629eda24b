#!/usr/bin/env bats
# TCP urgent data: sent with --oob, received in line.

load helpers/common

# urgent_peer: sends bytes before, at and after an urgent one, then a lot, and ends.
urgent_peer() {
    need python3
    start peer python3 -c '
import socket, time
s = socket.create_server(("127.0.0.1", 0)); print("PORT", s.getsockname()[1], flush=True)
c = s.accept()[0]
for i in range(2):
    c.sendall(b"abc"); c.send(b"!", socket.MSG_OOB); time.sleep(0.3); c.sendall(b"def")
c.sendall(b"x" * 1000000); c.send(b"?", socket.MSG_OOB); c.sendall(b"y" * 1000000); c.close()'
    wait_file peer.out '^PORT '
    PORT=${LINE#PORT }
    {
        printf 'abc!defabc!def'
        head -c 1000000 /dev/zero | tr '\0' x
        printf '?'
        head -c 1000000 /dev/zero | tr '\0' y
    } >all
}

@test "urgent data is read in line, and what follows it is not lost: into a pipe and a file" {
    for no in 0 1; do
        export SOCKCTL_NO_SPLICE=$no
        urgent_peer
        TRY_STDIN=/dev/null try "$SOCKCTL" connect -d 127.0.0.1 "$PORT"
        assert_status 0
        cmp all try.out
        urgent_peer
        timeout 10 "$SOCKCTL" connect -d 127.0.0.1 "$PORT" </dev/null | cat >got
        cmp all got
    done
}

@test "it does not make the program spin" {
    need python3
    sanitized && skip "the sanitizers cost more than that"
    urgent_peer
    # shellcheck disable=SC2016
    python3 -c '
import os, resource, subprocess, sys
subprocess.run([os.environ["SOCKCTL"], "connect", "-d", "127.0.0.1", sys.argv[1]],
    stdout=subprocess.PIPE, timeout=10, check=True)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
sys.exit(used.ru_utime + used.ru_stime > 0.25)' "$PORT"
}

@test "a server gets it in line too, with one client and with many" {
    need python3
    for many in "" -k; do
        # shellcheck disable=SC2086
        start server "$SOCKCTL" listen $many -v 127.0.0.1:0
        listening server
        python3 -c '
import socket, sys
c = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
c.sendall(b"abc"); c.send(b"!", socket.MSG_OOB); c.sendall(b"def"); c.close()' "$PORT"
        wait_line server 'closed .*: 7 bytes in'
        [ -z "$many" ] || stop server
        [ -n "$many" ] || finish server
        assert_status 0
        assert_output 'abc!def'
    done
}

@test "--oob sends a byte, or an escape, as urgent data before all else" {
    need python3
    for byte in '!' '\xff'; do
        start peer python3 -c '
import select, socket
s = socket.create_server(("127.0.0.1", 0)); print("PORT", s.getsockname()[1], flush=True)
c = s.accept()[0]
select.select([], [], [c], 5)
print(c.recv(1, socket.MSG_OOB), end=" "); got = b""
while part := c.recv(100): got += part
print(got)'
        wait_file peer.out '^PORT '
        TRY_STDIN=<(printf hello) try "$SOCKCTL" connect --oob "$byte" 127.0.0.1 "${LINE#PORT }"
        assert_status 0
        finish peer
        [ "${lines[1]}" = "b'$byte' b'hello'" ]
    done
    start server "$SOCKCTL" listen --oob '\n' 127.0.0.1:0
    listening server
    try "$SOCKCTL" connect 127.0.0.1 "$PORT"
    printf '\n' | cmp - try.out
}

@test "--oob: one byte, and a socket that knows urgent data" {
    for byte in '' ab '\xff1'; do
        try "$SOCKCTL" connect --oob "$byte" 127.0.0.1 1
        assert_usage_error 'option --oob: .* is not one byte'
    done
}

@test "datagrams have no urgent data: a usage error" {
    try "$SOCKCTL" connect -u --oob x 127.0.0.1 1
    assert_usage_error 'option --oob is for TCP'
}
