#!/usr/bin/env bats
# connect through proxies: SOCKS5, SOCKS4, SOCKS4a and HTTP CONNECT; real ones, and scripted ones
# that refuse, lie, or never come to an end.

load helpers/common

# dialogue NAME ARGS…: helpers/dialogue.py as NAME; PORT is its port.
dialogue() {
    need python3
    start "$1" python3 "$HELPERS/dialogue.py" "${@:2}"
    wait_file "$1.out" '^PORT '
    PORT=${LINE#PORT }
}

echo_server() {
    start server "$SOCKCTL" echo-server 127.0.0.1:0
    listening server
    TARGET=$PORT
}

free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

# answers PROXY TARGET…: what is said comes back through the proxy.
answers() {
    try "$SOCKCTL" connect -x "$1" --send 'hello\n' --expect 'hello\n' "${@:2}"
    assert_status 0
    assert_output hello
}

# refused STATUS ERE ARGS…
refused() {
    TRY_STDIN=<(echo hello) try "$SOCKCTL" connect "${@:3}"
    assert_status "$1"
    assert_output ""
    assert_one_error_line
    assert_errors "$2"
}

# with_proxy NAME CMD…: a real proxy that anybody may use, as `proxy`; $PROXY is its URL, for CMD.
with_proxy() {
    local name=$1 port
    need "$name" python3 || return
    port=$(free_port)
    PROXY=http://127.0.0.1:$port
    case $name in
        microsocks)
            PROXY=socks5://127.0.0.1:$port
            start proxy microsocks -i 127.0.0.1 -p "$port"
            ;;
        tinyproxy)
            printf '%s\n' "Port $port" 'Listen 127.0.0.1' 'Timeout 20' >conf
            start proxy tinyproxy -d -c conf
            ;;
        ncat) start proxy ncat -lk 127.0.0.1 "$port" --proxy-type http ;;
        squid)
            chmod 755 .
            printf '%s\n' "http_port 127.0.0.1:$port" 'acl CONNECT method CONNECT' \
                'http_access allow CONNECT' 'access_log none' 'cache_log /dev/null' 'cache deny all' \
                'shutdown_lifetime 0 seconds' 'pid_filename none' 'pinger_enable off' >conf
            start proxy squid -N -f conf
            ;;
    esac
    poll 10000 "$SOCKCTL" connect -z 127.0.0.1 "$port"
    "${@:2}"
    kill -s TERM "${PIDS[proxy]}"
    until_gone "${PIDS[proxy]}" 10000
}

granted='\5\0\0\1\1\2\3\4\0\120'

@test "SOCKS5 through microsocks, by address and by name" {
    need microsocks python3
    echo_server
    port=$(free_port)
    start proxy microsocks -i 127.0.0.1 -p "$port"
    poll 5000 "$SOCKCTL" connect -z 127.0.0.1 "$port"
    answers "socks5://127.0.0.1:$port" 127.0.0.1 "$TARGET"
    answers "socks5h://127.0.0.1:$port" localhost "$TARGET"
    refused 6 "connect to 127.0.0.1:1: proxy 127.0.0.1:$port: connection refused" \
        -x "socks5://127.0.0.1:$port" 127.0.0.1 1
}

@test "SOCKS5 with a user name and a password" {
    need microsocks python3
    echo_server
    port=$(free_port)
    start proxy microsocks -i 127.0.0.1 -p "$port" -u me -P 'p:@ss'
    poll 5000 "$SOCKCTL" connect -z 127.0.0.1 "$port"
    answers "socks5://me:p%3A%40ss@127.0.0.1:$port" 127.0.0.1 "$TARGET"
    refused 6 'user name or password refused' -x "socks5://me:wrong@127.0.0.1:$port" 127.0.0.1 "$TARGET"
    refute grep -q wrong try.err
    refused 6 'it wants to know who we are' -x "socks5://127.0.0.1:$port" 127.0.0.1 "$TARGET"
}

