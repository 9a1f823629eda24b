#!/usr/bin/env bats
# Programs wired to sockets: --exec and --sh-exec of listen and connect.

load helpers/common

server() {
    START_STDIN=${input:-} start server "$SOCKCTL" listen "$@"
    listening server
}

# talk WORDS [ADDRESS]: a client that says them and reads what comes.
talk() {
    TRY_STDIN=<(printf '%s' "$1") try "$SOCKCTL" connect "${2:-127.0.0.1:$PORT}"
}

# dead ID: there is no such process, or nobody has reaped it yet.
dead() { gone "$1" || grep -q '^State:.Z' "/proc/$1/status"; }

# open_files NAME: how many descriptors it has.
open_files() { find "/proc/${PIDS[$1]}/fd" -mindepth 1 | wc -l; }
has_open() { [ "$(open_files server)" -eq "$1" ]; }

@test "a program has the socket as its stdin and stdout" {
    server 127.0.0.1:0 -e tr -- a-z A-Z
    talk hello
    assert_status 0
    assert_output HELLO
    finish server
    assert_status 0
    assert_output ""
}

@test "12.2.7: -k: at most 100 programs at a time, or as many as -m says; the others wait in the backlog" {
    need_descriptors 300
    need python3
    while read -r most options; do
        : >ran
        # shellcheck disable=SC2086
        server -k $options 127.0.0.1:0 -c 'echo x >>ran; cat'
        mkfifo "go$most"
        START_STDIN=go$most start crowd python3 "$HELPERS/crowd.py" gather "$PORT" 104
        exec 6>"go$most"
        CLOSE+=" 6>&-"
        wait_file crowd.out '^UP'
        poll 20000 has_run "$most" || fail "$(wc -l <ran) have run"
        if poll 500 has_run $((most + 1)); then fail "$(wc -l <ran) have run"; fi
        exec 6>&-
        finish crowd
        poll 20000 has_run 104 || fail "$(wc -l <ran) have run"
        stop server
        assert_status 0
    done <<'END'
100
3 -m 3
102 -m 102
END
}
has_run() { (($(wc -l <ran) >= $1)); }

@test "connect wires a program to the socket as well" {
    server -v 127.0.0.1:0 -c 'echo question; cat >answer'
    try "$SOCKCTL" connect 127.0.0.1 "$PORT" -c 'read line; echo "$line?"'
    assert_status 0
    assert_output ""
    finish server
    assert_status 0
    [ "$(<answer)" = 'question?' ]
}

@test "the status of the program is passed on" {
    for case in 0:0 7:7 126:126; do
        server 127.0.0.1:0 -c "exit ${case%:*}"
        talk ""
        finish server
        assert_status "${case#*:}"
        [ "$errors" = "sockctl: listening on 127.0.0.1:$PORT" ]
        server 127.0.0.1:0
        try "$SOCKCTL" connect "127.0.0.1:$PORT" -c "exit ${case%:*}"
        assert_status "${case#*:}"
        finish server
    done
}

@test "a program that a signal ends has the status 128 and more" {
    server 127.0.0.1:0 -c 'kill -9 $$'
    talk ""
    finish server
    assert_status 137
    assert_errors '^sockctl: 127.0.0.1:[0-9]+: /bin/sh was ended by signal 9 \(Killed\)$'
}

@test "a program that is not there, or that cannot be run, is refused before anything is opened" {
    echo text >text
    mkdir directory
    for case in nosuch:127 ./nosuch:127 ./text:126 ./directory:126 ./text/nosuch:127; do
        for words in "listen 127.0.0.1:0" "connect 127.0.0.1:1" "unix-serve ./s"; do
            # shellcheck disable=SC2086 # two words
            try "$SOCKCTL" $words -e "${case%:*}"
            assert_status "${case#*:}"
            assert_one_error_line
            assert_errors "^sockctl: run ${case%:*}: "
        done
        try "$SOCKCTL" listen 127.0.0.1:0 --run -- "${case%:*}"
        assert_status "${case#*:}"
        assert_one_error_line
        try "$SOCKCTL" connect -z 127.0.0.1:1 -- "${case%:*}"
        assert_status "${case#*:}"
        assert_one_error_line
    done
    [ ! -e s ]
    PATH=$T/directory::/bin try "$SOCKCTL" connect 127.0.0.1:1 -e cat
    assert_status 4
    try "$SOCKCTL" listen 127.0.0.1:0 -k -e 'cat -n'
    assert_status 127
    assert_errors '^sockctl: run cat -n: No such file or directory \(arguments go after --: -e cat ... -- -n; or use -c\)$'
}

