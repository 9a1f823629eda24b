#!/usr/bin/env bats
# echo-server: faults on purpose, the other services, --print, --workers.
# shellcheck disable=SC2030,SC2031 # each test is a subshell; its ADDR is its own

load helpers/common

# server ARGS…: an echo server; the address in ADDR.
server() {
    start server "$SOCKCTL" echo-server "$@"
    listening server
}

# echoed FILE ARGS…: FILE through a connection, what comes back in try.out.
echoed() { TRY_STDIN=$1 try "$SOCKCTL" connect "${@:2}" "$ADDR"; }

# Once more with the same arguments, other reads, and the same client number.
same_again() {
    server "$@"
    (head -c 1000 data && sleep 0.01 && tail -c +1001 data) |
        timeout 10 "$SOCKCTL" connect "$ADDR" >again
    stop server
}

some_lines() { seq 20000 >data; }

@test "13.10: --seed repeats a run of the server: its second client meets what the second one met" {
    some_lines
    for run in one two; do
        server --drop 10 --seed 7 127.0.0.1:0
        for client in first second; do
            echoed data
            cp try.out $run.$client
        done
        stop server
    done
    cmp one.first two.first
    cmp one.second two.second
    refute cmp -s one.first one.second
    try "$SOCKCTL" echo-server --help faults
    [[ $output == *'repeat an earlier run, client by client'* ]] || fail "$output"
}

@test "the same seed gives the same run, whatever the reads; another seed gives another" {
    some_lines
    for fault in --drop --duplicate --corrupt; do
        server "$fault" 10 --seed 7 127.0.0.1:0
        echoed data
        assert_status 0
        cp try.out first
        refute cmp -s first data
        echoed data
        refute cmp -s first try.out # another client
        stop server
        same_again "$fault" 10 --seed 7 127.0.0.1:0
        cmp first again
        same_again "$fault" 10 --seed 8 127.0.0.1:0
        refute cmp -s first again
    done
}

@test "a seed that was not given is told at -v" {
    server -v --drop 50 127.0.0.1:0
    seed=$(sed -n 's/^sockctl: --seed //p' server.err)
    seq 100 >data
    echoed data
    cp try.out first
    stop server
    server --drop 50 --seed "$seed" 127.0.0.1:0
    echoed data
    cmp try.out first
}

@test "--drop, --duplicate and --corrupt meet lines, as many as were asked for" {
    some_lines
    server --drop 25 --seed 1 127.0.0.1:0
    echoed data
    count=$(wc -l <try.out)
    ((count > 14500 && count < 15500)) || fail "$count lines of 20000"
    [ -z "$(comm -13 <(sort data) <(sort try.out))" ]
    stop server
    server --duplicate 100 "unix:$T/s" -v
    echoed data
    cmp try.out <(awk '{print; print}' data)
    stop server
    server --corrupt 100 127.0.0.1:0
    head -c 100000 /dev/zero >zeros
    echoed zeros
    [ "$(wc -c <try.out)" -eq 100000 ]
    # A bit in each piece of 1024.
    [ "$(tr -d '\0' <try.out | wc -c)" -eq 98 ]
}

