#!/usr/bin/env bats
# http-get: an idle connection is kept for each of several servers.

load helpers/common
load helpers/http

setup() {
    common_setup
    need nginx
    umask 022
}
teardown() { common_teardown; }

# Nine servers, 127.0.0.1 to 127.0.0.9, whose log has the number of each request's connection.
kept_config() {
    cat <<EOF
daemon off; master_process off; pid $T/web.id;
events { worker_connections 512; }
http {
    log_format connections "\$connection \$uri";
    access_log $T/web.log connections;
    client_body_temp_path temp; proxy_temp_path temp; fastcgi_temp_path temp;
    uwsgi_temp_path temp; scgi_temp_path temp;
    server {
        $(printf "listen 127.0.0.%d:$1; " {1..9}) listen unix:$T/web.socket;
        root $T/www;
        location = /there { return 302 http://127.0.0.2:$1/back; }
        location = /back { return 302 http://127.0.0.1:$1/x; }
    }
}
EOF
}

web_start() {
    mkdir -p www temp
    echo hello >www/x
    serves_at_free_port web kept_config nginx -p "$T" -e "$T/nginx.log" -c "$T/web.conf"
    PORT=${URL#*:}
}

# connections: how many there were since it was asked last.
connections() {
    cut -d ' ' -f 1 web.log | sort -u | wc -l
    : >web.log
}

@test "40 URLs of two hosts in turn: 2 connections, as curl" {
    need curl
    web_start
    local urls=()
    for _ in {1..20}; do urls+=("127.0.0.1:$PORT/x" "127.0.0.2:$PORT/x"); done
    try curl -s "${urls[@]}"
    [ "$(wc -l <try.out)" -eq 40 ]
    [ "$(connections)" -eq 2 ]
    try "$SOCKCTL" http-get "${urls[@]}"
    assert_status 0
    [ "$(wc -l <try.out)" -eq 40 ]
    [ -z "$errors" ]
    [ "$(connections)" -eq 2 ]
}

@test "across redirects, and between a host and a UNIX socket" {
    web_start
    try "$SOCKCTL" http-get -L "127.0.0.1:$PORT"/{there,there,x} "127.0.0.2:$PORT/back"
    assert_status 0
    assert_output $'hello\nhello\nhello\nhello'
    [ "$(wc -l <web.log)" -eq 9 ]
    [ "$(connections)" -eq 2 ]
    local socket=http+unix://${T//\//%2F}%2Fweb.socket/x
    try "$SOCKCTL" http-get "$socket" "127.0.0.1:$PORT/x" "$socket" "127.0.0.1:$PORT/x"
    assert_status 0
    [ "$(connections)" -eq 2 ]
}

@test "at most 8: the one not used for the longest time goes" {
    web_start
    local nine=() eight=()
    for i in {1..9}; do nine+=("127.0.0.$i:$PORT/x"); done
    eight=("${nine[@]::8}")
    try "$SOCKCTL" http-get "${eight[@]}" "${eight[@]}" "${eight[@]}"
    assert_status 0
    [ "$(connections)" -eq 8 ]
    # The ninth takes the place of the second, for the first was used again.
    try "$SOCKCTL" http-get -v "${eight[@]}" "${nine[0]}" "${nine[8]}" "${nine[0]}" "${nine[1]}"
    assert_status 0
    [ "$(connections)" -eq 10 ]
    [ "$(grep -c 'connected to' <<<"$errors")" -eq 10 ]
    [ "$(grep -c 'closed' <<<"$errors")" -eq 10 ]
}

@test "one connection to an HTTP proxy serves all hosts" {
    serve_text --keep=3 "${OK}Content-Length: 1\r\n\r\n"{a,b,c}
    try "$SOCKCTL" http-get -x "$URL" a.test b.test c.test:81
    assert_status 0
    assert_output abc
    [ "$(grep -c CLIENT peer.out)" -eq 1 ]
    # What no_proxy takes off the proxy does not go by its connection.
    finish peer
    web_start
    local web=$URL
    serve_text --keep=2 "${OK}Content-Length: 1\r\n\r\n"{a,b}
    try env http_proxy="$URL" no_proxy=127.0.0.1 "$SOCKCTL" http-get a.test "$web/x" b.test "$web/x"
    assert_status 0
    assert_output $'ahello\nbhello'
    [ "$(connections)" -eq 1 ]
}

@test "one that its server has closed meanwhile is not used again" {
    web_start
    local web=$URL
    serve_text "${OK}Content-Length: 1\r\n\r\n"{a,b}
    try "$SOCKCTL" http-get "$URL/1" "$web/x" "$URL/2" "$web/x"
    assert_status 0
    assert_output $'ahello\nbhello'
    [ -z "$errors" ]
    [ "$(requests | grep -c GET)" -eq 2 ]
    [ "$(connections)" -eq 1 ]
}

@test "what comes by an idle connection while another serves is no answer to what is asked next" {
    need python3
    start peer python3 -c '
import socket
first, second = socket.create_server(("127.0.0.1", 0)), socket.create_server(("127.0.0.1", 0))
answer = lambda text: b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(text), text)
print("PORTS", first.getsockname()[1], second.getsockname()[1], flush=True)
a = first.accept()[0]; a.recv(4096); a.sendall(answer(b"one"))
b = second.accept()[0]; b.recv(4096)
a.sendall(answer(b"forged")) # the kernel has it for the client before it has the next answer
b.sendall(answer(b"two"))
first.settimeout(10)
c = first.accept()[0]; c.recv(4096); c.sendall(answer(b"three"))'
    wait_file peer.out '^PORTS '
    read -r _ first second <<<"$LINE"
    try "$SOCKCTL" http-get "127.0.0.1:$first" "127.0.0.1:$second" "127.0.0.1:$first"
    assert_status 0
    assert_output onetwothree
    finish peer
    assert_status 0
}
