#!/usr/bin/env bats
# resolve -t: records of DNS, from a real server beside dig(1), and from one that does what none should.

load helpers/common
load helpers/names

setup() { names_setup; }

# record ARGS…: resolve in the namespace of helpers/dns.py.
record() { dns "$SOCKCTL" resolve "$@"; }

queries() { grep -aE '^(udp|tcp) ' dns.out; }

# A real server

@test "each type of record as dig shows it" {
    need dig
    cat >names <<'END'
SOA zone.test
NS zone.test
A host.zone.test
AAAA host.zone.test
A www.zone.test
CNAME www.zone.test
MX mail.zone.test
TXT mail.zone.test
SRV _sip._tcp.zone.test
CAA caa.zone.test
HTTPS svc.zone.test
SVCB svc.zone.test
SSHFP sshfp.zone.test
TLSA tlsa.zone.test
DS ds.zone.test
DNSKEY dnskey.zone.test
NAPTR naptr.zone.test
URI uri.zone.test
RP rp.zone.test
HINFO host.zone.test
DNAME dname.zone.test
TYPE731 type731.zone.test
TYPE731 empty.zone.test
A a\.b.zone.test
A sp\032\255\@\$.zone.test
A xn--bcher-kva.zone.test
A any.wild.zone.test
TXT zone.test.
A zero.zone.test
PTR 7.2.0.192.zone.test
END
    # One dig for all of them, and one resolve for each type.
    sort -s -k1,1 names | awk '{ print $2, $1 }' >questions
    # shellcheck disable=SC2016
    TRY_SECONDS=30 zone bash -c 'dig +norecurse +nosplit +noall +answer -f questions @127.0.0.1 >dig
        for type in $(cut -d" " -f1 names | sort -u); do
            mapfile -t names < <(sed -n "s/^$type //p" names)
            "$0" resolve --server 127.0.0.1 -t "$type" "${names[@]}" >>ours
        done' "$SOCKCTL"
    sed -E 's/[[:blank:]]+/ /g; s/ IN / /' dig >dig.words
    sed -En 's/^record +//; s/   / /g; /./p' ours >our.words
    diff dig.words our.words
    [ "$(wc -l <our.words)" -gt 30 ]
    assert_errors '^sockctl: resolve zone\.test\.: it has no TXT record$'
}

@test "getent and the system's resolver agree with it" {
    zone bash -c 'getent ahosts www.zone.test | cut -d" " -f1 | sort -u >addresses
        { "$0" resolve -s -t A www.zone.test; "$0" resolve -s -t AAAA www.zone.test; } | sort |
            diff - addresses && "$0" resolve www.zone.test' "$SOCKCTL"
    assert_status 0
    [ "${lines[0]}" = 'name      host.zone.test' ]
}

@test "a name without the record, without a name, beyond the server's zone, and refused" {
    zone "$SOCKCTL" resolve -t MX host.zone.test
    assert_status 6
    assert_output ""
    assert_errors '^sockctl: resolve host\.zone\.test: it has no MX record$'
    zone "$SOCKCTL" resolve -t A nosuch.zone.test
    assert_status 3
    assert_errors '^sockctl: resolve nosuch\.zone\.test: there is no such name \(NXDOMAIN\)$'
    zone "$SOCKCTL" resolve -t A sub.zone.test
    assert_status 3
    assert_errors '127\.0\.0\.1:53: it does not know, and refers to other servers$'
    zone "$SOCKCTL" resolve -t A elsewhere.example
    assert_status 3
    assert_errors '127\.0\.0\.1:53: it refused to answer \(REFUSED\)(: Not Authoritative)?$'
}

# Forms

@test "a line a record as received; -s the data of the type asked for" {
    record -t A www.test
    assert_status 0
    assert_output "record    www.test.   60   CNAME   web.test.
record    web.test.   60   CNAME   host.test.
record    host.test.   60   A   192.0.2.2
record    host.test.   60   A   192.0.2.1
record    host.test.   60   A   192.0.2.2"
    record -s -t A www.test
    assert_output $'192.0.2.2\n192.0.2.1\n192.0.2.2'
    record -s -t cname www.test
    assert_output web.test.
}

