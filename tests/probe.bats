#!/usr/bin/env bats
# connect --probe: which ports are open; and --wait and --retry, for servers that are not there yet.

load helpers/common

echo_server() {
    start server "$SOCKCTL" echo-server "${@:-127.0.0.1:0}"
    listening server
}

closed_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

@test "an open port is one line, a closed one is status 4" {
    need python3
    echo_server
    try "$SOCKCTL" connect -z 127.0.0.1 "$PORT"
    assert_status 0
    assert_output "127.0.0.1 $PORT open"
    [ -z "$errors" ]
    closed=$(closed_port)
    try "$SOCKCTL" connect -z "127.0.0.1:$closed"
    assert_status 4
    assert_output ""
    assert_one_error_line
    assert_errors "connect to 127.0.0.1:$closed: Connection refused"
}

@test "lists and ranges are probed, and printed in their order" {
    need python3
    echo_server
    closed=$(closed_port)
    for random in '' -r; do
        try "$SOCKCTL" connect -z $random 127.0.0.1 "$closed,$PORT-$PORT,$closed"
        assert_status 4
        assert_output "127.0.0.1 $PORT open"
        assert_errors 'connect to 127.0.0.1: 2 of 3 ports are not open'
        try "$SOCKCTL" connect -zv $random "127.0.0.1:$closed,$PORT"
        assert_status 4
        [[ ${lines[0]} =~ ^"127.0.0.1 $closed closed "[0-9.]+" ms: Connection refused"$ ]]
        [[ ${lines[1]} =~ ^"127.0.0.1 $PORT open "[0-9.]+" ms"$ ]]
    done
}

@test "all 65,535 ports of a host" {
    echo_server
    TRY_SECONDS=60 try "$SOCKCTL" connect -z --parallel 256 127.0.0.1 1-65535
    assert_status 4
    grep -qx "127.0.0.1 $PORT open" try.out
    assert_errors 'of 65535 ports are not open'
}

@test "IPv6, names and UNIX sockets" {
    need_ipv6
    echo_server '[::1]:0'
    try "$SOCKCTL" connect -z ::1 "$PORT"
    assert_status 0
    assert_output "::1 $PORT open"
    echo_server
    try "$SOCKCTL" connect -z localhost "$PORT"
    assert_output "localhost $PORT open"
    start server "$SOCKCTL" echo-server -v unix:s
    listening server
    try "$SOCKCTL" connect -z unix:s
    assert_status 0
    assert_output "unix:s open"
    try "$SOCKCTL" connect -z unix:missing
    assert_status 4
    assert_errors 'connect to unix:missing: No such file or directory'
}

@test "nothing is sent to a stream" {
    start server "$SOCKCTL" listen -v 127.0.0.1:0
    listening server
    TRY_STDIN=<(echo not this) try "$SOCKCTL" connect -z 127.0.0.1 "$PORT"
    assert_status 0
    finish server
    assert_output ""
}

@test "UDP: open, closed by ICMP and by whom, no answer" {
    need python3
    echo_server -u 127.0.0.1:0
    try "$SOCKCTL" connect -zuv --payload 6869 127.0.0.1 "$PORT"
    assert_status 0
    [[ $output == "127.0.0.1 $PORT open "* ]]
    try "$SOCKCTL" connect -zuv -w 200ms 127.0.0.1 1
    assert_status 4
    [[ $output =~ ^"127.0.0.1 1 closed "[0-9.]+" ms: Connection refused, says 127.0.0.1"$ ]]
    # Bound, and never read.
    start silent python3 -c '
import socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("127.0.0.1", 0))
print("PORT", s.getsockname()[1], flush=True)
print(s.recv(100), flush=True)
time.sleep(10)'
    wait_file silent.out '^PORT '
    try "$SOCKCTL" connect -zuv -w 200ms --payload 00ff41 127.0.0.1 "${LINE#PORT }"
    assert_status 4
    [[ $output == *' no answer '* ]]
    assert_errors 'no answer'
    wait_file silent.out "^b.*xffA"
    for bad in 1 zz 123; do
        try "$SOCKCTL" connect -zu --payload "$bad" 127.0.0.1 1
        assert_usage_error 'is not hexadecimal'
    done
}

