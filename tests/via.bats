#!/usr/bin/env bats
#
# connect, http-get --via: the connection is a program's stdin and stdout.

load helpers/common
load helpers/http

setup() { common_setup; }
teardown() { common_teardown; }

@test "--via: a program connects, with %h, %p and %% put in" {
    start server "$SOCKCTL" echo-server 127.0.0.1:0
    listening server
    echo hello >words
    TRY_STDIN=words try "$SOCKCTL" connect -N --via "$SOCKCTL connect -N %h %p" 127.0.0.1 "$PORT"
    assert_status 0
    assert_output hello
    [ -z "$errors" ]
    try "$SOCKCTL" connect --via 'echo "%h|%p|%%|%x|100%%"' name.test 80
    assert_status 0
    assert_output 'name.test|80|%|%x|100%'
    stop server
}

@test "--via: the half stays open without -N, and -q limits the wait" {
    echo hello >words
    # shellcheck disable=SC2016 # the program's
    local until_end='cat >/dev/null; echo end'
    TRY_STDIN=words try "$SOCKCTL" connect -q 0.3 --via "$until_end" h 1
    assert_status 0
    assert_output ''
    TRY_STDIN=words try "$SOCKCTL" connect -N --via "$until_end" h 1
    assert_status 0
    assert_output end
}

@test "--via: a program that fails is why there is no connection" {
    try "$SOCKCTL" connect --via 'exit 3' db 1
    assert_status 4
    assert_one_error_line
    assert_errors "^sockctl: connect to db:1 by 'exit 3': it ended with status 3$"
    try "$SOCKCTL" connect --via 'echo some; exit 3' db 1
    assert_status 1
    assert_output some
    assert_errors 'it ended with status 3$'
    # shellcheck disable=SC2016
    try "$SOCKCTL" connect --via 'kill -9 $$' db 1
    assert_status 4
    assert_errors 'it was ended by signal 9'
    try "$SOCKCTL" connect --via '/no/such %h' db 1
    assert_status 127
    assert_errors "it ended with status 127$"
    : >plain
    try "$SOCKCTL" connect --via ./plain db 1
    assert_status 126
    # Its stderr is ours.
    try "$SOCKCTL" connect --via 'echo complaint >&2; exit 1' db 1
    assert_errors '^complaint$'
    # One that takes nothing and ends with 0 has ended the connection.
    try "$SOCKCTL" connect --via true db 1
    assert_status 0
}

@test "--via: 2 MiB there and back, and whatever it writes" {
    head -c 2097152 /dev/urandom >big
    TRY_STDIN=big try "$SOCKCTL" connect -N --via cat h 1
    assert_status 0
    cmp big try.out
    try "$SOCKCTL" connect --via 'head -c 100000 /dev/zero' h 1
    assert_status 0
    [ "$(wc -c <try.out)" -eq 100000 ]
}

@test "--via: the program ends with us: after -q, a limit, a signal" {
    # shellcheck disable=SC2016
    local forever='echo $$ >id; trap "" HUP; exec sleep 60'
    try "$SOCKCTL" connect -q 0.2 --via "$forever" h 1
    assert_status 0
    poll 5000 gone "$(<id)" || fail "it still runs"
    rm id
    try "$SOCKCTL" connect --max-time 0.3 --via "$forever" h 1
    assert_status 5
    poll 5000 gone "$(<id)" || fail "it still runs"
    rm id
    start client "$SOCKCTL" connect --no-shutdown --via "$forever" h 1
    poll 10000 test -s id
    kill -TERM "${PIDS[client]}"
    finish client
    assert_status 143
    poll 5000 gone "$(<id)" || fail "it still runs"
}

@test "--via: with a program, a dialog, a probe" {
    try "$SOCKCTL" connect --via 'cat' -c 'echo to; read -r line; echo "$line" >got' h 1
    assert_status 0
    [ "$(<got)" = to ]
    try "$SOCKCTL" connect --via 'echo 220 ready; read -r line; echo "250 $line"' \
        --expect '^220' --send 'hi\n' --expect '^250 hi' h 1
    assert_status 0
    try "$SOCKCTL" connect -z --via 'echo banner; sleep 5' h 22
    assert_status 0
    assert_output 'h 22 open'
    try "$SOCKCTL" connect -z -w 0.3 --via 'exec sleep 5' h 22
    assert_status 0
    try "$SOCKCTL" connect -zv --via 'test %p = 22 && echo yes' h 21,22
    assert_status 4
    [[ $output == 'h 21 closed '*$'\n''h 22 open '* ]] || show_results 'not those two lines'
}

@test "--via: what a shell would take is refused, as is what it cannot connect to" {
    local host
    for host in 'a;b' '$(x)' "a'b" 'a b' -oProxyCommand=x; do
        try "$SOCKCTL" connect --via 'echo %h' -- "$host" 1
        [ "$status" -eq 2 ] || [ "$status" -eq 3 ] || fail "$host"
        assert_output ''
    done
    try "$SOCKCTL" connect --via cat ./socket
    assert_usage_error '--via is for'
    try "$SOCKCTL" connect --via cat -u h 1
    assert_usage_error '--via is for'
    try "$SOCKCTL" connect --via '' h 1
    assert_usage_error "option --via: '' is empty"
    try "$SOCKCTL" connect --via cat -x socks5://h h 1
    assert_usage_error 'option --proxy: with --via, COMMAND makes the connection'
}

@test "http-get --via: requests through a program; its failure is ours" {
    serve_text "$OK"'Content-Length: 3\r\n\r\nabc'
    try "$SOCKCTL" http-get --via "$SOCKCTL connect 127.0.0.1 ${URL#*:}" http://elsewhere.test/
    assert_status 0
    assert_output abc
    requests | grep -qx 'Host: elsewhere.test'
    try "$SOCKCTL" http-get --via 'exit 5' http://elsewhere.test/
    assert_status 4
    assert_one_error_line
    assert_errors "connect to elsewhere.test:80 by 'exit 5': it ended with status 5$"
    try "$SOCKCTL" http-get --via cat https://elsewhere.test/
    assert_usage_error '--via is for http://'
}

@test "http-get --via: a long body in crumbs is whole, by its length, its end, and in chunks" {
    cat >crumbs <<'EOF'
sed '/^.$/q' >/dev/null
printf 'HTTP/1.1 200 OK\r\n%s\r\n\r\n' "$1"
exec dd "if=$2" bs=1000 2>/dev/null
EOF
    seq 60000 >body
    split -b 10000 -a 3 body part.
    for part in part.*; do
        printf '%x\r\n' "$(wc -c <"$part")"
        cat "$part"
        printf '\r\n'
    done >chunks
    printf '0\r\n\r\n' >>chunks
    for answer in "'Content-Length: $(wc -c <body)' body" "'Connection: close' body" "'Transfer-Encoding: chunked' chunks"; do
        try "$SOCKCTL" http-get -o there --via "sh crumbs $answer" http://crumbs.test/
        assert_status 0
        cmp body there
    done
}
