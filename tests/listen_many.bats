#!/usr/bin/env bats
# listen -k: hundreds of clients, few descriptors, and one after the other.

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

# What the server costs, in ticks of 10 ms.
cpu_ticks() { awk '{print $14 + $15}' "/proc/${PIDS[server]}/stat"; }

crowd() { TRY_SECONDS=30 try python3 "$HELPERS/crowd.py" "$1" "$PORT" "${@:2}"; }

@test "-k -m 10: 100 clients come and go, and still exactly ten are served" {
    need_descriptors 200
    need python3
    server -k -m 10 127.0.0.1 0
    crowd come-and-go 100
    assert_status 0
    mkfifo go
    START_STDIN=go start crowd python3 "$HELPERS/crowd.py" gather "$PORT" 10
    exec 6>go
    CLOSE+=" 6>&-"
    poll 5000 has_bytes 110
    START_STDIN=<(echo next) start next "$SOCKCTL" connect 127.0.0.1 "$PORT"
    if wait_file server.out next 1; then fail "an eleventh client was served"; fi
    exec 6>&-
    wait_file server.out next 1
    stop server
    assert_status 0
}
has_bytes() { (($(stat -c %s server.out) == $1)); }

@test "-k: 1,500 clients at once, each heard" {
    need python3
    need_descriptors 4096
    server -k 127.0.0.1 0
    mkfifo go
    START_STDIN=go start crowd python3 "$HELPERS/crowd.py" gather "$PORT" 1500
    exec 6>go
    CLOSE+=" 6>&-"
    poll 10000 has_bytes 1500 || fail "$(stat -c %s server.out) were heard"
    exec 6>&-
    finish crowd
    assert_status 0
    stop server
    assert_status 0
}

@test "-k: what many have said meanwhile is written in one go" {
    need_descriptors 300
    need python3 strace
    export ASAN_OPTIONS=detect_leaks=0
    server -k 127.0.0.1 0
    start trace strace -qq -e trace=write -e status=successful -o writes -p "${PIDS[server]}"
    poll 5000 grep -q '^TracerPid:.[1-9]' "/proc/${PIDS[server]}/status"
    mkfifo go
    START_STDIN=go start crowd python3 "$HELPERS/crowd.py" gather "$PORT" 200
    exec 6>go
    CLOSE+=" 6>&-"
    kill -STOP "${PIDS[server]}"
    wait_file crowd.out '^UP'
    kill -CONT "${PIDS[server]}"
    poll 10000 has_bytes 200 || fail "$(stat -c %s server.out) were heard"
    exec 6>&-
    stop server
    assert_status 0
    (($(grep -c '^write(1, ' writes) < 50)) || fail "too many writes" writes
}

@test "-k: idle after clients have come and gone, it uses no time" {
    need python3
    mkfifo say
    exec 5<>say
    input=say server -k 127.0.0.1 0
    crowd come-and-go 3
    start stay "$SOCKCTL" connect -d 127.0.0.1 "$PORT"
    python3 "$HELPERS/peer.py" rst-after 0 --connect "$PORT"
    sleep 0.6
    before=$(cpu_ticks)
    sleep 2
    (($(cpu_ticks) - before <= 2)) || fail "it spins"
}

@test "-k: what a client sends in one piece is not torn by others" {
    need python3
    server -k 127.0.0.1 0
    crowd lines 20
    assert_status 0
    poll 5000 has_lines 1000
    stop server
    [ "$(sort -u server.out | wc -l)" -eq 1000 ]
    refute grep -qvxE '[0-9]+\.[0-9]+\.x*' server.out
}
has_lines() { (($(wc -l <server.out) == $1)); }

@test "-k: where stdout is slow, each client has its turn" {
    need python3
    mkfifo out
    exec 7<>out
    CLOSE+=" 7>&-"
    start server bash -c "exec \"\$SOCKCTL\" listen -k 127.0.0.1 0 >out"
    listening server
    TRY_STDIN=out crowd burdened 20
    assert_status 0
    [ -z "$errors" ] || fail "$errors"
}

@test "-k: with 16 descriptors and 50 clients it does not spin, warns once and recovers" {
    need_descriptors 100
    need python3
    start server bash -c "ulimit -n 16; exec \"\$SOCKCTL\" listen -k 127.0.0.1 0"
    listening server
    mkfifo go
    START_STDIN=go start crowd python3 "$HELPERS/crowd.py" gather "$PORT" 50
    exec 6>go
    CLOSE+=" 6>&-"
    wait_line server 'accept on .*: (Too many open|No) file'
    before=$(cpu_ticks)
    sleep 2
    (($(cpu_ticks) - before <= 10)) || fail "it spins"
    (($(stat -c %s server.out) < 16)) || fail "all were served"
    exec 6>&-
    poll 1000 has_bytes 50 || fail "it has not recovered"
    TRY_STDIN=<(echo after) try "$SOCKCTL" connect 127.0.0.1 "$PORT"
    wait_file server.out after
    stop server
    assert_status 0
    [ "$(grep -cE 'Too many open files|No file descriptors' <<<"$errors")" -eq 1 ]
}

# half_closed WAY N: a server, a client of it that says no more and reads N bytes, and 700,000 bytes of
# input.
half_closed() {
    rm -f say
    mkfifo say
    exec 8<>say
    CLOSE+=" 8>&-"
    input=say server -v "$1" --sndbuf 16k 127.0.0.1 0
    start client python3 "$HELPERS/crowd.py" half-closed "$PORT" "$2"
    wait_file client.out '^UP'
    start feed bash -c 'head -c 700000 /dev/zero >say'
}

@test "12.3.3: a client that has ended and does not read is disconnected, one that reads slowly gets all" {
    need python3
    for way in -k --broker; do
        half_closed $way 0
        wait_line server 'does not read: disconnected'
        stop server
        assert_status 0
        half_closed $way 700000
        finish client 20
        assert_status 0
        [ -z "$errors" ] || fail "$errors"
        stop server
        assert_status 0
        refute grep -q 'does not read' <<<"$errors"
    done
}

@test "--serial: one client after the other, in their order" {
    server --serial 127.0.0.1 0
    client a
    exec 6>a.in
    CLOSE+=" 6>&-"
    echo first >&6
    wait_file server.out first
    for name in b c d; do
        START_STDIN=<(echo $name) start $name "$SOCKCTL" connect -v 127.0.0.1 "$PORT"
        wait_line $name 'connected to'
    done
    echo second >&6
    wait_file server.out second
    exec 6>&-
    for name in b c d; do
        finish $name
        assert_status 0
    done
    stop server
    assert_status 0
    assert_output $'first\nsecond\nb\nc\nd'
}
