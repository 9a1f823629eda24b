#!/usr/bin/env bats
# echo-server: datagrams.

load helpers/common

# server ARGS…: an echo server; its address for the clients of helpers/echo_clients.py in SERVER.
server() {
    need python3
    start server "$SOCKCTL" echo-server "$@"
    listening server
    SERVER=${ADDR#unix:}
}

clients() { try python3 "$HELPERS/echo_clients.py" "$@"; }

# all_well CLIENT ARGS…
all_well() {
    clients "$1" "${@:2}"
    [ -z "$errors" ] || fail "$1: $errors" || return
    assert_status 0
}

refute() { if "$@"; then return 1; fi; }

# answers NAME: how many datagrams it has sent.
answers() { grep -c '^sockctl: sendmsg(' "$T/$1.err"; }

is_silent() {
    local before=$(($(answers one) + $(answers two)))
    sleep 0.2
    (($(answers one) + $(answers two) == before))
}

@test "UNIX datagrams keep their boundaries, empty ones and 64 KiB too" {
    server -v "unix-dgram:$T/s"
    all_well datagrams "$SERVER"
    stop server
    assert_status 0
    [ ! -e s ]
}

@test "a UNIX client that sends many datagrams before it reads gets them all, in order" {
    server -v "unix-dgram:$T/s"
    all_well burst "$SERVER" 60
}

@test "a UNIX datagram without a sender is passed over" {
    server -v "unix-dgram:$T/s"
    all_well unnamed "$SERVER"
    all_well datagrams "$SERVER"
}

@test "UDP datagrams keep their boundaries, from 0 to 65,507 bytes" {
    server -u 127.0.0.1 0
    all_well datagrams "$SERVER"
    stop server
    assert_status 0
    need_ipv6
    server 'udp:[::1]:0'
    all_well datagrams "$SERVER"
}

@test "UDP is answered from the address that was asked" {
    server -u 0
    all_well datagrams "127.0.0.2:$PORT"
    ! has_host ::1 || all_well datagrams "[::1]:$PORT"
    stop server
    server udp4:0
    all_well datagrams "127.0.0.2:$PORT"
}

@test "12.2.8: UDP from the port of a service that answers is not answered" {
    server -u 127.0.0.1 0
    for service in 1900 5353 11211 4500 3283 5060 10001 27015 27960 500; do
        [ $service -gt 1023 ] || [ "$EUID" -eq 0 ] || continue
        all_well silence "$SERVER" "127.77.7.$((RANDOM % 250 + 2)):$service"
    done
    all_well datagrams "$SERVER"
}

@test "UDP from its own address is not answered" {
    [ "$EUID" -eq 0 ] || skip "needs the right to open a raw socket"
    for address in 127.0.0.1 0.0.0.0; do
        server -vv -u "$address" 0
        all_well spoof "127.0.0.1:$PORT"
        all_well datagrams "127.0.0.1:$PORT"
        stop server
        assert_errors "^sockctl: recvmsg\(.*127\.0\.0\.1, port $PORT\}, .*\) = 4$"
        refute grep -E "sendmsg\(.*127\.0\.0\.1, port $PORT\}" <<<"$errors"
    done
}

@test "a forged datagram between two UDP servers is answered less than a hundred times" {
    need python3
    [ "$EUID" -eq 0 ] || skip "needs the right to open a raw socket"
    for mode in echo chargen daytime; do
        start one "$SOCKCTL" echo-server -vv -u --mode $mode 127.0.0.1:0
        listening one
        source=$ADDR
        start two "$SOCKCTL" echo-server -vv -u --mode $mode 127.0.0.1:0
        listening two
        all_well spoof "$ADDR" "$source"
        wait_line two 'sendmsg'
        poll 5000 is_silent || fail "they go on" || return
        (($(answers one) + $(answers two) <= 100)) || fail "$(answers one) + $(answers two)" || return
        # Neither does another one fare better, nor somebody else worse.
        all_well spoof "$ADDR" "$source"
        poll 5000 is_silent || fail "they go on after another" || return
        [ $mode != echo ] || all_well datagrams "$ADDR"
        stop one
        stop two
    done
}

@test "a UDP client that always sends the same is not taken for a loop for long" {
    server -u 127.0.0.1:0
    all_well same-again "$SERVER" 1000
    all_well flood "$SERVER" 20000
}
