#!/usr/bin/env bats
# The socket options of connect, listen and echo-server: asked of the kernel, and seen in effect.

load helpers/common

# Whatever the options, they are refused before anything is sent: nobody has to listen.
set_by() { TRY_SECONDS=5 try "$SOCKCTL" connect -vv "$@"; }

# calls 'LEVEL, OPTION, VALUE'
calls() { assert_errors "^sockctl: setsockopt\([0-9]+, ${1%, *}, (\[${1##*, }\]|\"${1##*, }\"), [0-9]+\) = 0\$"; }

@test "each option is one setsockopt(2) before connecting, with the value asked for" {
    set_by --interface lo --ttl 5 --tos af41 --rcvbuf 20k --sndbuf 64k --no-delay \
        --keepalive=30 --fastopen 127.0.0.1 1
    assert_status 4
    calls 'SOL_SOCKET, SO_BINDTODEVICE, lo'
    calls 'IPPROTO_IP, IP_TTL, 5'
    calls 'IPPROTO_IP, IP_TOS, 136'
    calls 'SOL_SOCKET, SO_RCVBUF, 20480'
    calls 'SOL_SOCKET, SO_SNDBUF, 65536'
    calls 'IPPROTO_TCP, TCP_NODELAY, 1'
    calls 'SOL_SOCKET, SO_KEEPALIVE, 1'
    calls 'IPPROTO_TCP, TCP_KEEPIDLE, 30'
    calls 'IPPROTO_TCP, TCP_KEEPINTVL, 8'
    calls 'IPPROTO_TCP, TCP_KEEPCNT, 4'
    calls 'IPPROTO_TCP, TCP_USER_TIMEOUT, 60000'
    calls 'IPPROTO_TCP, TCP_FASTOPEN_CONNECT, 1'
    [[ ${errors##*setsockopt} == *'connect('* ]]
}

@test "IPv6 has its own, and --keepalive alone keeps the system's times" {
    need_ipv6
    set_by --ttl 255 --tos EF --keepalive ::1 1
    calls 'IPPROTO_IPV6, IPV6_UNICAST_HOPS, 255'
    calls 'IPPROTO_IPV6, IPV6_TCLASS, 184'
    calls 'SOL_SOCKET, SO_KEEPALIVE, 1'
    refute grep -qE 'TCP_KEEPIDLE|TCP_USER_TIMEOUT' try.err
}

@test "12.3.11: --keepalive: the probes of TIME after TIME" {
    while read -r time idle interval count limit; do
        set_by --keepalive="$time" 127.0.0.1 1
        calls "IPPROTO_TCP, TCP_KEEPIDLE, $idle"
        calls "IPPROTO_TCP, TCP_KEEPINTVL, $interval"
        calls "IPPROTO_TCP, TCP_KEEPCNT, $count"
        calls "IPPROTO_TCP, TCP_USER_TIMEOUT, $limit"
    done <<'END'
1ms 1 1 1 2000
1 1 1 1 2000
2 2 1 2 4000
5 5 2 3 10000
1h 3600 900 4 7200000
32767 32767 8192 4 65534000
END
}

# vanishing SIDE: a neighbour that dies once $T/vanish is there; see helpers/vanishing.
vanishing() {
    need ip nsenter unshare
    unshare -rn true 2>/dev/null || skip "no namespaces"
    export FAR=$1
    rm -f vanish vanished say
    mkfifo say
    exec 6<>say
    CLOSE+=" 6>&-"
    START_STDIN=say start near unshare -rn "$HELPERS/vanishing" "${@:2}"
}

# With --keepalive=2: 4 seconds, where it took 20 and more.
dead_in_time() {
    local began
    began=$(now_ms)
    touch vanish
    wait_file "$1" "$2" 30
    (($(now_ms) - began >= 2000)) || fail "told after $(($(now_ms) - began)) ms" "$1"
    (($(now_ms) - began < 14000 * PATIENCE)) || fail "told after $(($(now_ms) - began)) ms" "$1"
}

@test "12.3.11: --keepalive: a peer that is dead is told in time, whether it is idle or owes an answer" {
    vanishing "exec \"\$SOCKCTL\" echo-server 10.97.0.2:7" \
        "$SOCKCTL" connect -v --wait 9 --keepalive=2 10.97.0.2 7
    wait_line near 'from local address'
    dead_in_time near.err 'read from 10.97.0.2:7: Connection timed out$'
    finish near
    assert_status 1
    vanishing "exec \"\$SOCKCTL\" echo-server 10.97.0.2:7" \
        "$SOCKCTL" connect -v --wait 9 --keepalive=2 10.97.0.2 7
    wait_line near 'from local address'
    touch vanish
    poll 5000 test -e vanished
    echo more >&6
    dead_in_time near.err 'from 10.97.0.2:7: Connection timed out \(5 bytes not delivered\)$'
    finish near
    assert_status 1
}

@test "12.3.11: --keepalive: so is a client of a server" {
    local server
    start target "$SOCKCTL" echo-server -v "$T/s"
    listening target
    for server in 'listen -k' 'echo-server' "listen --to $T/s" 'listen -k -e cat'; do
        # shellcheck disable=SC2086
        vanishing "exec \"\$SOCKCTL\" connect -v --wait 9 --no-shutdown 10.97.0.1 9" \
            "$SOCKCTL" $server -v --keepalive=2 --port-file port 10.97.0.1:9
        wait_line near 'accepted 10.97.0.2'
        dead_in_time near.err '10.97.0.2:.*(timed out|timeout)'
        kill -TERM "${PIDS[near]}"
        finish near
    done
}

@test "12.3.11: --keepalive: a peer that lives is waited for, however long it does not read" {
    need python3
    head -c 9000000 /dev/zero >data
    for server in listen 'listen -k' 'listen --to'; do
        case $server in
        *--to)
            START_STDIN=data start source "$SOCKCTL" listen 127.0.0.1:0
            listening source
            server="listen --to 127.0.0.1:$PORT"
            ;;
        esac
        # shellcheck disable=SC2086
        START_STDIN=data start server "$SOCKCTL" $server --keepalive=1 --sndbuf 64k 127.0.0.1:0
        listening server
        TRY_SECONDS=40 try python3 -c '
import socket, sys, time
sock = socket.socket()
sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
sock.connect(("127.0.0.1", int(sys.argv[1])))
sock.shutdown(socket.SHUT_WR) if sys.argv[2] == "listen" else None
time.sleep(7)
print(sum(iter(lambda: len(sock.recv(1 << 16)), 0)))' "$PORT" "$server"
        assert_status 0
        assert_output 9000000
        kill -TERM "${PIDS[server]}" || :
        finish server
    done
}

@test "the words of --tos" {
    while read -r word value; do
        set_by --tos "$word" 127.0.0.1 1
        calls "IPPROTO_IP, IP_TOS, $value"
    done <<'END'
cs0 0
cs7 224
af11 40
af43 152
lowdelay 16
netcontrol 224
0xb8 184
255 255
END
}

@test "values that make no sense are usage errors that name the option" {
    while read -r option value; do
        try "$SOCKCTL" connect "--$option=$value" 127.0.0.1 1
        assert_usage_error "option --$option: '$value' "
    done <<'END'
ttl 0
ttl 256
ttl -1
tos 256
tos af14
tos cs8
tos 0x
tos 0x100
mark 4294967296
mark x
rcvbuf 1x
keepalive 0
keepalive 10h
interface 0123456789abcdef
END
    try "$SOCKCTL" connect --interface '' 127.0.0.1 1
    assert_usage_error 'option --interface'
}

@test "without an option nothing is set" {
    set_by 127.0.0.1 1
    refute grep -qE 'TTL|TOS|BUF|KEEP|NODELAY|MARK|FASTOPEN|BROADCAST|DEVICE' try.err
}

# refused REASON WORDS…: one line, status 4.
refused() {
    TRY_SECONDS=5 try "$SOCKCTL" "${@:2}"
    assert_status 4
    assert_one_error_line
    assert_errors "$1\$"
}

@test "what the system refuses is status 4 and one line, what this kind of socket does not have a usage error" {
    refused 'connect to 127.0.0.1:1: --interface: No such device' \
        connect --interface nonesuch0 127.0.0.1 1
    refused 'listen on 127.0.0.1:0: --interface: No such device' \
        listen --interface nonesuch0 127.0.0.1 0
    refused 'listen on 127.0.0.1:0: --interface: No such device' \
        echo-server --interface nonesuch0 127.0.0.1 0
    try "$SOCKCTL" connect --no-delay "$T/s"
    assert_usage_error 'option --no-delay is for TCP$'
    try "$SOCKCTL" listen --ttl 3 "$T/s"
    assert_usage_error 'option --ttl is for TCP and UDP$'
    try "$SOCKCTL" connect -u --mptcp 127.0.0.1 1
    assert_usage_error 'option --mptcp is for TCP$'
    [ ! -e s ]
}

@test "--mark is set, or refused without the privilege" {
    set_by --mark 4294967295 127.0.0.1 1
    assert_status 4
    grep -q 'SO_MARK, \[-1\], 4) = 0$' try.err ||
        assert_errors ': --mark: Operation not permitted$'
}

@test "a client that was accepted has them too" {
    need ss
    start server "$SOCKCTL" listen -d --tos 0x48 --sndbuf 64k --keepalive=30 127.0.0.1:0
    listening server
    START_STDIN=<(sleep 5) start client "$SOCKCTL" connect -v --keepalive=100m --tos ef 127.0.0.1 "$PORT"
    wait_line client 'connected to'
    ss -tinmo --tos "sport = :$PORT" >server.ss
    grep -Eq 'timer:\(keepalive,(30|29|2[0-8])' server.ss
    grep -q 'tos:0x48' server.ss
    grep -q 'tb131072' server.ss # the kernel doubles it: socket(7)
    ss -tino --tos "dport = :$PORT" >client.ss
    grep -Eq 'timer:\(keepalive,(9[0-9]|100)min' client.ss
    grep -q 'tos:0xb8' client.ss
}

@test "so has a UNIX client, which inherits nothing" {
    start server "$SOCKCTL" listen -vv -d --sndbuf 64k "$T/s"
    listening server
    try "$SOCKCTL" connect "$T/s"
    finish server
    assert_status 0
    [ "$(grep -c 'SO_SNDBUF, \[65536\], 4) = 0' server.err)" = 2 ]
}

@test "datagrams go out with --ttl and --tos, and to a broadcast address with -b" {
    need python3
    start peer python3 -c '
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("", 0))
s.setsockopt(socket.IPPROTO_IP, 12, 1) # IP_RECVTTL
s.setsockopt(socket.IPPROTO_IP, 13, 1) # IP_RECVTOS
print("PORT", s.getsockname()[1], flush=True)
for i in range(2):
    data, control, _, _ = s.recvmsg(10, 100)
    print(data, *sorted((c[1], c[2][0]) for c in control), flush=True)'
    wait_file peer.out '^PORT '
    port=${LINE#PORT }
    TRY_STDIN=<(printf x) try "$SOCKCTL" connect -u -q 0 --ttl 7 --tos 0x20 127.0.0.1 "$port"
    assert_status 0
    wait_file peer.out "b'x' \(1, 32\) \(2, 7\)"
    TRY_STDIN=<(printf y) try "$SOCKCTL" connect -u -q 0 127.255.255.255 "$port"
    assert_status 4
    assert_errors 'Permission denied \(a broadcast address needs -b, --broadcast\)$'
    TRY_STDIN=<(printf y) try "$SOCKCTL" connect -u -q 0 -b 127.255.255.255 "$port"
    assert_status 0
    wait_file peer.out "b'y'"
}

@test "--mptcp is spoken, or said not to be there" {
    start server "$SOCKCTL" listen -v --mptcp 127.0.0.1:0
    if ! wait_line server 'listening on' 2>/dev/null; then
        finish server
        assert_status 4
        assert_errors ': --mptcp: Protocol not (supported|available)$'
        return
    fi
    listening server
    TRY_STDIN=<(printf hello) try "$SOCKCTL" connect -vv --mptcp --no-delay 127.0.0.1 "$PORT"
    assert_status 0
    assert_errors 'socket\(AF_INET, SOCK_STREAM\|SOCK_NONBLOCK\|SOCK_CLOEXEC, IPPROTO_MPTCP\)'
    finish server
    assert_output hello
}

@test "--fastopen, on both sides, delivers the same bytes, the first time and the second" {
    head -c 200000 /dev/urandom >data
    start server "$SOCKCTL" echo-server --fastopen 127.0.0.1:0
    listening server
    for _ in 1 2; do
        TRY_STDIN=data try "$SOCKCTL" connect --fastopen 127.0.0.1 "$PORT"
        assert_status 0
        cmp data try.out
    done
}
