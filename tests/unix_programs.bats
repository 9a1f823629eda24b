#!/usr/bin/env bats
# unix-serve with a program for each message, and descriptors that are passed to it.

load helpers/common
export LOOPBACK=no
load helpers/frames

descriptors() { find "/proc/${PIDS[server]}/fd" -mindepth 1 | wc -l; }

@test "a program gets the message on stdin, and what it writes is the answer" {
    start server "$SOCKCTL" unix-serve -v -e tr "$T/s" -- a-z A-Z
    listening server
    send --reply 'hola mundo' '' $'two\nlines'
    assert_status 0
    assert_output $'HOLA MUNDO\n\nTWO\nLINES'
    send --reply quit
    assert_output QUIT
    ended
    assert_output $'hola mundo\n\ntwo\nlines\nquit'
    [ "$(warnings)" = '' ]
    server --framing line -c 'wc -c; echo one >&2'
    send --framing line --reply 'hola' 'quit'
    assert_output $'4\n4'
    ended
    [ "$(warnings)" = $'one\none' ]
}

@test "a long message there and back" {
    head -c 1000000 /dev/urandom | base64 -w 0 | head -c 1000000 >long
    server -e cat
    TRY_STDIN=long send --reply
    assert_status 0
    { cat long; echo; } | cmp - try.out
    send quit
    ended
}

@test "what the program knows: who sent the message; no descriptor but 0, 1 and 2" {
    server -c 'echo $SOCKCTL_PROTO $SOCKCTL_PEER_UID $SOCKCTL_PEER_PID $(ls /proc/self/fd)'
    start client "$SOCKCTL" unix-send --reply "$T/s" who
    finish client
    assert_output "UNIX $(id -u) ${PIDS[client]} 0 1 2 3"
    send quit
    ended
}

@test "answers keep their order, and programs of different clients run at once" {
    server -c 'read -r name || :; case $name in slow) until [ -e go ]; do sleep 0.01; done;; esac
        echo $name'
    start slow "$SOCKCTL" unix-send --reply "$T/s" slow
    wait_file server.out slow
    client together=1,2,3 end read read read
    assert_output $'1\n\n2\n\n3'
    gone "${PIDS[slow]}" && fail "its program has not ended"
    touch go
    finish slow
    assert_output slow
    send quit
    ended
}

# Programs that wait for a line of the FIFO `go`, which `release N` gives to N of them.
hold() {
    rm -f go count
    mkfifo go
    exec 6<>go
    CLOSE+=" 6>&-"
}
release() { yes '' | head -n "$1" >&6; }

@test "12.2.7: at most 100 programs at a time, or as many as -m says; the messages of the others wait" {
    while read -r most options; do
        hold
        # shellcheck disable=SC2086
        server $options -c 'echo x >>count; read -r _ <go'
        background many many=110 hang
        poll 30000 test_count "$most" || fail "$(wc -l <count) programs"
        # With -m, the others have not even been accepted; `many` is one that says nothing.
        [ "$options" ] || send -i 200ms late
        [ "$options" ] || assert_status 5
        if poll 500 test_count $((most + 1)); then fail "more than $most programs"; fi
        release 111
        [ "$options" ] || poll 30000 test_count 111
        exec 6>&-
        stop server
        assert_status 0
    done <<'END'
100
2 -m 3
END
}

@test "12.3.12: those who wait for a program cost nothing while others get theirs" {
    need strace
    export ASAN_OPTIONS=detect_leaks=0
    hold
    start server strace -D -o calls -e trace=epoll_ctl "$SOCKCTL" unix-serve -v "$T/s" \
        -c 'read -r _ <go; echo x >>count'
    listening server
    background many many=400 say=SENT hang
    wait_file many.out SENT
    release 401
    poll 30000 test_count 400 || fail "$(wc -l <count) programs"
    send quit
    finish server
    # For each: its connection and its program's output, each begun and ended, and a wait.
    (($(wc -l <calls) < 400 * 10)) || fail "$(wc -l <calls) calls"
}

test_count() { [ -e count ] && [ "$(wc -l <count)" -ge "$1" ]; }

@test "with few descriptors, clients wait for their turn, and each gets its answer" {
    # shellcheck disable=SC2016
    start server bash -c 'ulimit -n 16 && exec "$@"' bash "$SOCKCTL" unix-serve -v \
        -c 'until [ -e go ]; do sleep 0.05; done; cat' "$T/s"
    listening server
    for i in {1..12}; do background "c$i" frame="$i" say=SENT read; done
    for i in {1..12}; do wait_file "c$i.out" SENT; done
    touch go
    for i in {1..12}; do
        finish "c$i"
        assert_status 0
        assert_output SENT$'\n'"$i"
    done
    [ "$(warnings)" = '' ]
    send quit
    ended
}

