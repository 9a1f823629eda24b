#!/usr/bin/env bats
# unix-serve, against clients that behave in one exact way.

load helpers/common
load helpers/lab
export LOOPBACK=no
load helpers/frames

@test "the client of the lab" {
    lab message-client
    server
    [ "$ADDR" = "unix:$T/s" ]
    try ./message-client s 'hola mundo' ''
    assert_status 0
    wait_file server.out 'hola mundo'
    try ./message-client s quit
    assert_status 0
    ended
    assert_output $'hola mundo\n\nquit'
    [ "$(warnings)" = '' ]
}

@test "a frame one byte at a time, and many in one write" {
    server
    client slowly frame=hola frame=mundo
    client flood=20000
    send quit
    ended
    { printf 'hola\nmundo\n'; seq 0 19999; echo quit; } | cmp - server.out
}

@test "many clients at once, each in its own order, no message torn" {
    server
    for i in {1..20}; do
        seq -f "$i %.0f" 2000 >"from.$i"
        START_STDIN=from.$i start "client$i" "$SOCKCTL" unix-send "$T/s"
    done
    for i in {1..20}; do
        finish "client$i"
        assert_status 0
    done
    send quit
    ended
    for i in {1..20}; do grep "^$i " server.out | cmp - "from.$i"; done
    [ "$(wc -l <server.out)" -eq 40001 ]
}

@test "--max-message is the longest message" {
    server --max-message 10
    send 1234567890
    assert_status 0
    client frame=12345678901 gone
    send quit
    ended
    assert_output $'1234567890\nquit'
    assert_errors 'client 2: malformed frame: a message of 11 bytes, where at most 10 are taken'
}

@test "a message as long as the default allows" {
    head -c 1048576 /dev/zero | tr '\0' x >message
    server
    TRY_STDIN=message send
    assert_status 0
    send quit
    ended
    { cat message; printf '\nquit\n'; } | cmp - server.out
}

@test "at a quit, what others have sent is still printed; what follows the quit is not" {
    server
    for i in {1..10}; do
        background "c$i" flood=500 int=9 raw=part say=SENT hang
        wait_file "c$i.out" SENT
    done
    client together=first,quit,late gone
    assert_status 0
    ended
    grep -c '^[0-9]*$' server.out >count
    [ "$(<count)" -eq 5000 ]
    [ "$(grep -v '^[0-9]*$' server.out)" = $'first\nquit' ]
    [ "$(warnings)" = '' ]
    send refused
    assert_status 4
}

@test "at a quit, the answers to all before it are sent, though more follows it" {
    server --echo
    client together=one,two,quit,late read read read gone
    assert_output $'one\ntwo\nquit\nreset'
    ended
}

@test "--quit-word is another word, or none" {
    server --quit-word adios
    send quit 'adios ' adios
    assert_status 0
    ended
    assert_output $'quit\nadios \nadios'
    server --quit-word ''
    send quit ''
    assert_status 0
    stop server
    assert_status 0
    assert_output $'quit'
}

@test "SIGINT, SIGTERM and SIGHUP end it in order" {
    for signal in INT TERM HUP; do
        server
        background other frame=hello say=SENT gone
        wait_file server.out hello
        stop server $signal
        assert_status 0
        assert_output hello
        [ ! -e s ]
        finish other
        assert_output $'SENT\neof'
    done
}

@test "-0 ends messages with NUL" {
    server -0
    printf 'a\nb\0c\0' >input
    TRY_STDIN=input send -0
    send quit
    ended
    printf 'a\nb\0c\0quit\0' | cmp - server.out
}

@test "--echo and --reply answer each message with a frame" {
    server --echo
    client frame=hola read frame=mundo read
    assert_output $'hola\nmundo'
    send quit
    ended
    server --reply 'o\x6b'
    client flood=3 frame=quit end count
    assert_output 4
    ended
}

@test "the other framings, both ways" {
    printf 'with , and : and\0NUL\n\nlast' >input
    for framing in u32be netstring line native; do
        server --framing $framing --echo
        TRY_STDIN=input send --framing $framing --reply
        assert_status 0
        { cat input; echo; } | cmp - try.out
        send --framing $framing quit
        ended
        { cat input; printf '\nquit\n'; } | cmp - server.out
    done
}

@test "the other framings, on the wire" {
    server --framing netstring
    client 'raw=5:hello,0:,4:quit,'
    ended
    assert_output $'hello\n\nquit'
    server --framing u32be
    client 'raw=\x00\x00\x00\x04hola\x00\x00\x00\x04quit'
    ended
    assert_output $'hola\nquit'
    server --framing line
    TRY_STDIN=<(printf 'hola\nquit\n') try "$SOCKCTL" connect "$T/s"
    assert_status 0
    ended
    assert_output $'hola\nquit'
}

