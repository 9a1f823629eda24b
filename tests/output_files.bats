#!/usr/bin/env bats
# Files that the user names for something to be written: whose links are followed, what is replaced
# and what is written in place, and what a file that is replaced keeps.

load helpers/common
load helpers/http

WAYS="output append hex-dump port-file get-output get-continue get-name"

# A server that says "new" to all who connect to the socket `conn`.
serve_new() {
    start server "$SOCKCTL" listen -k unix:conn -c 'printf new'
    poll 5000 test -S conn
}

# serve_get WAY: for those of http-get one that answers "new" a few times, at URL.
serve_get() {
    local answer="$OK\r\nnew"
    [[ $1 != get-* ]] || serve_text "$answer" "$answer" "$answer" "$answer"
}

# write_by WAY FILE: something is written to FILE, whose last part is `file`. The status is that of try.
write_by() {
    case $1 in
    output | hex-dump) try "$SOCKCTL" connect "--$1" "$2" unix:conn ;;
    append) try "$SOCKCTL" connect --append -o "$2" unix:conn ;;
    port-file) try "$SOCKCTL" listen --port-file "$2" --run unix:served -- true ;;
    get-output) try "$SOCKCTL" http-get -o "$2" "$URL" ;;
    get-continue) try "$SOCKCTL" http-get -C -o "$2" "$URL" ;;
    get-name) try env -C "${2%/*}" "$SOCKCTL" http-get -O "$URL/file" ;;
    esac
}

# is_written WAY FILE: and nothing is left beside it.
is_written() {
    grep -q "$([ "$1" = port-file ] && echo served || echo new)" "$2" && [ -z "$(find . -name '*.sockctl-*')" ]
}

@test "12.2.5: a file that is replaced keeps its mode, without set-id bits" {
    serve_new
    mkdir d
    for way in $WAYS; do
        serve_get "$way"
        for mode in 600 640 4755; do
            # What is written in place keeps what the kernel leaves it.
            [[ $mode != 4755 || ! $way =~ ^(output|append|hex-dump)$ ]] || continue
            echo old >d/file
            chmod "$mode" d/file
            write_by "$way" "$T/d/file"
            assert_status 0
            is_written "$way" d/file || fail "$way: nothing was written" d/file
            [ "$(stat -c %a d/file)" = "$((mode % 1000))" ] || fail "$way: $(stat -c %a d/file) from $mode"
            rm d/file
        done
    done
}

@test "12.2.5: a new file gets the mode that the umask leaves, and so does one whose part was there" {
    umask 027
    serve_new
    mkdir d
    for way in $WAYS; do
        serve_get "$way"
        write_by "$way" "$T/d/file"
        assert_status 0
        is_written "$way" d/file || fail "$way: nothing was written" d/file
        [ "$(stat -c %a d/file)" = 640 ] || fail "$way: $(stat -c %a d/file)"
        rm d/file
    done
    printf '%b' "${OK}ETag: \"v\"\r\nContent-Length: 6\r\n\r\nabc" >begin
    printf '%b' 'HTTP/1.1 206 x\r\nETag: "v"\r\nContent-Range: bytes 3-5/6\r\n\r\ndef' >rest
    serve begin rest
    try "$SOCKCTL" http-get -C -o file "$URL"
    assert_status 7
    [ -e .file.sockctl-part ] || skip "no extended attributes here"
    [ "$(stat -c %a .file.sockctl-part)" = 600 ]
    echo old >file
    chmod 604 file
    try "$SOCKCTL" http-get -C -o file "$URL"
    assert_status 0
    [ "$(<file)" = abcdef ]
    [ "$(stat -c %a file)" = 604 ]
}

@test "12.2.5: a file that is replaced keeps its owner and group where that may be" {
    need_other_user
    serve_new
    mkdir d
    for way in port-file get-output get-continue get-name; do
        serve_get "$way"
        echo old >d/file
        chmod 4640 d/file
        chown 65533:65532 d/file
        chmod 4640 d/file
        write_by "$way" "$T/d/file"
        assert_status 0
        is_written "$way" d/file
        [ "$(stat -c %u:%g:%a d/file)" = 65533:65532:640 ] || fail "$way: $(stat -c %u:%g:%a d/file)"
    done
    # Who may not give it away: it is his, and his group may do no more than others might.
    chmod 755 "$T"
    chmod 777 d
    echo old >d/file
    chown 65533:65532 d/file
    chmod 662 d/file
    umask 077
    try "${OTHER[@]}" "$SOCKCTL" http-get -o d/file "$URL"
    assert_status 0
    [ "$(<d/file)" = new ]
    [ "$(stat -c %u:%g:%a d/file)" = 65534:65534:622 ] || fail "$(stat -c %u:%g:%a d/file)"
}

@test "12.2.5: one's own link is followed, to a file or to none yet, through links" {
    serve_new
    mkdir d e
    ln -s e/second d/../first
    ln -s ../d/../first d/file
    ln -s "$T/target" e/second
    for way in $WAYS; do
        serve_get "$way"
        for target in old none; do
            rm -f target
            [ "$target" = none ] || echo old >target
            write_by "$way" "$T/d/file"
            assert_status 0
            is_written "$way" target || fail "$way, $target: nothing was written"
            [ -L d/file ] && [ -L e/second ] || fail "$way: the link has gone"
        done
    done
    ln -sf file d/file
    write_by output "$T/d/file"
    assert_status 8
    assert_errors "^sockctl: open $T/d/file: Too many levels of symbolic links$"
    write_by get-output "$T/d/file"
    assert_status 8
    ln -sf missing/file d/file
    write_by port-file "$T/d/file"
    assert_status 8
    assert_one_error_line
}

