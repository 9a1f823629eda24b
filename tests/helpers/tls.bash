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
