"""The part `echo` of tests/bench/run: an echo server beside the smallest one, socat and ncat.

ECHO_SECONDS=2 is how long one measurement takes; ECHO_CONNECTIONS=100000 how many come one by one.
"""
import os
import shutil
import statistics
import subprocess
import time

SECONDS = os.environ.get("ECHO_SECONDS", "2")
ONE_BY_ONE = int(os.environ.get("ECHO_CONNECTIONS", "100000"))


class Server:
    """A server in the background, and its port."""

    def __init__(self, name, tools, port):
        self.name = name
        command = {
            "sockctl": [tools["sockctl"], "echo-server", "127.0.0.1", str(port)],
            "socat": ["socat", f"TCP-LISTEN:{port},fork,reuseaddr,backlog=4096", "PIPE"],
            "ncat": ["ncat", "-lk", "-m", "20000", "-e", "/bin/cat", "127.0.0.1", str(port)],
        }.get(name, [tools["load"], "serve"])
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL, start_new_session=True)
        self.port = int(self.process.stdout.readline()) if name == "limit" else port
        wait_listening(self.port)

    def memory_kib(self):
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))

    def cpu_us(self):
        with open(f"/proc/{self.process.pid}/schedstat", encoding="ascii") as stat:
            return int(stat.read().split()[0]) / 1000

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def stop(self):
        os.killpg(self.process.pid, 9)
        self.process.wait()
        self.process.stdout.close()


def wait_listening(port):
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        with open("/proc/net/tcp", encoding="ascii") as table:
            if any(f":{port:04X} 00000000:0000 0A" in line for line in table):
                return
        time.sleep(0.01)
    raise RuntimeError("does not listen")


def measure(tools, name, mode, clients, port):
    """Round trips a second, median, p99 and the server's CPU us for each (of one process: children
    are not counted); None where it does not bear the load."""
    server = Server(name, tools, port)
    try:
        result = subprocess.run([tools["load"], mode, str(server.port), str(clients), SECONDS],
                                stdout=subprocess.PIPE, timeout=60, check=True)
        row = [float(word) for word in result.stdout.split()]
        return row + [server.cpu_us() / (row[0] * float(SECONDS))]
    except (subprocess.SubprocessError, OSError):
        return None
    finally:
        server.stop()


def compare(tools, mode, clients, rounds, port):
    """A table of medians; ratios to the limit within a round."""
    names = ["limit", "sockctl"]
    if clients <= 1000:
        names += [peer for peer in ("socat", "ncat") if shutil.which(peer)]
    rows = {name: [] for name in names}
    for number in range(rounds):
        for name in names if number % 2 else names[::-1]:
            rows[name].append(measure(tools, name, mode, clients, port()))
    what = "new connections, 64 bytes each" if mode == "new" else "64 bytes there and back"
    print(f"\n{what}, {clients} at a time\n{'':12} {'a second':>10} {'of limit':>9}"
          f" {'p50 us':>8} {'p99 us':>8} {'of limit':>9} {'CPU us':>8} {'of limit':>9}")
    for name in names:
        pairs = [(row, limit) for row, limit in zip(rows[name], rows["limit"]) if row and limit]
        if len(pairs) < rounds:
            print(f"  {name:10} fails")
            continue
        speed, middle, late, cpu = (statistics.median(row[i] for row, _ in pairs)
                                    for i in range(4))
        gain = statistics.median(row[0] / limit[0] for row, limit in pairs)
        loss = statistics.median(row[2] / max(limit[2], 1) for row, limit in pairs)
        cost = statistics.median(row[3] / limit[3] for row, limit in pairs)
        print(f"  {name:10} {speed:10.0f} {gain:9.2f} {middle:8.0f} {late:8.0f} {loss:9.2f}"
              + (f" {cpu:8.1f} {cost:9.2f}" if name in ("limit", "sockctl") else ""))


def idle_memory(tools, port):
    """What 10,000 clients cost that do nothing, kernel memory apart."""
    print("\n10,000 idle connections, KiB resident")
    for name in ("limit", "sockctl"):
        server = Server(name, tools, port())
        with subprocess.Popen([tools["load"], "idle", str(server.port), "10000"],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE) as load:
            up = load.stdout.readline() == b"up\n"
            print(f"  {name:10} {server.memory_kib():8}" + ("" if up else "  not all are served"))
            load.stdin.close()
        server.stop()


def one_by_one(tools, port):
    """Descriptors and memory before and after many connections, one after the other."""
    server = Server("sockctl", tools, port())
    command = [tools["load"], "new", str(server.port), "1"]
    subprocess.run(command + ["0.2"], stdout=subprocess.DEVNULL, check=True)
    before = server.descriptors(), server.memory_kib()
    served = 0
    while served < ONE_BY_ONE:
        result = subprocess.run(command + ["2"], stdout=subprocess.PIPE, check=True)
        served += int(float(result.stdout.split()[0]) * 2)
    time.sleep(0.2)
    print(f"\n{served} connections one by one: descriptors {before[0]}, then"
          f" {server.descriptors()}; KiB resident {before[1]}, then {server.memory_kib()}")
    server.stop()


def echo(sockctl, rounds):
    source = os.path.join(os.path.dirname(os.path.abspath(__file__)), "echo.c")
    tools = {"sockctl": sockctl, "load": os.path.abspath("echo-load")}
    subprocess.run([os.environ.get("CC", "cc"), "-O2", "-D_GNU_SOURCE", "-o", tools["load"],
                    source], check=True)
    ports = iter(range(21000 + os.getpid() % 2000, 32000))
    for clients in (1, 100, 1000, 10000):
        compare(tools, "ping", clients, rounds, lambda: next(ports))
    compare(tools, "new", 16, rounds, lambda: next(ports))
    idle_memory(tools, lambda: next(ports))
    one_by_one(tools, lambda: next(ports))