@test "a CNAME that leads nowhere is shown, and no record of the type" {
    printf 'search test\n' >>resolv.conf
    record -t A dangling.test dangling gone.test second.test
    assert_status 3
    assert_output "record    dangling.test.   60   CNAME   elsewhere.example.

record    dangling.test.   60   CNAME   elsewhere.example.

record    gone.test.   60   CNAME   no.test."
    assert_errors '^sockctl: resolve dangling: it has no A record$'
    assert_errors '^sockctl: resolve gone\.test: there is no such name \(NXDOMAIN\)$'
    assert_errors '^sockctl: resolve second\.test: .*malformed$'
    record -s -t A dangling.test
    assert_status 6
    assert_output ""
    record -j -t A dangling.test second.test
    assert_status 3
    [ "$(grep -aoF '"records": [{' try.out | wc -l)" -eq 1 ]
}

@test "several names: a block each, in order; 3 before 6" {
    record -t AAAA host.test v4.test v6.test
    assert_status 6
    assert_output "record    host.test.   60   AAAA   2001:db8::1

record    v6.test.   60   AAAA   ::1"
    record -t AAAA v4.test nosuch.test v6.test
    assert_status 3
    assert_output "record    v6.test.   60   AAAA   ::1"
}

@test "-j" {
    need python3
    record -j -t TXT evil.test empty.test nosuch.test
    assert_status 3
    python3 - <<'END'
import json
evil, empty, nosuch = json.load(open("try.out"))
assert evil == {
    "query": "evil.test", "type": "TXT", "name": "evil.test", "aliases": [], "addresses": [],
    "records": [{"name": "evil.test.", "ttl": 60, "type": "TXT", "data": evil["records"][0]["data"]}],
    "extended_errors": [], "error": None}, evil
assert evil["records"][0]["data"] == '"\\027[31m\\"\\\\\\127\\128\\255"', evil
assert empty["error"].endswith("it has no TXT record") and empty["records"] == []
assert nosuch["error"].endswith("(NXDOMAIN)")
END
}

@test "what is hostile in names and data is escaped" {
    record -t TXT evil.test
    assert_output 'record    evil.test.   60   TXT   "\027[31m\"\\\127\128\255"'
    record -t PTR 192.0.2.9
    assert_output 'record    9.2.0.192.in-addr.arpa.   60   PTR   \027[31mevil.test.'
    refute grep -aq $'\x1b' try.out try.err
}

@test "addresses are turned into names with -t PTR and -x" {
    record -s -t PTR 192.0.2.1
    assert_output host.test.
    record -s -t ptr 2001:db8::1
    assert_output host.test.
    record -x -s --server 127.0.0.1 192.0.2.1
    assert_output host.test.
    record -x -t PTR www.test
    assert_status 3
    assert_errors 'not an IPv4 or IPv6 address$'
}

@test "with --server alone, addresses are asked for" {
    record --server 127.0.0.1 -s host.test
    assert_output $'192.0.2.2\n192.0.2.1\n192.0.2.2'
    record --server 127.0.0.1:53 -6 -s host.test
    assert_output 2001:db8::1
    record --server 127.0.0.1 192.0.2.1 v4.test
    assert_status 0
    assert_output 'record    1.2.0.192.in-addr.arpa.   60   PTR   host.test.

record    v4.test.   60   A   127.0.0.1'
    record --server localhost -s v4.test
    assert_output 127.0.0.1
    # Both of its addresses, though one is known late, and nobody answers at the other.
    record --server late4.test -s v4.test
    assert_output 127.0.0.1
    record --server '[::1]:53' -s v4.test
    assert_status 3
    assert_errors '^sockctl: resolve v4\.test: \[::1\]:53: Connection refused$'
}

@test "--timing and --explain say who answered, and how fast" {
    record --timing --explain -t A v4.test
    assert_status 0
    assert_errors '^sockctl: v4\.test: from DNS server 127\.0\.0\.1:53$'
    assert_errors '^sockctl: v4\.test: [0-9]+\.[0-9]{3} ms$'
    record --timing -j -t A v4.test
    python3 -c 'import json; assert json.load(open("try.out"))[0]["ms"] > 0'
}

