#!/usr/bin/env bats
# http-get by proxies, UNIX sockets and --resolve.

load helpers/common
load helpers/http

HELLO="${OK}Content-Length: 5\\r\\n\\r\\nhello"

first_line() { requests | head -n 1; }

# ask WAY ARGUMENT…: fetches what the arguments say from a new server, which was asked directly or as
# a proxy.
ask() {
    local way=$1
    shift
    serve_text "$HELLO"
    try env "${@//URL/$URL}"
    assert_status 0 && assert_output hello || return
    finish peer
    if [ "$way" = proxy ]; then
        [ "$(first_line)" = 'GET http://h.example:81/x?y HTTP/1.1' ] || fail "$way $*" peer.err
    else
        [ "$(first_line)" = 'GET /x?y HTTP/1.1' ] || fail "$way $*" peer.err
    fi
}

@test "--proxy: the whole URL is asked for, with credentials for each of both" {
    serve_text "$HELLO"
    try "$SOCKCTL" http-get -v -x "http://p:w@$URL/ignored" me:secret@h.example:81/a/../x
    assert_status 0
    assert_output hello
    requests >asked
    [ "$(head -n 2 asked)" = $'GET http://h.example:81/x HTTP/1.1\nHost: h.example:81' ]
    grep -qx 'Proxy-Authorization: Basic cDp3' asked
    grep -qx 'Authorization: Basic bWU6c2VjcmV0' asked
    [[ $errors != *cDp3* && $errors != *bWU6* && $errors != *secret* ]]
    assert_errors '> Proxy-Authorization: \.\.\.'
}

@test "a proxy that refuses is status 6, one that is not there 4" {
    serve_text 'HTTP/1.1 407 Proxy Authentication Required\r\n\r\n'
    try "$SOCKCTL" http-get -x "$URL" h.example
    assert_status 6
    assert_errors '407 Proxy'
    try "$SOCKCTL" http-get -x 127.0.0.1:1 h.example
    assert_status 4
    assert_errors 'connect to 127.0.0.1:1: '
    try "$SOCKCTL" http-get -x 127.0.0.1 h.example # curl's port
    assert_errors '127.0.0.1:1080'
    for proxy in https://h h:x 'h h' $'h\r\nX: y'; do
        try "$SOCKCTL" http-get -x "$proxy" h.example
        assert_usage_error 'option --proxy'
    done
    try env http_proxy=ftp://me:secret@h "$SOCKCTL" http-get h.example
    assert_usage_error "proxy '@h' has a scheme"
    for proxy in socks5://me:secret@h:x socks5://h/path socks4://; do
        try "$SOCKCTL" http-get -x "$proxy" h.example
        assert_usage_error '^sockctl: proxy '
        [[ $errors != *secret* ]]
    done
}

# socks ARGUMENT…: microsocks at SOCKS.
socks() {
    need microsocks
    SOCKS=127.0.0.1:$(free_port)
    start socks microsocks -i 127.0.0.1 -p "${SOCKS#*:}" "$@"
    poll 5000 "$SOCKCTL" connect -z "$SOCKS"
}

