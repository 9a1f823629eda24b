# shellcheck shell=bash
#
# The programs of docs/lab, as `make lab` builds them, in the current directory.

# lab NAME…
lab() {
    local name
    need "${CC:-cc}" || return
    for name; do "${CC:-cc}" -o "$name" "$ROOT/docs/lab/$name.c" || return; done
}

# lab_server NAME PROGRAM ARGS…: until it waits for clients.
lab_server() {
    lab "$2" && start "$1" "./$2" "${@:3}" && wait_file "$1.out" '^listening on '
}
