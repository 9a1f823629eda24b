#!/usr/bin/env bats
# Whatever is stuck, a command hears signals and limits: FIFOs that nobody reads or writes, pipes that
# are full, as any FILE that an option takes, as stderr and as stdout.

load helpers/common

# How soon a command has to be gone, in milliseconds. Without the machine's load it is under 100.
SOON=$((2000 * PATIENCE))

# A FIFO whose reader (us) has stopped, and which is full: what is written to it waits.
full_fifo() {
    rm -f "$1"
    mkfifo "$1"
    exec 9<>"$1"
    dd if=/dev/zero of=/proc/self/fd/9 oflag=nonblock bs=4096 count=1000 2>/dev/null || :
}
release_fifo() { exec 9>&-; }

# has_begun NAME: it is so far as to sleep in a call that waits.
has_begun() {
    local of=/proc/${PIDS[$1]}
    gone "${PIDS[$1]}" ||
        { [[ $(cat "$of/comm") == sockctl* ]] && grep -aq '^State:.*sleeping' "$of/status"; }
} 2>/dev/null

# ends SIGNAL NAME
ends() {
    poll 10000 has_begun "$2" || fail "$2 does not get anywhere"
    kill -s "$1" "${PIDS[$2]}" 2>/dev/null || :
    if ! until_gone "${PIDS[$2]}" "$SOON"; then
        cat "/proc/${PIDS[$2]}/wchan" "/proc/${PIDS[$2]}/syscall" >&2
        kill -KILL "${PIDS[$2]}"
        fail "deaf to $1: $3"
        return 1
    fi
    wait "${PIDS[$2]}" || status=$?
}

# deaf WORDS…: the command is started three times: it has to end by SIGTERM, SIGINT and --max-time.
hears() {
    local signal limit=--max-time
    for signal in TERM INT; do
        start stuck "$SOCKCTL" "$@"
        ends "$signal" stuck "$*" || return
    done
    case $1 in
    resolve) return ;; # it has no limit for all
    esac
    start stuck "$SOCKCTL" "$1" $limit 0.3 "${@:2}"
    until_gone "${PIDS[stuck]}" $((SOON + 300)) || fail "deaf to --max-time: $*" || return
    wait "${PIDS[stuck]}" || :
}

far_server() {
    start far "$SOCKCTL" listen -v -k -c 'while echo 0123456789012345678901234567890123456789; do :; done' 127.0.0.1 0
    listening far
    FAR=$PORT
    start web "$SOCKCTL" listen -v -k \
        -c 'printf "HTTP/1.0 200 OK\r\n\r\n"; while echo 0123456789012345678901234567890123456789; do :; done' 127.0.0.1 0
    listening web
    WEB=$PORT
    start local "$SOCKCTL" unix-serve -v --framing line -c 'yes' "$T/far"
    wait_line local listening
}

# command NAME: WORDS is how it is started so that it has something to do, but for the option. A server
# is spoken to by a client that has much to say.
words_of() {
    case $1 in
    connect) WORDS=(connect 127.0.0.1 "$FAR") ;;
    listen | echo-server) WORDS=("$1" 127.0.0.1 0) ;;
    unix-serve) rm -f "$T/socket" && WORDS=(unix-serve "$T/socket") ;;
    unix-send) WORDS=(unix-send --reply --framing line "$T/far" hello) ;;
    http-get) WORDS=(http-get "127.0.0.1:$WEB/") ;;
    resolve) WORDS=(resolve 127.0.0.1) ;;
    esac
}

# Every option that takes a FILE, or a list that may be in one: COMMAND NAME
file_options() {
    "$SOCKCTL" --table | awk -F'\t' '$4 == "FILE" || $3 == "allow" || $3 == "deny" || $3 == "allow-uid" { print $1, $3 }'
}

@test "12.3.1: the options that take a FILE are these" {
    [ "$(file_options | wc -l)" -ge 14 ]
    for option in "connect output" "connect hex-dump" "listen output" "listen port-file" \
        "echo-server deny" "http-get output" "unix-serve port-file"; do
        file_options | grep -qx "$option" || fail "no $option"
    done
}

