# shellcheck shell=bash
# shellcheck disable=SC2034 # what is set here is read by the tests
#
# What every test file loads: a directory of its own, processes in the background that are waited
# for and ended by id, bounded runs, and assertions that show what was there instead.
#
#     load helpers/common
#
#     @test "an echo server answers" {
#         start server "$SOCKCTL" echo-server 127.0.0.1:0
#         listening server
#         TRY_STDIN=<(echo hello) try "$SOCKCTL" connect 127.0.0.1 "$PORT"
#         assert_status 0
#         assert_output hello
#         stop server
#         assert_status 0
#     }
#
# Nothing here sleeps for a fixed time: waits poll until what they wait for is there, or fail.

setup() { common_setup; }
teardown() { common_teardown; }

# A test's world: $T, an empty directory that is also the current one; $SOCKCTL, the program;
# $ROOT, $HELPERS and $BUILD_DIR, where the sources, tests/helpers and its objects are.
common_setup() {
    ROOT=${BATS_TEST_DIRNAME%/*}
    HELPERS=$ROOT/tests/helpers
    BUILD_DIR=${BUILD_DIR:-$ROOT/build/release}
    export SOCKCTL=${SOCKCTL:-$ROOT/sockctl} LC_ALL=C
    unset http_proxy HTTP_PROXY https_proxy HTTPS_PROXY all_proxy ALL_PROXY no_proxy NO_PROXY \
        LISTEN_PID LISTEN_FDS LISTEN_FDNAMES NOTIFY_SOCKET NO_COLOR \
        PYTHONUNBUFFERED # a line would be written word by word
    declare -gA PIDS=()
    STARTED=()
    PAUSE=
    untraced close_inherited
    # Servers' configurations have no way to say each name, and a socket's is short.
    local where=${TMPDIR:-/tmp}
    [[ ! $where =~ [^A-Za-z0-9/._-] && ${#where} -le 35 ]] || where=/tmp
    T=$(mktemp -d -p "$where")
    cd "$T" || return
    # "yes" by run-tests, "no" of a file that does without.
    [ "${LOOPBACK:-}" ] || has_host 127.0.0.1 || skip "there is no loopback network"
}

# untraced FUNCTION ARGS…: without what bats does before each command, which takes longer than most. It
# is for what loops, and its place in a failure is then that of the call.
untraced() {
    local result=0 traced=-T
    [[ $- == *T* ]] || traced=+T
    set +T
    "$@" || result=$?
    set $traced
    return $result
}

# Sets CLOSE, redirections that leave a program 0, 1 and 2 of what is open now: bats has its own,
# and so may have whoever called it. A test can hand over 5 to 9: start x CMD 5<file
close_inherited() {
    local fd
    CLOSE=
    for fd in "/proc/$BASHPID/fd/"*; do
        fd=${fd##*/}
        # Not the one that reads the directory, gone by now, nor the one of bash's script.
        [[ $fd == [012] || $fd == 255 || ! -e /proc/$BASHPID/fd/$fd ]] || CLOSE+=" $fd>&-"
    done
}

