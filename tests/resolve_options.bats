#!/usr/bin/env bats
# resolve: services, --numeric, --explain, --timing, time limits, many names at once, and names that are
# not ASCII. R01 and so on are the rules of the specification's group R.

load helpers/common
load helpers/names

setup() { names_setup; }

# Services

@test "-P adds the port and the socket types" {
    need /etc/services
    hosts "$SOCKCTL" resolve -4 -P 8080 localhost
    assert_status 0
    [ "${lines[0]}" = 'name      localhost' ]
    [[ ${lines[-1]} == 'address   127.0.0.1   IPv4   port 8080   stream dgram'* ]]
    hosts "$SOCKCTL" resolve -4 --service https localhost
    assert_status 0
    [[ $output == *'IPv4   port 443   '*stream* ]]
    # Each address once, as getent has them.
    [ "$(grep -c ^address <<<"$output")" -eq 1 ]
}

@test "-P with -s, with an address, and in JSON" {
    need python3
    printf '2001:db8::7 six\n' >>hosts
    hosts "$SOCKCTL" resolve -s -P 80 -- 127.0.0.1 six fe80::1%1
    assert_status 0
    assert_output $'127.0.0.1:80\n[2001:db8::7]:80\n[fe80::1%lo]:80'
    hosts "$SOCKCTL" resolve -P 80 six 2001:db8::7
    assert_status 0
    [ "$(grep -c '^address   2001:db8::7   IPv6   port 80   stream' <<<"$output")" -eq 2 ]
    hosts "$SOCKCTL" resolve -j -P 80 six nosuch
    assert_status 3
    python3 - <<'END'
import json
six, nosuch = json.load(open("try.out"))
assert six["addresses"][0]["port"] == 80, six
assert six["addresses"][0]["types"][:2] == ["stream", "dgram"], six
assert nosuch["addresses"] == [], nosuch
END
}

@test "-P: a service that there is not, and a port out of range" {
    try "$SOCKCTL" resolve -P no-such-service localhost
    assert_usage_error "^sockctl: unknown service 'no-such-service'$"
    try "$SOCKCTL" resolve -P 65536 localhost
    assert_usage_error
}

# Numeric

@test "R01 -n asks nobody" {
    need strace
    ASAN_OPTIONS=detect_leaks=0 try strace -f -e trace=socket,openat -o trace \
        "$SOCKCTL" resolve -n localhost
    assert_status 3
    assert_output ""
    assert_errors '^sockctl: resolve localhost: not a numeric address \(-n forbids look-ups\)$'
    refute grep -Eq 'socket\(|/etc/(hosts|resolv)' trace
}

@test "R02 -n takes an address, in dotted quad only" {
    try "$SOCKCTL" resolve -n 192.0.2.7 ::1
    assert_status 0
    assert_output "name      192.0.2.7
address   192.0.2.7   IPv4

name      ::1
address   ::1   IPv6"
    for name in 127.1 0x7f.1 1.2.3 0177.0.0.1; do
        try "$SOCKCTL" resolve -n $name
        assert_status 3
        assert_output ""
    done
    try "$SOCKCTL" resolve -n fe80::1%nosuch
    assert_status 3
}

@test "R03 control bytes in names and answers are escaped" {
    printf 'a\x1b[31mb\n' >names
    TRY_STDIN=names try "$SOCKCTL" resolve -
    assert_status 3
    dns "$SOCKCTL" resolve 192.0.2.9
    refute grep -aq $'\x1b' try.out try.err
}

@test "R04 names of 254 and 255 bytes, labels of 64 and 0, and a last dot" {
    longest=$(printf '%063d.%063d.%063d.%061d' 0 0 0 0 | tr 0 a)
    hosts "$SOCKCTL" resolve "${longest}a" "${longest}aa" "$(printf %064d 0)a" a..b
    assert_status 3
    assert_output ""
    [ "$(wc -l <try.err)" -eq 4 ]
    hosts "$SOCKCTL" resolve -s -4 localhost. # as the libc has it
    [[ $status$output == 0127.0.0.1 || $status == 3 ]]
}

@test "R05 a name that is there, one that is not" {
    hosts "$SOCKCTL" resolve localhost
    assert_status 0
    hosts "$SOCKCTL" resolve nosuch
    assert_status 3
}

# What is told

