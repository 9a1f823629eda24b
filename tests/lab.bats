#!/usr/bin/env bats
# The programs of a first course on sockets (docs/lab), each with sockctl as its other end.

load helpers/common
load helpers/network
load helpers/examples
load helpers/lab

@test "make lab builds them with the compiler alone, without a warning" {
    need make "${CC:-cc}"
    mkdir src
    cp "$ROOT/src/command.h" src
    cp -r "$ROOT/Makefile" "$ROOT/docs" .
    TRY_SECONDS=50 try make lab CFLAGS='-Wall -Wextra'
    assert_status 0
    [ -z "$errors" ] || show_results 'a warning'
    for source in docs/lab/*.c; do
        name=${source##*/}
        [ -x "build/lab/${name%.c}" ] || fail "$name is not built"
    done
}

@test "TCP server that sends one line and closes" {
    ports 8080
    lab_server server tcp-server "${P[8080]}"
    TRY_STDIN=<(echo unheard) try "$SOCKCTL" connect 127.0.0.1 "${P[8080]}"
    assert_output 'Hello from server!'
    finish server
    assert_status 0
    # It has closed first, and its port is free all the same.
    start server ./tcp-server "${P[8080]}"
    wait_file server.out '^listening'
    try "$SOCKCTL" connect -d "127.0.0.1:${P[8080]}"
    assert_status 0
    start server ./tcp-server "${P[8080]}"
    wait_file server.out '^listening'
    try ./tcp-server "${P[8080]}"
    assert_status 1
    assert_errors '^bind: Address already in use$'
}

@test "TCP client that reads until the end" {
    lab tcp-client
    START_STDIN=<(seq 1000) start server "$SOCKCTL" listen -v 127.0.0.1:0
    listening server
    start client ./tcp-client "$PORT"
    finish client
    assert_status 0
    seq 1000 | cmp - client.out
    finish server
    assert_status 0
    try ./tcp-client "$PORT"
    assert_status 1
    assert_errors '^connect: Connection refused$'
}

@test "UNIX server of length-prefixed messages, one client at a time, until quit" {
    lab_server server message-server "$T/socket"
    try "$SOCKCTL" unix-send "$T/socket" 'hola mundo' 'segundo mensaje'
    assert_status 0
    # A length that is none is that client's end.
    TRY_STDIN=<(printf '\377\377\377\377') try "$SOCKCTL" connect ./socket
    TRY_STDIN=<(printf '\5\0\0\0ho') try "$SOCKCTL" connect ./socket
    try "$SOCKCTL" unix-send "$T/socket" '' quit
    assert_status 0
    finish server
    assert_status 0
    assert_output $'listening on '"$T"$'/socket\nhola mundo\nsegundo mensaje\n\nquit'
    assert_errors '^a length of -1: not our kind of client$'
    assert_errors '^half a message$'
    [ ! -e socket ]
}

@test "its client" {
    lab message-client
    start server "$SOCKCTL" unix-serve -v "$T/socket"
    listening server
    try ./message-client socket 'hola mundo' ''
    assert_status 0
    try ./message-client socket quit
    assert_status 0
    finish server
    assert_status 0
    assert_output $'hola mundo\n\nquit'
    [ ! -e socket ]
}

@test "UNIX echo server, piped" {
    lab_server server unix-echo-server
    seq 20000 >data
    TRY_STDIN=data try "$SOCKCTL" connect unix:echo_socket
    assert_status 0
    cmp data try.out
    # The file of one that was interrupted is in nobody's way.
    stop server INT
    [ -S echo_socket ]
    start server ./unix-echo-server
    wait_file server.out '^listening'
    TRY_STDIN=<(echo again) try "$SOCKCTL" connect ./echo_socket
    assert_output again
}

