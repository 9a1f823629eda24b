#!/usr/bin/env bats
# The options of connect and listen that look at what passes, change it or slow it down.

load helpers/common

# server ARGS…: a sockctl that listens, with `input` as its stdin.
server() {
    START_STDIN=${input:-} start server "$SOCKCTL" listen "$@"
    listening server
}

@test "-C: LF is sent as CR LF, a CR LF as it is, and what arrives is left alone" {
    printf 'one\ntwo\r\nthree\r' >lines
    printf 'down\n' >down
    input=down server 127.0.0.1 0
    TRY_STDIN=lines try "$SOCKCTL" connect -C 127.0.0.1 "$PORT"
    assert_status 0
    finish server
    assert_status 0
    cmp server.out <(printf 'one\r\ntwo\r\nthree\r')
    cmp try.out down
}

@test "-C: across reads, of a file, a pipe and in listen, byte-exact" {
    need python3
    # Lines of 63 and 64 bytes: their ends fall on every side of every read.
    python3 -c 'print("x" * 62 + "\n" + "y" * 62 + "\r", end="\n") or [
        print("x" * 62 + "\n" + "y" * 62 + "\r") for _ in range(9999)]' >data
    sed 's/\r$//; s/$/\r/' data >want
    server 127.0.0.1 0
    TRY_STDIN=data try "$SOCKCTL" connect -C 127.0.0.1 "$PORT"
    assert_status 0
    finish server
    cmp server.out want
    # shellcheck disable=SC2002 # a pipe is what is tested
    input=<(cat data) server -C 127.0.0.1 0
    try "$SOCKCTL" connect 127.0.0.1 "$PORT"
    assert_status 0
    cmp try.out want
    finish server
    assert_status 0
}

@test "-C: for datagrams and for many clients too" {
    server -u -q 0.3 127.0.0.1 0
    TRY_STDIN=<(printf 'a\nb\n') try "$SOCKCTL" connect -C -u -q 50ms 127.0.0.1 "$PORT"
    assert_status 0
    poll 2000 cmp -s server.out <(printf 'a\r\nb\r\n')
    stop server
    mkfifo say
    input=say server -k -v -C "unix:$T/s" 5<>say
    TRY_STDIN=<(wait_line server accepted && echo hi >say && sleep 0.3) \
        try "$SOCKCTL" connect "$T/s"
    cmp try.out <(printf 'hi\r\n')
    stop server
    assert_status 0
}

@test "-o: what arrives goes to the file as well; -a adds to it" {
    head -c 300000 /dev/urandom >data
    echo old >file
    for _ in 1 2; do
        input=data server 127.0.0.1 0
        try "$SOCKCTL" connect -o file 127.0.0.1 "$PORT"
        assert_status 0
        cmp try.out data
        cmp file data
        finish server
    done
    server -a -o file 127.0.0.1 0
    TRY_STDIN=data try "$SOCKCTL" connect 127.0.0.1 "$PORT"
    finish server
    assert_status 0
    cmp server.out data
    cmp file <(cat data data)
}

@test "-o: a new file has the mode of any new file" {
    input=<(echo x) server 127.0.0.1 0
    (umask 027 && try "$SOCKCTL" connect -o file 127.0.0.1 "$PORT" && assert_status 0)
    [ "$(stat -c %a file)" = 640 ]
}

@test "-o: for datagrams and for many clients too" {
    server -u -o file 127.0.0.1 0
    TRY_STDIN=<(printf hello) try "$SOCKCTL" connect -u -q 50ms 127.0.0.1 "$PORT"
    assert_status 0
    poll 2000 grep -q hello file
    stop server
    server -k -o file 127.0.0.1 0
    for word in one two; do
        TRY_STDIN=<(echo $word) try "$SOCKCTL" connect --exit-on-eof -q 50ms 127.0.0.1 "$PORT"
    done
    poll 2000 grep -q two file
    stop server
    assert_status 0
    cmp file server.out
}

@test "-o: a file that cannot be opened or written is status 8 and named" {
    try "$SOCKCTL" connect -o /nonexistent/file 127.0.0.1 1
    assert_status 8
    [ "$errors" = "sockctl: open /nonexistent/file: No such file or directory" ]
    for kind in "" -k; do
        # shellcheck disable=SC2086 # no word where it is empty
        server $kind -o /dev/full 127.0.0.1 0
        TRY_STDIN=<(echo x) try "$SOCKCTL" connect -q 1 127.0.0.1 "$PORT"
        finish server
        assert_status 8
        assert_errors '^sockctl: write to /dev/full: No space left on device$'
    done
}