@test "HTTP CONNECT through tinyproxy" {
    need tinyproxy python3
    echo_server
    port=$(free_port)
    printf '%s\n' "Port $port" 'Listen 127.0.0.1' 'Timeout 20' 'BasicAuth me secret' "ConnectPort $TARGET" >conf
    start proxy tinyproxy -d -c conf
    poll 5000 "$SOCKCTL" connect -z 127.0.0.1 "$port"
    answers "http://me:secret@127.0.0.1:$port" 127.0.0.1 "$TARGET"
    refused 6 'proxy 127.0.0.1:[0-9]+: 40[17] ' -x "http://127.0.0.1:$port" 127.0.0.1 "$TARGET"
    refused 6 'proxy 127.0.0.1:[0-9]+: 403 ' -x "http://me:secret@127.0.0.1:$port" 127.0.0.1 1
}

@test "HTTP CONNECT through ncat" {
    need ncat python3
    echo_server
    port=$(free_port)
    start proxy ncat -l 127.0.0.1 "$port" --proxy-type http
    poll 5000 "$SOCKCTL" connect -z 127.0.0.1 "$port"
    answers "http://127.0.0.1:$port" localhost "$TARGET"
}

@test "SOCKS4 and 4a say what their authors wrote" {
    dialogue proxy '\0\132......'
    TRY_STDIN=<(echo hello) try "$SOCKCTL" connect -N -x "socks4://me@127.0.0.1:$PORT" 10.1.2.3 80
    assert_status 0
    assert_output hello
    finish proxy
    assert_output "PORT $PORT"$'\n'040100500a0102036d6500
    dialogue proxy '\0\132......'
    TRY_STDIN=<(echo hello) try "$SOCKCTL" connect -N -x "socks4a://127.0.0.1:$PORT" a.example 80
    assert_status 0
    finish proxy
    assert_output "PORT $PORT"$'\n'040100500000000100612e6578616d706c6500
}

@test "bytes that follow the proxy's answer are data, however they are cut" {
    for cut in '' --byte; do
        dialogue proxy $cut '\5\0' "${granted}first words "
        TRY_STDIN=<(echo hello) try "$SOCKCTL" connect -N -x "socks5://127.0.0.1:$PORT" 10.1.2.3 80
        assert_status 0
        assert_output "first words hello"
        dialogue proxy $cut 'HTTP/1.0 200 OK\r\nVia: me\r\n\r\nfirst words '
        TRY_STDIN=<(echo hello) try "$SOCKCTL" connect -N -x "http://127.0.0.1:$PORT" 10.1.2.3 80
        assert_status 0
        assert_output "first words hello"
    done
}

@test "13.3: interim answers to CONNECT are skipped, and what a 2xx says of a body is ignored" {
    local head heads=('Content-Length: 0\r\n' 'Content-Length: 10\r\n' 'Transfer-Encoding: chunked\r\n'
        'Transfer-Encoding: gzip\r\nContent-Length: x\r\n' 'Content-Length: 1\r\nContent-Length: 2\r\n'
        'Content-Length: 1\r\n 2\r\n' 'Via: 1.1 a,\r\n 1.1 b\r\n')
    for head in "${heads[@]}"; do
        dialogue proxy "HTTP/1.1 200 OK\r\n$head\r\nfirst words "
        TRY_STDIN=<(echo hello) try "$SOCKCTL" connect -N -x "http://127.0.0.1:$PORT" 10.1.2.3 80
        assert_status 0
        assert_output "first words hello" || fail "$head"
    done
    for cut in '' --byte; do
        dialogue proxy $cut 'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 x\r\nA: b\r\n\r\nHTTP/1.2 200 OK\r\n\r\nfirst words '
        TRY_STDIN=<(echo hello) try "$SOCKCTL" connect -N -x "http://127.0.0.1:$PORT" 10.1.2.3 80
        assert_status 0
        assert_output "first words hello"
    done
    dialogue proxy "$(for _ in {1..17}; do printf 'HTTP/1.1 100 x\\r\\n\\r\\n'; done)HTTP/1.1 200 OK\r\n\r\n"
    refused 6 'too many interim answers' -x "http://127.0.0.1:$PORT" a 80
    dialogue proxy 'HTTP/1.1 101 Switching Protocols\r\n\r\n'
    refused 6 'proxy 127.0.0.1:[0-9]+: 101 Switching' -x "http://127.0.0.1:$PORT" a 80
    dialogue proxy 'HTTP/1.1 407 x\r\nContent-Length: 1\r\n 2\r\n\r\n'
    refused 6 'a folded Content-Length' -x "http://127.0.0.1:$PORT" a 80
}

