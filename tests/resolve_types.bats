#!/usr/bin/env bats
# resolve -t several times: each name is asked for in each type, in order.

load helpers/common
load helpers/names

setup() { names_setup; }

@test "a block a type, in the order given, each type once" {
    zone "$SOCKCTL" resolve -t MX -t A -t mx mail.zone.test host.zone.test
    assert_status 6
    assert_output "record    mail.zone.test.   300   MX   10 host.zone.test.
record    mail.zone.test.   300   MX   20 mail.zone.test.

record    host.zone.test.   300   A   192.0.2.1
record    host.zone.test.   300   A   192.0.2.2"
    assert_errors '^sockctl: resolve mail\.zone\.test: it has no A record$'
    assert_errors '^sockctl: resolve host\.zone\.test: it has no MX record$'
    [ "$(wc -l <<<"$errors")" -eq 2 ]
}

@test "-s: the data of each type; names of stdin too" {
    printf 'host.zone.test\nns2.zone.test\n' >names
    TRY_STDIN=names zone "$SOCKCTL" resolve -s -t AAAA -t A -
    assert_status 6
    assert_output $'2001:db8::1\n192.0.2.1\n192.0.2.2\n::1'
    [ "$errors" = 'sockctl: resolve ns2.zone.test: it has no A record' ]
}

@test "-j: an object a name and type" {
    need jq
    zone "$SOCKCTL" resolve -j -t AAAA -t MX host.zone.test nosuch.zone.test
    assert_status 3
    [ "$(jq -c '.[] | [.query, .type, (.records | length), .error]' try.out)" = \
        '["host.zone.test","AAAA",1,null]
["host.zone.test","MX",0,"resolve host.zone.test: it has no MX record"]
["nosuch.zone.test","AAAA",0,"resolve nosuch.zone.test: there is no such name (NXDOMAIN)"]
["nosuch.zone.test","MX",0,"resolve nosuch.zone.test: there is no such name (NXDOMAIN)"]' ]
}

@test "--explain and --timing name the type where there are several" {
    zone "$SOCKCTL" resolve --explain --timing -t A -t AAAA host.zone.test
    assert_status 0
    assert_errors '^sockctl: host\.zone\.test A: from DNS server 127\.0\.0\.1:53$'
    assert_errors '^sockctl: host\.zone\.test AAAA: from DNS server 127\.0\.0\.1:53$'
    assert_errors '^sockctl: host\.zone\.test AAAA: [0-9]+\.[0-9]{3} ms$'
    zone "$SOCKCTL" resolve --timing -t A host.zone.test
    assert_errors '^sockctl: host\.zone\.test: [0-9]+\.[0-9]{3} ms$'
}

@test "ANY, zone transfers and lists are refused in words" {
    for type in ANY any TYPE255; do
        try "$SOCKCTL" resolve -t MX -t "$type" example.com
        assert_usage_error "^sockctl: option --type: '$type' is what servers no longer answer \(RFC 8482\); name the types: -t A -t AAAA -t MX \.\.\.$"
    done
    try "$SOCKCTL" resolve -t AXFR example.com
    assert_usage_error "'AXFR' is a whole zone, which sockctl does not ask for: dig AXFR NAME @SERVER$"
    try "$SOCKCTL" resolve -t A,MX example.com
    assert_usage_error "'A,MX' is not a type of DNS records; several are given as -t A -t AAAA$"
    try "$SOCKCTL" resolve -t A -t '' example.com
    assert_usage_error "option --type: '' is empty"
}