# Ends what `start` started and is still there, and removes $T.
common_teardown() {
    untraced end_started
    local failed=0
    # gcc's UBSan reports to stderr alone; run-tests looks after the other sanitizers' reports.
    ! sanitized || ! grep -as 'runtime error:' "$T"/*.err || failed=1
    cd / && untraced end_the_rest
    rm -rf -- "$T"
    return $failed
}

end_started() {
    local pid
    for pid in "${STARTED[@]}"; do kill -TERM -- "-$pid" || :; done 2>/dev/null
    for pid in "${STARTED[@]}"; do
        until_gone "$pid" 2000 || kill -KILL -- "-$pid" 2>/dev/null || :
    done
}

# Whatever else is left in $T: a process substitution, say, of which nobody has read. bats would wait
# for it.
end_the_rest() {
    local entry pid
    for entry in /proc/[0-9]*; do
        pid=${entry#/proc/}
        [[ ! $entry/cwd -ef $T || $pid == "$$" || $pid == "$BASHPID" || $pid == "$PPID" ]] ||
            kill -KILL "$pid" 2>/dev/null || :
    done
}

now_ms() { echo $((${EPOCHREALTIME/[.,]/} / 1000)); }

# poll MS CMD…: runs CMD until it succeeds; status 1 after MS milliseconds. It starts no process of its
# own: those of a whole suite that waits would keep a small machine busy.
poll() { untraced poll_for "$@"; }
poll_for() {
    local end=$((${EPOCHREALTIME/[.,]/} + $1 * 1000)) _
    shift
    until "$@"; do
        [ -n "$PAUSE" ] || open_pause
        ((${EPOCHREALTIME/[.,]/} < end)) || return 1
        read -rt 0.02 -u "$PAUSE" _ || :
    done
}

# What nobody ever writes to: reading it with a limit is a pause.
open_pause() {
    exec {PAUSE}<> <(:)
    CLOSE+=" $PAUSE>&-"
}

# Ended, be it that bash has not noticed: while it reads with a limit it may miss that for long.
gone() {
    local stat
    ! { kill -0 "$1" && read -r stat <"/proc/$1/stat"; } 2>/dev/null || [[ ${stat##*) } == [ZX]* ]]
}
until_gone() { poll "$2" gone "$1"; }

# Fails the test with a message and the files named after it.
fail() {
    local file
    echo "$1" >&2
    shift
    for file; do
        echo "--- ${file##*/}:"
        [ ! -e "$file" ] || head -c 4000 -- "$file"
    done >&2
    return 1
}

# How much longer than it should something may take: a machine that runs a whole CI is slow, and so is
# one with more to do than PROCESSORS (2, if run-tests does not say). The figures themselves are for
# `make bench`.
PATIENCE=1
! { read -r PATIENCE _ </proc/loadavg; } 2>/dev/null || [ "${PATIENCE%.*}" -ge "${PROCESSORS:-2}" ] || PATIENCE=1
[ "${CI:-}${SOCKCTL_SANITIZED:-}" = "" ] && [ "$PATIENCE" = 1 ] || PATIENCE=5

# quickest LEAST MOST CMD…: CMD says how many milliseconds it took, by `took`. That is never under
# LEAST, and at the best of five tries under MOST, or twice that where things take longer: a busy
# machine delays some, what is wrong all.
quickest() {
    local least=$1 most=$(($2 * (PATIENCE > 1 ? 2 : 1))) _
    shift 2
    for _ in 1 2 3 4 5; do
        took ''
        "$@"
        ((TOOK >= least)) || fail "after $TOOK ms already: $*" || return
        ((TOOK >= most)) || return 0
    done
    fail "after $TOOK ms, and no sooner in five tries: $*"
}
took() { TOOK=$1; }

# start NAME CMD…: in the background, in a process group of its own. stdin is $START_STDIN or
# /dev/null; stdout, stderr and the id go to $T/NAME.out, .err and .pid.
start() {
    local name=$1 monitor=+m
    shift
    need_command "$1" || return
    : >"$T/$name.out"
    : >"$T/$name.err"
    # Job control gives the group, and leaves SIGINT as it is: without it, it would be ignored.
    [[ $- != *m* ]] || monitor=-m
    set -m
    eval '"$@" <"${START_STDIN:-/dev/null}" >"$T/$name.out" 2>"$T/$name.err"' "$CLOSE" '&'
    PIDS[$name]=$!
    set $monitor
    STARTED+=("${PIDS[$name]}")
    echo "${PIDS[$name]}" >"$T/$name.pid"
}

# wait_file FILE ERE [SECONDS=10]: until a line of FILE matches; that line is in LINE.
wait_file() { wait_for "" "$@"; }

# wait_line NAME ERE [SECONDS=10]: the same for the stderr of what was started as NAME.
wait_line() { wait_for "${PIDS[$1]}" "$T/$1.err" "${@:2}"; }

