#!/usr/bin/env bats
#
# TLS by openssl(1): connect --tls and https:// URLs, with certificates of the tests' own.

load helpers/common
load helpers/http
load helpers/tls

# One authority, and what it has issued; once for the file.
setup_file() {
    tls_setup_file || return 0
    issue expired ca /CN=localhost 'subjectAltName=DNS:localhost' -1
    issue other ca /CN=other.test 'subjectAltName=DNS:other.test,IP:192.0.2.1' 3
    authority self /CN=localhost
    issue between ca /CN=between 'basicConstraints=critical,CA:TRUE' 3
    issue lower between /CN=localhost 'subjectAltName=DNS:localhost' 3
}

setup() { tls_setup; }
teardown() { common_teardown; }

@test "connect --tls: the certificate's issuer and name are checked" {
    tls_server good -rev
    printf 'hello\n' >words
    TRY_STDIN=words try "$SOCKCTL" connect --tls --tls-ca "$CA" -q 1 localhost "$PORT"
    assert_status 0
    assert_output olleh
    [ -z "$errors" ]
    # By address, which the certificate has too; -v says whom it is connected to.
    TRY_STDIN=words try "$SOCKCTL" connect -v --tls --tls-ca "$CA" -q 1 127.0.0.1 "$PORT"
    assert_status 0
    assert_output olleh
    assert_errors "^sockctl: connected to 127\.0\.0\.1:$PORT$"
}

@test "connect --tls: what openssl says against it is one line, status 4" {
    local line="^sockctl: connect to localhost:[0-9]+ by TLS: "
    # certificate, what is said, options
    while read -r certificate said options; do
        tls_server "$certificate" -rev
        # shellcheck disable=SC2086 # words
        try "$SOCKCTL" connect --tls $options localhost "$PORT"
        assert_status 4
        assert_output ''
        assert_one_error_line
        assert_errors "$line.*${said//_/ }"
        stop server || :
    done <<END
good nobody_we_trust
expired has_expired --tls-ca $CA
other for_another_name --tls-ca $CA
self is_self-signed --tls-ca $CA
lower leaves_out_the_one_between --tls-ca $CA
END
    # The same, believed.
    tls_server self -rev
    printf 'ab\n' >words
    TRY_STDIN=words try "$SOCKCTL" connect --tls --tls-insecure -q 1 localhost "$PORT"
    assert_status 0
    assert_output ba
}

@test "connect --tls: an address that the certificate does not have" {
    tls_server other -rev
    try "$SOCKCTL" connect --tls --tls-ca "$CA" 127.0.0.1 "$PORT"
    assert_status 4
    assert_errors 'by TLS: .*for another (address|name)'
}

@test "connect --tls: no TLS 1.2, no TLS at all, nobody there, no such name" {
    tls_server good -rev -tls1_1 -cipher DEFAULT@SECLEVEL=0
    try "$SOCKCTL" connect --tls --tls-ca "$CA" localhost "$PORT"
    assert_status 4
    assert_errors 'speaks no TLS 1\.2 or newer'
    stop server || :
    start plain "$SOCKCTL" listen -k --greeting 'HTTP/1.0 400 Bad Request\r\n\r\n' 127.0.0.1:0
    listening plain
    try "$SOCKCTL" connect --tls localhost "$PORT"
    assert_status 4
    assert_errors 'speaks no TLS on this port'
    stop plain
    try "$SOCKCTL" connect --tls localhost "$PORT"
    assert_status 4
    assert_errors "^sockctl: connect to localhost:$PORT by TLS: Connection refused$"
    try unshare -rn "$SOCKCTL" connect --tls nosuch.invalid 443
    assert_status 3
}

@test "connect --tls: a server that never answers the handshake: -w, and openssl is gone" {
    start silent "$SOCKCTL" listen -k 127.0.0.1:0
    listening silent
    try "$SOCKCTL" connect --tls -w 0.5 localhost "$PORT"
    assert_status 5
    assert_errors "^sockctl: connect to localhost:$PORT: timed out$"
    poll 5000 no_openssl || fail "openssl still runs"
}

# No process of ours whose directory is $T is openssl.
no_openssl() {
    local entry
    for entry in /proc/[0-9]*; do
        ! [[ $entry/cwd -ef $T && $(<"$entry/comm") == openssl ]] 2>/dev/null || return 1
    done
}

@test "connect --tls without openssl: one line, status 4" {
    try env PATH=/nowhere "$SOCKCTL" connect --tls localhost 443
    assert_status 4
    assert_one_error_line
    assert_errors 'openssl\(1\) is needed'
}

