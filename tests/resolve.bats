#!/usr/bin/env bats
# resolve: the three forms of its answers, reverse look-ups, names that cannot be, and failures.

load helpers/common
load helpers/names

setup() { names_setup; }

resolve() { try "$SOCKCTL" resolve "$@"; }

# Forms

@test "a block: the name, its aliases, its addresses" {
    printf '192.0.2.7 official.example alias1 alias2.example\n' >>hosts
    hosts "$SOCKCTL" resolve official.example
    assert_status 0
    assert_output "name      official.example
alias     alias1
alias     alias2.example
address   192.0.2.7   IPv4"
}

@test "asked for by an alias" {
    printf '192.0.2.7 official.example alias1 alias2.example\n' >>hosts
    hosts "$SOCKCTL" resolve alias1
    assert_output "name      official.example
alias     alias1
alias     alias2.example
address   192.0.2.7   IPv4"
}

@test "each address once, in the order in which connect tries them" {
    printf '127.0.0.1 many\n127.0.0.1 many\n127.0.0.2 many\n::1 many\n' >>hosts
    hosts "$SOCKCTL" resolve -s many
    assert_status 0
    [ "$(sort <<<"$output")" = $'127.0.0.1\n127.0.0.2\n::1' ]
    expected=$(unshare -rmn bash -c "$in_place && exec getent ahosts many" | awk '/STREAM/ && !seen[$1]++ { print $1 }')
    assert_output "$expected"
}

@test "-4 and -6" {
    hosts "$SOCKCTL" resolve -4 -s localhost
    assert_output 127.0.0.1
    hosts "$SOCKCTL" resolve -6 -s localhost
    assert_output ::1
    printf '192.0.2.7 four\n' >>hosts
    hosts "$SOCKCTL" resolve -6 four
    assert_status 3
    assert_output ""
    assert_one_error_line
}

@test "-s prints nothing but addresses" {
    printf '192.0.2.7 official.example alias1\n192.0.2.8 other\n' >>hosts
    hosts "$SOCKCTL" resolve --short alias1 other 192.0.2.9 2001:DB8::1
    assert_status 0
    assert_output $'192.0.2.7\n192.0.2.8\n192.0.2.9\n2001:db8::1'
}

@test "several names: a block each, in order; the failed ones do not hide the others" {
    printf '192.0.2.7 one\n192.0.2.8 two\n' >>hosts
    hosts "$SOCKCTL" resolve two nosuch one
    assert_status 3
    assert_output "name      two
address   192.0.2.8   IPv4

name      one
address   192.0.2.7   IPv4"
    assert_one_error_line
    assert_errors '^sockctl: resolve nosuch: .'
}

@test "names from stdin: one a line, whatever ends it" {
    printf '192.0.2.7 one\n192.0.2.8 two\n' >>hosts
    printf 'one\r\n\n \t two  \none' >names
    TRY_STDIN=names hosts "$SOCKCTL" resolve -s two - two
    assert_status 0
    assert_output $'192.0.2.8\n192.0.2.7\n192.0.2.8\n192.0.2.7\n192.0.2.8'
}

@test "a name from stdin is answered before the next is there" {
    printf '192.0.2.7 one\n' >>hosts
    unshare -rmn true 2>/dev/null || skip "needs a mount namespace"
    mkfifo names
    START_STDIN=names start resolve unshare -rmn bash -c \
        "$in_place"' && exec "$@"' bash "$SOCKCTL" resolve -s -
    exec 8>names
    echo one >&8
    wait_file resolve.out '^192.0.2.7$'
    exec 8>&-
    finish resolve
    assert_status 0
}

@test "no names on stdin are no failure" {
    resolve -
    assert_status 0
    assert_output ""
    resolve -j -
    assert_status 0
    assert_output "[]"
}

# JSON

@test "-j: an object a name, failed ones too" {
    need python3
    printf '192.0.2.7 official.example alias1 alias2\n' >>hosts
    hosts "$SOCKCTL" resolve -j alias1 nosuch ::1
    assert_status 3
    assert_one_error_line
    python3 - <<'END'
import json
one, nosuch, loopback = json.load(open("try.out"))
assert one == {
    "query": "alias1", "name": "official.example", "aliases": ["alias1", "alias2"],
    "addresses": [{"address": "192.0.2.7", "family": "IPv4", "length": 4}], "error": None}
assert nosuch["query"] == "nosuch" and nosuch["error"].startswith("resolve nosuch: ")
assert nosuch["name"] is None and nosuch["aliases"] == nosuch["addresses"] == []
assert loopback["name"] == "localhost" and loopback["aliases"] == ["ip6-localhost"]
assert loopback["addresses"] == [{"address": "::1", "family": "IPv6", "length": 16}]
END
}