@test "a server survives a program that is not there" {
    printf '#!/bin/sh\n' >later
    chmod +x later
    server -k 127.0.0.1:0 -e ./later
    rm later
    talk ""
    wait_line server '^sockctl: run ./later: No such file or directory$'
    before=$(open_files server)
    printf '#!/bin/sh\necho now\n' >later
    chmod +x later
    talk ""
    assert_output now
    poll 5000 has_open "$before"
    stop server
    assert_status 0
}

@test "what a connection is goes into the environment: TCP" {
    export SOCKCTL_PEER_UID=9 TCPREMOTEHOST=old UNIXLOCALPATH=old SOCKCTL_REMOTE_ADDR=old SOCAT_VERSION=9
    for host in 127.0.0.1 $(ipv6 '[::1]'); do
        server "$host:0" -e env
        talk "" "$host:$PORT"
        grep -aE '^(SOCKCTL_[RLP]|NCAT|SOCAT|TCP|PROTO|UNIX)' try.out | grep -v '^SOCAT_P*PID=' | sort >seen
        bare=${host//[][]/} full=$host
        [ "$bare" = "$host" ] || full='[0000:0000:0000:0000:0000:0000:0000:0001]'
        remote=$(sed -n 's/^SOCKCTL_REMOTE_PORT=//p' try.out)
        sort >wanted <<END
NCAT_LOCAL_ADDR=$bare
NCAT_LOCAL_PORT=$PORT
NCAT_PROTO=TCP
NCAT_REMOTE_ADDR=$bare
NCAT_REMOTE_PORT=$remote
PROTO=TCP
SOCAT_PEERADDR=$full
SOCAT_PEERPORT=$remote
SOCAT_SOCKADDR=$full
SOCAT_SOCKPORT=$PORT
SOCKCTL_LOCAL_ADDR=$bare
SOCKCTL_LOCAL_PORT=$PORT
SOCKCTL_PROTO=TCP
SOCKCTL_REMOTE_ADDR=$bare
SOCKCTL_REMOTE_PORT=$remote
TCPLOCALIP=$bare
TCPLOCALPORT=$PORT
TCPREMOTEIP=$bare
TCPREMOTEPORT=$remote
END
        diff wanted seen
        [[ $remote -gt 0 ]]
        finish server
        assert_status 0
    done
}

@test "what a connection is goes into the environment: UNIX" {
    export TCPREMOTEIP=old SOCKCTL_REMOTE_PORT=1 SOCAT_PEERPORT=1
    server -v ./socket -e env
    talk "" ./socket
    grep -aE '^(SOCKCTL_[RLP]|NCAT|SOCAT|TCP|PROTO|UNIX)' try.out |
        grep -v '^SOCAT_P*PID=\|^UNIX.*PID=\|PEER_PID' | sort >seen
    sort >wanted <<END
NCAT_LOCAL_ADDR=localhost
NCAT_LOCAL_PORT=
NCAT_PROTO=TCP
NCAT_REMOTE_ADDR=localhost
NCAT_REMOTE_PORT=
PROTO=UNIX
SOCAT_PEERADDR=<anon>
SOCAT_SOCKADDR=./socket
SOCKCTL_LOCAL_ADDR=./socket
SOCKCTL_PEER_GID=$(id -g)
SOCKCTL_PEER_UID=$(id -u)
SOCKCTL_PROTO=UNIX
SOCKCTL_REMOTE_ADDR=
UNIXLOCALGID=$(id -g)
UNIXLOCALPATH=./socket
UNIXLOCALUID=$(id -u)
UNIXREMOTEEGID=$(id -g)
UNIXREMOTEEUID=$(id -u)
END
    diff wanted seen
    finish server
}

@test "the id of a UNIX peer is that of the process which connected" {
    server -v ./socket -c 'echo $SOCKCTL_PEER_PID $UNIXREMOTEPID'
    start client "$SOCKCTL" connect ./socket
    finish client
    assert_output "${PIDS[client]} ${PIDS[client]}"
    finish server
}

@test "nothing but 0, 1 and 2 is open in a program" {
    printf '#!/bin/sh\nexec ls /proc/self/fd\n' >show
    chmod +x show
    : >some
    START_STDIN='' start server "$SOCKCTL" listen -k 127.0.0.1:0 -e ./show 5<some 6>some 7<some
    listening server
    start other "$SOCKCTL" connect "127.0.0.1:$PORT" --no-shutdown
    talk ""
    assert_output $'0\n1\n2\n3' # the last is of the directory
    stop server
}

@test "the address may stand in options, or after --" {
    start server "$SOCKCTL" listen -v -s 127.0.0.1 -p 0 -e echo -- one two
    listening server
    talk ""
    assert_output 'one two'
    finish server
    start server "$SOCKCTL" listen -v -- 127.0.0.1 0
    listening server
    talk ""
    finish server
    assert_status 0
}

@test "a program has the limit of descriptors that we were given" {
    (($(ulimit -Hn) > 1000)) || skip "the limit is too low"
    start server bash -c 'ulimit -Sn 100; exec "$0" "$@"' "$SOCKCTL" listen -k 127.0.0.1:0 \
        -c 'read line; ulimit -Sn'
    listening server
    talk $'go\n'
    assert_output 100
    stop server
}

@test "in a program no signal is blocked or ignored" {
    server 127.0.0.1:0 -e grep -- -E '^Sig(Blk|Ign)' /proc/self/status
    talk ""
    # Two signals that libc keeps to itself, 32 and 33, may be ignored.
    [[ $output =~ ^SigBlk:.0{16}.SigIgn:.0{7}[01][08]0{7}$ ]] || show_results 'signals are missing'
    finish server
}

@test "SIGPIPE ends a program whose client has gone" {
    need python3
    server 127.0.0.1:0 -c 'yes; echo $? >status'
    TRY_STDIN=/dev/null try timeout 5 python3 -c "
import socket, struct
s = socket.create_connection(('127.0.0.1', $PORT))
s.recv(100)
s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))"
    finish server
    assert_status 1
    [ "$(<status)" = 141 ]
    server 127.0.0.1:0 -e yes
    try timeout 5 head -c 9 <"/dev/tcp/127.0.0.1/$PORT"
    finish server
    assert_status 141
    assert_errors '^sockctl: (write to|read from) 127.0.0.1:[0-9]+: '
}

