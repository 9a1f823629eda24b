# For the tests of what a command gives up, with common.bash: after_cut.c makes an intruder's calls in a command's place, right
# after its sandbox is entered, and writes down which were not refused. What they may be is in the table of sockctl(1).

# Calls that need nothing: they show that the others are not refused by accident.
basic='epoll_ctl read sendmsg'

setup() {
    common_setup
    ! sanitized || skip 'sanitizers make calls of their own: there is no sandbox'
    unset SOCKCTL_SANDBOX # what is refused is to fail here, not to end the process
    need cc
    mkdir own # what the command has to do with is in there
    touch other
    cc -shared -fPIC -o after_cut.so "$HELPERS/after_cut.c" -ldl
    export AFTER_CUT=$T/passed AFTER_CUT_FILE=$T/other
    intruder=(env LD_PRELOAD="$T/after_cut.so" "$SOCKCTL")
}

# intruded COMMAND...: a server with an intruder in it, which listens.
intruded() {
    rm -f passed
    start server "${intruder[@]}" "$@"
    listening server
}

# table: the rows of the table in sockctl(1): COMMAND, a tab, and what it keeps.
table() {
    sed -n '/^\.Bl -column "http-get --retry N NAME"/,/^\.El/s/^\.It //p' "$BATS_TEST_DIRNAME/../man/sockctl.1" |
        sed 's/Fl -\([a-z]*\) , /Fl -\1, -/g; s/Fl /-/g; s/ Ns / Ns/g; s/\(Cm\|Ar\) //g; s/ Ns//g; s/ Ta /\t/'
}

# calls_of WORD...: the calls that a word of the table stands for.
calls_of() {
    local word
    for word in "$@"; do
        case $word in
            nothing) ;;
            accept) echo accept4 ;;
            sockets) echo connect bind socket-inet socket-unix ;;
            names)
                echo connect bind socket-inet socket-unix socket-netlink
                echo openat thread mmap-exec mprotect-exec
                ;;
            settings) echo read-passwd ;;
            threads) echo thread ;;
            output) echo openat unlinkat renameat ftruncate fchmod fchown fsync flock fsetxattr ;;
            files) echo unlinkat ;;
            lists) echo openat ;;
            processes) echo kill wait4 ;;
            *) fail "$word is no word of the table" ;;
        esac
    done
}

# assert_kept ROW...: what these rows of the table name was possible, each time, and nothing else; the file that the command
# has nothing to do with is still there.
assert_kept() {
    local row kept='' line expected shown
    for row in "$@"; do
        line=$(table | grep "^$row"$'\t') || fail "the table of sockctl(1) has no row '$row'" || return
        kept+=" ${line#*$'\t'}"
    done
    # shellcheck disable=SC2046,SC2086 # words
    expected=$(sorted $basic $(calls_of ${kept//,/}))
    wait_file passed 'read sendmsg epoll_ctl' 20
    while read -r line; do
        # shellcheck disable=SC2086
        shown=$(sorted $line)
        [ "$shown" = "$expected" ] || fail "possible were: $shown; to be possible: $expected" || return
    done <passed
    [ -e other ] || fail 'the other file was removed'
}

sorted() { printf '%s\n' "$@" | sort -u | paste -sd ' '; }
