#!/usr/bin/env bats
# Datagrams that an address refuses go to the next one of the name; refusals at the end; --separator.

load helpers/common
load helpers/names

setup() {
    names_setup
    printf '::1 many\n127.0.0.1 many\n127.0.0.3 many\n127.0.0.1 one\n' >>hosts
}

# Where `many` is [::1], 127.0.0.1 and 127.0.0.3, runs CMD… while the last alone has a server, on port 7711: it shows
# what it gets in peer.out and answers what begins with q.
with_last_address() {
    need python3 ip
    with_server peer.out READY python3 -uc '
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("127.0.0.3", 7711)); print("READY")
while True:
    data, who = s.recvfrom(70000)
    print(data if len(data) < 40 else len(data))
    if data[:1] == b"q": s.sendto(b"answer", who)' -- "$@"
}
# Says what the server has got, besides `READY`.
got() { tail -n +2 peer.out; }

@test "16.8: what an address refuses goes to the next one of the name, and nothing is lost" {
    printf 'one\ntwo\nq\n' >data
    for options in '' '-q 0' '-i 5' '-C' '--hex-dump dump' '--rate-limit 1k'; do
        # shellcheck disable=SC2086
        TRY_STDIN=data with_last_address "$SOCKCTL" connect -u --lines $options -W 1 many 7711
        assert_status 0
        assert_output answer
        [ "$(got)" = "$(printf "b'one\\\\n'\nb'two\\\\n'\nb'q\\\\n'")" ] || [ "$options" = -C ] || fail "$options" peer.out
        [ "$(got | wc -l)" = 3 ] || fail "$options" peer.out
    done
    # --send-only is done at once, and not before the last address has it.
    TRY_STDIN=data with_last_address "$SOCKCTL" connect -u --send-only many 7711
    assert_status 0
    poll 5 grep -q one peer.out
    # Thousands, and long ones.
    { seq 80; head -c 50000 /dev/zero | tr '\0' x; echo; echo q; } >data
    TRY_STDIN=data with_last_address "$SOCKCTL" connect -u --lines -W 1 many 7711
    assert_status 0
    [ "$(got | head -n 2 | tail -n 1)" = "b'2\\n'" ] || fail lost peer.out
    [ "$(got | wc -l)" = 82 ] || fail "$(got | wc -l)"
}

@test "16.8: -v names the address that refuses, and the next one" {
    printf q >data
    TRY_STDIN=data with_last_address "$SOCKCTL" connect -v -u -W 1 many 7711
    assert_status 0
    assert_errors '^sockctl: connected to \[::1\]:7711$'
    assert_errors '^sockctl: \[::1\]:7711 refused the datagram: it goes to the next address$'
    assert_errors '^sockctl: connected to 127.0.0.3:7711$'
    assert_errors '^sockctl: closed 127.0.0.3:7711: 6 bytes in, 1 out$'
}

@test "16.8: where every address refuses, the error names them all, with status 1" {
    need ip
    printf q >data
    for options in '' '-q 0' '-q 5' '--send-only'; do
        # shellcheck disable=SC2086
        TRY_STDIN=data with_last_address "$SOCKCTL" connect -u $options many 7712
        assert_status 1
        assert_one_error_line
        assert_errors '^sockctl: send to 127.0.0.3:7712: Connection refused \(nothing listens there\); \[::1\]:7712: Connection refused; 127.0.0.1:7712: Connection refused$'
    done
    TRY_STDIN=data with_last_address "$SOCKCTL" connect -u one 7712
    assert_status 1
    assert_errors '^sockctl: send to 127.0.0.1:7712: Connection refused \(nothing listens there\)$'
    TRY_STDIN=data with_last_address "$SOCKCTL" connect -u ::1 7712
    assert_errors ' \(nothing listens there; -4 for 127.0.0.1\)$'
}

@test "16.8: --send-only ends when all is sent, and a refusal is status 1 even with -q 0" {
    need python3
    start peer python3 -uc '
import socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("127.0.0.1", 0)); print("PORT", s.getsockname()[1])
time.sleep(30)'
    wait_file peer.out '^PORT '
    printf x >data
    send_only() { # says how long it took
        local began
        began=$(now_ms)
        TRY_STDIN=data try "$SOCKCTL" connect -u --send-only 127.0.0.1 "${LINE#PORT }"
        took $(($(now_ms) - began))
        assert_status 0
    }
    quickest 0 500 send_only
    for options in '-q 0' --send-only '--send-only -q 0'; do
        for _ in 1 2 3 4 5; do
            # shellcheck disable=SC2086
            TRY_STDIN=data try "$SOCKCTL" connect -u $options 127.0.0.1 9
            assert_status 1
            assert_errors '^sockctl: send to 127.0.0.1:9: Connection refused \(nothing listens there\)$'
        done
    done
}

@test "16.8: --separator: after each datagram, empty ones too, with C escapes; many at once; to a socket in one write" {
    need python3
    try python3 -c '
import os, socket, subprocess
SOCKCTL = os.environ["SOCKCTL"]
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("127.0.0.1", 0)); s.settimeout(9)
def listen(words, out):
    p = subprocess.Popen([SOCKCTL, "listen", "-u", *words, "127.0.0.1:0"], stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.PIPE)
    return p, ("127.0.0.1", int(p.stderr.readline().split(b":")[-1]))
for words in ["-W3"], ["-k", "-W3"], ["-W3", "-o", "copy"]:
    p, to = listen([*words, "--separator", r"\x00|\n"], subprocess.PIPE)
    for data in b"one", b"", b"three": s.sendto(data, to)
    print(p.stdout.read(), p.wait())
print(open("copy", "rb").read())
p, to = listen(["-W300", "--separator", ","], subprocess.PIPE)
s.setsockopt(socket.IPPROTO_UDP, 103, 7) # UDP_SEGMENT
for i in range(10): s.sendto(b"seven b" * 30, to)
print(p.stdout.read() == b"seven b," * 300, p.wait())
one, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET); one.settimeout(9)
p, to = listen(["-W2", "--separator", "--"], other)
for data in b"a", b"bc": s.sendto(data, to)
print(one.recv(99), one.recv(99), p.wait())'
    assert_status 0
    assert_output "b'one\\x00|\\n\\x00|\\nthree\\x00|\\n' 0
b'one\\x00|\\n\\x00|\\nthree\\x00|\\n' 0
b'one\\x00|\\n\\x00|\\nthree\\x00|\\n' 0
b'onethree'
True 0
b'a--' b'bc--' 0"
    try "$SOCKCTL" connect -u --send-only --separator x 127.0.0.1:9
    assert_usage_error "^sockctl: option --separator: with --send-only, what arrives is thrown away"
    try "$SOCKCTL" connect --separator x 127.0.0.1:9
    assert_usage_error "^sockctl: option --separator is for datagrams"
    try "$SOCKCTL" connect -u --separator '\q' 127.0.0.1:9
    assert_usage_error "^sockctl: option --separator: "
}
