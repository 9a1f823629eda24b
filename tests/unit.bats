#!/usr/bin/env bats
# Runs the programs of tests/unit, and the targets of tests/fuzz over the inputs kept for them.

load helpers/common
export LOOPBACK=no

@test "unit: each program of tests/unit passes" {
    passed=0
    for source in "$ROOT"/tests/unit/*.c; do
        try "$BUILD_DIR/unit/$(basename "$source" .c)"
        [ "$status" -eq 0 ] || show_results "$source"
        passed=$((passed + 1))
    done
    [ "$passed" -gt 0 ]
}

@test "fuzz: each target of tests/fuzz survives its corpus" {
    passed=0
    for source in "$ROOT"/tests/fuzz/fuzz_*.c; do
        name=$(basename "$source" .c)
        try "$BUILD_DIR/replay/$name" "$ROOT/tests/fuzz/corpus/$name"/*
        [ "$status" -eq 0 ] || show_results "$source"
        passed=$((passed + 1))
    done
    [ "$passed" -gt 0 ]
}
