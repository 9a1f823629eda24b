#!/usr/bin/env bats
# unix-serve, against clients that behave in one exact way.

load helpers/common

# server ARGS…: unix-serve on $T/s.
server() {
    start server "$SOCKCTL" unix-serve -v "$@" "$T/s"
    listening server
}

# client STEPS…: see helpers/frames.py.
client() {
    need python3
    try python3 "$HELPERS/frames.py" client "$T/s" "$@"
}

# background NAME STEPS…: the same, in the background.
background() {
    need python3
    start "$1" python3 "$HELPERS/frames.py" client "$T/s" "${@:2}"
}

send() { try "$SOCKCTL" unix-send "$T/s" "$@"; }

# ended: the server has ended well, and left no file.
ended() {
    finish server
    assert_status 0
    [ ! -e "$T/s" ] || fail "the socket file is still there"
}

warnings() { grep -av -e ': listening on ' -e ': accepted client' -e ': closed client' server.err || :; }

@test "the client of the lab" {
    need "${CC:-cc}"
    "${CC:-cc}" -o lab_client "$HELPERS/lab_client.c"
    server
    [ "$ADDR" = "unix:$T/s" ]
    try ./lab_client s 'hola mundo' ''
    assert_status 0
    wait_file server.out 'hola mundo'
    try ./lab_client s quit
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

@test "malformed frames: one warning, and the end of that client alone" {
    server
    background other say=HERE "wait=$T/go" frame=other end gone
    wait_file other.out HERE
    for steps in int=0 int=-5 int=2147483647 'int=3 raw=abc' 'int=1048578'; do
        # shellcheck disable=SC2086 # a step is a word
        client frame=before $steps gone
        assert_status 0
    done
    touch go
    finish other
    assert_output $'HERE\neof'
    send quit
    ended
    assert_output $'before\nbefore\nbefore\nbefore\nbefore\nother\nquit'
    [ "$(warnings)" = "\
sockctl: client 2: malformed frame: a length of 0
sockctl: client 3: malformed frame: a length of -5
sockctl: client 4: malformed frame: a message of 2147483646 bytes, where at most 1048576 are taken
sockctl: client 5: malformed frame: no NUL at the end
sockctl: client 6: malformed frame: a message of 1048577 bytes, where at most 1048576 are taken" ]
}

@test "a frame cut short is reported, and the server goes on" {
    server
    client frame=whole int=10 raw=abc
    client 'raw=\x05\x00'
    send quit
    ended
    assert_output $'whole\nquit'
    assert_errors '^sockctl: client 1: frame cut short after 7 bytes$'
    assert_errors '^sockctl: client 2: frame cut short after 2 bytes$'
    [ "$(warnings | wc -l)" -eq 2 ]
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

@test "whoever sends too much is told so: it has not been read" {
    head -c 300000 /dev/zero | tr '\0' x >long
    server --max-message 10
    TRY_STDIN=long send
    assert_status 1
    assert_one_error_line
    send quit
    ended
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

@test "thousands of clients that stay in mid-frame cost little, and no other client waits" {
    ulimit -n "$(ulimit -H -n)"
    local clients=$(($(ulimit -n) > 10100 ? 10000 : $(ulimit -n) - 100))
    server
    background crowd crowd=$clients say=HERE hang
    wait_file crowd.out HERE 15
    send 'one more'
    assert_status 0
    wait_file server.out 'one more'
    if ! sanitized; then
        read -r _ kilobytes _ < <(grep VmRSS "/proc/${PIDS[server]}/status")
        ((kilobytes < 2048 + clients)) || fail "$kilobytes KiB for $clients clients"
    fi
    ticks() { awk '{ print $14 + $15 }' "/proc/${PIDS[server]}/stat"; }
    before=$(ticks)
    sleep 0.3
    (($(ticks) - before <= 2)) || fail "it is busy with clients that are silent"
    send quit
    ended
    [ "$(warnings)" = '' ] || fail "a client that had not ended was reported" server.err
}

@test "at a quit, what others have sent is still printed; what follows the quit is not" {
    server
    for i in {1..10}; do
        background "c$i" flood=500 int=9 raw=part say=SENT hang
        wait_file "c$i.out" SENT
    done
    client frame=first frame=quit frame=late gone
    assert_status 0
    ended
    grep -c '^[0-9]*$' server.out >count
    [ "$(<count)" -eq 5000 ]
    [ "$(grep -v '^[0-9]*$' server.out)" = $'first\nquit' ]
    [ "$(warnings)" = '' ]
    send refused
    assert_status 4
}

@test "at a quit, the others are heard though stdout is slow" {
    mkfifo out
    exec 5<>out
    start server bash -c 'exec "$@" >out' sh "$SOCKCTL" unix-serve -v "$T/s"
    listening server
    for i in {1..10}; do background "c$i" flood=500 say=SENT hang; done
    head -c 150000 /dev/zero | tr '\0' x >long
    TRY_STDIN=long send
    assert_status 0
    for i in {1..10}; do wait_file "c$i.out" SENT; done
    client frame=quit
    { until read -r line && [ "$line" = quit ]; do [ "$line" ] && echo "$line"; done; } <&5 >got &
    reader=$!
    finish server
    assert_status 0
    wait "$reader"
    timeout 1 cat <&5 >>got || :
    exec 5>&-
    [ "$(grep -c '^[0-9]*$' got)" -eq 5000 ]
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

@test "a signal ends it though stdout is stuck" {
    mkfifo out
    exec 5<>out
    start server bash -c 'exec "$@" >out' sh "$SOCKCTL" unix-serve -v "$T/s"
    listening server
    background other flood=200000
    wait_line server 'accepted client 1'
    stop server
    exec 5>&-
    assert_status 0
    [ ! -e s ]
}

@test "when stdout takes no more, clients are not read, and nothing is lost" {
    mkfifo out
    exec 5<>out
    start server bash -c 'exec "$@" >out' sh "$SOCKCTL" unix-serve -v "$T/s"
    listening server
    seq 300000 >numbers
    START_STDIN=numbers start client "$SOCKCTL" unix-send "$T/s"
    head -n 1 <&5 >first
    ! gone "${PIDS[client]}" || fail "two megabytes were taken though nobody reads"
    background quitter "wait=$T/go" frame=quit
    { cat first; timeout 10 sed /quit/q; } <&5 >rest &
    reader=$!
    finish client
    assert_status 0
    touch go
    finish server
    assert_status 0
    wait "$reader"
    exec 5>&-
    tail -n 2 rest >end
    [ "$(<end)" = $'300000\nquit' ]
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

@test "a client that does not read its answers is not read from, and delays nobody" {
    server --echo
    background lazy pour=100000 "wait=$T/go" count
    wait_file server.out '^1$'
    client frame=hola read
    assert_output hola
    ! grep -q '^99999$' server.out || fail "it was read from"
    touch go
    finish lazy
    assert_output 100000
    send quit
    ended
    [ "$(wc -l <server.out)" -eq 100002 ]
}

@test "a client that goes without reading its answers has sent what it has sent" {
    server --echo
    send one two
    assert_status 0
    client flood=50
    send quit
    ended
    { printf 'one\ntwo\n'; seq 0 49; echo quit; } | cmp - server.out
    [ "$(warnings)" = '' ]
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

@test "stdout that cannot be written: status 8, and no file is left" {
    start server bash -c 'exec "$@" >/dev/full' sh "$SOCKCTL" unix-serve -v "$T/s"
    listening server
    send hello
    finish server
    assert_status 8
    assert_errors '^sockctl: write to stdout: No space left on device$'
    [ ! -e s ]
    start server bash -c 'exec "$@" >&-' sh "$SOCKCTL" unix-serve -v "$T/s"
    listening server
    send hello
    finish server
    assert_status 8
    [ ! -e s ]
}

@test "a reader of stdout that goes away is the end, at once and in silence" {
    mkfifo out
    exec 5<>out
    start server bash -c 'exec "$@" 5>&- >out' sh "$SOCKCTL" unix-serve -v "$T/s"
    listening server
    exec 5>&-
    finish server
    assert_status 8
    [ "$(warnings)" = '' ]
    [ ! -e s ]
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
