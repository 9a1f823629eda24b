#!/usr/bin/env bats
# What a terminal shows: colour, where a line begins. What is live (--progress) is in progress.bats.

load helpers/common

# on_terminal FDS CMD…: as `try`, with a terminal of 80 columns as these descriptors; what was written to it is in $drawn,
# a line of the terminal as one of the text.
on_terminal() {
    need python3
    local fds=$1
    shift
    TERM=${TERM_IS-xterm} try python3 "$HELPERS/terminal.py" --on "$fds" 80 "$@"
    drawn=$(tr -d '\r' <try.out)
    drawn=${drawn/<80>/}
}

ESC=$'\e'

@test "15.5: an error is red, a hint is dim, on a terminal" {
    on_terminal 2 "$SOCKCTL" connect --no-such-option
    assert_status 2
    [ "$drawn" = "${ESC}[31msockctl: unknown option --no-such-option (--help all lists the options)${ESC}[0m
${ESC}[2mtry 'sockctl connect --help'${ESC}[0m" ] || fail "other colours" try.out
}

@test "15.5: no colour in a pipe, with NO_COLOR, or with TERM dumb, empty or unset" {
    TERM=xterm try "$SOCKCTL" connect -v 127.0.0.1 1
    assert_status 4
    refute grep -q "$ESC" try.err
    NO_COLOR=1 on_terminal 2 "$SOCKCTL" connect 127.0.0.1 1
    [ "$drawn" = 'sockctl: connect to 127.0.0.1:1: Connection refused' ] || fail "NO_COLOR" try.out
    local term
    for term in dumb ''; do
        TERM_IS=$term on_terminal 2 "$SOCKCTL" connect 127.0.0.1 1
        [ "$drawn" = 'sockctl: connect to 127.0.0.1:1: Connection refused' ] || fail "TERM=$term" try.out
    done
    on_terminal 2 env -u TERM "$SOCKCTL" connect 127.0.0.1 1
    [ "$drawn" = 'sockctl: connect to 127.0.0.1:1: Connection refused' ] || fail "no TERM" try.out
    NO_COLOR='' on_terminal 2 "$SOCKCTL" connect 127.0.0.1 1
    [ "$drawn" = "${ESC}[31msockctl: connect to 127.0.0.1:1: Connection refused${ESC}[0m" ] ||
        fail "an empty NO_COLOR" try.out
}

@test "15.5: what -v says is dim, and reads as it does in a pipe" {
    start server "$SOCKCTL" echo-server 127.0.0.1:0
    listening server
    TRY_STDIN=/dev/null on_terminal 2 "$SOCKCTL" connect -v 127.0.0.1 "$PORT"
    assert_status 0
    [ "${drawn%%$'\n'*}" = "${ESC}[2msockctl: connected to 127.0.0.1:$PORT${ESC}[0m" ] || fail "not dim" try.out
}

@test "15.5: the directions of a hex dump differ in colour on a terminal, not in a file" {
    start server "$SOCKCTL" echo-server 127.0.0.1:0
    listening server
    echo hello >hello
    TRY_STDIN=hello on_terminal 2 "$SOCKCTL" connect --hex-dump - 127.0.0.1 "$PORT"
    assert_status 0
    local bytes='00000000  68 65 6c 6c 6f 0a                                 |hello.|'
    grep -qF "${ESC}[36m> $bytes${ESC}[0m" <<<"$drawn" || fail "what is sent" try.out
    grep -qF "${ESC}[35m< $bytes${ESC}[0m" <<<"$drawn" || fail "what arrives" try.out
    [ "$(grep -cE "^$ESC\[3[56]m[<>] .*$ESC\[0m$" <<<"$drawn")" -eq 4 ] || fail "other lines" try.out
    TRY_STDIN=hello on_terminal 2 "$SOCKCTL" connect --hex-dump dump 127.0.0.1 "$PORT"
    assert_status 0
    grep -qFx "> $bytes" dump
}

@test "15.5: a message after a line that has not ended begins on its own, where both are on one terminal" {
    start server "$SOCKCTL" listen -k --greeting 'login: ' -d 127.0.0.1 0
    listening server
    on_terminal 12 "$SOCKCTL" connect -d -i 100ms 127.0.0.1 "$PORT"
    assert_status 5
    [ "$drawn" = "login: 
${ESC}[31msockctl: 127.0.0.1:$PORT: nothing moved for 0.1 seconds${ESC}[0m" ] || fail "glued" try.out
    on_terminal 2 "$SOCKCTL" connect -d -i 100ms 127.0.0.1 "$PORT"
    [ "$drawn" = "login: ${ESC}[31msockctl: 127.0.0.1:$PORT: nothing moved for 0.1 seconds${ESC}[0m" ] ||
        fail "stdout is another file" try.out
}

@test "15.5: a listener says on a terminal that it is for UDP; elsewhere the address is all that follows" {
    on_terminal 2 "$SOCKCTL" listen -u -w 50ms 127.0.0.1 0
    assert_status 5
    [[ $drawn == 'sockctl: listening on 127.0.0.1:'+([0-9])' (UDP)'$'\n'* ]] || fail "UDP" try.out
    on_terminal 2 "$SOCKCTL" listen -w 50ms 127.0.0.1 0
    [[ $drawn == 'sockctl: listening on 127.0.0.1:'+([0-9])$'\n'* ]] || fail "TCP" try.out
    try "$SOCKCTL" listen -u -w 50ms 127.0.0.1 0
    [[ ${errors%%$'\n'*} =~ ^'sockctl: listening on 127.0.0.1:'[0-9]+$ ]] || show_results "in a pipe"
}

# named_server: an echo server on a port that has a name, which is NAME.
named_server() {
    local entry
    while read -r NAME entry _; do
        [[ $entry == [0-9]*/tcp && ${entry%/tcp} -gt 1023 ]] || continue
        start named "$SOCKCTL" echo-server -v "127.0.0.1:${entry%/tcp}"
        wait_line named 'listening on|in use'
        [[ $LINE != *'in use'* ]] && PORT=${entry%/tcp} && return
    done </etc/services
    skip "services(5) has no port that is free"
}

@test "15.5: a probe's answers are in columns on a terminal, green and red, with the service's name" {
    named_server
    local closed ms='[0-9]+\.[0-9]{2} ms'
    closed=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
    on_terminal 1 "$SOCKCTL" connect -zv 127.0.0.1 "$PORT,$closed"
    assert_status 4
    local open green="${ESC}[32mopen${ESC}[0m" red="${ESC}[31mclosed${ESC}[0m"
    printf -v open '127.0.0.1  %*s  %s' "${#closed}" "$PORT" "$green"
    [[ $drawn =~ ^"$open    "\ *$ms"  $NAME"$'\n'"127.0.0.1  $closed  $red  "\ *$ms'  Connection refused'$ ]] ||
        fail "other columns" try.out
    on_terminal 1 "$SOCKCTL" connect -z 127.0.0.1 "$PORT,$closed"
    [ "$drawn" = "127.0.0.1  $PORT  $green  $NAME" ] || fail "without -v" try.out
    on_terminal 1 "$SOCKCTL" connect -zn 127.0.0.1 "$PORT"
    [ "$drawn" = "127.0.0.1  $PORT  $green" ] || fail "-n" try.out
    TERM=xterm try "$SOCKCTL" connect -zv 127.0.0.1 "$PORT"
    [[ $output =~ ^"127.0.0.1 $PORT open "$ms$ ]] || show_results "in a pipe"
}

serve_file() {
    start web bash -c 'printf "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello" | "$SOCKCTL" listen -v 127.0.0.1 0'
    listening web
}

@test "15.5: http-get -v: the body stands apart from the head, and what follows begins on its own line" {
    serve_file
    on_terminal 12 "$SOCKCTL" http-get -v "http://127.0.0.1:$PORT/"
    assert_status 0
    [[ $drawn == *"${ESC}[2msockctl: < Content-Length: 5${ESC}[0m"$'\n\nhello\n'"${ESC}[2msockctl: closed "* ]] ||
        fail "no blank line" try.out
    serve_file
    try "$SOCKCTL" http-get -v "http://127.0.0.1:$PORT/"
    refute grep -q '^$' try.err
}

@test "15.5: --timing is as wide as the terminal; on a narrow one the figures are alone" {
    local width
    for width in 120 80 40; do
        serve_file
        TERM=dumb try python3 "$HELPERS/terminal.py" "$width" "$SOCKCTL" http-get -s --timing "http://127.0.0.1:$PORT/"
        assert_status 0
        bar=$(sed -n 's/.*  total  *[0-9.]* ms *\(#*\).*/\1/p' try.out)
        local expected=$((width < 60 ? 0 : width - 38))
        [ "${#bar}" -eq "$expected" ] || fail "$width columns: ${#bar} and not $expected" try.out
    done
}

@test "15.5: resolve --explain is a table on a terminal, and paragraphs where that is too wide" {
    on_terminal 2 "$SOCKCTL" resolve -s --explain -n 127.0.0.1
    assert_status 0
    [ "$drawn" = "127.0.0.1
${ESC}[1m#  address    from               precedence  label  scope  source     why here${ESC}[0m
1  127.0.0.1  the address given          35      4      2  127.0.0.1  first" ] || fail "another table" try.out
    need python3
    try python3 "$HELPERS/terminal.py" 40 "$SOCKCTL" resolve -s --explain -n 127.0.0.1
    [[ $output == *'1  127.0.0.1'$'\r\n''   from the address given'$'\r\n''   precedence 35, label 4, scope 2'$'\r\n'* ]] ||
        show_results "no paragraph"
}

@test "15.5: a command that wrote a file says so in a last line on a terminal" {
    start server "$SOCKCTL" listen -k --greeting hello -d 127.0.0.1 0
    listening server
    on_terminal 2 "$SOCKCTL" connect -d -i 100ms -o copy 127.0.0.1 "$PORT"
    [[ $drawn == *'sockctl: wrote copy: 5 B'$'\n'* ]] || fail "nothing is said" try.out
    try "$SOCKCTL" connect -d -i 100ms -o copy 127.0.0.1 "$PORT"
    [[ $errors != *wrote* ]] || show_results "in a pipe"
}
