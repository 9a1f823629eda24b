#!/usr/bin/env bats
# Passwords: not in the process list, not in messages, and read from files.

load helpers/common
load helpers/http

# What is secret here, and how it looks in a request.
SECRET=geheim
ENCODED=YWw6Z2VoZWlt

# A server that shows what it is sent, and never answers.
silent_server() {
    start server "$SOCKCTL" listen -k 127.0.0.1:0
    listening server
}

received() { [ -s server.out ] && grep -qE "$1" server.out; }

# hidden ERE WORDS… COMMAND ARGS…: while it runs, its command line has the WORDS, separated by spaces in
# the first of them, and not the secret; the server has been sent what matches ERE.
hidden() {
    local shown
    : >server.out
    start client "$SOCKCTL" "${@:3}"
    poll 10000 received "$1" || fail "this was not sent: $1" server.out client.err
    shown=$(tr '\0' ' ' <"/proc/${PIDS[client]}/cmdline")
    [[ $shown != *"$SECRET"* && $shown == *" $2 " ]] || fail "$shown is seen instead of: $2"
    stop client
    [ -z "$errors" ] || fail "$errors"
}

@test "12.2.6: http-get: credentials in arguments are overwritten in the process list" {
    silent_server
    url=127.0.0.1:$PORT
    basic="^Authorization: Basic $ENCODED"
    stars='*********'
    hidden "$basic" "http-get -u $stars $url" http-get -u al:$SECRET "$url"
    hidden "$basic" "http-get $url -4su$stars" http-get "$url" -4sual:$SECRET
    hidden "$basic" "http-get --user=$stars $url" http-get --user=al:$SECRET "$url"
    hidden "$basic" "http-get --user $stars $url" http-get --user al:$SECRET "$url"
    hidden "$basic" "http-get -u *** -u $stars $url" http-get -u "b:c" -u al:$SECRET "$url"
    hidden "$basic" "http-get http://$stars@$url/a@b?c@d" http-get "http://al:$SECRET@$url/a@b?c@d"
    hidden "$basic" "http-get $stars@$url" http-get al:$SECRET@"$url"
    hidden "$basic" "http-get -- $stars@$url?x=http://y" http-get -- "al:$SECRET@$url?x=http://y"
    hidden 'Basic Z2VoZWltOg==' "http-get ******@$url" http-get "$SECRET@$url"
    hidden '^Proxy-'"${basic#^}" "http-get -x http://$stars@$url host" http-get -x "http://al:$SECRET@$url" host
    hidden '^Proxy-'"${basic#^}" "http-get --prox=$stars@$url host" http-get "--prox=al:$SECRET@$url" host
    hidden . "http-get -x socks5://$stars@$url host" http-get -x "socks5://al:$SECRET@$url" host
    hidden "^Authorization: Bearer $SECRET" "http-get -HAuthorization:************** -H X: $url" http-get \
        "-HAuthorization: Bearer $SECRET" -H X: "$url"
    hidden "^Cookie: id=$SECRET" "http-get --cook id=****** -su *** $url" http-get --cook id=$SECRET -su b:c "$url"
    hidden '^GET /p@th' "http-get $url/p@th" http-get "$url/p@th"
}

@test "12.2.6: connect: those of a proxy are, too" {
    silent_server
    url=127.0.0.1:$PORT
    stars='*********'
    hidden "Basic $ENCODED" "connect -x http://$stars@$url h 1" connect -x "http://al:$SECRET@$url" h 1
    hidden "Basic $ENCODED" "connect -dxhttp://$stars@$url h 1" connect -dx"http://al:$SECRET@$url" h 1
    hidden "Basic $ENCODED" "connect h 1 --proxy=http://$stars@$url" connect h 1 --proxy="http://al:$SECRET@$url"
    hidden . "connect --proxy=socks5://$stars@$url h:1" connect --proxy="socks5://al:$SECRET@$url" h:1
}

@test "12.2.6: -u @FILE and -x @FILE: the first line" {
    silent_server
    url=127.0.0.1:$PORT
    printf 'al:%s\r\nmore\n' $SECRET >user
    printf 'http://al:%s@%s' $SECRET "$url" >proxy
    chmod 644 user proxy
    hidden "Authorization: Basic $ENCODED" "http-get -u @user $url" http-get -u @user "$url"
    hidden "Proxy-Authorization: Basic $ENCODED" "http-get -x @proxy h" http-get -x @proxy h
    hidden "Basic $ENCODED" "connect -x @proxy h 1" connect -x @proxy h 1
    START_STDIN=<(cat user) hidden "Basic $ENCODED" "http-get -u @- $url" http-get -u @- "$url"
    START_STDIN=user hidden "Basic $ENCODED" "http-get -u @/dev/stdin $url" http-get -u @/dev/stdin "$url"
    mkfifo fifo
    start writer bash -c 'exec >fifo; printf a; sleep 0.1; cut -c2- user'
    hidden "Basic $ENCODED" "http-get -u @fifo $url" http-get -u @fifo "$url"
    finish writer
}

