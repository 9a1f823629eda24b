#!/usr/bin/env bats
#
# connect, http-get and listen --to with --send-proxy: the header, of both versions, as haproxy and nginx read it.

load helpers/common

setup() { common_setup; }
teardown() { common_teardown; }

# A server that writes what comes to server.out; ADDR, PORT.
server() {
    start server "$SOCKCTL" listen -dv "$@"
    listening server
}

# asked VERSION ADDRESS: as haproxy or nginx sees us by connect, http-get and a relay: the source, and the destination.
asked() {
    local version=$1 address=$2 from
    TRY_STDIN=<(printf 'GET / HTTP/1.0\r\n\r\n') try "$SOCKCTL" connect -v --wait 10 "--send-proxy=$version" "$address"
    assert_status 0
    from=$(sed -n 's/^sockctl: from local address //p' try.err)
    from=${from//[][]/}
    [[ $output == *$'\n'"${from%:*} ${from##*:} ${address//[][]/}"* ]] || show_results "$version: not from $from"
    try "$SOCKCTL" http-get -v "--send-proxy=$version" "http://$address/"
    assert_status 0
    from=$(sed -n 's/^sockctl: from local address //p' try.err)
    from=${from//[][]/}
    [ "$output" = "${from%:*} ${from##*:} ${address//[][]/}" ] || show_results "http-get $version: not from $from"
    # Of a relay, both ends are the client's.
    start relay "$SOCKCTL" listen -v "${address%:*}:0" --to "$address" "--send-proxy=$version"
    listening relay
    try "$SOCKCTL" http-get -v "http://$ADDR/"
    assert_status 0
    from=$(sed -n 's/^sockctl: from local address //p' try.err)
    from=${from//[][]/}
    [ "$output" = "${from%:*} ${from##*:} ${ADDR//[][]/}" ] || show_results "--to $version: not from $from"
    stop relay
}

# port: one that was free a moment ago, in PORT.
port() {
    server 127.0.0.1:0
    stop server
}

@test "--send-proxy: haproxy (accept-proxy) reads both versions, of IPv4 and IPv6" {
    need haproxy
    need_descriptors 256
    port
    cat >haproxy.cfg <<END
defaults
    mode http
    timeout connect 5s
    timeout client 10s
    timeout server 10s
frontend four
    bind 127.0.88.1:$PORT accept-proxy
    http-request return status 200 content-type text/plain lf-string "%[src] %[src_port] %[dst]:%[dst_port]"
$(ipv6 "frontend six" "    bind [::1]:$PORT accept-proxy" \
    '    http-request return status 200 content-type text/plain lf-string "%[src] %[src_port] %[dst]:%[dst_port]"')
END
    local version address port=$PORT
    start haproxy haproxy -db -f haproxy.cfg
    for version in 1 2; do
        for address in "127.0.88.1:$port" $(ipv6 "[::1]:$port"); do
            asked $version "$address"
        done
    done
    stop haproxy
}

@test "--send-proxy: nginx (proxy_protocol) reads both versions, of IPv4 and IPv6" {
    need nginx
    need_descriptors 256
    port
    cat >nginx.conf <<END
pid $T/nginx.pid;
error_log stderr;
daemon off;
events {}
http {
    access_log off;
    client_body_temp_path $T/body; proxy_temp_path $T/p; fastcgi_temp_path $T/f; uwsgi_temp_path $T/u; scgi_temp_path $T/s;
    server {
        listen 127.0.88.1:$PORT proxy_protocol;
        $(ipv6 "listen [::1]:$PORT proxy_protocol;")
        location / {
            return 200 "\$proxy_protocol_addr \$proxy_protocol_port \$proxy_protocol_server_addr:\$proxy_protocol_server_port";
        }
    }
}
END
    local version address port=$PORT
    start nginx nginx -p "$T" -e stderr -c "$T/nginx.conf"
    for version in 1 2; do
        for address in "127.0.88.1:$port" $(ipv6 "[::1]:$port"); do
            asked $version "$address"
        done
    done
    stop nginx QUIT
}

@test "--send-proxy: the header's bytes; without a version it is 2; the dump shows it" {
    local crlf=$'\r\n'
    server 127.0.0.1:0
    TRY_STDIN=<(printf hello) try "$SOCKCTL" connect -s 127.0.0.9 --send-proxy=1 --hex-dump dump "$ADDR"
    assert_status 0
    finish server
    [[ $output =~ ^"PROXY TCP4 127.0.0.9 127.0.0.1 "[0-9]+" $PORT$crlf"hello$ ]] || show_results 'not this'
    grep -q '^> 00000000  50 52 4f 58 59 20 54 43' dump
    server 127.0.0.1:0
    TRY_STDIN=<(printf hello) try "$SOCKCTL" connect --send-proxy "$ADDR"
    finish server
    [ "$(head -c 14 server.out | od -An -tx1 | tr -d ' \n')" = 0d0a0d0a000d0a515549540a2111 ]
    # Nothing is known of a program's connection, nor of a UNIX client.
    server ./socket
    try "$SOCKCTL" connect --send-proxy=1 ./socket
    finish server
    assert_output $'PROXY UNKNOWN\r'
    try "$SOCKCTL" connect -N --send-proxy=1 --via cat h 1
    assert_status 0
    assert_output $'PROXY UNKNOWN\r'
    # A program that gets the socket itself has it behind the header.
    server 127.0.0.1:0
    try "$SOCKCTL" connect --send-proxy=1 --inetd -c 'echo mine' "$ADDR"
    finish server
    [[ $output =~ ^"PROXY TCP4 127.0.0.1 127.0.0.1 "[0-9]+" $PORT$crlf"mine$ ]] || show_results 'not this'
}

@test "--send-proxy: through a SOCKS proxy it is inside, and names the destination where that is an address" {
    need python3
    cat >socks.py <<'END'
import signal, socket
signal.alarm(20)
with socket.create_server(("127.0.0.1", 0)) as listener:
    print("PORT", listener.getsockname()[1], flush=True)
    while True:
        client = listener.accept()[0]
        stream = client.makefile("rwb", buffering=0)
        stream.read(stream.read(2)[1])
        stream.write(b"\5\0")
        head = stream.read(4)
        stream.read((4 if head[3] == 1 else stream.read(1)[0]) + 2)
        stream.write(b"\5\0\0\1\0\0\0\0\0\0")
        print(client.makefile("rb").readline().decode().strip(), flush=True)
        client.shutdown(socket.SHUT_RDWR)
END
    start socks python3 socks.py
    wait_file socks.out '^PORT '
    local proxy=socks5://127.0.0.1:${LINE#PORT }
    try "$SOCKCTL" connect -x "$proxy" --send-proxy=1 192.0.2.7 77
    wait_file socks.out '^PROXY TCP4 127\.0\.0\.1 192\.0\.2\.7 [0-9]+ 77$'
    try "$SOCKCTL" connect -x "$proxy" --send-proxy=1 name.test 77
    wait_file socks.out '^PROXY UNKNOWN$'
}

@test "--send-proxy: what it is not for is a usage error" {
    while IFS='|' read -r words why; do
        # shellcheck disable=SC2086 # words
        try "$SOCKCTL" $words
        assert_usage_error "$why"
    done <<'END'
connect --send-proxy=3 h 1|option --send-proxy: '3' is not a version: 1 or 2
connect --send-proxy= h 1|is not a version
listen 0 --to h:1 --send-proxy=12|is not a version
connect -u --send-proxy h 1|option --send-proxy is for streams
connect -z --send-proxy h 1|option --send-proxy makes no sense with --probe
connect --tls --send-proxy h 1|option --send-proxy: with --tls, openssl\(1\) makes the connection
http-get --send-proxy https://h/|option --send-proxy: for https, openssl\(1\) makes the connection
http-get --send-proxy -x http://p:1 http://h/|option --send-proxy: an HTTP proxy
listen 0 --send-proxy|option --send-proxy is for --to
END
}