@test "-j is valid JSON whatever the bytes of the name" {
    need python3
    printf 'a"b\\c\n\xff\xfe\nnul\0here\n\x1b[31m\ncaf\xc3\xa9..\n%s\n' "$(printf %5000d 0)" >names
    TRY_STDIN=names resolve -j -
    assert_status 3
    python3 - <<'END'
import json
queries = [each["query"] for each in json.load(open("try.out", encoding="utf-8"))]
assert queries[:5] == ['a"b\\c', "\\xff\\xfe", "nul\0here", "\x1b[31m", "caf\u00e9.."], queries
END
    refute grep -aq $'\x1b' "$T/try.out" "$T/try.err"
}

# Reverse

@test "an address is looked up in reverse" {
    printf '192.0.2.7 official.example alias1\n2001:db8::7 six\n' >>hosts
    hosts "$SOCKCTL" resolve 192.0.2.7 2001:0db8::7 ::1%lo
    assert_status 0
    assert_output "name      official.example
alias     alias1
address   192.0.2.7   IPv4

name      six
address   2001:db8::7   IPv6

name      localhost
alias     ip6-localhost
address   ::1   IPv6"
    hosts "$SOCKCTL" resolve -x -s 192.0.2.7
    assert_output official.example
}

@test "an address without a name, of the wrong family, or with no such zone" {
    hosts "$SOCKCTL" resolve 192.0.2.77
    assert_status 3
    assert_errors '^sockctl: resolve 192\.0\.2\.77: it has no name$'
    hosts "$SOCKCTL" resolve -4 ::1
    assert_status 3
    assert_errors '^sockctl: resolve ::1: not an IPv4 address$'
    hosts "$SOCKCTL" resolve -6 127.0.0.1
    assert_errors '^sockctl: resolve 127\.0\.0\.1: not an IPv6 address$'
    hosts "$SOCKCTL" resolve fe80::1%nosuch
    assert_status 3
    assert_errors '^sockctl: resolve fe80::1%nosuch: this machine has no such interface$'
}

@test "-x takes addresses alone" {
    hosts "$SOCKCTL" resolve -x localhost 127.0.0.1
    assert_status 3
    assert_errors '^sockctl: resolve localhost: not an IPv4 or IPv6 address$'
    assert_output $'name      localhost\naddress   127.0.0.1   IPv4'
}

@test "IPv4 addresses as inet_aton(3) reads them are names" {
    for address in 127.1 0x7f.1 0177.0.0.1 2130706433; do
        resolve -s "$address"
        assert_status 0
        assert_output 127.0.0.1
    done
}

# DNS