@test "--hex-dump: both directions, with a time, and nothing else changes" {
    printf 'down\n' >down
    input=down server --greeting 'hi\n' --hex-dump server.dump 127.0.0.1 0
    TRY_STDIN=<(printf 'up\n') try "$SOCKCTL" connect -C --hex-dump - 127.0.0.1 "$PORT"
    assert_status 0
    assert_output $'hi\ndown'
    assert_errors '^> [0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\.[0-9]{6}Z 4 bytes$'
    assert_errors '^> 00000000  75 70 0d 0a                                       \|up\.\.\|$'
    finish server
    assert_status 0
    grep -q '^> .* 3 bytes' server.dump
    grep -q '^> 00000000  68 69 0a  *|hi\.|' server.dump
    grep -q '^> 00000003  64 6f 77 6e 0a  *|down\.|' server.dump
    grep -q '^< 00000000  75 70 0d 0a  *|up\.\.|' server.dump
}

@test "--hex-dump: every byte of a stream is in it" {
    need python3
    head -c 300001 /dev/urandom >data
    input=data server 127.0.0.1 0
    try "$SOCKCTL" connect -d --hex-dump dump 127.0.0.1 "$PORT"
    assert_status 0
    cmp try.out data
    finish server
    python3 -c '
import re, sys
sys.stdout.buffer.write(b"".join(bytes.fromhex(m[1]) for m in
    re.finditer(r"^< [0-9a-f]{8}  ([0-9a-f ]{49}) \|", open("dump").read(), re.M)))' >again
    cmp again data
}

@test "--hex-dump: datagrams, the empty one too; -a adds" {
    need python3
    start peer python3 -c '
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("127.0.0.1", 0))
print("PORT", s.getsockname()[1], flush=True)
d, who = s.recvfrom(100); s.sendto(b"", who); s.sendto(b"abc", who)'
    wait_file peer.out '^PORT '
    echo old >dump
    TRY_STDIN=<(printf x) try "$SOCKCTL" connect -u -q 200ms -a --hex-dump dump 127.0.0.1 "${LINE#PORT }"
    assert_status 0
    assert_output abc
    [ "$(head -n 1 dump)" = old ]
    grep -q '^> .* 1 byte$' dump
    grep -q '^< .* 0 bytes$' dump
    grep -q '^< 00000000  61 62 63  *|abc|$' dump
}

@test "--hex-dump: a file that cannot be written ends it, status 8" {
    server --hex-dump /dev/full -d 127.0.0.1 0
    TRY_STDIN=<(echo x) try "$SOCKCTL" connect -q 1 127.0.0.1 "$PORT"
    finish server
    assert_status 8
    assert_errors '^sockctl: write to /dev/full: No space left on device$'
    server -d 127.0.0.1 0
    TRY_STDIN=<(echo x) try "$SOCKCTL" connect --hex-dump /dev/full 127.0.0.1 "$PORT"
    assert_status 8
    assert_errors '^sockctl: write to /dev/full: No space left on device$'
}

# receive NAME [udp]: a peer that tells after how many milliseconds each part of what it got came.
receive() {
    need python3
    start "$1" python3 -c '
import socket, sys, time
if sys.argv[1:2] == ["udp"]:
    c = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); c.bind(("127.0.0.1", 0))
    print("PORT", c.getsockname()[1], flush=True); c.settimeout(float(sys.argv[2]))
else:
    s = socket.create_server(("127.0.0.1", 0)); print("PORT", s.getsockname()[1], flush=True)
    c = s.accept()[0]
start = None
try:
    while part := c.recv(65536):
        start = start or time.monotonic()
        print(int((time.monotonic() - start) * 1000), part.decode().strip(), flush=True)
except TimeoutError: pass' "${@:2}"
    wait_file "$1.out" '^PORT '
    PORT=${LINE#PORT }
}

# came LINE MS WORD: that line of the output says that WORD came MS, or a little more, after the first,
# which on a busy machine is seen late.
came() {
    local ms=${lines[$1]%% *}
    [ "${lines[$1]#* }" = "$3" ] && ((ms >= $2 - 100 && ms < $2 + 250 * PATIENCE)) ||
        show_results "line $1 is not: $2 $3"
}

