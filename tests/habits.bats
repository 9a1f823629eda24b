#!/usr/bin/env bats
# What people type who come from other programs, and what they mistype: tests/habits.tsv, a third in each test.

load helpers/common

check_third() {
    local want pattern line status wrong=0 errors rows=0
    while IFS=$'\t' read -r want pattern line; do
        [[ $want == [0-9]* ]] && (((rows += 1) % 3 == $1)) || continue
        status=0
        # One process a line: none of them waits for anything.
        eval "\"\$SOCKCTL\" $line" 2>err >out </dev/null || status=$?
        errors=$(<err)
        [ "$status" -eq "$want" ] && [[ $errors =~ $pattern ]] && [ ! -s out ] && continue
        wrong=$((wrong + 1))
        printf 'sockctl %s\n    status %s, not %s, or no match of: %s\n%s\n' "$line" "$status" "$want" "$pattern" "$errors" >&2
    done <"$ROOT/tests/habits.tsv"
    ((wrong == 0 && rows >= 300))
}

@test "15.2: what is typed out of habit is understood: first third" {
    untraced check_third 0
}

@test "15.2: what is typed out of habit is understood: second third" {
    untraced check_third 1
}

@test "15.2: what is typed out of habit is understood: last third" {
    untraced check_third 2
}

@test "15.2: every row of the table answers, as sockctl-migrate(7) says" {
    need python3
    "$SOCKCTL" --foreign >rows
    cat >ask.py <<'END'
import subprocess
import sys

for row in open("rows"):
    commands, words, _, answer, kind = row.rstrip("\n").split("\t")
    for command in commands.split() if answer else []:
        for word in words.split() if kind != "line" else [words]:
            if kind == "line":
                typed = [*word.split(), "other"]
            elif kind == "option":
                typed = [word if word[0] == "-" and word[1:] else "-" * (1 + (len(word) > 1)) + word]
            else:
                typed = [word[1:], "other"] if word[0] == "=" else [word + "a:b"]
            ended = subprocess.run([sys.argv[1], command, *typed], stdin=subprocess.DEVNULL,
                                   capture_output=True, text=True, check=False)
            if ended.returncode != 2 or answer not in ended.stderr:
                print(command, *typed, ended.stderr)
END
    TRY_SECONDS=50 try python3 ask.py "$SOCKCTL"
    assert_status 0
    assert_output ""
}
