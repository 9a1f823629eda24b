#!/usr/bin/env bats
#
# What a command gives up once its sockets are open: see src/sys/sandbox.h. helpers/after_cut.c makes an intruder's calls
# in its place, right after that, and writes down which were not refused.

load helpers/common
load helpers/names
load helpers/sandbox

@test "17: connect: nothing but its descriptors is left" {
    start server "$SOCKCTL" echo-server 127.0.0.1:0
    listening server
    TRY_STDIN=<(echo hello) try "${intruder[@]}" connect 127.0.0.1 "$PORT"
    assert_status 0
    assert_output hello
    assert_kept connect
    rm passed
    try "${intruder[@]}" connect --send 'a\n' --expect a 127.0.0.1 "$PORT"
    assert_status 0
    assert_kept connect
    stop server
}

@test "17: connect -s PATH: it can remove that, and so another in its directory alone" {
    start server "$SOCKCTL" listen -v -u "$T/server"
    listening server
    TRY_STDIN=<(echo hello) try "${intruder[@]}" connect -u -q 0 -s "$T/own/socket" "$T/server"
    assert_status 0
    assert_kept 'connect -s PATH'
    [ ! -e own/socket ] || fail 'own/socket is still there'
    stop server
}

@test "17: connect -u to a name of several addresses: it can go to the next" {
    need ip
    printf '::1 many\n127.0.0.1 many\n' >hosts
    printf 'hosts: files\n' >nsswitch.conf
    : >resolv.conf
    # shellcheck disable=SC2016
    TRY_STDIN=<(echo hello) hosts sh -c 'ip link set lo up && exec "$@"' sh "${intruder[@]}" connect -u many 9
    assert_status 1
    [[ $errors == *'127.0.0.1:9: Connection refused'* ]] || fail "$errors"
    assert_kept 'connect -u NAME'
}

@test "17: connect -c: the program is not bound, what passes its bytes on is" {
    start server "$SOCKCTL" echo-server 127.0.0.1:0
    listening server
    try "${intruder[@]}" connect -c 'echo hello; read line; grep NoNewPrivs: /proc/self/status >&2; echo $line >&2' \
        127.0.0.1 "$PORT"
    assert_status 0
    [[ $errors =~ NoNewPrivs:[[:space:]]*0 && $errors == *hello ]] || fail "$errors"
    assert_kept 'connect -e'
    stop server
}

@test "17: --no-sandbox: nothing is given up" {
    start server "$SOCKCTL" echo-server 127.0.0.1:0
    listening server
    TRY_STDIN=<(echo hello) try "${intruder[@]}" connect --no-sandbox 127.0.0.1 "$PORT"
    assert_status 0
    try "${intruder[@]}" connect --no-sandbox -c 'echo hello' 127.0.0.1 "$PORT"
    assert_status 0
    [ ! -s passed ] || fail 'there is a sandbox'
    stop server
}

@test "17: kernels and containers without Landlock and seccomp: done without, and said at -v" {
    cc -o lacking "$HELPERS/lacking.c"
    start server "$SOCKCTL" echo-server 127.0.0.1:0
    listening server
    for errnum in 1 38; do # EPERM, ENOSYS
        TRY_STDIN=<(echo hello) try ./lacking $errnum "$SOCKCTL" connect -v 127.0.0.1 "$PORT"
        assert_status 0
        assert_output hello
        [[ $errors == *'sandbox without Landlock: '*'sandbox without a seccomp filter: '* ]] || fail "$errors"
        TRY_STDIN=<(echo hello) try ./lacking $errnum "$SOCKCTL" connect 127.0.0.1 "$PORT"
        assert_status 0
        [ ! "$errors" ] || fail "$errors"
    done
    stop server
}

@test "17: SOCKCTL_SANDBOX=strict: a call that is refused ends the process" {
    start server "$SOCKCTL" echo-server 127.0.0.1:0
    listening server
    SOCKCTL_SANDBOX=strict TRY_STDIN=<(echo hello) try "${intruder[@]}" connect 127.0.0.1 "$PORT"
    assert_status 159 # SIGSYS
    stop server
}