@test "DNS: the owners of CNAME records are aliases" {
    dns "$SOCKCTL" resolve www.test
    assert_status 0
    [ "${lines[0]}" = 'name      host.test' ]
    [ "${lines[1]}" = 'alias     www.test' ]
    [ "$(grep -c '^alias' <<<"$output")" -le 2 ]
    [ "$(grep '^address' <<<"$output" | sort)" = 'address   192.0.2.1   IPv4
address   192.0.2.2   IPv4
address   2001:db8::1   IPv6' ]
}

@test "DNS: reverse" {
    dns "$SOCKCTL" resolve 192.0.2.1 2001:db8::1
    assert_status 0
    assert_output "name      host.test
address   192.0.2.1   IPv4

name      host.test
address   2001:db8::1   IPv6"
}

@test "DNS: what a server says is never obeyed by the terminal, nor taken for an address" {
    dns "$SOCKCTL" resolve 192.0.2.9
    refute grep -aq $'\x1b' "$T/try.out" "$T/try.err"
    dns "$SOCKCTL" resolve 192.0.2.8
    assert_status 3
    assert_output ""
}

@test "DNS: an IPv4-mapped address is the IPv6 address that it is" {
    dns "$SOCKCTL" resolve -6 -s mapped.test
    assert_output ::ffff:192.0.2.1
}

@test "DNS: no such name, no address of the family, a failing and a silent server" {
    dns "$SOCKCTL" resolve nosuch.test
    assert_status 3
    nosuch=$errors
    assert_one_error_line
    dns "$SOCKCTL" resolve -6 v4.test
    assert_status 3
    assert_errors '^sockctl: resolve v4\.test: it has no IPv6 address$'
    dns "$SOCKCTL" resolve empty.test
    assert_status 3
    [ "${errors#*: *: }" != "${nosuch#*: *: }" ]
    dns "$SOCKCTL" resolve fail.test
    assert_status 3
    [ "${errors#*: *: }" != "${nosuch#*: *: }" ]
    dns "$SOCKCTL" resolve silent.test
    assert_status 3
    assert_one_error_line
}

@test "DNS: a look-up does not hold up connect's time limit" {
    printf 'nameserver 127.0.0.1\noptions timeout:30 attempts:2\n' >resolv.conf
    before=$(now_ms)
    dns "$SOCKCTL" connect -w 200ms silent.test 80
    assert_status 5
    assert_one_error_line
    assert_errors '^sockctl: connect to silent\.test:80: timed out while the name was looked up$'
    dns "$SOCKCTL" listen -w 200ms silent.test 0
    assert_status 5
    [ $(($(now_ms) - before)) -lt 28000 ]
}

@test "DNS: a signal ends connect while the name is looked up" {
    need python3 ip
    printf 'nameserver 127.0.0.1\noptions timeout:8 attempts:1\n' >resolv.conf
    # shellcheck disable=SC2016
    dns bash -c '"$@" & pid=$!; sleep 0.3; kill -TERM $pid; wait $pid' bash \
        "$SOCKCTL" connect silent.test 80
    assert_status 143
}

# Names that cannot be

@test "names that cannot be are refused without asking anybody" {
    need strace
    longest=$(printf '%063d.%063d.%063d.%061d' 0 0 0 0 | tr 0 a)
    for name in . a..b .a a.. 300.1.1.1 1.2.3.4.5 'a b' "$(printf %064d 0)a" \
        "${longest}b" 'a/b' '[::1]' 127.0.0.1:80 ::g '*'; do
        ASAN_OPTIONS=detect_leaks=0 try strace -f -e trace=socket -o trace "$SOCKCTL" resolve -- "$name"
        assert_status 3
        assert_output ""
        assert_one_error_line
        refute grep -q 'socket(' trace
    done
}

@test "words that are no name in any sense are a usage error" {
    for name in '' $'a\tb' $'a\x1b[31m' "$(printf %065536d 0)"; do
        try "$SOCKCTL" resolve localhost "$name"
        assert_usage_error
        ((${#errors} < 300))
    done
}

@test "the longest names are asked for" {
    longest=$(printf '%063d.%063d.%063d.%061d' 0 0 0 0 | tr 0 a)
    [ ${#longest} -eq 253 ]
    for name in "$longest" "$longest." under_score nosuch.; do
        hosts "$SOCKCTL" resolve "$name"
        assert_status 3
        assert_one_error_line
        refute grep -Eq 'longer|character|empty' <<<"$errors"
    done
}

@test "a line of stdin without end costs no memory" {
    sanitized && skip "sanitizers take memory of their own"
    # shellcheck disable=SC2016
    try bash -c 'ulimit -v 200000; head -c 300000000 /dev/zero | tr "\0" a | "$@"' bash \
        "$SOCKCTL" resolve -
    assert_status 3
    assert_one_error_line
    assert_errors 'longer than 253 bytes$'
}

# Failures of our own

@test "stdout: full, closed, and with a reader that goes away" {
    # shellcheck disable=SC2016
    for to in '>/dev/full' '>&-'; do
        for form in '' -s -j; do
            try bash -c '"$0" resolve '"$form"' -- 127.1 '"$to" "$SOCKCTL"
            assert_status 8
            assert_one_error_line
            assert_errors '^sockctl: write to stdout: '
        done
    done
    # More than a pipe holds, so that it has to wait for the reader.
    printf '127.1\n%.0s' {1..5000} >names
    # shellcheck disable=SC2016
    try bash -c '"$0" resolve - <names | head -c1; exit ${PIPESTATUS[0]}' "$SOCKCTL"
    assert_output n
    assert_status 8
    [ -z "$errors" ]
}

@test "stdin: a directory, and closed" {
    TRY_STDIN=. resolve -
    assert_status 8
    assert_one_error_line
    assert_errors '^sockctl: read stdin: Is a directory$'
    TRY_STDIN=. resolve -j localhost -
    assert_status 8
    [ "${output: -1}" = ']' ]
    try bash -c '"$0" resolve - <&-' "$SOCKCTL"
    assert_status 0
}

@test "usage errors" {
    try "$SOCKCTL" resolve
    assert_usage_error 'missing operand'
    try "$SOCKCTL" resolve --nonsense localhost
    assert_usage_error
    try "$SOCKCTL" resolve -4=x localhost
    assert_usage_error
}
