#!/usr/bin/env bats
# listen: one client, and many.

load helpers/common

server() {
    START_STDIN=${input:-} start server "$SOCKCTL" listen "$@"
    listening server
}

# client NAME: a client that stays; what it is to send is written to the FIFO NAME.in.
client() {
    mkfifo "$1.in"
    START_STDIN=$1.in start "$1" "$SOCKCTL" connect -v --until-stdin-ends 127.0.0.1 "$PORT"
}

@test "one client is served, and then it is over" {
    server 127.0.0.1 0
    TRY_STDIN=<(echo hello) try "$SOCKCTL" connect 127.0.0.1 "$PORT"
    assert_status 0
    finish server
    assert_status 0
    assert_output hello
}

@test "port 0 is told without -v, any other only with it" {
    server 127.0.0.1 0
    [[ $ADDR =~ ^127\.0\.0\.1:[1-9][0-9]*$ ]]
    port=$PORT
    stop server
    start again "$SOCKCTL" listen -v 127.0.0.1 "$port"
    listening again
    [ "$ADDR" = "127.0.0.1:$port" ]
    stop again
    [ "$errors" = "sockctl: listening on 127.0.0.1:$port" ]
}

@test "without an address both families are heard; -4 and -6 hear their own" {
    for address in 0 :0 '*:0'; do
        server "$address"
        [[ $ADDR == '*:'* ]]
        stop server
    done
    need_ipv6
    for via in 127.0.0.1 ::1; do
        server 0
        TRY_STDIN=<(echo "$via") try "$SOCKCTL" connect "$via" "$PORT"
        assert_status 0
        finish server
        assert_output "$via"
    done
    server -4 0
    try "$SOCKCTL" connect ::1 "$PORT"
    assert_status 4
    stop server
    server -6 0
    [[ $ADDR == '[::]:'* ]]
    try "$SOCKCTL" connect 127.0.0.1 "$PORT"
    assert_status 4
    stop server
    for address in '[::]:0' tcp6:0; do
        server "$address"
        [[ $ADDR == '[::]:'* ]]
        stop server
    done
}

@test "an address of the other family is refused" {
    try "$SOCKCTL" listen -4 ::1 0
    assert_usage_error
    try "$SOCKCTL" listen -6 127.0.0.1 0
    assert_usage_error
}

@test "a second client is refused while the first is served" {
    need python3
    server 127.0.0.1 0
    client first
    exec 5>first.in
    wait_line first 'connected to'
    echo one >&5
    wait_file server.out one
    try "$SOCKCTL" connect 127.0.0.1 "$PORT"
    assert_status 4
    exec 5>&-
    finish server
    assert_status 0
    assert_output one
}

@test "nc's spelling: -l -p PORT, -s ADDR" {
    server -l -p 0 -s 127.0.0.1
    TRY_STDIN=<(echo hello) try "$SOCKCTL" connect 127.0.0.1 "$PORT"
    finish server
    assert_output hello
    try "$SOCKCTL" listen
    assert_usage_error 'missing operand'
    try "$SOCKCTL" listen -p 1 -s 127.0.0.1 80
    assert_usage_error
}

@test "a client that sends much and closes at once loses nothing" {
    head -c 1048576 /dev/urandom >data
    server 127.0.0.1 0
    TRY_STDIN=data try "$SOCKCTL" connect 127.0.0.1 "$PORT"
    finish server
    cmp server.out data
}

@test "the end of our input does not end the client's: all it still sends arrives" {
    need python3
    : >empty
    input=empty server 127.0.0.1 0
    start client python3 -c '
import socket, sys
c = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
assert c.recv(1) == b""
c.sendall(b"x" * 1048576); c.close()' "$PORT"
    finish server
    assert_status 0
    [ "$(wc -c <server.out)" = 1048576 ]
}

@test "with stdin from /dev/null there is no input: the sending half stays open" {
    need python3
    server 127.0.0.1 0
    start client python3 -c '
import socket, sys
c = socket.create_connection(("127.0.0.1", int(sys.argv[1]))); c.settimeout(0.4)
try: print("ended", c.recv(1))
except TimeoutError: print("open")' "$PORT"
    finish client
    assert_output open
    finish server
    assert_status 0
}

@test "a client that resets is status 1" {
    need python3
    server 127.0.0.1 0
    start client python3 "$HELPERS/peer.py" rst-after 0 --connect "$PORT"
    finish server
    assert_status 1
    assert_errors "^sockctl: read from 127\.0\.0\.1:[0-9]+: Connection reset by peer$"
}

