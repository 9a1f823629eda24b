#!/usr/bin/env bats
# What messages say beside what failed: what to type next, and of whom they speak (15.3).

load helpers/common

@test "15.3: a message says what to do next" {
    while IFS='|' read -r code words why; do
        # shellcheck disable=SC2086 # words
        try "$SOCKCTL" $words
        assert_status "$code"
        [[ $errors == "sockctl: $why"* ]] || fail "not '$why', of '$words': $errors"
    done <<'END'
2|connect --keepalive 5 localhost 13|too many operands (a value of --keepalive is written --keepalive=5)
2|connect app.sock|address 'app.sock': the port is missing (a UNIX socket is written with a slash: ./app.sock)
2|connect localhost 20 25|too many operands, starting with '25' (several ports are for --probe)
2|connect -z localhost 80 81/tcp|'81/tcp' is no port: --probe takes one HOST and its ports, or HOST:PORT words alone
2|nc localhost 80|unknown command 'nc' (that is connect, or listen)
2|get localhost|unknown command 'get' (that is http-get)
2|dig localhost|unknown command 'dig' (that is resolve)
2|version|unknown command 'version' (that is --version)
2|localhost 80|unknown command 'localhost'; there are connect listen echo-server unix-send unix-serve http-get resolve
2|-v connect localhost 80|unknown option -v before the command: options follow it, as in 'sockctl connect -v ...'
2|http-get -O page.html|URL 'page.html' has no file name in it, for --remote-name; --output FILE names one, as wget's -O FILE does
2|resolve --server 127.0.0.1#53 -t A x|server '127.0.0.1#53' has dig's '#' before its port: write ADDR:PORT
4|connect -u 127.255.255.255 9|connect to 127.255.255.255:9: Permission denied (a broadcast address needs -b, --broadcast)
END
}

@test "15.3: several ports after one host are probed together" {
    start server "$SOCKCTL" echo-server 127.0.0.1:0
    listening server
    try "$SOCKCTL" connect -z 127.0.0.1 "$PORT" 1
    assert_status 4
    assert_output "127.0.0.1 $PORT open"
    assert_errors 'connect to 127\.0\.0\.1: 1 of 2 ports are not open'
}

@test "15.3: a link-local address needs its zone" {
    need_ipv6
    for command in connect listen; do
        try "$SOCKCTL" "$command" fe80::1 80
        assert_status 4
        assert_errors "\[fe80::1\]:80: Invalid argument \(a link-local address needs its zone: fe80::1%eth0\)$"
    done
}

@test "15.3: a port below 1024 needs a privilege" {
    read -r first </proc/sys/net/ipv4/ip_unprivileged_port_start
    [ "$first" -gt 80 ] || skip "every port is for everybody"
    need_other_user
    try "${OTHER[@]}" "$SOCKCTL" listen 127.0.0.1 80
    assert_status 4
    assert_errors "^sockctl: listen on 127\.0\.0\.1:80: Permission denied \(ports below $first, net\.ipv4\.ip_unprivileged_port_start, need CAP_NET_BIND_SERVICE\)$"
}

@test "15.3: a port that no process has is held by a connection in TIME_WAIT" {
    need python3
    try python3 -c '
import socket
listener = socket.socket() # without SO_REUSEADDR, as in the lecture
listener.bind(("127.0.0.1", 0))
listener.listen()
port = listener.getsockname()[1]
client = socket.create_connection(("127.0.0.1", port))
ours, _ = listener.accept()
ours.close()
client.recv(1)
client.close()
listener.close()
print(port)'
    try "$SOCKCTL" listen 127.0.0.1 "$output"
    assert_status 4
    assert_errors 'Address already in use \(by no process: a connection that has ended, in TIME_WAIT, keeps it for up to a minute\)$'
}

@test "15.3: a datagram that is refused" {
    TRY_STDIN=<(printf x) try "$SOCKCTL" connect -u 127.0.0.1 1
    assert_status 1
    assert_errors '^sockctl: send to 127\.0\.0\.1:1: Connection refused \(nothing listens there\)$'
    has_host ::1 || return 0
    TRY_STDIN=<(printf x) try "$SOCKCTL" connect -u ::1 1
    assert_errors '^sockctl: send to \[::1\]:1: Connection refused \(nothing listens there; -4 for 127\.0\.0\.1\)$'
}

@test "15.3: a probe that nobody answers says what it has sent" {
    need python3
    start silent python3 -c '
import signal, socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("127.0.0.1", 0))
print("PORT", s.getsockname()[1], flush=True)
signal.pause()'
    wait_file silent.out '^PORT '
    try "$SOCKCTL" connect -zu -w 50ms 127.0.0.1 "${LINE#PORT }"
    assert_status 4
    assert_errors 'no answer \(to an empty datagram; --payload HEX sends a real question\)$'
    try "$SOCKCTL" connect -zu -w 50ms --payload 00 127.0.0.1 "${LINE#PORT }"
    assert_errors 'no answer$'
}

@test "15.3: another framing is recognised by its first bytes" {
    need python3
    for case in 'native|u32be|5 in the other byte order: does the client use --framing u32be\?' \
        'u32be|native|6 in the other byte order: does the client use --framing native\?' \
        'native|line|"hola" in letters: does the client use --framing line\?'; do
        IFS='|' read -r server client why <<<"$case"
        start server "$SOCKCTL" unix-serve -v --framing "$server" ./s
        listening server
        try "$SOCKCTL" unix-send --framing "$client" ./s holas
        stop server
        assert_errors "malformed frame: a message of [0-9]+ bytes, where at most 1048576 are taken \($why\)"
    done
}

@test "15.3: a UNIX client without a name is shown by its process and user" {
    start server "$SOCKCTL" listen -kv ./s
    listening server
    start client "$SOCKCTL" connect ./s
    wait_line server "^sockctl: accepted unix:\(pid ${PIDS[client]}, uid $EUID\)$"
    finish client
    wait_line server "^sockctl: closed unix:\(pid ${PIDS[client]}, uid $EUID\): 0 bytes in, 0 out$"
    stop server
}

@test "15.3: one byte is not bytes" {
    start server "$SOCKCTL" echo-server 127.0.0.1:0
    listening server
    TRY_STDIN=<(printf x) try "$SOCKCTL" connect -v 127.0.0.1 "$PORT"
    assert_status 0
    assert_errors '^sockctl: closed 127\.0\.0\.1:[0-9]+: 1 byte in, 1 out$'
    for limit in '1 second|1' '2 seconds|2' '1 minute|1m'; do
        # Said before it is over, where there is nothing to wait for: the limit of a command that is refused.
        start server2 "$SOCKCTL" listen --max-time "${limit#*|}" 127.0.0.1:0
        listening server2
        [ "$limit" = '1 minute|1m' ] || { finish server2 && assert_errors "the limit of ${limit%|*} for the command is over"; }
        [ "$limit" != '1 minute|1m' ] || stop server2
    done
}
