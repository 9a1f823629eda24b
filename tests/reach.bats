#!/usr/bin/env bats
# Reaching a server where something on our side is scarce, wrong or not allowed, and how long that takes.

load helpers/common

echo_server() {
    start server "$SOCKCTL" echo-server "${@:-127.0.0.1:0}"
    listening server
}

# full HOST: a listener there whose backlog is full, a SYN to which gets no answer; sets PORT.
full() {
    need python3
    start full python3 "$HELPERS/sockets.py" full "$1"
    wait_file full.out '^PORT '
    PORT=${LINE#PORT }
}

# Probes

@test "a list of ports may be long" {
    echo_server
    try "$SOCKCTL" connect -z 127.0.0.1 "$(seq -s, 1 1000),$PORT"
    assert_status 4
    assert_errors 'of 1001 ports are not open'
    grep -qx "127.0.0.1 $PORT open" try.out
}

@test "with 16 descriptors there are fewer probes at a time, and no port is said to be closed for that" {
    ulimit -n 16
    echo_server
    many=$(printf "$PORT,%.0s" {1..40})$PORT
    for host in 127.0.0.1 localhost; do
        try "$SOCKCTL" connect -z $host "$many"
        assert_status 0
        [ ${#lines[@]} -eq 41 ]
    done
    echo_server -u 127.0.0.1:0
    try "$SOCKCTL" connect -zur 127.0.0.1 "1-1000,$PORT"
    assert_status 4
    assert_output "127.0.0.1 $PORT open"
}

@test "without a single descriptor to be had, a probe says so" {
    need strace
    echo_server
    export ASAN_OPTIONS=detect_leaks=0
    try strace -o trace -e inject=socket:error=EMFILE "$SOCKCTL" connect -zv 127.0.0.1 "$PORT,1"
    assert_status 4
    [[ ${lines[0]} == "127.0.0.1 $PORT not probed "*': Too many open files' ]]
    assert_errors 'connect to 127.0.0.1: Too many open files'
}

@test "what our side lacks is named, however many ports are asked for" {
    while IFS='|' read -r options why; do
        # shellcheck disable=SC2086
        try "$SOCKCTL" connect -z $options 127.0.0.1 1-100
        assert_status 4
        assert_one_error_line
        assert_errors "^sockctl: connect to 127.0.0.1: $why\$"
    done <<'END'
--interface nonesuch0|--interface: No such device
-s ::1|source ::1: not an IPv4 address
-s 192.0.2.77|source 192.0.2.77: Cannot assign requested address
END
}

@test "a name whose one family is not that of --source is probed at the other" {
    echo_server
    try "$SOCKCTL" connect -zv -s 127.0.0.1 localhost "$PORT,1"
    assert_status 4
    [[ ${lines[0]} == "localhost $PORT open "* ]]
    [[ ${lines[1]} == 'localhost 1 closed '*': Connection refused' ]]
}

@test "a port alone is one of localhost" {
    echo_server
    try "$SOCKCTL" connect -z ":1,$PORT"
    assert_status 4
    assert_output "localhost $PORT open"
    assert_errors 'connect to localhost: 1 of 2 ports are not open'
    try "$SOCKCTL" connect -zj ":1,$PORT"
    [[ ${lines[0]} == *'"host": "localhost", "port": 1,'* ]]
}

# Patience

@test "--wait is a limit for a probe that nobody answers, too" {
    full 127.0.0.2
    began=$(now_ms)
    try "$SOCKCTL" connect -z --wait 400ms 127.0.0.2 "$PORT"
    took=$(($(now_ms) - began))
    assert_status 5
    assert_errors 'no answer \(no more time to wait\)'
    ((took >= 400 && took < 1500)) || fail "after $took ms"
}

@test "--wait ends with the last reason, not with a last round that had no time" {
    for option in '' -z; do
        for wait in 120ms 160ms 400ms; do
            # shellcheck disable=SC2086
            try "$SOCKCTL" connect $option --wait $wait 127.0.0.1 1
            assert_status 5
            assert_errors '^sockctl: connect to 127.0.0.1:1: Connection refused \(no more time to wait\)$'
        done
    done
}

@test "--retry, too, waits for a server that does not close at once" {
    need python3
    start server python3 -c '
import signal, socket
signal.alarm(20)
with socket.create_server(("127.0.0.1", 0)) as listener:
    print("PORT", listener.getsockname()[1], flush=True)
    while True:
        listener.accept()[0].close()'
    wait_file server.out '^PORT '
    try "$SOCKCTL" connect -zv -R 1 127.0.0.1 "${LINE#PORT }"
    assert_status 4
    assert_errors '(closed at once|reset by peer); trying again'
}