@test "-w limits the wait for a client: status 5" {
    start_ms=$(now_ms)
    try "$SOCKCTL" listen -w 300ms 127.0.0.1 0
    assert_status 5
    assert_errors 'no client came'
    (($(now_ms) - start_ms >= 300))
}

@test "-i ends a connection on which nothing moves: status 5" {
    need python3
    server -i 300ms 127.0.0.1 0
    start client python3 "$HELPERS/peer.py" stall --connect "$PORT"
    finish server
    assert_status 5
    assert_errors 'nothing moved'
}

@test "-k: three clients one after the other, then a signal: status 0" {
    server -k 127.0.0.1 0
    for word in one two three; do
        TRY_STDIN=<(echo $word) try "$SOCKCTL" connect 127.0.0.1 "$PORT"
        assert_status 0
    done
    wait_file server.out three
    stop server
    assert_status 0
    assert_output $'one\ntwo\nthree'
}

@test "-k: clients are heard at the same time, and input goes to all" {
    mkfifo say
    exec 5<>say
    input=say server -k 127.0.0.1 0
    client a
    exec 6>a.in
    client b
    exec 7>b.in
    echo from a >&6
    echo from b >&7
    wait_file server.out 'from a'
    wait_file server.out 'from b'
    echo to all >&5
    wait_file a.out 'to all'
    wait_file b.out 'to all'
    exec 5>&- 6>&- 7>&-
    stop server INT
    assert_status 0
}

@test "-k -m N: more clients wait until one leaves" {
    server -k -m 1 127.0.0.1 0
    client a
    exec 6>a.in
    echo one >&6
    wait_file server.out one
    CLOSE+=" 6>&-"
    start b "$SOCKCTL" connect 127.0.0.1 "$PORT"
    START_STDIN=<(echo two) start c "$SOCKCTL" connect 127.0.0.1 "$PORT"
    if wait_file server.out two 1; then fail "the second client was served"; fi
    exec 6>&-
    wait_file server.out two
    finish c
    assert_status 0
}

@test "-k: the idle limit ends a client, not the server" {
    need python3
    server -k -i 200ms 127.0.0.1 0
    start quiet python3 "$HELPERS/peer.py" stall --connect "$PORT"
    wait_line server 'nothing moved'
    TRY_STDIN=<(echo still here) try "$SOCKCTL" connect 127.0.0.1 "$PORT"
    assert_status 0
    wait_file server.out 'still here'
    stop server
    assert_status 0
}

@test "--greeting is sent to each client, C escapes understood" {
    server -k --greeting 'a\tb\x21\n' 127.0.0.1 0
    for _ in 1 2; do
        try "$SOCKCTL" connect 127.0.0.1 "$PORT"
        assert_status 0
        assert_output $'a\tb!'
    done
    stop server
    server --greeting 'once\n' 127.0.0.1 0
    try "$SOCKCTL" connect 127.0.0.1 "$PORT"
    assert_output once
    finish server
    assert_status 0
    try "$SOCKCTL" listen --greeting 'bad\q' 127.0.0.1 0
    assert_usage_error 'unknown escape'
}

@test "-k: a client that does not read is dropped, the others get everything" {
    need python3
    head -c 8000000 /dev/urandom >data
    mkfifo say
    exec 5<>say
    input=say server -k 127.0.0.1 0
    start stuck python3 "$HELPERS/peer.py" stall --connect "$PORT"
    START_STDIN=<(sleep 9) start good "$SOCKCTL" connect --until-stdin-ends 127.0.0.1 "$PORT"
    wait_server_clients 2
    timeout 10 cat data >&5
    poll 5000 cmp -s good.out data
    grep -q 'does not read' server.err
    exec 5>&-
}

# Until the server has accepted so many.
wait_server_clients() {
    poll 5000 has_sockets $(($1 + 1))
}
has_sockets() {
    local fd sockets=0
    for fd in "/proc/${PIDS[server]}/fd/"*; do
        [[ $(readlink "$fd") != socket:* ]] || sockets=$((sockets + 1))
    done
    ((sockets >= $1))
}