@test "limits: the first client, silence, the whole command" {
    try "$SOCKCTL" unix-serve -w 100ms s
    assert_status 5
    assert_output ''
    assert_one_error_line
    try "$SOCKCTL" unix-serve --max-time 100ms s
    assert_status 5
    server -w 5 -i 100ms
    client frame=hola gone
    assert_output eof
    send quit
    ended
    assert_output $'hola\nquit'
    assert_errors '^sockctl: client 1: nothing moved within the time limit$'
}

@test "the socket file: its mode, a stale one, one in use, another kind of file" {
    server
    [ "$(stat -c %a s)" = 600 ]
    try "$SOCKCTL" unix-serve s
    assert_status 4
    assert_one_error_line
    kill -KILL "${PIDS[server]}"
    until_gone "${PIDS[server]}" 2000
    [ -S s ]
    server --mode 0640
    [ "$(stat -c %a s)" = 640 ]
    send quit
    ended
    echo precious >s
    try "$SOCKCTL" unix-serve s
    assert_status 4
    assert_errors 's: exists and is not a socket'
    [ "$(<s)" = precious ]
}

@test "a name in the abstract namespace, and a socket that was inherited" {
    need python3
    name=@sockctl-$$-$BATS_TEST_NUMBER
    start server "$SOCKCTL" unix-serve -v "unix:$name"
    listening server
    [ "$ADDR" = "unix:$name" ]
    try "$SOCKCTL" unix-send "$name" hello quit
    assert_status 0
    finish server
    assert_output $'hello\nquit'
    start server python3 -c '
import os, socket, sys
s = socket.socket(socket.AF_UNIX); s.bind("s"); s.listen(5); os.dup2(s.fileno(), 7)
os.execv(sys.argv[1], [sys.argv[1], "unix-serve", "-v", "fd:7"])' "$SOCKCTL"
    listening server
    send inherited quit
    assert_status 0
    finish server
    assert_status 0
    assert_output $'inherited\nquit'
}

@test "--allow-uid: a message of another user is not taken; the list is read again on SIGHUP" {
    me=$(id -u)
    echo $((me + 1)) >users
    server --allow-uid @users
    send secret
    assert_status 1
    assert_errors 'the server went away before it had read everything'
    wait_line server 'unix:\(pid [0-9]+, uid [0-9]+\) is not allowed: closed'
    echo "$me" >users
    kill -HUP "${PIDS[server]}"
    poll 5000 test_sent hello
    send quit
    ended
    assert_output $'hello\nquit'
}

test_sent() { "$SOCKCTL" unix-send "$T/s" "$1" 2>/dev/null; }

@test "readiness: --ready-fd and --port-file, before the first message" {
    mkfifo ready
    start reader cat ready
    start server "$SOCKCTL" unix-serve --ready-fd 7 --port-file port s 7>ready
    finish reader
    assert_output ""
    [ "$(wc -c <reader.out)" -eq 1 ]
    [ "$(<port)" = s ]
    send quit
    ended
    assert_output quit
    [[ $(ls) != *.sockctl-* ]]
}

@test "--run: a command beside the server, and its status" {
    # shellcheck disable=SC2016
    try "$SOCKCTL" unix-serve --run --echo s -- bash -c \
        '"$0" unix-send --reply "$SOCKCTL_ADDR" one two && exit 7' "$SOCKCTL"
    assert_status 7
    [ "$(sort try.out)" = $'one\none\ntwo\ntwo' ]
    [ ! -e s ]
    # shellcheck disable=SC2016
    try "$SOCKCTL" unix-serve --run -c 'tr a-z A-Z' s -- "$SOCKCTL" unix-send --reply s up
    assert_status 0
    [ "$(sort try.out)" = $'UP\nup' ]
    try "$SOCKCTL" unix-serve --run s -- ./missing
    assert_status 127
    assert_one_error_line
    [ ! -e s ]
}

@test "--run: after a quit, the command is awaited" {
    # shellcheck disable=SC2016
    try "$SOCKCTL" unix-serve --run s -- bash -c '"$0" unix-send s quit
        while [ -e s ]; do sleep 0.02; done; exit 7' "$SOCKCTL"
    assert_status 7
    assert_output quit
}

@test "bad input: one clear line, status 2, nothing done" {
    long=$T/$(printf '%0120d' 0)
    for words in '' 'a b' tcp:127.0.0.1:80 unix-dgram:s unix-seqpacket:s "$long" '--framing lines s' \
        '--max-message 1x s' '--mode 999 s' '--mode 01777 s' '-i -1 s' '--nonsense s'; do
        # shellcheck disable=SC2086 # several words
        try "$SOCKCTL" unix-serve $words
        assert_usage_error
    done
    try "$SOCKCTL" unix-serve ''
    assert_usage_error
    try "$SOCKCTL" unix-serve --framing line --reply 'a\nb' s
    assert_usage_error 'ends a message'
    [ ! -e s ]
}
