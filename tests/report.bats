#!/usr/bin/env bats
# What is told about a transfer, on stderr.

load helpers/common

# server ARGS…: a sockctl that listens, with `input` as its stdin.
server() {
    START_STDIN=${input:-} start server "$SOCKCTL" listen "$@"
    listening server
}

make_file() { head -c "$2" /dev/zero >"$1"; }

# How a connection ended, in the line at -v

@test "closed: an end of file is not worth a word" {
    peer peer send-close abc
    try "$SOCKCTL" connect -v 127.0.0.1 "$PORT"
    assert_status 0
    assert_errors '^sockctl: closed 127\.0\.0\.1:[0-9]+: 3 bytes in, 0 out$'
}

@test "closed: a reset, a limit and a signal are told, by connect and listen" {
    peer peer rst-after 1
    TRY_STDIN=<(echo) try "$SOCKCTL" connect -v 127.0.0.1 "$PORT"
    assert_status 1
    assert_errors '^sockctl: closed 127\.0\.0\.1:[0-9]+: 0 bytes in, 1 out, reset$'
    server -v -i 50ms 127.0.0.1 0
    start client "$SOCKCTL" connect -v -d 127.0.0.1 "$PORT"
    finish server
    assert_status 5
    assert_errors '^sockctl: closed 127\.0\.0\.1:[0-9]+: 0 bytes in, 0 out, timeout$'
    finish client
    server 127.0.0.1 0
    start client "$SOCKCTL" connect -v -d 127.0.0.1 "$PORT"
    wait_line client 'connected to'
    stop client INT
    assert_status 130
    assert_errors '^sockctl: closed 127\.0\.0\.1:[0-9]+: 0 bytes in, 0 out, signal$'
}

@test "closed: stdout that cannot be written is our error" {
    [ -e /dev/full ] || skip "there is no /dev/full"
    peer peer send-close abc
    # shellcheck disable=SC2016 # for the other shell
    try sh -c '"$0" connect -v 127.0.0.1 "$1" >/dev/full' "$SOCKCTL" "$PORT"
    assert_status 8
    assert_errors '^sockctl: closed 127\.0\.0\.1:[0-9]+: 3 bytes in, 0 out, error$'
}

@test "closed: each client of listen -k and echo-server, how it ended" {
    for command in 'listen -k' echo-server; do
        # shellcheck disable=SC2086 # two words
        start server "$SOCKCTL" $command -v 127.0.0.1:0
        listening server
        start peer python3 "$HELPERS/peer.py" rst-after --connect "$PORT" 0
        wait_line server 'closed .*: 0 bytes in, 0 out, reset$'
        start client "$SOCKCTL" connect --send-only 127.0.0.1 "$PORT"
        wait_line server 'closed .*: 0 bytes in, 0 out$'
        finish client
        start client "$SOCKCTL" connect -v -d 127.0.0.1 "$PORT"
        wait_line client 'from local address'
        wait_line server "accepted ${LINE##* }\$"
        stop server
        assert_status 0
        assert_errors 'closed .*: 0 bytes in, 0 out, signal$'
        finish client
    done
}

# --stats

@test "--stats: bytes, time, rates, round-trip time, by connect and listen" {
    make_file data 1048576
    server --stats 127.0.0.1 0
    TRY_STDIN=data try "$SOCKCTL" connect --stats 127.0.0.1 "$PORT"
    assert_status 0
    assert_one_error_line
    assert_errors '^sockctl: sent 1\.0 MiB, received 0 B in [0-9]+ ms \([0-9.]+ [KMG]?i?B/s\); rtt [0-9]+\.[0-9]{2} ms, [0-9]+ retransmits?$'
    finish server
    assert_errors '^sockctl: sent 0 B, received 1\.0 MiB in .*; rtt '
}

