#!/usr/bin/env bats
# Whatever is written about the options agrees with their tables.

load helpers/common

setup() {
    common_setup
    CHECKS=$ROOT/tests/checks
}

silent() {
    try "$@"
    assert_output ""
    assert_status 0
}

@test "each option is in its command's man page, and the page has no other" {
    silent "$CHECKS/manpages" "$ROOT/man"
}

@test "the check of the man pages finds an option too few, too many and misspelt" {
    cp -r "$ROOT/man" man
    sed -i '/^\.It Fl .*Fl -timeout/d' man/sockctl-connect.1
    sed -i 's/^\.It Fl V , Fl -version/.It Fl V , Fl -versions/' man/sockctl-listen.1
    printf '.It Fl -nonsense\n' >>man/sockctl-resolve.1
    try "$CHECKS/manpages" man
    assert_status 1
    [[ $output == *'connect.1 lacks, or spells otherwise: -w --timeout TIME'* ]]
    [[ $output == *'listen.1 has, but no table: -V --versions'* ]]
    [[ $output == *'resolve.1 has, but no table: --nonsense'* ]]
}

@test "the man pages are well-formed" {
    need mandoc
    silent "$CHECKS/mandoc" "$ROOT"/man/*.1
}

@test "sockctl(1) names every command" {
    for command in $("$SOCKCTL" --table | cut -f 1 | uniq); do
        grep -q "Xr sockctl-$command 1" "$ROOT/man/sockctl.1" || fail "$command is missing"
    done
}

@test "the options in examples exist" {
    silent "$CHECKS/examples" "$ROOT/README.md" "$ROOT"/man/*.1
}

@test "the check of the examples finds an option that is gone" {
    echo '    $ sockctl connect -v --nonsense host 80 | sockctl listen --timeout 5 80' >page
    try "$CHECKS/examples" page
    assert_status 1
    assert_output 'page:1: sockctl connect has no --nonsense'
}

@test "every module is on the map" {
    silent "$CHECKS/map"
}

@test "the check of the map finds a module too few, too many and in the wrong room" {
    sed 's/`outbox`, //; s/`dial`, /`dial`, `nonsense`, /; s/`units`, /`units`, `pump`, /' \
        "$ROOT/ARCHITECTURE.md" >map
    try "$CHECKS/map" "$PWD/map"
    assert_status 1
    [[ $output == *'map lacks src/io/outbox'* ]]
    [[ $output == *'map has src/net/nonsense, which is not there'* ]]
    [[ $output == *'map has src/base/pump, which is not there'* ]]
}

@test "the completions are current (make completions)" {
    mkdir current
    "$CHECKS/gen-completions" current
    diff -r current "$ROOT/completions"
}

@test "the completions are bash, zsh and fish" {
    bash -n "$ROOT/completions/sockctl.bash"
    ! command -v zsh || zsh -n "$ROOT/completions/_sockctl"
    ! command -v fish || fish -n "$ROOT/completions/sockctl.fish"
}

@test "bash completes commands, options and files" {
    cat >complete.bash <<'END'
. "$1"
complete_words() {
    COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
    _sockctl
    echo "${COMPREPLY[*]}"
}
complete_words sockctl ec
complete_words sockctl connect --timeo
complete_words sockctl help reso
complete_words sockctl connect --timeout comp
complete_words sockctl connect comp
END
    try bash complete.bash "$ROOT/completions/sockctl.bash"
    assert_output $'echo-server\n--timeout\nresolve\n\ncomplete.bash'
}

@test "each test that tests/CASES.md names is there" {
    cd "$ROOT/tests"
    sed -nE 's/^\| [A-Z][0-9]+ \| ([a-z_]+) \| (.*) \|$/\1 \2/p' CASES.md >"$T/cases"
    [ -s "$T/cases" ]
    while read -r file name; do
        grep -qF "@test \"$name\" {" "$file.bats" || fail "$file has no test '$name'"
    done <"$T/cases"
}
