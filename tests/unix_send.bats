#!/usr/bin/env bats
# unix-send, against servers that behave in one exact way.

load helpers/common
load helpers/lab
export LOOPBACK=no

# server STEPS…: serves one client on $T/s; see helpers/frames.py.
server() {
    need python3
    rm -f s
    start server python3 "$HELPERS/frames.py" server "$T/s" "$@"
    wait_file server.out READY
}

send() { try "$SOCKCTL" unix-send "$T/s" "$@"; }

@test "the server of the lab" {
    lab_server server message-server "$T/s"
    send 'hola mundo' ''
    assert_status 0
    assert_output ''
    [ ! -s try.err ]
    TRY_STDIN=<(printf 'one\ntwo') send
    assert_status 0
    send quit
    assert_status 0
    finish server
    assert_status 0
    assert_output $'listening on '"$T"$'/s\nhola mundo\n\none\ntwo\nquit'
}

@test "a server that serves another client first: waits until all is read" {
    lab_server server message-server "$T/s"
    mkfifo typed
    START_STDIN=typed start first "$SOCKCTL" unix-send "$T/s"
    exec 5>typed
    echo first >&5
    wait_file server.out first
    start second "$SOCKCTL" unix-send -v "$T/s" second 5>&-
    wait_line second 'connected to unix:'
    try "$SOCKCTL" unix-send -i 100ms "$T/s" third
    assert_status 5
    assert_errors 'nothing moved for 0.1 seconds'
    try "$SOCKCTL" unix-send --max-time 100ms "$T/s" fourth
    assert_status 5
    assert_one_error_line
    ! gone "${PIDS[second]}" || fail "it has ended, though nobody has read its message"
    exec 5>&-
    finish first
    assert_status 0
    finish second
    assert_status 0
    send quit
    assert_status 0
    finish server
    [[ $output == *$'/s\nfirst\nsecond\n'* ]]
}

@test "what is on the wire: native frames" {
    server count
    seq 100000 >numbers
    TRY_STDIN=numbers send
    assert_status 0
    finish server
    assert_output $'READY\n100000'
}

@test "a NUL inside a message, and messages that NUL ends" {
    start server "$SOCKCTL" unix-serve -0 "$T/s"
    poll 5000 test -S s
    printf 'a\0b\nc\n' >lines
    printf 'a\nb\0\0c' >nuls
    TRY_STDIN=lines send
    assert_status 0
    TRY_STDIN=nuls send -0
    assert_status 0
    send quit
    finish server
    printf 'a\0b\0c\0a\nb\0\0c\0quit\0' | cmp - server.out
}

@test "nothing to send: connects, and that is all" {
    server gone
    send
    assert_status 0
    finish server
    assert_output $'READY\neof'
    send refused
    assert_status 4
}

@test "a long message" {
    head -c 5000000 /dev/zero | tr '\0' x >long
    start server "$SOCKCTL" unix-serve --max-message 5M "$T/s"
    poll 5000 test -S s
    TRY_STDIN=long send
    assert_status 0
    send quit
    finish server
    { cat long; printf '\nquit\n'; } | cmp - server.out
}

@test "lines are sent as they are typed" {
    server read read gone
    mkfifo typed
    START_STDIN=typed start client "$SOCKCTL" unix-send "$T/s"
    exec 5>typed
    for word in one two; do
        echo $word >&5
        wait_file server.out "^$word\$"
    done
    exec 5>&-
    finish client
    assert_status 0
}

@test "--reply waits for a message after each, and prints it" {
    server read frame=uno read frame= read slowly frame=tres gone
    TRY_STDIN=<(seq 3) send --reply
    assert_status 0
    assert_output $'uno\n\ntres'
    finish server
    assert_output $'READY\n1\n2\n3\neof'
}

@test "--reply takes replies in order, however they arrive" {
    server frame=a frame=b read read slowly frame=c read gone
    send --reply one two three
    assert_status 0
    assert_output $'a\nb\nc'
}

@test "a reply that does not come, that is cut, that is malformed" {
    server read say=READ
    send --reply hola
    assert_status 1
    assert_errors '^sockctl: reply from unix:.*/s: the connection was closed before it came$'
    server read int=10 raw=abc
    send --reply hola
    assert_status 7
    assert_errors '^sockctl: reply from unix:.*/s: frame cut short after 7 bytes$'
    for steps in int=0 int=-1 int=2147483647 'int=1 raw=x' int=1048578; do
        # shellcheck disable=SC2086 # a step is a word
        server read $steps hang
        send --reply hola
        assert_status 7
        assert_output ''
        assert_errors '^sockctl: reply from unix:.*/s: malformed frame: '
        stop server
    done
    server read frame=12345678901 hang
    send --reply --max-message 10 hola
    assert_status 7
    stop server
    server read hang
    send --reply -i 100ms hola
    assert_status 5
}

@test "without --reply, what the server says is thrown away" {
    server read flood=100000 read gone
    send one two
    assert_status 0
    assert_output ''
    finish server
    [[ $output == $'READY\none\ntwo'* ]]
}

@test "a server that goes away before it has read everything: status 1" {
    server read
    send one two
    assert_status 1
    assert_output ''
    assert_one_error_line
    assert_errors '^sockctl: send to unix:.*/s: the server went away before it had read everything'
    seq 1000000 >numbers
    server read
    TRY_STDIN=numbers send
    assert_status 1
    assert_one_error_line
}

