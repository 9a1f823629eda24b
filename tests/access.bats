#!/usr/bin/env bats
# --allow, --deny, --allow-uid: who may connect.

load helpers/common

server() {
    start server "$SOCKCTL" "$@"
    listening server
}

# ask SOURCE [HOST]: connects from there and has "hi" sent back, unless refused.
ask() {
    TRY_STDIN=<(echo hi) try "$SOCKCTL" connect -s "$1" "${2:-127.0.0.1}" "$PORT"
}
assert_served() {
    ask "$@"
    assert_status 0 && assert_output hi
}
# Not a byte of an answer, and closed at once.
assert_turned_away() {
    local before
    before=$(now_ms)
    ask "$@"
    (($(now_ms) - before < 1000 * PATIENCE)) || fail "closed late"
    assert_output "" && assert_status 1
}

descriptors() {
    local all=(/proc/"${PIDS[server]}"/fd/*)
    echo ${#all[@]}
}

@test "--allow: others are turned away, and the server goes on" {
    server echo-server -v --allow 127.0.0.1,127.0.0.16/28 127.0.0.1:0
    for _ in 1 2; do
        assert_served 127.0.0.1
        assert_served 127.0.0.31
        assert_turned_away 127.0.0.32
        assert_turned_away 127.0.0.15
    done
    stop server
    assert_status 0
    assert_errors '^sockctl: 127\.0\.0\.32:[0-9]+ is not allowed: closed$'
}

@test "--deny: the rest is served; it wins over --allow; both may be repeated" {
    server echo-server --deny 127.0.0.2 --deny 127.0.0.3 127.0.0.1:0
    assert_turned_away 127.0.0.2
    assert_turned_away 127.0.0.3
    assert_served 127.0.0.1
    stop server
    server echo-server --allow 127.0.0.2 --allow 127.0.0.3 --deny 127.0.0.2 127.0.0.1:0
    assert_turned_away 127.0.0.2
    assert_served 127.0.0.3
    assert_turned_away 127.0.0.1
    stop server
    server echo-server --allow 0.0.0.0/0 --deny 0.0.0.0/0 127.0.0.1:0
    assert_turned_away 127.0.0.1
}

@test "/0 is everybody, /32 and /128 one; a mapped IPv4 address is IPv4" {
    need_ipv6
    server echo-server --allow 0.0.0.0/0 0
    assert_served 127.0.0.9
    assert_turned_away ::1 ::1
    stop server
    server echo-server --allow ::/0 0
    assert_turned_away 127.0.0.1
    assert_served ::1 ::1
    stop server
    server echo-server --allow 127.0.0.1/32,::1/128 0
    assert_served 127.0.0.1
    assert_served ::1 ::1
    assert_turned_away 127.0.0.2
    stop server
    server echo-server --deny ::ffff:127.0.0.1 0
    assert_turned_away 127.0.0.1
    assert_served 127.0.0.2
}

@test "listen: nothing of a stranger reaches stdout, nothing of stdin a stranger" {
    need python3
    mkfifo say
    exec 5<>say
    START_STDIN=say start server "$SOCKCTL" listen -k --greeting hello --allow 127.0.0.2 127.0.0.1:0
    listening server
    start stranger "$SOCKCTL" connect -d 127.0.0.1 "$PORT"
    finish stranger
    assert_output ""
    TRY_STDIN=<(echo stranger) try "$SOCKCTL" connect 127.0.0.1 "$PORT"
    assert_output ""
    mkfifo friend.in
    START_STDIN=friend.in start friend "$SOCKCTL" connect -s 127.0.0.2 127.0.0.1 "$PORT"
    exec 6>friend.in
    echo friend >&6
    wait_file server.out friend
    echo ours >&5
    wait_file friend.out helloours
    exec 5>&- 6>&-
    stop server
    assert_output friend
}

@test "listen: one who is turned away is not the one client that is waited for" {
    server listen -w 5 --deny 127.0.0.2 127.0.0.1:0
    try "$SOCKCTL" connect -s 127.0.0.2 127.0.0.1 "$PORT"
    TRY_STDIN=<(echo served) try "$SOCKCTL" connect 127.0.0.1 "$PORT"
    assert_status 0
    finish server
    assert_status 0
    assert_output served
    server listen -w 300ms --deny 127.0.0.2 127.0.0.1:0
    try "$SOCKCTL" connect -s 127.0.0.2 127.0.0.1 "$PORT"
    finish server
    assert_status 5
}

@test "-m counts those who are served alone; 1,000 who are not leave nothing behind" {
    need python3
    server echo-server -m 2 --deny 127.0.0.2 127.0.0.1:0
    assert_served 127.0.0.1
    before=$(descriptors)
    cat >strangers.py <<'EOF'
import socket, sys
for _ in range(1000):
    with socket.create_connection(("127.0.0.1", int(sys.argv[1])), 5, ("127.0.0.2", 0)) as sock:
        try:
            assert sock.recv(1) == b""
        except ConnectionResetError:
            pass
EOF
    try python3 strangers.py "$PORT"
    [ -z "$errors" ] || fail "$errors"
    [ "$(descriptors)" -eq "$before" ]
    try python3 "$HELPERS/echo_clients.py" many "$ADDR" 2
    assert_status 0
}

@test "@FILE: blank lines, comments, and read again on SIGHUP" {
    printf '# ours\n\n  127.0.0.2  # one\r\n\t\n::1\n127.0.0.16/28' >list
    server echo-server -v --allow @list,127.0.0.9 127.0.0.1:0
    assert_served 127.0.0.2
    assert_served 127.0.0.9
    assert_served 127.0.0.17
    assert_turned_away 127.0.0.3
    echo 127.0.0.3 >list
    assert_turned_away 127.0.0.3
    kill -s HUP "${PIDS[server]}"
    wait_line server 'read again'
    assert_served 127.0.0.3
    assert_served 127.0.0.9
    assert_turned_away 127.0.0.2
    stop server
    assert_status 0
}

@test "SIGHUP: with a bad file the lists stay; without files the server ends; nohup does not matter" {
    echo 127.0.0.2 >list
    server echo-server --allow @list 127.0.0.1:0
    echo 127.0.0.3 nonsense >list
    kill -s HUP "${PIDS[server]}"
    wait_line server "SIGHUP: option --allow: list, line 1: '127.0.0.3 nonsense' is not"
    rm list
    kill -s HUP "${PIDS[server]}"
    wait_line server 'SIGHUP: read list: No such file'
    mkfifo list
    kill -s HUP "${PIDS[server]}"
    wait_line server 'SIGHUP: read list: not a regular file'
    assert_served 127.0.0.2
    assert_turned_away 127.0.0.3
    stop server
    assert_status 0
    server echo-server --allow 127.0.0.2 127.0.0.1:0
    stop server HUP
    assert_status 0
    rm list
    echo 127.0.0.2 >list
    start server bash -c "trap '' HUP; exec \"\$SOCKCTL\" echo-server -v --allow @list 127.0.0.1:0"
    listening server
    echo 127.0.0.3 >list
    kill -s HUP "${PIDS[server]}"
    wait_line server 'read again'
    assert_served 127.0.0.3
}

@test "UDP: datagrams of others are dropped" {
    need python3
    server echo-server -u --deny 127.0.0.2 127.0.0.1:0
    echo_from() {
        TRY_STDIN=<(printf x) try "$SOCKCTL" connect -u -q 300ms -s "$1" 127.0.0.1 "$PORT"
    }
    echo_from 127.0.0.2
    assert_output ""
    echo_from 127.0.0.3
    assert_output x
    stop server
    for keep in '' -k; do
        # shellcheck disable=SC2086
        server listen -u $keep --allow 127.0.0.3 127.0.0.1:0
        echo_from 127.0.0.2
        TRY_STDIN=<(echo known) try "$SOCKCTL" connect -u -q 0 -s 127.0.0.3 127.0.0.1 "$PORT"
        wait_file server.out known
        stop server
        assert_output known
    done
}

@test "--allow-uid: numbers, names, files; other users are turned away" {
    me=$(id -u)
    for list in "$me" "$(id -un)" "4000000000,$me" @uids; do
        printf '# us\n%s\n' "$me" >uids
        server echo-server -v --allow-uid "$list" ./sock
        TRY_STDIN=<(echo hi) try "$SOCKCTL" connect ./sock
        assert_status 0
        assert_output hi
        stop server
    done
    for command in echo-server 'listen -k' unix-serve; do
        # shellcheck disable=SC2086
        server $command -v --allow-uid $((me + 1)) ./sock
        TRY_STDIN=<(echo hi) try "$SOCKCTL" connect ./sock
        assert_output ""
        assert_status 1
        wait_line server 'unix:\(pid [0-9]+, uid [0-9]+\) is not allowed: closed'
        stop server
        assert_status 0
        assert_output ""
    done
}

@test "a list of 20,000 networks is read and looked up in at once" {
    need python3
    python3 -c 'for i in range(20000): print(f"10.{i>>8}.{i&255}.0/24")' >list
    echo 127.0.0.1 >>list
    server echo-server --allow @list 127.0.0.1:0
    assert_turned_away 127.0.0.2
    try python3 "$HELPERS/echo_clients.py" one-by-one "$ADDR" 200
    assert_status 0
}

@test "12.2.8: numbers that others read otherwise, and NUL in a file, are errors" {
    for list in 127.0.0.1/08 127.0.0.1/032 ::1/0128 0.0.0.0/00 10.0.0.0/+8 '10.0.0.0/ 8' \
        ' 10.0.0.0/8' '10.0.0.0/8 ' '10.0.0.0/8, ::1' 10/8 10.0/16 0x7f.0.0.1 010.0.0.1 127.1 \
        2130706433 10.0.0.0/255.0.0.0 10.0.0.1-9; do
        for option in allow deny; do
            try "$SOCKCTL" echo-server "--$option" "$list" 127.0.0.1:0
            assert_usage_error "option --$option: '[^']*' (does not end in a number|is not a numeric)"
        done
    done
    for user in 00 01000 +0 ' 0'; do
        try "$SOCKCTL" listen --allow-uid "$user" ./sock
        assert_usage_error "option --allow-uid: '[+]?${user#+}' is not"
    done
    printf '127.0.0.1\n127.0.0.2\0/0\n' >list
    for option in allow deny allow-uid; do
        printf '0\n%s\n0\0\n' '# one' >uids
        file=list line=2 at=127.0.0.1:0
        [ $option != allow-uid ] || file=uids line=3 at=./sock
        try "$SOCKCTL" listen "--$option" "@$file" $at
        assert_usage_error "option --$option: $file, line $line: has a NUL byte"
    done
    printf '127.0.0.1 # \0\n' >list
    try "$SOCKCTL" echo-server --allow @list 127.0.0.1:0
    assert_usage_error "list, line 1: has a NUL byte"
}

@test "what is no list is a usage error, and nothing listens" {
    for list in '' ',' '127.0.0.1,' localhost 10.0.0.0/33 10.0.0.0/ ::/129 ::1%none 127.0.0.1:80; do
        try "$SOCKCTL" echo-server --allow "$list" 127.0.0.1:0
        assert_usage_error "option --allow: "
    done
    try "$SOCKCTL" echo-server --deny nobody.example 127.0.0.1:0
    assert_usage_error "option --deny: 'nobody.example' is not a numeric address"
    echo x >list
    try "$SOCKCTL" listen --allow @list 127.0.0.1:0
    assert_usage_error "list, line 1: 'x' is not"
    for file in missing .; do
        try "$SOCKCTL" listen --allow @$file 127.0.0.1:0
        assert_status 8
        assert_one_error_line
    done
    try "$SOCKCTL" echo-server --allow 127.0.0.1 ./sock
    assert_usage_error 'for internet sockets'
    try "$SOCKCTL" echo-server --allow-uid 0 127.0.0.1:0
    assert_usage_error 'for UNIX sockets'
    try "$SOCKCTL" echo-server -u --allow-uid 0 127.0.0.1:0
    assert_usage_error 'for UNIX sockets'
    [ ! -e sock ]
    for list in -1 4294967295 no-such-user 1x; do
        try "$SOCKCTL" listen --allow-uid "$list" ./sock
        assert_usage_error 'option --allow-uid: '
    done
}

# Who runs it

# With the ids of somebody else: nobody, who has no other group.
as_nobody() { try setpriv --reuid=65534 --regid=65534 --clear-groups "$@"; }

# A directory that nobody can get at, where the bits of a file count.
with_ids() {
    need setpriv
    [ "$(id -u)" -eq 0 ] || skip "only root can make such a copy"
    chmod 755 .
    cp "$(command -v id)" id
    chmod u+s id
    as_nobody ./id -u
    [ "$output" = 0 ] || skip "$T is mounted so that set-user-ID does not count"
    cp "$SOCKCTL" copy
}

@test "12.2.8: a set-user-ID or set-group-ID copy refuses to run" {
    ! sanitized || skip "the leak check cannot look into such a copy"
    with_ids
    for mode in u+s g+s u+s,g+s; do
        chmod 755 copy
        chmod "$mode" copy
        for words in --version 'listen 127.0.0.1:0' 'connect -z 127.0.0.1 1'; do
            # shellcheck disable=SC2086 # words
            as_nobody ./copy $words
            assert_status 126
            assert_output ""
            [ "$errors" = 'sockctl: a set-user-ID or set-group-ID copy does not run: chmod ug-s it' ]
        done
        try ./copy --version # root, whose file it is
        assert_status 0
    done
    chmod 755 copy
    chmod ug-s copy
    as_nobody ./copy --version
    assert_status 0
}

@test "12.2.8: file capabilities are no borrowed ids: such a copy runs" {
    need python3
    with_ids
    # cap_net_bind_service=ep, as setcap(8) writes it: struct vfs_cap_data of linux/capability.h.
    python3 -c 'import os, struct
os.setxattr("copy", "security.capability", struct.pack("<5I", 0x02000001, 1 << 10, 0, 0, 0))' ||
        skip "this file system has no file capabilities"
    as_nobody ./copy --version
    assert_status 0
}