@test "the end of what the client sends is the end of stdin, and answers still come" {
    server 127.0.0.1:0 -c 'sort; echo done'
    talk $'b\na\n'
    assert_output $'a\nb\ndone'
    finish server
    assert_status 0
}

@test "the end of stdout is the end for the client, and what it sends still arrives" {
    server 127.0.0.1:0 -c 'echo ready; exec >&-; cat >got'
    mkfifo in
    START_STDIN=in start client "$SOCKCTL" connect -v 127.0.0.1 "$PORT" --until-stdin-ends
    exec 5>in
    wait_file client.out ready
    echo late >&5
    exec 5>&-
    finish client
    assert_status 0
    finish server
    assert_status 0
    [ "$(<got)" = late ]
}

@test "much goes both ways through a program" {
    head -c 8M /dev/urandom >sent
    server 127.0.0.1:0 -e cat
    TRY_STDIN=sent try "$SOCKCTL" connect "127.0.0.1:$PORT"
    assert_status 0
    cmp sent try.out
    finish server
    assert_status 0
    server 127.0.0.1:0 -c 'cat sent; cat >got'
    TRY_STDIN=sent try "$SOCKCTL" connect "127.0.0.1:$PORT"
    cmp sent try.out
    finish server
    assert_status 0
    cmp sent got
}

