# The TAP of one test file, in short: a line of figures, then whatever did not pass. The figures
# also go to the file `figures`; `status` is that of bats, which took `seconds`.

function keep(line) { text = text line "\n" }

/^1\.\.[0-9]+$/ { planned = substr($0, 4) + 0; next }
/^ok .* # skip/ { skipped++; failing = 0; keep("  " $0); next }
/^ok / { passed++; failing = 0; next }
/^not ok / { failed++; failing = 1; keep("  " $0); next }
failing || status > 1 { keep("  " $0) }

END {
    missing = planned - passed - failed - skipped
    if (missing > 0) {
        failed += missing
        keep("  " missing " planned tests did not run")
    }
    if (status != 0 && failed == 0) {
        failed++
        keep("  bats ended with status " status)
    }
    printf "%-18s %3d passed, %d failed%s in %d s\n", name, passed, failed,
        skipped ? ", " skipped " skipped" : "", seconds
    printf "%s", text
    printf "%d %d %d\n", passed, failed, skipped >figures
}
