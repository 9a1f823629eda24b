#!/usr/bin/env bats
# connect --send and --expect: a conversation, for health checks.

load helpers/common

dialogue() {
    need python3
    start peer python3 "$HELPERS/dialogue.py" "$@"
    wait_file peer.out '^PORT '
    PORT=${LINE#PORT }
}

talk() { try "$SOCKCTL" connect "$@" 127.0.0.1 "$PORT"; }

@test "a PING is answered" {
    dialogue --silent '+PONG\r\n'
    talk --send 'PING\r\n' --expect '^\+PONG\r\n'
    assert_status 0
    printf '+PONG\r\n' | cmp - try.out
    finish peer
    assert_output "PORT $PORT"$'\n'50494e470d0a
}

@test "what is expected may come in pieces, and before it is waited for" {
    dialogue --byte '220 ready\r\n250 one' '\r\n354 two\r\n'
    talk --send 'a' --expect '220 .*\n' --expect '250' --send 'b' --expect 'one[\r\n]+354 t.o'
    assert_status 0
}

@test "each expression looks at what came after the last" {
    dialogue --close 'once'
    talk --send 'a' --expect 'once' --expect 'once'
    assert_status 9
    assert_one_error_line
    assert_errors 'ended without what was expected: once'
}

@test "bytes that are not text: NUL, escapes, and what a backslash means" {
    dialogue --silent 'a\0b\377.\0end'
    talk --send 'a\0\x01' --expect 'b\xff\.' --expect 'end$'
    assert_status 0
    finish peer
    assert_output "PORT $PORT"$'\n'610001
    for bad in 'a(' '[' 'a\0b' '*('; do
        talk --expect "$bad"
        assert_usage_error 'option --expect'
    done
}

@test "--max-time is status 5, a reset 1, a refused connection 4" {
    dialogue --silent
    talk --send 'a' --expect b --max-time 300ms
    assert_status 5
    peer resetting rst-after 1
    talk --send a --expect b
    assert_status 1
    try "$SOCKCTL" connect --expect b 127.0.0.1 1
    assert_status 4
}

@test "a script that ends with what it says hears the peer out" {
    start server "$SOCKCTL" echo-server 127.0.0.1:0
    listening server
    TRY_STDIN=<(echo not read) talk --send 'one\n' --expect 'one' --send 'two\n'
    assert_status 0
    assert_output $'one\ntwo'
}

@test "the transcript is told with -v, escaped" {
    dialogue --silent '\33[31mred\r\n'
    talk -v --send 'hi\n' --expect red
    assert_status 0
    assert_errors '^sockctl: > hi\\x0a$'
    assert_errors '^sockctl: < \\x1b\[31mred\\x0d\\x0a$'
    assert_errors '^sockctl: met: red$'
}

@test "a flood without what is expected does not grow" {
    head -c 30000000 /dev/zero >zeros
    START_STDIN=zeros start flood "$SOCKCTL" listen 127.0.0.1:0
    listening flood
    talk --expect never
    assert_status 9
    [ "$(stat -c %s try.out)" -eq 30000000 ]
}

@test "options for other things to do are refused" {
    for other in "-e cat" -F -z; do
        # shellcheck disable=SC2086
        try "$SOCKCTL" connect --send a $other 127.0.0.1 1
        assert_usage_error 'different things to do'
    done
}