@test "--explain: the hosts file, by line, and the place by RFC 6724" {
    hosts "$SOCKCTL" resolve --explain -s localhost
    assert_status 0
    [ "$(sort <<<"$output")" = $'127.0.0.1\n::1' ]
    assert_errors '^sockctl: 127\.0\.0\.1: from hosts file, line 1; precedence 35, label 4, scope 2, source '
    assert_errors '^sockctl: ::1: from hosts file, line 2; precedence 50, label 0, scope 2, source '
    [ "$(grep -c '; first$' <<<"$errors")" -eq 1 ]
    [ "$(grep -Ec "; after (127.0.0.1|::1) by (rule [0-9]+ \(|the resolver's own order)" <<<"$errors")" -eq 1 ]
}

@test "--explain: loopback in both families is put in its order by precedence" {
    dns "$SOCKCTL" resolve --explain -s localhost
    assert_status 0
    assert_output $'::1\n127.0.0.1'
    assert_errors '^sockctl: 127\.0\.0\.1: .* source 127\.0\.0\.1; after ::1 by rule 6 \(higher precedence\)$'
}

@test "--explain: DNS, with server and TTL, the hosts file beside it, and an address as given" {
    printf '192.0.2.1 host.test\n' >>hosts
    dns "$SOCKCTL" resolve --explain v4.test host.test
    assert_status 0
    assert_errors '^sockctl: 127\.0\.0\.1: from DNS server 127\.0\.0\.1:53, TTL 60; '
    assert_errors '^sockctl: 192\.0\.2\.1: from hosts file, line 3; .* source none; first$'
    dns "$SOCKCTL" resolve --explain -j www.test 127.0.0.1
    python3 - <<'END'
import json
www, loopback = json.load(open("try.out"))
assert len(www["addresses"]) == 3
for address in www["addresses"]:
    assert address["origin"] == "DNS server 127.0.0.1:53, TTL 60", address
    assert "precedence" in address["place"]
assert loopback["addresses"][0]["origin"] == "the address given"
END
    [ -z "$errors" ]
}

@test "--timing tells how long each took" {
    hosts "$SOCKCTL" resolve --timing -s -4 localhost nosuch
    assert_status 3
    assert_output 127.0.0.1
    assert_errors '^sockctl: localhost: [0-9]+\.[0-9]{3} ms$'
    assert_errors '^sockctl: nosuch: [0-9]+\.[0-9]{3} ms$'
}

# Many at once

@test "names are looked up at the same time, and shown in order" {
    names=()
    for i in {1..25}; do names+=(silent.test "192.0.2.$i"); done
    before=$(now_ms)
    TRY_SECONDS=25 dns "$SOCKCTL" resolve -s "${names[@]}"
    assert_status 3
    assert_output "$(printf '192.0.2.%d\n' {1..25})"
    # 25 s one after the other.
    [ $(($(now_ms) - before)) -lt 15000 ]
    [ "$(wc -l <try.err)" -eq 25 ]
}

@test "1,000 names from stdin, with few threads and little memory" {
    for i in {1..500}; do echo "n$i localhost"; done | tr ' ' '\n' >names
    for i in {1..500}; do printf '192.0.%d.%d n%d\n' $((i / 250)) $((i % 250)) $i; done >>hosts
    TRY_STDIN=names hosts "$SOCKCTL" resolve -s -4 -
    assert_status 0
    for i in {1..500}; do printf '192.0.%d.%d\n127.0.0.1\n' $((i / 250)) $((i % 250)); done | diff - try.out
}

@test "a reader that goes away ends it while look-ups are on their way" {
    printf 'nameserver 127.0.0.1\noptions timeout:30 attempts:1\n' >resolv.conf
    before=$(now_ms)
    { yes 127.1 | head -n 20000; echo silent.test; } >names
    # shellcheck disable=SC2016
    dns bash -c '"$0" resolve -s - <names | head -n1; exit ${PIPESTATUS[0]}' "$SOCKCTL"
    assert_status 8
    assert_output 127.0.0.1
    [ $(($(now_ms) - before)) -lt 28000 ]
}

@test "-w limits each look-up of the system's resolver" {
    printf 'nameserver 127.0.0.1\noptions timeout:30 attempts:1\n' >resolv.conf
    before=$(now_ms)
    dns "$SOCKCTL" resolve -w 300ms -s silent.test 127.0.0.1
    assert_status 5
    assert_output 127.0.0.1
    assert_errors '^sockctl: resolve silent\.test: no answer within the time limit$'
    [ $(($(now_ms) - before)) -lt 28000 ]
    dns "$SOCKCTL" resolve -w 10 -s v4.test
    assert_status 0
}

# Names that are not ASCII

@test "a name that is not ASCII is encoded for DNS, or refused in words" {
    printf '192.0.2.3 xn--bcher-kva.test\n' >>hosts
    dns "$SOCKCTL" resolve -s -4 bücher.test
    if [ "$status" -eq 0 ]; then
        assert_output 192.0.2.3
    else
        assert_status 3
        assert_errors '^sockctl: resolve b\\xc3\\xbccher\.test: the name is not ASCII, and .*\(xn--\.\.\.\)$'
    fi
    dns "$SOCKCTL" resolve -s -4 "$(printf 'b\xfccher.test')"
    assert_status 3
    assert_one_error_line
    dns "$SOCKCTL" connect -w 1 -4 bücher.test 80
    [[ $status == [345] ]]
    refute grep -q 'b.*cher' <(grep -a '^udp' dns.out | grep -v xn--bcher-kva)
}

@test "-vv: the resolver's calls, under the names that the manual has for them" {
    printf '192.0.2.1 host alias\n' >>hosts
    hosts "$SOCKCTL" resolve -vv alias
    assert_status 0
    assert_output $'name      host\nalias     alias\naddress   192.0.2.1   IPv4'
    assert_errors '^sockctl: getaddrinfo\("alias", NULL, AF_UNSPEC\) = 0, 1 address$'
    assert_errors '^sockctl: gethostbyname2\("alias", AF_INET\) = "host"$'
    hosts "$SOCKCTL" resolve -vv 192.0.2.1
    assert_errors '^sockctl: gethostbyaddr\(192\.0\.2\.1, 4, AF_INET\) = "host"$'
    hosts "$SOCKCTL" resolve -vv -4 -P http nosuch.test
    assert_status 3
    assert_errors '^sockctl: getaddrinfo\("nosuch\.test", "http", AF_INET\) = -[0-9]+ \(.*\)$'
    hosts "$SOCKCTL" resolve -v alias
    refute grep -F 'alias"' try.err
}