@test "each refusal of a SOCKS5 proxy has its words" {
    words=(x 'general failure' 'not allowed by its rules' 'network unreachable' 'host unreachable'
        'connection refused' 'timed out' 'does not know the command' 'does not know the kind of address'
        'a code that means nothing')
    for code in 1 2 3 4 5 6 7 8 9; do
        dialogue proxy '\5\0' "\\5\\$(printf %o "$code")\\0\\1\\0\\0\\0\\0\\0\\0"
        refused 6 "${words[code]}" -x "socks5://127.0.0.1:$PORT" a.example 80
    done
}

@test "hostile answers are status 6" {
    dialogue proxy --close '\5'
    refused 6 'closed the connection instead of an answer' -x "socks5://127.0.0.1:$PORT" a 80
    dialogue proxy --close '\5\0' '\5\0\0\3\377abc'
    refused 6 'closed the connection' -x "socks5://127.0.0.1:$PORT" a 80
    dialogue proxy 'HTTP/1.1 400 Bad Request\r\n\r\n'
    refused 6 'its answer is not SOCKS5' -x "socks5://127.0.0.1:$PORT" a 80
    dialogue proxy '\5\0'
    refused 6 'proxy 127.0.0.1:[0-9]+: ' -x "http://127.0.0.1:$PORT" a 80
    dialogue proxy 'HTTP/1.1 200 OK\r\nNoColon\r\n\r\n'
    refused 6 'a field without a colon' -x "http://127.0.0.1:$PORT" a 80
    dialogue proxy "$(printf 'HTTP/1.1 200 OK\\r\\nX: '; head -c 100000 /dev/zero | tr '\0' x)"
    refused 6 'its answer has no end' -x "http://127.0.0.1:$PORT" a 80
    dialogue proxy 'HTTP/1.1 \33[31m\r\n\r\n'
    refused 6 'proxy' -x "http://127.0.0.1:$PORT" a 80
    refute grep -q $'\33' try.err
}

@test "a proxy that says nothing is status 5 at the limit" {
    dialogue proxy --silent
    refused 5 'proxy 127.0.0.1:[0-9]+: timed out' -w 300ms -x "socks5://127.0.0.1:$PORT" a 80
}

@test "a proxy that is not there is named" {
    refused 4 'connect to 127.0.0.1:1: Connection refused' -x socks5://127.0.0.1:1 a.example 80
}

@test "ALL_PROXY counts with --proxy-env alone" {
    echo_server
    export ALL_PROXY=socks5://127.0.0.1:1
    TRY_STDIN=<(echo hello) try "$SOCKCTL" connect 127.0.0.1 "$TARGET"
    assert_output hello
    refused 4 '127.0.0.1:1: Connection refused' --proxy-env 127.0.0.1 "$TARGET"
}

