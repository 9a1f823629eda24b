#!/usr/bin/env bats
# Status 0 means that every byte was delivered; where it cannot be, that is told. Each for connect
# and for listen.

load helpers/common

make_file() { head -c "$2" /dev/urandom >"$1"; }

# both NAME ROLE ARGS…: sockctl as NAME, connected to or listening for the peer NAME-peer of
# helpers/peer.py with ARGS. ROLE is connect or listen. stdin is $input, stdout $out.
# shellcheck disable=SC2016 # the inner shell expands it
both() {
    local name=$1 role=$2
    shift 2
    if [ "$role" = connect ]; then
        peer "$name-peer" "$@"
        START_STDIN=${input:-} start "$name" bash -c 'exec "$@" >"$0"' "${out:-$T/$name.got}" \
            "$SOCKCTL" connect 127.0.0.1 "$PORT"
    else
        START_STDIN=${input:-} start "$name" bash -c 'exec "$@" >"$0"' "${out:-$T/$name.got}" \
            "$SOCKCTL" listen 127.0.0.1 0
        listening "$name"
        peer "$name-peer" "$@" --connect "$PORT"
    fi
}

# Of `listen`, the line that tells the port is no error.
only_errors() {
    errors=$(grep -v 'listening on' <<<"$errors") || :
}

# ends HOW SIGNAL ROLE ARGS…: sockctl as `ours`, which has said "half" when SIGNAL comes, or else ends by
# itself; its peer sees HOW. stdin is a FIFO that stays open, unless $input is set.
ends() {
    local how=$1 signal=$2 role=$3
    shift 3
    rm -f say ours.err
    mkfifo say
    exec 8<>say
    CLOSE+=" 8>&-"
    if [ "$role" = connect ]; then
        peer other tell-end
        START_STDIN=${input:-say} start ours "$SOCKCTL" connect 127.0.0.1 "$PORT" "$@"
    else
        START_STDIN=${input:-say} start ours "$SOCKCTL" "$role" 127.0.0.1:0 "$@"
        listening ours
        peer other tell-end --connect "$PORT"
    fi
    echo half >&8
    [ -n "${input:-}" ] || wait_file other.out half
    [ "$signal" = none ] || kill -s "$signal" "${PIDS[ours]}"
    wait_file other.out "$how\$"
    finish ours
    exec 8>&-
    CLOSE=${CLOSE% 8>&-}
}

@test "12.3.4: connect, listen: a stream that is cut by a limit is reset, one that a signal ends is not" {
    for role in connect listen; do
        ends END TERM $role
        assert_status 143
        ends END INT $role
        assert_status 130
        ends RESET none $role -i 3
        assert_status 5
    done
    ends RESET none connect --max-time 3
    assert_status 5
    ends RESET TERM listen -k
    assert_status 0
}

@test "12.3.4: connect, listen: what has ended, or never was, ends in order" {
    for role in connect listen; do
        input=<(echo half) ends END none $role
        assert_status 0
        input=say ends END none $role -d -i 1
        assert_status 5
    done
    for way in -k --broker; do
        start server "$SOCKCTL" listen -v $way 127.0.0.1:0
        listening server
        peer other tell-end --connect "$PORT"
        wait_line server accepted
        stop server
        assert_status 0
        wait_file other.out '^END$'
    done
}

@test "12.3.4: what a program says is cut where the program is, and not where it ends by itself" {
    local stays='echo half; sleep 30; :' ends='trap "echo all; exit 0" TERM; echo half; while :; do sleep 0.1; done'
    ends RESET TERM connect -c "$stays"
    ends RESET TERM listen -k -c "$stays"
    ends END TERM connect -c "$ends"
    grep -qx all other.out
    ends END TERM listen -k -c "$ends"
    grep -qx all other.out
}

@test "12.3.4: echo-server: an answer that cannot be given is a reset, one that was given is not" {
    start server "$SOCKCTL" echo-server 127.0.0.1:0
    listening server
    start client python3 -c '
import socket, sys
conns = [socket.create_connection(("127.0.0.1", int(sys.argv[1]))) for _ in range(2)]
conns[0].sendall(b"all")
conns[0].recv(3)
conns[1].settimeout(1)
try:
    while True:
        conns[1].sendall(b"x" * 65536)
except TimeoutError:
    pass
print("UP", flush=True)
for conn in conns:
    conn.settimeout(None)
    try:
        while conn.recv(1 << 20):
            pass
        print("END", flush=True)
    except ConnectionResetError:
        print("RESET", flush=True)' "$PORT"
    wait_file client.out UP 20
    kill -STOP "${PIDS[client]}"
    stop server
    assert_status 0
    kill -CONT "${PIDS[client]}"
    finish client
    assert_output $'UP\nEND\nRESET'
}

@test "48 MiB each way come through, whoever does not read meanwhile: TCP" {
    need python3
    for role in connect listen; do
        for who in far near both; do
            TRY_SECONDS=40 try python3 "$HELPERS/crosswise.py" $role tcp $who
            assert_status 0
        done
    done
}

@test "48 MiB each way come through, whoever does not read meanwhile: UNIX" {
    need python3
    for role in connect listen; do
        for who in far near both; do
            mkdir "$role$who"
            TRY_SECONDS=40 try env -C "$role$who" python3 "$HELPERS/crosswise.py" $role unix $who
            assert_status 0
        done
    done
}