@test "a server that goes away while the message waits in its backlog: status 1" {
    server "wait=$T/go"
    start client "$SOCKCTL" unix-send -v "$T/s" held
    start late "$SOCKCTL" unix-send -v "$T/s" never
    wait_line late 'connected to'
    touch go
    finish late
    assert_status 1
    finish client
    assert_status 1
}

@test "a server that closes once it has read everything: status 0" {
    server read
    mkfifo typed
    exec 5<>typed
    echo quit >&5
    TRY_STDIN=typed send
    assert_status 0
    server read say=READ
    START_STDIN=typed start client "$SOCKCTL" unix-send "$T/s"
    echo quit >&5
    finish server
    echo more >&5
    finish client
    exec 5>&-
    assert_status 1
    assert_one_error_line
}

@test "what follows a quit, or what the server refuses, has not been read: status 1" {
    start server "$SOCKCTL" unix-serve --max-message 10 --echo "$T/s"
    poll 5000 test -S s
    send 'longer than ten'
    assert_status 1
    send --reply one two
    assert_status 0
    assert_output $'one\ntwo'
    send three quit late
    assert_status 1
    assert_one_error_line
    finish server
    assert_status 0
    assert_output $'one\ntwo\nthree\nquit'
    start server "$SOCKCTL" unix-serve --echo "$T/s"
    poll 5000 test -S s
    send --reply four quit late
    assert_status 1
    assert_output $'four\nquit'
}

@test "many lines share their system calls" {
    server count
    seq 100000 >numbers
    TRY_STDIN=numbers send -vv
    assert_status 0
    calls=$(grep -c '^sockctl: send(' try.err)
    ((calls < 100)) || fail "$calls calls for 100,000 messages"
}

@test "on a terminal, a server that closes is the end at once" {
    server read read
    try python3 -c '
import os, pty, subprocess, sys
master, terminal = pty.openpty()
client = subprocess.Popen(sys.argv[1:], stdin=terminal)
os.write(master, b"hola\nquit\n")
client.wait(5)
sys.exit(client.returncode)' "$SOCKCTL" unix-send "$T/s"
    assert_status 0
    finish server
    assert_output $'READY\nhola\nquit'
}

@test "a server that only ends its sending goes on reading" {
    server end read read gone
    mkfifo typed
    START_STDIN=typed start client "$SOCKCTL" unix-send "$T/s"
    exec 5>typed
    echo one >&5
    wait_file server.out '^one$'
    echo two >&5
    exec 5>&-
    finish client
    assert_status 0
    finish server
    assert_output $'READY\none\ntwo\neof'
}

@test "cannot connect: status 4, and the path is named" {
    send hola
    assert_status 4
    assert_one_error_line
    assert_errors "^sockctl: connect to unix:$T/s: No such file or directory\$"
    : >s
    send hola
    assert_status 4
    assert_errors "^sockctl: connect to unix:$T/s: Connection refused \\(this is no socket\\)\$"
}

@test "-w limits the wait for a server whose backlog is full" {
    need python3
    start server python3 -c '
import signal, socket
s = socket.socket(socket.AF_UNIX); s.bind("s"); s.listen(0)
c = socket.socket(socket.AF_UNIX); c.connect("s"); print("READY", flush=True); signal.pause()'
    wait_file server.out READY
    send -w 100ms hola
    assert_status 5
    assert_one_error_line
}

@test "stdin that cannot be read, stdout that cannot be written: status 8" {
    server gone
    TRY_STDIN=/ send
    assert_status 8
    assert_errors '^sockctl: read from stdin: Is a directory$'
    server read frame=hola hang
    try bash -c 'exec "$@" >/dev/full' sh "$SOCKCTL" unix-send --reply "$T/s" x
    assert_status 8
    assert_errors '^sockctl: write to stdout: No space left on device$'
    stop server
}

@test "a reader of stdout that goes away is the end, at once and in silence" {
    server read frame=hola read hang
    try bash -c '{ "$@"; echo $? >status; } | head -n 1' sh "$SOCKCTL" unix-send --reply "$T/s" 1 2
    assert_output hola
    [ ! -s try.err ]
    [ "$(<status)" = 8 ]
    stop server
}

@test "-v tells the connection; -vv shows the calls" {
    server gone
    send -v hola
    assert_status 0
    assert_errors "^sockctl: connected to unix:$T/s\$"
    assert_errors "^sockctl: closed unix:$T/s: 0 bytes in, 9 out\$"
    server gone
    send -vv hola
    assert_errors '^sockctl: send\([0-9]+, "\\x05\\x00\\x00\\x00hola\\x00", 9, MSG_DONTWAIT\|MSG_NOSIGNAL\) = 9$'
}

@test "bad input: one clear line, status 2, nothing done" {
    long=$T/$(printf '%0120d' 0)
    for words in '' tcp:127.0.0.1:80 unix-dgram:s "$long" '--framing lines s x' '--max-message x s' \
        '-w x s' '-i -1 s' '--nonsense s'; do
        # shellcheck disable=SC2086 # several words
        try "$SOCKCTL" unix-send $words
        assert_usage_error
    done
    server gone
    send --framing line $'two\nlines'
    assert_usage_error 'ends a message'
    stop server
}
