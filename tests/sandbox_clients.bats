#!/usr/bin/env bats
#
# What http-get, resolve and connect -z give up, and connect where a program has connected: the table of sockctl(1), SECURITY
# CONSIDERATIONS, compared with the calls that are possible then.

load helpers/common
load helpers/http
load helpers/tls
load helpers/sandbox

# A web server that says each of these once.
answers() {
    rm -f passed
    serve_text "$@"
}

BODY="${OK}Content-Length: 5\\r\\n\\r\\nhello"

@test "17: http-get: nothing but its connection and its output is left" {
    answers "$BODY" "$BODY"
    try "${intruder[@]}" http-get "$URL"
    assert_status 0
    assert_output hello
    assert_kept http-get
    touch own/beside
    rm passed
    AFTER_CUT_FILE=$T/own/beside try "${intruder[@]}" http-get -f "localhost:${URL#*:}"
    assert_output hello
    assert_kept http-get # whose look-up is over
    [ -e own/beside ]
}

@test "17: http-get -o, -O, -C: the directory of the file" {
    answers "$BODY" "$BODY" "$BODY" "$BODY"
    try "${intruder[@]}" http-get -o own/file "$URL"
    assert_status 0
    assert_kept 'http-get -o FILE'
    [ "$(<own/file)" = hello ]
    ln -s own/there link # which leads to a file that is not there yet
    rm passed
    try "${intruder[@]}" http-get -o link "$URL"
    assert_status 0
    [ "$(<own/there)" = hello ]
    assert_kept 'http-get -o FILE'
    rm passed
    try "${intruder[@]}" http-get -C -o own/part "$URL"
    assert_status 0
    [ "$(<own/part)" = hello ]
    assert_kept 'http-get -o FILE'
    rm passed
    try env -C own "${intruder[@]}" http-get -O "$URL/name"
    assert_status 0
    [ "$(<own/name)" = hello ]
    assert_kept 'http-get -o FILE'
}

@test "17: http-get, several URLs, --retry: it can connect again, and look up what is a name" {
    answers "$BODY" "$BODY" "$BODY"
    try "${intruder[@]}" http-get "$URL" "$URL"
    assert_status 0
    assert_output hellohello
    assert_kept 'http-get URL URL'
    rm passed
    try "${intruder[@]}" http-get --retry 1 "localhost:${URL#*:}"
    assert_output hello
    assert_kept 'http-get --retry N NAME'
}

@test "17: http-get -L: once nothing leads to https any more" {
    answers "HTTP/1.1 302 Found\r\nLocation: /b\r\nContent-Length: 0\r\n\r\n" "$BODY"
    try "${intruder[@]}" http-get -L "$URL"
    assert_status 0
    assert_output hello
    assert_kept http-get
    answers "$BODY"
    try "${intruder[@]}" http-get -vL --retry 1 "$URL"
    assert_output hello
    [ ! -s passed ] || fail 'there is a sandbox'
    [[ $errors == *'sockctl: no sandbox: '* ]] || fail "$errors"
}

@test "17: http-get, connect --tls, --via: what has connected is not bound" {
    need openssl
    authority ca /CN=testca
    issue good ca /CN=localhost 'subjectAltName=DNS:localhost,IP:127.0.0.1' 3
    answers --tls="$T/good" "$BODY"
    try "${intruder[@]}" http-get --tls-ca ca.pem "https://$URL"
    assert_status 0
    assert_output hello
    assert_kept 'connect --tls, --via'
    answers "$BODY" "$BODY"
    try "${intruder[@]}" http-get --via "$SOCKCTL connect --no-sandbox %h %p" "$URL"
    assert_status 0
    assert_output hello
    assert_kept 'connect --tls, --via'
    rm passed
    TRY_STDIN=<(printf 'GET / HTTP/1.0\r\n\r\n') try "${intruder[@]}" connect \
        --via "grep NoNewPrivs: /proc/self/status >&2; exec '$SOCKCTL' connect --no-sandbox %h %p" "$URL"
    assert_status 0
    [[ $output == *hello ]] || fail "$output"
    [[ $errors =~ NoNewPrivs:[[:space:]]*0 ]] || fail "$errors"
    assert_kept 'connect --tls, --via'
}

@test "17: resolve: the system's resolver, or DNS alone" {
    try "${intruder[@]}" resolve -s localhost
    assert_status 0
    assert_kept resolve
    rm passed
    try "${intruder[@]}" resolve -s --explain localhost 127.0.0.1
    assert_status 0
    assert_kept resolve
    rm passed
    try "${intruder[@]}" resolve -t A -t AAAA --server 127.0.0.1:1 -w 0.3 a.test b.test
    assert_kept 'resolve -t TYPE'
}

@test "17: connect -z: it can connect, and look up where there are more rounds" {
    start server "$SOCKCTL" echo-server 127.0.0.1:0
    listening server
    try "${intruder[@]}" connect -z 127.0.0.1 "$PORT"
    assert_output "127.0.0.1 $PORT open"
    assert_kept 'connect -z'
    rm passed
    try "${intruder[@]}" connect -z --wait 5 localhost "$PORT"
    assert_status 0
    assert_kept 'connect -z --wait NAME'
    rm passed
    try "${intruder[@]}" connect -v -z 127.0.0.1 "$PORT" -- grep NoNewPrivs: /proc/self/status
    [[ $output =~ NoNewPrivs:[[:space:]]*0 ]] || fail "$output"
    [[ $errors == *'sockctl: no sandbox: a program is started'* ]] || fail "$errors"
    [ ! -s passed ] || fail 'there is a sandbox'
    stop server
}

@test "17: without Landlock and seccomp: done without, and said at -v; the limits hold" {
    cc -o lacking "$HELPERS/lacking.c"
    answers "$BODY"
    try ./lacking 38 "$SOCKCTL" http-get -vo own/file "$URL"
    assert_status 0
    [ "$(<own/file)" = hello ]
    [[ $errors == *'sandbox without Landlock: '*'sandbox without a seccomp filter: '* ]] || fail "$errors"
    try ./lacking 1 "$SOCKCTL" resolve -s localhost
    assert_status 0
    start server "$SOCKCTL" echo-server 127.0.0.1:0
    listening server
    try ./lacking 1 "$SOCKCTL" connect -z 127.0.0.1 "$PORT"
    assert_status 0
    mkfifo held
    START_STDIN=held start client ./lacking 38 "$SOCKCTL" connect -v 127.0.0.1 "$PORT"
    exec 9>held
    wait_line client 'sandbox without a seccomp filter'
    grep -qE '^Max core file size +0 +0 ' "/proc/${PIDS[client]}/limits" || fail 'there may be a core dump'
    grep -qE '^Max processes +0 +0 ' "/proc/${PIDS[client]}/limits" || fail 'there may be more processes'
    exec 9>&-
    finish client
    assert_status 0
    stop server
}

@test "17: --no-sandbox: clients give up nothing" {
    start server "$SOCKCTL" listen -k --greeting "$BODY" 127.0.0.1:0
    listening server
    try "${intruder[@]}" http-get --no-sandbox "127.0.0.1:$PORT"
    assert_output hello
    try "${intruder[@]}" connect -z --no-sandbox 127.0.0.1 "$PORT"
    assert_status 0
    try "${intruder[@]}" resolve -s --no-sandbox localhost
    assert_status 0
    [ ! -s passed ] || fail 'there is a sandbox'
    stop server
}