# value_of OPTION FIFO
value_of() {
    VALUE=$2
    [[ $1 != allow && $1 != deny && $1 != allow-uid ]] || VALUE=@$2
}

# try_all COMMAND KIND: each option of COMMAND with a FIFO that is `alone` or `full`.
try_all() {
    local command option
    while read -r command option; do
        [ "$command" = "$1" ] || continue
        [ "$option" != unix-socket ] || continue # a socket, which a FIFO is not: refused
        [[ $2 != full || $option != @(allow|deny|allow-uid) ]] || continue
        words_of "$command"
        [ "$option" != allow-uid ] || WORDS=("$command" "$T/socket")
        value_of "$option" "$T/fifo"
        hears "${WORDS[@]}" "--$option" "$VALUE"
    done < <(file_options)
}

@test "12.3.1: a FIFO without a peer as any FILE of connect and http-get: signals and --max-time are heard" {
    far_server
    mkfifo fifo
    try_all connect alone
    try_all http-get alone
}

@test "12.3.1: the same of listen" {
    mkfifo fifo
    try_all listen alone
}

@test "12.3.1: the same of echo-server and unix-serve" {
    mkfifo fifo
    try_all echo-server alone
    try_all unix-serve alone
}

@test "12.3.1: a FIFO that is full as any FILE of any command: the same" {
    far_server
    full_fifo fifo
    local command
    for command in connect listen echo-server unix-serve http-get; do try_all "$command" full; done
    release_fifo
}

@test "12.3.1: no other command takes a FILE" {
    [ -z "$(file_options | grep -vE '^(connect|listen|echo-server|unix-serve|http-get) ')" ]
}

@test "12.3.1: a reader that stops while clients speak: the server hears, and a copy holds the transfer" {
    local way option
    for way in "" "-k" "-e cat" "-k -e cat" "-k --broker"; do for option in -o --hex-dump; do
        full_fifo fifo
        # shellcheck disable=SC2086
        start server "$SOCKCTL" listen -v $way $option "$T/fifo" 127.0.0.1 0
        listening server
        START_STDIN=/dev/zero start client "$SOCKCTL" connect 127.0.0.1 "$PORT"
        wait_line server accepted
        sleep 0.2
        ends TERM server "listen $way $option"
        kill "${PIDS[client]}" || :
        release_fifo
    done; done
}

@test "12.3.1: what goes through a FIFO is all there, in order, when its reader is slow" {
    mkfifo fifo dump
    head -c 3000000 /dev/urandom >sent
    start server "$SOCKCTL" listen -o "$T/fifo" --hex-dump "$T/dump" -v 127.0.0.1 0
    start reader bash -c 'exec <fifo; sleep 1; cat >copy'
    start dumper bash -c 'cat dump >dumped'
    listening server
    TRY_STDIN=sent TRY_SECONDS=60 try "$SOCKCTL" connect 127.0.0.1 "$PORT"
    assert_status 0
    finish server 60
    assert_status 0
    cmp sent server.out
    finish reader 60
    cmp sent copy
    finish dumper
    [ "$(grep -c '^<' dumped)" -gt 100000 ]
}

@test "12.3.1: datagrams, --expect and many clients into a FIFO: all there when it is read late" {
    local port i
    full_fifo fifo
    start server "$SOCKCTL" listen -u -W 5 -o "$T/fifo" -v 127.0.0.1 0
    listening server
    port=$PORT
    for i in 1 2 3 4 5; do echo "datagram $i"; done >lines
    TRY_STDIN=lines try "$SOCKCTL" connect -u --lines --send-only 127.0.0.1 "$port"
    start reader bash -c 'exec 9>&-; tr -d "\0" <fifo >copy'
    release_fifo
    finish server
    assert_status 0
    finish reader
    cmp lines copy
}

# A program with a pipe that is full as its descriptor 1 or 2.
full_pipe() {
    full_fifo pipe
    exec 8>pipe
}
release_pipe() {
    exec 8>&-
    release_fifo
}

