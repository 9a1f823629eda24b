#!/usr/bin/env bats
#
# listen --to with --hex-dump and -o: what passes is written down, and the relay waits for that.

load helpers/common

setup() { common_setup; }
teardown() { common_teardown; }

# relay ARGS…: to an echo server, which is `far`; ADDR and PORT.
relay() {
    start far "$SOCKCTL" echo-server 127.0.0.1:0
    listening far
    start relay "$SOCKCTL" listen -v 127.0.0.1:0 --to "127.0.0.1:$PORT" "$@"
    listening relay
}

# say TEXT: by a client, which gets it back.
say() {
    TRY_STDIN=<(printf %s "$1") try "$SOCKCTL" connect "${ADDR}"
    assert_status 0
    assert_output "$1"
}

ended() { grep -q "^$1  .* ended: " "$2"; }

# A FIFO that nobody reads, which is not without a reader: 5 holds it.
stuck() {
    mkfifo "$1"
    exec 5<>"$1"
    CLOSE+=' 5>&-'
}

@test "--to --hex-dump: each stretch has its connection, direction, time and offset" {
    relay --hex-dump dump
    say hello
    say 'to be or not to be'
    poll 5000 ended 2 dump
    stop relay
    assert_status 0
    sed -E 's/[0-9-]+T[0-9:.]+Z/TIME/; s/127\.0\.0\.1:[0-9]+/CLIENT/' dump >seen
    cmp seen - <<'END' || fail "not this" dump
1  TIME from CLIENT
1> TIME 5 bytes
1> 00000000  68 65 6c 6c 6f                                    |hello|
1< TIME 5 bytes
1< 00000000  68 65 6c 6c 6f                                    |hello|
1  TIME ended: eof
2  TIME from CLIENT
2> TIME 18 bytes
2> 00000000  74 6f 20 62 65 20 6f 72  20 6e 6f 74 20 74 6f 20  |to be or not to |
2> 00000010  62 65                                             |be|
2< TIME 18 bytes
2< 00000000  74 6f 20 62 65 20 6f 72  20 6e 6f 74 20 74 6f 20  |to be or not to |
2< 00000010  62 65                                             |be|
2  TIME ended: eof
END
}

@test "--to -o: what clients send and what comes back, in order; -a appends; - is stdout" {
    relay -o both
    say one,
    say two,
    stop relay
    [ "$(<both)" = one,one,two,two, ]
    stop far
    relay -a -o both
    say three
    stop relay
    [ "$(<both)" = one,one,two,two,threethree ]
    stop far
    relay -o - --hex-dump -
    say four
    stop relay
    assert_output fourfour
    assert_errors '^1> 00000000  66 6f 75 72 '
}

@test "--to --hex-dump: 2 MiB there and back are all in the dump" {
    relay --hex-dump dump
    head -c 2097152 /dev/urandom >big
    TRY_STDIN=big try "$SOCKCTL" connect "$ADDR"
    cmp big try.out
    poll 5000 ended 1 dump
    local way
    for way in '>' '<'; do
        sed -nE "s/^1$way [0-9a-f]{8}  ([0-9a-f ]{48})  .*/\1/p" dump | tr -d ' \n' >hex
        python3 -c 'import sys; sys.exit(bytes.fromhex(open("hex").read()) != open("big", "rb").read())' ||
            fail "the dump lacks something of 1$way"
    done
}

@test "--to --hex-dump: a dump that nobody reads slows the relay, and loses nothing" {
    stuck fifo
    relay --hex-dump fifo
    head -c 3000000 /dev/urandom >big
    START_STDIN=big start client "$SOCKCTL" connect "$ADDR"
    # It stands still, with little of it passed.
    poll 5000 test -s client.out
    local size=-1
    until [ "$size" = "$(stat -c %s client.out)" ]; do
        size=$(stat -c %s client.out)
        read -rt 0.3 -u 5 _ </dev/null || :
    done
    [ "$size" -lt 1000000 ] || fail "$size bytes have passed"
    cat fifo >whole 5>&- &
    local reader=$!
    finish client 30
    assert_status 0
    cmp big client.out
    stop relay
    assert_status 0
    exec 5>&-
    wait "$reader"
    [ "$(grep -c '^1[<>] [0-9a-f]\{8\}  ' whole)" -ge 375000 ] || fail 'lines are missing'
}

