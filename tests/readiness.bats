#!/usr/bin/env bats
# How a server says that it listens: a file with the port, a descriptor, the service manager; and
# who is in the way when it cannot.

load helpers/common

# A datagram socket at PATH that prints the first datagram.
manager() {
    need python3
    start manager python3 -c '
import socket, sys
path = sys.argv[1]
with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as server:
    server.bind("\0" + path[1:] if path[0] == "@" else path)
    server.settimeout(10)
    print("READY", flush=True)
    print(server.recv(4096).decode(), flush=True)' "$1"
    wait_file manager.out '^READY'
}

@test "--port-file has the port of each server, whole and readable by all" {
    umask 022
    for command in "listen -k" echo-server; do
        # shellcheck disable=SC2086
        start server "$SOCKCTL" $command --port-file port 127.0.0.1:0
        wait_file port '^[0-9]+$'
        [ "$(stat -c '%a %s' port)" = "644 $((${#LINE} + 1))" ]
        listening server
        [ "$PORT" = "$LINE" ] || [ "$PORT" = "$(<port)" ]
        stop server
        assert_status 0
        [[ $(ls) != *.sockctl-* ]]
        rm port
    done
}

@test "--port-file of a UNIX socket has its path, and replaces what was there" {
    echo old >port
    for command in "listen -k unix:s" "unix-serve s" "echo-server unix:s"; do
        # shellcheck disable=SC2086
        start server "$SOCKCTL" $command --port-file port
        wait_file port '^s$'
        stop server
        echo old >port
    done
}

@test "a port file that cannot be written ends the command, and the socket file is gone" {
    try "$SOCKCTL" listen --port-file missing/port unix:s
    assert_status 8
    assert_one_error_line
    assert_errors 'missing/port: No such file or directory$'
    [ ! -e s ]
}

@test "--ready-fd gets a newline when it listens, and its end" {
    mkfifo ready
    start reader cat ready
    start server "$SOCKCTL" listen -k --ready-fd 7 127.0.0.1:0 7>ready
    finish reader
    printf '\n' | cmp - reader.out
    listening server
    stop server
    assert_status 0
}

@test "a descriptor for --ready-fd has to be there, and is not stdin, stdout or stderr" {
    try "$SOCKCTL" listen --ready-fd 9 0
    assert_usage_error 'option --ready-fd: descriptor 9 is not open'
    try "$SOCKCTL" listen --ready-fd 1 0
    assert_usage_error 'option --ready-fd: 1 is stdin, stdout or stderr'
    for bad in -1 3x '' 99999999999; do
        try "$SOCKCTL" listen --ready-fd "$bad" 0
        assert_usage_error 'option --ready-fd: .* is not a descriptor'
    done
}

@test "whoever waits on --ready-fd and has gone ends the command with status 8" {
    mkfifo ready
    exec 6<>ready 7>ready 6>&-
    try "$SOCKCTL" listen --ready-fd 7 127.0.0.1:0 7>&7
    exec 7>&-
    assert_status 8
    assert_errors 'write to descriptor 7: Broken pipe'
}

@test "NOTIFY_SOCKET is told READY=1, by path and by abstract name" {
    for path in "$T/notify" "@sockctl-notify-$$-$RANDOM"; do
        manager "$path"
        NOTIFY_SOCKET=$path start server "$SOCKCTL" echo-server 127.0.0.1:0
        finish manager
        assert_output $'READY\nREADY=1'
        stop server
        assert_status 0
    done
}

@test "a service manager that is not there is no failure" {
    NOTIFY_SOCKET=$T/missing start server "$SOCKCTL" listen -k -v 127.0.0.1:0
    wait_line server 'NOTIFY_SOCKET: No such file or directory'
    stop server
    assert_status 0
}

@test "systemd-socket-activate hands over a listening socket" {
    need systemd-socket-activate
    mkfifo hold
    start server systemd-socket-activate -l "$T/s" "$SOCKCTL" listen -v systemd:
    poll 5000 test -S s
    TRY_STDIN=<(echo by activation) try "$SOCKCTL" connect unix:s
    assert_status 0
    finish server
    assert_status 0
    assert_output "by activation"
}

@test "an address in use names the process that has it" {
    start server "$SOCKCTL" listen -k 127.0.0.1:0
    listening server
    for address in "127.0.0.1:$PORT" "*:$PORT"; do
        try "$SOCKCTL" listen "$address"
        assert_status 4
        assert_one_error_line
        assert_errors "Address already in use \(sockctl, process ${PIDS[server]}\)\$"
    done
    need_ipv6
    start datagrams "$SOCKCTL" echo-server -u '[::1]:0'
    listening datagrams
    try "$SOCKCTL" echo-server -u "[::1]:$PORT"
    assert_status 4
    assert_errors "Address already in use \(sockctl, process ${PIDS[datagrams]}\)\$"
}