@test "a peer that ends first, and is slow, still gets 20 MB: of a file and of a pipe" {
    make_file data 20000000
    for role in connect listen; do
        input=data both "$role-file" $role end-first
        input=<(cat data) both "$role-pipe" $role end-first
    done
    for name in {connect,listen}-{file,pipe}; do
        finish "$name"
        assert_status 0
        finish "$name-peer"
        [ "${lines[-1]}" = 'GOT 20000000' ] || fail "$name: ${lines[-1]}"
    done
}

@test "a reset in mid-download: what had come is on stdout, then status 1 and why" {
    for role in connect listen; do
        input=<(echo; sleep 9) both $role $role send-rst 100000
        finish $role
        only_errors
        assert_status 1
        assert_one_error_line
        assert_errors 'read from 127\.0\.0\.1:[0-9]+: Connection reset by peer$'
        [ "$(wc -c <$role.got)" = 100000 ]
    done
}

@test "a reset in mid-upload: status 1 and how much was lost, of a file and of a pipe" {
    make_file data 20000000
    for role in connect listen; do
        for kind in file pipe; do
            if [ $kind = file ]; then
                input=data both $role-file $role rst-after 100000
            else
                input=<(cat data) both $role-pipe $role rst-after 100000
            fi
            finish $role-$kind
            only_errors
            assert_status 1
            assert_one_error_line
            assert_errors 'Connection reset by peer|Broken pipe'
            [ $kind = pipe ] || assert_errors '\([0-9]{8} bytes not delivered\)$'
        done
    done
}

@test "a disk that fills up in mid-transfer is status 8" {
    unshare -rm true 2>/dev/null || skip "needs a mount namespace"
    need python3
    mkdir small
    make_file data 9000000 # more than lies between the two
    for role in connect listen; do
        start far "$SOCKCTL" listen -v "unix:$T/far-$role"
        [ $role = listen ] || { START_STDIN=data start far "$SOCKCTL" listen -v "unix:$T/s"; listening far; }
        # shellcheck disable=SC2016 # the inner shell expands it
        start $role unshare -rm bash -c 'mount -t tmpfs -o size=1M tmpfs small && exec "$@" >small/out' \
            bash "$SOCKCTL" $role -v "unix:$T/s"
        [ $role = connect ] || {
            listening listen
            START_STDIN=data start far "$SOCKCTL" connect "unix:$T/s"
        }
        finish $role
        assert_status 8
        assert_errors 'write to stdout: No space left on device$'
        finish far
        assert_status 1
    done
}

@test "a reset is told although stdout takes nothing and stdin is silent, or has ended" {
    mkfifo stalled
    exec 5<>stalled
    for input in <(sleep 9) /dev/null; do
        peer peer fill-rst
        START_STDIN=$input start client bash -c 'exec "$@" >stalled' bash \
            "$SOCKCTL" connect 127.0.0.1 "$PORT"
        wait_file peer.out '^RESET'
        start_ms=$(now_ms)
        finish client
        took=$(($(now_ms) - start_ms))
        assert_status 1
        assert_one_error_line
        assert_errors 'read from 127\.0\.0\.1:[0-9]+: Connection reset by peer$'
        ((took < 1500 * PATIENCE))
    done
    exec 5>&-
}

@test "an end in order waits for a stdout that takes nothing, however long" {
    make_file data 3000000
    mkfifo out nothing
    for role in connect listen; do
        if [ $role = listen ]; then
            start listen bash -c 'exec "$@" >out' bash "$SOCKCTL" listen 127.0.0.1 0
            exec 5<out
            listening listen
            START_STDIN=data start peer "$SOCKCTL" connect --exit-on-eof 127.0.0.1 "$PORT"
        else
            START_STDIN=data start peer "$SOCKCTL" listen 127.0.0.1 0
            listening peer
            exec 5< <(exec "$SOCKCTL" connect 127.0.0.1 "$PORT" </dev/null)
        fi
        read -rt 1.2 _ <>nothing || :
        cat <&5 >got
        exec 5<&-
        cmp got data
        finish peer
        assert_status 0
    done
    finish listen
    assert_status 0
}

@test "seqpackets and UNIX streams: a peer that closes with something unread is status 1" {
    need python3
    for type in seqpacket stream; do
        rm -f s
        # Reads one message of three; ends its sending before that, or only closes.
        for first in True False; do
            rm -f s
            start peer python3 -c '
import socket, sys
s = socket.socket(socket.AF_UNIX, getattr(socket, "SOCK_" + sys.argv[1].upper())); s.bind("s"); s.listen()
print("READY", flush=True); c = s.accept()[0]
if sys.argv[2] == "True": c.shutdown(socket.SHUT_WR)
c.recv(4); print("GOT", flush=True)
while c.recv(12, socket.MSG_PEEK) == b"": pass
c.close(); print("CLOSED", flush=True)' $type $first
            wait_file peer.out '^READY'
            prefix=unix-seqpacket:
            [ $type = seqpacket ] || prefix=unix:
            TRY_STDIN=<(echo one; wait_file peer.out '^GOT'; echo two; wait_file peer.out '^CLOSED') \
                try "$SOCKCTL" connect "$prefix$T/s"
            assert_status 1
            assert_one_error_line
            assert_errors 'Connection reset by peer'
        done
    done
}
