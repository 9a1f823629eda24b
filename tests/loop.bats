#!/usr/bin/env bats
# The event loop: stops, pauses of the process, and a kernel that has no room for more.

load helpers/common

server() {
    start server "$SOCKCTL" "$@"
    listening server
}

# The leak check cannot run under strace.
export ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0

@test "12.3.2: workers that die before anybody waits for them end the server" {
    need strace
    # setpgid(2) is a worker's alone; the third signalfd4(2), the parent's, comes when they have died.
    start server strace -f -qq -o calls -e trace=setpgid,signalfd4 \
        -e inject=setpgid:signal=SIGKILL -e inject=signalfd4:delay_enter=500000:when=3 \
        "$SOCKCTL" listen -k --workers 2 -e cat 127.0.0.1 0
    finish server 10
    assert_status 1
    assert_errors 'a worker was ended by signal 9'
}

# pause_over_limit WHAT…: the server is stopped, the client says `hello`, its limit of 1 s passes, the server goes
# on: hello is read.
pause_over_limit() {
    kill -STOP "${PIDS[server]}"
    "$@"
    sleep 1.5
    kill -CONT "${PIDS[server]}"
}

has_lines() { [ "$(wc -l <server.out)" -eq "$1" ]; }
say_hello() { echo hello >&"${COPROC[1]}"; }

hangs_up() {
    local pid=${COPROC_PID:-}
    [ -z "$pid" ] || ! kill "$pid" || wait "$pid" || :
}

@test "12.3.7: echo-server -i: what came during a pause is read before the limit is judged" {
    server echo-server -i 1 -v 127.0.0.1:0
    coproc "$SOCKCTL" connect 127.0.0.1 "$PORT"
    say_hello
    read -r -t 10 LINE <&"${COPROC[0]}"
    pause_over_limit say_hello
    read -r -t 10 LINE <&"${COPROC[0]}"
    [ "$LINE" = hello ]
    hangs_up
}

@test "12.3.7: listen -k -i, --broker, --to: the same" {
    start far "$SOCKCTL" echo-server 127.0.0.1:0
    listening far
    for way in "-k" "--broker" "--to 127.0.0.1:$PORT"; do
        server listen -v -i 1 $way 127.0.0.1 0
        coproc "$SOCKCTL" connect 127.0.0.1 "$PORT"
        wait_line server 'accepted'
        pause_over_limit say_hello
        sleep 0.1
        refute grep -a 'within the time limit' server.err
        hangs_up
        wait_line server 'closed .*: 6 bytes in'
        stop server
        assert_status 0
    done
}

@test "12.3.7: listen -i and listen -u -i: the same for one client" {
    server listen -i 1 127.0.0.1 0
    coproc "$SOCKCTL" connect 127.0.0.1 "$PORT"
    say_hello
    wait_file server.out hello
    pause_over_limit say_hello
    poll 5000 has_lines 2
    hangs_up
    finish server
    assert_output hello$'\n'hello
    assert_status 0
    server listen -u -i 1 -W 2 127.0.0.1 0
    coproc "$SOCKCTL" connect -u -q 10 127.0.0.1 "$PORT"
    say_hello
    wait_file server.out hello
    pause_over_limit say_hello
    finish server
    assert_output hello$'\n'hello
    assert_status 0
    hangs_up
}

@test "12.3.7: listen -u --to -i: a flow that was spoken to during a pause is the same flow" {
    start far "$SOCKCTL" echo-server -u 127.0.0.1:0
    listening far
    server listen -u -v -i 1 --to "127.0.0.1:$PORT" 127.0.0.1 0
    coproc "$SOCKCTL" connect -u -q 10 127.0.0.1 "$PORT"
    say_hello
    read -r -t 10 LINE <&"${COPROC[0]}"
    pause_over_limit say_hello
    read -r -t 10 LINE <&"${COPROC[0]}"
    [ "$LINE" = hello ]
    [ "$(grep -c accepted server.err)" -eq 1 ]
    hangs_up
}

