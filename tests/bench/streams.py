"""Streams between two processes: rates, cost, times there and back, system calls, memory."""
import os
import shutil
import statistics
import subprocess
import time

from common import (BYTES, LIMIT, LIMIT_SECONDS, PEERS, ROUNDS, SOCKCTL, end, existing_file, in_turn,
                    reap, spawn, wait_listening)


def bulk_contenders(where, is_unix):
    address = ["unix:" + where] if is_unix else ["127.0.0.1", where]
    found = {
        "sockctl": ([SOCKCTL, "connect", *address], [SOCKCTL, "listen", "-d", *address]),
        "limit splice": ([LIMIT, "send", "splice", where], [LIMIT, "recv", "splice", where]),
        "limit copy": ([LIMIT, "send", "copy", where], [LIMIT, "recv", "copy", where]),
    }
    plain = ["-U", where] if is_unix else ["127.0.0.1", where]
    if shutil.which("nc.openbsd"):
        found["nc.openbsd"] = (["nc.openbsd", "-N", *plain], ["nc.openbsd", "-d", "-l", *plain])
    if shutil.which("ncat"):
        found["ncat"] = (["ncat", "--send-only", *plain], ["ncat", "--recv-only", "-l", *plain])
    if shutil.which("socat"):
        to = "UNIX:" + where if is_unix else "TCP:127.0.0.1:" + where
        at = "UNIX-LISTEN:" + where if is_unix else f"TCP-LISTEN:{where},bind=127.0.0.1,reuseaddr"
        found["socat"] = (["socat", "-u", "STDIN", to], ["socat", "-u", at, "STDOUT"])
    return found


def open_sink(kind):
    """Where the receiver writes, and the process behind it."""
    if kind == "null":
        return open(os.devnull, "wb"), None
    if kind == "file":
        return existing_file("out", BYTES), None
    drain = subprocess.Popen([LIMIT, "drain"], stdin=subprocess.PIPE)
    return drain.stdin, drain


def open_source(kind):
    if kind == "file":
        return open("in", "rb"), None
    gen = subprocess.Popen([LIMIT, "gen", str(BYTES)], stdout=subprocess.PIPE)
    return gen.stdout, gen


def transfer(commands, source_kind, sink_kind, port, path):
    """Seconds, and CPU seconds of both ends, for one transfer."""
    sink, drain = open_sink(sink_kind)
    receiver = spawn(commands[1], subprocess.DEVNULL, sink)
    written = os.dup(sink.fileno()) if sink_kind == "file" else None
    sink.close()
    wait_listening(port, path)
    source, gen = open_source(source_kind)
    began = time.monotonic()
    sender = spawn(commands[0], source, subprocess.DEVNULL)
    source.close()
    cpu = reap(sender) + reap(receiver)
    for helper in (gen, drain):
        if helper:
            helper.wait()
    seconds = time.monotonic() - began
    if written is not None:
        count = os.lseek(written, 0, os.SEEK_CUR)
        os.close(written)
        if count != BYTES:
            raise RuntimeError("bytes are missing")
    return seconds, cpu


def bulk_round(is_unix, source, sink, number, results):
    port = 20000 + os.getpid() % 20000 + number
    path = os.path.abspath(f"socket{number}") if is_unix else None
    for name, commands in in_turn(bulk_contenders(path or str(port), is_unix)):
        if path and os.path.exists(path):
            os.unlink(path)
        try:
            results[name].append(transfer(commands, source, sink, port, path))
        except RuntimeError as error:
            print(f"  {name}: {error}")


def bulk():
    """GiB/s and CPU seconds a GiB, both ends together; ratios to the best limit in each round."""
    gib = BYTES / (1 << 30)
    for is_unix in (False, True):
        for source, sink in (("pipe", "null"), ("pipe", "pipe"), ("file", "null"), ("file", "file")):
            results = {name: [] for name in bulk_contenders("", is_unix)}
            for number in range(ROUNDS):
                bulk_round(is_unix, source, sink, number, results)
            print(f"\n{'UNIX' if is_unix else 'TCP'}, {source} to {sink}"
                  "          GiB/s  of limit   CPU s/GiB  of limit")
            limits = list(zip(*(results[name] for name in results if name.startswith("limit"))))
            for name, rows in results.items():
                if len(rows) != ROUNDS:
                    continue
                speed = statistics.median(min(l[0] for l in limit) / row[0]
                                          for row, limit in zip(rows, limits))
                cost = statistics.median(row[1] / min(l[1] for l in limit)
                                         for row, limit in zip(rows, limits))
                seconds = statistics.median(row[0] for row in rows)
                cpu = statistics.median(row[1] for row in rows)
                print(f"  {name:16} {gib / seconds:14.2f} {speed:9.2f} {cpu / gib:11.2f} {cost:9.2f}")


def mixed():
    """sockctl at one end and a peer at the other, beside the peer at both: ratio of the speeds."""
    for source, sink in (("pipe", "pipe"), ("file", "file"), ("pipe", "null")):
        ratios = {}
        for number in range(ROUNDS):
            mixed_round(source, sink, number, ratios)
        print(f"\nTCP, {source} to {sink}: speed beside the peer at both ends")
        for name, rows in ratios.items():
            print(f"  {name:28} {statistics.median(rows):6.2f}")


