# awk -v dir=DIR -v replace='8080=23001 host=127.0.0.1 …' -f examples.awk PAGE: the displays of a page that a
# comment `.\" run: NAME` names, as scripts for play.bash. For each NAME there are in DIR
#
#     NAME.sh              its commands
#     NAME.TERMINAL.want   what the page shows in that terminal, as an expression of bash
#
# A command follows a prompt: `$ ` or `TERMINAL$ `, a terminal being one word. What ends in `&`, and the
# only command of a terminal whose name is in BACKGROUND, runs while the others do. A line that ends
# in a backslash goes on in the next one; so does one that is not whole, after the shell's `> `. Names and ports are replaced as whole words; `...` stands for
# anything, and so does what differs from run to run: a port from 30000 on, a number with a unit of time, a time.
BEGIN {
    count = split(replace, pairs, " ")
    for (i = 1; i <= count; i++) {
        split(pairs[i], pair, "=")
        to[pair[1]] = pair[2]
    }
    split("server receiver relay client servidor cliente", words, " ")
    for (i in words) background[words[i]] = 1
}

# What roff makes of the line.
function plain(line) {
    gsub(/\\&/, "", line)
    gsub(/\\-/, "-", line)
    gsub(/\\\(aq/, "'", line)
    gsub(/\\\(dq/, "\"", line)
    gsub(/\\\(ha/, "^", line)
    gsub(/\\\(ti/, "~", line)
    gsub(/\\e/, "\\", line)
    return line
}

# Words are cut where neither a name nor a number goes on; those of paths stay.
function replaced(line,    out, word) {
    out = ""
    while (match(line, /[A-Za-z0-9_.+%-]+/)) {
        word = substr(line, RSTART, RLENGTH)
        if (RSTART > 1) last = substr(line, RSTART - 1, 1)
        else last = out == "" ? "" : substr(out, length(out))
        out = out substr(line, 1, RSTART - 1)
        line = substr(line, RSTART + RLENGTH)
        # The name of a member of JSON, and "Hello from server!", name no machine.
        out = out (line ~ /^(":|!)/ ? word : exchanged(word, last))
    }
    return out line
}

function exchanged(word, last,    parts, count, i, out) {
    if (word in to && (last != "/" || url)) return to[word]
    # A range of ports.
    if (word ~ /^[0-9]+-[0-9]+$/) {
        split(word, parts, "-")
        if (parts[1] in to && parts[2] in to) return to[parts[1]] "-" to[parts[2]]
    }
    return word
}

function expression(line) {
    gsub(/[][\\.^$*+?(){}|]/, "\\\\&", line)
    if (line == "\\.\\.\\.") return ".*"
    gsub(/\\\.\\\.\\\./, ".*", line)
    gsub(/[0-9]+(\\\.[0-9]+)? (ms|s|us)/, "[0-9.]+ (ms|s|us)", line)
    gsub(/[0-9]+(\\\.[0-9]+)? [KMG]?i?B\/s/, "[0-9.]+ [KMG]?i?B/s", line)
    gsub(/20[0-9-]+T[0-9:]+\\\.[0-9]+Z/, "[0-9T:.Z-]+", line)
    gsub(/:[3-6][0-9][0-9][0-9][0-9]/, ":[0-9]+", line)
    gsub(/port [3-6][0-9][0-9][0-9][0-9]/, "port [0-9]+", line)
    gsub(/= 4711/, "= [0-9]+", line)
    # A prefix of the trace: who it is, and when.
    if (line ~ /^sockctl: [a-z0-9]+\\\(/) sub(/^sockctl: /, "sockctl: ([a-z0-9. ]+ )?", line)
    # The descriptor of a client follows those that sockctl keeps for itself.
    if (line ~ /^sockctl: .*\\\(/) {
        gsub(/\\\(7/, "\\([0-9]+", line)
        sub(/ = 7$/, " = [0-9]+", line)
    }
    # A table of ss(8), whose columns are as wide as they have to be.
    if (line ~ /^(State |LISTEN |ESTAB |0      0 )/) {
        gsub(/ +/, " +", line)
        line = line " *"
    }
    return line
}

/^\.\\" run: / { name = $3; next }
name != "" && /^\.Bd / {
    file = dir "/" name ".sh"
    printf "" >file
    inside = 1
    next
}
inside && /^\.Ed/ {
    close(file)
    for (terminal in wanted) {
        printf "%s", wanted[terminal] >(dir "/" name "." terminal ".want")
        close(dir "/" name "." terminal ".want")
    }
    split("", wanted)
    name = inside = continued = ""
    next
}
inside {
    line = plain($0)
    prompt = match(line, /^[a-z]*\$ /) ? substr(line, 1, RLENGTH) : ""
    line = substr(line, length(prompt) + 1)
    url = line ~ /:\/\//
    if (prompt != "" || line !~ /^[0-9]+$/) line = replaced(line) # a status is no port
    if (continued) {
        if (unfinished) sub(/^> /, "", line)
        command = command "\n" line
    } else if (prompt != "") {
        terminal = prompt == "$ " ? "me" : substr(prompt, 1, length(prompt) - 2)
        command = line
        if (!(terminal in wanted)) wanted[terminal] = ""
    } else {
        line = expression(line)
        # Of nothing left out there is no line either.
        if (line == ".*") sub(/\n$/, "", wanted[terminal])
        wanted[terminal] = wanted[terminal] line "\n"
        next
    }
    unfinished = line ~ /([|&;{]| do)$/ && line !~ /[^&] &$/
    continued = line ~ /\\$/ || unfinished
    if (continued) next
    how = "run"
    if (terminal in background || command ~ /[^&] &$/) how = "background"
    sub(/ &$/, "", command)
    gsub(/'/, "'\\''", command)
    print how " " terminal " '" command "'" >file
}
