#!/usr/bin/env bats
#
# What a command gives up once its sockets are open: see src/sys/sandbox.h. helpers/after_cut.c makes an intruder's calls
# in its place, right after that, and writes down which were not refused.

load helpers/common

# Calls that need nothing: they show that the others are not refused by accident.
basic='read sendmsg epoll_ctl'

setup() {
    common_setup
    ! sanitized || skip 'sanitizers make calls of their own: there is no sandbox'
    unset SOCKCTL_SANDBOX # what is refused is to fail here, not to end the process
    need cc
    touch other
    cc -shared -fPIC -o after_cut.so "$HELPERS/after_cut.c" -ldl
    export AFTER_CUT=$T/passed AFTER_CUT_FILE=$T/other
    intruder=(env LD_PRELOAD="$T/after_cut.so" "$SOCKCTL")
}

lacking() {
    [ -e ./lacking ] || cc -o lacking "$HELPERS/lacking.c"
}

# assert_passed 'NAME...': these calls, beside the basic ones, were possible; nothing else was, and the file is still there.
assert_passed() {
    local shown
    wait_file passed "$basic" 20
    shown=$(sort -u passed)
    [ "$shown" = "$basic${1:+ $1}" ] || fail "possible were: $shown"
    [ -e other ] || fail 'the other file was removed'
}

@test "17: connect: nothing but its descriptors is left" {
    start server "$SOCKCTL" echo-server 127.0.0.1:0
    listening server
    TRY_STDIN=<(echo hello) try "${intruder[@]}" connect 127.0.0.1 "$PORT"
    assert_status 0
    assert_output hello
    assert_passed ''
    rm passed
    try "${intruder[@]}" connect --send 'a\n' --expect a 127.0.0.1 "$PORT"
    assert_status 0
    assert_passed ''
    stop server
}

@test "17: connect -s PATH: it can remove that, and so another in its directory alone" {
    mkdir own
    start server "$SOCKCTL" listen -v -u "$T/server"
    listening server
    TRY_STDIN=<(echo hello) try "${intruder[@]}" connect -u -q 0 -s "$T/own/socket" "$T/server"
    assert_status 0
    assert_passed 'unlinkat'
    [ ! -e own/socket ] || fail 'own/socket is still there'
    stop server
}

@test "17: --no-sandbox, and a program: nothing is given up" {
    start server "$SOCKCTL" echo-server 127.0.0.1:0
    listening server
    TRY_STDIN=<(echo hello) try "${intruder[@]}" connect --no-sandbox 127.0.0.1 "$PORT"
    assert_status 0
    [ ! -s passed ] || fail 'there is a sandbox'
    try "${intruder[@]}" connect -v -c 'echo hello; grep NoNewPrivs: /proc/self/status >&2' 127.0.0.1 "$PORT"
    assert_status 0
    [ ! -s passed ] || fail 'there is a sandbox'
    [[ $errors == *'sockctl: no sandbox: a program is started'* ]] || fail "$errors"
    [[ $errors =~ NoNewPrivs:[[:space:]]*0 ]] || fail "$errors"
    stop server
}

@test "17: kernels and containers without Landlock and seccomp: done without, and said at -v" {
    lacking
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
