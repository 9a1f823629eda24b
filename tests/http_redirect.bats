#!/usr/bin/env bats
# http-get -L: where it goes, where it does not, and what it takes along.

load helpers/common
load helpers/http

# moved LOCATION…: the text of a redirect, with these fields.
moved() {
    printf 'HTTP/1.1 302 Found\\r\\n'
    printf 'Location:%s\\r\\n' "$@"
    printf 'Content-Length: 3\\r\\n\\r\\nold'
}
NEW="${OK}Content-Length: 3\\r\\n\\r\\nnew"

targets() { requests | sed -n 's/^GET \(.*\) HTTP.*/\1/p' | paste -sd' '; }

@test "without --location the redirect itself is printed" {
    serve_text "$(moved ' /x')"
    try "$SOCKCTL" http-get "$URL"
    assert_status 0
    assert_output old
}

@test "references of all forms are followed" {
    serve_text --keep=20 "$(moved ' b')" "$(moved ' ../c?d#e')" "$(moved ' ?f')" "$(moved '/../g/./h/..')" \
        "$(moved ' i j\xc3\xa9')" "$NEW"
    try "$SOCKCTL" http-get -L "$URL/x/a"
    assert_status 0
    assert_output new
    [ "$(targets)" = '/x/a /x/b /c?d /c?f /g/ /g/i%20j%C3%A9' ] || fail "$(targets)"
    stop peer || :
    serve_text "$(moved " http://127.0.0.1:0/")" "$NEW"
    try "$SOCKCTL" http-get -L "$URL"
    assert_status 6
    assert_errors 'redirected to .http://127.0.0.1:0/., which has a port out of range'
    try "$SOCKCTL" http-get -L "$URL"
    assert_output new
}

@test "each status that redirects, and those that do not" {
    local answers=()
    for status in 301 302 303 307 308; do
        answers+=("HTTP/1.1 $status x\\r\\nLocation: /y\\r\\n\\r\\nold" "$NEW")
    done
    for status in 200 201 300 305; do
        answers+=("HTTP/1.1 $status x\\r\\nContent-Length: 0\\r\\nLocation: /y\\r\\n\\r\\n")
    done
    serve_text "${answers[@]}"
    for status in 301 302 303 307 308; do
        try "$SOCKCTL" http-get -L "$URL"
        assert_status 0
        assert_output new
    done
    for status in 200 201 300 305; do
        try "$SOCKCTL" http-get -L "$URL"
        assert_status 0
        assert_output ''
    done
}

@test "--max-redirs: one request more than that, then status 6" {
    local loop=("$(moved ' /')" "$(moved ' /')" "$(moved ' /')")
    serve_text "${loop[@]}"
    try "$SOCKCTL" http-get -L --max-redirs 2 "$URL"
    assert_status 6
    assert_output ''
    assert_one_error_line
    assert_errors 'more than 2 redirects'
    finish peer
    [ "$(targets)" = '/ / /' ]
    serve_text "${loop[0]}"
    try "$SOCKCTL" http-get -L --max-redirs 0 "$URL"
    assert_status 6
    finish peer
    for _ in {1..8}; do loop+=("${loop[0]}"); done
    serve_text --keep=20 "${loop[@]}"
    try "$SOCKCTL" http-get -L "$URL"
    assert_status 6
    assert_errors 'more than 10 redirects'
    stop peer || :
    [ "$(targets | wc -w)" -eq 11 ]
    try "$SOCKCTL" http-get -L --max-redirs -1 h
    assert_usage_error
}

