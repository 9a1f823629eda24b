#!/usr/bin/env bats
# unix-send --wait: a server whose socket is not there yet.

load helpers/common
export LOOPBACK=no

@test "--wait: sends once the socket is there" {
    start send "$SOCKCTL" unix-send -v --wait 20 "$T/s" hello quit
    wait_line send 'unix:.*/s: No such file or directory; trying again in [0-9]+ ms$'
    start server "$SOCKCTL" unix-serve "$T/s"
    finish send 20
    assert_status 0
    assert_output ''
    assert_errors '^sockctl: connected to unix:'
    finish server
    assert_status 0
    assert_output $'hello\nquit'
}

@test "--wait: a stale socket file is waited for too" {
    need python3
    python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("s")'
    start send "$SOCKCTL" unix-send -v --wait 20 "$T/s" quit
    wait_line send 'Connection refused; trying again in'
    start server "$SOCKCTL" unix-serve "$T/s"
    finish send 20
    assert_status 0
    finish server
    assert_output quit
}

@test "--wait: the time is over, with status 5 and the reason; a signal and --max-time end it" {
    try "$SOCKCTL" unix-send --wait 200ms "$T/s" hello
    assert_status 5
    assert_one_error_line
    assert_errors '^sockctl: connect to unix:.*/s: No such file or directory \(no more time to wait\)$'
    try "$SOCKCTL" unix-send "$T/s" hello
    assert_status 4
    assert_errors '^sockctl: connect to unix:.*/s: No such file or directory$'
    try "$SOCKCTL" unix-send --wait 20 --max-time 100ms "$T/s" hello
    assert_status 5
    assert_errors 'the limit of 0\.1 seconds for the command is over$'
    start send "$SOCKCTL" unix-send -v --wait 20 "$T/s" hello
    wait_line send 'trying again'
    stop send INT
    assert_status 130
}