@test "the same without splice, and with a hex dump and a copy" {
    head -c 1M /dev/urandom >sent
    SOCKCTL_NO_SPLICE=1 server 127.0.0.1:0 -e cat --hex-dump dump -o copy
    TRY_STDIN=sent try "$SOCKCTL" connect "127.0.0.1:$PORT"
    cmp sent try.out
    finish server
    assert_status 0
    cmp sent copy
    grep -q '^< ' dump
    grep -q '^> ' dump
}

@test "a program that does not read its input does not lose its output" {
    need python3
    head -c 8M /dev/zero >sent
    for program in 'echo hello' 'exec <&-; echo hello' 'echo hello; exec >&-; exec <&-; read x'; do
        server 127.0.0.1:0 -c "$program"
        TRY_STDIN=sent try timeout 5 python3 -c "
import socket, sys
s = socket.create_connection(('127.0.0.1', $PORT))
try:
    s.sendall(open('sent', 'rb').read())
    s.shutdown(socket.SHUT_WR)
except OSError:
    pass
print(s.recv(100).decode(), end='')"
        assert_output hello
        finish server
        [ "$status" -le 1 ]
    done
}

@test "a program that ends lets its client go at once, though it would say more" {
    server 127.0.0.1:0 -c 'echo bye'
    begin=$(now_ms)
    mkfifo in
    START_STDIN=in start client "$SOCKCTL" connect 127.0.0.1 "$PORT" --until-stdin-ends
    exec 5>in
    finish server
    assert_status 0
    (($(now_ms) - begin < 2000 * PATIENCE))
    wait_file client.out bye
    exec 5>&-
    finish client
}

@test "what a program has left in the background still speaks" {
    server 127.0.0.1:0 -c '(until [ -e go ]; do sleep 0.05; done; echo late) & echo soon; exit 3'
    start client "$SOCKCTL" connect "127.0.0.1:$PORT"
    wait_file client.out soon
    : >go
    finish client
    assert_output $'soon\nlate'
    finish server
    assert_status 3
}

@test "a program that was killed gives its status, and its client an end" {
    server -v 127.0.0.1:0 -e cat
    mkfifo in
    START_STDIN=in start client "$SOCKCTL" connect 127.0.0.1 "$PORT"
    exec 5>in
    poll 5000 has_children server 1
    kill -KILL "${CHILDREN[0]}"
    finish server
    assert_status 137
    exec 5>&-
    finish client
    assert_status 0
}

@test "a silent program is ended once its connection is lost" {
    need python3
    server -k -v 127.0.0.1:0 -c 'exec sleep 1000'
    try timeout 5 python3 -c "
import socket, struct
s = socket.create_connection(('127.0.0.1', $PORT))
s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))"
    wait_line server 'ended with status 143'
    poll 5000 has_children server 0
    stop server
    assert_status 0
}

@test "an idle connection is status 5, and its program is gone" {
    server -v -i 100ms 127.0.0.1:0 -c 'echo $$ >id; exec sleep 1000'
    mkfifo in
    START_STDIN=in start client "$SOCKCTL" connect "127.0.0.1:$PORT"
    exec 5>in
    finish server
    assert_status 5
    assert_errors 'nothing moved for 0.1 seconds'
    dead "$(<id)"
    exec 5>&-
}

@test "--max-time ends programs" {
    server --max-time 1s 127.0.0.1:0 -c 'echo $$ >id; trap "" TERM; while :; do sleep 0.05; done'
    start client "$SOCKCTL" connect "127.0.0.1:$PORT" --no-shutdown
    finish server
    assert_status 5
    dead "$(<id)"
}