@test "12.3.7: unix-serve -i: a message that came during a pause is printed" {
    server unix-serve -v --framing line -i 1 "$T/socket"
    coproc "$SOCKCTL" connect "$T/socket"
    say_hello
    wait_file server.out hello
    pause_over_limit say_hello
    poll 5000 has_lines 2
    hangs_up
}

@test "12.3.7: connect -i, --expect, unix-send --reply, http-get: an answer that came during a pause counts" {
    local far='sleep 0.7; printf "HTTP/1.0 200 OK\r\n\r\nhello\n"; sleep 3'
    start far "$SOCKCTL" listen -k -c "$far" 127.0.0.1 0
    listening far
    local what=(
        "connect -v -i 1 --exit-on-eof 127.0.0.1 $PORT"
        "connect -v -i 1 --expect hello 127.0.0.1 $PORT"
        "http-get -v --http0.9 --idle-timeout 1 127.0.0.1:$PORT/"
    )
    for words in "${what[@]}"; do
        # shellcheck disable=SC2086
        start server "$SOCKCTL" $words
        wait_line server 'connected to|^sockctl: > '
        pause_over_limit :
        poll 5000 grep -aq hello server.out || fail "nothing of the answer: $words" server.err
        kill "${PIDS[server]}" || :
        finish server || :
    done
    start far "$SOCKCTL" unix-serve -v --framing line -c 'sleep 0.7; echo hello' "$T/socket"
    listening far
    start server "$SOCKCTL" unix-send -v --framing line -i 1 --reply "$T/socket" x
    wait_line server 'connected to'
    pause_over_limit :
    finish server
    assert_output hello
    assert_status 0
}

@test "12.3.6: epoll that has no room for a client: it is served nevertheless, and so are the others" {
    need strace
    start server strace -f -qq -o calls -e trace=epoll_ctl -e inject=epoll_ctl:error=ENOSPC:when=3..6 \
        "$SOCKCTL" echo-server 127.0.0.1:0
    listening server
    for i in 1 2 3 4 5 6; do
        TRY_STDIN=<(echo "client $i") try "$SOCKCTL" connect 127.0.0.1 "$PORT"
        assert_output "client $i"
        assert_status 0
    done
    grep -q ENOSPC calls
    [ "$(grep -c 'max_user_watches' server.err)" -eq 1 ]
}

@test "12.3.6: however few descriptors there are, no socket file is left, and the status says so" {
    local most command
    for most in {5..11}; do
        for command in "listen SOCKET --run -- sleep 5" "unix-serve SOCKET --run -- sleep 5" \
            "echo-server SOCKET --run -- sleep 5" "listen -k -e true SOCKET" "unix-serve -e true SOCKET"; do
            # shellcheck disable=SC2086,SC2016
            start server bash -c 'ulimit -n "$0"; exec "$@"' "$most" "$SOCKCTL" \
                ${command/SOCKET/--max-time 0.3 $T/socket}
            finish server
            [[ " 0 4 5 8 70 126 127 " == *" $status "* ]] || show_results "$most: $command"
            [ ! -e socket ] || fail "$most: $command leaves its socket file" server.err
        done
    done
}

@test "12.3.9: a socket file that cannot be removed at the end: a warning, by servers and clients alike" {
    need strace
    local inject=(strace -f -qq -o calls -e "trace=unlink,unlinkat" -e "inject=unlink,unlinkat:error=EROFS")
    for words in "listen -v -k" "unix-serve -v" "echo-server -v"; do
        # shellcheck disable=SC2086
        start server "${inject[@]}" "$SOCKCTL" $words "$T/socket"
        listening server
        children server
        kill "${CHILDREN[0]}"
        finish server
        assert_status 0
        assert_errors "^sockctl: warning: remove $T/socket: Read-only file system$"
        rm socket
    done
    server listen -v -k "$T/socket"
    try "${inject[@]}" "$SOCKCTL" connect -s "$T/client" "$T/socket"
    assert_status 0
    assert_errors "^sockctl: warning: remove $T/client: Read-only file system$"
}
