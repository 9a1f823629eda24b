#!/usr/bin/env bats
# What the Makefile promises of the program and of its installation.

load helpers/common
export LOOPBACK=no

@test "the program needs libc alone" {
    ! sanitized || skip "the sanitizers are libraries too"
    need readelf
    try readelf -d "$SOCKCTL"
    assert_status 0
    needed=$(sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' <<<"$output")
    [[ $needed =~ ^(libc|ld-musl)[^$'\n']*$|^$ ]] || fail "it needs: $needed"
}

@test "the program is hardened: PIE, RELRO, immediate binding, no executable stack" {
    ! sanitized || skip "the release profile is"
    need readelf
    try readelf -hldW "$SOCKCTL"
    [[ $output == *'DYN (Position-Independent'* ]] || show_results 'it is not a PIE'
    [[ $output == *GNU_RELRO* && $output == *' NOW'* ]] || show_results 'RELRO is not complete'
    [[ $output =~ GNU_STACK[^$'\n']*' RW ' ]] || show_results 'the stack is executable'
}

@test "install puts everything where it belongs, uninstall leaves nothing" {
    # -o: what is tested is installed as it is, whatever flags it was built with.
    installed() { make -C "$ROOT" -so sockctl DESTDIR="$T/root" PREFIX=/usr "$1"; }
    [ -x "$ROOT/sockctl" ] || skip "there is no ./sockctl"
    installed install
    cmp "$ROOT/sockctl" root/usr/bin/sockctl
    cmp "$ROOT/man/sockctl.1" root/usr/share/man/man1/sockctl.1
    cmp "$ROOT/man/sockctl-connect.1" root/usr/share/man/man1/sockctl-connect.1
    cmp "$ROOT/man/es/man7/sockctl-tutorial.7" root/usr/share/man/es/man7/sockctl-tutorial.7
    cmp "$ROOT/completions/sockctl.bash" root/usr/share/bash-completion/completions/sockctl
    cmp "$ROOT/completions/_sockctl" root/usr/share/zsh/vendor-completions/_sockctl
    cmp "$ROOT/completions/sockctl.fish" root/usr/share/fish/vendor_completions.d/sockctl.fish
    installed uninstall
    try find root -type f
    assert_output ""
}

@test "15.6: completions and pages go where MANDIR, BASHDIR, ZSHDIR and FISHDIR say" {
    [ -x "$ROOT/sockctl" ] || skip "there is no ./sockctl"
    installed() {
        make -C "$ROOT" -so sockctl DESTDIR="$T/root" PREFIX=/opt/x MANDIR=/m ZSHDIR="/z z" BASHDIR=/b FISHDIR=/f "$1"
    }
    installed install
    cmp "$ROOT/man/sockctl-connect.1" root/m/man1/sockctl-connect.1
    cmp "$ROOT/man/sockctl-migrate.7" root/m/man7/sockctl-migrate.7
    cmp "$ROOT/completions/sockctl.bash" root/b/sockctl
    cmp "$ROOT/completions/_sockctl" "root/z z/_sockctl"
    cmp "$ROOT/completions/sockctl.fish" root/f/sockctl.fish
    try find root/opt -type f
    assert_output root/opt/x/bin/sockctl
    installed uninstall
    try find root -type f
    assert_output ""
    # Where Debian's zsh looks by itself: for a package, and for what its owner installs.
    for prefix in /usr /usr/ /usr/local; do
        rm -rf root
        make -C "$ROOT" -so sockctl DESTDIR="$T/root" PREFIX=$prefix install
        find root -name _sockctl -printf '/%P\n'
    done >found
    printf '%s\n' /usr/share/zsh/vendor-completions/_sockctl{,} /usr/local/share/zsh/site-functions/_sockctl | diff - found
}

@test "12.1: install to a path with spaces; a directory that is there keeps its mode" {
    [ -x "$ROOT/sockctl" ] || skip "there is no ./sockctl"
    mkdir -m 1777 open
    mkdir -m 700 "open/dest dir" "open/dest dir/usr" "open/dest dir/usr/bin"
    make -C "$ROOT" -so sockctl install DESTDIR="$T/open/dest dir" PREFIX=/usr
    try stat -c %a open "open/dest dir" "open/dest dir/usr" "open/dest dir/usr/bin" "open/dest dir/usr/share/man/man1"
    assert_output $'1777\n700\n700\n700\n755'
    cmp "$ROOT/sockctl" "open/dest dir/usr/bin/sockctl"
    make -C "$ROOT" -so sockctl uninstall DESTDIR="$T/open/dest dir" PREFIX=/usr
    try find open -type f
    assert_output ""
    [ "$(ls open)" = 'dest dir' ]
}

@test "12.1: a clone in a path with spaces: demo, completions, compile_commands.json" {
    need python3
    [ -x "$ROOT/sockctl" ] || skip "there is no ./sockctl"
    clone="$T/a clone's path"
    mkdir -p "$clone"
    cp -a "$ROOT"/{Makefile,sockctl,src,tests,man,completions} "$clone"
    rm "$clone"/completions/*
    TRY_SECONDS=60 try make -C "$clone" -so sockctl demo completions compile_commands.json
    assert_status 0
    diff -r "$ROOT/completions" "$clone/completions"
    python3 - "$clone" <<'END'
import json, os, sys
commands = json.load(open(sys.argv[1] + "/compile_commands.json"))
assert commands and all(command["directory"] == os.path.realpath(sys.argv[1]) for command in commands)
END
}

@test "12.1: a warning stops no build, but those of make lint and CI" {
    built() { make -C "$ROOT" --no-print-directory -n V=1 PROFILE=other CC="${CC:-cc}" "$@" build/other/base/text.o; }
    output=$(built)
    [[ $output == *' -Wall '* && $output != *'-Werror '* ]]
    [[ $output == *'-D_FILE_OFFSET_BITS=64 -D_TIME_BITS=64'* ]]
    output=$(built WERROR=-Werror)
    [[ $output == *' -Werror '* ]]
    grep -q 'WERROR=-Werror' "$ROOT/tests/checks/lint"
    grep -q 'WERROR=-Werror' "$ROOT/.ci/run"
}
