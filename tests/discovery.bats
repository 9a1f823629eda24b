#!/usr/bin/env bats
# Multicast and broadcast on a network of three hosts: SSDP, mDNS, --join, --no-loopback, --interface.

load helpers/common
load helpers/three_hosts

export DISCOVERY="$BATS_TEST_DIRNAME/helpers/discovery.py"

@test "16.2: an SSDP M-SEARCH finds both other hosts" {
    three_hosts '
helper = os.environ["DISCOVERY"]
for host in "bc": python(host, helper, "host-" + host, "ssdp", "239.255.255.250")
search = "M-SEARCH * HTTP/1.1\\r\\nHOST: 239.255.255.250:1900\\r\\nMAN: \"ssdp:discover\"\\r\\nMX: 1\\r\\nST: ssdp:all\\r\\n\\r\\n"
plain = search.encode().decode("unicode_escape").encode()
def found(status, out, err):
    check(status == 0 and out.count(b"HTTP/1.1 200 OK") == 2 and b"uuid:host-b" in out and b"uuid:host-c" in out, status, out, err)
    for number in 2, 3: check(f"sockctl: answer from 10.77.0.{number}:" in err, err)
found(*run("a", "connect", "-vu", "-W2", "239.255.255.250", "1900", ask=plain))
found(*run("a", "connect", "-vu", "--interface", "eth0", "--ttl", "2", "--separator", "--\\n", "239.255.255.250:1900", ask=plain))
found(*run("a", "connect", "-vu", "--send", search, "239.255.255.250:1900"))
found(*run("a", "connect", "-vu", "--send", search, "--expect", "uuid:host-[bc]", "--expect", "uuid:host-[bc]", "239.255.255.250:1900"))
status, out, err = run("a", "connect", "-u", "--send", search, "--expect", "nothing like it", "--max-time", "1", "239.255.255.250:1900")
check(status == 5 and "still waiting for" in err, status, err)
status, out, err = run("a", "connect", "-zu", "--payload", plain.hex(), "239.255.255.250", "1900")
check(status == 0 and out == b"239.255.255.250 1900 open\n", status, out, err)'
}

@test "16.2: an mDNS question over IPv4 and IPv6, answered to its own port and by the group" {
    three_hosts '
helper = os.environ["DISCOVERY"]
for host in "bc": python(host, helper, "host-" + host, "mdns", "224.0.0.251", "ff02::fb")
question = bytes([0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0]) + b"\x05_http\x04_tcp\x05local\0" + bytes([0, 12, 0, 1])
def found(status, out, err):
    check(status == 0 and b"\x06host-b\xc0\x0c" in out and b"\x06host-c\xc0\x0c" in out, status, out, err)
found(*run("a", "connect", "-u", "-W2", "224.0.0.251:5353", ask=question))
found(*run("a", "connect", "-u", "-W2", "[ff02::fb%eth0]:5353", ask=question))
# From port 5353 the answers come by the group: it has to be joined. Our own question comes, too, unless --no-loopback.
for to, group in ("224.0.0.251:5353", "224.0.0.251"), ("[ff02::fb%eth0]:5353", "ff02::fb%eth0"):
    found(*run("a", "connect", "-u", "-W2", "--no-loopback", "-p", "5353", "--join", group, to, ask=question))
    status, out, err = run("a", "connect", "-u", "-W3", "-p", "5353", "--join", group, to, ask=question)
    check(status == 0 and question in out, status, out, err)
    status, out, err = run("a", "connect", "-u", "-p", "5353", to, ask=question)
    check(status == 0 and out == b"", status, out, err)'
}

@test "16.2: --join: any source, one source, by interface, both families on one socket" {
    three_hosts '
def heard(words, sends, want):
    p = start("a", "listen", "-vku", "--max-time", "9", "-W", str(len(want)), "--separator", "|", *words)
    for host, to, data in sends:
        status, out, err = run(host, "connect", "-u", "--send-only", to, ask=data)
        check(status == 0, host, to, err)
    out = p.stdout.read()
    check(out == b"".join(w + b"|" for w in want) and p.wait() == 0, words, out, p.stderr.read())
v4 = [("b", "239.7.7.7:4000", b"b"), ("c", "239.7.7.7:4000", b"c"), ("c", "239.8.8.8:4000", b"other"), ("b", "10.77.0.1:4000", b"end")]
v6 = [("b", "[ff02::77%eth0]:4000", b"b6"), ("c", "[ff02::77%eth0]:4000", b"c6"), ("b", "[fe80::1%eth0]:4000", b"end")]
heard(["--join", "239.7.7.7", "4000"], v4, [b"b", b"c", b"end"])
heard(["--join", "239.7.7.7%eth0", "-4", "4000"], v4, [b"b", b"c", b"end"])
heard(["--join", "239.7.7.7", "--interface", "eth0", "4000"], v4, [b"b", b"c", b"end"])
heard(["--join", "239.7.7.7", "--join", "239.8.8.8", "4000"], v4, [b"b", b"c", b"other", b"end"])
heard(["--join", "10.77.0.3@239.7.7.7%eth0", "4000"], v4, [b"c", b"end"])
heard(["--join", "10.77.0.3@239.7.7.7", "--join", "10.77.0.2@239.7.7.7", "4000"], v4, [b"b", b"c", b"end"])
heard(["--join", "10.77.0.3@239.7.7.7", "239.7.7.7:4000"], v4[:3], [b"c"])
heard(["--join", "ff02::77%eth0", "4000"], v6, [b"b6", b"c6", b"end"])
heard(["--join", "fe80::3@ff02::77%eth0", "-6", "4000"], v6, [b"c6", b"end"])
heard(["--join", "ff02::77%eth0", "--join", "239.7.7.7", "4000"], v4[:2] + v6, [b"b", b"c", b"b6", b"c6", b"end"])
heard(["4000"], v4, [b"end"])
# A socket of all addresses does not hear what another one has joined.
other = start("a", "listen", "-vku", "239.7.7.7:4002")
heard(["--join", "239.8.8.8", "4001"], [("b", "239.7.7.7:4001", b"x"), ("c", "239.8.8.8:4001", b"c"), ("b", "10.77.0.1:4001", b"end")], [b"c", b"end"])'
}