@test "what no proxy can do is a usage error" {
    for bad in ftp://a socks5:// socks5://a:b socks5://a/path 'socks5://a b' a:1080; do
        try "$SOCKCTL" connect -x "$bad" a 80
        assert_usage_error 'proxy'
    done
    try "$SOCKCTL" connect -x socks5://secret:word@a:x b 80
    assert_usage_error
    refute grep -q word try.err
    try "$SOCKCTL" connect -u -x socks5://a b 80
    assert_usage_error 'option --proxy is for TCP'
    try "$SOCKCTL" connect -x socks5://a /tmp/s
    assert_usage_error 'option --proxy is for TCP'
    try "$SOCKCTL" connect -x socks4://a ::1 80
    assert_usage_error 'SOCKS4 knows no IPv6 addresses'
    try "$SOCKCTL" connect -z -x socks5://a b 80
    assert_usage_error 'option --proxy makes no sense with --probe'
}

@test "a bad ALL_PROXY is named, without its password" {
    for bad in https://me:pass.word@a ftp://me:pass.word@a 'socks5://me:pass.word@a b' me:pass.word@a:1080; do
        ALL_PROXY=$bad try "$SOCKCTL" connect --proxy-env a 80
        assert_usage_error 'ALL_PROXY'
        refute grep -q pass.word try.err
        ALL_PROXY=$bad try "$SOCKCTL" connect 127.0.0.1 1
        assert_status 4
    done
    ALL_PROXY='' try "$SOCKCTL" connect --proxy-env 127.0.0.1 1
    assert_status 4
}

@test "credentials are never told, also at -vv" {
    dialogue proxy --silent '\5\2' '\1\0' "$granted"
    try "$SOCKCTL" connect -vv -x "socks5://user.name:pass.word@127.0.0.1:$PORT" --send hi --max-time 300ms a.example 80
    dialogue proxy --silent 'HTTP/1.1 407 No\r\n\r\n'
    cat try.err >all
    try "$SOCKCTL" connect -vv -x "http://user.name:pass.word@127.0.0.1:$PORT" a.example 80
    assert_status 6
    cat try.err >>all
    grep -q 'send(' all
    refute grep -Eq 'user.name|pass.word|Basic|dXNlci5uYW1l' all
}

# Its client has ended its input before the answer comes, as in a pipe.
late_answer() {
    for how in "-x $PROXY" "-x $PROXY --no-shutdown" "-x $PROXY -q 8"; do
        # shellcheck disable=SC2086 # words
        TRY_STDIN=<(echo hello) try "$SOCKCTL" connect $how 127.0.0.1 "$TARGET"
        assert_status 0
        assert_output 'you said hello'
        : >errors
    done
}

# A server that answers a line half a second after it: a proxy that has seen an end by then is gone.
late_server() {
    start server "$SOCKCTL" listen -k 127.0.0.1:0 -c 'read -r line; sleep 0.5; echo "you said $line"'
    listening server
    TARGET=$PORT
}

@test "13.7: the answer to a pipe comes, through microsocks" {
    late_server
    with_proxy microsocks late_answer
}

@test "13.7: the answer to a pipe comes, through tinyproxy" {
    late_server
    with_proxy tinyproxy late_answer
}

@test "13.7: the answer to a pipe comes, through ncat" {
    late_server
    with_proxy ncat late_answer
}

@test "13.7: the answer to a pipe comes, through squid" {
    command -v squid >/dev/null || skip "squid is not installed"
    late_server
    with_proxy squid late_answer
}

# clone: a repository over git://, and back; git wants status 0 of what it calls.
clone() {
    printf '#!/bin/sh\nexec "$SOCKCTL" connect -x "$PROXY" "$1" "$2"\n' >git-proxy
    chmod 755 git-proxy
    export PROXY GIT_PROXY_COMMAND=$T/git-proxy
    for version in 0 1 2; do
        rm -rf copy
        TRY_SECONDS=60 try git -c protocol.version=$version clone -q "git://127.0.0.1:$GIT_PORT/repository" copy
        assert_status 0
        [ "$(git -C copy rev-parse HEAD)" = "$(git --git-dir=repository rev-parse HEAD)" ]
        cmp copy/file file
        TRY_SECONDS=60 try git -c protocol.version=$version ls-remote "git://127.0.0.1:$GIT_PORT/repository"
        assert_status 0
        git -C copy commit -q --allow-empty -m "version $version"
        TRY_SECONDS=60 try git -C copy -c protocol.version=$version push -q
        assert_status 0
        [ -z "$errors" ] || show_results "git complains"
        [ "$(git -C copy rev-parse HEAD)" = "$(git --git-dir=repository rev-parse HEAD)" ]
    done
}