@test "12.2.5: a link of somebody else is refused, to a file or to none, and through links" {
    need_other_user
    serve_new
    mkdir d
    ln -s ../target d/planted
    chown -h 65533 d/planted
    for way in $WAYS; do
        serve_get "$way"
        for target in old none; do
            for link in planted own; do
                rm -f target d/file
                [ "$target" = none ] || echo old >target
                ln -s ../target d/file
                chown -h 65533 d/file
                [ "$link" = planted ] || ln -sf planted d/file
                write_by "$way" "$T/d/file"
                assert_status 8
                assert_one_error_line
                assert_errors '^sockctl: open .*: a symbolic link of another user \(uid 65533\) is not followed'
                [ "$(cat target 2>/dev/null)" = "$([ $target = none ] || echo old)" ] || fail "$way: written"
                [ -L d/file ] && [ ! -e served ] || fail "$way: left something" "$T"
            done
        done
    done
    # root's are followed, by anybody.
    chmod 777 "$T" d
    ln -sf ../target d/file
    echo old >target
    chmod 666 target
    try "${OTHER[@]}" "$SOCKCTL" connect -o d/file --append unix:conn
    assert_status 4
    [ "$(<target)" = old ]
    chmod 666 conn
    try "${OTHER[@]}" "$SOCKCTL" connect -o d/file --append unix:conn
    assert_status 0
    [ "$(<target)" = $'old\nnew' ]
}

@test "12.2.5: descriptors, FIFOs and devices are written in place" {
    serve_new
    local name
    ln -s /dev/stdout link
    for name in /dev/stdout link /dev/fd/1 /proc/self/fd/1; do
        for way in output append hex-dump port-file get-output; do
            serve_get "$way"
            { echo head; write_to_stdout "$way" "$name"; echo tail; } >all
            [[ $(<all) =~ ^head$'\n'.*(new|served$'\n').*tail$ ]] || fail "$way $name:" all
        done
    done
    mkfifo fifo
    for way in output get-output get-continue port-file; do
        serve_get "$way"
        start reader timeout 10 cat fifo
        write_by "$way" fifo
        assert_status 0
        finish reader
        [ "$output" = "$([ $way = port-file ] && echo served || echo new)" ] || fail "$way: $output"
        [ -p fifo ]
    done
    for way in $WAYS; do
        serve_get "$way"
        [ "$way" != get-name ] || continue
        write_by "$way" /dev/null
        assert_status 0
        [ -c /dev/null ]
        write_by "$way" /dev/full
        assert_status 8
        assert_one_error_line
    done
    write_by output /dev/fd/99
    assert_status 8
    assert_errors '^sockctl: open /dev/fd/99: Bad file descriptor$'
}

write_to_stdout() {
    case $1 in
    output | hex-dump) "$SOCKCTL" connect "--$1" "$2" unix:conn </dev/null ;;
    append) "$SOCKCTL" connect -a -o "$2" unix:conn </dev/null ;;
    port-file) "$SOCKCTL" listen --port-file "$2" --run unix:served -- true ;;
    get-output) "$SOCKCTL" http-get -o "$2" "$URL" ;;
    esac
}

@test "12.2.5: what is replaced is on the disk before it gets its name" {
    need strace
    serve_new
    export ASAN_OPTIONS=${ASAN_OPTIONS:-}:detect_leaks=0
    for way in get-output get-continue port-file; do
        serve_get "$way"
        case $way in
        port-file) try strace -f -o calls -e trace=fsync,rename,renameat,renameat2 "$SOCKCTL" listen \
            --port-file file --run unix:served -- true ;;
        get-output) try strace -f -o calls -e trace=fsync,rename,renameat,renameat2 "$SOCKCTL" http-get -o file "$URL" ;;
        get-continue) try strace -f -o calls -e trace=fsync,rename,renameat,renameat2 "$SOCKCTL" http-get -C -o file "$URL" ;;
        esac
        assert_status 0
        [ "$(grep -oE 'fsync|rename' calls | paste -sd' ')" = 'fsync rename' ] || fail "$way:" calls
    done
}

@test "12.2.5: what cannot be written is named before anything is asked for" {
    mkdir d
    for way in output append hex-dump get-output get-continue; do
        for name in d missing/file d/; do
            URL=127.0.0.1:1 write_by "$way" "$name"
            assert_status 8
            assert_one_error_line
            assert_errors "^sockctl: (open|create) $name: (Is a directory|No such file or directory)$"
        done
    done
    for name in d missing/file; do
        write_by port-file "$name"
        assert_status 8
        assert_errors "$name: (Is a directory|No such file or directory)$"
        [ ! -e served ]
    done
}

@test "12.2.5: '-' for a file is told what to type, and --append what it is for" {
    for command in "connect -o - unix:s" "listen -o - unix:s" "listen -k --output=- unix:s"; do
        # shellcheck disable=SC2086 # several words
        try "$SOCKCTL" $command
        assert_usage_error "option --output: what arrives goes to stdout as well; a file of that name is ./-"
    done
    for command in "listen unix:s" "echo-server unix:s" "unix-serve s"; do
        # shellcheck disable=SC2086
        try "$SOCKCTL" $command --port-file -
        assert_usage_error "option --port-file: stdout is /dev/stdout; a file of that name is ./-"
    done
    for command in connect listen; do
        try "$SOCKCTL" $command -a unix:s
        assert_usage_error 'option --append is for --output and --hex-dump'
    done
    [ -z "$(find . ! -name . ! -name 'try.*')" ] || fail "something was made: $(find .)"
}
