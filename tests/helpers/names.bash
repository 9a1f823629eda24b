# shellcheck shell=bash
#
# For resolve.bats and dns.bats: the files that the system's resolver reads, in place of the machine's,
# and DNS servers on 127.0.0.1:53, in namespaces of their own.

names_setup() {
    common_setup
    PATH=$PATH:/usr/sbin # nsd
    printf '127.0.0.1 localhost\n::1 localhost ip6-localhost\n' >hosts
    printf 'hosts: files\n' >nsswitch.conf
    printf 'nameserver 127.0.0.1\noptions timeout:1 attempts:1\n' >resolv.conf
}

# The files in $T in place of the machine's.
# shellcheck disable=SC2016 # the inner shell expands it
in_place='for file in hosts nsswitch.conf resolv.conf; do
    mount --bind "$file" "$(realpath "/etc/$file")" || exit; done'

need_namespaces() { unshare -rmn true 2>/dev/null || skip "needs a mount and a network namespace"; }

# hosts CMD…: as `try`, with the hosts file in $T and nobody else to ask.
hosts() {
    need_namespaces
    # shellcheck disable=SC2016
    try unshare -rmn bash -c "$in_place"' && exec "$@"' bash "$@"
}

# with_server FILE PATTERN SERVER… -- CMD…: CMD as `try`, once a line of FILE, which the server writes,
# matches. Files and DNS are asked.
with_server() {
    local server=()
    printf 'hosts: files dns\n' >nsswitch.conf
    need_namespaces
    : >"$1"
    local file=$1 pattern=$2
    shift 2
    while [ "$1" != -- ]; do
        server+=("$1")
        shift
    done
    shift
    # A server has to start first, which takes a busy machine a while.
    # shellcheck disable=SC2016
    TRY_SECONDS=${TRY_SECONDS:-30} try unshare -rmn bash -c "$in_place"' && ip link set lo up || exit
        file=$1 pattern=$2 count=$3
        shift 3
        "${@:1:count}" >"$file" 2>&1 & server=$!
        until grep -q "$pattern" "$file"; do kill -0 $server || exit; sleep 0.02; done
        "${@:count + 1}"; status=$?
        kill $server; wait $server; exit $status' \
        bash "$file" "$pattern" ${#server[@]} "${server[@]}" "$@"
}

# dns CMD…: with helpers/dns.py to ask; the queries that it got are in dns.out.
dns() {
    need python3 ip
    with_server dns.out READY python3 "$HELPERS/dns.py" -- "$@"
}

# zone CMD…: with nsd to ask, for helpers/dns.zone.
zone() {
    need nsd ip
    cp "$HELPERS/dns.zone" .
    cat >nsd.conf <<END
server:
    ip-address: 127.0.0.1
    username: ""
    chroot: ""
    database: ""
    zonesdir: "$T"
    zonelistfile: "$T/zone.list"
    xfrdfile: "$T/xfrd.state"
    xfrdir: "$T"
    pidfile: ""
    server-count: 1
remote-control:
    control-enable: no
zone:
    name: zone.test
    zonefile: dns.zone
END
    with_server nsd.out 'nsd started' nsd -d -c nsd.conf -- "$@"
}
