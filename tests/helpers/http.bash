# shellcheck shell=bash
#
# HTTP servers for the tests of http-get. Texts are as printf %b takes them.

# shellcheck disable=SC2034 # the start of most answers
OK='HTTP/1.1 200 OK\r\n'

# serve [OPTION…] FILE…: see http_peer.py; the address is in URL.
serve() {
    need python3
    start peer python3 "$HELPERS/http_peer.py" "$@"
    wait_file peer.out '^PORT '
    URL=127.0.0.1:${LINE#PORT }
}

# serve_text [OPTION…] TEXT…: the same with texts. No options, but those that start with --.
serve_text() {
    local i=0 arg given=()
    for arg; do
        if [[ $arg != --* ]]; then
            printf '%b' "$arg" >"text.$i"
            arg=text.$((i++))
        fi
        given+=("$arg")
    done
    serve "${given[@]}"
}

# What the server was sent.
requests() { tr -d '\r' <peer.err; }

# assert_requests TEXT
assert_requests() {
    requests | cmp -s - <(printf '%b' "$1") || fail "these were the requests:" peer.err
}

# nginx_start: serves $T/www on the address URL and on the socket file nginx.socket; in chunks below
# /included/.
nginx_start() {
    need nginx python3
    mkdir -p www temp
    local attempt port
    for attempt in 1 2 3 4 5; do
        port=$(free_port)
        nginx_config "$port" >nginx.conf
        start nginx nginx -p "$T" -e "$T/nginx.log" -c "$T/nginx.conf"
        URL=127.0.0.1:$port
        ! poll 5000 nginx_settled || gone "${PIDS[nginx]}" || return 0
        rm -f nginx.socket # the port was taken in between
    done
    fail "nginx does not start" nginx.log nginx.err
}

free_port() {
    python3 -c 'import socket; print(socket.create_server(("127.0.0.1", 0)).getsockname()[1])'
}

# Ready, or at its end.
nginx_settled() { gone "${PIDS[nginx]}" || [ -s nginx.ready ]; }

nginx_config() {
    cat <<EOF
daemon off; master_process off; worker_processes 1; pid $T/nginx.ready;
events { worker_connections 512; }
http {
    access_log off;
    client_body_temp_path temp; proxy_temp_path temp; fastcgi_temp_path temp;
    uwsgi_temp_path temp; scgi_temp_path temp;
    server {
        listen 127.0.0.1:$1; listen unix:$T/nginx.socket;
        root $T/www;
        location = /old { return 302 /new; }
        location = /empty { return 204; }
        location /included/ { alias $T/www/; ssi on; ssi_types *; }
    }
}
EOF
}