@test "--delay: a pause between lines, however they are read" {
    printf 'one\ntwo\nthree' >lines
    receive peer
    start_ms=$(now_ms)
    TRY_STDIN=lines try "$SOCKCTL" connect --delay 300ms 127.0.0.1 "$PORT"
    (($(now_ms) - start_ms >= 600)) || fail "the pauses are too short"
    assert_status 0
    finish peer
    came 1 0 one
    came 2 300 two
    came 3 600 three
    receive peer
    TRY_STDIN=<(printf 'o'; wait_file peer.out '^0 '; printf 'ne\ntwo\n') \
        try "$SOCKCTL" connect --delay 300ms 127.0.0.1 "$PORT"
    assert_status 0
    finish peer
    came 1 0 o
    came 2 50 ne
    came 3 350 two
}

@test "--delay: what arrives meanwhile is not delayed, and a reset is heard" {
    need python3
    start peer python3 -c '
import socket, struct
s = socket.create_server(("127.0.0.1", 0)); print("PORT", s.getsockname()[1], flush=True)
c = s.accept()[0]; c.sendall(b"hi"); c.recv(10)
c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)); c.close()'
    wait_file peer.out '^PORT '
    printf '1\n2\n3\n' >lines
    start_ms=$(now_ms)
    TRY_STDIN=lines try "$SOCKCTL" connect --delay 30s 127.0.0.1 "${LINE#PORT }"
    assert_status 1
    assert_output hi
    assert_errors 'Connection reset by peer \(4 bytes not delivered\)$'
    (($(now_ms) - start_ms < 3000 * PATIENCE))
}

@test "--delay: between datagrams; --rate-limit slows them too" {
    receive peer udp "$PATIENCE"
    TRY_STDIN=<(printf a; wait_file peer.out '^0 '; printf b) \
        try "$SOCKCTL" connect -u -q 50ms --delay 300ms 127.0.0.1 "$PORT"
    assert_status 0
    finish peer
    came 1 0 a
    came 2 300 b
    receive peer udp "$PATIENCE"
    TRY_STDIN=<(printf abcde; wait_file peer.out '^0 '; printf b) \
        try "$SOCKCTL" connect -u -q 50ms --rate-limit 20 127.0.0.1 "$PORT"
    finish peer
    came 2 250 b
}

@test "--rate-limit: so many bytes a second and no more, each way, asleep between" {
    head -c 1100000 /dev/zero >data
    for no in 0 1; do
        export SOCKCTL_NO_SPLICE=$no
        input=data server 127.0.0.1 0
        start_ms=$(now_ms)
        # shellcheck disable=SC2002 # a pipe is what is tested
        cat data | { TIMEFORMAT='%3U %3S'; time timeout 10 "$SOCKCTL" connect --rate-limit 1M \
            127.0.0.1 "$PORT" >try.out 2>try.err; } 2>cpu
        took=$(($(now_ms) - start_ms))
        echo "took $took ms, $(cat cpu) s of CPU"
        ((took >= 1047 && took < 2500 * PATIENCE)) # 1049 ms, and the start of the program
        cmp try.out data
        finish server
        cmp server.out data
        sanitized || awk '{ exit !($1 + $2 < 0.1) }' cpu
    done
}

@test "--rate-limit: of listen, and of file to file" {
    head -c 300000 /dev/urandom >data
    server --rate-limit 512k 127.0.0.1 0
    start_ms=$(now_ms)
    TRY_STDIN=data try "$SOCKCTL" connect 127.0.0.1 "$PORT"
    assert_status 0
    finish server
    took=$(($(now_ms) - start_ms))
    ((took >= 570 && took < 2000 * PATIENCE))
    cmp server.out data
}

@test "--delay, --rate-limit, --oob and --progress are for one client" {
    for option in "--delay 1" "--rate-limit 1k" "--oob x" --progress; do
        # shellcheck disable=SC2086 # two words
        try "$SOCKCTL" listen -k $option 127.0.0.1 0
        assert_usage_error "option ${option% *} is for one client: not with --keep-open"
    done
}

