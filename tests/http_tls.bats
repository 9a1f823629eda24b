#!/usr/bin/env bats
# http-get: https by kept connections, through proxies, and where redirects lead.

load helpers/common
load helpers/http
load helpers/tls

setup_file() { tls_setup_file || :; }
setup() { tls_setup; }
teardown() { common_teardown; }

A="${OK}Content-Length: 1\\r\\n\\r\\na"
B="${OK}Content-Length: 1\\r\\n\\r\\nb"

# proxy_start [LINE…]: tinyproxy with these lines in its configuration; PROXY is its HOST:PORT.
proxy_start() {
    need tinyproxy python3
    PROXY=127.0.0.1:$(free_port)
    printf '%s\n' "Port ${PROXY#*:}" 'Listen 127.0.0.1' 'Timeout 20' "$@" >proxy.conf
    start proxy tinyproxy -d -c proxy.conf
    poll 10000 "$SOCKCTL" connect -z "$PROXY"
}

# A proxy that says this to everybody, and what it was asked is in proxy.out; PROXY.
proxy_says() {
    start proxy "$SOCKCTL" listen -k --greeting "$1" 127.0.0.1:0
    listening proxy
    PROXY=127.0.0.1:$PORT
}

@test "several URLs of one server by one connection" {
    serve_text --tls="$BATS_FILE_TMPDIR/good" --end=unwrap --keep=2 "$A" "$B"
    local url=https://localhost:${URL#*:}
    try "$SOCKCTL" http-get --tls-ca "$CA" "$url/a" "$url/b"
    assert_status 0
    assert_output ab
    [ "$(grep -c CLIENT peer.out)" -eq 1 ]
}

@test "a kept connection is for the name that its certificate was checked for" {
    mkdir www
    echo hello >www/x
    tls_nginx_start
    local port=$PORT
    try "$SOCKCTL" http-get -s --tls-ca "$CA" --resolve "*:$port:127.0.0.1" \
        "https://localhost:$port/x" "https://other.test:$port/x" "https://localhost:$port/x"
    assert_status 4
    assert_output $'hello\nhello'
    assert_errors 'for another name'
}

@test "one that the server has closed meanwhile is not used again" {
    serve_text --tls="$BATS_FILE_TMPDIR/good" --end=unwrap "$A" "$B"
    local url=https://localhost:${URL#*:}
    try "$SOCKCTL" http-get --tls-ca "$CA" "$url/a" "$url/b"
    assert_status 0
    assert_output ab
    [ -z "$errors" ]
}

@test "-L from https to https, on the same server by the same connection" {
    serve_text --tls="$BATS_FILE_TMPDIR/good" --end=unwrap --keep=2 \
        'HTTP/1.1 302 Found\r\nLocation: /there\r\nContent-Length: 0\r\n\r\n' "$A"
    try "$SOCKCTL" http-get -L --tls-ca "$CA" "https://localhost:${URL#*:}/x"
    assert_status 0
    assert_output a
    [ "$(grep -c CLIENT peer.out)" -eq 1 ]
    [ "$(requests | grep -c '^GET /there')" -eq 1 ]
}

@test "through an HTTP proxy, by -x and by the variables" {
    https_text unwrap "$A" "$A" "$A" "$B"
    proxy_start
    try "$SOCKCTL" http-get -v --tls-ca "$CA" -x "$PROXY" "$URL/x"
    assert_status 0
    assert_output a
    try env https_proxy="http://$PROXY" http_proxy=127.0.0.1:1 "$SOCKCTL" http-get --tls-ca "$CA" "$URL/x"
    assert_status 0
    try env HTTPS_PROXY="$PROXY" "$SOCKCTL" http-get --tls-ca "$CA" "$URL/x"
    assert_status 0
    [ "$(grep -c 'CONNECT localhost:' proxy.out)" -eq 3 ]
    # Not by it.
    try env https_proxy=127.0.0.1:1 no_proxy=localhost "$SOCKCTL" http-get --tls-ca "$CA" "$URL/x"
    assert_status 0
    assert_output b
}