@test "a full disk behind stdout is status 8, also with -k" {
    for keep in '' -k; do
        : >server.err
        # shellcheck disable=SC2086
        timeout 10 "$SOCKCTL" listen $keep 127.0.0.1 0 </dev/null >/dev/full 2>server.err &
        pid=$!
        wait_file server.err 'listening on'
        TRY_STDIN=<(echo data) try "$SOCKCTL" connect 127.0.0.1 "${LINE##*:}"
        status=0
        wait "$pid" || status=$?
        assert_status 8
        grep -q 'write to stdout: No space left on device' server.err
    done
}

@test "UDP: the first peer is the peer" {
    need python3
    mkfifo say
    exec 5<>say
    input=say server -u 127.0.0.1 0
    start two python3 -c '
import socket, sys
port = int(sys.argv[1])
a = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); a.connect(("127.0.0.1", port)); a.settimeout(5)
b = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); b.connect(("127.0.0.1", port))
a.send(b"first\n"); print("SENT", flush=True)
assert a.recv(100) == b"answer\n"
b.send(b"second\n"); a.send(b""); a.send(b"third\n")' "$PORT"
    wait_file server.out first
    echo answer >&5
    wait_file server.out third
    if grep -q second server.out; then fail "the second peer was heard"; fi
    exec 5>&-
    stop server
    assert_status 143
}

@test "UDP -k: everybody is heard, the answer goes to the one heard last" {
    need python3
    need_ipv6
    mkfifo say
    exec 5<>say
    input=say server -u -k 0
    start a python3 -c '
import socket, sys
a = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); a.connect(("127.0.0.1", int(sys.argv[1])))
a.settimeout(5); a.send(b"a\n"); print(a.recv(100).decode(), end="")' "$PORT"
    wait_file server.out '^a'
    echo answer >&5
    finish a
    assert_output answer
    TRY_STDIN=<(echo b) try "$SOCKCTL" connect -u -q 0.1 ::1 "$PORT"
    wait_file server.out '^b'
    exec 5>&-
    stop server
    assert_status 0
}

@test "a socket file goes with its listener, by signal too" {
    server -v "unix:$T/s"
    [ -S s ]
    [ "$(stat -c %a s)" = 600 ]
    stop server TERM
    assert_status 143
    [ ! -e s ]
    server -v -k --mode 0660 "unix:$T/s"
    [ "$(stat -c %a s)" = 660 ]
    stop server TERM
    assert_status 0
    [ ! -e s ]
}

@test "descriptors do not leak over 300 clients, half of which reset" {
    need python3
    server -k 127.0.0.1 0
    TRY_STDIN=<(echo x) try "$SOCKCTL" connect 127.0.0.1 "$PORT"
    before=$(ls "/proc/${PIDS[server]}/fd" | wc -l)
    python3 -c '
import socket, struct, sys
for i in range(300):
    c = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
    if i % 2: c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    c.close()' "$PORT"
    TRY_STDIN=<(echo last) try "$SOCKCTL" connect 127.0.0.1 "$PORT"
    wait_file server.out last
    poll 3000 same_descriptors "$before"
}
same_descriptors() { [ "$(ls "/proc/${PIDS[server]}/fd" | wc -l)" = "$1" ]; }

@test "seqpackets: one client, messages kept, nothing lost" {
    head -c 300000 /dev/urandom >data
    START_STDIN=data start server "$SOCKCTL" listen -v "unix-seqpacket:$T/s"
    listening server
    TRY_STDIN=data try "$SOCKCTL" connect "unix-seqpacket:$T/s"
    assert_status 0
    cmp try.out data
    finish server
    assert_status 0
    cmp server.out data
}

@test "-k: --max-time ends the server, clients or not: status 5" {
    need python3
    server -k --max-time 600ms 127.0.0.1 0
    start quiet python3 "$HELPERS/peer.py" stall --connect "$PORT"
    finish server
    assert_status 5
    assert_errors 'the limit of 0.6 seconds for the command is over'
}

@test "-k --stats tells of each client" {
    server -k --stats 127.0.0.1 0
    for word in one three; do
        TRY_STDIN=<(printf %s "$word") try "$SOCKCTL" connect 127.0.0.1 "$PORT"
    done
    wait_line server '^sockctl: sent 0 B, received 3 B in '
    wait_line server '^sockctl: sent 0 B, received 5 B in '
    stop server
}

