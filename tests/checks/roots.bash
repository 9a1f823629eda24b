# shellcheck shell=bash disable=SC2154 # set by who sources this
# Minimal roots of Debian, for fresh and try-packages, which source this. They set `here`, where all is
# kept, `suite`, `settings`, an array of what is set inside, and `root`, the one that is worked in; and have say, which
# tells the reader something.

mirror() {
    # shellcheck disable=SC2016 # apt's own
    apt-get indextargets --format '$(LABEL) $(REPO_URI)' 'Created-By: Packages' 2>/dev/null |
        awk '$1 == "Debian" { print $2; found = 1; exit } END { exit !found }' ||
        grep -rhoE 'https?://[^ ]+/debian/?( |$)' /etc/apt/sources.list* | head -n 1
}

# The base of all that follows, once: minimal, with a compiler, and an ordinary user. What makes no
# sense of this machine's files (certificates, proxies) is copied.
make_base() {
    local base=$1 from
    [ ! -e "$base.made" ] || return 0
    from=$(mirror)
    say "a minimal root from $from"
    rm -rf "$base"
    debootstrap --variant=minbase --include=make,gcc,libc6-dev,ca-certificates \
        "$suite" "$base" "$from" >"$base.log" 2>&1 || { tail -n 5 "$base.log"; return 1; }
    apt-config dump --no-empty Acquire::http Acquire::https Acquire::Check-Valid-Until \
        Acquire::Check-Date >"$base/etc/apt/apt.conf.d/90machine"
    cp -L /etc/ssl/certs/ca-certificates.crt "$base/etc/ssl/certs/" 2>/dev/null || :
    cp -L /etc/resolv.conf /etc/hosts "$base/etc/"
    chroot "$base" useradd -m someone
    : >"$base.made"
}

# inside ROOT CMD…: with ROOT as /, in namespaces of mounts and processes that end with it; an own
# user namespace could not be made in a mere chroot.
inside() {
    # shellcheck disable=SC2016 # of the inner shell
    unshare --mount --pid --fork --kill-child --propagation private bash -c '
        set -e
        mount --bind "$1" "$1"
        cd "$1"
        mkdir -p "$2" old
        mount --bind "$2" var/cache/apt/archives
        mount -t proc proc proc
        mount --rbind /sys sys
        mount --rbind /dev dev
        pivot_root . old
        umount -l old
        rmdir old
        cd /
        shift 2
        exec env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 "$@"' \
        bash "$1" "$here/$suite.archives" "${settings[@]}" "${@:2}" </dev/null
}

# The tracked files as they are here, changed or not, as a clone of OWNER's.
clone_to() {
    mkdir -p "$root$1"
    git ls-files -z | tar --null --ignore-failed-read -cf - -T - 2>/dev/null | tar -C "$root$1" -xf -
    inside "$root" chown -R "$2" "$1"
}
