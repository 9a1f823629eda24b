# shellcheck shell=bash
#
# Certificates of the tests' own in $BATS_FILE_TMPDIR, and servers that have them; needs helpers/http for https_text.

# authority NAME SUBJECT: a certificate that has signed itself.
authority() {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$1.key" -out "$1.pem" \
        -days 3 -subj "$2" -addext subjectAltName=DNS:localhost
}

# issue NAME ISSUER SUBJECT EXTENSION DAYS
issue() {
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$1.key" -out "$1.req" -subj "$3"
    openssl x509 -req -in "$1.req" -CA "$2.pem" -CAkey "$2.key" -CAcreateserial -days "$5" -out "$1.pem" \
        -extfile <(echo "$4")
}

# tls_setup_file: for setup_file: an authority, `ca`, and `good`, which it has issued to this host. Status 1: there is no
# openssl, and the tests will be skipped.
tls_setup_file() {
    command -v openssl >/dev/null || return
    cd "$BATS_FILE_TMPDIR" || return
    exec 2>openssl.log
    authority ca /CN=testca
    issue good ca /CN=localhost 'subjectAltName=DNS:localhost,IP:127.0.0.1' 3
}

# tls_setup: for setup; CA.
tls_setup() {
    common_setup
    need openssl
    # shellcheck disable=SC2034 # for the tests
    CA=$BATS_FILE_TMPDIR/ca.pem
}

# tls_nginx_start: nginx as `web`, which serves $T/www by https with the certificate `good`; PORT.
tls_nginx_start() {
    need nginx python3
    mkdir -p www temp
    umask 022
    serves_at_free_port web tls_nginx_config nginx -p "$T" -e "$T/nginx.log" -c "$T/web.conf"
    # shellcheck disable=SC2034 # for the tests
    PORT=${URL#*:}
}

tls_nginx_config() {
    cat <<EOF
daemon off; master_process off; pid $T/web.id;
events { worker_connections 512; }
http {
    access_log off;
    client_body_temp_path temp; proxy_temp_path temp; fastcgi_temp_path temp;
    uwsgi_temp_path temp; scgi_temp_path temp;
    server {
        listen 127.0.0.1:$1 ssl; root $T/www;
        ssl_certificate $BATS_FILE_TMPDIR/good.pem; ssl_certificate_key $BATS_FILE_TMPDIR/good.key;
    }
}
EOF
}

# tls_server CERTIFICATE OPTION…: openssl s_server as `server`, which serves $T; PORT.
tls_server() {
    start server openssl s_server -accept 127.0.0.1:0 -cert "$BATS_FILE_TMPDIR/$1.pem" \
        -key "$BATS_FILE_TMPDIR/$1.key" "${@:2}"
    wait_file server.out '^ACCEPT '
    # shellcheck disable=SC2034 # for the tests
    PORT=${LINE##*:}
}

# https_text END TEXT…: answers over TLS, and then ends: unwrap (in order) or close (cut). URL.
https_text() {
    serve_text --tls="$BATS_FILE_TMPDIR/good" --end="$1" "${@:2}"
    URL=https://localhost:${URL#*:}
}