def mixed_round(source, sink, number, ratios):
    port = 20000 + os.getpid() % 20000 + number
    contenders = bulk_contenders(str(port), False)
    ours = contenders["sockctl"]
    for name in PEERS:
        if name not in contenders:
            continue
        theirs = contenders[name]
        base = transfer(theirs, source, sink, port, None)[0]
        for label, pair in ((f"sockctl to {name}", (ours[0], theirs[1])),
                            (f"{name} to sockctl", (theirs[0], ours[1]))):
            ratios.setdefault(label, []).append(base / transfer(pair, source, sink, port, None)[0])


def echo_server():
    """An echo server, and its port."""
    server = subprocess.Popen([SOCKCTL, "echo-server", "127.0.0.1", "0"], stderr=subprocess.PIPE)
    return server, server.stderr.readline().decode().strip().rsplit(":", 1)[1]


def ping():
    """64 bytes there and back through two processes, microseconds; all on one processor, for else
    it is measured where the scheduler has put whom."""
    everywhere = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(everywhere)})
    server, port = echo_server()
    commands = {"limit relay": [LIMIT, "relay", port],
                "sockctl": [SOCKCTL, "connect", "127.0.0.1", port]}
    if shutil.which("nc.openbsd"):
        commands["nc.openbsd"] = ["nc.openbsd", "127.0.0.1", port]
    if shutil.which("ncat"):
        commands["ncat"] = ["ncat", "127.0.0.1", port]
    if shutil.which("socat"):
        commands["socat"] = ["socat", "-", "TCP:127.0.0.1:" + port]
    commands = {name: [LIMIT, "through", "2000", *command] for name, command in commands.items()}
    commands["no process between"] = [LIMIT, "ping", "2000", port]
    results = {name: [] for name in commands}
    for _ in range(ROUNDS):
        for name, command in in_turn(commands):
            done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
            results[name].append(statistics.median(map(float, done.stdout.split())))
    server.terminate()
    server.wait()
    os.sched_setaffinity(0, everywhere)
    print("\n64 bytes there and back     median us  of limit")
    for name, rows in results.items():
        ratio = statistics.median(a / b for a, b in zip(rows, results["limit relay"]))
        print(f"  {name:24} {statistics.median(rows):8.1f} {ratio:9.2f}")


def calls():
    """System calls of connect for a message there and back."""
    count = 1000
    server, port = echo_server()
    subprocess.run([LIMIT, "through", str(count), "strace", "-c", "-o", "calls",
                    SOCKCTL, "connect", "127.0.0.1", port], stdout=subprocess.DEVNULL, check=True)
    server.terminate()
    server.wait()
    wait_text("calls", "total")
    print("\nsystem calls for 64 bytes there and back:")
    with open("calls", encoding="ascii") as table:
        for line in table:
            words = line.split()
            if len(words) > 3 and words[3].isdigit() and int(words[3]) > count / 10:
                print(f"  {words[-1]:24} {int(words[3]) / count:6.2f}")


def wait_text(name, text):
    """Until the file has it."""
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        if os.path.exists(name):
            with open(name, encoding="ascii") as file:
                if text in file.read():
                    return
        time.sleep(0.01)
    raise RuntimeError(f"{name}: no {text}")


def memory():
    """The most that both ends have had resident: of a transfer, and with a reader that has stopped."""
    print("\nmost resident memory, KiB     sender  receiver")
    for source, sink in (("pipe", "pipe"), ("file", "file"), ("pipe", "stalled"), ("file", "stalled")):
        for copies in (False, True):
            peaks = memory_of(source, sink, copies)
            way = "copied" if copies else "spliced"
            print(f"  {source + ' to ' + sink + ', ' + way:26} {peaks[0]:8} {peaks[1]:9}")


def memory_of(source_kind, sink_kind, copies):
    os.environ["SOCKCTL_NO_SPLICE"] = str(int(copies))
    port = 20000 + os.getpid() % 20000 + 100
    address = ["127.0.0.1", str(port)]
    stalled = subprocess.PIPE if sink_kind == "stalled" else None
    sink, drain = (stalled, None) if stalled else open_sink(sink_kind)
    source, gen = open_source(source_kind)
    receiver = spawn([SOCKCTL, "listen", "-d", *address], subprocess.DEVNULL, sink)
    wait_listening(port, None)
    sender = spawn([SOCKCTL, "connect", *address], source, subprocess.DEVNULL)
    for end in (source, sink):
        if hasattr(end, "close"):
            end.close()
    peaks = watch_memory((sender, receiver), 1.0 if stalled else LIMIT_SECONDS)
    for process in filter(None, (sender, receiver, drain, gen)):
        if stalled:
            process.kill()
        process.wait()
    return peaks


def watch_memory(processes, seconds):
    """VmHWM of each while they run, for at most so long."""
    peaks = [0] * len(processes)
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and any(process.poll() is None for process in processes):
        for i, process in enumerate(processes):
            with open(f"/proc/{process.pid}/status", encoding="ascii") as status:
                found = [line.split()[1] for line in status if line.startswith("VmHWM")]
            peaks[i] = max(peaks[i], *map(int, found), 0)
        time.sleep(0.01)
    return peaks
