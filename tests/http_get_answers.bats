#!/usr/bin/env bats
# What http-get makes of answers, good and bad, however they are split.

load helpers/common
load helpers/http

# answer NAME STATUS BODY ERRORS TEXT: what TEXT should come to: the status, the bytes on stdout, and
# a pattern that stderr matches (empty: nothing there).
answer() {
    local i=${#names[@]}
    names+=("$1") statuses+=("$2") complaints+=("$4")
    printf '%b' "$3" >"body.$i"
    printf '%b' "$5" >"answer.$i"
}

# check_answers [ARGUMENT…]: fetches every answer, sent whole and then byte by byte.
check_answers() {
    local i split files=()
    for i in "${!names[@]}"; do files+=("answer.$i"); done
    for split in 0 1; do
        serve --split $split "${files[@]}"
        for i in "${!names[@]}"; do
            try "$SOCKCTL" http-get "$@" "$URL"
            check_answer "$i" || fail "${names[$i]}, split $split"
        done
        finish peer
    done
}

check_answer() {
    assert_status "${statuses[$1]}" || return
    cmp try.out "body.$1" || show_results "the body is another" || return
    if [ -n "${complaints[$1]}" ]; then
        assert_one_error_line && assert_errors "${complaints[$1]}"
    else
        [ -z "$errors" ] || show_results "stderr is not empty"
    fi
}

@test "bodies: a length, chunks, until close, none" {
    answer length 0 hello '' "${OK}Content-Length: 5\r\n\r\nhello"
    answer 'more than the length' 0 hello '' "${OK}Content-Length: 5\r\n\r\nhello world"
    answer 'a length of 0' 0 '' '' "${OK}Content-Length: 0\r\n\r\n"
    answer 'the same length twice' 0 hello '' "${OK}Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello"
    answer 'spaces around the length' 0 hello '' "${OK}Content-Length:  5 \t\r\n\r\nhello"
    answer 'until close' 0 'hello\n' '' "${OK}\r\nhello\n"
    answer 'until close, nothing' 0 '' '' "${OK}\r\n"
    answer 'HTTP/1.0' 0 hello '' 'HTTP/1.0 200 OK\r\n\r\nhello'
    answer 'LF alone' 0 hello '' 'HTTP/1.1 200 OK\nContent-Length: 5\n\nhello'
    answer 'NUL bytes' 0 'a\0b\0' '' "${OK}Content-Length: 4\r\n\r\na\0b\0"
    answer 'line ends' 0 '\r\n\r\n' '' "${OK}\r\n\r\n\r\n"
    answer '204 with a length' 0 '' '' 'HTTP/1.1 204 No\r\nContent-Length: 5\r\n\r\n'
    answer 'no reason' 0 hello '' 'HTTP/1.1 200\r\n\r\nhello'
    answer 'a redirect' 0 hello '' 'HTTP/1.1 302 Found\r\nLocation: /x\r\n\r\nhello'
    check_answers
}

@test "chunked bodies" {
    chunked="${OK}Transfer-Encoding: chunked\r\n\r\n"
    answer one 0 hello '' "${chunked}5\r\nhello\r\n0\r\n\r\n"
    answer several 0 'hello, world' '' "${chunked}5\r\nhello\r\n2\r\n, \r\n5\r\nworld\r\n0\r\n\r\n"
    answer none 0 '' '' "${chunked}0\r\n\r\n"
    answer 'NUL bytes' 0 'a\0\r\n0' '' "${chunked}5\r\na\0\r\n0\r\n0\r\n\r\n"
    answer 'LF alone' 0 hello '' "${chunked}5\nhello\n0\n\n"
    answer 'hexadecimal' 0 0123456789abc '' "${chunked}00D\r\n0123456789abc\r\n000\r\n\r\n"
    answer 'extensions' 0 hello '' "${chunked}5;a=b;c=\"d\"\r\nhello\r\n0;e\r\n\r\n"
    answer 'a trailer' 0 hello '' "${chunked}5\r\nhello\r\n0\r\nA: b\r\nC: d\r\n\r\n"
    answer 'a trailer, LF alone' 0 hello '' "${chunked}5\r\nhello\r\n0\r\nA: b\n\n"
    answer 'other case' 0 hello '' "${OK}transfer-encoding:CHUNKED\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
    check_answers
}

@test "13.3: blanks after a chunk's size, folded fields, empty elements, a list of one length, HTTP/1.x" {
    chunked="${OK}Transfer-Encoding: chunked\r\n\r\n"
    answer 'blanks before an extension' 0 hello '' "${chunked}5 \t; a = \"b\"\r\nhello\r\n0 ;x\r\n\r\n"
    answer 'blanks before the line end' 0 hello '' "${chunked}5   \r\nhello\r\n0\t\r\n\r\n"
    answer 'a digit after a blank' 7 '' 'bad chunk size' "${chunked}5 5\r\nhello\r\n0\r\n\r\n"
    answer 'a folded field' 0 hello '' "${OK}A: b,\r\n c\r\n\td\r\nContent-Length: 5\r\n\r\nhello"
    answer 'a folded trailer' 0 hello '' "${chunked}5\r\nhello\r\n0\r\nA: b\r\n c\r\n\r\n"
    for codings in 'chunked,' ', chunked' 'chunked ,,'; do
        answer "codings $codings" 0 hello '' "${OK}Transfer-Encoding: $codings\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
    done
    answer 'one length, twice' 0 hello '' "${OK}Content-Length: 5, 5\r\n\r\nhello"
    answer 'HTTP/1.2' 0 hello '' 'HTTP/1.2 200 OK\r\nContent-Length: 5\r\n\r\nhello'
    answer 'HTTP/1.9' 0 hello '' 'HTTP/1.9 200 OK\r\n\r\nhello'
    answer 101 7 '' 'changed to another protocol' 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\nhello'
    check_answers
}

@test "13.3: the lines of a folded field are joined by one space, wherever it is read or shown" {
    moved='HTTP/1.1 302 x\r\nLocation:\r\n\t /new \r\nX: a \r\n   b\r\nContent-Length: 0\r\n\r\n'
    serve_text "$moved" "$moved" "${OK}\r\nhello"
    try "$SOCKCTL" http-get -iv "$URL"
    assert_status 0
    [ "$(tr -d '\r' <try.out)" = $'HTTP/1.1 302 x\nLocation: /new \nX: a b\nContent-Length: 0' ]
    assert_errors '^sockctl: < X: a b$'
    try "$SOCKCTL" http-get -L "$URL"
    assert_status 0
    assert_output hello
    requests | grep -q '^GET /new '
}

@test "a short body is status 7 and says how much is missing" {
    chunked="${OK}Transfer-Encoding: chunked\r\n\r\n"
    answer short 7 hel 'ended early: 2 of 5 bytes are missing' "${OK}Content-Length: 5\r\n\r\nhel"
    answer empty 7 '' '5 of 5 bytes' "${OK}Content-Length: 5\r\n\r\n"
    answer 'no chunk' 7 '' 'the last chunk is missing' "$chunked"
    answer 'in a chunk' 7 hel '2 bytes of a chunk are missing' "${chunked}5\r\nhel"
    answer 'in the last one' 7 hellowo '3 bytes of a chunk' "${chunked}5\r\nhello\r\n5\r\nwo"
    answer 'after a chunk' 7 hello 'last chunk is missing' "${chunked}5\r\nhello"
    answer 'between chunks' 7 hello 'last chunk is missing' "${chunked}5\r\nhello\r\n"
    answer 'in a size' 7 hello 'last chunk is missing' "${chunked}5\r\nhello\r\n1"
    answer 'in the trailer' 7 hello 'last chunk is missing' "${chunked}5\r\nhello\r\n0\r\nA: b\r\n"
    check_answers
}

@test "a malformed chunk is status 7" {
    chunked="${OK}Transfer-Encoding: chunked\r\n\r\n"
    answer 'not a number' 7 '' 'malformed body: a bad chunk size' "${chunked}x\r\n"
    answer 'no size' 7 '' 'bad chunk size' "${chunked}\r\n"
    answer 'a sign' 7 '' 'bad chunk size' "${chunked}-5\r\nhello\r\n0\r\n\r\n"
    answer 'a space' 7 '' 'bad chunk size' "${chunked} 5\r\nhello\r\n0\r\n\r\n"
    answer '0x' 7 '' 'bad chunk size' "${chunked}0x5\r\nhello\r\n0\r\n\r\n"
    answer '2^64 + 5' 7 '' 'more than 15 digits' "${chunked}10000000000000005\r\nhello\r\n0\r\n\r\n"
    answer '2^63' 7 '' 'more than 15 digits' "${chunked}8000000000000000\r\nhello\r\n"
    answer 'too long a chunk' 7 hell 'longer than its size' "${chunked}4\r\nhello\r\n0\r\n\r\n"
    answer 'a NUL in the trailer' 7 '' 'a NUL byte in a field' "${chunked}0\r\nA: \0\r\n\r\n"
    answer 'no colon in the trailer' 7 '' 'without a colon' "${chunked}0\r\nabc\r\n\r\n"
    check_answers
}

@test "a malformed head is status 7, with nothing on stdout" {
    answer 'two lengths' 7 '' 'two different Content-Lengths' \
        "${OK}Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello"
    answer 'a length beside chunked' 7 '' 'a Content-Length beside chunked' \
        "${OK}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
    answer 'a negative length' 7 '' 'not a number' "${OK}Content-Length: -6\r\n\r\nhello"
    answer 'junk after a length' 7 '' 'not a number' "${OK}Content-Length: 5x\r\n\r\nhello"
    answer 'a length of 2^63' 7 '' 'out of range' "${OK}Content-Length: 9223372036854775808\r\n\r\n"
    answer 'gzip, chunked' 7 '' 'a transfer coding other' \
        "${OK}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"
    answer 'identity' 7 '' 'a transfer coding other' "${OK}Transfer-Encoding: identity\r\n\r\nx"
    answer 'chunked, chunked' 7 '' 'two transfer codings' "${OK}Transfer-Encoding: chunked, chunked\r\n\r\n"
    answer 'chunked twice' 7 '' 'two transfer codings' \
        "${OK}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    answer 'xchunked' 7 '' 'a transfer coding other' "${OK}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"
    answer 'chunked, by half' 7 '' 'a transfer coding other' "${OK}Transfer-Encoding: chunk\r\n\r\n"
    answer 'no coding' 7 '' 'a Transfer-Encoding without a coding' "${OK}Transfer-Encoding:\r\n\r\nhello"
    answer 'a list of lengths' 7 '' 'two different' "${OK}Content-Length: 5, 6\r\n\r\nhello"
    answer 'two in one' 7 '' 'not a number' "${OK}Content-Length: 5 5\r\n\r\nhello"
    answer 'an empty length' 7 '' 'not a number' "${OK}Content-Length:\r\n\r\nhello"
    answer 'a CR in a length' 7 '' 'a CR without its LF' "${OK}Content-Length: \r5\r\n\r\nhello"
    answer 'no colon' 7 '' 'malformed answer: a field without a colon' "${OK}abc\r\n\r\nhello"
    answer 'a space before the colon' 7 '' 'a space in a field name' "${OK}A : b\r\n\r\nhello"
    answer 'a folded length' 7 '' 'a folded Content-Length' "${OK}Content-Length: 5\r\n 0\r\n\r\nhello"
    answer 'a folded coding' 7 '' 'a folded Content-Length or Transfer-Encoding' \
        "${OK}Transfer-Encoding: chunked\r\n ,\r\n\r\n0\r\n\r\n"
    answer 'the first one folded' 7 '' 'a folded line before the first field' "${OK} A: b\r\n\r\nhello"
    answer 'a NUL' 7 '' 'a NUL byte' "${OK}A: b\0c\r\n\r\nhello"
    answer 'a CR' 7 '' 'a CR without its LF' "${OK}A: b\rc\r\n\r\nhello"
    answer 'HTTP/2' 7 '' 'status line' 'HTTP/2 200 OK\r\n\r\nhello'
    answer 'a negative status' 7 '' 'status line' 'HTTP/1.1 -12 OK\r\n\r\nhello'
    answer 'one digit' 7 '' 'status line' 'HTTP/1.1 2 OK\r\n\r\nhello'
    answer 'four digits' 7 '' 'status line' 'HTTP/1.1 2000 OK\r\n\r\nhello'
    answer 'HTTP/0.9' 7 '' 'no HTTP/1.x status line; it begins "<.*" \(--http0\.9 prints it\)$' '<html>hello</html>\n'
    answer 'a mail server' 7 '' 'it begins "2.*" \(--http0\.9 prints it\)$' '220 \033[31mmail\r\n'
    answer 'zero bytes' 7 '' 'status line \(--http0\.9 prints what comes\)$' '\0\0\0\0'
    check_answers
}

@test "an answer that is cut off in its head, or empty, is status 7" {
    answer 'nothing' 7 '' 'empty reply' ''
    answer 'in the status line' 7 '' 'the head of the answer is cut off' 'HTTP/1.1 200'
    answer 'after the status line' 7 '' 'cut off' "${OK}"
    answer 'in a field' 7 '' 'cut off' "${OK}Content-Le"
    answer 'before the empty line' 7 '' 'cut off' "${OK}Content-Length: 5\r\n"
    answer 'after 100' 7 '' 'empty reply' 'HTTP/1.1 100 Continue\r\n\r\n'
    check_answers
}

@test "interim answers are skipped, up to 16" {
    interim='HTTP/1.1 102 Processing\r\nContent-Length: 5\r\n\r\n'
    many=
    for _ in {1..16}; do many+=$interim; done
    answer one 0 hello '' "${interim}${OK}\r\nhello"
    answer 16 0 hello '' "${many}${OK}\r\nhello"
    answer 17 7 '' 'more than 16 interim answers' "${many}${interim}${OK}\r\nhello"
    check_answers
}

@test "a status of 400 and above is status 6, and the body is printed" {
    answer 404 6 'no\n' ': 404 Not Found$' 'HTTP/1.1 404 Not Found\r\nContent-Length: 3\r\n\r\nno\n'
    answer 500 6 no ': 500$' 'HTTP/1.1 500\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n'
    answer 999 6 no ': 999 x$' 'HTTP/1.1 999 x\r\n\r\nno'
    answer 'a short body' 6 no ': 404 x$' 'HTTP/1.1 404 x\r\nContent-Length: 5\r\n\r\nno'
    answer 'control characters' 6 '' '404 a\\x1b\[31mb\\x07$' 'HTTP/1.1 404 a\033[31mb\a\r\n\r\n'
    check_answers
    names=() statuses=() complaints=()
    answer 404 6 '' ': 404 x$' 'HTTP/1.1 404 x\r\nContent-Length: 3\r\n\r\nno\n'
    check_answers --fail
}

@test "--include prints the head, byte for byte, --head the head alone" {
    head="HTTP/1.1 200 OK\r\nA:  b \r\nTransfer-Encoding: chunked\r\n\r\n"
    answer 'the head and the body' 0 "${head}hello" '' "${head}5\r\nhello\r\n0\r\n\r\n"
    answer 'the last head' 0 "${head}" '' "HTTP/1.1 100 x\r\n\r\n${head}0\r\n\r\n"
    answer 404 6 'HTTP/1.0 404 x\n\nno' '404 x' 'HTTP/1.0 404 x\n\nno'
    check_answers --include
    names=() statuses=() complaints=()
    head="HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"
    answer 'a head' 0 "$head" '' "$head"
    answer 'a body all the same' 0 "$head" '' "${head}hello"
    answer 'a head, chunked' 0 'HTTP/1.1 200\r\ntransfer-encoding: chunked\r\n\r\n' '' \
        'HTTP/1.1 200\r\ntransfer-encoding: chunked\r\n\r\n'
    answer 404 6 'HTTP/1.1 404 x\r\n\r\n' ': 404 x' 'HTTP/1.1 404 x\r\n\r\nno'
    check_answers --head
    [[ $(requests) == 'HEAD / HTTP/1.1'* ]]
}

@test "heads are limited: 256 KiB, 1,000 fields" {
    { printf '%b' "$OK" && yes 'A: b' | head -n 1000 && printf '\nhello'; } >fields
    { printf '%b' "$OK" && yes 'A: b' | head -n 1001 && printf '\nhello'; } >fields-too-many
    # 17 and 6 bytes are beside the value
    { printf '%bA:' "$OK" && head -c 262121 /dev/zero | tr '\0' x && printf '\r\n\r\nhello'; } >large
    { printf '%bA:' "$OK" && head -c 262122 /dev/zero | tr '\0' x && printf '\r\n\r\nhello'; } >too-large
    { printf '%bA:' "$OK" && head -c 10000000 /dev/zero | tr '\0' x; } >endless
    serve fields fields-too-many large too-large endless
    try "$SOCKCTL" http-get "$URL"
    assert_status 0
    assert_output hello
    try "$SOCKCTL" http-get "$URL"
    assert_status 7
    assert_errors 'more than 1000 fields'
    try "$SOCKCTL" http-get "$URL"
    assert_status 0
    assert_output hello
    try "$SOCKCTL" http-get -i "$URL"
    assert_status 7
    assert_output ''
    assert_errors 'a head of more than 256 KiB'
    try "$SOCKCTL" http-get "$URL"
    assert_status 7
    assert_errors 'a head of more than 256 KiB'
}

@test "a reset in the body is status 1, what came before is printed" {
    mkfifo go
    START_STDIN=<(cat go) serve_text --end=reset "${OK}Content-Length: 10\r\n\r\nhello"
    start get "$SOCKCTL" http-get "$URL"
    wait_file get.out hello
    echo >go
    finish get
    assert_status 1
    assert_output hello
    assert_one_error_line
    assert_errors "GET http://$URL/: .*Connection reset by peer"
}