@test "12.3.1: a full pipe as stderr, with -v and -vv: every command goes on, and hears" {
    far_server
    full_pipe
    local command level
    for level in -v -vv --log=json; do
        for command in connect listen echo-server unix-serve unix-send http-get resolve; do
            [ "$command $level" != "resolve --log=json" ] || continue
            words_of "$command"
            start stuck bash -c 'exec 2>&8 8>&- 9>&-; exec "$@"' - "$SOCKCTL" "${WORDS[@]}" $level
            ends TERM stuck "$command $level"
        done
    done
    release_pipe
}

@test "12.3.1: a full pipe as stdout: every command hears" {
    far_server
    full_pipe
    local command
    for command in connect listen echo-server unix-serve unix-send http-get resolve "connect -z"; do
        words_of "${command% -z}"
        [ "$command" != echo-server ] || WORDS+=(--print)
        [ "$command" != "connect -z" ] || WORDS+=(-z)
        for signal in TERM INT; do
            [ "$command" != unix-serve ] || rm -f socket
            start stuck bash -c 'exec >&8 8>&- 9>&-; exec "$@"' - "$SOCKCTL" "${WORDS[@]}"
            ends $signal stuck "$command"
        done
        [ "$command" = resolve ] && continue
        [ "$command" != unix-serve ] || rm -f socket
        start stuck bash -c 'exec >&8 8>&- 9>&-; exec "$@"' - "$SOCKCTL" "${WORDS[@]}" --max-time 0.3
        until_gone "${PIDS[stuck]}" $((SOON + 300)) || fail "deaf to --max-time: $command"
        wait "${PIDS[stuck]}" || :
    done
    release_pipe
}

@test "12.3.1: --ready-fd on a full pipe: the same" {
    full_pipe
    for command in listen echo-server unix-serve; do
        words_of $command
        for signal in TERM INT; do
            start stuck bash -c 'exec 7>&8 8>&- 9>&-; exec "$@"' - "$SOCKCTL" "${WORDS[@]}" --ready-fd 7
            ends $signal stuck "$command --ready-fd"
            [ ! -e socket ]
        done
    done
    release_pipe
}

@test "12.3.1: messages that stderr does not take are dropped, counted and told of" {
    full_fifo pipe
    start server bash -c 'exec 2>pipe 9>&-; exec "$@"' - "$SOCKCTL" echo-server -v --port-file "$T/port" 127.0.0.1:0
    poll 5000 test -s port
    for i in 1 2 3; do
        TRY_STDIN=<(echo "client $i") try "$SOCKCTL" connect 127.0.0.1 "$(<port)"
        assert_output "client $i"
    done
    start reader bash -c 'exec 9>&-; tr -d "\0" <pipe >told'
    release_fifo
    poll 5000 test -e told
    sleep 0.2
    TRY_STDIN=<(echo "client 4") try "$SOCKCTL" connect 127.0.0.1 "$(<port)"
    assert_output "client 4"
    stop server
    assert_status 0
    finish reader
    grep -aEx 'sockctl: warning: [0-9]+ messages were dropped: stderr was full' told ||
        fail "not told" told
    grep -aq 'sockctl: accepted' told
}

@test "12.3.1: stderr keeps its flags: what others write to the same pipe still blocks" {
    mkfifo pipe
    start reader bash -c 'cat <pipe >told'
    exec 8>pipe
    start server bash -c 'exec 2>&8 8>&- 9>&-; exec "$@"' - "$SOCKCTL" echo-server -vv --port-file "$T/port" 127.0.0.1:0
    poll 5000 test -s port
    local flags
    flags=$(sed -n 's/^flags:[[:space:]]*//p' "/proc/$$/fdinfo/8" || sed -n 's/^flags:[[:space:]]*//p' "/proc/$BASHPID/fdinfo/8")
    ((!(0$flags & 04000))) || fail "O_NONBLOCK: $flags"
    stop server
    exec 8>&-
    finish reader
    grep -q 'socket(AF_INET' told
}

@test "12.3.1: --deny @FIFO is read to its end, and a second reading on SIGHUP does not wait" {
    mkfifo list
    start server "$SOCKCTL" listen -v -k --deny "@$T/list" 127.0.0.1 0
    printf '127.0.0.1\n' >list
    listening server
    try "$SOCKCTL" connect 127.0.0.1 "$PORT"
    wait_line server 'is not allowed: closed'
    kill -HUP "${PIDS[server]}"
    wait_line server 'SIGHUP: read .*/list: not a regular file; the lists stay as they were'
    stop server
    assert_status 0
}