@test "a signal ends the program as well, and what it has started" {
    for signal in INT TERM; do
        rm -f id
        server 127.0.0.1:0 -c 'sleep 1000 & echo $! >id; wait'
        start client "$SOCKCTL" connect "127.0.0.1:$PORT" --no-shutdown
        wait_file id .
        stop server "$signal"
        [ "$status" -eq $((128 + $(kill -l "$signal"))) ]
        poll 5000 dead "$(<id)"
    done
}

@test "connect ends its program with a signal, and with the peer's reset" {
    need python3
    server 127.0.0.1:0
    start client "$SOCKCTL" connect "127.0.0.1:$PORT" -c 'echo $$ >id; exec sleep 1000'
    wait_file id .
    stop client
    assert_status 143
    poll 5000 dead "$(<id)"
    finish server
    rm id
    start peer python3 -c "
import socket, struct
l = socket.create_server(('127.0.0.1', 0))
print('PORT', l.getsockname()[1], flush=True)
s, _ = l.accept()
s.recv(5)
s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))"
    wait_file peer.out '^PORT '
    start client "$SOCKCTL" connect 127.0.0.1 "${LINE#PORT }" -c 'echo $$ >id; echo hello; exec sleep 1000'
    finish client
    assert_status 143
    assert_errors 'Connection reset by peer'
    dead "$(<id)"
}

@test "connect: much goes both ways, and the program knows the connection" {
    head -c 8M /dev/urandom >sent
    server 127.0.0.1:0 -e cat
    # shellcheck disable=SC2016 # for the shell that is run
    try "$SOCKCTL" connect "127.0.0.1:$PORT" -c 'echo "$SOCKCTL_REMOTE_PORT" >port; cat sent; exec >&-; cat >got'
    assert_status 0
    finish server
    assert_status 0
    cmp sent got
    [ "$(<port)" = "$PORT" ]
}

@test "--log json tells of connections that programs serve" {
    start server "$SOCKCTL" listen --log json 127.0.0.1:0 -c 'cat; exit 3'
    wait_line server listening
    [[ $LINE =~ 127.0.0.1:([0-9]+) ]]
    PORT=${BASH_REMATCH[1]} talk hello
    finish server
    assert_status 3
    assert_errors '"event":"accepted"'
    assert_errors '"event":"closed".*"bytes_in":5,"bytes_out":5.*"eof"'
}

@test "300 clients have a program each, and leave nothing behind" {
    need python3
    server -k -v 127.0.0.1:0 -c 'read line; echo "$line $$"'
    before=$(open_files server)
    TRY_SECONDS=60 try python3 -c "
import socket
all = [socket.create_connection(('127.0.0.1', $PORT)) for n in range(300)]
for n, s in enumerate(all):
    s.sendall(b'%d\n' % n)
ids = set()
for n, s in enumerate(all):
    got = b''
    while True:
        piece = s.recv(100)
        if not piece: break
        got += piece
    number, id = got.split()
    assert int(number) == n, (got, n)
    ids.add(id)
print(len(ids))"
    assert_status 0
    assert_output 300
    poll 5000 has_open "$before"
    has_children server 0
    stop server
    assert_status 0
}

