#!/usr/bin/env bats
#
# What servers give up with options that need more, or that start programs: see sandbox_servers.bats.

load helpers/common
load helpers/sandbox

@test "17: --allow @FILE, --allow-uid @FILE: read again" {
    echo 127.0.0.1 >own/list
    intruded listen -v -k --allow @own/list 127.0.0.1:0
    assert_kept listen '--allow @FILE'
    echo 192.0.2.1 >own/new
    mv own/new own/list
    kill -HUP "${PIDS[server]}"
    wait_line server 'SIGHUP: the lists of who may connect have been read again'
    stop server
    id -un >own/list
    intruded echo-server -v --allow-uid @own/list "unix:@sockctl-test-$$"
    assert_kept echo-server '--allow-uid @FILE'
    id -un >own/new
    mv own/new own/list
    kill -HUP "${PIDS[server]}"
    wait_line server 'SIGHUP: the lists of who may connect have been read again'
    stop server
}

three_lines() { (($(wc -l <passed) == 3)); }

@test "17: --workers: each, and the process that waits for them" {
    intruded echo-server --workers 2 127.0.0.1:0
    poll 5000 three_lines || fail "$(cat passed)"
    grep -vw kill passed >workers || fail "$(cat passed)"
    grep -w kill passed >parent || fail "$(cat passed)"
    [ "$(wc -l <workers)" = 2 ] || fail "$(cat passed)"
    mv parent passed
    assert_kept echo-server '--run, --workers'
    mv workers passed
    assert_kept echo-server
    stop server
    assert_status 0
}

@test "17: --run: the command is not bound, the server is" {
    try "${intruder[@]}" echo-server --run 127.0.0.1:0 -- sh -c 'grep NoNewPrivs: /proc/self/status; sleep 0.2; exit 3'
    assert_status 3
    [[ $output =~ NoNewPrivs:[[:space:]]*0 ]] || fail "$output"
    assert_kept echo-server '--run, --workers'
}

@test "17: programs for clients: nothing is given up, and that is said at -v" {
    intruded listen -v -k -c 'grep NoNewPrivs: /proc/self/status' 127.0.0.1:0
    wait_line server '^sockctl: no sandbox: programs are started'
    try "$SOCKCTL" connect -d 127.0.0.1 "$PORT"
    [[ $output =~ NoNewPrivs:[[:space:]]*0 ]] || fail "$output"
    stop server
    intruded unix-serve -v "$T/own/socket" -c 'grep NoNewPrivs: /proc/self/status'
    wait_line server '^sockctl: no sandbox: programs are started'
    stop server
    [ ! -s passed ] || fail "there is a sandbox"
}

@test "17: listen --to --via: a program for each client: nothing is given up, and that is said at -v" {
    local how
    for how in '--via' '--tls'; do
        [ "$how" = --via ] && set -- --via 'grep NoNewPrivs: /proc/self/status' || set -- --tls
        intruded listen -v 127.0.0.1:0 --to 127.0.0.1:9 "$@"
        wait_line server '^sockctl: no sandbox: programs are started'
        [ "$how" = --tls ] || try "$SOCKCTL" connect -d 127.0.0.1 "$PORT"
        [ "$how" = --tls ] || [[ $output =~ NoNewPrivs:[[:space:]]*0 ]] || fail "$output"
        stop server
    done
    [ ! -s passed ] || fail 'there is a sandbox'
}

@test "17: --no-sandbox: servers and unix-send give up nothing" {
    local how
    for how in 'echo-server 127.0.0.1:0' 'echo-server --workers 2 127.0.0.1:0' 'listen -k 127.0.0.1:0' \
        'listen -u 127.0.0.1:0' 'listen 127.0.0.1:0 --to localhost:1' 'listen -u 127.0.0.1:0 --to 127.0.0.1:1'; do
        # shellcheck disable=SC2086 # words
        intruded $how --no-sandbox
        stop server
        [ ! -s passed ] || fail "$how: there is a sandbox"
    done
    intruded unix-serve --no-sandbox -v own/socket
    try "${intruder[@]}" unix-send --no-sandbox own/socket hello quit
    assert_status 0
    finish server
    [ ! -s passed ] || fail 'there is a sandbox'
}