@test "12.2.6: what follows the line on stdin is sent, and nothing of the line is" {
    start proxy "$SOCKCTL" echo-server 127.0.0.1:0
    listening proxy
    target=$PORT
    need python3
    start relay python3 -c '
import socket, sys
with socket.create_server(("127.0.0.1", 0)) as server:
    print("PORT", server.getsockname()[1], flush=True)
    for _ in range(2):
        with server.accept()[0] as client:
            head = b""
            while not head.endswith(b"\r\n\r\n"):
                head += client.recv(1)
            client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            print(client.makefile("rb").readline(), flush=True)'
    wait_file relay.out '^PORT '
    printf 'http://al:%s@127.0.0.1:%s\nrest\nend\n' $SECRET "${LINE#PORT }" >input
    TRY_STDIN=input try "$SOCKCTL" connect -x @- h "$target"
    assert_status 0
    TRY_STDIN=<(cat input) try "$SOCKCTL" connect -x @- h "$target"
    assert_status 0
    finish relay
    [ "${lines[1]} ${lines[2]}" = "b'rest\\n' b'rest\\n'" ] || show_results "something else was sent"
}

@test "12.2.6: a file without a secret in it is told in one line" {
    mkdir d
    : >empty
    printf '\nsecond\n' >blank
    printf 'a\0b\n' >nul
    head -c 4096 /dev/zero | tr '\0' a >long
    printf 'al:\001\n' >control
    for command in "http-get h -u" "http-get h -x" "connect h 1 -x"; do
        # shellcheck disable=SC2086 # several words
        for file in missing d; do
            try "$SOCKCTL" $command "@$file"
            assert_status 8
            assert_one_error_line
            assert_errors "(open missing: No such file or directory|read d: Is a directory)$"
        done
        # shellcheck disable=SC2086
        for file in empty blank nul long; do
            try "$SOCKCTL" $command "@$file"
            assert_usage_error "option --(user|proxy): the first line of $file (is empty|has a NUL in it|is longer than 4095 bytes)$"
        done
        # shellcheck disable=SC2086
        try "$SOCKCTL" $command @
        assert_status 8
    done
    try "$SOCKCTL" http-get -u @control h
    assert_usage_error 'option --user: its value'
    printf 'ftp://al:%s@h' $SECRET >other
    try "$SOCKCTL" http-get -x @other h
    assert_usage_error "option --proxy: '@h' has a scheme other than http"
    try "$SOCKCTL" connect -x @other h 1
    assert_usage_error 'proxy @h'
    try "$SOCKCTL" connect -x '' h 1
    assert_usage_error "option --proxy: '' is empty"
}

@test "12.2.6: a FIFO that says nothing keeps neither a time limit nor a signal" {
    mkfifo fifo
    for command in "http-get h -u" "http-get h -x" "connect h 1 -x"; do
        # shellcheck disable=SC2086 # several words
        try "$SOCKCTL" $command @fifo ${command:+$([[ $command == http* ]] && echo -m || echo --max-time)} 0.1
        assert_status 5
        assert_one_error_line
        # shellcheck disable=SC2086
        start stuck "$SOCKCTL" $command @fifo
        poll 5000 has_open "${PIDS[stuck]}" fifo
        stop stuck
        assert_status 143
    done
}

# has_open PID FILE
has_open() { find "/proc/$1/fd" -lname "*/$2" 2>/dev/null | grep -q .; }

@test "12.2.6: no message shows a password" {
    ok="$OK\r\nhello"
    answers=("$ok" "$ok" "$ok" "$ok" "$ok" "$ok" 'HTTP/1.1 404 x\r\n\r\n' '')
    serve_text "${answers[@]}"
    printf 'al:%s\n' $SECRET >user
    tries=(
        "-vvv -u al:$SECRET $URL" "-vvv --log=json http://al:$SECRET@$URL/" "-v --timing al:$SECRET@$URL"
        "--timing=json al:$SECRET@$URL" "-vvv -u @user $URL" "-vvv -x al:$SECRET@$URL h"
        "-v -u al:$SECRET $URL" "-v -L al:$SECRET@$URL"
        "al:$SECRET@127.0.0.1:1" "-x http://al:$SECRET@127.0.0.1:1 h" "-x socks5://al:$SECRET@127.0.0.1:1 h"
        "http://al:$SECRET@h:99999" "al:$SECRET@" "-x http://al:$SECRET@h:x h" "-x ftp://al:$SECRET@h h"
        "-O al:$SECRET@h/" "-H Authorization:$SECRET -u $(printf 'a:%s\001' $SECRET) h"
    )
    for arguments in "${tries[@]}"; do
        # shellcheck disable=SC2086 # several words
        try "$SOCKCTL" http-get $arguments
        refute grep -qE "$SECRET|$ENCODED" <<<"$output$errors"
    done
    try "$SOCKCTL" http-get -H "Authorization: $SECRET"$'\r' h
    assert_usage_error "option --header: 'Authorization: ...' "
    for url in "http://al:$SECRET@127.0.0.1:1" "socks5://al:$SECRET@127.0.0.1:1" "ftp://al:$SECRET@h" \
        "http://al:$SECRET@h:x" "http://al:$SECRET@h/path"; do
        try "$SOCKCTL" connect -vvv -x "$url" h 1
        refute grep -qE "$SECRET|$ENCODED" <<<"$output$errors"
    done
    ALL_PROXY=http://al:$SECRET@h:x try "$SOCKCTL" connect --proxy-env h 1
    assert_status 2
    refute grep -q $SECRET <<<"$errors"
}