@test "what is neither http nor https, or no URL, is not followed: status 6 and one line" {
    local places=(ftp://h/ file:///etc/passwd gopher://h/ 'http:x' 'mailto:a@b' 'http:///x'
        'http://h:x/' 'http://h\033[31m/' '//' 'http+unix://%2Frun%2Fx/' 'http://me:secret@/')
    local place answers=()
    for place in "${places[@]}"; do answers+=("$(moved " $place")"); done
    serve_text "${answers[@]}"
    for place in "${places[@]}"; do
        try "$SOCKCTL" http-get -L -o file "$URL"
        assert_status 6
        assert_output ''
        assert_one_error_line
        assert_errors 'redirected to .*, which (has|is) ' || fail "$place"
        [[ $errors != *secret* ]]
        [ ! -e file ]
    done
}

@test "a redirect that the options do not allow, or with bad credentials, is status 6, too" {
    serve_text "$(moved ' http://me%0d:secret@h/')" "$(moved ' http://[::1]/')"
    try "$SOCKCTL" http-get -L "$URL"
    assert_status 6
    assert_one_error_line
    assert_errors "'@h/' has a control character"
    try env NO_PROXY=127.0.0.1 "$SOCKCTL" http-get -L -x socks4://127.0.0.1:1 "$URL"
    assert_status 6
    assert_one_error_line
    assert_errors 'SOCKS4 knows no IPv6'
}

@test "two Locations: the same ones are one, others are malformed" {
    serve_text "$(moved ' /x' '/x ')" "$NEW"
    try "$SOCKCTL" http-get -L "$URL"
    assert_status 0
    assert_output new
    finish peer
    serve_text "$(moved ' /x' ' /y')"
    try "$SOCKCTL" http-get -L "$URL"
    assert_status 7
    assert_errors 'two different Locations'
}

@test "13.3: a Location without a value is malformed, where it would be followed" {
    for value in '' ' \t' '\r\n '; do
        serve_text "$(moved "$value")" "$(moved "$value")"
        echo file >file
        try "$SOCKCTL" http-get -L -o file "$URL"
        assert_status 7
        assert_one_error_line
        assert_errors 'malformed answer: a Location without a value'
        [ "$(<file)" = file ]
        try "$SOCKCTL" http-get "$URL"
        assert_status 0
        assert_output old
        finish peer
    done
}

