#!/usr/bin/env bats
# Bad input: one clear line, status 2, nothing done. The same for every command.

load helpers/common
export LOOPBACK=no

@test "an unknown command, an ambiguous prefix" {
    try "$SOCKCTL" conect 127.0.0.1 80
    assert_usage_error "unknown command 'conect' \(did you mean connect\?\)"
    try "$SOCKCTL" unix-s x
    assert_usage_error "'unix-s' is ambiguous: unix-send unix-serve"
    try "$SOCKCTL" ''
    assert_usage_error
}

@test "a unique prefix of a command works" {
    try "$SOCKCTL" li --help
    assert_status 0
    [[ $output == 'usage: sockctl listen [OPTIONS]'* ]]
}

@test "unknown, ambiguous, incomplete and overfull options" {
    try "$SOCKCTL" listen --keep-opne 80
    assert_usage_error 'unknown option --keep-opne \(did you mean --keep-open\?\)'
    try "$SOCKCTL" connect --no 127.0.0.1 80
    assert_usage_error 'option --no is ambiguous'
    try "$SOCKCTL" connect 127.0.0.1 80 --timeout
    assert_usage_error 'option --timeout needs an argument'
    try "$SOCKCTL" connect 127.0.0.1 80 -w
    assert_usage_error 'option --timeout needs an argument'
    try "$SOCKCTL" connect --udp=yes 127.0.0.1 80
    assert_usage_error 'option --udp takes no argument'
    try "$SOCKCTL" connect -% 127.0.0.1 80
    assert_usage_error 'unknown option -%'
}

@test "missing and extra operands" {
    for command in connect listen echo-server unix-send unix-serve http-get resolve; do
        try "$SOCKCTL" "$command"
        assert_usage_error 'missing operand'
    done
    try "$SOCKCTL" connect a b c
    assert_usage_error "too many operands, starting with 'c'"
}

@test "ports" {
    for port in 0 65536 -1 80x ' 80' '80 ' +80 '' 4294967376 0x50 8e1 00000000080; do
        try "$SOCKCTL" connect -- 127.0.0.1 "$port"
        assert_usage_error
        try "$SOCKCTL" connect -- "127.0.0.1:$port"
        assert_usage_error
    done
    try "$SOCKCTL" listen 127.0.0.1 65536
    assert_usage_error
    try "$SOCKCTL" connect 127.0.0.1 nosuchservice
    assert_usage_error "unknown service 'nosuchservice'"
    try "$SOCKCTL" connect localhost
    assert_usage_error "unknown service 'localhost' \\(an address is HOST PORT"
}

@test "times and sizes" {
    for time in 5x '' -1 1e9999 5.s . ' 5' 99999999999999999999 nan 1d; do
        try "$SOCKCTL" connect "--timeout=$time" 127.0.0.1 1
        assert_usage_error "option --timeout: '.*' is not a duration"
    done
    for size in 5x '' -1 1kk 9223372036854775808 99999999T 1.5k; do
        try "$SOCKCTL" unix-serve "--max-message=$size" "$T/s"
        assert_usage_error 'option --max-message'
        [ ! -e s ]
    done
    for number in 0 -1 1x '' 4294967297; do
        try "$SOCKCTL" listen -k "--max-conns=$number" 127.0.0.1 0
        assert_usage_error 'option --max-conns'
    done
}

@test "a UNIX path that is too long is refused with its length and the limit, never cut" {
    long=$(printf '%0108d' 0)
    for path in "unix:$long" "./$long" "unix-dgram:$long"; do
        try "$SOCKCTL" connect "$path"
        assert_usage_error '1[01][0-9] bytes, the limit is 107'
        try "$SOCKCTL" listen "$path"
        assert_usage_error
    done
    [ -z "$(find . -type s)" ]
    start server "$SOCKCTL" listen -v "unix:${long:1}"
    listening server
    [ -S "${long:1}" ]
}

@test "64 KiB arguments get a short message" {
    big=$(printf '%065536d' 0 | tr 0 a)
    for words in "connect $big 80" "connect 127.0.0.1 $big" "connect $big:80" "connect unix:$big" \
        "connect --source=$big 127.0.0.1 1" "listen $big" "unix-send $big x" "unix-serve $big" \
        "$big" "connect --$big" "connect --timeout=$big 127.0.0.1 1"; do
        # shellcheck disable=SC2086
        try "$SOCKCTL" $words
        assert_status 2
        ((${#errors} < 420))
    done
}

@test "control characters never reach the terminal" {
    for words in $'connect \e[31mx 80' $'\e[31m' $'connect --\e[31m' $'connect -w \e[31m a 80' \
        $'resolve \e[31m' $'http-get http://\e[31m/' $'unix-send /\e[31m x'; do
        # shellcheck disable=SC2086
        try "$SOCKCTL" $words
        [ "$status" -ne 0 ]
        ! grep -q $'\e' try.err
        assert_errors '\\x1b'
    done
}

@test "contradictions and addresses of the wrong kind" {
    try "$SOCKCTL" connect -4 ::1 80
    assert_usage_error
    try "$SOCKCTL" connect -6 tcp4:127.0.0.1:80
    assert_usage_error
    try "$SOCKCTL" connect ::1:80
    assert_usage_error '\[ADDRESS\]:PORT'
    try "$SOCKCTL" connect example.com
    assert_usage_error 'the port is missing'
    try "$SOCKCTL" connect unix:a b
    assert_usage_error
}

@test "operands and options may be mixed, -- ends options" {
    try "$SOCKCTL" connect 127.0.0.1 -w 1 1 -v
    assert_status 4
    try "$SOCKCTL" connect -- 127.0.0.1 1
    assert_status 4
}
