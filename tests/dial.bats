#!/usr/bin/env bats
# How connections come about: the race of a name's addresses, its limits, and the local end.

load helpers/common

sockets() { python3 "$HELPERS/sockets.py" "$@"; }

# full HOST: a listener there whose backlog is full, a SYN to which gets no answer; sets PORT.
full() {
    need python3
    start full python3 "$HELPERS/sockets.py" full "$1"
    wait_file full.out '^PORT '
    PORT=${LINE#PORT }
}

server() {
    start server "$SOCKCTL" echo-server -v "$@"
    listening server
}

refute() { if "$@"; then return 1; fi; }

# named 'ADDRESS NAME\n…' CMD…: as `try`, with these lines as the hosts file. See `took`.
named() {
    unshare -rm true 2>/dev/null || skip "needs a mount namespace"
    printf '%b' "$1" >hosts
    local before
    before=$(now_ms)
    # shellcheck disable=SC2016 # the inner shell expands it
    try unshare -rm bash -c 'mount --bind hosts /etc/hosts && exec "$@"' bash "${@:2}"
    took $(($(now_ms) - before))
}

# greets 'ADDRESS NAME\n…': an echo server is found behind the name.
greets() {
    TRY_STDIN=<(echo hello) named "$1" "$SOCKCTL" connect -vv name "$PORT"
    assert_status 0
    assert_output hello
}

refused() {
    assert_status 4
    assert_output ""
    assert_one_error_line
    assert_errors "$1"
}

# The race

@test "refused: one address is named as it was typed, several each with its reason" {
    need_ipv6
    try "$SOCKCTL" connect 127.0.0.1 1
    refused '^sockctl: connect to 127\.0\.0\.1:1: Connection refused$'
    try "$SOCKCTL" connect '[::1]:1'
    refused '^sockctl: connect to \[::1\]:1: Connection refused$'
    named '127.0.0.2 one\n' "$SOCKCTL" connect one 1
    refused '^sockctl: connect to one:1: 127\.0\.0\.2:1: Connection refused$'
    named '127.0.0.2 two\n::1 two\n' "$SOCKCTL" connect two 1
    assert_errors '\[::1\]:1: Connection refused'
    refused '^sockctl: connect to two:1: [^;]*: Connection refused; [^;]*: Connection refused$'
}

@test "a refusal starts the next at once" {
    server 127.0.0.3:0
    quickest 0 240 greets '127.0.0.2 name\n127.0.0.3 name\n'
    assert_errors '^sockctl: connected to 127\.0\.0\.3:'
    assert_errors 'connect\([0-9]+, \{AF_INET, 127\.0\.0\.2, '
}

@test "no answer starts the next after 250 ms, and the loser is closed" {
    full 127.0.0.2
    server "127.0.0.3:$PORT"
    quickest 240 700 greets '127.0.0.2 name\n127.0.0.3 name\n'
    assert_errors '^sockctl: connected to 127\.0\.0\.3:'
    [ "$(grep -c ': socket(' <<<"$errors")" -eq "$(grep -c ': close(' <<<"$errors")" ]
}

@test "three without an answer, then a good one" {
    full 127.0.0.2
    for host in 127.0.0.4 127.0.0.5; do
        start "full$host" python3 "$HELPERS/sockets.py" full "$host" "$PORT"
        wait_file "full$host.out" '^PORT '
    done
    server "127.0.0.9:$PORT"
    quickest 240 700 greets \
        '127.0.0.2 name\n127.0.0.4 name\n127.0.0.5 name\n127.0.0.9 name\n'
}

@test "families take turns, beginning with the first" {
    need_ipv6
    named '::1 name\n127.0.0.2 name\n127.0.0.3 name\n127.0.0.4 name\n' "$SOCKCTL" connect -vv name 1
    assert_status 4
    order=$(sed -n 's/^sockctl: socket(\(AF_[A-Z0-9]*\),.*/\1/p' <<<"$errors" | tr '\n' ' ')
    [ "$order" = 'AF_INET6 AF_INET AF_INET AF_INET ' ]
    named '127.0.0.2 name\n127.0.0.3 name\n::1 name\n' "$SOCKCTL" connect -4 name 1
    refute grep -q '::1' <<<"$errors"
}

@test "-w ends it in time, with status 5, and says what was tried" {
    full 127.0.0.2
    before=$(now_ms)
    try "$SOCKCTL" connect -w 300ms 127.0.0.2 "$PORT"
    ms=$(($(now_ms) - before))
    assert_status 5
    assert_one_error_line
    [ "$errors" = "sockctl: connect to 127.0.0.2:$PORT: timed out" ]
    ((ms >= 300 && ms < 300 + 300 * PATIENCE)) || fail "after $ms ms"
    named '127.0.0.2 name\n127.0.0.3 name\n' "$SOCKCTL" connect -w 500ms name "$PORT"
    assert_status 5
    assert_errors '127\.0\.0\.2:[0-9]+: timed out'
    assert_errors '127\.0\.0\.3:[0-9]+: Connection refused'
}

@test "the limit for connecting does not count afterwards" {
    server 127.0.0.1:0
    TRY_STDIN=<(sleep 0.4 && echo hello) try "$SOCKCTL" connect -w 200ms "$ADDR"
    assert_status 0
    assert_output hello
}

@test "SIGTERM while it is under way" {
    full 127.0.0.2
    start client "$SOCKCTL" connect -vv 127.0.0.2 "$PORT"
    wait_line client EINPROGRESS
    stop client
    assert_status 143
}

@test "a name that is not there, and -n" {
    try "$SOCKCTL" connect nothing.invalid 80
    assert_status 3
    assert_one_error_line
    try "$SOCKCTL" connect -n localhost 80
    assert_status 3
    assert_one_error_line
}

@test "a connection of a socket to itself is a refusal" {
    for _ in 1 2 3 4 5; do
        port=$((RANDOM % 20000 + 10000))
        try "$SOCKCTL" connect -s 127.0.0.1 -p "$port" 127.0.0.1 "$port"
        [[ $errors == *'in use'* ]] || break
    done
    refused 'Connection refused$'
}

@test "each failure of the calls has its message and status" {
    need strace
    server 127.0.0.1:0
    export ASAN_OPTIONS=detect_leaks=0
    for call in socket connect getsockname; do
        for errno in EMFILE ENOBUFS EACCES ENETUNREACH; do
            try strace -o trace -e "inject=$call:error=$errno:when=1" "$SOCKCTL" connect "$ADDR"
            refused "connect to $ADDR: [A-Z]"
        done
    done
    # The second call asks how the first has ended.
    try strace -o trace -e inject=connect:error=ENOBUFS:when=2 "$SOCKCTL" connect "$ADDR"
    refused "connect to $ADDR: [A-Z]"
}

@test "-vv shows connect(2) begun and, the second call, done" {
    server 127.0.0.1:0
    for words in "$ADDR" "--mptcp $ADDR"; do
        # shellcheck disable=SC2086 # two words
        TRY_STDIN=<(echo hello) try "$SOCKCTL" connect -vv $words
        [[ $errors != *'MPTCP'*'Protocol not'* ]] || continue
        assert_status 0
        assert_output hello
        assert_errors "^sockctl: connect\([0-9]+, \{AF_INET, 127\.0\.0\.1, port $PORT\}, 16\) = -1 EINPROGRESS"
        assert_errors "^sockctl: connect\([0-9]+, \{AF_INET, 127\.0\.0\.1, port $PORT\}, 16\) = 0\$"
    done
    try "$SOCKCTL" connect -vv 127.0.0.1:1
    assert_errors '^sockctl: connect\([0-9]+, \{AF_INET, 127\.0\.0\.1, port 1\}, 16\) = -1 ECONNREFUSED'
    refute grep -q 'connect(.*= 0' try.err
}

@test "a connect that a signal interrupts goes on" {
    need strace
    server 127.0.0.1:0
    export ASAN_OPTIONS=detect_leaks=0
    TRY_STDIN=<(echo hello) try strace -o trace -e inject=epoll_wait:error=EINTR:when=1..3 \
        "$SOCKCTL" connect "$ADDR"
    assert_status 0
    assert_output hello
}

# UNIX

@test "UNIX: missing, stale, another type, another kind of file" {
    need python3
    sockets stale stale
    echo text >file
    server unix-dgram:d
    for case in 'unix:none|No such file or directory' 'unix:stale|Connection refused' \
        'unix:d|Protocol wrong type for socket \(.*\)' 'unix:file|Connection refused \(this is no socket\)' \
        'unix:.|Connection refused \(this is no socket\)' 'unix:file/s|Not a directory' \
        'unix:@sockctl-nobody|Connection refused'; do
        IFS='|' read -r address reason <<<"$case"
        try "$SOCKCTL" connect "$address"
        refused "^sockctl: connect to $address: $reason\$"
    done
    stop server
    server unix-seqpacket:s
    try "$SOCKCTL" connect unix:s
    refused 'Protocol wrong type for socket \(other types are '
    try "$SOCKCTL" connect unix-dgram:s
    refused 'Protocol wrong type for socket \(other types are '
}

@test "UNIX: no right to it" {
    need_other_user
    server unix:s
    try "${OTHER[@]}" "$SOCKCTL" connect unix:s
    refused 'connect to unix:s: Permission denied$'
}

@test "UNIX: a full backlog is waited for, within the limit" {
    need python3
    start full python3 "$HELPERS/sockets.py" full-unix "$T/s"
    wait_file full.out READY
    try "$SOCKCTL" connect -w 200ms unix:s
    assert_status 5
    [ "$errors" = "sockctl: connect to unix:s: timed out" ]
    start client "$SOCKCTL" connect -vv unix:s
    wait_line client EAGAIN
    kill -USR1 "${PIDS[full]}"
    finish client
    assert_status 0
    assert_output "at last"
}

# The local end

@test "-s and -p choose the local end" {
    server 127.0.0.1:0
    for _ in 1 2 3 4 5; do
        port=$((RANDOM % 20000 + 10000))
        try "$SOCKCTL" connect -v -s 127.0.0.9 -p "$port" "$ADDR"
        [[ $errors == *'in use'* ]] || break
    done
    assert_status 0
    assert_errors "^sockctl: from local address 127\.0\.0\.9:$port\$"
    wait_line server "accepted 127\.0\.0\.9:$port\$"
    try "$SOCKCTL" connect -s 127.0.0.8 "$ADDR"
    assert_status 0
    wait_line server 'accepted 127\.0\.0\.8:'
    stop server
    server -u 127.0.0.1 0
    TRY_STDIN=<(echo hello) try "$SOCKCTL" connect -u -q 300ms -v -s 127.0.0.9 "$ADDR"
    assert_output hello
    assert_errors "^sockctl: from local address 127\.0\.0\.9:[1-9]"
}

@test "the same -p again, at once, to another server" {
    server 127.0.0.1:0
    first=$ADDR
    start second "$SOCKCTL" echo-server -v 127.0.0.2:0
    listening second
    for _ in 1 2 3 4 5; do
        port=$((RANDOM % 20000 + 10000))
        try "$SOCKCTL" connect -p "$port" "$first"
        [[ $errors == *'in use'* ]] || break
    done
    assert_status 0
    try "$SOCKCTL" connect -p "$port" "$ADDR"
    assert_status 0
}

@test "a local end that cannot be" {
    try "$SOCKCTL" connect -s 192.0.2.1 127.0.0.1 1
    refused '^sockctl: connect to 127\.0\.0\.1:1: source 192\.0\.2\.1: Cannot assign requested address$'
    try "$SOCKCTL" connect -s ::1 127.0.0.1 1
    refused '^sockctl: connect to 127\.0\.0\.1:1: source ::1: not an IPv4 address$'
    for source in 300.1.1.1 localhost '' "$(printf %0500d 0)"; do
        try "$SOCKCTL" connect -s "$source" 127.0.0.1 1
        assert_usage_error
    done
    try "$SOCKCTL" connect -p nosuchservice 127.0.0.1 1
    assert_usage_error 'nosuchservice'
    try "$SOCKCTL" connect -p 80 unix:s
    assert_usage_error 'a source port cannot be chosen for unix:s$'
    try "$SOCKCTL" connect -s "$T/$(printf %0200d 0)" unix:s
    assert_usage_error 'limit'
}

@test "-s PATH: the datagram server sees it, answers to it, and it is gone afterwards" {
    server unix-dgram:d
    TRY_STDIN=<(echo hello) try "$SOCKCTL" connect -q 300ms -v -s ./own unix-dgram:d
    assert_status 0
    assert_output hello
    assert_errors '^sockctl: from local address unix:\./own$'
    [ ! -e own ]
    start client "$SOCKCTL" connect -v -d -s ./own unix-dgram:d
    wait_line client 'connected to'
    [ -S own ]
    stop client
    assert_status 143
    [ ! -e own ]
}

@test "-s PATH that is somebody else's is left alone; a stale one is replaced" {
    need python3
    server unix-dgram:d
    echo precious >file
    try "$SOCKCTL" connect -s ./file unix-dgram:d
    refused '^sockctl: connect to unix:d: source unix:\./file: exists and is not a socket$'
    [ "$(<file)" = precious ]
    sockets stale old SOCK_DGRAM
    TRY_STDIN=<(echo hello) try "$SOCKCTL" connect -q 300ms -s ./old unix-dgram:d
    assert_output hello
    [ ! -e old ]
    try "$SOCKCTL" connect -s ./own unix:none
    refused 'No such file or directory$'
    [ ! -e own ]
}

# Inherited sockets

@test "fd:N: a connected socket, which is left as it was" {
    need python3
    TRY_STDIN=<(echo from stdin) try python3 "$HELPERS/sockets.py" given SOCK_STREAM \
        "$SOCKCTL" connect fd:5
    assert_status 0
    assert_output hello
    poll 2000 test -e given.out
    [ "$(<given.out)" = "from stdin" ]
    # shellcheck disable=SC2016 # the inner shell expands them
    try python3 "$HELPERS/sockets.py" given SOCK_STREAM bash -c \
        '"$0" connect fd:5 >&2; python3 "$1/sockets.py" blocking' "$SOCKCTL" "$HELPERS"
    assert_output blocking
}

@test "fd:N: what is not a connected socket" {
    try "$SOCKCTL" connect fd:77
    refused 'fd:77 \(descriptor 77\): Bad file descriptor$'
    try "$SOCKCTL" connect fd:1
    refused 'Socket operation on non-socket$'
    need python3
    try python3 "$HELPERS/sockets.py" systemd stream "" "$SOCKCTL" connect fd:3
    assert_status 4
    assert_errors 'connect to fd:3: Transport endpoint is not connected$'
    try "$SOCKCTL" connect systemd:
    refused 'no socket was passed'
    try "$SOCKCTL" connect -p 80 fd:3
    assert_usage_error 'a source port cannot be chosen for fd:3$'
}
