#!/usr/bin/env bats
# Addresses as commands take them, from the command line to the socket. The grammar itself has a
# table in tests/unit/test_address.c.

load helpers/common

# refused_by COMMAND STATUS ERE WORD…: the command refuses the address, in one line.
# refused STATUS ERE WORD…: connect and listen both do.
refused_by() {
    try "$SOCKCTL" "$1" -w 5 "${@:4}"
    assert_status "$2"
    assert_output ""
    assert_errors "$3"
    if [ "$2" -eq 2 ]; then assert_usage_error; else assert_one_error_line; fi
    [ "${#errors}" -lt 450 ]
}
refused() {
    refused_by connect "$@"
    refused_by listen "$@"
}

# reaches ADDRESS WORD…: a listener on ADDRESS is reached by connecting to the words.
reaches() {
    local address=$1
    shift
    START_STDIN=<(echo hello) start server "$SOCKCTL" listen -v "$address"
    listening server
    try "$SOCKCTL" connect "${@//PORT/$PORT}"
    assert_status 0
    assert_output hello
    finish server
    assert_status 0
}

@test "13.4: an empty host is a usage error, wherever an address is taken" {
    local words
    for words in 'connect|-z||5432' 'connect||80' 'connect|tcp:|80' 'connect|-u||53' 'listen||0' 'echo-server||0' \
        'listen|0|--to|' 'listen|0|--to|:' 'connect|-s||127.0.0.1|1' 'connect|-x|http://:80|h|80' \
        'connect|-x|socks5://|h|80' 'connect|-x|socks5://me@:80|h|80' 'http-get|-x|http://:80|h' 'http-get|http://:80/' \
        'http-get|me:secret@/' 'http-get|--resolve|:80:127.0.0.1|h' 'http-get|--resolve|h:80:|h' \
        'http-get|http+unix:///x' 'http-get|-U||h' 'connect|unix:' 'connect|unix:@' 'connect|-U|' 'listen|unix:' \
        'listen|unix-dgram:' 'unix-send||a' 'unix-serve|' 'resolve|' 'resolve|-t|MX|--server|:53|h'; do
        mapfile -d'|' -t words < <(printf '%s|' "$words")
        try "$SOCKCTL" "${words[@]}"
        assert_usage_error || fail "${words[*]}"
        refute grep -q secret try.err
    done
    try "$SOCKCTL" connect -z '' 5432
    assert_usage_error "address ' 5432': the host is empty"
}

@test "12.2.4: a URL is no address, and a password in it, or in any message, is not shown" {
    local words
    for words in 'connect http://me:secret@127.0.0.1:1' 'connect me:secret@127.0.0.1:1' 'listen 0 --to http://me:secret@h' \
        'connect tcp://me:secret@h:80' 'connect http://me:secret@h 80' 'http://me:secret@h/' \
        'connect h 80 http://me:secret@h' 'connect -z h:1 http://me:secret@h' 'connect -s http://me:secret@h h 80' \
        'http-get --resolve http://me:secret@h h' 'connect -w http://me:secret@h h 80' \
        'unix-send http://me:secret@h a' 'resolve http://me:secret@h' 'connect -vv unix:http://me:secret@h' \
        'connect -x me:secret@h:80 h 80' "connect --log json unix:http://me:'secret@h"; do
        # shellcheck disable=SC2086 # several words
        try "$SOCKCTL" $words
        [ "$status" -ne 0 ]
        [ -n "$errors" ]
        ! grep -q secret try.err || fail "it is shown: $words" try.err
    done
    try "$SOCKCTL" connect http://me:secret@127.0.0.1:1
    assert_usage_error "address '@127.0.0.1:1': this is a URL .*sockctl http-get URL"
}

@test "bad ports: status 2, one line" {
    for port in 65536 -1 80x ' 80' +80 '80 ' '' 4294967376 18446744073709551696 0x50 8.0 80/tcp \
        $'80\n' $'\x1b[31m'; do
        refused 2 '^sockctl: (address|unknown service)' -- localhost "$port"
    done
    refused_by connect 2 'from 1 to 65535$' localhost 0
    refused_by connect 2 'from 1 to 65535$' localhost:0
    refused_by listen 2 'from 0 to 65535$' localhost 65536
}

@test "a service that does not exist is named" {
    refused 2 "^sockctl: unknown service '80x'\$" localhost 80x
    refused 2 "^sockctl: unknown service 'no-such-service'\$" tcp:localhost:no-such-service
    refused 2 "^sockctl: unknown service 'localhost' \(an address is HOST PORT" localhost
    refused 2 'the port is missing$' example.com
}

@test "services have numbers" {
    need /etc/services
    try "$SOCKCTL" connect -vv -w 2 127.0.0.1 domain
    assert_errors 'connect\([0-9]+, \{AF_INET, 127\.0\.0\.1, port 53\}, 16\)'
    try "$SOCKCTL" connect -vv -u -w 2 -q 0 127.0.0.1 domain
    assert_errors 'connect\([0-9]+, \{AF_INET, 127\.0\.0\.1, port 53\}, 16\)'
}

@test "bad hosts: status 2, one line" {
    for host in 'a b' $'a\x01b' $'a\x7f' 'user@host' ::g ::1%; do
        refused 2 "^sockctl: address '" "$host" 80
    done
    refused 2 'the host is longer than 255 bytes$' "$(printf %65536d 0)" 80
    refused 2 'written \[ADDRESS\]:PORT$' ::1:80
    refused 2 "more than one ':' \\((several ports are for connect --probe: HOST:22,80|to forward: --to HOST:PORT)\\)\$" localhost:80:90
}

