#!/usr/bin/env bats
# What people type who come from other programs: tests/habits.tsv, and the tables of src/cli/foreign.c.

load helpers/common

@test "15.2: what users of nc, ncat, socat, curl, wget, dig and wait-for-it type is understood" {
    check_all() {
        local want pattern line status wrong=0 errors rows=0
        while IFS=$'\t' read -r want pattern line; do
            [[ $want == [0-9]* ]] || continue
            rows=$((rows + 1)) status=0
            # One process a line: none of them waits for anything.
            eval "\"\$SOCKCTL\" $line" 2>err >out </dev/null || status=$?
            errors=$(<err)
            [ "$status" -eq "$want" ] && [[ $errors =~ $pattern ]] && [ ! -s out ] && continue
            wrong=$((wrong + 1))
            printf 'sockctl %s\n    status %s, not %s, or no match of: %s\n%s\n' "$line" "$status" "$want" "$pattern" "$errors" >&2
        done <"$ROOT/tests/habits.tsv"
        ((wrong == 0 && rows >= 300))
    }
    untraced check_all
}
