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
    ((took >= 400 && took < 1500 * PATIENCE)) || fail "after $took ms"
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

@test "13.10: no round of --wait follows faster than the one before, and the last begins near the end" {
    local wait pause before sum
    for wait in 150 700 2500; do
        for option in -v -zv; do
            try "$SOCKCTL" connect $option --wait ${wait}ms 127.0.0.1 1
            assert_status 5
            before=0 sum=0
            while read -r pause; do
                # Or a little, where that round itself took long.
                ((2 * pause >= before)) || fail "$pause ms after $before ms" try.err
                ((before = pause, sum += pause))
            done < <(sed -n 's/.*trying again in \([0-9]*\) ms$/\1/p' try.err)
            ((sum <= wait && before > 0)) || fail "pauses of $sum ms" try.err
            # Not where the rounds themselves took long.
            ((sum >= wait * 6 / 10)) || fail "the last round began after $sum of $wait ms" try.err
        done
    done
}

@test "--retry, too, waits for a server that does not close at once" {
    closing_server
    # On a busy machine "at once" can be later than the 100 ms that a probe waits.
    retried() {
        try "$SOCKCTL" connect -zv -R 1 127.0.0.1 "$1"
        [ "$status" -eq 4 ]
    }
    poll 9000 retried "$PORT"
    assert_errors '(closed at once|reset by peer); trying again'
}

@test "--wait: the name is not there yet" {
    unshare -rm true 2>/dev/null || skip "needs a mount namespace"
    echo_server
    echo '127.0.0.1 localhost' >hosts
    # shellcheck disable=SC2016 # the inner shell expands it
    start waiting unshare -rm bash -c 'mount --bind hosts /etc/hosts && exec "$@"' bash \
        "$SOCKCTL" connect -zv --wait 9 late.invalid "$PORT" -- echo up
    wait_line waiting 'late.invalid.*; trying again'
    echo '127.0.0.1 late.invalid' >>hosts
    finish waiting
    assert_status 0
    assert_output up
}

# Rights

@test "without the right to it: --mark, a low port" {
    unprivileged=()
    if [ "$EUID" -eq 0 ]; then
        need setpriv
        unprivileged=(setpriv --bounding-set=-all)
    fi
    for probe in '' -z; do
        # shellcheck disable=SC2086
        try "${unprivileged[@]}" "$SOCKCTL" connect $probe --mark 5 127.0.0.1 1
        assert_status 4
        [ "$errors" = 'sockctl: connect to 127.0.0.1:1: --mark: Operation not permitted' ]
    done
    [ "$(cat /proc/sys/net/ipv4/ip_unprivileged_port_start)" -gt 99 ] || return 0
    try "${unprivileged[@]}" "$SOCKCTL" connect -p 99 127.0.0.1 1
    assert_status 4
    [ "$errors" = 'sockctl: connect to 127.0.0.1:1: source port 99: Permission denied' ]
}

# Races, with packets that are lost

# race NAME ADDRESS: connected to ADDRESS, as `took` says.
race() {
    # shellcheck disable=SC2016 # the inner shell expands it
    try unshare -rnm "$HELPERS/dropping" "$SOCKCTL" bash -c '
        began=${EPOCHREALTIME/[.,]/}
        "$0" connect -v "$1" 7 </dev/null 2>told
        status=$?
        echo $(((${EPOCHREALTIME/[.,]/} - began) / 1000))
        exit $status' "$SOCKCTL" "$1"
    assert_status 0
    took "$output"
    [[ $(<told) == "sockctl: connected to $2:7"$'\n'* ]] || fail "not connected to $2" told
}

in_namespaces() {
    need ip
    unshare -rnm ip link add near type veth peer name far 2>/dev/null ||
        skip "needs a network namespace"
}

@test "a dead IPv6 address, dead IPv4, three of each: the good one is connected to within 300 ms or so" {
    in_namespaces
    for name in dual four three; do
        quickest 240 700 race $name.test 10.98.0.7
    done
    quickest 240 700 race six.test '[2001:db8:98::7]'
    quickest 0 240 race refused.test 10.98.0.7
}

@test "no answer from any address: -w, --wait and a probe end in time, and name them" {
    in_namespaces
    while IFS='|' read -r options want text; do
        # shellcheck disable=SC2086
        try unshare -rnm "$HELPERS/dropping" "$SOCKCTL" "$SOCKCTL" connect $options dead.test 7
        assert_status "$want"
        assert_one_error_line
        assert_errors "^sockctl: connect to dead.test:7: $text\$"
    done <<'END'
-w 400ms|5|\[2001:db8:99::2\]:7: timed out; 10.99.0.2:7: timed out
--wait 400ms|5|\[2001:db8:99::2\]:7: timed out; 10.99.0.2:7: timed out \(no more time to wait\)
-z -w 300ms|4|no answer
-z --wait 300ms|5|no answer \(no more time to wait\)
END
    # shellcheck disable=SC2016
    try unshare -rnm "$HELPERS/dropping" "$SOCKCTL" "$SOCKCTL" connect -zv -w 300ms dual.test 7,9
    assert_status 4
    [[ ${lines[0]} == 'dual.test 7 open '* && ${lines[1]} == 'dual.test 9 no answer '* ]]
}
