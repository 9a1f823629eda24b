#!/usr/bin/env bats
# echo-server: every kind of socket, many clients, bad clients, and its end.

load helpers/common

# server ARGS…: an echo server; its address for the clients of helpers/echo_clients.py in SERVER.
server() {
    need python3
    start server "$SOCKCTL" echo-server "$@"
    listening server
    SERVER=${ADDR#unix:}
}

clients() { TRY_SECONDS=60 try python3 "$HELPERS/echo_clients.py" "$@"; }

# all_well CLIENT ARGS…
all_well() {
    clients "$1" "${@:2}"
    [ -z "$errors" ] || fail "$1: $errors" || return
    assert_status 0
}

descriptors() {
    local all=(/proc/"${PIDS[server]}"/fd/*)
    echo ${#all[@]}
}

memory_kib() { awk '/^VmHWM/ {print $2}' "/proc/${PIDS[server]}/status"; }

# In ticks of 10 ms.
cpu_ticks() { awk '{print $14 + $15}' "/proc/${PIDS[server]}/stat"; }

refute() { if "$@"; then return 1; fi; }

count_is() { (($("${@:2}") == $1)); }

@test "a stream comes back byte for byte, over IPv4, IPv6 and UNIX" {
    head -c 3000000 /dev/urandom >data
    for address in 127.0.0.1:0 $(ipv6 '[::1]:0') "unix:$T/s"; do
        server -v "$address"
        TRY_STDIN=data try "$SOCKCTL" connect "$ADDR"
        assert_status 0
        cmp try.out data
        stop server
        assert_status 0
        assert_output ""
    done
}

@test "line by line, as the client of the lab's UNIX echo server" {
    server -v unix:echo_socket
    all_well ping ./echo_socket 20
    stop server
    [ ! -e echo_socket ]
}

@test "a client that half-closes gets all of it and then the end" {
    server 127.0.0.1:0
    all_well half-close "$SERVER" 5000000
    all_well half-close "$SERVER" 1
    all_well half-close "$SERVER" 0
}

@test "it works the same without zero-copy" {
    export SOCKCTL_NO_SPLICE=1
    server 127.0.0.1:0
    all_well half-close "$SERVER" 5000000
}

@test "seqpackets keep their boundaries, empty ones too" {
    server -v "unix-seqpacket:$T/s"
    all_well packets "$SERVER"
    all_well packets "$SERVER"
    stop server
    assert_status 0
    [ ! -e s ]
}

@test "a thousand clients at once" {
    need_descriptors 1100
    server 127.0.0.1:0
    all_well many "$SERVER" 1000
    stop server
    server -v "unix:$T/s"
    all_well many "$SERVER" 1000
}

@test "a client that does not read costs little and delays nobody" {
    need_descriptors 200
    for address in 127.0.0.1:0 "unix:$T/s"; do
        server -v "$address"
        for i in 1 2 3; do
            start "stuck$i" python3 "$HELPERS/echo_clients.py" never-read "$SERVER"
        done
        for i in 1 2 3; do wait_file "stuck$i.out" STUCK; done
        all_well many "$SERVER" 100
        sanitized || [ "$(memory_kib)" -lt 4096 ] || fail "$(memory_kib) KiB"
        before=$(cpu_ticks)
        all_well ping "$SERVER" 10
        sleep 0.5
        (($(cpu_ticks) - before <= 5)) || fail "it spins"
        stop server
        assert_status 0
    done
}

@test "descriptors and memory are as before after 5,000 clients and 200 resets" {
    need_descriptors 100
    server 127.0.0.1:0
    all_well many "$SERVER" 50
    poll 2000 count_is "$(descriptors)" descriptors
    before=$(descriptors)
    all_well one-by-one "$SERVER" 5000
    all_well resets "$SERVER" 200
    all_well ping "$SERVER" 1
    poll 2000 count_is "$before" descriptors || fail "$before descriptors, now $(descriptors)"
    sanitized || [ "$(memory_kib)" -lt 4096 ]
}

@test "out of descriptors it waits, warns once and recovers" {
    need_descriptors 100
    need python3
    start server bash -c "ulimit -n 20; exec \"\$SOCKCTL\" echo-server 127.0.0.1:0"
    listening server
    mkfifo go
    START_STDIN=go start crowd python3 "$HELPERS/echo_clients.py" queue "$ADDR" 50
    exec 7>go
    wait_line server 'accept on .*: (Too many open|No) file'
    before=$(cpu_ticks)
    sleep 1
    (($(cpu_ticks) - before <= 5)) || fail "it spins"
    served=$(grep -c COUNT crowd.out)
    ((served >= 5 && served < 50))
    # Ten leave; ten of those that wait are served soon.
    printf 0123456789 >&7
    poll 1000 grep -q "COUNT $((served + 10))" crowd.out || fail "not recovered" crowd.out
    exec 7>&-
    all_well many "$ADDR" 10
    stop server
    assert_status 0
    [ "$(grep -cE 'Too many open files|No file descriptors' <<<"$errors")" -eq 1 ]
}

@test "-m: further clients wait until one leaves" {
    server -m 2 127.0.0.1:0
    mkfifo go
    START_STDIN=go start crowd python3 "$HELPERS/echo_clients.py" queue "$SERVER" 5
    exec 7>go
    wait_file crowd.out 'COUNT 2'
    sleep 0.2
    refute grep 'COUNT 3' crowd.out
    printf x >&7
    wait_file crowd.out 'COUNT 3'
    sleep 0.2
    refute grep 'COUNT 4' crowd.out
    printf xx >&7
    wait_file crowd.out 'COUNT 5'
    exec 7>&-
    finish crowd
    assert_status 0
    all_well one-by-one "$SERVER" 20
}

@test "-i ends a client that is silent, not one that is not" {
    server -v -i 400ms 127.0.0.1:0
    start idle python3 "$HELPERS/echo_clients.py" stay "$SERVER" 3
    for _ in 1 2 3 4 5 6; do
        sleep 0.1
        echo still here
    done | "$SOCKCTL" connect 127.0.0.1 "$PORT" >got
    [ "$(grep -c 'still here' got)" -eq 6 ]
    finish idle
    assert_status 0
    ms=${output##*END }
    ((ms >= 400 && ms < 400 + 300 * PATIENCE)) || fail "after $ms ms"
    stop server
    assert_errors 'nothing moved within the time limit'
    assert_status 0
}

@test "SIGINT and SIGTERM end it and its connections within a second, with status 0" {
    need_descriptors 200
    for signal in INT TERM; do
        server -v "unix:$T/s"
        start good python3 "$HELPERS/echo_clients.py" stay "$SERVER" 1000
        start stuck python3 "$HELPERS/echo_clients.py" never-read "$SERVER"
        wait_file good.out UP
        wait_file stuck.out STUCK
        before=$(now_ms)
        stop server "$signal"
        (($(now_ms) - before < 1000 * PATIENCE))
        assert_status 0
        finish good
        assert_status 0
        [ ! -e s ]
    done
}

@test "what has arrived before SIGTERM is still sent back" {
    for address in 127.0.0.1:0 "unix:$T/s"; do
        server -v "$address"
        all_well stop-and-go "$SERVER" "${PIDS[server]}"
        finish server
        assert_status 0
    done
}

@test "-w and --max-time limit the wait and the whole" {
    for address in 127.0.0.1:0 udp:127.0.0.1:0; do
        try "$SOCKCTL" echo-server -w 200ms "$address"
        assert_status 5
        assert_errors 'listen on 127\.0\.0\.1:[0-9]+: no client came within the time limit$'
    done
    server -w 2s --max-time 2500ms 127.0.0.1:0
    all_well ping "$SERVER" 1
    finish server
    assert_status 5
    assert_errors 'the limit of 2\.5 seconds for the command is over'
}

@test "it is silent but for the line of port 0, and -v tells the life of a connection" {
    server 127.0.0.1:0
    all_well ping "$SERVER" 2
    all_well resets "$SERVER" 2
    stop server
    [ "$errors" = "sockctl: listening on $SERVER" ]
    assert_output ""
    server -v 127.0.0.1:0
    all_well ping "$SERVER" 2
    stop server
    assert_errors '^sockctl: accepted 127\.0\.0\.1:[0-9]+$'
    assert_errors '^sockctl: closed 127\.0\.0\.1:[0-9]+: 14 bytes in, 14 out$'
}

@test "idle, with idle clients, it uses no time" {
    need_descriptors 200
    server -i 1h 127.0.0.1:0
    start idle python3 "$HELPERS/echo_clients.py" stay "$SERVER" 100
    wait_file idle.out UP
    before=$(awk '/^voluntary_ctxt/ {print $2}' "/proc/${PIDS[server]}/status")
    sleep 0.5
    [ "$(awk '/^voluntary_ctxt/ {print $2}' "/proc/${PIDS[server]}/status")" -eq "$before" ]
}

@test "bad usage" {
    try "$SOCKCTL" echo-server
    assert_usage_error 'missing operand'
    try "$SOCKCTL" echo-server 127.0.0.1 80 81
    assert_usage_error
    try "$SOCKCTL" echo-server -m 0 127.0.0.1:0
    assert_usage_error 'max-conns'
    try "$SOCKCTL" echo-server 127.0.0.1:80x
    assert_usage_error "80x"
}

@test "12.3.12: --print: where stdout is slow, each client has its turn" {
    need python3
    mkfifo out
    exec 7<>out
    CLOSE+=" 7>&-"
    # shellcheck disable=SC2016 # of the inner shell
    start server bash -c 'exec "$SOCKCTL" echo-server --print 127.0.0.1:0 >out'
    listening server
    TRY_SECONDS=30 TRY_STDIN=out try python3 "$HELPERS/crowd.py" burdened "$PORT" 20
    assert_status 0
    [ -z "$errors" ] || fail "$errors"
}
