#!/usr/bin/env bats
# Raw and ping sockets, in a network namespace where we have the right to them. Packets are made here, byte by byte.
# The grammar is in tests/unit/test_address.c.

load helpers/common
load helpers/network

with_ipv6() {
    "${IN[@]}" ip -6 addr add fd00::2/128 dev lo nodad 2>/dev/null || skip "there is no IPv6"
}

# raw ARGS…: sockctl there; stdin is the bytes whose hexadecimal digits are in PACKET.
raw() { TRY_STDIN=<(bytes "$PACKET") try "${IN[@]}" "$SOCKCTL" "$@"; }
bytes() { [ -z "$1" ] || printf '%b' "$(sed 's/../\\x&/g' <<<"${1// /}")"; }
came() { od -An -v -tx1 try.out | tr -d ' \n'; }

# The Internet checksum (RFC 1071) of hexadecimal digits.
checksum() {
    local hex=${1// /} sum=0 i part
    for ((i = 0; i < ${#hex}; i += 4)); do
        part=${hex:i:4}00
        ((sum += 16#${part::4}))
    done
    while ((sum >> 16)); do ((sum = (sum & 0xffff) + (sum >> 16))); done
    printf '%04x' $((~sum & 0xffff))
}

# An ICMP message of this type, with identifier, number and payload.
echo_message() { printf '%s00%s%s' "$1" "$(checksum "${1}000000$2")" "$2"; }

@test "16.1: a ping made by hand over a raw socket: the answer comes without its IP header" {
    in_network
    local rest=1234000168656c6c6f # and hello
    PACKET=$(echo_message 08 "$rest")
    raw connect -W 1 -s 127.0.0.2 raw:icmp:127.0.0.1
    assert_status 0
    assert_errors '^$'
    [ "$(came)" = "$(echo_message 00 "$rest")" ]
    raw connect --log json -W 1 -s 127.0.0.2 raw:icmp:127.0.0.1
    assert_errors '"closed".*"local":"raw:1:127\.0\.0\.2","remote":"raw:1:127\.0\.0\.1"'
    # Without a source of its own it hears its question first.
    raw connect -W 2 raw:1:localhost
    assert_status 0
    [ "$(came)" = "$PACKET$(echo_message 00 "$rest")" ]
    # With -v it says with whom, and -vv which socket it is.
    raw connect -vv -W 1 -s 127.0.0.2 raw:icmp:127.0.0.1
    assert_errors '^sockctl: socket\(AF_INET, SOCK_RAW\|SOCK_NONBLOCK\|SOCK_CLOEXEC, IPPROTO_ICMP\) = [0-9]+$'
    assert_errors '^sockctl: connected to raw:1:127\.0\.0\.1$'
    assert_errors '^sockctl: from local address raw:1:127\.0\.0\.2$'
    assert_errors '^sockctl: recvmsg\([0-9]+, \{\{AF_INET, 127\.0\.0\.1, port 0\}, .*\) = 33$'
    assert_errors '^sockctl: closed raw:1:127\.0\.0\.1: 13 bytes in, 13 out'
}

@test "16.1: --ip-header: packets have their IPv4 header, both ways" {
    in_network
    local rest=1234000168656c6c6f answer header
    answer=0000$(checksum "00000000$rest")$rest
    # Version and length, service, total length, identification, flags, 64 hops, ICMP, checksum, source, destination;
    # what is 0 the system fills in.
    PACKET="45000000 00010000 40010000 7f000002 7f000001 $(echo_message 08 $rest)"
    raw connect -W 1 --ip-header -s 127.0.0.2 raw:icmp:127.0.0.1
    assert_status 0
    header="4500 0021 $(came | cut -c 9-12) 0000 4001 $(came | cut -c 21-24) 7f000001 7f000002"
    [ "$(checksum "$header")" = 0000 ]
    [ "$(came)" = "${header// /}$answer" ]
    # A name is IPv4's then.
    raw connect -v -W 1 --ip-header -s 127.0.0.2 raw:icmp:localhost
    assert_status 0
    # With options in it, a header is longer: here three that do nothing, and the end of the list.
    start server "${IN[@]}" "$SOCKCTL" listen -v -W 1 raw:253:127.0.0.1
    wait_line server '^sockctl: listening on raw:253:127\.0\.0\.1$'
    PACKET="46000000 00010000 40fd0000 7f000002 7f000001 01010100 $(printf payload | od -An -tx1 | tr -d ' \n')"
    raw connect --send-only --ip-header raw:253:127.0.0.1
    assert_status 0
    finish server
    assert_status 0
    assert_output payload
    assert_errors '^sockctl: accepted raw:253:127\.0\.0\.2$'
}

@test "16.1: a ping socket, which needs no right where the group may have one" {
    in_network
    PACKET='0800 0000 0000 0007 6869'
    raw connect icmp:127.0.0.1
    assert_status 4
    assert_output ""
    assert_errors '^sockctl: connect to icmp:127\.0\.0\.1: Permission denied \(net\.ipv4\.ping_group_range '
    assert_one_error_line
    "${IN[@]}" sh -c 'echo "0 0" >/proc/sys/net/ipv4/ping_group_range' || skip "ping_group_range cannot be set"
    raw connect -v -W 1 icmp:localhost
    assert_status 0
    assert_errors '^sockctl: connected to icmp:127\.0\.0\.1$'
    # The system has put in an identifier and checksums, of which the answer's is right.
    [[ $(came) =~ ^0000........00076869$ ]]
    [ "$(checksum "$(came)")" = 0000 ]
    # What is no echo request, it does not send.
    PACKET='0d00 0000 0000 0007'
    raw connect icmp:127.0.0.1
    assert_status 1
    assert_errors '^sockctl: send to icmp:127\.0\.0\.1: Invalid argument'
    with_ipv6
    PACKET='8000 0000 0000 0007 6869'
    for address in icmp:::1 icmp:[::1]; do
        raw connect -vv -W 1 "$address"
        assert_status 0
        assert_errors '^sockctl: socket\(AF_INET6, SOCK_DGRAM\|SOCK_NONBLOCK\|SOCK_CLOEXEC, IPPROTO_ICMPV6\)'
        [[ $(came) =~ ^8100........00076869$ ]]
    done
}

@test "16.1: ICMPv6 by a raw socket: the system makes the checksum" {
    in_network
    with_ipv6
    PACKET='8000 0000 1234 0001 6869'
    for address in raw:58:::1 raw:ipv6-icmp:[::1]; do
        raw connect -W 1 -s fd00::2 "$address"
        assert_status 0
        [[ $(came) =~ ^8100....123400016869$ ]]
    done
    raw connect -W 1 -s fd00::2 --ttl 3 --tos 8 raw:58:::1
    assert_status 0
}

@test "16.1: UDP by a raw socket, to a real one, and where nobody listens" {
    in_network
    start server "${IN[@]}" "$SOCKCTL" listen -v -u -W 1 127.0.0.1:0
    listening server
    # Ports, length, no checksum.
    PACKET="1000 $(printf %04x "$PORT") 000c 0000 70696e67"
    raw connect --send-only -s 127.0.0.2 raw:udp:127.0.0.1
    assert_status 0
    finish server
    assert_output ping
    assert_errors '^sockctl: accepted 127\.0\.0\.2:4096$'
    raw connect -s 127.0.0.2 raw:17:127.0.0.1
    assert_status 1
    assert_errors '^sockctl: send to raw:17:127\.0\.0\.1: Connection refused \(nothing listens there\)$'
    PACKET='0000 0000 0000 0000'
    raw connect -s 127.0.0.2 raw:254:127.0.0.1
    assert_status 1
    assert_errors '^sockctl: send to raw:254:127\.0\.0\.1: .* \(nothing takes this protocol there\)$'
}

@test "16.1: protocol 253 between two of our own, over both families, and the answer" {
    in_network
    with_ipv6
    for pair in '127.0.0.1 127.0.0.2 127.0.0.1 127.0.0.2' '::1 fd00::2 [::1] [fd00::2]'; do
        read -r here there here_text there_text <<<"$pair"
        START_STDIN=<(echo answer) start server "${IN[@]}" "$SOCKCTL" listen -vv "raw:253:$here" -W 2
        wait_line server '^sockctl: listening on raw:253:'
        grep -qF "listening on raw:253:$here_text" server.err
        PACKET=68690a
        raw connect -v -W 1 -s "$there" "raw:253:$here"
        assert_status 0
        assert_output answer
        # A packet of another sender is not the peer's.
        raw connect --send-only "raw:253:$here"
        raw connect --send-only -s "$there" "raw:253:$here"
        finish server
        assert_status 0
        assert_output $'hi\nhi'
        grep -qF "accepted raw:253:$there_text" server.err
        [ "$(grep -c 'sockctl: accepted' server.err)" -eq 1 ]
        grep -qE 'socket\(AF_INET6?, SOCK_RAW\|SOCK_NONBLOCK\|SOCK_CLOEXEC, 253\)' server.err
    done
}

@test "16.1: listen -k hears everybody, IPv6 and IPv4, and -v says whom" {
    in_network
    with_ipv6
    start server "${IN[@]}" "$SOCKCTL" listen -v -k -W 3 raw:253
    wait_line server '^sockctl: listening on raw:253:0\.0\.0\.0$'
    wait_line server '^sockctl: listening on raw:253:\[::\]$'
    PACKET=610a
    raw connect --send-only raw:253:127.0.0.1
    PACKET=620a
    raw connect --send-only -s 127.0.0.2 raw:253:127.0.0.1
    PACKET=630a
    raw connect --send-only raw:253:::1
    finish server
    assert_status 0
    assert_output $'a\nb\nc'
    grep -qF 'accepted raw:253:[::1]' server.err
    [ "$(grep -c 'sockctl: accepted raw:253:' server.err)" -eq 3 ]
    # An empty payload is a packet, too, as is the largest.
    start server "${IN[@]}" "$SOCKCTL" listen -v -W 1 --deny 127.0.0.3 -o copy raw:253:127.0.0.1
    wait_line server '^sockctl: listening on '
    raw connect --send-only -s 127.0.0.3 raw:253:127.0.0.1
    head -c 65515 /dev/zero >large
    TRY_STDIN=large try "${IN[@]}" "$SOCKCTL" connect --send-only raw:253:127.0.0.1
    assert_status 0
    finish server
    assert_status 0
    cmp large server.out
    cmp large copy
}

@test "16.1: a multicast group, and a broadcast address" {
    in_network
    "${IN[@]}" ip route add 224.0.0.0/4 dev lo
    start server "${IN[@]}" "$SOCKCTL" listen -vv -W 1 --interface lo raw:253:239.1.2.3
    wait_line server '^sockctl: listening on raw:253:239\.1\.2\.3$'
    grep -q MCAST_JOIN_GROUP server.err
    PACKET=680a
    raw connect -v --send-only --ttl 1 raw:253:239.1.2.3
    assert_status 0
    finish server
    assert_output h
    raw connect raw:253:127.255.255.255
    assert_status 4
    assert_errors 'a broadcast address needs -b, --broadcast'
    raw connect -v -b -W 1 raw:253:127.255.255.255
    assert_status 0
    assert_errors '^sockctl: answer from raw:253:127\.0\.0\.1$'
}

@test "16.1: without the right, one line says so" {
    local without=()
    if [ "$(id -u)" -eq 0 ]; then
        need setpriv
        without=(setpriv --bounding-set=-net_raw)
        "${without[@]}" true 2>/dev/null || skip "no right can be taken away"
    fi
    while IFS='|' read -r words what; do
        # shellcheck disable=SC2086 # words
        try "${without[@]}" "$SOCKCTL" $words
        assert_status 4
        assert_output ""
        assert_errors "^sockctl: $what: Operation not permitted \(raw sockets need CAP_NET_RAW, which root has\)$"
        assert_one_error_line
    done <<'END'
connect raw:icmp:127.0.0.1|connect to raw:icmp:127\.0\.0\.1
connect raw:58:::1|connect to raw:58:\[::1\]
connect raw:icmp:localhost|connect to raw:icmp:localhost: raw:1:127\.0\.0\.1
listen raw:icmp|listen on raw:icmp
listen -k raw:253|listen on raw:253
END
}

@test "16.1: what raw sockets are not for is refused before anything is opened" {
    while IFS='|' read -r words why; do
        # shellcheck disable=SC2086 # words
        try "$SOCKCTL" $words
        assert_usage_error "^sockctl: $why"
    done <<'END'
echo-server raw:icmp|echo-server is not for raw sockets, as raw:icmp is one
listen 127.0.0.1:0 --to raw:253:h|option --to is not for raw sockets
listen -u 127.0.0.1:0 --to icmp:h|option --to is not for raw sockets
listen raw:253 --to 127.0.0.1:1|option --to is not for raw sockets
connect -z raw:253:h|option --probe is not for raw sockets
connect -z icmp:h|option --probe is not for raw sockets
connect -x socks5://h:1 raw:253:h|option --proxy is for TCP
connect --via cat raw:253:h|option --via is for TCP
connect --tls raw:253:h|option --tls is for TCP
connect -e cat raw:253:h|option --exec is
connect --send x raw:253:h|option --send is not for raw sockets
connect --expect x icmp:h|option --(send|expect) is not for raw sockets
connect --no-delay raw:253:h|option --no-delay is for TCP
connect -p 5 raw:253:127.0.0.1|a source port cannot be chosen for raw:253:127\.0\.0\.1
connect --ip-header 127.0.0.1:1|option --ip-header is for raw sockets
connect --ip-header icmp:h|option --ip-header is for raw sockets
connect --ip-header raw:253:::1|option --ip-header is for IPv4
connect --ip-header --ttl 3 raw:253:h|options --ip-header and --ttl exclude each other
listen --ip-header -6 raw:253|option --ip-header is for IPv4
listen --broker raw:253|option --broker is
listen --accept-proxy raw:253|option --accept-proxy is
listen -m 3 -k raw:253|option --max-conns is for connections
listen --port-file f raw:253|option --port-file is not for raw sockets
listen --reuse-port raw:253|option --reuse-port is for
listen icmp:h|address 'icmp:h': a ping socket hears answers alone
connect raw:256:h|address 'raw:256:h': the protocol is not from 1 to 255
connect raw:nosuch:127.0.0.1|unknown protocol 'nosuch'
connect -n raw:nosuch:127.0.0.1|protocol 'nosuch' is not a number
connect raw:icmp 127.0.0.1|address 'raw:icmp 127\.0\.0\.1': this kind of address is one word
connect raw://h|address 'raw://h': this is a URL
END
}
