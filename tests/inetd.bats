#!/usr/bin/env bats
#
# --inetd: the program of -e or -c has the socket itself as its stdin and stdout.

load helpers/common

setup() { common_setup; }
teardown() { common_teardown; }

# A program that says who is at the other end of its stdin, what kind of socket its stdout is, and what it is sent.
whoami='import os, socket, stat
s = socket.socket(fileno=os.dup(0))
print(s.getpeername()[0], os.path.samestat(os.fstat(0), os.fstat(1)), s.getblocking() and os.get_blocking(0), flush=True)
print(input(), flush=True)'

@test "listen --inetd: the socket itself, blocking, and both ends of it" {
    need python3
    echo "$whoami" >whoami.py
    start server "$SOCKCTL" listen -k --inetd -e python3 127.0.0.1:0 -- whoami.py
    listening server
    echo hello >words
    for _ in 1 2; do
        TRY_STDIN=words try "$SOCKCTL" connect 127.0.0.1 "$PORT"
        assert_status 0
        assert_output $'127.0.0.1 True True\nhello'
    done
    poll 5000 has_children server 0
    stop server
    assert_status 0
    assert_one_error_line # the one about the port
}

@test "listen --inetd: one client, and the program's status" {
    start server "$SOCKCTL" listen -v --inetd -c 'cat; exit 7' ./socket
    listening server
    echo hello >words
    TRY_STDIN=words try "$SOCKCTL" connect ./socket
    assert_status 0
    assert_output hello
    finish server
    assert_status 7
    [ ! -e socket ]
}

@test "listen --inetd: SIGTERM ends the programs, and a client sees the end" {
    start server "$SOCKCTL" listen -k --inetd -c 'echo ready; exec sleep 60' 127.0.0.1:0
    listening server
    start client "$SOCKCTL" connect -d 127.0.0.1 "$PORT"
    wait_file client.out ready
    children server
    stop server
    assert_status 0
    finish client
    gone "${CHILDREN[0]}"
}

@test "connect --inetd: the program speaks with the server by itself" {
    start server "$SOCKCTL" echo-server 127.0.0.1:0
    listening server
    # shellcheck disable=SC2016 # the program's
    try "$SOCKCTL" connect --inetd -c 'echo there; read -r line; echo "$line" >got' 127.0.0.1 "$PORT"
    assert_status 0
    [ "$(<got)" = there ]
    stop server
}

@test "what needs to see the bytes is a usage error with --inetd" {
    while read -r options; do
        # shellcheck disable=SC2086 # words
        try "$SOCKCTL" listen --inetd -e cat $options 127.0.0.1:0
        assert_usage_error "option --${options%% *}|option ${options%% *}"
        assert_errors 'makes no sense with --inetd: the program has the socket'
    done <<'END'
--output file
--hex-dump file
--crlf
--idle-timeout 1
--greeting hello
--rate-limit 1k
--stats
END
    try "$SOCKCTL" listen --inetd 127.0.0.1:0
    assert_usage_error 'option --inetd is for a program'
    try "$SOCKCTL" unix-serve --inetd -e cat ./s
    assert_usage_error 'unknown option --inetd'
}
