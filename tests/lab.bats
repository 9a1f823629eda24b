#!/usr/bin/env bats
# The lab programs that sockctl grew from: to each of them it is what their own partner was.

load helpers/common

peer() {
    need python3
    start "$1" python3 "$HELPERS/peer.py" "${@:2}"
}

tcp_peer() {
    peer "$@"
    wait_file "$1.out" '^PORT '
    PORT=${LINE#PORT }
}

@test "TCP server that sends one line and closes" {
    tcp_peer server send-close $'Hello from server!\n'
    try "$SOCKCTL" connect 127.0.0.1 "$PORT"
    assert_status 0
    assert_output 'Hello from server!'
}

@test "TCP client that connects and reads once" {
    START_STDIN=<(echo 'Hello from server!') start server "$SOCKCTL" listen 0
    listening server
    peer client recv-once --connect "$PORT"
    finish client
    assert_output 'Hello from server!'
    finish server
    assert_status 0
}

@test "UNIX server of length-prefixed messages, one client at a time, until quit" {
    peer server unix-frame-server "$T/socket"
    wait_file server.out READY
    try "$SOCKCTL" unix-send "$T/socket" 'hola mundo' 'segundo mensaje'
    assert_status 0
    try "$SOCKCTL" unix-send "$T/socket" quit
    assert_status 0
    finish server
    assert_status 0
    assert_output $'READY\nhola mundo\nsegundo mensaje\nquit'
}

@test "its client" {
    start server "$SOCKCTL" unix-serve -v "$T/socket"
    listening server
    peer client unix-frame-client "$T/socket" 'hola mundo' quit
    finish client
    assert_status 0
    finish server
    assert_status 0
    [ "${lines[0]}" = 'hola mundo' ]
    [ ! -e socket ]
}

@test "UNIX echo server, piped" {
    peer server unix-echo echo_socket
    wait_file server.out READY
    TRY_STDIN=<(echo hello) try "$SOCKCTL" connect unix:echo_socket
    assert_status 0
    assert_output hello
}

@test "UNIX echo server, interactive: each line comes back at once" {
    peer server unix-echo echo_socket
    wait_file server.out READY
    mkfifo typed
    START_STDIN=typed start client "$SOCKCTL" connect unix:echo_socket
    exec 5>typed
    for word in one two; do
        echo $word >&5
        wait_file client.out "^$word\$"
    done
    exec 5>&-
    finish client
    assert_status 0
}

@test "its client, line by line" {
    need python3
    start server "$SOCKCTL" echo-server -v unix:echo_socket
    listening server
    start client python3 -c '
import socket
c = socket.socket(socket.AF_UNIX); c.connect("echo_socket"); c.settimeout(5)
for line in (b"one", b"two"):
    c.sendall(line); assert c.recv(100) == line
print("done")'
    finish client
    assert_output 'done'
    stop server
    assert_status 0
    [ ! -e echo_socket ]
}

@test "GET / sent bare, everything printed; and the modern form" {
    need python3
    printf '<html>\nhello\n</html>\n' >page
    start server python3 -c '
import socket
s = socket.create_server(("127.0.0.1", 0)); print("PORT", s.getsockname()[1], flush=True)
c = s.accept()[0]; assert c.recv(100).startswith(b"GET /")
c.sendall(open("page", "rb").read()); c.close()'
    wait_file server.out '^PORT '
    try "$SOCKCTL" http-get --http0.9 "127.0.0.1:${LINE#PORT }"
    assert_status 0
    cmp try.out page
    finish server
    assert_status 0
    printf 'HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello\n' >answer
    tcp_peer modern scripted answer
    try "$SOCKCTL" http-get -i "127.0.0.1:$PORT"
    assert_status 0
    cmp try.out answer
}

@test "official name, aliases, all addresses of a host" {
    try "$SOCKCTL" resolve localhost
    assert_status 0
    [[ ${lines[0]} =~ ^name\ +localhost ]]
    grep -Eq '^address +127\.0\.0\.1 +IPv4$' try.out
}

@test "forking server: one string to each of many clients, and what they send printed" {
    start server "$SOCKCTL" listen -k --greeting 'This is a test string from server!\n' 127.0.0.1 0
    listening server
    for client in a b c; do
        TRY_STDIN=<(echo "I am $client") try "$SOCKCTL" connect localhost "$PORT"
        assert_status 0
        assert_output 'This is a test string from server!'
    done
    for client in a b c; do wait_file server.out "^I am $client\$"; done
    stop server INT
    assert_status 0
}

@test "connectionless: sendto and recvfrom" {
    need python3
    tcp_peer echo udp-echo
    TRY_STDIN=<(printf hello) try "$SOCKCTL" connect -u -q 0.3 127.0.0.1 "$PORT"
    assert_status 0
    assert_output hello
    start server "$SOCKCTL" listen -u 127.0.0.1 0
    listening server
    python3 -c '
import socket, sys
socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"hello\n", ("127.0.0.1", int(sys.argv[1])))' "$PORT"
    wait_file server.out '^hello$'
}
