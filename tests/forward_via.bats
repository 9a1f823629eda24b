#!/usr/bin/env bats
#
# listen --to with --via and --tls: a program for each client is its connection.

load helpers/common
load helpers/http
load helpers/tls

setup_file() {
    tls_setup_file || return 0
    issue other ca /CN=other.test 'subjectAltName=DNS:other.test' 3
}
setup() {
    common_setup
    CA=$BATS_FILE_TMPDIR/ca.pem
}
teardown() { common_teardown; }

# relay OPTION…: listen with these as `relay`; RELAY is its port.
relay() {
    start relay "$SOCKCTL" listen 127.0.0.1:0 "$@"
    listening relay
    RELAY=$PORT
}

# Stops the relay, which takes that for an end in order.
relay_stop() {
    stop relay
    assert_status 0
}

@test "--to --via: a program for each client connects; ends pass both ways" {
    start far "$SOCKCTL" echo-server 127.0.0.1:0
    listening far
    local far=$PORT
    relay -v --to "127.0.0.1:$far" --via "$SOCKCTL connect -N %h %p"
    local i
    head -c 300000 /dev/urandom >data
    for i in 1 2 3; do
        START_STDIN=data start "c$i" "$SOCKCTL" connect 127.0.0.1 "$RELAY"
    done
    for i in 1 2 3; do
        finish "c$i"
        assert_status 0
        cmp data "c$i.out"
    done
    grep -qx "sockctl: connected to 127.0.0.1:$far" relay.err
    refute grep -q unnamed relay.err
    relay_stop
    # The program's end first: what the client still says arrives.
    need python3
    relay --to db:1 --via 'exec python3 -c "
import socket, sys
s = socket.socket(fileno=0)
s.sendall(b\"bye\\n\")
s.shutdown(socket.SHUT_WR)
open(\"got\", \"wb\").write(s.makefile(\"rb\").read())
"'
    mkfifo words
    START_STDIN=words start client "$SOCKCTL" connect --until-stdin-ends 127.0.0.1 "$RELAY"
    {
        wait_file client.out '^bye$'
        echo late
    } >words
    finish client
    assert_status 0
    poll 5000 grep -qx late got
    relay_stop
}

@test "--to --via: a program that fails, or ends at once, is a warning; the client is reset" {
    relay --to db:1 --via '. ./program'
    local program said warnings=1
    while IFS='|' read -r program said; do
        echo "$program" >program
        try "$SOCKCTL" connect --no-shutdown -d -w 5 127.0.0.1 "$RELAY"
        warnings=$((warnings + 1))
        poll 10000 has_lines relay.err "$warnings" || fail "not one warning each" relay.err
        tail -n 1 relay.err |
            grep -qE "^sockctl: 127\.0\.0\.1:[0-9]+: connect to db:1 by '\. \./program': $said$" || fail "not: $said" relay.err
        if [ "$program" = true ]; then
            assert_status 0
        else
            assert_status 1
            assert_errors 'Connection reset by peer'
        fi
    done <<'END'
exit 3|it ended with status 3
echo some; exit 3|it ended with status 3
kill -9 $$|it was ended by signal 9 \(Killed\)
true|it ended with status 0, without a byte
END
    assert_output ''
    echo 'exec ./nosuch' >program
    try "$SOCKCTL" connect --no-shutdown -d -w 5 127.0.0.1 "$RELAY"
    assert_status 1
    wait_line relay 'it ended with status 127$'
    # And it goes on.
    echo 'exec cat' >program
    echo hello >words
    TRY_STDIN=words try "$SOCKCTL" connect 127.0.0.1 "$RELAY"
    assert_status 0
    assert_output hello
    relay_stop
}

@test "--to --via: rubbish passes; the program ends with its client, and with the server" {
    relay --to db:1 --via 'echo $$ >id; exec cat /dev/urandom'
    try bash -c '"$SOCKCTL" connect -d 127.0.0.1 "$1" | head -c 100000 | wc -c' - "$RELAY"
    [ "$((output))" -eq 100000 ]
    poll 5000 gone "$(<id)" || fail "it still runs"
    relay_stop
    relay --to db:1 --via 'echo $$ >>ids; trap "" HUP; exec sleep 60'
    start client "$SOCKCTL" connect --no-shutdown 127.0.0.1 "$RELAY"
    start other "$SOCKCTL" connect --no-shutdown 127.0.0.1 "$RELAY"
    poll 5000 has_lines ids 2
    relay_stop
    local id
    while read -r id; do
        gone "$id" || fail "a program still runs"
    done <ids
    finish client
    assert_status 1
}
has_lines() { [ -e "$1" ] && [ "$(wc -l <"$1")" -eq "$2" ]; }

@test "--to --via: at most -m clients at a time, the rest wait; -i ends one" {
    relay -m 1 -i 1 --to db:1 --via 'echo here; exec cat'
    start first "$SOCKCTL" connect --no-shutdown 127.0.0.1 "$RELAY"
    wait_file first.out '^here$'
    start second "$SOCKCTL" connect --no-shutdown 127.0.0.1 "$RELAY"
    finish first
    assert_status 1
    wait_file second.out '^here$'
    relay_stop
}

@test "--to --tls: plain clients of a server with TLS, openssl s_server" {
    need openssl
    tls_server good -rev
    relay --to "localhost:$PORT" --tls --tls-ca "$CA"
    echo hello >words
    # The end of what the client sends is not the end of what it gets.
    TRY_STDIN=words try "$SOCKCTL" connect -q 1 127.0.0.1 "$RELAY"
    assert_status 0
    assert_output olleh
    relay_stop
    [ "$(wc -l <relay.err)" -eq 1 ]
    no_openssl || fail "openssl still runs"
}

# No process of ours whose directory is $T is a client by openssl.
no_openssl() {
    local entry
    for entry in /proc/[0-9]*; do
        ! [[ $entry/cwd -ef $T && $(tr '\0' ' ' <"$entry/cmdline") == *s_client* ]] 2>/dev/null || return 1
    done
}

@test "--to --tls: nginx: 8 MiB exact by plain http, many at a time" {
    need openssl
    mkdir www
    head -c 8388608 /dev/urandom >www/big
    tls_nginx_start
    relay --to "localhost:$PORT" --tls --tls-ca "$CA"
    local i
    for i in 1 2 3 4; do
        start "c$i" "$SOCKCTL" http-get -o "by$i" "127.0.0.1:$RELAY/big"
    done
    for i in 1 2 3 4; do
        finish "c$i"
        assert_status 0
        cmp www/big "by$i"
    done
    relay_stop
}

@test "--to --tls: what is wrong with the certificate is a warning; the client is reset" {
    need openssl
    tls_server other -rev
    local port=$PORT
    relay --to "localhost:$port" --tls --tls-ca "$CA"
    try "$SOCKCTL" connect --no-shutdown 127.0.0.1 "$RELAY"
    assert_status 1
    wait_line relay "^sockctl: 127\.0\.0\.1:[0-9]+: connect to localhost:$port by TLS: .*for another name$"
    relay_stop
}

@test "--to --tls: a connection cut without close_notify is reset, not ended" {
    need openssl python3
    https_text close "$OK"'\r\nabc'
    relay --to "localhost:${URL##*:}" --tls --tls-ca "$CA"
    try "$SOCKCTL" http-get "127.0.0.1:$RELAY/"
    [ "$status" -eq 1 ] || [ "$status" -eq 7 ] || fail "$status"
    assert_one_error_line
    wait_line relay "by TLS: the server has ended the connection without TLS's own end$"
    relay_stop
    stop peer || :
    https_text unwrap "$OK"'\r\nabc'
    relay --to "localhost:${URL##*:}" --tls --tls-ca "$CA"
    try "$SOCKCTL" http-get "127.0.0.1:$RELAY/"
    assert_status 0
    assert_output abc
    relay_stop
}

@test "listen: what --via and --tls are not for is a usage error" {
    try "$SOCKCTL" listen 127.0.0.1:0 --via cat
    assert_usage_error 'option --via is for --to'
    try "$SOCKCTL" listen 127.0.0.1:0 --tls-ca f
    assert_usage_error 'option --tls-ca is for --to'
    try "$SOCKCTL" listen 127.0.0.1:0 --tls
    assert_usage_error 'stunnel'
    try "$SOCKCTL" listen 127.0.0.1:0 --to h:1 --via cat --tls
    assert_usage_error 'exclude each other'
    try "$SOCKCTL" listen 127.0.0.1:0 --to ./path --via cat
    assert_usage_error '--via is for HOST PORT of TCP'
    try "$SOCKCTL" listen -u 127.0.0.1:0 --to udp:h:1 --tls
    assert_usage_error '(TLS|--tls) is for'
    try "$SOCKCTL" listen 127.0.0.1:0 --to h:1 --tls --send-proxy
    assert_usage_error 'option --send-proxy: with --tls'
    try env PATH=/nowhere "$SOCKCTL" listen 127.0.0.1:0 --to h:1 --tls
    assert_status 4
    assert_one_error_line
    assert_errors 'openssl\(1\) is needed'
}
