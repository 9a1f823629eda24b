#!/usr/bin/env bats
# Daemons that inetd(8) is known for, below listen --inetd.

load helpers/common

setup() {
    common_setup
    PATH=$PATH:/usr/sbin # telnetd
}
teardown() { common_teardown; }

@test "rsync --daemon: files come and go, and it knows who asks" {
    need rsync
    mkdir module
    head -c 3M /dev/urandom >module/large
    echo small >module/small
    cat >rsyncd.conf <<END
use chroot = no
$([ "$EUID" -ne 0 ] || printf 'uid = 0\ngid = 0')
[module]
path = $T/module
read only = no
hosts allow = 127.0.0.1
END
    start server "$SOCKCTL" listen -k --inetd -e rsync 127.0.0.1:0 -- \
        --daemon --config="$T/rsyncd.conf" --log-file="$T/rsync.log"
    listening server
    try rsync -a "rsync://127.0.0.1:$PORT/module/" copy/
    assert_status 0
    diff -r module copy
    echo new >copy/new
    try rsync -a copy/ "rsync://127.0.0.1:$PORT/module/"
    assert_status 0
    diff -r module copy
    try rsync "rsync://127.0.0.1:$PORT/nosuch/"
    assert_status 5 # rsync's own
    assert_errors "Unknown module 'nosuch'"
    grep 'connect from .*(127\.0\.0\.1)' rsync.log
    poll 5000 has_children server 0
    stop server
    assert_status 0
    assert_one_error_line # the one about the port
}

@test "telnetd: a session on a terminal, to its end" {
    need telnetd
    [ "$EUID" -eq 0 ] || skip "telnetd needs to be root"
    start server "$SOCKCTL" listen -k --inetd -e telnetd 127.0.0.1:0 -- -E /bin/cat
    listening server
    mkfifo keys
    START_STDIN=keys start client "$SOCKCTL" connect -t 127.0.0.1 "$PORT"
    exec 5>keys
    echo hello >&5
    wait_file client.out hello
    printf '\4' >&5 # the end of its input, as a terminal has it
    finish client
    exec 5>&-
    assert_status 0
    [ -z "$errors" ]
    # The terminal's echo, and cat's.
    [ "$(grep -c hello client.out)" -eq 2 ]
    poll 5000 has_children server 0
    stop server
    assert_status 0
}