@test "12.3.1: --port-file and -o into FIFOs are written when a reader comes" {
    mkfifo fifo body
    start server "$SOCKCTL" echo-server -v --port-file "$T/fifo" 127.0.0.1:0
    wait_line server listening
    PORT=${LINE##*:}
    read -r LINE <fifo
    [ "$LINE" = "$PORT" ]
    stop server
    assert_status 0
    start web "$SOCKCTL" listen -v -k -c 'printf "HTTP/1.0 200 OK\r\n\r\nhello\n"' 127.0.0.1 0
    listening web
    start client "$SOCKCTL" http-get -o "$T/body" "127.0.0.1:$PORT/"
    [ "$(cat body)" = hello ]
    finish client
    assert_status 0
}

# Between the loop's word that stdin has something and the read, somebody else takes it.
@test "12.3.1: a stdin whose bytes another process takes away: signals are heard" {
    need strace
    ! sanitized || skip "the sanitizers read much, each time with a delay"
    far_server
    mkfifo in
    exec 8<>in
    local command words
    for command in listen unix-send; do
        case $command in
        listen) words=(listen -v -k 127.0.0.1 0) ;;
        unix-send) words=(unix-send -v --framing line "$T/far") ;;
        esac
        START_STDIN=in start stuck strace -f -qq -o calls -e trace=read,splice \
            -e inject=read,splice:delay_enter=700000 "$SOCKCTL" "${words[@]}"
        wait_line stuck '^sockctl: (listening|connected)'
        [ "$command" != listen ] || start client "$SOCKCTL" connect 127.0.0.1 "${LINE##*:}"
        sleep 0.2
        echo taken >&8
        sleep 0.3
        read -r -t 1 LINE <&8 || :
        sleep 0.7
        kill -TERM "$(pgrep -P "${PIDS[stuck]}")"
        until_gone "${PIDS[stuck]}" $((SOON + 2000)) || fail "deaf: $command" calls
        wait "${PIDS[stuck]}" || :
    done
}

@test "12.3.1: --pass-fd over a socket that is full: --max-time is heard" {
    need python3
    far_server
    start stuck python3 -c '
import socket, subprocess, sys
ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
theirs.setblocking(False)
try:
    while True: theirs.send(bytes(4096))
except BlockingIOError: pass
theirs.setblocking(True)
sys.exit(subprocess.run(sys.argv[1:], stdout=theirs, timeout=10).returncode)' \
        "$SOCKCTL" connect -F --max-time 0.3 127.0.0.1 "$FAR"
    finish stuck
    assert_status 5
    assert_errors 'the limit of 0.3 seconds for the command is over'
}

# stuck_reader PORT: a client that says more than it reads, and then reads nothing; it says READY.
stuck_reader() {
    need python3
    start client python3 -c '
import socket, sys, time
s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
s.settimeout(0.5)
try:
    while True:
        s.sendall(b"x" * 65536)
except TimeoutError:
    print("READY", flush=True)
time.sleep(60)' "$1"
    wait_file client.out READY 20
}

# ends_soon NAME: within 100 ms of SIGTERM, or what a busy machine makes of it.
ends_soon() {
    before=$(now_ms)
    stop "$1" TERM
    took $(($(now_ms) - before))
    assert_status 0
}

@test "12.3.1: a client that does not read keeps no server from its end" {
    stuck_echo() {
        start server "$SOCKCTL" echo-server 127.0.0.1:0
        listening server
        stuck_reader "$PORT"
        ends_soon server
        stop client
    }
    quickest 0 150 stuck_echo
    stuck_forward() {
        start far "$SOCKCTL" echo-server 127.0.0.1:0
        listening far
        start server "$SOCKCTL" listen --to "127.0.0.1:$PORT" 127.0.0.1:0
        listening server
        stuck_reader "$PORT"
        ends_soon server
        stop client
        stop far
    }
    quickest 0 150 stuck_forward
    stuck_hub() {
        start server "$SOCKCTL" listen --broker 127.0.0.1:0
        listening server
        local port=$PORT
        start silent python3 -c '
import socket, sys, time
s = socket.create_connection(("127.0.0.1", int(sys.argv[1]))); print("THERE", flush=True); time.sleep(60)' "$port"
        wait_file silent.out THERE
        head -c 700000 /dev/zero | timeout 5 "$SOCKCTL" connect -N 127.0.0.1 "$port" >/dev/null
        ends_soon server
        stop silent
    }
    quickest 0 150 stuck_hub
}

