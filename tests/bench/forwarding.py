"""Forwarding, beside haproxy, socat and a limit program; and with a dump, beside socat."""
import os
import shutil
import statistics
import subprocess
import time

from common import (BYTES, FORWARD, LIMIT_SECONDS, ROUNDS, SOCKCTL, end, in_turn, start_quietly,
                    wait_listening)

# socat writes its dump byte by byte, 7 s for each of these: it gets fewer.
DUMPED_MIB = {"sockctl": 16, "socat": 1}

HAPROXY = """
global
    maxconn 3000
    nbthread 1
    {tuning}
defaults
    mode tcp
    {splice}
    timeout connect 5s
    timeout client 60s
    timeout server 60s
listen a
    bind 127.0.0.1:{port}
    server b 127.0.0.1:{to}
"""


def haproxy(port, to, is_bulk):
    """Tuned for what it is to do; with its default of a process for each, not a master and workers."""
    with open(f"haproxy{port}", "w", encoding="ascii") as config:
        config.write(HAPROXY.format(
            port=port, to=to, tuning="tune.pipesize 1048576" if is_bulk else "",
            splice="option splice-request\n    option splice-response" if is_bulk else ""))
    return ["haproxy", "-db", "-f", config.name]


def forwarders():
    """What starts each contender: port to listen on, port to connect to, whether it is for bulk."""
    found = {
        "sockctl": lambda port, to, _: [SOCKCTL, "listen", f"127.0.0.1:{port}", "--to", f"127.0.0.1:{to}"],
        "limit": lambda port, to, _: [FORWARD, "join", str(port), str(to)],
    }
    if shutil.which("haproxy"):
        found["haproxy"] = haproxy
    if shutil.which("socat"):
        found["socat"] = lambda port, to, is_bulk: [
            "socat", *(["-b", "131072"] if is_bulk else []),
            f"TCP-LISTEN:{port},bind=127.0.0.1,reuseaddr,fork,backlog=1024", f"TCP:127.0.0.1:{to}"]
    return found


def cpu_seconds(process):
    """Of the process, to the nanosecond, and of those of its children that it has waited for."""
    with open(f"/proc/{process.pid}/schedstat", encoding="ascii") as schedstat:
        own = int(schedstat.read().split()[0]) / 1e9
    with open(f"/proc/{process.pid}/stat", encoding="ascii") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return own + sum(map(int, fields[13:15])) / os.sysconf("SC_CLK_TCK")


def ask(process, *words):
    """What a client measures, and the CPU seconds of the forwarder meanwhile."""
    before = cpu_seconds(process)
    began = time.monotonic()
    client = subprocess.run([FORWARD, *map(str, words)], stdout=subprocess.PIPE, check=True,
                            timeout=LIMIT_SECONDS)
    seconds = time.monotonic() - began
    time.sleep(0.05)  # the last ones end
    return client.stdout.split(), seconds, cpu_seconds(process) - before


def forward_once(bulk_process, process, port):
    """Every figure of one contender, best if high, except the CPU seconds."""
    _, seconds, cpu = ask(bulk_process, "fill", port + 1, BYTES)
    gib = BYTES / (1 << 30)
    row = {"GiB/s": gib / seconds, "s/GiB": cpu / gib}
    for count in (1, 100):
        figures, _, cpu = ask(process, "load", port, count, 1)
        row[f"{count} conn r/s"] = float(figures[0])
        row[f"p99 us ({count})"] = float(figures[2])
        row[f"us/r ({count})"] = cpu / float(figures[0]) * 1e6
    figures, _, cpu = ask(process, "churn", port, 1)
    row["new conn/s"] = float(figures[0])
    row["us/conn"] = cpu / float(figures[0]) * 1e6
    return row


def forward():
    """Bulk, messages and new connections through a forwarder; ratios to the limit program."""
    base = 20000 + os.getpid() % 20000
    started = [start_quietly([FORWARD, "echo", str(base)], base),
               start_quietly([FORWARD, "sink", str(base + 1)], base + 1)]
    contenders = {}
    for number, (name, command) in enumerate(forwarders().items(), 1):
        port = base + 10 * number
        pair = [start_quietly(command(port + 1, base + 1, True), port + 1),
                start_quietly(command(port, base, False), port)]
        contenders[name] = (*pair, port)
        started += pair
    results = {name: [] for name in contenders}
    for _ in range(ROUNDS):
        for name, contender in in_turn(contenders):
            results[name].append(forward_once(*contender))
    for process in started:
        process.terminate()
        process.wait()
    show_forwarding(results)


def show_forwarding(results):
    print("\nforwarding (of the limit)" + "".join(f"{name:>18}" for name in results))
    for figure in results["limit"][0]:
        line = f"  {figure:22}"
        for rows in results.values():
            ratio = statistics.median(row[figure] / (limit[figure] or 1e-9)
                                      for row, limit in zip(rows, results["limit"]))
            line += f"{statistics.median(row[figure] for row in rows):12.5g} {ratio:5.2f}"
        print(line)


def dumpers(port, to):
    """What starts each contender, its dump going to a file of its own."""
    return {
        "sockctl": [SOCKCTL, "listen", f"127.0.0.1:{port}", "--to", f"127.0.0.1:{to}", "--hex-dump",
                    "sockctl.dump"],
        "socat": ["socat", "-x", "-v", "-lf", "socat.log",
                  f"TCP-LISTEN:{port + 1},bind=127.0.0.1,reuseaddr,fork", f"TCP:127.0.0.1:{to}"],
    }


def dump():
    """A relay that writes a dump: time and CPU for each MiB, and the ratio to socat -x -v."""
    if not shutil.which("socat"):
        print("socat is not installed")
        return
    to = 20000 + os.getpid() % 20000
    sink = start_quietly([FORWARD, "sink", str(to)], to)
    results = {name: [] for name in dumpers(to + 1, to)}
    for _ in range(ROUNDS):
        for name, command in in_turn(dumpers(to + 1, to)):
            port = to + 1 + (name == "socat")
            with open(f"{name}.out", "wb") as out:
                process = subprocess.Popen(command, stdin=subprocess.DEVNULL,
                                           stdout=subprocess.DEVNULL, stderr=out)
            wait_listening(port, None)
            _, seconds, cpu = ask(process, "fill", port, DUMPED_MIB[name] << 20)
            results[name].append((seconds / DUMPED_MIB[name], cpu / DUMPED_MIB[name]))
            end(process)
    end(sink)
    print(f"\n{'a relay with a dump':24}    ms/MiB  of socat  CPU ms/MiB  of socat")
    for name, rows in results.items():
        line = f"  {name:22}"
        for i in range(2):
            ratio = statistics.median(row[i] / (other[i] or 1e-9)
                                      for row, other in zip(rows, results["socat"]))
            line += f"{statistics.median(row[i] for row in rows) * 1e3:10.1f} {ratio:9.4f}  "
        print(line)