@test "SIGTERM ends the server, all programs and what they wrote last arrives" {
    need python3
    server -k 127.0.0.1:0 -c 'trap "echo bye; exit" TERM; echo up; while :; do sleep 0.05; done'
    start clients python3 -c "
import socket
all = [socket.create_connection(('127.0.0.1', $PORT)) for n in range(20)]
for s in all:
    assert s.recv(3) == b'up\n'
print('all up', flush=True)
for s in all:
    got = b''
    while True:
        piece = s.recv(100)
        if not piece: break
        got += piece
    assert got == b'bye\n', got
print('all ended', flush=True)"
    wait_file clients.out 'all up' 10
    children server
    ids=("${CHILDREN[@]}")
    [ ${#ids[@]} -gt 0 ]
    begin=$(now_ms)
    stop server
    assert_status 0
    (($(now_ms) - begin < 3000 * PATIENCE))
    finish clients
    assert_status 0
    for id in "${ids[@]}"; do dead "$id"; done
}

@test "a program that ignores SIGTERM does not keep the server" {
    server -k 127.0.0.1:0 -c 'trap "" TERM; echo $$ >id; while :; do sleep 0.05; done'
    start client "$SOCKCTL" connect "127.0.0.1:$PORT" --no-shutdown
    wait_file id .
    stop server
    assert_status 0
    dead "$(<id)"
}

@test "-m is the most programs at a time" {
    server -k -m 2 127.0.0.1:0 -c 'echo up; cat'
    for n in 1 2 3; do
        mkfifo "$n.in"
        START_STDIN=$n.in start "client$n" "$SOCKCTL" connect "127.0.0.1:$PORT"
    done
    exec 5>1.in 6>2.in 7>3.in
    poll 5000 has_children server 2
    exec 5>&- 6>&-
    wait_file client3.out up
    exec 7>&-
    finish client3
    assert_output up
    stop server
}

@test "with few descriptors, clients wait or are refused, and the server goes on" {
    start server bash -c 'ulimit -n 16; exec "$0" "$@"' "$SOCKCTL" listen -k 127.0.0.1:0 -e cat
    listening server
    for n in 1 2 3 4 5 6; do
        mkfifo "$n.in"
        START_STDIN=$n.in start "client$n" "$SOCKCTL" connect "127.0.0.1:$PORT"
    done
    exec 5>1.in 6>2.in
    poll 5000 grep -q . server.err
    for n in 1 2 3 4 5 6; do : >"$n.in" & done
    exec 5>&- 6>&-
    for n in 1 2 3 4 5 6; do finish "client$n"; done
    talk again
    assert_output again
    stop server
    assert_status 0
}

@test "with too many processes, clients are refused with a warning" {
    need_other_user 54321
    chmod 777 .
    start server "${OTHER[@]}" bash -c 'ulimit -u 3; exec "$0" "$@"' \
        "$SOCKCTL" listen -k 127.0.0.1:0 -e cat
    listening server
    for n in 1 2 3 4; do
        mkfifo "$n.in"
        START_STDIN=$n.in start "client$n" "$SOCKCTL" connect "127.0.0.1:$PORT"
    done
    exec 5>1.in 6>2.in 7>3.in 8>4.in
    wait_line server '^sockctl: run cat: Resource temporarily unavailable$'
    exec 5>&- 6>&- 7>&- 8>&-
    for n in 1 2 3 4; do finish "client$n"; done
    talk again
    assert_output again
    stop server
}

@test "a connection that fails is no success, whatever the program says" {
    need python3
    server 127.0.0.1:0 -c 'cat >/dev/null; exit 0'
    try timeout 5 python3 -c "
import socket, struct
s = socket.create_connection(('127.0.0.1', $PORT))
s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))"
    finish server
    assert_status 1
    assert_errors 'Connection reset by peer'
}

@test "options that do not go together" {
    for command in listen connect; do
        try "$SOCKCTL" "$command" 127.0.0.1:9 -e cat -c cat
        assert_usage_error 'exclude each other'
        for option in --recv-only --send-only --progress --lines '--max-messages 1'; do
            # shellcheck disable=SC2086 # two words
            try "$SOCKCTL" "$command" 127.0.0.1:9 -e cat $option
            assert_usage_error "${option% *}"
        done
        try "$SOCKCTL" "$command" 127.0.0.1:9 -c cat -- more
        assert_usage_error
        try "$SOCKCTL" "$command" 127.0.0.1:9 -- more
        assert_usage_error
        try "$SOCKCTL" "$command" 127.0.0.1:9 -e ''
        assert_usage_error
    done
    try "$SOCKCTL" connect 127.0.0.1:9 -e cat -F
    assert_usage_error
    for option in '-e cat' '-c cat'; do
        for way in '--to 127.0.0.1:9' --broker --chat; do
            # shellcheck disable=SC2086 # words
            try "$SOCKCTL" listen 127.0.0.1:0 $way $option
            assert_usage_error
        done
    done
    try "$SOCKCTL" listen -u 127.0.0.1:0 -e cat
    assert_usage_error 'option --exec is for streams'
}

