#!/usr/bin/env bats
# resolve -t: what servers add to an answer, RFC 8914.

load helpers/common
load helpers/names

setup() { names_setup; }

# record ARGS…: resolve in the namespace of helpers/dns.py.
record() {
    need python3
    dns "$SOCKCTL" resolve --server 127.0.0.1 "$@"
}

@test "why a server failed is said in words, with its text escaped" {
    record -t A bogus.test
    assert_status 3
    assert_output ""
    [ "$errors" = 'sockctl: resolve bogus.test: 127.0.0.1:53: it failed to find out (SERVFAIL): DNSSEC Bogus (no signature for \x1b[31mbogus.test\x0a\xc3\xbc), Cached Error' ]
}

@test "so is why there is no such name, or no such record" {
    record -t A blocked.test nodata.test
    assert_status 3
    [ "$errors" = 'sockctl: resolve blocked.test: there is no such name (NXDOMAIN): Blocked (by order)
sockctl: resolve nodata.test: it has no A record: Filtered' ]
}

@test "what is said of records is a line on stderr" {
    record -s -t A stale.test
    assert_status 0
    assert_output 192.0.2.42
    [ "$errors" = 'sockctl: stale.test: DNS server 127.0.0.1:53 says: Stale Answer (3 s old), extended error 4711 (?)' ]
}

@test "options that are cut end there; many are cut in the message" {
    record -t A cuterror.test talkative.test
    assert_status 3
    assert_output 'record    cuterror.test.   60   A   192.0.2.42'
    assert_errors '^sockctl: cuterror\.test: DNS server 127\.0\.0\.1:53 says: Stale Answer \(3 s old\)$'
    assert_errors '^sockctl: resolve talkative\.test: 127\.0\.0\.1:53: it failed .*: No Reachable Authority \(x{200}\), No Reach'
    [ "$(grep -c '' try.err)" -eq 2 ]
}

@test "-j has them as an array" {
    need jq
    record -j -t A stale.test bogus.test
    assert_status 3
    [ "$(jq -c '.[0].extended_errors' try.out)" = \
        '[{"code":3,"name":"Stale Answer","text":"3 s old"},{"code":4711,"name":null,"text":"?"}]' ]
    [ "$(jq -c '.[1].extended_errors | map(.code)' try.out)" = '[6,13]' ]
    assert_errors '^sockctl: resolve bogus\.test: '
}

@test "dig reads the same of them" {
    need dig
    # shellcheck disable=SC2016
    dns bash -c 'for name in bogus blocked stale; do dig +tries=1 $name.test @127.0.0.1; done'
    [ "$(sed -nE 's/^; EDE: [0-9]+:? \(([^)]*)\).*/\1/p' try.out)" = \
        $'DNSSEC Bogus\nCached Error\nBlocked\nStale Answer\n?' ]
}
