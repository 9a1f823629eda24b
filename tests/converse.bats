#!/usr/bin/env bats
# connect --send and --expect: a conversation, for health checks.

load helpers/common

dialogue() {
    need python3
    start peer python3 "$HELPERS/dialogue.py" "$@"
    wait_file peer.out '^PORT '
    PORT=${LINE#PORT }
}

talk() { try "$SOCKCTL" connect "$@" 127.0.0.1 "$PORT"; }

@test "a PING is answered" {
    dialogue --silent '+PONG\r\n'
    talk --send 'PING\r\n' --expect '^\+PONG\r\n'
    assert_status 0
    printf '+PONG\r\n' | cmp - try.out
    finish peer
    assert_output "PORT $PORT"$'\n'50494e470d0a
}

@test "what is expected may come in pieces, and before it is waited for" {
    dialogue --byte '220 ready\r\n250 one' '\r\n354 two\r\n'
    talk --send 'a' --expect '220 .*\n' --expect '250' --send 'b' --expect 'one[\r\n]+354 t.o'
    assert_status 0
}

@test "each expression looks at what came after the last" {
    dialogue --close 'once'
    talk --send 'a' --expect 'once' --expect 'once'
    assert_status 9
    assert_one_error_line
    assert_errors "has ended; still waiting for 'once' \(2nd --expect\); last: \"once\"\$"
}

@test "bytes that are not text: NUL, escapes, and what a backslash means" {
    dialogue --silent 'a\0b\377.\0end'
    talk --send 'a\0\x01' --expect 'b\xff\.' --expect 'end$'
    assert_status 0
    finish peer
    assert_output "PORT $PORT"$'\n'610001
    for bad in 'a(' '[' 'a\0b' '*('; do
        talk --expect "$bad"
        assert_usage_error 'option --expect'
    done
}

@test "--max-time is status 5, a reset 1, a refused connection 4" {
    dialogue --silent
    talk --send 'a' --expect b --max-time 300ms
    assert_status 5
    peer resetting rst-after 1
    talk --send a --expect b
    assert_status 1
    try "$SOCKCTL" connect --expect b 127.0.0.1 1
    assert_status 4
}

@test "a script that ends with what it says hears the peer out" {
    start server "$SOCKCTL" echo-server 127.0.0.1:0
    listening server
    TRY_STDIN=<(echo not read) talk --send 'one\n' --expect 'one' --send 'two\n'
    assert_status 0
    assert_output $'one\ntwo'
}

@test "the transcript is told with -v, escaped" {
    dialogue --silent '\33[31mred\r\n'
    talk -v --send 'hi\n' --expect red
    assert_status 0
    assert_errors '^sockctl: > hi\\x0a$'
    assert_errors '^sockctl: < \\x1b\[31mred\\x0d\\x0a$'
    assert_errors '^sockctl: met: red$'
}

@test "a flood without what is expected does not grow" {
    head -c 30000000 /dev/zero >zeros
    START_STDIN=zeros start flood "$SOCKCTL" listen 127.0.0.1:0
    listening flood
    talk --expect never
    assert_status 9
    [ "$(stat -c %s try.out)" -eq 30000000 ]
}

@test "options for other things to do are refused" {
    for other in "-e cat" -F -z; do
        # shellcheck disable=SC2086
        try "$SOCKCTL" connect --send a $other 127.0.0.1 1
        assert_usage_error 'different things to do'
    done
}

@test "-o, --hex-dump, --stats, and the closing line see a conversation too" {
    dialogue --silent 'hello\r\n'
    talk -v --stats -o copy --hex-dump dump --send 'hi\n' --expect lo
    assert_status 0
    assert_output $'hello\r'
    cmp copy try.out
    grep -q '^> .* 68 69 0a ' dump
    grep -q '^< .* 68 65 6c 6c 6f 0d 0a ' dump
    assert_errors '^sockctl: closed 127\.0\.0\.1:[0-9]+: 7 bytes in, 3 out$'
    assert_errors '^sockctl: sent 3 B, received 7 B '
    dialogue --silent 'hello\r\n'
    talk --log json --send 'hi\n' --expect lo
    assert_errors '"event":"closed".*"bytes_in":7,"bytes_out":3,.*"how":"eof"'
    for option in -o --hex-dump; do
        dialogue --silent 'hello\r\n'
        talk "$option" /dev/full --send 'hi\n' --expect lo
        assert_status 8
        assert_errors 'write to /dev/full: No space left on device'
    done
}

@test "options of a transfer that would do nothing are refused" {
    try "$SOCKCTL" connect --expect a -C 127.0.0.1 1
    assert_usage_error 'option --crlf makes no sense with --expect alone: nothing is sent'
    for option in -t --lines --progress --until-stdin-ends --oob=x --delay=1 --rate-limit=1k -W1; do
        try "$SOCKCTL" connect --expect a "$option" 127.0.0.1 1
        assert_usage_error 'makes no sense with --send and --expect'
    done
}

@test "datagrams: an empty one is no end, large ones are whole, and silence is the end" {
    need python3
    start peer python3 -c '
import signal, socket
signal.alarm(20)
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("127.0.0.1", 0))
print("PORT", s.getsockname()[1], flush=True)
_, peer = s.recvfrom(100)
for data in b"", b"x" * 60000, b"y" * 60000, b"z" * 65000 + b"end":
    s.sendto(data, peer)
while True:
    data, peer = s.recvfrom(100)
    s.sendto(data, peer)'
    wait_file peer.out '^PORT '
    PORT=${LINE#PORT }
    talk -u --send go --expect end
    assert_status 0
    [ "$(stat -c %s try.out)" -eq 185003 ]
    for option in '' '-q 100ms'; do
        # shellcheck disable=SC2086
        talk -u $option --send one --send two
        assert_status 0
        assert_output onetwo
    done
}

@test "-q limits the wait after what is said last" {
    dialogue --silent
    talk -q 200ms --no-shutdown --send a
    assert_status 0
}

@test "all is said to a peer that has ended and still reads" {
    need python3
    start peer python3 -c '
import signal, socket
signal.alarm(20)
with socket.create_server(("127.0.0.1", 0)) as listener:
    print("PORT", listener.getsockname()[1], flush=True)
    conn = listener.accept()[0]
conn.shutdown(socket.SHUT_WR)
signal.sigtimedwait([signal.SIGUSR1], 0.3)
print(len(b"".join(iter(lambda: conn.recv(65536), b""))), flush=True)'
    wait_file peer.out '^PORT '
    PORT=${LINE#PORT }
    text=$(head -c 120000 /dev/zero | tr '\0' x)
    # shellcheck disable=SC2046
    talk --sndbuf 4k $(for ((i = 0; i < 12; i++)); do printf -- '--send %s ' "$text"; done)
    assert_status 0
    finish peer
    [ "${lines[1]}" = 1440000 ]
}

@test "13.6: ^ and \$ are about lines" {
    dialogue --silent '220 ready\r\n' '250-SIZE 1\r\n250 ok\r\n'
    talk --send a --expect '^220 .*\r$' --send b --expect '^250 '
    assert_status 0
    printf '220 ready\r\n250-SIZE 1\r\n250 ok\r\n' | cmp - try.out
    # What an expression left of a line is not the start of one.
    dialogue --close '220 2nd\n'
    talk --send a --expect '^2' --expect '^2'
    assert_status 9
    dialogue --close '220 2nd\n2 more\n'
    talk --send a --expect '^2' --expect '^2'
    assert_status 0
    # A prompt has no end of its line.
    dialogue --silent 'motd\nlogin: '
    talk --send a --expect 'login: $'
    assert_status 0
    # . and [^…] stay in a line.
    dialogue --close 'one\ntwo\n'
    talk --send a --expect 'one.*two|one[^x]two'
    assert_status 9
    dialogue --close 'one\ntwo\n'
    talk --send a --expect 'one\ntwo'
    assert_status 0
}

@test "13.6: the error names the expression, which one it is, and what came last" {
    waiting='still waiting for .\^250 . \(2nd --expect\); last: "220 ready\\x0d\\x0a250-\\x1b\[31m"$'
    ask=(--send a --expect '^220' --send b --expect '^250 ')
    dialogue --silent '220 ready\r\n' '250-\33[31m'
    talk "${ask[@]}" --max-time 1
    assert_status 5
    assert_one_error_line
    assert_errors "^sockctl: the limit of .* for the command is over; $waiting"
    dialogue --silent '220 ready\r\n' '250-\33[31m'
    talk "${ask[@]}" -i 500ms
    assert_status 5
    assert_one_error_line
    assert_errors "nothing moved for .*; $waiting"
    dialogue --close '220 ready\r\n' '250-\33[31m'
    talk "${ask[@]}"
    assert_status 9
    assert_one_error_line
    assert_errors "^sockctl: 127\.0\.0\.1:$PORT has ended; $waiting"
    dialogue --silent
    talk --expect 'never' --max-time 300ms
    assert_status 5
    assert_errors "; still waiting for 'never' \(1st --expect\); nothing has come$"
    dialogue --close "$(printf 'x%.0s' {1..100})end"
    talk --send a --expect 'never'
    assert_status 9
    assert_errors "last: \"\.\.\.x{61}end\"$"
    peer resetting rst-after 1
    talk --send a --expect b --send c --expect d
    assert_status 1
    assert_errors "Connection reset by peer; still waiting for 'b' \(1st --expect\); nothing has come$"
    dialogue --close '11'
    # shellcheck disable=SC2046 # words
    talk --send a $(for _ in {1..11}; do echo '--expect x*'; done) --expect never
    assert_errors "still waiting for 'never' \(12th --expect\)"
    # What is being said when the limit comes is no expression's fault.
    dialogue --silent
    talk --no-shutdown --send a --max-time 300ms
    assert_status 5
    refute grep -q waiting try.err
}

@test "13.6: ^ is where a line began, not where the 64 KiB behind it begin" {
    { echo -n a && head -c 3000000 /dev/zero | tr '\0' b; } >many
    START_STDIN=many start flood "$SOCKCTL" listen 127.0.0.1:0
    listening flood
    talk --send-only --expect '^b'
    assert_status 9
}
