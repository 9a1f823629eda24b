# shellcheck shell=bash
# shellcheck disable=SC2154 # what is read here is set by common.bash
#
# unix-serve as `server`, and its clients. To be loaded after helpers/common.

# server ARGS…: unix-serve on $T/s.
server() {
    start server "$SOCKCTL" unix-serve -v "$@" "$T/s"
    listening server
}

# client STEPS…: see helpers/frames.py.
client() {
    need python3
    try python3 "$HELPERS/frames.py" client "$T/s" "$@"
}

# background NAME STEPS…: the same, in the background.
background() {
    need python3
    start "$1" python3 "$HELPERS/frames.py" client "$T/s" "${@:2}"
}

send() { try "$SOCKCTL" unix-send "$T/s" "$@"; }

# ended: the server has ended well, and left no file.
ended() {
    finish server
    assert_status 0
    [ ! -e "$T/s" ] || fail "the socket file is still there"
}

warnings() { grep -av -e ': listening on ' -e ': accepted client' -e ': closed client' -e ': no sandbox: ' server.err || :; }