@test "-j is valid JSON" {
    need python3
    echo_server
    try "$SOCKCTL" connect -zj 127.0.0.1 "$PORT,1"
    assert_status 4
    python3 - "$PORT" "$T/try.out" <<'END'
import json, sys
found = json.load(open(sys.argv[2]))
assert [x["state"] for x in found] == ["open", "closed"], found
assert found[0]["host"] == "127.0.0.1" and found[0]["port"] == int(sys.argv[1])
assert found[1]["reason"] == "Connection refused" and found[1]["ms"] >= 0
END
}

@test "bad lists are usage errors" {
    for bad in 0 1-0 5-3 1,,2 1-2-3 1- 65536,1 99999999999-3 ','; do
        try "$SOCKCTL" connect -z 127.0.0.1 "$bad"
        assert_usage_error
    done
}

@test "--wait: the port opens later, and the program takes over" {
    need python3
    closed=$(closed_port)
    start waiting "$SOCKCTL" connect -zv --wait 10 127.0.0.1 "$closed" -- sh -c 'echo up; exit 7'
    wait_line waiting 'Connection refused.*trying again'
    start server "$SOCKCTL" echo-server "127.0.0.1:$closed"
    finish waiting
    assert_status 7
    assert_output up
}

@test "--wait: status 5 with the last reason, and not before" {
    need python3
    closed=$(closed_port)
    began=$(now_ms)
    try "$SOCKCTL" connect -z --wait 400ms 127.0.0.1 "$closed" -- echo up
    assert_status 5
    assert_output ""
    assert_one_error_line
    assert_errors "connect to 127.0.0.1:$closed: Connection refused"
    (($(now_ms) - began >= 400))
    try "$SOCKCTL" connect --wait 200ms name.invalid 80
    assert_status 5
    assert_errors 'name.invalid'
}

@test "--wait: a server that closes at once is not there yet" {
    closing_server
    try "$SOCKCTL" connect -z --wait 400ms 127.0.0.1 "$PORT" -- echo up
    assert_status 5
    assert_output ""
    assert_errors 'closed at once|reset'
    try "$SOCKCTL" connect -z 127.0.0.1 "$PORT"
    assert_status 0
}

@test "--wait and --retry connect a stream, too" {
    need python3
    closed=$(closed_port)
    echo hello >in
    START_STDIN=in start client "$SOCKCTL" connect -v --wait 10 127.0.0.1 "$closed"
    wait_line client 'trying again'
    start server "$SOCKCTL" echo-server "127.0.0.1:$closed"
    finish client
    assert_status 0
    assert_output hello
    stop server
    try "$SOCKCTL" connect -v -R 2 127.0.0.1 "$closed"
    assert_status 4
    [ "$(grep -c 'trying again' try.err)" -eq 2 ]
}

@test "--max-time ends it among ports that are all answered at once" {
    try "$SOCKCTL" connect -z --max-time 50ms 127.0.0.1 1-65535
    assert_status 5
    assert_one_error_line
    assert_errors 'limit of 0\.05 seconds'
}

@test "a usage error is not retried, a signal and --max-time end the wait" {
    try "$SOCKCTL" connect --wait 5 127.0.0.1 nosuchservice
    assert_status 2
    try "$SOCKCTL" connect --wait 9 --max-time 200ms 127.0.0.1 1
    assert_status 5
    assert_errors 'limit of 0.2 seconds'
    start waiting "$SOCKCTL" connect -v --wait 9 127.0.0.1 1
    wait_line waiting 'trying again'
    stop waiting TERM
    assert_status 143
}

@test "a program that is missing is 127, and one without a probe is a usage error" {
    echo_server
    try "$SOCKCTL" connect -z 127.0.0.1 "$PORT" -- ./missing
    assert_status 127
    assert_errors 'run ./missing: No such file or directory'
    try "$SOCKCTL" connect 127.0.0.1 "$PORT" -- echo up
    assert_usage_error
}