@test "SOCKS proxies: the server is asked as if there were none, and the connection is kept" {
    nginx_start
    echo hello >www/x
    port=${URL#*:}
    socks -u me -P secret
    proxy=socks5://me:secret@$SOCKS
    try env ALL_PROXY="$proxy" "$SOCKCTL" http-get -v "$URL/x" "localhost:$port/x" "localhost:$port/x"
    assert_status 0
    assert_output $'hello\nhello\nhello'
    [ "$(grep -c ': connected to ' try.err)" -eq 2 ]
    [ "$(grep -c '> GET /x HTTP/1.1' try.err)" -eq 3 ]
    [[ $errors != *secret* && $errors != *Proxy-Auth* ]]
    try env http_proxy=127.0.0.1:1 "$SOCKCTL" http-get -x "${proxy/5:/5h:}" "$URL/x"
    assert_output hello
    # What is not by the proxy is another connection, also to the same address.
    try env NO_PROXY=b "$SOCKCTL" http-get -v -x "$proxy" --resolve "*:$port:127.0.0.1" "a:$port/x" "b:$port/x"
    assert_output $'hello\nhello'
    assert_errors "connected to $SOCKS"
    assert_errors "connected to $URL"
    try "$SOCKCTL" http-get -x "socks5://me:wrong@$SOCKS" "$URL/x"
    assert_status 6
    assert_errors 'user name or password refused'
    try "$SOCKCTL" http-get -x "$proxy" 127.0.0.1:1/
    assert_status 6
    assert_errors 'connect to 127.0.0.1:1: proxy .*: connection refused'
    try "$SOCKCTL" http-get -x socks5://127.0.0.1:1 "$URL/x"
    assert_status 4
    assert_errors 'connect to 127.0.0.1:1: '
}

@test "SOCKS4: the proxy looks the name up; one that says nothing runs into the limits" {
    need python3
    start proxy python3 "$HELPERS/dialogue.py" '\0\132......' 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello'
    wait_file proxy.out '^PORT '
    try "$SOCKCTL" http-get -x "socks4a://127.0.0.1:${LINE#PORT }" h.example
    assert_status 0
    assert_output hello
    start silent python3 "$HELPERS/dialogue.py" --silent
    wait_file silent.out '^PORT '
    try "$SOCKCTL" http-get --connect-timeout 200ms -x "socks5://127.0.0.1:${LINE#PORT }" h.example
    assert_status 5
    assert_errors 'timed out'
}

@test "the variables: http_proxy, ALL_PROXY, NO_PROXY, as curl reads them" {
    direct=("$SOCKCTL" http-get --resolve 'h.example:81:127.0.0.1' h.example:81/x?y)
    ask proxy http_proxy=URL "${direct[@]}"
    ask proxy http_proxy=http://URL/ "${direct[@]}"
    ask proxy ALL_PROXY=URL "${direct[@]}"
    ask proxy all_proxy=URL ALL_PROXY=127.0.0.1:1 "${direct[@]}"
    ask proxy http_proxy=URL ALL_PROXY=127.0.0.1:1 "${direct[@]}"
    ask proxy http_proxy= ALL_PROXY=URL "${direct[@]}"
    ask proxy http_proxy=URL NO_PROXY=example.org,.h.example.org "${direct[@]}"
    ask proxy http_proxy=URL no_proxy=other NO_PROXY=h.example "${direct[@]}"
    try env HTTP_PROXY=127.0.0.1:1 https_proxy=127.0.0.1:1 "${direct[@]}"
    assert_status 4
    assert_errors '127.0.0.1:81: ' # not the proxy's port
}

@test "hosts without a proxy" {
    here() {
        serve_text "$HELLO"
        try env "$@" "$SOCKCTL" http-get "$URL/x?y"
        assert_status 0 && assert_output hello || return
        finish peer
        [ "$(first_line)" = 'GET /x?y HTTP/1.1' ]
    }
    here HTTP_PROXY=127.0.0.1:1
    here http_proxy=127.0.0.1:1 NO_PROXY=127.0.0.1
    here http_proxy=127.0.0.1:1 no_proxy='a, 127.0.0.0/8'
    here http_proxy=127.0.0.1:1 NO_PROXY='*'
    here ALL_PROXY=127.0.0.1:1 NO_PROXY='*'
    serve_text "$HELLO" "$HELLO"
    try env http_proxy=127.0.0.1:1 "$SOCKCTL" http-get -x '' "$URL"
    assert_status 0
    try env NO_PROXY=127.0.0.1 "$SOCKCTL" http-get -x 127.0.0.1:1 "$URL"
    assert_status 0
}

@test "UNIX sockets: http+unix:// and --unix-socket, never by a proxy" {
    nginx_start
    mkdir www/a
    echo hello >www/a/x
    try env http_proxy=127.0.0.1:1 "$SOCKCTL" http-get "http+unix://${T//\//%2F}%2Fnginx.socket/a/./x"
    assert_status 0
    assert_output hello
    try env http_proxy=127.0.0.1:1 "$SOCKCTL" http-get -U nginx.socket h/a/x
    assert_output hello
    try "$SOCKCTL" http-get "http+unix://%2Fnone%2Fx/a"
    assert_status 4
    for url in http+unix:// http+unix://h/ http+unix://%2Fa%00b/; do
        try "$SOCKCTL" http-get "$url"
        assert_usage_error
    done
    printf '%b' "$HELLO" >text
    start peer python3 "$HELPERS/http_peer.py" --unix peer.socket text
    wait_file peer.out READY
    try "$SOCKCTL" http-get "http+unix://${T//\//%2f}%2fpeer.socket"
    assert_output hello
    requests | grep -qx 'Host: localhost'
}

@test "--resolve: this address for that host and port" {
    serve_text "$HELLO" "$HELLO"
    port=${URL#*:}
    try "$SOCKCTL" http-get --resolve "a.example:1:127.0.0.9" --resolve "A.example:$port:[127.0.0.1]" \
        "a.EXAMPLE:$port/x"
    assert_status 0
    assert_output hello
    requests | grep -qx "Host: a.EXAMPLE:$port"
    try "$SOCKCTL" http-get --resolve "*:$port:127.0.0.1" "b.example:$port"
    assert_status 0
    for pin in '' a a:80 a:80: a::127.0.0.1 :80:127.0.0.1 a:0:127.0.0.1 a:80:h a:x:127.0.0.1 a:80:[::1 \
        a:800000:127.0.0.1; do
        try "$SOCKCTL" http-get --resolve "$pin" h
        assert_usage_error 'option --resolve' || fail "$pin"
    done
}

# A host that is not ASCII.

IDN=$'b\xc3\xbccher.test' IDN_CAPITAL=$'B\xc3\x9cCHER.test' ASCII=xn--bcher-kva.test

@test "13.4: a host that is not ASCII is named by its encoded form, and --resolve and NO_PROXY take both" {
    serve_text "$HELLO" "$HELLO" "$HELLO" "$HELLO"
    port=${URL#*:}
    for host in "$IDN" "$IDN_CAPITAL" $ASCII; do
        try env http_proxy=127.0.0.1:1 NO_PROXY="$IDN" "$SOCKCTL" http-get --resolve "$IDN:$port:127.0.0.1" \
            "http://me:x@$host:$port/x"
        assert_status 0
        assert_output hello
    done
    try env http_proxy=127.0.0.1:1 NO_PROXY=".$ASCII" "$SOCKCTL" http-get --resolve "$ASCII:$port:127.0.0.1" \
        "www.$IDN:$port" "$IDN:$port/x"
    assert_output hello
    [ "$(requests | grep -c "^Host: $ASCII:$port$")" -eq 4 ]
    for host in $'b\xfccher.test' $'\xc3\xbc..test' $'u\xcc\x88.test' $'\xc3\xbc\xe2\x80\xae.test'; do
        try "$SOCKCTL" http-get "$host"
        assert_usage_error "^sockctl: URL '.*' (is not UTF-8|has an empty label|has a character that no host name has)$"
    done
}

@test "13.4: the same through proxies of all kinds, and where a redirect leads" {
    printf 'HTTP/1.1 302 x\r\nLocation: //%s/\xc3\xa9\r\nContent-Length: 0\r\n\r\n' "$IDN_CAPITAL" >moved
    printf '%b' "$HELLO" >hello
    serve moved hello
    try "$SOCKCTL" http-get -L -x "$URL" "http://$IDN:81/x"
    assert_status 0
    assert_output hello
    [ "$(requests | grep -E '^(GET|Host)' | paste -sd' ')" = \
        "GET http://$ASCII:81/x HTTP/1.1 Host: $ASCII:81 GET http://$ASCII/%C3%A9 HTTP/1.1 Host: $ASCII" ]
    finish peer
    serve_text "$HELLO"
    try "$SOCKCTL" connect -d -x "http://$URL" "$IDN" 80
    [ "$(requests | head -n 2)" = "CONNECT $ASCII:80 HTTP/1.1"$'\n'"Host: $ASCII:80" ]
    for command in connect http-get; do
        start proxy python3 "$HELPERS/dialogue.py" '\0\132......' 'HTTP/1.0 200 OK\r\n\r\n'
        wait_file proxy.out '^PORT '
        TRY_STDIN=<(echo hello) try "$SOCKCTL" $command -x "socks4a://127.0.0.1:${LINE#PORT }" "$IDN:80" --max-time 1
        finish proxy
        [[ $output == *"040100500000000100$(printf %s $ASCII | od -An -v -tx1 | tr -d ' \n')00"* ]] ||
            show_results "the proxy was asked for another host"
    done
    try "$SOCKCTL" connect -x "socks5://127.0.0.1:1" $'b\xfccher.test' 80
    assert_usage_error 'proxy: the name .* is not UTF-8'
}

@test "13.4: tinyproxy finds a host that is not ASCII" {
    need tinyproxy python3
    printf '127.0.0.1 localhost %s\n' $ASCII >hosts
    unshare -rm true || skip "no user namespaces here"
    serve_text "$HELLO" "$HELLO" "$HELLO"
    port=${URL#*:}
    proxy=$(free_port)
    printf '%s\n' "Port $proxy" 'Listen 127.0.0.1' 'Timeout 20' "ConnectPort $port" >tiny.conf
    start tiny unshare -rm bash -c 'mount --bind hosts /etc/hosts && exec tinyproxy -d -c tiny.conf'
    poll 5000 "$SOCKCTL" connect -z "127.0.0.1:$proxy"
    try "$SOCKCTL" http-get -x "127.0.0.1:$proxy" "http://$IDN:$port/x"
    assert_status 0
    assert_output hello
    try "$SOCKCTL" connect -x "http://127.0.0.1:$proxy" --send 'GET / HTTP/1.0\r\n\r\n' --expect hello "$IDN" "$port"
    assert_status 0
}
