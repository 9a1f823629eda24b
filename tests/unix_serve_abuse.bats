#!/usr/bin/env bats
# unix-serve, with clients that mean it no good and a stdout that does not take what it prints.

load helpers/common
export LOOPBACK=no
load helpers/frames

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

@test "what was seen and then cannot be read is printed once, and is the end of that client" {
    need strace
    export ASAN_OPTIONS=detect_leaks=0
    for options in '' '-c cat'; do
        # shellcheck disable=SC2086 # two words
        start server strace -D -o trace -e trace=recvfrom -e inject=recvfrom:error=ENOMEM:when=2 \
            "$SOCKCTL" unix-serve -v "$T/s" $options
        listening server
        client frame=once gone
        send quit
        finish server
        assert_status 0
        assert_output $'once\nquit'
        assert_errors '^sockctl: client 1: .*Cannot allocate memory$'
    done
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

# The most memory that the server ever had resident, in KiB.
peak_kib() { awk '/^VmHWM/ {print $2}' "/proc/${PIDS[server]}/status"; }

@test "12.2.7: frames that do not end cost no more than --max-memory for all clients together" {
    while read -r many largest kib options; do
        # shellcheck disable=SC2086
        server $options
        background swollen swell="$many" say=HERE hang
        wait_file swollen.out HERE 40
        send 'one more'
        assert_status 0
        wait_file server.out 'one more'
        sanitized || (($(peak_kib) < kib)) || fail "$(peak_kib) KiB"
        stop server
        assert_status 0
        (($(grep -c 'held for it was the most' <<<"$errors") > largest)) || fail "few went" server.err
        stop swollen
    done <<'END'
100 20 120000
40 25 30000 --max-memory=8M
END
}

@test "--max-memory has a least" {
    try "$SOCKCTL" unix-serve --max-memory 4095k "$T/s"
    assert_usage_error 'option --max-memory: less than four times --max-message \(4194304 bytes\)'
    try "$SOCKCTL" unix-serve --max-memory 1k "$T/s"
    assert_usage_error "option --max-memory: '1k' is too small"
    try "$SOCKCTL" unix-serve --max-memory 100k --max-message 30k "$T/s"
    assert_usage_error 'option --max-memory: less than four times --max-message \(122880 bytes\)'
}

@test "at a quit, the others are heard though stdout is slow" {
    mkfifo out
    exec 5<>out # a reader that does not read
    start server bash -c 'exec "$@" >out' sh "$SOCKCTL" unix-serve -v "$T/s" 5>&-
    listening server
    for i in {1..10}; do background "c$i" flood=500 say=SENT hang 5>&-; done
    head -c 150000 /dev/zero | tr '\0' x >long
    TRY_STDIN=long send
    assert_status 0
    for i in {1..10}; do wait_file "c$i.out" SENT 40; done
    client frame=quit
    exec 6<out 5>&-
    cat <&6 >got & # until the server ends
    reader=$!
    exec 6<&-
    finish server
    assert_status 0
    wait "$reader"
    [ "$(grep -c '^[0-9]*$' got)" -eq 5000 ]
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