@test "connect -z --tls: open only with a good certificate" {
    tls_server good -rev
    try "$SOCKCTL" connect -z --tls --tls-ca "$CA" localhost "$PORT"
    assert_status 0
    assert_output "localhost $PORT open"
    try "$SOCKCTL" connect -z --tls localhost "$PORT"
    assert_status 4
    assert_output ''
}

@test "what does not go with --tls is a usage error" {
    try "$SOCKCTL" connect --tls --via cat h 1
    assert_usage_error 'options --via and --tls exclude each other'
    try "$SOCKCTL" connect --tls-ca f h 1
    assert_usage_error 'option --tls-ca is for --tls'
    try "$SOCKCTL" connect --tls -x socks5://h h 1
    assert_usage_error '--tls goes through an http:// proxy'
    try "$SOCKCTL" connect -z --tls -x http://h h 1
    assert_usage_error '--proxy'
    try "$SOCKCTL" connect --tls ./socket
    assert_usage_error '(TLS|--tls) is for'
    try "$SOCKCTL" connect --tls -u h 1
    assert_usage_error '(TLS|--tls) is for'
    try "$SOCKCTL" listen --tls 443
    assert_usage_error 'stunnel'
}

@test "https: lengths, chunks, a body up to the end; ALPN says http/1.1" {
    https_text unwrap "$OK"'Content-Length: 3\r\n\r\nabc' "$OK"'Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n' \
        "$OK"'\r\nabc'
    for _ in length chunks end; do
        try "$SOCKCTL" http-get --tls-ca "$CA" "$URL/x"
        assert_status 0
        assert_output abc
        [ -z "$errors" ]
    done
    grep -q '^ALPN http/1.1$' peer.out
    requests | grep -qx "Host: localhost:${URL##*:}"
}

@test "https: cut without close_notify, only a body that has another end is whole" {
    https_text close "$OK"'Content-Length: 3\r\n\r\nabc' "$OK"'\r\nabc' "$OK"'Content-Length: 9\r\n\r\nabc'
    try "$SOCKCTL" http-get --tls-ca "$CA" -o whole "$URL/x"
    assert_status 0
    [ "$(<whole)" = abc ]
    try "$SOCKCTL" http-get --tls-ca "$CA" -o cut "$URL/x"
    assert_status 7
    assert_one_error_line
    assert_errors "by TLS: the server has ended the connection without TLS's own end"
    [ ! -e cut ]
    try "$SOCKCTL" http-get --tls-ca "$CA" -o short "$URL/x"
    assert_status 7
    assert_one_error_line
    [ ! -e short ]
}

@test "https: the certificate has to name the host of the URL, whomever --resolve connects to" {
    https_text unwrap "$OK"'Content-Length: 3\r\n\r\nabc'
    local port=${URL##*:}
    try "$SOCKCTL" http-get "$URL/x"
    assert_status 4
    assert_errors 'nobody we trust'
    try "$SOCKCTL" http-get --tls-ca "$CA" --resolve "elsewhere.test:$port:127.0.0.1" "https://elsewhere.test:$port/"
    assert_status 4
    assert_errors 'for another name'
    try "$SOCKCTL" http-get --tls-ca "$CA" --resolve "localhost:$port:127.0.0.1" "$URL/x"
    assert_status 0
    assert_output abc
}

@test "https: -L goes from http to https, and never back" {
    https_text unwrap "$OK"'Content-Length: 3\r\n\r\nabc' 'HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n'
    start plain "$SOCKCTL" listen -k --greeting "HTTP/1.1 301 Moved\\r\\nLocation: $URL/x\\r\\nContent-Length: 0\\r\\nConnection: close\\r\\n\\r\\n" 127.0.0.1:0
    listening plain
    try "$SOCKCTL" http-get -L --tls-ca "$CA" -u me:secret "127.0.0.1:$PORT/"
    assert_status 0
    assert_output abc
    refute grep -q Authorization peer.err # another origin
    try "$SOCKCTL" http-get -L --tls-ca "$CA" "$URL/x"
    assert_status 6
    assert_errors 'redirected to .http://127.0.0.1:1/., which is plain http'
    stop plain
}

@test "https: 8 MiB exact, beside curl" {
    need curl
    head -c 8388608 /dev/urandom >big
    tls_server good -WWW
    try curl -s --cacert "$CA" -o by-curl "https://localhost:$PORT/big"
    assert_status 0
    try "$SOCKCTL" http-get --tls-ca "$CA" -o by-us "https://localhost:$PORT/big"
    assert_status 0
    cmp by-curl by-us
}