@test "what datagrams have no use for is refused, before anybody is told that it listens" {
    for option in --serial --broker --chat "--greeting x" "--oob x" --telnet; do
        # shellcheck disable=SC2086 # two words
        try "$SOCKCTL" listen -u -k $option 127.0.0.1 0
        assert_usage_error "option ${option% *} is for (connections|one client)"
        # shellcheck disable=SC2086 # two words
        try "$SOCKCTL" listen -u $option 127.0.0.1 0
        assert_usage_error "option ${option% *} is for (connections|streams|TCP)"
    done
    try "$SOCKCTL" listen -u --serial 127.0.0.1:0 --to 127.0.0.1:9
    assert_usage_error "option --serial is for connections"
}

@test "-k: -q and --no-shutdown mean what they mean for one client" {
    need python3
    : >empty
    input=empty server -k -q 300ms --no-shutdown 127.0.0.1 0
    start client python3 -c '
import socket, sys
c = socket.create_connection(("127.0.0.1", int(sys.argv[1]))); c.settimeout(0.1)
try: print("ended", c.recv(1))
except TimeoutError: print("open")
c.settimeout(5); print("then", c.recv(1))' "$PORT"
    finish client
    assert_output $'open\nthen b\'\''
    stop server
    assert_status 0
}

@test "a signal that whoever started it ignores stays ignored" {
    start server bash -c 'trap "" HUP; exec "$0" listen -k 127.0.0.1 0' "$SOCKCTL"
    listening server
    kill -HUP "${PIDS[server]}"
    TRY_STDIN=<(echo here) try "$SOCKCTL" connect 127.0.0.1 "$PORT"
    assert_status 0
    wait_file server.out here
    stop server TERM
    assert_status 0
}

@test "a reader that goes away while nothing arrives ends the server, quietly" {
    for words in '-k 127.0.0.1 0' '-u 127.0.0.1 0'; do
        # shellcheck disable=SC2086
        { timeout 5 "$SOCKCTL" listen $words </dev/null 2>err || echo $? >code; } | :
        [ "$(cat code)" = 8 ]
        [ "$(wc -l <err)" = 1 ] # that it listens
        rm code
    done
}

@test "a signal right after the line that says listening: the file is removed" {
    for words in '-k -v' '-v'; do
        for _ in 1 2 3 4 5; do
            # shellcheck disable=SC2086
            start server "$SOCKCTL" listen $words "unix:$T/s"
            listening server
            stop server TERM
            [ ! -e s ]
            [ "$words" = -v ] || assert_status 0
        done
    done
}

@test "-k: each client is greeted, also when our input has ended" {
    : >empty
    input=empty server -k --greeting 'hello\n' 127.0.0.1 0
    for client in a b c; do
        TRY_STDIN=<(echo $client) try "$SOCKCTL" connect 127.0.0.1 "$PORT"
        assert_status 0
        assert_output hello
    done
    wait_file server.out '^c$'
}

@test "-k -i: a client that has half-closed is not kept for ever" {
    need python3
    START_STDIN=<(sleep 9) start server "$SOCKCTL" listen -k -i 300ms --until-stdin-ends 127.0.0.1 0
    listening server
    start client python3 -c '
import socket, sys
c = socket.create_connection(("127.0.0.1", int(sys.argv[1]))); c.settimeout(5)
c.shutdown(socket.SHUT_WR); print(c.recv(1))' "$PORT"
    finish client
    assert_output "b''"
}

@test "-k: a UNIX datagram peer that has gone does not end the server" {
    need python3
    mkfifo say
    exec 5<>say
    input=say server -v -k "unix-dgram:$T/s"
    python3 -c '
import os, socket
c = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); c.bind("client"); c.sendto(b"one\n", "s")
os.unlink("client")'
    wait_file server.out one
    echo lost >&5
    wait_line server 'warning: send to the peer heard last'
    python3 -c '
import socket
socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(b"two\n", "s")'
    wait_file server.out two
    exec 5>&-
    stop server
    assert_status 0
}

@test "fd:0 is a listening socket that was inherited as stdin" {
    need python3
    start server python3 -c '
import os, socket
s = socket.create_server(("127.0.0.1", 0)); print("PORT", s.getsockname()[1], flush=True)
os.dup2(s.fileno(), 0); os.execv(os.environ["SOCKCTL"], ["sockctl", "listen", "-k", "fd:0"])'
    wait_file server.out '^PORT '
    TRY_STDIN=<(echo hello) try "$SOCKCTL" connect 127.0.0.1 "${LINE#PORT }"
    assert_status 0
    wait_file server.out '^hello$'
    stop server
    assert_status 0
}