@test "--stats: a UNIX socket and UDP have no round-trip time" {
    server --stats -v "unix:$T/s"
    echo hello >data
    TRY_STDIN=data try "$SOCKCTL" connect --stats "$T/s"
    assert_status 0
    assert_one_error_line
    assert_errors '^sockctl: sent 6 B, received 0 B in '
    finish server
    start server "$SOCKCTL" echo-server udp:127.0.0.1:0
    listening server
    TRY_STDIN=data try "$SOCKCTL" connect --stats -u -q 50ms 127.0.0.1 "$PORT"
    assert_status 0
    assert_one_error_line
    assert_errors '^sockctl: sent 6 B, received 6 B in '
}

@test "--stats: told when the transfer fails or is interrupted, too" {
    peer peer rst-after 1
    TRY_STDIN=<(echo) try "$SOCKCTL" connect --stats 127.0.0.1 "$PORT"
    assert_status 1
    assert_errors '^sockctl: sent 1 B, received 0 B in '
    server 127.0.0.1 0
    start client "$SOCKCTL" connect --stats -vvv -d 127.0.0.1 "$PORT"
    wait_line client 'connected to'
    stop client
    assert_status 143
    assert_errors '^sockctl: sent 0 B, received 0 B in '
    assert_errors 'getsockopt\([0-9]+, IPPROTO_TCP, TCP_INFO, \{rtt=[0-9]+, total_retrans=0\}, \[[0-9]+\]\) = 0$'
}

# --log json

# events NAME.err EVENT KEY…: each line of the file is an object that has an event and a time; the
# values of these keys of the first object of that event, one a line ("-" where it has none).
events() {
    python3 - "$@" <<'PY'
import json, re, sys
lines = open(sys.argv[1], encoding="utf-8").read().splitlines()
objects = [json.loads(line) for line in lines]
for each in objects:
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", each["time"]), each
found = next(each for each in objects if each["event"] == sys.argv[2])
for key in sys.argv[3:]:
    print(found.get(key, "-"))
PY
}

assert_event() { # NAME.err EVENT 'KEY…' ERE: the values, separated by spaces
    local values
    need python3
    # shellcheck disable=SC2086 # words
    values=$(events "$1" "$2" $3 | paste -sd' ') || fail "not as it should be" "$1" || return
    [[ $values =~ ^$4$ ]] || fail "$2: $3 are '$values', not $4" "$1"
}

# until_event NAME EVENT
until_event() { wait_line "$1" "^\{\"event\":\"$2\""; }

