#!/usr/bin/env bats
# Bad input: one clear line, status 2, nothing done. The same for every command.

load helpers/common
export LOOPBACK=no

@test "no command, an unknown one, an ambiguous prefix" {
    try "$SOCKCTL"
    assert_usage_error 'no command'
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
    [[ $output == 'usage: sockctl listen'* ]]
}

# no_wider COLUMNS: nothing in $output is.
no_wider() { awk -v most="$1" 'length > most { print length ": " $0; bad = 1 } END { exit bad }' <<<"$output"; }

@test "15.4: help is never wider than the terminal, or 80 columns in a pipe, and no word is cut" {
    for command in '' connect listen echo-server unix-send unix-serve http-get resolve; do
        try "$SOCKCTL" $command --help
        no_wider 80
    done
    need python3
    for width in 40 50 70 200; do
        try python3 -c '
import fcntl, os, pty, struct, sys, termios
pid, terminal = pty.fork()
if pid == 0:
    fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack("HHHH", 24, int(sys.argv[1]), 0, 0))
    os.execvp(sys.argv[2], sys.argv[2:])
try:
    while part := os.read(terminal, 65536):
        os.write(1, part)
except OSError:
    pass' $width "$SOCKCTL" connect --help
        output=${output//$'\r'/}
        no_wider $width
        grep -q 'acknowledged' <<<"$output"
        [[ $output == *send*nothing* ]]
    done
}

@test "help and version go to stdout, with status 0" {
    for words in --help help 'help connect' 'connect --help' 'connect -h' --version 'connect -V'; do
        # shellcheck disable=SC2086
        try "$SOCKCTL" $words
        assert_status 0
        [ -n "$output" ]
        [ -z "$errors" ]
    done
    try "$SOCKCTL" help nosuch
    assert_usage_error
}

@test "help to a full disk is status 8" {
    status=0
    "$SOCKCTL" --help >/dev/full 2>err || status=$?
    errors=$(cat err)
    assert_status 8
    assert_one_error_line
}

@test "help to a reader that has had enough is quiet" {
    mkfifo gate
    { read -r _ <gate; "$SOCKCTL" --help 2>err || echo $? >code; } | { exec <&-; echo >gate; }
    [ "$(cat code)" = 8 ]
    [ ! -s err ]
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