@test "1,000 names from stdin, in their order" {
    for _ in {1..250}; do printf '%s.test\n' v4 host v6 mapped; done >names
    TRY_STDIN=names record -s -t AAAA -
    assert_status 6
    for _ in {1..250}; do printf '%s\n' 2001:db8::1 ::1 ::ffff:192.0.2.1; done | diff - try.out
    [ "$(grep -c '^sockctl: resolve v4.test: it has no AAAA record$' try.err)" -eq 250 ]
}

# Servers

@test "the next server is asked where one refuses, fails or is silent" {
    printf 'nameserver 127.0.0.2\nnameserver 127.0.0.1\n' >resolv.conf
    record -s -t A v4.test
    assert_status 0
    assert_output 127.0.0.1
    record -t A fail.test
    assert_status 3
    assert_errors '127\.0\.0\.2:53: Connection refused; 127\.0\.0\.1:53: it failed to find out \(SERVFAIL\)$'
    printf 'nameserver 127.0.0.1\noptions timeout:1 attempts:2\n' >resolv.conf
    record -t A silent.test
    assert_status 3
    assert_errors '^sockctl: resolve silent\.test: 127\.0\.0\.1:53: no answer within 1 s$'
    [ "$(queries | wc -l)" -eq 2 ]
}

@test "rotate: every server gets its turn" {
    printf 'nameserver 127.0.0.2\nnameserver 127.0.0.1\noptions rotate\n' >resolv.conf
    record -s -t A v4.test v4.test v4.test
    assert_status 0
    assert_output $'127.0.0.1\n127.0.0.1\n127.0.0.1'
}

@test "-w is a limit for everything" {
    printf 'nameserver 127.0.0.1\noptions timeout:8 attempts:5\n' >resolv.conf
    before=$(now_ms)
    record -w 200ms -t A silent.test
    assert_status 5
    assert_errors '127\.0\.0\.1:53: no answer within the time limit$'
    [ $(($(now_ms) - before)) -lt 6000 ]
}

@test "each complaint in its own words" {
    cat >words <<'END'
fail it failed to find out (SERVFAIL)
notimp it does not answer such queries (NOTIMP)
refused it refused to answer (REFUSED)
formerr it did not understand the query (FORMERR)
code it answered with the code 11
badcookie it answered with the code 23 (BADCOOKIE)
behind it answered with the code 23 (BADCOOKIE)
lame it does not know, and refers to other servers
cuttwice its answer is cut off, also over TCP
tcpcloses it closed the connection before the answer was complete
tcpshort it closed the connection before the answer was complete
END
    mapfile -t names < <(sed 's/ .*/.test/' words)
    record -t A "${names[@]}"
    assert_status 3
    assert_output ""
    sed 's/\([a-z]*\) /sockctl: resolve \1.test: 127.0.0.1:53: /' words | diff - try.err
}

@test "EDNS0 is left out for a server that does not know it" {
    record -s -t A old.test
    assert_output 192.0.2.42
    [ "$(queries | wc -l)" -eq 2 ]
}

@test "13.5: an extended code is not taken for success: BADVERS asks once more without EDNS0" {
    record -s -t A badvers.test
    assert_status 0
    assert_output 192.0.2.42
    [ "$(queries | wc -l)" -eq 2 ]
    record -t A badcookie.test
    assert_status 3
    assert_output ""
    assert_errors ': 127\.0\.0\.1:53: it answered with the code 23 \(BADCOOKIE\)$'
}

@test "13.5: records without end are called so, by a real server's and by others" {
    zone "$SOCKCTL" resolve -t A circle1.zone.test
    assert_status 3
    assert_output "record    circle1.zone.test.   300   CNAME   circle2.zone.test.
record    circle2.zone.test.   300   CNAME   circle1.zone.test."
    assert_errors '^sockctl: resolve circle1\.zone\.test: its CNAME records lead in a circle$'
    record -t A circle.test self.test
    assert_status 3
    [ "$(grep -c ': its CNAME records lead in a circle$' <<<"$errors")" -eq 2 ]
    record -s -t CNAME self.test
    assert_status 0
    assert_output self.test.
}