@test "--to --hex-dump: while it is stuck, a signal ends the relay, which says what was not written" {
    stuck fifo
    relay --hex-dump fifo
    head -c 3000000 /dev/zero >big
    START_STDIN=big start client "$SOCKCTL" connect "$ADDR"
    poll 5000 test -s client.out
    stop relay
    assert_status 0
    assert_errors '^sockctl: fifo: the last [0-9]+ bytes were not written$'
    finish client
    assert_status 1
}

@test "--to --hex-dump-drop: the relay goes on, and the dump says what it lacks" {
    stuck fifo
    relay --hex-dump fifo --hex-dump-drop
    head -c 3000000 /dev/urandom >big
    TRY_STDIN=big try "$SOCKCTL" connect "$ADDR"
    assert_status 0
    cmp big try.out
    cat fifo >whole 5>&- &
    local reader=$!
    poll 10000 ended 1 whole
    say later
    poll 10000 ended 2 whole
    stop relay
    assert_status 0
    exec 5>&-
    wait "$reader"
    local left=0 number
    for number in $(sed -nE 's/^1[<>] [^ ]+Z ([0-9]+) bytes left out$/\1/p' whole); do
        left=$((left + number))
    done
    [ "$left" -gt 1000000 ]
    assert_errors "^sockctl: fifo: $left bytes were left out of the dump$"
    grep -q '^2> 00000000  6c 61 74 65 72 ' whole
}

@test "--to --hex-dump: a full disk ends the relay with status 8, --hex-dump-drop only the dump" {
    relay --hex-dump /dev/full
    TRY_STDIN=<(echo hello) try "$SOCKCTL" connect "$ADDR"
    assert_status 1
    finish relay
    assert_status 8
    assert_errors '^sockctl: write to /dev/full: No space left on device$'
    [ "$(grep -c 'No space' <<<"$errors")" -eq 1 ]
    stop far
    relay -o /dev/full
    TRY_STDIN=<(echo hello) try "$SOCKCTL" connect "$ADDR"
    finish relay
    assert_status 8
    assert_errors '^sockctl: write to /dev/full: No space left on device$'
    stop far
    relay --hex-dump /dev/full --hex-dump-drop
    say hello
    say again
    stop relay
    assert_status 0
    assert_errors '^sockctl: write to /dev/full: No space left on device: the rest of the dump is left out$'
    [ "$(grep -c 'No space' <<<"$errors")" -eq 1 ]
    assert_errors '^sockctl: /dev/full: 20 bytes were left out of the dump$'
}

