# shellcheck shell=bash disable=SC2034 # IN is for who loads this
#
# in_network: a network of our own, whose only interface is the loopback, and where we may have raw sockets; IN runs what
# follows there.
in_network() {
    need unshare nsenter ip
    unshare -rn ip link set lo up 2>"$T/why" || skip "no network namespace can be made: $(<"$T/why")"
    start network unshare -rn sh -c 'ip link set lo up && echo up >&2 && exec sleep 60'
    wait_line network '^up'
    IN=(nsenter --preserve-credentials -U -n -t "${PIDS[network]}")
}