@test "12.3.1: a stdout that is full keeps no server from its end" {
    full_fifo out
    stuck_stdout() {
        "$SOCKCTL" "$@" >&9 2>server.err &
        PIDS[server]=$!
        wait_line server 'listening on'
        local at=${LINE##*listening on }
        head -c 300000 /dev/zero | timeout 5 "$SOCKCTL" connect -w 1 -i 0.3 -N "$at" >/dev/null 2>&1 || :
        before=$(now_ms)
        kill -TERM "${PIDS[server]}"
        wait "${PIDS[server]}" || status=$?
        took $(($(now_ms) - before))
    }
    quickest 0 150 stuck_stdout listen -k -d 127.0.0.1:0
    quickest 0 150 stuck_stdout echo-server --print 127.0.0.1:0
    quickest 0 150 stuck_stdout unix-serve -v --framing line "$T/s"
    release_fifo
}

# rests NAME: it sleeps whenever one looks.
rests() {
    local _
    for _ in 1 2 3 4 5; do
        grep -q '^State:.*sleeping' "/proc/${PIDS[$1]}/status" || return
        read -rt 0.01 -u "$PAUSE" _ || :
    done
}

# Whether a reader that takes 8 KiB every 30 ms gets all of it. On a busy machine it may take less often,
# and then it is given up, as it should be.
takes_little_by_little() {
    rm -f printed socket
    start server bash -c 'exec >out 6>&-; exec "$@"' - "$SOCKCTL" unix-serve -v --framing line "$T/socket"
    listening server
    START_STDIN=messages start writer "$SOCKCTL" unix-send --framing line "$T/socket"
    finish writer
    poll 5000 rests server
    # One process, since each new one would take as long as the pause.
    timeout 20 python3 -c '
import os, signal, sys, time
os.kill(int(sys.argv[1]), signal.SIGTERM)
left = 100000
while left:
    part = os.read(6, 8192 if left > 18080 else left)
    sys.stdout.buffer.write(part)
    left -= len(part)
    if left > 18080:
        time.sleep(0.03)' "${PIDS[server]}" >printed || return
    cmp messages printed
}

@test "12.3.1: a stdout that takes a little at a time gets all of it after SIGTERM" {
    need python3
    local _ got=
    mkfifo out
    exec 6<>out
    CLOSE+=" 6>&-"
    yes 123456789 | head -c 100000 >messages
    for _ in 1 2 3 4 5; do
        ! takes_little_by_little || got=all
        finish server
        assert_status 0
        [ ! "$got" ] || break
    done
    [ "$got" ] || fail "in none of five tries"
    exec 6>&-
}

@test "12.3.1: signals that keep coming do not put off the end of a server whose stdout is full" {
    signals_come() {
        local pid before _
        rm -f socket
        start server bash -c 'exec >&8 8>&- 9>&-; exec "$@"' - "$SOCKCTL" unix-serve -v --framing line "$T/socket"
        listening server
        START_STDIN=messages start writer "$SOCKCTL" unix-send --framing line "$T/socket"
        finish writer
        poll 5000 rests server
        pid=${PIDS[server]} before=${EPOCHREALTIME/[.,]/}
        while ! gone "$pid" && ((${EPOCHREALTIME/[.,]/} < before + 3000000)); do
            kill -TERM "$pid" || :
            read -rt 0.02 -u "$PAUSE" _ || :
        done
        took $(((${EPOCHREALTIME/[.,]/} - before) / 1000))
        finish server
        # One that comes when the server is done, and hears no more, ends the process by itself.
        [[ $status == 0 || $status == 143 ]]
    }
    full_pipe
    yes | head -c 100000 >messages
    quickest 0 300 signals_come
    release_pipe
}
