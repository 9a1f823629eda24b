#!/usr/bin/env bats
# resolve -t: the data of each type of record, good and malformed, beside dig(1).

load helpers/common
load helpers/names

setup() { names_setup; }

@test "every case of helpers/rdata.py as dig shows it; what dig refuses is malformed" {
    need dig python3
    python3 "$HELPERS/rdata.py" >cases
    awk '{ print $2, $1 }' cases >questions
    [ "$(cut -d' ' -f1 cases | sort -u | wc -l)" -gt 50 ]
    # One dig for all of them, and one resolve for each type.
    # shellcheck disable=SC2016
    TRY_SECONDS=60 dns bash -c 'dig +nosplit +noall +answer +tries=1 -f questions @127.0.0.1 >dig
        for type in $(cut -d" " -f1 cases | sort -u); do
            mapfile -t names < <(sed -En "s/^$type ([^ ]*) .*/\1/p" cases)
            "$0" resolve --server 127.0.0.1 -t "$type" "${names[@]}" >>ours
        done' "$SOCKCTL"
    # dig before BIND 9.20 has no names for these keys.
    sed -En 's/^([0-9]+\.rdata\.test\.)\s+60\s+IN\s+(\S+)\s+/\1 \2 /; s/ key7="/ dohpath="/; s/ key8( |$)/ ohttp\1/; /^[0-9]+\.rdata/p' \
        dig | sort >dig.words
    sed -En 's/^record +(\S+)   60   (\S+)   /\1 \2 /p' ours | sort >our.words
    diff dig.words our.words
    [ "$(wc -l <our.words)" -gt 90 ]
    # The others are malformed for both.
    cut -d' ' -f2 cases | grep -vxFf <(sed 's/\. .*//' our.words) | sort >malformed
    [ "$(wc -l <malformed)" -gt 30 ]
    sed -En 's/^sockctl: resolve (.*): 127\.0\.0\.1:53: its answer is malformed$/\1/p' try.err | sort | diff malformed -
}

@test "types that have a name alone, or none, are shown as RFC 3597 says" {
    need python3
    dns "$SOCKCTL" resolve --server 127.0.0.1 -t TYPE45 -t ipseckey -t type65399 00000000.rdata.test
    assert_status 0
    assert_output 'record    00000000.rdata.test.   60   IPSECKEY   \# 4 C0000201

record    00000000.rdata.test.   60   TYPE65399   \# 4 C0000201'
}