@test "16.2: a broadcast address: the hint without -b, and the answers with it" {
    three_hosts '
for host in "bc": start(host, "echo-server", "-vu", "4000")
status, out, err = run("a", "connect", "-ub", "255.255.255.255", "4000", ask=b"x")
check(status == 4 and "Network is unreachable (no route says by which interface: --interface NAME)" in err, status, err)
subprocess.run(within("a", "ip", "route", "add", "default", "dev", "eth0"), check=True)
for to in "10.77.0.255", "255.255.255.255":
    for more in [], ["--send", "x"]:
        status, out, err = run("a", "connect", "-u", *more, to, "4000", ask=b"x")
        check(status == 4 and "Permission denied (a broadcast address needs -b, --broadcast)" in err, to, status, err)
        status, out, err = run("a", "connect", "-vub", "--interface", "eth0", *more, to, "4000", ask=b"x")
        check(status == 0 and out == b"xx", to, status, out, err)
        for number in 2, 3: check(f"answer from 10.77.0.{number}:4000" in err, err)'
}

@test "16.2: --join: what is no group, interfaces that are not there, too many, and what cannot join" {
    while IFS='|' read -r words why; do
        # shellcheck disable=SC2086 # words
        try "$SOCKCTL" $words
        assert_usage_error "^sockctl: $why"
    done <<'END'
listen -u --join 10.1.1.1 0|option --join: '10.1.1.1' is not a multicast group: \[SOURCE@\]GROUP\[%INTERFACE\]$
listen -u --join name 0|option --join: 'name' is not a multicast group
listen -u --join 239.1.1.1% 0|option --join: '239.1.1.1%' has no interface name after the %$
listen -u --join 10.0.0.1@10.0.0.2 0|option --join: '10.0.0.1@10.0.0.2' is not a multicast group
listen -u --join 224.0.0.1@239.0.0.2 0|option --join: '224.0.0.1@239.0.0.2' has a source that is not the address of a host
listen -u --join ::1@239.0.0.2 0|option --join: '::1@239.0.0.2' has a source of the other family than the group$
listen -u --join 239.0.0.2 --join 239.0.0.2 0|option --join: '239.0.0.2' is given twice
listen -u --join 239.0.0.2 --join 10.0.0.1@239.0.0.2 0|option --join: '10.0.0.1@239.0.0.2' is given twice, or with and without a source$
listen --join 239.0.0.2 0|option --join is for UDP$
connect --no-loopback 127.0.0.1 9|option --no-loopback is for UDP$
connect -zu --join 239.0.0.2 127.0.0.1 9|option --join makes no sense with --probe$
listen -u 10.0.0.1@232.1.1.1:5000|address '@232.1.1.1:5000': the source of a group is for --join SOURCE@GROUP$
END
    unshare -rn true 2>/dev/null || skip "needs a network namespace"
    local in=(unshare -rn sh -c 'ip link set lo up multicast on; exec "$@"' sh) many=() sources=() i
    for i in {1..21}; do many+=(--join "239.0.0.$i%lo"); done
    for i in {1..11}; do sources+=(--join "10.0.0.$i@239.0.0.1%lo"); done
    try "${in[@]}" "$SOCKCTL" listen -u --join 239.0.0.2%nosuch 127.0.0.1:0
    assert_status 4
    assert_errors '^sockctl: listen on 127.0.0.1:0: 239.0.0.2%nosuch: there is no interface of that name$'
    try "${in[@]}" "$SOCKCTL" connect -u --join 239.0.0.2%nosuch 127.0.0.1 9
    assert_status 4
    assert_errors '^sockctl: connect to 127.0.0.1:9: 239.0.0.2%nosuch: there is no interface of that name$'
    try "${in[@]}" "$SOCKCTL" listen -u --join 239.0.0.2 127.0.0.1:0
    assert_errors ': 239.0.0.2: no interface is known for this group \(--interface NAME\)$'
    try "${in[@]}" "$SOCKCTL" listen -u "${many[@]}" 127.0.0.1:0
    assert_status 4
    assert_errors ': 239.0.0.21%lo: too many groups for one socket \(net.ipv4.igmp_max_memberships\)$'
    try "${in[@]}" "$SOCKCTL" listen -u "${sources[@]}" 127.0.0.1:0
    assert_errors ': 10.0.0.11@239.0.0.1%lo: too many sources of one group \(net.ipv4.igmp_max_msf\)$'
    try "${in[@]}" "$SOCKCTL" listen -u --join ff02::77%lo 127.0.0.1:0
    assert_errors ': ff02::77%lo: a group of IPv6, and the socket is of IPv4$'
    try "${in[@]}" "$SOCKCTL" listen -6u --join 239.0.0.2%lo 0
    assert_errors ': 239.0.0.2%lo: a group of IPv4, and the socket is of IPv6$'
    TRY_STDIN=<(echo x) try "${in[@]}" "$SOCKCTL" connect -u 239.1.1.1 9
    assert_status 1
    assert_errors '^sockctl: send to 239.1.1.1:9: Network is unreachable \(no route says by which interface: --interface NAME\)$'
}
