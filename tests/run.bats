#!/usr/bin/env bats
# --run: a command beside a server, from when it listens until one of them ends.

load helpers/common

@test "the command is told where to connect, and its end is that of the server" {
    try "$SOCKCTL" listen -k 127.0.0.1:0 --run -- \
        sh -c 'echo "hello from $SOCKCTL_ADDR" | "$SOCKCTL" connect "$SOCKCTL_ADDR" "$SOCKCTL_PORT"'
    assert_status 0
    assert_output 'hello from 127.0.0.1'
}

@test "its status is the status" {
    mkdir sub # of socket files
    for server in 'listen 127.0.0.1:0' 'listen -k 127.0.0.1:0' 'listen -u 127.0.0.1:0' \
        'listen -u -k 127.0.0.1:0' 'listen -k -e cat 127.0.0.1:0' 'listen --chat 127.0.0.1:0' \
        'listen --to 127.0.0.1:9 127.0.0.1:0' 'listen -u --to 127.0.0.1:9 127.0.0.1:0' 'echo-server 127.0.0.1:0' \
        'echo-server -u 127.0.0.1:0' 'unix-serve ./sub/socket' 'listen -U ./sub/socket'; do
        for code in 0 7; do
            # shellcheck disable=SC2086 # words
            try "$SOCKCTL" $server --run -- sh -c "exit $code"
            assert_status "$code"
            [ -z "$(ls sub)" ] || fail 'the socket file is left'
        done
    done
    try "$SOCKCTL" listen 127.0.0.1:0 --run -- sh -c 'kill -9 $$'
    assert_status 137
}

@test "a command that is not there, or that cannot be run" {
    try "$SOCKCTL" echo-server ./socket --run -- ./nosuch
    assert_status 127
    assert_one_error_line
    assert_errors '^sockctl: run ./nosuch: No such file'
    [ ! -e socket ]
    : >text
    try "$SOCKCTL" echo-server ./socket --run -- ./text
    assert_status 126
}

@test "what it sent just before its end is still read" {
    for n in 1 2 3 4 5 6 7 8; do
        try "$SOCKCTL" listen -k 127.0.0.1:0 --run -- \
            bash -c 'echo "line $1" >"/dev/tcp/$SOCKCTL_ADDR/$SOCKCTL_PORT"' bash $n
        assert_status 0
        assert_output "line $n"
    done
}

@test "all addresses, IPv6 and UNIX sockets can be connected to" {
    for address in 0 -40 $(ipv6 -60 '[::1]:0'); do
        option=${address%0}
        [[ $option == -? ]] || option=-v
        # shellcheck disable=SC2016 # for the shell that is run
        try "$SOCKCTL" echo-server "$option" "${address#-?}" --run -- \
            sh -c 'echo hello | "$SOCKCTL" connect "$SOCKCTL_ADDR" "$SOCKCTL_PORT"'
        assert_status 0
        assert_output hello
    done
    SOCKCTL_PORT=old try "$SOCKCTL" echo-server ./socket --run -- \
        sh -c 'echo "port $SOCKCTL_PORT" | "$SOCKCTL" connect -U "$SOCKCTL_ADDR"'
    assert_output 'port '
}

@test "12.1: of a server on all addresses, SOCKCTL_ADDR is that of IPv4: loopback may have no IPv6" {
    while read -r words; do
        [ "$words" ] || continue
        # shellcheck disable=SC2016,SC2086 # for the shell that is run; words
        try "$SOCKCTL" echo-server ${words#* } --run -- sh -c 'echo "$SOCKCTL_ADDR"'
        assert_output "${words%% *}"
    done <<END
127.0.0.1 0
127.0.0.1 -4 0
$(ipv6 '::1 -6 0')
END
}

@test "it has our stdin, which the server leaves alone" {
    TRY_STDIN=<(echo words) try "$SOCKCTL" listen -k 127.0.0.1:0 --run -- cat
    assert_status 0
    assert_output words
}

@test "one client is served to its end, and then the command is waited for" {
    try "$SOCKCTL" listen 127.0.0.1:0 --run -- sh -c '
        echo one | "$SOCKCTL" connect "$SOCKCTL_ADDR" "$SOCKCTL_PORT"
        sleep 0.3
        echo two
        exit 3'
    assert_status 3
    assert_output $'one\ntwo'
}

@test "nothing but 0, 1 and 2 is open in it, and no signal is blocked" {
    : >some
    try "$SOCKCTL" echo-server 127.0.0.1:0 --run -- \
        sh -c 'ls /proc/$$/fd; exec grep SigBlk /proc/self/status' 5<some 7>other
    [ "${lines[*]}" = $'0 1 2 SigBlk:\t0000000000000000' ] || show_results 'there is more'
}

@test "a signal goes to the command first, and the server is there until it has ended" {
    for signal in TERM INT HUP; do
        start server "$SOCKCTL" echo-server -v 127.0.0.1:0 --run -- bash -c "
            trap 'echo last | \"\$SOCKCTL\" connect \$SOCKCTL_ADDR \$SOCKCTL_PORT; exit 5' $signal
            echo ready; while :; do sleep 0.02; done"
        wait_file server.out ready
        stop server "$signal"
        assert_status 5
        assert_output $'ready\nlast'
    done
}

@test "a command that a signal ends is told of in the status" {
    start server "$SOCKCTL" listen 127.0.0.1:0 --run -- sleep 1000
    listening server
    stop server
    assert_status 143
}

@test "a command that does not care is killed after a second" {
    start server "$SOCKCTL" echo-server 127.0.0.1:0 --run -- \
        sh -c 'trap "" TERM; echo $$; while :; do sleep 0.05; done'
    wait_file server.out .
    stop server
    assert_status 137
    gone "$(<server.out)"
}

@test "--max-time ends both" {
    try "$SOCKCTL" echo-server 127.0.0.1:0 --max-time 200ms --run -- sh -c 'echo $$; exec sleep 1000'
    assert_status 5
    gone "$output"
}

@test "a server that fails ends the command, and its failure is told" {
    try "$SOCKCTL" listen -w 100ms 127.0.0.1:0 --run -- sh -c 'echo $$; exec sleep 1000'
    assert_status 5
    assert_errors 'no client came'
    gone "$output"
}

@test "what follows -- needs --run, and the other way round" {
    for command in 'listen 127.0.0.1:0' 'echo-server 127.0.0.1:0' 'unix-serve ./socket'; do
        # shellcheck disable=SC2086 # words
        try "$SOCKCTL" $command --run
        assert_usage_error 'option --run needs a command, after --'
        # shellcheck disable=SC2086 # words
        try "$SOCKCTL" $command -- true
        assert_usage_error 'what follows -- is for'
    done
    try "$SOCKCTL" echo-server 127.0.0.1:0 --workers 2 --run -- true
    assert_usage_error
}