@test "messages of a client that has gone are still handed over, and all before a quit" {
    server -c 'cat >>got; echo >>got'
    seq 20 >numbers
    TRY_STDIN=numbers send
    assert_status 0
    client together=a,b,quit,late gone
    ended
    { cat numbers; printf 'a\nb\nquit\n'; } | cmp - got
}

@test "a program that fails, that is missing, that does not read: a warning at most" {
    server -c 'cat; exit 3'
    send --reply hola
    assert_status 0
    assert_output hola
    send quit
    ended
    [ "$(warnings)" = $'sockctl: client 1: /bin/sh ended with status 3
sockctl: client 2: /bin/sh ended with status 3' ]
    printf "#!/bin/sh\n" >nothing
    chmod +x nothing
    server -e "$T/nothing"
    rm nothing
    send hola
    assert_status 0
    send quit
    ended
    assert_errors "^sockctl: client 1: run $T/nothing: No such file or directory\$"
    head -c 1000000 /dev/zero | tr '\0' x >long
    server -e true
    TRY_STDIN=long send --reply
    assert_status 0
    assert_output ''
    send quit
    ended
    [ "$(warnings)" = '' ]
}

@test "an answer that is too long, or no line: a warning, and the client goes on" {
    server --max-message 1000 -c 'read -r n || :; [ "$n" = 5 ] && exec yes; printf $n'
    start client "$SOCKCTL" unix-send --reply "$T/s" 5
    wait_line server 'client 1: the answer of /bin/sh is longer than 1000 bytes'
    stop client
    client together=5,6 end read
    assert_output 6
    send quit
    ended
    server --framing line -c 'printf "a\nb\n"'
    send --framing line hola quit
    ended
    assert_errors 'client 1: the answer of /bin/sh contains the byte that ends a message'
}

@test "-i ends a program on which nothing moves; a signal ends all of them" {
    server -i 100ms -c 'trap "" TERM; echo $$ >id; while :; do sleep 0.1; done'
    client frame=hola gone
    read -r id <id
    until_gone "$id" 4000
    send quit
    ended
    assert_errors '^sockctl: client 1: nothing moved within the time limit$'
    server -c 'echo $$ >id2; exec sleep 100'
    background other frame=hola gone
    poll 5000 test -s id2
    stop server
    assert_status 0
    read -r id <id2
    gone "$id" || fail "the program still runs"
    finish other
}

@test "what a program leaves behind does not hold its answer up" {
    server -c 'printf done; sleep 5 &'
    send --reply hola
    assert_status 0
    assert_output 'done'
    send quit
    ended
}

@test "--fd passes a descriptor, --recv-fd makes it the program's descriptor 3" {
    echo 'in the file' >file
    server --recv-fd -c 'cat; cat <&3'
    before=$(descriptors)
    try bash -c 'exec "$@" 5<file' sh "$SOCKCTL" unix-send --reply --fd 5 "$T/s" 'first ' 'second '
    assert_status 0
    assert_output $'first in the file\n\nsecond '
    TRY_STDIN=./file send --fd 0 --reply 'stdin: '
    assert_output $'stdin: in the file'
    send none
    assert_status 0
    poll 2000 same_descriptors "$before" || fail "$(descriptors) descriptors, of $before"
    send --fd 77 hola
    assert_usage_error 'descriptor 77 is not open'
    send quit
    ended
}

@test "descriptors that nobody asked for are closed; of many the first counts" {
    need python3
    server
    before=$(descriptors)
    client fds=100 frame=hola fds=3 frame=mundo
    wait_file server.out mundo
    poll 2000 same_descriptors "$before"
    send quit
    ended
    server --recv-fd -c 'cat; cat <&3; printf " %s" $(ls /proc/self/fd)'
    before=$(descriptors)
    client fds=100 frame=a read fds=1 frame=b fds=2 frame=c frame=d read read read
    assert_output $'a0 0 1 2 3 4\nb0 0 1 2 3 4\nc0 0 1 2 3 4\nd 0 1 2 3'
    background cut fds=50 'raw=\x05\x00' say=SENT "wait=$T/go"
    wait_file cut.out SENT
    poll 2000 same_descriptors $((before + 2)) || fail "$(descriptors) descriptors, of $before"
    touch go
    finish cut
    poll 2000 same_descriptors "$before"
    send quit
    ended
}

same_descriptors() { [ "$(descriptors)" -eq "$1" ]; }

@test "bad input: one clear line, status 2" {
    for words in '-e cat -c cat s' '--recv-fd s' '-e cat --echo s' '-c cat --reply x s' 's -- cat'; do
        # shellcheck disable=SC2086 # several words
        try "$SOCKCTL" unix-serve $words
        assert_usage_error
    done
    [ ! -e s ]
}
