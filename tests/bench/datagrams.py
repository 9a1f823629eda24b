"""Datagrams: rates, loss and cost."""
import os
import shutil
import statistics
import subprocess
import time

from common import LIMIT, LIMIT_SECONDS, ROUNDS, SOCKCTL, end, existing_file, spawn

DATAGRAMS = 150000


def udp_senders(port):
    found = {
        "sockctl": [SOCKCTL, "connect", "-u", "-q", "0", "127.0.0.1", port],
        "limit": [LIMIT, "udp-pass", port],
    }
    if shutil.which("nc.traditional"):
        found["nc.traditional"] = ["nc.traditional", "-u", "-q", "0", "127.0.0.1", port]
    if shutil.which("nc.openbsd"):
        found["nc.openbsd"] = ["nc.openbsd", "-u", "-q", "0", "127.0.0.1", port]
    if shutil.which("ncat"):
        found["ncat"] = ["ncat", "-u", "--send-only", "127.0.0.1", port]
    if shutil.which("socat"):
        found["socat"] = ["socat", "-u", "STDIN", "UDP:127.0.0.1:" + port]
    return found


def udp_receivers(port):
    found = {"sockctl": [SOCKCTL, "listen", "-u", "-d", "127.0.0.1", port]}
    if shutil.which("nc.traditional"):
        found["nc.traditional"] = ["nc.traditional", "-u", "-l", "-s", "127.0.0.1", "-p", port]
    if shutil.which("nc.openbsd"):
        found["nc.openbsd"] = ["nc.openbsd", "-d", "-u", "-l", "127.0.0.1", port]
    if shutil.which("ncat"):
        found["ncat"] = ["ncat", "-u", "--recv-only", "-l", "127.0.0.1", port]
    if shutil.which("socat"):
        found["socat"] = ["socat", "-u", "UDP-RECV:" + port + ",bind=127.0.0.1", "STDOUT"]
    return found


def wait_bound(port):
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        with open("/proc/net/udp", encoding="ascii") as table:
            if f"0100007F:{int(port):04X} " in table.read():
                return
        time.sleep(0.01)
    raise RuntimeError("does not listen")


def send_datagrams(command, size, port):
    """Datagrams a second, the share that was lost, CPU microseconds for each of one sender, and
    how many were of another size."""
    receiver = subprocess.Popen([LIMIT, "udp-recv", str(size), port], stdout=subprocess.PIPE)
    wait_bound(port)
    source = subprocess.Popen([LIMIT, "packets", str(size), str(DATAGRAMS)],
                              stdout=subprocess.PIPE)
    sender = spawn(command, source.stdout, subprocess.DEVNULL)
    source.stdout.close()
    count, others, seconds = receiver.communicate(timeout=LIMIT_SECONDS)[0].split()
    cpu = end(sender)
    sender.stderr.close()
    source.wait(LIMIT_SECONDS)
    return (int(count) / float(seconds), 1 - int(count) / DATAGRAMS, cpu * 1e6 / DATAGRAMS,
            int(others))


def flood(size, port):
    """Seconds that the sender needs."""
    began = time.monotonic()
    subprocess.run([LIMIT, "udp-send", str(size), str(DATAGRAMS), port], check=True)
    return time.monotonic() - began


def receive_datagrams(command, size, port):
    """As send_datagrams, of one receiver: the rate is what it got of a sender that does not wait."""
    sink = existing_file("got", DATAGRAMS * size)
    receiver = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=sink,
                                stderr=subprocess.DEVNULL)
    wait_bound(port)
    seconds = flood(size, port)
    length = -1
    while length != os.lseek(sink.fileno(), 0, os.SEEK_CUR):
        length = os.lseek(sink.fileno(), 0, os.SEEK_CUR)
        time.sleep(0.1)
    cpu = end(receiver)
    sink.close()
    count = length / size
    return count / seconds, 1 - count / DATAGRAMS, cpu * 1e6 / max(count, 1), 0


def count_datagrams(size, port):
    """What the limit program receives, which only counts."""
    receiver = subprocess.Popen([LIMIT, "udp-recv", str(size), port], stdout=subprocess.PIPE)
    wait_bound(port)
    seconds = flood(size, port)
    count = int(receiver.stdout.read().split()[0])
    receiver.stdout.close()
    cpu = end(receiver)
    return count / seconds, 1 - count / DATAGRAMS, cpu * 1e6 / count, 0


def print_datagrams(title, results, base):
    print(f"\n{title:32}    pps  of {base:14}  lost  CPU us  joined or cut")
    if base not in results:
        return
    for name, rows in results.items():
        ratio = statistics.median(row[0] / other[0] for row, other in zip(rows, results[base]))
        pps, lost, cpu, others = (statistics.median(column) for column in zip(*rows))
        print(f"  {name:24} {pps:12.0f} {ratio:9.2f} {lost:15.1%} {cpu:7.2f} {others:14.0f}")


def udp():
    """Datagrams a second, their loss, and CPU for each."""
    for size in (64, 1400):
        sent, received = {}, {}
        for number in range(ROUNDS):
            port = str(20000 + os.getpid() % 20000 + number)
            for name, command in udp_senders(port).items():
                sent.setdefault(name, []).append(send_datagrams(command, size, port))
            for name, command in udp_receivers(port).items():
                received.setdefault(name, []).append(receive_datagrams(command, size, port))
            received.setdefault("limit", []).append(count_datagrams(size, port))
        base = "nc.traditional" if "nc.traditional" in sent else "limit"
        print_datagrams(f"UDP, {size} bytes, sending", sent, base)
        print_datagrams(f"UDP, {size} bytes, receiving", received, "limit")