@test "a client for whose program there are no descriptors waits until one has gone" {
    need python3
    start server bash -c "ulimit -n 20; exec \"\$SOCKCTL\" listen -k -e cat 127.0.0.1 0"
    listening server
    cat >clients.py <<'END'
import socket, sys
clients = [socket.create_connection(("127.0.0.1", int(sys.argv[1]))) for _ in range(30)]
for i, client in enumerate(clients):
    client.sendall(b"%d" % i)
for i, client in enumerate(clients):
    client.settimeout(8)
    if client.recv(10) != b"%d" % i:
        sys.exit("client %d was not served" % i)
    client.close()
END
    try python3 clients.py "$PORT"
    assert_status 0
    stop server
    assert_status 0
    [ "$errors" = "sockctl: listening on $ADDR" ]
}

# What a service manager has passed to us.
pass_variables() {
    export NOTIFY_SOCKET=$T/none LISTEN_FDS=0 LISTEN_FDNAMES=a:b LISTEN_PID=$BASHPID KEPT=kept
}
passed='echo "[$NOTIFY_SOCKET$LISTEN_PID$LISTEN_FDS$LISTEN_FDNAMES]$KEPT"'

@test "12.2.8: programs do not inherit NOTIFY_SOCKET and LISTEN_*" {
    pass_variables
    server 127.0.0.1:0 -k -c "$passed"
    talk ""
    assert_output '[]kept'
    stop server
    server 127.0.0.1:0 -k -e sh -- -c "$passed"
    talk ""
    assert_output '[]kept'
    stop server
    server 127.0.0.1:0
    try "$SOCKCTL" connect 127.0.0.1 "$PORT" -c "$passed"
    finish server
    assert_output '[]kept'
    start server "$SOCKCTL" unix-serve --exec sh ./socket -- -c "cat >/dev/null; $passed"
    poll 5000 test -S socket
    try "$SOCKCTL" unix-send --reply ./socket hello
    assert_output '[]kept'
    stop server
    for server in 'echo-server 127.0.0.1:0' 'listen -k 127.0.0.1:0' 'listen ./other' 'unix-serve ./other'; do
        # shellcheck disable=SC2086 # words
        try "$SOCKCTL" $server --run -- sh -c "$passed"
        assert_status 0
        assert_output '[]kept'
    done
}

@test "12.2.8: the program that takes the place of a probe has all that was passed to it" {
    need python3
    server 127.0.0.1:0 -k
    pass_variables
    # The process is the same one, and so LISTEN_PID still is right.
    try env LISTEN_FDS=1 sh -c 'exec 3</dev/null; LISTEN_PID=$$ exec "$SOCKCTL" connect -z "$0" -- sh -c "$1"' "127.0.0.1:$PORT" \
        '[ "$LISTEN_PID" = $$ ] && [ -r /dev/fd/3 ] && echo "$NOTIFY_SOCKET $LISTEN_FDS $LISTEN_FDNAMES"'
    assert_status 0
    assert_output "$T/none 1 a:b"
}

@test "a greeting that --hex-dump cannot write: the file and why are named, with many clients and with one" {
    server -k 127.0.0.1:0 --greeting hi --hex-dump /dev/full -e /bin/cat
    try "$SOCKCTL" connect -q 5 "127.0.0.1:$PORT"
    wait_line server 'write to /dev/full: No space left on device'
    stop server
    server 127.0.0.1:0 --greeting hi --hex-dump /dev/full -e /bin/cat
    try "$SOCKCTL" connect -q 5 "127.0.0.1:$PORT"
    finish server
    assert_status 8
    assert_errors '^sockctl: write to /dev/full: No space left on device$'
}