@test "what has no end of line is answered after a moment" {
    server --corrupt 100 --seed 1 127.0.0.1:0
    mkfifo in
    START_STDIN=in start client "$SOCKCTL" connect "$ADDR"
    exec 7>in
    printf hello >&7
    wait_file client.out .....
    exec 7>&-
    finish client
    [ ${#output} -eq 5 ]
    [ "$output" != hello ]
}

@test "--delay and --jitter: not earlier, and in order" {
    some_lines
    server --delay 200ms --jitter 100ms 127.0.0.1:0
    before=$(now_ms)
    echoed data
    (($(now_ms) - before >= 200))
    assert_status 0
    cmp try.out data
}

@test "--rate holds back, --chunk makes small writes" {
    head -c 20000 /dev/urandom >data
    server --rate 40k 127.0.0.1:0
    before=$(now_ms)
    echoed data
    (($(now_ms) - before >= 400)) || fail "too fast"
    cmp try.out data
    stop server
    server -vv --chunk 1000 127.0.0.1:0
    echoed data
    cmp try.out data
    stop server
    assert_errors '^sockctl: send\([0-9]+, ".*"\.\.\., 1000, [A-Z_|]*\) = 1000$'
    refute grep -E '^sockctl: send\(.*, [0-9]{4,}, [A-Z_|]*\) = ' <(grep -v ', 1000, [A-Z_|]*) = ' server.err)
}

@test "--close-after, --reset-after" {
    head -c 1000000 /dev/urandom >data
    for size in 0 1 70000; do
        server --close-after $size 127.0.0.1:0
        echoed data
        cmp try.out <(head -c $size data)
        stop server
        server --reset-after $size 127.0.0.1:0
        echoed data
        [ $status -eq 1 ] || [ $size -eq 0 ] # that one may come before the client is connected
        assert_errors 'Connection reset by peer|Broken pipe'
        [ "$(wc -c <try.out)" -le $size ]
        stop server
    done
    server -v --reset-after 5 127.0.0.1:0
    echo "hello, world" >data
    echoed data
    assert_output hello
    stop server
    assert_errors ': 13 bytes in, 5 out, reset$'
}

@test "--stall-after: neither an answer nor an end, and no time is spent" {
    server --stall-after 3 -i 400ms -v 127.0.0.1:0
    echo hello >data
    before=$(now_ms)
    echoed data
    assert_output hel
    (($(now_ms) - before >= 380))
    ticks=$(awk '{print $14 + $15}' "/proc/${PIDS[server]}/stat")
    ((ticks < 10)) || fail "it spins"
}

@test "messages and datagrams meet faults one by one" {
    server --duplicate 100 --seed 1 "unix-seqpacket:$T/s" -v
    ADDR=unix-seqpacket:$T/s
    echo hello >data
    echoed data
    [ "$output" = $'hello\nhello' ]
    stop server
    for address in udp:127.0.0.1:0 "unix-dgram:$T/d"; do
        server -v --duplicate 100 --corrupt 100 --delay 100ms "$address"
        [ -n "$PORT" ] && ADDR=udp:$ADDR || ADDR=$address
        before=$(now_ms)
        echoed data -W 2
        assert_status 0
        (($(now_ms) - before >= 100))
        [ "$(wc -c <try.out)" -eq 12 ]
        [ "${lines[0]}" != hello ]
        [ "$(sort -u try.out | wc -l)" -eq 1 ]
        stop server
    done
    server -u --drop 100 127.0.0.1:0
    ADDR=udp:$ADDR
    echoed data -q 100ms
    assert_output ""
}

@test "10,000 pieces under way cost a bounded amount, and a client that does not read too" {
    head -c 3000000 /dev/urandom >data
    server --delay 50ms 127.0.0.1:0
    echoed data
    cmp try.out data
    sanitized || (($(awk '/^VmHWM/ {print $2}' "/proc/${PIDS[server]}/status") < 6000))
}

@test "faults that cannot be are usage errors" {
    try "$SOCKCTL" echo-server --drop 101 127.0.0.1:0
    assert_usage_error 'drop.*101'
    try "$SOCKCTL" echo-server --mode discard --drop 1 127.0.0.1:0
    assert_usage_error 'discard'
    try "$SOCKCTL" echo-server -u --reset-after 1 127.0.0.1:0
    assert_usage_error 'reset-after'
    try "$SOCKCTL" echo-server --mode quote 127.0.0.1:0
    assert_usage_error 'quote.*chargen'
    try "$SOCKCTL" echo-server --workers 2 -w 1 127.0.0.1:0
    assert_usage_error 'workers'
}

# The other services.

@test "--mode discard reads all and answers nothing" {
    head -c 1000000 /dev/urandom >data
    for address in 127.0.0.1:0 "unix:$T/s" "unix-seqpacket:$T/p"; do
        server -v --mode discard "$address"
        ADDR=${ADDR/#unix:$T\/p/unix-seqpacket:$T\/p}
        echoed data
        assert_status 0
        [ ! -s try.out ]
        stop server
        assert_errors ': 1000000 bytes in, 0 out'
    done
    server -u --mode discard 127.0.0.1:0
    ADDR=udp:$ADDR
    echoed data -q 100ms
    assert_output ""
}

@test "--mode chargen sends the pattern for as long as the client reads" {
    need python3
    python3 -c "
ring = [chr(c) for c in range(32, 127)] * 3
for line in range(100):
    print(''.join(ring[line % 95:line % 95 + 72]), end='\r\n')" >pattern
    for address in 127.0.0.1:0 "unix:$T/s"; do
        server -v --mode chargen "$address"
        timeout 5 "$SOCKCTL" connect "$ADDR" </dev/null | head -c 7400 >got
        cmp got pattern
        timeout 5 "$SOCKCTL" connect "$ADDR" <pattern | head -c 7400 >got
        cmp got pattern
        stop server
        assert_status 0
    done
}

@test "--mode chargen does not run ahead of a client that does not read" {
    server --mode chargen 127.0.0.1:0
    exec 7<>"/dev/tcp/127.0.0.1/$PORT"
    sleep 0.5
    ticks=$(awk '{print $14 + $15}' "/proc/${PIDS[server]}/stat")
    sleep 0.3
    (($(awk '{print $14 + $15}' "/proc/${PIDS[server]}/stat") <= ticks + 2))
    exec 7>&-
}

@test "12.2.8: an answer to a UDP datagram is never longer than it" {
    printf 1234567890 >data
    server -u --mode chargen 127.0.0.1:0
    ADDR=udp:$ADDR
    echoed data -W 1
    assert_output ' !"#$%&'"'()"
    stop server
    server -u --mode daytime 127.0.0.1:0
    ADDR=udp:$ADDR
    echoed data -W 1
    [[ $output =~ ^[A-Z][a-z]+day,?\ ?[A-Z]?[a-z]?$ && ${#output} -eq 10 ]] || fail "$output"
    head -c 100 /dev/zero >data
    echoed data -W 1
    [[ $output =~ ^[A-Z][a-z]+day,\ [A-Z][a-z]+\ [0-9]+,\ 20[0-9]+\ [0-9:]+-UTC ]]
}

@test "--mode daytime tells the time and ends" {
    for address in 127.0.0.1:0 "unix:$T/s"; do
        server -v --mode daytime "$address"
        echo "what I say does not matter" >data
        for stdin in data /dev/null; do
            echoed $stdin --no-confirm
            [[ $output =~ ^[A-Z][a-z]+day,\ [A-Z][a-z]+\ [0-9]+,\ 20[0-9]+\ [0-9:]+-UTC ]]
        done
        stop server
    done
}

# --print

@test "--print: what arrives goes to stdout too" {
    head -c 1000000 /dev/urandom >data
    for address in 127.0.0.1:0 "unix:$T/s"; do
        server -v --print "$address"
        echoed data
        cmp try.out data
        stop server
        assert_status 0
        cmp server.out data
    done
    echo hello >data
    server -u --print 127.0.0.1:0
    ADDR=udp:$ADDR
    echoed data -W 1
    assert_output hello
    stop server
    assert_output hello
}

@test "--print: a stdout that is not read holds the clients, not the memory; then all of it comes" {
    head -c 8000000 /dev/urandom >data
    mkfifo pipe go
    start server bash -c "exec \"\$SOCKCTL\" echo-server --print 127.0.0.1:0 >pipe"
    start reader bash -c 'exec <pipe; read -r <go; exec cat'
    exec 7<>go
    listening server
    START_STDIN=data start client "$SOCKCTL" connect "$ADDR"
    wait_file client.out .
    sleep 0.3
    gone "${PIDS[client]}" && fail "nothing held it"
    sanitized || (($(awk '/^VmHWM/ {print $2}' "/proc/${PIDS[server]}/status") < 6000))
    echo >&7
    finish client
    cmp client.out data
    stop server
    finish reader
    cmp reader.out data
}

@test "--print: a stdout that is gone or full ends it with status 8" {
    start server bash -c "\"\$SOCKCTL\" echo-server --print 127.0.0.1:0 | head -c 5 >got; exit \${PIPESTATUS[0]}"
    listening server
    echo hello >data
    echoed data
    finish server
    assert_status 8
    [ "$(<got)" = hello ]
    start server bash -c "exec \"\$SOCKCTL\" echo-server --print 127.0.0.1:0 >/dev/full"
    listening server
    echoed data
    finish server
    assert_status 8
    assert_errors 'stdout: No space left'
}

# --workers

@test "--workers share the clients, over every kind of socket, and end together" {
    need_descriptors 400
    need python3
    for address in 127.0.0.1:0 "unix:$T/s"; do
        server -v --workers 3 "$address"
        try python3 "$HELPERS/echo_clients.py" many "${ADDR#unix:}" 300
        assert_status 0
        poll 5000 has_children server 3
        before=$(now_ms)
        stop server
        assert_status 0
        (($(now_ms) - before < 1000 * PATIENCE))
        for child in "${CHILDREN[@]}"; do gone "$child" || fail "a worker is left"; done
        [ ! -e s ]
        [ "$(grep -c 'listening on' <<<"$errors")" -eq 1 ]
    done
    server -u --workers 2 127.0.0.1:0
    try python3 "$HELPERS/echo_clients.py" datagrams "$ADDR"
    assert_status 0
}

@test "--workers end with the server, and the server with one of them" {
    server --workers 2 127.0.0.1:0
    poll 5000 has_children server 2
    kill -KILL "${PIDS[server]}"
    for child in "${CHILDREN[@]}"; do until_gone "$child" 2000 || fail "a worker is left"; done
    server --workers 2 127.0.0.1:0
    poll 5000 has_children server 2
    kill -KILL "${CHILDREN[0]}"
    finish server
    assert_status 1
    assert_errors 'a worker was ended by signal 9'
    try "$SOCKCTL" echo-server --workers 2 --max-time 200ms 127.0.0.1:0
    assert_status 5
}

@test "--reuse-port lets two servers share a port, and only then" {
    server --reuse-port 127.0.0.1:0
    start second "$SOCKCTL" echo-server -v --reuse-port "$ADDR"
    listening second
    try "$SOCKCTL" echo-server "$ADDR"
    assert_status 4
}
