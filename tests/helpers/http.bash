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

# serves_at_free_port NAME CONFIG CMD…: starts CMD as NAME, with what the function CONFIG prints for a port
# in $T/NAME.conf, until it answers at URL; again if the port is taken in between.
serves_at_free_port() {
    local name=$1 config=$2 attempt port
    shift 2
    mkdir -p www
    for attempt in 1 2 3 4 5; do
        port=$(free_port)
        "$config" "$port" >"$name.conf"
        start "$name" "$@"
        URL=127.0.0.1:$port
        ! poll 5000 answers_or_gone "$name" || gone "${PIDS[$name]}" || return 0
    done
    fail "$name does not start" "$name.err"
}

answers_or_gone() { gone "${PIDS[$1]}" || "$SOCKCTL" connect -z "$URL" >/dev/null 2>&1; }

# lighttpd_start and apache_start: the same as nginx_start, without the socket file.
lighttpd_start() {
    need lighttpd python3
    serves_at_free_port lighttpd lighttpd_config lighttpd -D -f lighttpd.conf
}

lighttpd_config() {
    printf '%s\n' "server.document-root = \"$T/www\"" 'server.bind = "127.0.0.1"' "server.port = $1" \
        'mimetype.assign = ("" => "application/octet-stream")' # without a type, no conditions
}

apache_start() {
    need apache2 python3
    [ -e /usr/lib/apache2/modules/mod_mpm_event.so ] || skip "apache2 has no mod_mpm_event here"
    serves_at_free_port apache apache_config apache2 -X -d "$T" -f "$T/apache.conf"
}

apache_config() {
    local module
    for module in mpm_event authz_core; do
        echo "LoadModule ${module}_module /usr/lib/apache2/modules/mod_$module.so"
    done
    printf '%s\n' "Listen 127.0.0.1:$1" 'ServerName localhost' "DocumentRoot $T/www" "PidFile $T/apache.id" \
        "ErrorLog $T/apache.log" 'User www-data' 'Group www-data' '<Directory />' 'Require all granted' '</Directory>'
    chmod a+rx "$T" www
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