@test "hosts that cannot be: status 3, at once" {
    refused 3 'resolve a\.\.b: a label of the name is empty$' a..b 80
    refused 3 'resolve 300\.1\.1\.1: not an IPv4 address$' 300.1.1.1 80
    refused 3 'a label of the name is longer than 63 bytes$' "$(printf %064d 0)a" 80
    refused 3 'resolve fe80::1%nosuch: this machine has no such interface$' '[fe80::1%nosuch]:80'
}

@test "a literal of the wrong family: status 2, names the family" {
    refused 2 'an IPv6 address, where IPv4 is asked for$' -4 ::1 80
    refused 2 'an IPv4 address, where IPv6 is asked for$' -6 127.0.0.1:80
    refused 2 'an IPv6 address, where IPv4 is asked for$' 'tcp4:[::1]:80'
    refused 2 'asks for IPv6, and -4 for IPv4$' -4 tcp6:localhost:80
}

@test "-n forbids look-ups" {
    need strace
    refused 3 "'localhost' is not a numeric address \(-n forbids look-ups\)" -n localhost 80
    refused 2 "port 'http' is not a number \(-n forbids look-ups\)" -n 127.0.0.1 http
    refused 3 'is not a numeric address' -n 127.1 80
    ASAN_OPTIONS=detect_leaks=0 try strace -f -e trace=openat,connect -o trace \
        "$SOCKCTL" connect -n localhost 80
    assert_status 3
    refute grep -Eq 'connect\(|hosts' trace
    reaches 127.0.0.1:0 -n PORT
}

@test "UNIX paths too long are refused, never cut" {
    for length in 108 120 65536; do
        path=/$(printf "%0$((length - 1))d" 0)
        refused 2 "the path is $length bytes, the limit is 107\$" "$path"
        refused 2 "the path is $length bytes, the limit is 107\$" "unix:@$path"
    done
    refused 2 'the path is missing$' unix:
    refused 2 'the path is missing$' unix:@
    refused 2 'this kind of address is one word$' "$T/x" 80
    [ -z "$(find . -type s)" ]
}

@test "the longest path and the longest abstract name work" {
    path=$T/$(printf "%0$((106 - ${#T}))d" 0)
    [ ${#path} -eq 107 ]
    reaches "$path" "$path"
    name=@$$-$(printf "%0$((106 - ${#$}))d" 0)
    [ ${#name} -eq 108 ]
    reaches "unix:$name" -U "$name"
}

@test "words that name nothing: status 2" {
    refused 2 'not vsock:CID:PORT, two numbers$' vsock:2:http
    refused 2 'not fd:N, a number$' fd:x
    refused 2 'not fd:N, a number$' fd:
    refused 2 'this kind of address is one word$' fd:3 80
}

@test "every address: both families, by every spelling" {
    for spelling in 0 :0 '*:0' tcp:0; do
        reaches "$spelling" 127.0.0.1 PORT
        ! has_host ::1 || reaches "$spelling" '[::1]:PORT'
    done
}

@test "-4 and -6 on every address" {
    START_STDIN=/dev/null start server "$SOCKCTL" listen -4 0
    listening server
    [[ $ADDR == 0.0.0.0:* ]]
    try "$SOCKCTL" connect ::1 "$PORT"
    assert_status 4
    stop server
    need_ipv6
    start server "$SOCKCTL" listen -6 0
    listening server
    try "$SOCKCTL" connect 127.0.0.1 "$PORT"
    assert_status 4
    stop server
}

@test "no host to connect to: localhost" {
    for spelling in PORT :PORT '*:PORT' tcp:PORT tcp4:PORT localhost:PORT 'tcp:localhost:PORT'; do
        reaches 0 "$spelling"
    done
    reaches 0 -n PORT
    reaches 0 '*' PORT
}

@test "IPv6 with a zone, in one word and two" {
    need_ipv6
    reaches '[::1]:0' ::1%lo PORT
    reaches '[::1]:0' '[::1%lo]:PORT'
    reaches '[::1]:0' ::1%1 PORT
    reaches tcp6:0 'tcp6:[::1]:PORT'
    reaches '[::1]:0' 'tcp:[::1]' PORT
}

@test "UNIX sockets by every spelling" {
    reaches ./sock unix:sock
    reaches unix:sock -U sock
    reaches "$T/sock" ./sock
    reaches "unix:@$$-name" -U "@$$-name"
    reaches unix:a:b -U a:b
    reaches unix:80 ./80
}

@test "datagrams and seqpackets by their prefixes" {
    for address in "udp:127.0.0.1:0" "udp4:0" "unix-dgram:dgram" "unix-seqpacket:seqpacket" \
        "unix-dgram:@$$-dgram"; do
        start server "$SOCKCTL" listen -v "$address"
        listening server
        target=$address
        [ -z "$PORT" ] || target=${address%0}$PORT
        TRY_STDIN=<(echo hello) try "$SOCKCTL" connect -q 0 "$target"
        assert_status 0
        poll 5000 grep -qx hello server.out
        stop server || :
    done
}

@test "a socket in this directory that is typed without a slash is named with one" {
    start server "$SOCKCTL" listen -k -v ./app
    listening server
    try "$SOCKCTL" connect app
    assert_usage_error "^sockctl: unknown service 'app' \(a UNIX socket is written with a slash: \./app\)$"
    ln -s app my.app
    try "$SOCKCTL" connect my.app
    assert_usage_error "address 'my\.app': the port is missing \(a UNIX socket is written with a slash: \./my\.app\)$"
    # A file that is no socket says nothing.
    : >plain
    try "$SOCKCTL" connect plain
    assert_usage_error "^sockctl: unknown service 'plain' \(an address is HOST PORT, HOST:PORT or PORT\)$"
}