@test "what does not fit into a datagram is fetched over TCP" {
    record -s -t A cut.test
    assert_output 192.0.2.42
    [ "$(queries)" = $'udp cut.test 1\ntcp cut.test 1' ]
    record -s -t TXT big.test
    assert_status 0
    [ "${#lines[@]}" -eq 200 ]
    record --tcp -s -t A v4.test
    assert_output 127.0.0.1
    [ "$(queries)" = 'tcp v4.test 1' ]
    printf 'nameserver 127.0.0.1\noptions use-vc\n' >resolv.conf
    record -s -t A v4.test
    [ "$(queries)" = 'tcp v4.test 1' ]
}

# Answers that are none

@test "answers with another id or question, or from elsewhere, do not count" {
    record -t A id.test question.test foreign.test
    assert_status 3
    [ "$(grep -c 'no answer within 1 s, only 1 that is to another question$' <<<"$errors")" -eq 2 ]
    assert_errors 'resolve foreign.test: 127.0.0.1:53: no answer within 1 s$'
    record -s -t A noise.test
    assert_output 192.0.2.42
    record -s -t A case.test
    assert_output 192.0.2.42
}

@test "malformed answers are refused, whatever is wrong with them" {
    names=(loop pingpong forward beyond kind long counts half more size garbage)
    record -t A "${names[@]/%/.test}"
    assert_status 3
    assert_output ""
    [ "$(grep -c ': 127.0.0.1:53: its answer is malformed$' <<<"$errors")" -eq ${#names[@]} ]
    record -t TXT string.test none.test
    assert_status 3
    [ "$(grep -c 'its answer is malformed$' <<<"$errors")" -eq 2 ]
}

@test "no two queries have the same id and port" {
    need strace
    printf 'v4.test\n%.0s' {1..40} >names
    # shellcheck disable=SC2016
    ASAN_OPTIONS=detect_leaks=0 TRY_STDIN=names dns \
        strace -f -xx -e trace=sendto -o trace "$SOCKCTL" resolve -t A -
    [ "$(grep -o 'sendto([0-9]*, "........' trace | cut -d'"' -f2 | sort -u | wc -l)" -gt 35 ]
}

# The search list

@test "short names are searched for, as ndots says" {
    printf 'search one.test two.test\nnameserver 127.0.0.1\noptions ndots:2\n' >resolv.conf
    record -s -t A short
    assert_output 192.0.2.4
    record -s -t A only
    assert_output 192.0.2.5
    [ "$(queries)" = $'udp only.one.test 1\nudp only.two.test 1' ]
    record -s -t A deep.er
    assert_output 192.0.2.6
    record -s -t A deep.er.two.test
    [ "$(queries)" = 'udp deep.er.two.test 1' ]
    record -t A short.
    assert_status 3
    [ "$(queries)" = 'udp short 1' ]
    # A name without the record is no reason to stop; it is one to say so.
    record -s -t A data
    assert_output 192.0.2.7
    record -t MX data
    assert_status 6
    record -t A nowhere
    assert_status 3
    [ "$(queries)" = $'udp nowhere.one.test 1\nudp nowhere.two.test 1\nudp nowhere 1' ]
}

# Names and usage

@test "names that cannot be are refused without asking" {
    record -t A a..b "$(printf %064d 0)" '\999' "$(printf '%063d.%063d.%063d.%063d' 0 0 0 0)" bücher.test
    assert_status 3
    [ "$(grep -c '^sockctl: resolve ' <<<"$errors")" -eq 5 ]
    assert_errors ': with -t a name has to be in its encoded form \(xn--\.\.\.\)$'
    refute queries
}

@test "usage errors" {
    try "$SOCKCTL" resolve -t NOSUCH localhost
    assert_usage_error "option --type: 'NOSUCH' is not a type of DNS records"
    try "$SOCKCTL" resolve -t TYPE65536 localhost
    assert_usage_error
    for server in '[::1' ':53' '[]:53' '127.0.0.1:' '[::1]x' 127.0.0.1:nosuch-service 127.0.0.1:0 127.0.0.1:65536 \
        '[::1]:65589' 127.0.0.1:99999999999999999999; do
        try "$SOCKCTL" resolve -t A --server "$server" localhost
        assert_usage_error "server '"
    done
    try "$SOCKCTL" resolve -t A --server '' localhost
    assert_usage_error
    try "$SOCKCTL" resolve -t A -P 80 localhost
    assert_usage_error
    try "$SOCKCTL" resolve -t A -n localhost
    assert_usage_error
}