@test "a proxy that wants a password gets it, and nobody else" {
    https_text unwrap "$A"
    proxy_start 'BasicAuth joe secret'
    try "$SOCKCTL" http-get --tls-ca "$CA" -x "http://joe:wrong@$PROXY" "$URL/x"
    assert_status 6
    assert_errors "^sockctl: connect to localhost:[0-9]+: proxy $PROXY: 401 Unauthorized$"
    try "$SOCKCTL" http-get --tls-ca "$CA" -x "$PROXY" "$URL/x"
    assert_status 6
    assert_errors 'proxy .*: 407 '
    try "$SOCKCTL" http-get --tls-ca "$CA" -x "http://joe:secret@$PROXY" "$URL/x"
    assert_status 0
    assert_output a
}

@test "the password of a proxy is in no command line" {
    need base64
    start proxy "$SOCKCTL" listen -k 127.0.0.1:0
    listening proxy
    echo "http://joe:hush@127.0.0.1:$PORT" >secret
    start client "$SOCKCTL" http-get -v -x @secret https://h.test/
    wait_file proxy.out '^Proxy-Authorization: Basic '
    [ "$(tr -d '\r' <<<"${LINE#*Basic }" | base64 -d)" = joe:hush ]
    grep -qx $'CONNECT h.test:443 HTTP/1.0\r' proxy.out
    refute grep -lz hush /proc/[0-9]*/cmdline
    refute grep -q hush client.err
}

@test "connect --tls through an HTTP proxy" {
    tls_server good -rev
    local port=$PORT
    proxy_start 'BasicAuth me secret'
    echo hello >words
    TRY_STDIN=words try "$SOCKCTL" connect --tls --tls-ca "$CA" -x "http://me:secret@$PROXY" -q 1 localhost "$port"
    assert_status 0
    assert_output olleh
    [ -z "$errors" ]
    TRY_STDIN=words try env ALL_PROXY="http://me:secret@$PROXY" "$SOCKCTL" connect --proxy-env --tls \
        --tls-ca "$CA" -q 1 localhost "$port"
    assert_status 0
    assert_output olleh
    try "$SOCKCTL" connect --tls -x "http://$PROXY" localhost "$port"
    assert_status 6
    assert_one_error_line
    assert_errors "^sockctl: connect to localhost:$port: proxy $PROXY: 407 "
    stop proxy || :
    try "$SOCKCTL" connect --tls -x "http://$PROXY" localhost "$port"
    assert_status 4
    assert_errors "^sockctl: connect to localhost:$port: proxy $PROXY: Connection refused$"
}

@test "an address of IPv6 is in brackets for a proxy" {
    start proxy "$SOCKCTL" listen -k 127.0.0.1:0
    listening proxy
    start client "$SOCKCTL" http-get -x "127.0.0.1:$PORT" 'https://[2001:db8::1]/'
    wait_file proxy.out '^CONNECT '
    [[ $LINE == 'CONNECT [2001:db8::1]:443 HTTP/1.0'* ]]
}

@test "a proxy that refuses, is not there, has no name or is another kind" {
    proxy_says 'HTTP/1.1 403 Forbidden\r\n\r\n'
    try "$SOCKCTL" http-get -x "$PROXY" https://h.test/
    assert_status 6
    assert_one_error_line
    assert_errors "^sockctl: connect to h\.test:443: proxy $PROXY: 403 Forbidden$"
    stop proxy || :
    try "$SOCKCTL" http-get -x "$PROXY" https://h.test/
    assert_status 4
    assert_errors "^sockctl: connect to h\.test:443: proxy $PROXY: Connection refused$"
    proxy_says 'SSH-2.0-x\r\n'
    try "$SOCKCTL" http-get -x "$PROXY" --connect-timeout 2 https://h.test/
    assert_one_error_line
    try "$SOCKCTL" http-get -x "socks5://u:p@$PROXY" https://h.test/
    assert_usage_error 'https goes by no SOCKS proxy'
    [[ $errors != *u:p* ]]
    try "$SOCKCTL" http-get -U ./s https://h.test/
    assert_usage_error 'https goes by no UNIX socket'
    try env http_proxy=127.0.0.1:1 "$SOCKCTL" http-get --connect-timeout 1 https://127.0.0.1:1/
    assert_status 4
    try "$SOCKCTL" http-get -x https://127.0.0.1:1 http://h/
    assert_usage_error 'a proxy'
}