# telnet_server NAME TEST: asks and offers, in parts; TEST is what it has to get, in Python.
telnet_server() {
    need python3
    start "$1" python3 -c '
import socket, sys, time
s = socket.create_server(("127.0.0.1", 0)); print("PORT", s.getsockname()[1], flush=True)
c = s.accept()[0]; c.settimeout(5); c.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
for part in b"login: \xff\xfd", b"\x18\xff", b"\xfb\x01a\xff\xff", b"\xff\xfab\xff\xf0", b"c\xff\xf9\n":
    c.sendall(part); time.sleep(0.02)
want = eval(sys.argv[1]); got = b""
while len(got) < len(want): got += c.recv(100) or sys.exit("ended: %r" % got)
print(sorted(got) == sorted(want) or got)' "$2"
    wait_file "$1.out" '^PORT '
    PORT=${LINE#PORT }
}

@test "-t: options are refused, commands are not data; while stdin says nothing, or has ended" {
    for mode in silent -d --no-shutdown; do
        telnet_server peer 'b"\xff\xfc\x18\xff\xfe\x01"'
        stdin=/dev/null option=$mode
        [ "$mode" != silent ] || { mkfifo pipe; exec 5<>pipe; stdin=pipe option=-v; }
        TRY_STDIN=$stdin try "$SOCKCTL" connect -t $option -o file --hex-dump dump 127.0.0.1 "$PORT"
        [ "$mode" != silent ] || exec 5>&-
        assert_status 0
        printf 'login: a\377c\n' | cmp - try.out
        cmp try.out file
        grep -q '^< .*6c 6f 67 69 6e 3a 20' dump
        grep -q '^> .*ff fc 18' dump
        finish peer
        [ "${lines[1]}" = True ] || fail "$mode: ${lines[1]}"
    done
}

@test "-t: the byte 255 is sent twice, and lines with -C as ever" {
    telnet_server peer 'b"\xff\xfc\x18\xff\xfe\x01" + b"root\r\n\xff\xff"'
    TRY_STDIN=<(sleep 0.3; printf 'root\n\377') try "$SOCKCTL" connect -t -C 127.0.0.1 "$PORT"
    finish peer
    [ "${lines[1]}" = True ] || fail "${lines[1]}"
}

# What is lost is lost: a peer that has ended wants no refusals, but whoever types has meant it.
@test "-t: refusals that a peer who has ended does not take are no failure; what stdin said is one" {
    need python3
    start peer python3 -c '
import socket
s = socket.create_server(("127.0.0.1", 0)); print("PORT", s.getsockname()[1], flush=True)
while True:
    c = s.accept()[0]; c.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 1)
    c.sendall(b"\xff\xfd\x18bye\n"); c.close()'
    wait_file peer.out '^PORT '
    mkfifo pipe
    exec 5<>pipe
    for options in -v -d --no-shutdown; do
        stdin=/dev/null
        [ "$options" != -v ] || stdin=pipe
        TRY_STDIN=$stdin try "$SOCKCTL" connect -t "$options" 127.0.0.1 "${LINE#PORT }"
        assert_status 0
        assert_output bye
    done
    exec 5>&-
    TRY_STDIN=<(echo typed) try "$SOCKCTL" connect -t --no-shutdown 127.0.0.1 "${LINE#PORT }"
    assert_status 1
    assert_one_error_line
    assert_errors 'bytes not delivered'
    stop peer
}

@test "-t: refusals reach a server that floods while stdin fills the connection" {
    need python3
    start peer python3 -c '
import socket, threading
s = socket.create_server(("127.0.0.1", 0)); print("PORT", s.getsockname()[1], flush=True)
c = s.accept()[0]; c.sendall(b"".join(b"\xff\xfd%c" % (i % 100) for i in range(100000)))
c.shutdown(socket.SHUT_WR); got = bytearray(); refused = False
while part := c.recv(65536):
    got += part
    if not refused and b"\xff" in part: refused = True; print("REFUSED", flush=True)
rest = got.replace(b"x", b"")
print(got.count(b"x"), len(rest) >= 3 and {bytes(rest[i:i + 2]) for i in range(0, len(rest), 3)} == {b"\xff\xfc"})'
    wait_file peer.out '^PORT '
    head -c 3000000 /dev/zero | tr '\0' x >data
    # stdin ends when a refusal has come: the server may be slow.
    TRY_STDIN=<(cat data; poll 9000 grep -q REFUSED peer.out) try "$SOCKCTL" connect -t 127.0.0.1 "${LINE#PORT }"
    assert_status 0
    assert_output ""
    finish peer
    [ "${lines[*]:1}" = 'REFUSED 3000000 True' ] || fail "${lines[*]}"
}

@test "-t is for one stream" {
    try "$SOCKCTL" listen -k -t 127.0.0.1 0
    assert_usage_error 'option --telnet is for one client: not with --keep-open'
    try "$SOCKCTL" connect -u -t 127.0.0.1 9
    assert_usage_error 'option --telnet is for streams'
}
