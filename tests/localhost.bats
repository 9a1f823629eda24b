#!/usr/bin/env bats
# Names below localhost are this machine's, RFC 6761; and what resolve -v tells.

load helpers/common
load helpers/names

setup() { names_setup; }
teardown() { common_teardown; }

queries() { grep -aE '^(udp|tcp) ' dns.out; }

@test "a name below localhost is this machine, and no server is asked" {
    for name in app.localhost a.b.LocalHost app.localhost.; do
        dns "$SOCKCTL" resolve "$name"
        assert_status 0
        assert_output "name      localhost
alias     $name
alias     ip6-localhost
address   ::1   IPv6
address   127.0.0.1   IPv4"
        refute queries
    done
    dns "$SOCKCTL" resolve -4 -s app.localhost
    assert_output 127.0.0.1
    refute queries
}

@test "the hosts file comes first, and other names are asked for" {
    printf '192.0.2.9 other.localhost App.localhost\n' >>hosts
    dns "$SOCKCTL" resolve -s app.localhost APP.localhost xapp.localhost
    assert_status 0
    assert_output $'192.0.2.9\n192.0.2.9\n::1\n127.0.0.1'
    refute queries
    dns "$SOCKCTL" resolve notlocalhost localhost.test
    assert_status 3
    assert_output ""
    queries
}

@test "--explain says where it is from; -t asks DNS for every name" {
    hosts "$SOCKCTL" resolve -4 --explain app.localhost
    assert_status 0
    assert_errors '^sockctl: 127\.0\.0\.1: from hosts file, line 1; '
    dns "$SOCKCTL" resolve -t A app.localhost
    assert_status 3
    [ "$(queries)" = 'udp app.localhost 1' ]
}

@test "connect goes there" {
    start server "$SOCKCTL" echo-server 127.0.0.1:0
    listening server
    echo hello >words
    TRY_STDIN=words try "$SOCKCTL" connect -4 app.localhost "$PORT"
    assert_status 0
    assert_output hello
}

@test "resolve -v: the sources and the servers of the system's resolver" {
    printf 'hosts:  files dns # and no more\n' >nsswitch.conf
    printf 'nameserver 127.0.0.1\nnameserver ::1\n' >resolv.conf
    hosts "$SOCKCTL" resolve -v -s -4 localhost
    assert_status 0
    assert_output 127.0.0.1
    [ "$errors" = 'sockctl: names are looked up in: files dns (nsswitch.conf); DNS servers: 127.0.0.1:53 [::1]:53' ] ||
        [ "$errors" = 'sockctl: names are looked up in: the hosts file, DNS; DNS servers: 127.0.0.1:53 [::1]:53' ] # musl
}

@test "resolve -v -t: each question to a server, and what came of it" {
    printf 'nameserver 127.0.0.2\nnameserver 127.0.0.1\n' >resolv.conf
    dns "$SOCKCTL" resolve -v -s -t A cut.test
    assert_status 0
    assert_output 192.0.2.42
    sed -E 's/[0-9.]+ ms$/T ms/' try.err | diff - <(echo 'sockctl: cut.test. A: 127.0.0.2:53 over UDP: Connection refused, T ms
sockctl: cut.test. A: 127.0.0.1:53 over UDP: NOERROR, 0 records, cut off, 26 bytes, T ms
sockctl: cut.test. A: 127.0.0.1:53 over TCP: NOERROR, 1 record, authoritative, 42 bytes, T ms')
    dns "$SOCKCTL" resolve -v -t A nosuch.test
    assert_status 3
    assert_errors '^sockctl: nosuch\.test\. A: 127\.0\.0\.1:53 over UDP: NXDOMAIN, 0 records, authoritative, 29 bytes, '
}