wait_for() {
    local pid=$1 file=$2 pattern=$3 seconds=$((${4:-10} * PATIENCE))
    LINE=
    poll $((seconds * 1000)) found_or_dead "$pid" "$file" "$pattern" || :
    [ -n "$LINE" ] || fail "no line matches '$pattern'" "$file"
}

# Sets LINE. A process that has ended will write nothing more: one last look is enough.
found_or_dead() {
    local dead=1
    [ -z "$1" ] || ! gone "$1" || dead=0
    [ -s "$2" ] && first_match "$2" "$3" && [ -n "$LINE" ] || return $dead
}

# Sets LINE to the first line of FILE that matches; of a short one without a process.
first_match() {
    local line some=()
    mapfile -n 100 -t some 2>/dev/null <"$1"
    for line in "${some[@]}"; do
        [[ ! $line =~ $2 ]] || { LINE=$line && return; }
    done
    [ ${#some[@]} -eq 100 ] && LINE=$(grep -aEm1 -e "$2" -- "$1" 2>/dev/null)
}

# listening NAME: until it says so. ADDR is what follows "listening on", PORT its number.
listening() {
    wait_line "$1" '^sockctl: listening on '
    ADDR=${LINE#sockctl: listening on }
    PORT=
    [[ ! $ADDR =~ ^(\[.*\]|[^:]*):([0-9]+)$ ]] || PORT=${BASH_REMATCH[2]}
}

# peer NAME ARGS…: a TCP or UDP peer of helpers/peer.py as NAME; PORT is its port, empty for one that connects.
peer() {
    need python3
    start "$1" python3 "$HELPERS/peer.py" "${@:2}"
    PORT=
    [[ " $* " == *' --connect '* ]] && return
    wait_file "$1.out" '^PORT'
    PORT=${LINE#PORT }
}

# A TCP server that closes every connection at once, as `server`; PORT.
closing_server() {
    need python3
    start server python3 -c '
import signal, socket
signal.alarm(20)
with socket.create_server(("127.0.0.1", 0)) as listener:
    print("PORT", listener.getsockname()[1], flush=True)
    while True:
        listener.accept()[0].close()'
    wait_file server.out '^PORT '
    PORT=${LINE#PORT }
}

# children NAME: the ids of the processes that it has started and not reaped are in CHILDREN.
children() {
    CHILDREN=()
    read -ra CHILDREN <"/proc/${PIDS[$1]}/task/${PIDS[$1]}/children" || :
}
has_children() { children "$1" && ((${#CHILDREN[@]} == $2)); }

# finish NAME [SECONDS=10]: waits for its end; its status, output and errors are set as by `try`.
finish() {
    local name=$1 pid=${PIDS[$1]} seconds=$((${2:-10} * PATIENCE))
    if ! until_gone "$pid" $((seconds * 1000)); then
        kill -KILL -- "-$pid" 2>/dev/null || :
        fail "$name is still running after $seconds s" "$T/$name.out" "$T/$name.err"
        return 1
    fi
    status=0
    wait "$pid" || status=$?
    read_results "$T/$name.out" "$T/$name.err"
}

# stop NAME [SIGNAL=TERM]
stop() {
    kill -s "${2:-TERM}" "${PIDS[$1]}" || fail "$1 has ended already" "$T/$1.err" || return
    finish "$1"
}

# try CMD…: like `run` of bats, but bounded by $TRY_SECONDS (10), stdin from $TRY_STDIN or
# /dev/null, and stderr apart, in $errors. The bytes as they came are in $T/try.out and try.err.
try() {
    local seconds=$((${TRY_SECONDS:-10} * PATIENCE))
    need_command "$1" || return
    status=0
    eval 'timeout -k 2 "$seconds" "$@" <"${TRY_STDIN:-/dev/null}" >"$T/try.out" 2>"$T/try.err"' \
        "$CLOSE" || status=$?
    read_results "$T/try.out" "$T/try.err"
    [ "$status" -ne 124 ] || fail "still running after $seconds s: $*" "$T/try.out" "$T/try.err"
}

# NUL bytes are dropped here; compare the files where they matter.
read_results() {
    { output=$(<"$1") errors=$(<"$2"); } 2>/dev/null
    mapfile -t lines <<<"$output"
}

# need PROGRAM…: skips the test where one is missing, except in CI, where all have to be there. One
# with a `/` in it may be any file.
need() {
    local program
    for program; do
        command -v "$program" >/dev/null || [[ $program == */* && -e $program ]] && continue
        [ "${CI:-}" != true ] || fail "$program is missing" || return
        skip "$program is not installed"
    done
}

# What `try` and `start` ask for by themselves; a path is what is tested.
need_command() { [[ $1 == */* ]] || need "$1"; }

# need_other_user [ID]: OTHER before a command lets another user run it; $T and a copy of the program
# there are open to him, since the clone may be below a directory of root's own.
need_other_user() {
    local id=${1:-65534}
    [ "$EUID" -eq 0 ] || skip "needs to become another user"
    need setpriv
    OTHER=(setpriv --reuid "$id" --regid "$id" --clear-groups)
    chmod 755 "$T"
    cp "$SOCKCTL" "$T/sockctl"
    SOCKCTL=$T/sockctl
    "${OTHER[@]}" test -x "$SOCKCTL" || skip "another user cannot come to $T"
}

# Skips the test where loopback has no IPv6: the kernel may know it, and have it turned off.
need_ipv6() { has_host ::1 || skip "there is no IPv6 on loopback"; }

# ipv6 WORD…: the words, where there is IPv6; nothing otherwise.
ipv6() { ! has_host ::1 || printf '%s\n' "$@"; }

# has_host ADDRESS: it is ours, and up: a connection is refused, rather than without a way.
has_host() {
    local why
    why=$({ true <>"/dev/tcp/$1/1"; } 2>&1) || [[ $why == *refused* ]]
}

# need_descriptors COUNT: lets the test's own programs have as many, or skips it.
need_descriptors() {
    [ "$(ulimit -Sn)" = unlimited ] || (($(ulimit -Sn) >= $1)) || ulimit -Sn "$1" 2>/dev/null ||
        skip "needs $1 descriptors at a time"
}

# refute CMD…: CMD has to fail. (In the middle of a test, bats does not notice that `! CMD` did not.)
refute() { ! "$@" || fail "this succeeded: $*"; }

# True when the program is built with the sanitizers: figures of memory and time mean little then,
# and the leak check cannot run under strace (use strace with ASAN_OPTIONS=detect_leaks=0).
sanitized() { [ -n "${SOCKCTL_SANITIZED:-}" ]; }

# Assertions on the last `try`, `finish` or `stop`.

show_results() {
    fail "$1" || :
    printf -- '--- status: %s\n--- stdout:\n%s\n--- stderr:\n%s\n' \
        "$status" "${output:0:4000}" "${errors:0:4000}" >&2
    return 1
}

assert_status() { [ "$status" -eq "$1" ] || show_results "the status is not $1"; }

assert_output() { [ "$output" = "$1" ] || show_results "stdout is not: $1"; }

# assert_errors ERE: a line of stderr matches.
assert_errors() {
    grep -aEq -e "$1" <<<"$errors" || show_results "no line of stderr matches: $1"
}

assert_one_error_line() {
    [[ $errors == 'sockctl: '* && $errors != *$'\n'* ]] ||
        show_results "stderr is not one line that starts with 'sockctl: '"
}

# assert_usage_error [ERE]: status 2, nothing on stdout, the complaint and the hint on stderr.
assert_usage_error() {
    assert_status 2 && assert_output "" || return
    [[ $errors =~ ^'sockctl: '[^$'\n']+$'\n'"try 'sockctl "[^$'\n']*"--help'"$ ]] ||
        show_results "stderr is not a complaint and a hint" || return
    [ $# -eq 0 ] || assert_errors "$1"
}
