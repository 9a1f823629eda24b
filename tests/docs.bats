#!/usr/bin/env bats
# Whatever is written about the options agrees with their tables.

load helpers/common
export LOOPBACK=no

setup() {
    common_setup
    CHECKS=$ROOT/tests/checks
}

silent() {
    try "$@"
    assert_output ""
    assert_status 0
}

@test "each option is in its command's man page, in the group that help has, and the page has no other" {
    silent "$CHECKS/manpages" "$ROOT/man"
}

@test "the check of the man pages finds an option too few, too many, misspelt and in another group" {
    cp -r "$ROOT/man" man
    sed -i '/^\.It Fl .*Fl -timeout/d' man/sockctl-connect.1
    sed -i 's/^\.It Fl V , Fl -version/.It Fl V , Fl -versions/' man/sockctl-listen.1
    printf '.It Fl -nonsense\n' >>man/sockctl-resolve.1
    sed -i 's/^\.Ss DNS/.Ss Servers/' man/sockctl-resolve.1
    try "$CHECKS/manpages" man
    assert_status 1
    [[ $output == *'connect.1 lacks, or spells otherwise: Time limits: -w --timeout TIME'* ]]
    [[ $output == *'listen.1 has, but no table: General: -V --versions'* ]]
    [[ $output == *'resolve.1 has, but no table: '*': --nonsense'* ]]
    [[ $output == *'resolve.1 lacks, or spells otherwise: DNS: --tcp'* ]]
}

@test "the check of the man pages finds groups, and options in them, in another order" {
    cp -r "$ROOT/man" man
    page=man/sockctl-connect.1
    {
        sed '/^\.Ss General/,$d; /^\.Ss Proxy/,/^\.El/d' "$ROOT/$page"
        sed -n '/^\.Ss Proxy/,/^\.El/p' "$ROOT/$page"
        sed -n '/^\.Ss General/,$p' "$ROOT/$page"
    } >$page
    try "$CHECKS/manpages" man
    assert_status 1
    [[ $output == *'connect.1, order: < Proxy: -x --proxy URL'* ]]
    [[ $output != *otherwise* ]]
}

@test "the man pages are well-formed" {
    need mandoc
    silent "$CHECKS/mandoc" "$ROOT"/man/*.[17]
    silent "$CHECKS/mandoc" "$ROOT"/man/es/man7/*.7
}

@test "sockctl(1) names every command" {
    for command in $("$SOCKCTL" --table | cut -f 1 | uniq); do
        grep -q "Xr sockctl-$command 1" "$ROOT/man/sockctl.1" || fail "$command is missing"
    done
}

@test "sockctl(1) names every guide, and the guides in Spanish are of guides in English" {
    for page in "$ROOT"/man/*.7; do
        name=${page##*/}
        grep -q "Xr ${name%.7} 7" "$ROOT/man/sockctl.1" || fail "$name is missing"
    done
    for page in "$ROOT"/man/es/man7/*; do [ -e "$ROOT/man/${page##*/}" ] || fail "$page is of none"; done
}

@test "the options in examples exist" {
    silent "$CHECKS/examples" "$ROOT/README.md" "$ROOT"/man/*.1 "$ROOT"/man/sockctl-{cookbook,tutorial}.7 "$ROOT"/man/es/man7/*.7
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
    sed 's/`write_queue` holds/holds/; s/`dial` races/`dial`, `nonsense` races/; s/`units`, /`units`, `pump`, /' \
        "$ROOT/ARCHITECTURE.md" >map
    try "$CHECKS/map" "$PWD/map"
    assert_status 1
    [[ $output == *'map lacks src/stream/write_queue'* ]]
    [[ $output == *'map has src/net/nonsense, which is not there'* ]]
    [[ $output == *'map has src/base/pump, which is not there'* ]]
}

@test "the completions are current (make completions)" {
    mkdir current
    "$CHECKS/gen-completions" current
    diff -r current "$ROOT/completions"
    "$CHECKS/gen-migrate" | diff - "$ROOT/man/sockctl-migrate.7"
}

@test "12.1: the checks and what they generate are the same with each awk" {
    path=$PATH
    for awk in mawk gawk original-awk 'busybox awk'; do
        command -v "${awk%% *}" >/dev/null || continue
        rm -rf bin current
        mkdir bin current
        printf '#!/bin/sh\nexec %s "$@"\n' "$awk" >bin/awk
        chmod +x bin/awk
        export PATH=$T/bin:$path TRY_SECONDS=60
        for check in 'gen-completions|current' "manpages|$ROOT/man" "examples|$ROOT/README.md"; do
            silent "$CHECKS/${check%|*}" "${check#*|}"
            [ -z "$errors" ] || show_results "$awk: $check"
        done
        diff -r current "$ROOT/completions"
    done
}

@test "each test that tests/CASES.md names is there" {
    cd "$ROOT/tests"
    sed -nE 's/^\| [A-Z][0-9]+ \| ([a-z_]+) \| (.*) \|$/\1 \2/p' CASES.md >"$T/cases"
    [ -s "$T/cases" ]
    while read -r file name; do
        grep -qF "@test \"$name\" {" "$file.bats" || fail "$file has no test '$name'"
    done <"$T/cases"
}