git_daemon() {
    need git python3
    export HOME=$T GIT_CONFIG_NOSYSTEM=1 GIT_TERMINAL_PROMPT=0
    git config --global user.name me
    git config --global user.email me@example.com
    git config --global safe.directory '*'
    git init -q work
    head -c 3000000 /dev/urandom >file
    cp file work/file
    git -C work add file
    git -C work commit -qm one
    git clone -q --bare work repository
    GIT_PORT=$(free_port)
    start daemon git daemon --export-all --enable=receive-pack --listen=127.0.0.1 \
        "--port=$GIT_PORT" --base-path="$T"
    poll 10000 "$SOCKCTL" connect -z 127.0.0.1 "$GIT_PORT"
}

@test "13.7: GIT_PROXY_COMMAND clones and pushes through CONNECT (tinyproxy)" {
    git_daemon
    with_proxy tinyproxy clone
}

@test "13.7: GIT_PROXY_COMMAND clones and pushes through SOCKS5 (microsocks)" {
    git_daemon
    with_proxy microsocks clone
}

@test "13.7: through a proxy, -N shuts down, and -q ends; --send likewise" {
    dialogue proxy '\5\0' "${granted}"
    TRY_STDIN=<(echo hello) try "$SOCKCTL" connect -N -x "socks5://127.0.0.1:$PORT" 10.1.2.3 80
    assert_status 0
    assert_output hello
    dialogue proxy '\5\0' "${granted}"
    try "$SOCKCTL" connect -N -x "socks5://127.0.0.1:$PORT" --send hello 10.1.2.3 80
    assert_status 0
    assert_output hello
    for words in '' '--send hello'; do
        dialogue proxy '\5\0' "${granted}"
        # shellcheck disable=SC2086 # words
        TRY_STDIN=<(printf hello) try "$SOCKCTL" connect -q 500ms -vv -x "socks5://127.0.0.1:$PORT" $words 10.1.2.3 80
        assert_status 0
        assert_output hello
        refute grep -q 'shutdown(' try.err
        dialogue proxy '\5\0' "${granted}"
        # shellcheck disable=SC2086 # words
        TRY_STDIN=<(printf hello) try "$SOCKCTL" connect --max-time 500ms -vv -x "socks5://127.0.0.1:$PORT" $words 10.1.2.3 80
        assert_status 5
        refute grep -q 'shutdown(' try.err
    done
}

@test "13.8: -i holds while a proxy is talked to, in http-get too" {
    for proxy in socks5 socks4 http; do
        dialogue proxy --silent
        refused 5 'proxy 127.0.0.1:[0-9]+: nothing moved' -i 300ms -x "$proxy://127.0.0.1:$PORT" 10.1.2.3 80
    done
    dialogue proxy --silent '\5\0'
    refused 5 'proxy 127.0.0.1:[0-9]+: nothing moved' -i 300ms -x "socks5://127.0.0.1:$PORT" 10.1.2.3 80
    # What trickles moves.
    dialogue proxy --silent 'HTTP/1.1 200 OK\r\n' 'X: y\r\n'
    refused 5 'nothing moved' -i 300ms -x "http://127.0.0.1:$PORT" 10.1.2.3 80
    for proxy in socks5 http; do
        dialogue proxy --silent
        try "$SOCKCTL" http-get --idle-timeout 300ms -x "$proxy://127.0.0.1:$PORT" http://a.example/
        assert_status 5
        assert_errors 'nothing moved'
    done
}
