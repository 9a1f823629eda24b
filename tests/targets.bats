#!/usr/bin/env bats
#
# connect -z with several addresses, and --any.

load helpers/common

setup() { common_setup; }
teardown() { common_teardown; }

# open NAME: a server as NAME; PORT.
open() {
    start "$1" "$SOCKCTL" echo-server 127.0.0.1:0
    listening "$1"
}

# A port on which nobody listens, in CLOSED.
closed() {
    open gone
    CLOSED=$PORT
    stop gone
}

@test "-z: several HOST:PORT, lists among them, are probed together" {
    closed
    open one
    local one=$PORT
    open two
    try "$SOCKCTL" connect -z "127.0.0.1:$one" "127.0.0.1:$PORT"
    assert_status 0
    assert_output "127.0.0.1 $one open"$'\n'"127.0.0.1 $PORT open"
    try "$SOCKCTL" connect -z "127.0.0.1:$one" "localhost:$CLOSED,$PORT"
    assert_status 4
    assert_output "127.0.0.1 $one open"$'\n'"localhost $PORT open"
    assert_errors '^sockctl: connect to 127\.0\.0\.1 and 1 other: 1 of 3 ports are not open$'
    try "$SOCKCTL" connect -zj "127.0.0.1:$one" ./nosuch
    assert_status 4
    python3 -c '
import json
one, other = json.load(open("try.out"))
assert one["port"] and one["state"] == "open", one
assert other["host"] == "unix:./nosuch" and other["state"] == "closed", other' || fail "not this" try.out
}

@test "-z: a host without a name does not keep the others from being probed" {
    try unshare -rn true || skip "needs a network namespace"
    # shellcheck disable=SC2016 # the inner shell's
    try unshare -rn bash -c 'ip link set lo up
        "$0" echo-server 127.0.0.1:7 -v 2>server.err & server=$!
        until grep -q listening server.err; do kill -0 $server || exit; sleep 0.02; done
        "$0" connect -zv nosuch.invalid:9 127.0.0.1:7; status=$?; kill $server; exit $status' "$SOCKCTL"
    assert_status 4
    [[ $output == 'nosuch.invalid 9 not probed '*$'\n''127.0.0.1 7 open '* ]] || fail "not this" try.out
    assert_errors '^sockctl: connect to nosuch\.invalid: '
}

@test "-z --wait: until all are open; --any: until one is" {
    closed
    open one
    try "$SOCKCTL" connect -z --wait 0.3 "127.0.0.1:$PORT" "127.0.0.1:$CLOSED"
    assert_status 5
    assert_output "127.0.0.1 $PORT open"
    try "$SOCKCTL" connect -z --any --wait 5 "127.0.0.1:$PORT" "127.0.0.1:$CLOSED"
    assert_status 0
    assert_output "127.0.0.1 $PORT open"
    [ -z "$errors" ]
    try "$SOCKCTL" connect -z --any "127.0.0.1:$CLOSED" -- echo started
    assert_status 4
    try "$SOCKCTL" connect -z --any "127.0.0.1:$CLOSED" "127.0.0.1:$PORT" -- echo started
    assert_status 0
    assert_output started
    start late "$SOCKCTL" connect -z --wait 20 "127.0.0.1:$PORT" ./late
    start server "$SOCKCTL" echo-server -v ./late
    listening server
    finish late
    assert_status 0
}

@test "-z --any ends as soon as one is open: probes under way are dropped" {
    need python3
    start silent python3 -c '
import signal, socket
signal.alarm(60)
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("127.0.0.1", 0))
print("PORT", s.getsockname()[1], flush=True)
signal.pause()'
    wait_file silent.out '^PORT '
    local quiet=${LINE#PORT }
    start server "$SOCKCTL" echo-server -u 127.0.0.1:0
    listening server
    try "$SOCKCTL" connect -zu --any -w 100 "127.0.0.1:$quiet" "127.0.0.1:$PORT"
    assert_status 0
    assert_output "127.0.0.1 $PORT open"
    [ -z "$errors" ]
    # Not even started: the rest of the list.
    try "$SOCKCTL" connect -zu --any -w 100 --parallel 2 127.0.0.1 "$PORT,$quiet,$((quiet + 1))-65535"
    assert_status 0
    # A program that was asked is gone, too.
    try "$SOCKCTL" connect -z --any -w 100 --via \
        'echo $$ >pid%p; [ %p = 1 ] && exec sleep 100; until [ -s pid1 ]; do :; done; echo banner' h 1,2
    assert_status 0
    assert_output 'h 2 open'
    poll 5000 gone "$(<pid1)" || fail "the other program still runs"
}

@test "-z: what is no list of addresses is a usage error" {
    while IFS='|' read -r words why; do
        # shellcheck disable=SC2086 # words
        try "$SOCKCTL" connect $words
        assert_usage_error "$why"
    done <<'END'
-z a:1 b|'b' is no HOST:PORT \(a program stands after --
-z a 1 b:2|'b:2' is no port
-z a:1 b:|the port is missing
-z a:1 udp:b:2|'udp:b:2' is of another kind
--any a 1|option --any is for --probe
a:1 b:2 c:3|too many operands
END
}