@test "UNIX echo server, interactive: each line comes back at once" {
    lab_server server unix-echo-server
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
    lab unix-echo-client
    start server "$SOCKCTL" echo-server -v unix:echo_socket
    listening server
    printf 'one\ntwo\nand one that is longer than a hundred bytes: %0120d\nno newline' 7 >typed
    TRY_STDIN=typed try ./unix-echo-client
    assert_status 0
    cmp typed try.out
    stop server
    assert_status 0
    [ ! -e echo_socket ]
    TRY_STDIN=typed try ./unix-echo-client
    assert_status 1
    assert_errors '^echo_socket: No such file or directory$'
}

@test "the client of an echo that closes too early" {
    lab unix-echo-client
    start server "$SOCKCTL" echo-server -v --close-after 4 unix:echo_socket
    listening server
    TRY_STDIN=<(seq 100) try ./unix-echo-client
    assert_status 1
    assert_errors '^(the server has closed|send: Broken pipe|recv: Connection reset by peer)$'
}

@test "GET by hand, everything printed" {
    lab get
    printf 'HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello\n' >answer
    START_STDIN=answer start server "$SOCKCTL" listen -v 127.0.0.1:0
    listening server
    try ./get 127.0.0.1 "$PORT" /page
    assert_status 0
    cmp try.out answer
    finish server
    printf 'GET /page HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n' | cmp - server.out
    try ./get 127.0.0.1 "$PORT"
    assert_status 1
    assert_errors '^127\.0\.0\.1: Connection refused$'
}

@test "GET / sent bare, and the answer without a head; and the modern form" {
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
    peer modern scripted answer
    try "$SOCKCTL" http-get -i "127.0.0.1:$PORT"
    assert_status 0
    cmp try.out answer
}

