#!/usr/bin/env bats
# http-get -o: what a signal leaves of a download, and how it goes on.

load helpers/common
load helpers/http

setup() {
    common_setup
    python3 -c 'import os; open("x", "w"); os.setxattr("x", "user.a", b"b")' || skip "no extended attributes here"
    rm -f x
}

TAGGED='ETag: "v"\r\n'
HALF="${OK}${TAGGED}Content-Length: 4096\r\n\r\n"
FIRST=$(head -c 2047 /dev/zero | tr '\0' a)
REST="HTTP/1.1 206 x\\r\\n${TAGGED}Content-Range: bytes 2047-4095/4096\\r\\n\\r\\nb${FIRST}c"
WHOLE="${FIRST}b${FIRST}c"

has_begun() { [ -n "$(find . -name '.*sockctl*' -size +0)" ]; }

# interrupt SIGNAL ARGS…
interrupt() {
    start get "$SOCKCTL" http-get "${@:2}" "$URL/file"
    poll 5000 has_begun
    stop get "$1"
    assert_status $((128 + $(kill -l "$1")))
}

@test "^C without -C: the part is kept, a line says so, and -C goes on with it" {
    for signal in INT TERM; do
        serve_text --end=stall "$HALF$FIRST" "$REST"
        echo old >file
        interrupt $signal -o file
        [ "$errors" = 'sockctl: 2.0 KiB of 4.0 KiB kept in .file.sockctl-part; to go on: the same command with -C' ] ||
            show_results "not that"
        [ "$(<file)" = old ]
        [ "$(<.file.sockctl-part)" = "$FIRST" ]
        [ "$(find . -name '.*sockctl*')" = ./.file.sockctl-part ]
        stop peer KILL || :
        serve_text "$REST"
        try "$SOCKCTL" http-get -C -o file "$URL/file"
        assert_status 0
        [ -z "$errors" ]
        [ "$(<file)" = "$WHOLE" ]
        grep -q '^Range: bytes=2047-' peer.err && grep -q '^If-Range: "v"' peer.err
        [ -z "$(find . -name '.*sockctl*')" ]
    done
}

@test "^C with -C, and -O: the same command goes on" {
    serve_text --end=stall "$HALF$FIRST"
    interrupt INT -C -O
    [ "$errors" = 'sockctl: 2.0 KiB of 4.0 KiB kept in .file.sockctl-part; to go on: the same command' ] ||
        show_results "not that"
    stop peer KILL || :
    serve_text "$REST"
    try "$SOCKCTL" http-get -C -O "$URL/file"
    assert_status 0
    [ "$(<file)" = "$WHOLE" ]
    [ -z "$(find . -name '.*sockctl*')" ]
}

@test "-C: a download that is cut says what is kept, too" {
    serve_text "$HALF$FIRST" "$REST"
    try "$SOCKCTL" http-get -C -o file "$URL/file"
    assert_status 7
    assert_one_error_line
    assert_errors '2049 of 4096 bytes are missing; 2\.0 KiB of 4\.0 KiB kept in \.file\.sockctl-part: to go on, type the same command$'
    try "$SOCKCTL" http-get -C -o file "$URL/file"
    assert_status 0
    [ "$(<file)" = "$WHOLE" ]
}

@test "nothing is kept without a version, of a part, or of a head; -s keeps in silence" {
    serve_text --end=stall "${OK}Content-Length: 4096\r\n\r\n$FIRST" "$HALF$FIRST" "$HALF$FIRST"
    interrupt INT -o file
    [ -z "$errors" ]
    [ -z "$(find . -name '.*sockctl*')" ]
    interrupt INT -i -o file
    [ -z "$errors" ]
    [ -z "$(find . -name '.*sockctl*')" ]
    interrupt INT -s -o file
    [ -z "$errors" ]
    [ "$(<.file.sockctl-part)" = "$FIRST" ]
}

@test "a newer part takes the place of an older one; a complete file without -C removes it" {
    serve_text --end=stall "$HALF$FIRST" "${OK}Content-Length: 3\r\n\r\nall"
    printf older >.file.sockctl-part
    start get "$SOCKCTL" http-get -o file "$URL/file"
    poll 5000 has_second # beside the older one
    stop get INT
    assert_status 130
    [ "$(<.file.sockctl-part)" = "$FIRST" ]
    try "$SOCKCTL" http-get -o file "$URL/file"
    assert_status 0
    [ "$(<file)" = all ]
    [ -z "$(find . -name '.*sockctl*')" ]
}

@test "a part of somebody else's, or one that is being written, stays" {
    serve_text --end=stall "$HALF$FIRST" "$HALF$FIRST"
    ln -s /etc/hostname .file.sockctl-part
    interrupt INT -o file
    [ -z "$errors" ]
    [ -L .file.sockctl-part ]
    rm .file.sockctl-part
    printf other >.file.sockctl-part
    need flock
    start holder flock .file.sockctl-part sleep 20
    poll 5000 is_locked
    start get "$SOCKCTL" http-get -o file "$URL/file"
    poll 5000 has_second
    stop get INT
    [ -z "$errors" ]
    [ "$(<.file.sockctl-part)" = other ]
}

is_locked() { ! flock -n .file.sockctl-part true; }
has_second() { [ -n "$(find . -name '.sockctl*' -size +0)" ]; }