@test "--to -o: the reader of stdout has had enough: status 8, and no message" {
    start far "$SOCKCTL" echo-server 127.0.0.1:0
    listening far
    mkfifo seen
    (exec 6>&1 && exec timeout 20 "$SOCKCTL" listen -v 127.0.0.1:0 --to "127.0.0.1:$PORT" -o - >seen 2>relay.err; ) &
    local relay=$!
    exec 5<seen
    wait_file relay.err '^sockctl: listening on '
    ADDR=${LINE##* }
    exec 5<&-
    TRY_STDIN=<(echo hello) try "$SOCKCTL" connect "$ADDR"
    status=0
    wait "$relay" || status=$?
    assert_status 8
    refute grep -q 'Broken pipe' relay.err
}

@test "--to --hex-dump: UNIX and seqpacket sockets; messages keep their bounds" {
    need python3
    cat >case.py <<'END'
import os, re, signal, socket, subprocess, sys
signal.alarm(30)
far = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
far.bind("far"); far.listen()
relay = subprocess.Popen([os.environ["SOCKCTL"], "listen", "-v", "unix-seqpacket:./near", "--to",
                          "unix-seqpacket:./far", "--hex-dump", "dump"], stderr=subprocess.PIPE, text=True)
assert "listening" in relay.stderr.readline()
client = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
client.connect("near")
client.send(b"one"); client.send(b""); client.send(b"three")
peer = far.accept()[0]
assert [peer.recv(10), peer.recv(10), peer.recv(10)] == [b"one", b"", b"three"]
peer.send(b"x" * 100000)
assert len(client.recv(200000)) == 100000
client.close(); peer.close()
while "closed" not in relay.stderr.readline():
    pass
relay.terminate()
assert relay.wait() == 0
lines = open("dump").read().splitlines()
heads = [line.split("Z ")[0][0:2] + line.split("Z ")[1] for line in lines if "Z " in line]
assert heads[0].startswith("1 from "), heads[0]
assert heads[1:] == ["1>3 bytes", "1>0 bytes", "1>5 bytes", "1<100000 bytes", "1 ended: eof"], heads
END
    try python3 case.py
    assert_status 0
}

@test "--to --hex-dump: datagrams, a number for each flow; a stuck dump stops them, none is lost in silence" {
    need python3
    start far "$SOCKCTL" echo-server -u 127.0.0.1:0
    listening far
    start relay "$SOCKCTL" listen -u -v 127.0.0.1:0 --to "udp:127.0.0.1:$PORT" --hex-dump dump -o both
    listening relay
    TRY_STDIN=<(printf one) try "$SOCKCTL" connect -u -W 1 127.0.0.1 "$PORT"
    assert_output one
    TRY_STDIN=<(printf three) try "$SOCKCTL" connect -u -W 1 127.0.0.1 "$PORT"
    assert_output three
    stop relay
    [ "$(<both)" = oneonethreethree ]
    sed -E 's/[0-9-]+T[0-9:.]+Z/TIME/; s/from .*/from/' dump | grep -v 0000 >seen
    cmp seen - <<'END' || fail "not this" dump
1  TIME from
1> TIME 3 bytes
1< TIME 3 bytes
2  TIME from
2> TIME 5 bytes
2< TIME 5 bytes
1  TIME ended: signal
2  TIME ended: signal
END
    stuck fifo
    start relay "$SOCKCTL" listen -v unix-dgram:./near --to unix-dgram:./far --hex-dump fifo
    listening relay
    cat >case.py <<'END'
import signal, socket, sys
signal.alarm(30)
far = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
far.bind("far")
far.setblocking(False)
client = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
client.connect("near")
client.settimeout(1)
sent = got = 0
def receive():
    global got
    try:
        while far.recv(2000):
            got += 1
    except BlockingIOError:
        pass
try:
    while sent < 5000:
        client.send(b"y" * 1000)
        sent += 1
        receive()
except TimeoutError:
    pass
assert sent < 5000
print(sent, flush=True)
with open("fifo", "rb", buffering=0) as dump:
    text = b""
    while text.count(b"\n1>") < sent * 64: # a head and 63 lines each
        text += dump.read(65536)
        receive()
while got < sent: # or the alarm
    receive()
END
    try python3 case.py
    assert_status 0
}

@test "--to: what does not go with a dump is a usage error" {
    while IFS='|' read -r words why; do
        # shellcheck disable=SC2086 # words
        try "$SOCKCTL" $words
        assert_usage_error "$why"
    done <<'END'
listen 0 --to h:1 --workers 2 --hex-dump d|option --workers: what passes is one process's to write down
listen 0 --to h:1 --workers 2 -o d|option --workers: what passes is one process's to write down
listen 0 --to h:1 -a|option --append is for --output and --hex-dump
listen 0 --to h:1 --hex-dump-drop|option --hex-dump-drop is for --hex-dump
connect --hex-dump-drop h 1|option --hex-dump-drop is for --hex-dump
connect -z --hex-dump d h 1|option --hex-dump makes no sense with --probe
listen 0 -o -|what arrives goes to stdout as well
END
}