@test "credentials, cookies and Host go to the host and port that was named alone" {
    # The second server sends back to the first.
    printf '%b' "$(moved ' /same')" >answer.0
    printf '%b' "$(moved ' //OTHER/away')" >answer.1
    printf '%b' "$NEW" >answer.3
    : >answer.2
    start first python3 "$HELPERS/http_peer.py" --keep 2 answer.0 answer.1 answer.3
    wait_file first.out '^PORT '
    first=127.0.0.1:${LINE#PORT }
    printf '%b' "$(moved " http://$first/back")" >answer.2
    start second python3 "$HELPERS/http_peer.py" answer.2
    wait_file second.out '^PORT '
    second=127.0.0.1:${LINE#PORT }
    sed -i "s/OTHER/$second/" answer.1
    try "$SOCKCTL" http-get -L -b a=b -H 'Host: h' -H 'cookie: c' -H 'X: y' "me:secret@$first/start"
    assert_status 0
    assert_output new
    finish first
    finish second
    [ "$(grep -c '^Authorization: Basic bWU6c2VjcmV0' first.err)" -eq 3 ]
    [ "$(grep -ic '^cookie: ' first.err)" -eq 3 ] # the user's field instead of ours
    [ "$(grep -c '^Host: h' first.err)" -eq 3 ]
    grep -q '^GET /away' second.err
    grep -q '^X: y' second.err
    grep -q "^Host: $second" second.err
    refute grep -Eiq '^(authorization|cookie)' second.err
}

@test "12.2.4: from one UNIX socket to another, nothing goes along; names that differ in case are two" {
    printf '%b' "$(moved " http+unix://${T//\//%2f}%2fS/same")" >answer.0
    printf '%b' "$(moved " http+unix://${T//\//%2F}%2Fs/away")" >answer.1
    printf '%b' "$NEW" >answer.2
    start first python3 "$HELPERS/http_peer.py" --unix S --keep 2 answer.0 answer.1
    start second python3 "$HELPERS/http_peer.py" --unix s answer.2
    wait_file first.out READY
    wait_file second.out READY
    try "$SOCKCTL" http-get -L -u me:secret -b a=b -H 'Cookie: c' -H 'Host: h' "http+unix://${T//\//%2F}%2FS/start"
    assert_status 0
    assert_output new
    [ "$(grep -c '^Authorization: ' first.err) $(grep -c '^Cookie: c' first.err) $(grep -c '^Host: h' first.err)" = '2 2 2' ]
    grep -q '^GET /away' second.err
    grep -q '^Host: localhost' second.err
    refute grep -Eiq '^(authorization|cookie)|^Host: h' second.err
}

@test "12.2.4: Proxy-Authorization given by -H goes to a proxy alone" {
    printf '%b' "$(moved " http://OTHER/away")" >answer.0
    printf '%b' "$NEW" >answer.1
    serve answer.1
    sed -i "s/OTHER/$URL/" answer.0
    start proxy python3 "$HELPERS/http_peer.py" answer.0
    wait_file proxy.out '^PORT '
    try env NO_PROXY=127.0.0.1 "$SOCKCTL" http-get -L -x "127.0.0.1:${LINE#PORT }" -H 'Proxy-Authorization: Basic x' h.example
    assert_status 0
    assert_output new
    grep -q '^Proxy-Authorization: Basic x' proxy.err
    requests | grep -q '^GET /away'
    refute grep -qi '^proxy-authorization' peer.err
    finish peer
    serve answer.1
    try "$SOCKCTL" http-get -H 'proxy-authorization: Basic x' "$URL"
    assert_status 0
    refute grep -qi '^proxy-authorization' peer.err
}

@test "another host name at the same place is another host; a Location's credentials are its own" {
    printf '%b' "$(moved ' http://LOCALHOST/')" >answer.0
    printf '%b' "$(moved ' //you:x@localhost/')" >answer.1
    printf '%b' "$NEW" >answer.2
    serve answer.0 answer.1 answer.2
    port=${URL#*:}
    sed -i "s/localhost/&:$port/i" answer.0 answer.1
    try "$SOCKCTL" http-get -v -L -u me:secret --resolve "localhost:$port:127.0.0.1" "$URL"
    assert_status 0
    assert_output new
    [ "$(requests | grep '^Auth')" = $'Authorization: Basic bWU6c2VjcmV0\nAuthorization: Basic eW91Ong=' ]
    [[ $errors != *secret* && $errors != *eW91* ]]
}

@test "--include and --head print the head of each answer" {
    serve_text "$(moved ' /x')" "$NEW"
    try "$SOCKCTL" http-get -iL "$URL"
    assert_status 0
    [ "$(tr -d '\r' <try.out)" = $'HTTP/1.1 302 Found\nLocation: /x\nContent-Length: 3\n\nHTTP/1.1 200 OK\nContent-Length: 3\n\nnew' ]
    finish peer
    serve_text "$(moved ' /x')" "$NEW"
    try "$SOCKCTL" http-get -iL -o file "$URL"
    assert_status 0
    [ "$(grep -c '^HTTP' file)" -eq 2 ]
    finish peer
    serve_text 'HTTP/1.1 302 x\r\nLocation: /x\r\n\r\n' "$OK\r\n"
    try "$SOCKCTL" http-get -IL "$URL"
    [ "$(requests | grep -c '^HEAD')" -eq 2 ]
    [ "$(grep -c '^HTTP' try.out)" -eq 2 ]
}

@test "nginx: a redirect over the same connection" {
    nginx_start
    echo hello >www/new
    try "$SOCKCTL" http-get -vL "$URL/old"
    assert_status 0
    assert_output hello
    [ "$(grep -c 'connected to' <<<"$errors")" -eq 1 ]
}
