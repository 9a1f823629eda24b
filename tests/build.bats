#!/usr/bin/env bats
# What the Makefile promises of the program and of its installation.

load helpers/common

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
    cmp "$ROOT/completions/sockctl.bash" root/usr/share/bash-completion/completions/sockctl
    cmp "$ROOT/completions/_sockctl" root/usr/share/zsh/site-functions/_sockctl
    cmp "$ROOT/completions/sockctl.fish" root/usr/share/fish/vendor_completions.d/sockctl.fish
    installed uninstall
    try find root -type f
    assert_output ""
}