# A port that `start NAME sockctl … --log json` listens on, in PORT.
listening_json() {
    until_event "$1" listening
    [[ $LINE =~ :([0-9]+)\" ]]
    PORT=${BASH_REMATCH[1]}
}

local_='127\.0\.0\.1:[0-9]+'

@test "--log json: the life of a connection, by connect and listen" {
    start server "$SOCKCTL" listen --log json 127.0.0.1:0
    listening_json server
    TRY_STDIN=<(echo hello) try "$SOCKCTL" connect --log json --stats 127.0.0.1 "$PORT"
    assert_status 0
    finish server
    assert_status 0
    [ "$(wc -l <try.err)" -eq 2 ]
    [ "$(wc -l <server.err)" -eq 3 ]
    assert_event try.err connected 'local remote' "$local_ 127\\.0\\.0\\.1:$PORT"
    keys='local remote bytes_in bytes_out seconds how rtt_us retransmits'
    assert_event try.err closed "$keys" "$local_ 127\\.0\\.0\\.1:$PORT 0 6 [0-9.]+ eof [0-9]+ 0"
    assert_event server.err listening 'local remote' "127\\.0\\.0\\.1:$PORT -"
    assert_event server.err accepted 'local remote' "127\\.0\\.0\\.1:$PORT $local_"
    assert_event server.err closed "$keys" "127\\.0\\.0\\.1:$PORT $local_ 6 0 [0-9.]+ eof [0-9]+ 0"
}

@test "--log json: how a connection ended, and the error" {
    peer peer rst-after 1
    # With stdin open and silent, it is the read that meets the reset.
    TRY_STDIN=<(echo; sleep 3) try "$SOCKCTL" connect --log json 127.0.0.1 "$PORT"
    assert_status 1
    assert_event try.err closed how reset
    assert_event try.err error 'status message' '1 read from .*: Connection reset by peer.*'
    peer peer stall
    try "$SOCKCTL" connect --log json -d -i 20ms 127.0.0.1 "$PORT"
    assert_status 5
    assert_event try.err closed how timeout
    assert_event try.err error status 5
    peer peer stall
    start client "$SOCKCTL" connect --log json -d 127.0.0.1 "$PORT"
    until_event client connected
    stop client
    assert_status 143
    assert_event client.err closed how signal
    try "$SOCKCTL" connect --log json unix:nobody
    assert_status 4
    assert_event try.err error 'status message' '4 connect to unix:nobody: .*'
}

@test "--log json: listen -k and echo-server, each client" {
    for command in 'listen -k' echo-server; do
        # shellcheck disable=SC2086 # two words
        start server "$SOCKCTL" $command --log json 127.0.0.1:0
        listening_json server
        TRY_STDIN=<(printf abc) try "$SOCKCTL" connect 127.0.0.1 "$PORT"
        assert_status 0
        until_event server closed
        start peer python3 "$HELPERS/peer.py" rst-after --connect "$PORT" 0
        wait_line server '"how":"reset"'
        stop server
        assert_status 0
        assert_event server.err accepted 'local remote' "127\\.0\\.0\\.1:$PORT $local_"
        assert_event server.err closed 'bytes_in seconds how retransmits' '3 [0-9.]+ eof 0'
    done
}

@test "--log json: unix-serve, each client, and unix-send" {
    start server "$SOCKCTL" unix-serve --log json "$T/s"
    until_event server listening
    try "$SOCKCTL" unix-send --log json s hello
    assert_status 0
    assert_event try.err connected remote unix:s
    assert_event try.err closed 'bytes_in bytes_out how' '0 10 eof'
    until_event server closed
    assert_event server.err accepted 'local remote' "unix:$T/s client 1"
    assert_event server.err closed 'local remote bytes_in bytes_out how' "unix:$T/s client 1 10 0 eof"
    mkfifo silent
    exec 5<>silent
    START_STDIN=silent start client "$SOCKCTL" unix-send --log json s
    until_event client connected
    stop client
    exec 5>&-
    assert_status 143
    assert_event client.err closed how signal
    stop server
    assert_status 0
    start server "$SOCKCTL" unix-serve --log json --max-time 1500ms "$T/s"
    until_event server listening
    try "$SOCKCTL" unix-send --log json -i 20ms --reply s hello
    assert_status 5
    assert_event try.err closed 'bytes_out how' '10 timeout'
    finish server
    assert_status 5
    assert_event server.err error status 5
}

@test "--log json: UDP, whoever is heard" {
    start server "$SOCKCTL" listen -u --log json 127.0.0.1:0
    listening_json server
    TRY_STDIN=<(printf abc) try "$SOCKCTL" connect --log json -u -q 10ms 127.0.0.1 "$PORT"
    assert_status 0
    assert_event try.err closed 'remote bytes_out how rtt_us' "127\\.0\\.0\\.1:$PORT 3 eof -"
    until_event server accepted
    stop server
    assert_event server.err accepted 'local remote' "127\\.0\\.0\\.1:$PORT $local_"
    assert_event server.err closed 'local remote bytes_in how' "127\\.0\\.0\\.1:$PORT $local_ 3 signal"
    start server "$SOCKCTL" listen -u -w 10ms --log json 127.0.0.1:0
    finish server
    assert_status 5
    assert_event server.err closed 'remote bytes_in how' '- 0 timeout'
}

@test "--log json: warnings, notes and calls are objects, valid whatever a name holds" {
    name=$'a"b\\c\n\x1b[31m\xff\xc3\xa9'
    start server "$SOCKCTL" listen -k -i 10ms --log json -vv "unix:./$name"
    until_event server listening
    try "$SOCKCTL" connect --log json -vv -d "unix:./$name"
    assert_status 0
    wait_line server '"timeout"'
    stop server
    assert_status 0
    assert_event server.err warning message 'unix:\(unnamed\): nothing moved within the time limit'
    assert_event server.err trace message 'socket\(AF_UNIX, .*'
    assert_event try.err connected remote $'unix:./a"b\\\\c \\\x1b\[31m\\\\xff\xc3\xa9'
}

@test "--log: json is the only format, and usage errors are text" {
    try "$SOCKCTL" connect --log xml 127.0.0.1 1
    assert_usage_error "option --log: 'xml' is not a format \(json\)"
    try "$SOCKCTL" connect --log json 127.0.0.1:1:2:3 x y
    assert_usage_error
    try "$SOCKCTL" connect --log json -s 127.0.0.1 nowhere.invalid:0
    assert_usage_error
}

# --progress

# on_terminal WIDTHS CMD…: as `try`, with what was written to the terminal in drawn.
on_terminal() {
    need python3
    TERM=dumb try python3 "$HELPERS/terminal.py" "$@"
    drawn=$(<try.out)
}

@test "--progress: a line that fits the terminal and follows its width; at the end the totals stay" {
    peer peer stall
    truncate -s 30M data
    TRY_STDIN=data on_terminal 80,30,80 "$SOCKCTL" connect --progress 127.0.0.1 "$PORT"
    assert_status 254 # -SIGINT, to python
    [[ $drawn =~ ^'<80>'$'\r\e[?7l'\ *[0-9]+%\ \ \[#+\>\ +\]\ +[0-9.]+/30.0\ MiB\ +[0-9.]+\ [KM]iB/s\ \ eta\ [0-9]+:[0-9]{2}$'\e[K\e[?7h\r' ]] ||
        fail "this is not the line" try.out
    python3 - try.out <<'PY'
import re, sys
width, widths = None, 0
line = r"\r(?:\x1b\[J)?\x1b\[\?7l([ -~]*)\x1b\[K\x1b\[\?7h\r"
text = open(sys.argv[1], newline="").read()
text, count = re.subn(r"\r\x1b\[Ksockctl: sent [^(\n]*\([^)]*/s\)(; |\r?\nsockctl: )rtt [^\n]*\n$", "END", text)
assert count and text.endswith("\rEND"), text
rest = re.sub(rf"<\d+>|END|{line}", "", text)
assert rest == "", rest
for size, drawn in re.findall(r"<(\d+)>((?:[^<])*)", text):
    lengths = [len(each) for each in re.findall(line, drawn)]
    assert len(lengths) >= 3, text
    # The first may have been on its way when the width changed.
    assert max(lengths[1:]) <= int(size) - 1, (size, lengths)
    widths += 1
assert widths == 3
PY
}

@test "--progress: a message takes the line's place" {
    peer peer stall
    truncate -s 30M data
    TRY_STDIN=data on_terminal 80 "$SOCKCTL" connect --progress -v -i 300ms 127.0.0.1 "$PORT"
    assert_status 5
    [[ $drawn == *$'\e[?7h\r\r\e[Ksockctl: closed '*', timeout'* ]] || fail "not cleared" try.out
}

@test "--progress: nothing where stderr is no terminal, or has objects" {
    truncate -s 3M data
    peer peer stall
    TRY_STDIN=data try "$SOCKCTL" connect --progress -i 250ms 127.0.0.1 "$PORT"
    assert_status 5
    assert_one_error_line
    peer other stall
    TRY_STDIN=data on_terminal 80 "$SOCKCTL" connect --log json --progress -i 250ms 127.0.0.1 "$PORT"
    assert_status 5
    [[ $drawn != *$'\e'* ]] || fail "something was drawn" try.out
}

@test "13.10: durations are words, one is singular, and a UNIX peer without a name is shown by its process" {
    start server "$SOCKCTL" listen -i 1 -v "$T/socket"
    wait_line server listening
    start client "$SOCKCTL" connect -d "$T/socket"
    try "$SOCKCTL" listen --max-time 1 127.0.0.1 0
    assert_status 5
    assert_errors '^sockctl: the limit of 1 second for the command is over$'
    finish server
    assert_status 5
    assert_errors '^sockctl: unix:\(pid [0-9]+, uid [0-9]+\): nothing moved for 1 second'
}