@test "official name, aliases, all addresses of a host" {
    lab hostent addrinfo
    try ./hostent localhost
    assert_status 0
    grep -qx 'h_addrtype   AF_INET' try.out
    grep -qx 'h_length     4' try.out
    grep -qx 'h_addr_list  127.0.0.1' try.out
    name=${lines[0]#h_name       }
    try "$SOCKCTL" resolve localhost
    assert_status 0
    [[ ${lines[0]} =~ ^name\ +"$name"$ ]]
    grep -Eq '^address +127\.0\.0\.1 +IPv4$' try.out
    try ./addrinfo 127.0.0.1 8080
    assert_status 0
    assert_output 'AF_INET   16 bytes  127.0.0.1  port 8080'
    try ./addrinfo ::1
    assert_output 'AF_INET6  28 bytes  ::1  port 0'
    for program in hostent addrinfo; do
        try ./$program ..
        assert_status 1
        assert_errors '^\.\.: '
    done
}

@test "forking server: one line to each of many clients, and no zombies" {
    ports 3490
    lab_server server fork-server "${P[3490]}"
    for client in a b c; do
        try "$SOCKCTL" connect -d 127.0.0.1 "${P[3490]}"
        assert_status 0
        assert_output 'This is a test string from server!'
    done
    poll 5000 has_children server 0 || fail "a zombie is left: ${CHILDREN[*]}"
    # One that does not read keeps nobody waiting.
    mkfifo never
    START_STDIN=never start slow "$SOCKCTL" connect -v 127.0.0.1 "${P[3490]}"
    exec 5>never
    wait_line slow '^sockctl: connected to'
    try "$SOCKCTL" connect -d 127.0.0.1 "${P[3490]}"
    assert_output 'This is a test string from server!'
    exec 5>&-
    finish slow
    [ "$(wc -l <server.out)" = 1 ]
}

@test "its client, and a server that prints what clients send" {
    lab fork-client
    start server "$SOCKCTL" listen -v -k --greeting 'This is a test string from server!\n' -d 127.0.0.1 0
    listening server
    for _ in a b; do
        start client ./fork-client 127.0.0.1 "$PORT"
        wait_line server '^sockctl: accepted'
        finish client
        assert_status 0
        assert_output 'Received: This is a test string from server!'
    done
    stop server INT
    assert_status 0
    start server "$SOCKCTL" listen -k --greeting 'hi\n' 127.0.0.1 0
    listening server
    for client in a b c; do
        TRY_STDIN=<(echo "I am $client") try "$SOCKCTL" connect 127.0.0.1 "$PORT"
        assert_output hi
    done
    for client in a b c; do wait_file server.out "^I am $client\$"; done
}

@test "connectionless: sendto and recvfrom" {
    ports 9999
    lab_server server udp-server "${P[9999]}"
    TRY_STDIN=<(echo hello) try "$SOCKCTL" connect -u -W 1 127.0.0.1 "${P[9999]}"
    assert_status 0
    assert_output hello
    TRY_STDIN=<(printf 'no newline') try "$SOCKCTL" connect -u -W 1 127.0.0.1 "${P[9999]}"
    assert_output 'no newline'
    TRY_STDIN=<(echo quit) try "$SOCKCTL" connect -u -W 1 127.0.0.1 "${P[9999]}"
    finish server
    assert_status 0
    [[ ${lines[1]} =~ ^'6 bytes from 127.0.0.1, port '[0-9]+': hello'$ ]]
    [[ ${lines[2]} =~ ^'10 bytes from 127.0.0.1, port '[0-9]+': no newline'$ ]]
    [ "${#lines[@]}" = 4 ]
}

@test "its client, which asks again when a datagram is lost" {
    lab udp-client
    start echo "$SOCKCTL" echo-server -v -u --drop 50 --seed 4 127.0.0.1 0
    listening echo
    try ./udp-client "$PORT" hola
    assert_status 0
    assert_output hola
    stop echo
    # To a port that nobody has, an ICMP message comes back.
    start server "$SOCKCTL" listen -v -u -W 1 127.0.0.1 0
    listening server
    start client ./udp-client "$PORT" 'for you'
    finish server
    assert_output 'for you'
    finish client
    assert_status 1
    assert_errors '^(no answer|(sendto|recvfrom): Connection refused)$'
}

@test "ping over a raw socket" {
    in_network
    lab ping
    start seen "${IN[@]}" "$SOCKCTL" listen -v -W 1 raw:icmp:127.0.0.1
    listening seen
    try "${IN[@]}" ./ping
    assert_status 0
    [[ $output =~ ^'8 bytes from 127.0.0.1, ttl 64, '[0-9.]+' ms'$ ]]
    # The first that sockctl has seen is the request: type 8, code 0.
    finish seen
    [ "$(head -c 2 seen.out | od -An -tx1)" = ' 08 00' ]
    # The other way: the kernel keeps quiet, and the answer is the request with type 0, which sockctl sends.
    "${IN[@]}" sh -c 'echo 1 >/proc/sys/net/ipv4/icmp_echo_ignore_all'
    cat >answer <<'SCRIPT'
"$SOCKCTL" listen -v -W 1 raw:icmp:127.0.0.1 | od -An -v -tx1 -N 8 | {
    read -r _ code sum1 sum2 rest
    sum=$((0x$sum1$sum2 + 0x0800)) # what the type has less
    printf -v hex '00%s%04x%s' "$code" $(((sum & 0xffff) + (sum >> 16))) "${rest// /}"
    printf "$(sed 's/../\\x&/g' <<<"$hex")"
} | "$SOCKCTL" connect --send-only raw:icmp:127.0.0.1
SCRIPT
    start answer "${IN[@]}" bash answer
    wait_line answer '^sockctl: listening on raw:1:127\.0\.0\.1$'
    try "${IN[@]}" ./ping
    [[ $output =~ ^'8 bytes from 127.0.0.1, ttl 64, '[0-9.]+' ms'$ ]] || show_results 'no answer'
    finish answer
    assert_status 0
    try "${IN[@]}" ./ping
    assert_status 1
    assert_errors '^recv: Resource temporarily unavailable$'
}
