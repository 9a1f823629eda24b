"""Downloads from nginx and from a server that sends chunks, beside curl, wget and limit programs."""
import os
import shutil
import statistics
import subprocess
import time

from common import (BYTES, LIMIT, LIMIT_HTTP, ROUNDS, SOCKCTL, in_turn,
                    wait_listening)
from streams import open_sink


def nginx(port, tls=""):
    """Serves the current directory; `tls`: with NAME.pem and NAME.key."""
    secure = f"ssl; ssl_certificate {tls}.pem; ssl_certificate_key {tls}.key" if tls else ""
    with open("nginx.conf", "w", encoding="ascii") as conf:
        conf.write(f"""user root root; daemon off; master_process off; pid nginx.pid; error_log nginx.log;
            events {{ worker_connections 64; }}
            http {{ access_log off; sendfile on; keepalive_requests 100000; client_body_temp_path t;
                proxy_temp_path t; fastcgi_temp_path t; uwsgi_temp_path t; scgi_temp_path t;
                server {{ listen 127.0.0.1:{port} {secure}; root {os.getcwd()}; }} }}""")
    return subprocess.Popen(["nginx", "-p", os.getcwd(), "-e", "nginx.log", "-c", "nginx.conf"])


def http_clients(url, limits):
    """Each writes the body to stdout."""
    found = {"sockctl": [SOCKCTL, "http-get", "-s", url], **limits}
    if shutil.which("curl"):
        found["curl"] = ["curl", "-sS", url]
    if shutil.which("wget"):
        found["wget"] = ["wget", "-q", "-O", "-", url]
    if shutil.which("busybox"):
        found["busybox"] = ["busybox", "wget", "-q", "-O", "-", url]
    return found


def fetch(command, kind):
    """Seconds, and the CPU seconds of the client."""
    sink, drain = open_sink(kind)
    began = time.monotonic()
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=sink,
                               stderr=subprocess.DEVNULL)
    sink.close()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if drain:
        drain.wait()
    if process.returncode:
        raise RuntimeError(f"{command[0]}: status {process.returncode}")
    seconds = time.monotonic() - began
    return seconds, usage.ru_utime + usage.ru_stime


def peak(command):
    """The most KiB that it has at a time."""
    told = subprocess.run([LIMIT_HTTP, "rss"] + command, stdout=subprocess.DEVNULL,
                          stderr=subprocess.PIPE, check=True)
    return int(told.stderr.split()[-1])


def http_table(title, clients, kind):
    results = {name: [] for name in clients}
    for _ in range(ROUNDS):
        for name, command in in_turn(clients):
            results[name].append(fetch(command, kind))
    gib = BYTES / (1 << 30)
    limits = list(zip(*(results[name] for name in results if name.startswith("limit"))))
    print(f"\n{title + ' to ' + kind:28} GiB/s  of limit   CPU s/GiB  of limit   RSS KiB")
    for name, rows in results.items():
        speed = statistics.median(min(l[0] for l in limit) / row[0]
                                  for row, limit in zip(rows, limits))
        cost = statistics.median(row[1] / max(min(l[1] for l in limit), 0.001)
                                 for row, limit in zip(rows, limits))
        seconds, cpu = (statistics.median(row[i] for row in rows) for i in range(2))
        print(f"  {name:18} {gib / seconds:13.2f} {speed:9.2f} {cpu / gib:11.2f} {cost:9.2f}"
              f" {peak(clients[name]):9}")


def time_runs(commands, count):
    """Milliseconds for each, whole processes."""
    times = {name: [] for name in commands}
    for _ in range(count):
        for name, command in in_turn(commands):
            began = time.perf_counter()
            subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
            times[name].append((time.perf_counter() - began) * 1e3)
    return {name: statistics.median(rows) for name, rows in times.items()}


def http_small(url, port):
    """A tiny file, a process each; then a thousand in one."""
    clients = http_clients(url, {"limit hello": [LIMIT, "hello"],
                                 "limit get": [LIMIT_HTTP, "get", "copy", port, "/tiny"]})
    print("\na tiny file, whole process      ms  of hello")
    medians = time_runs(clients, 20 * ROUNDS)
    for name, median in medians.items():
        print(f"  {name:24} {median:8.2f} {median / medians['limit hello']:9.2f}")
    many = {"sockctl": [SOCKCTL, "http-get", "-s"] + [url] * 1000}
    if shutil.which("curl"):
        many["curl"] = ["curl", "-sS"] + [url] * 1000
    print("\n1,000 of them                   ms  of 1,000 runs")
    for name, median in time_runs(many, ROUNDS).items():
        print(f"  {name:24} {median:8.1f} {median / (1000 * medians[name]):9.2f}")


def http():
    """Bodies by a length and by chunks, tiny files, and memory."""
    if not shutil.which("nginx"):
        print("nginx is not installed")
        return
    port = str(21000 + os.getpid() % 20000)
    chunk_port = str(int(port) + 1)
    with open("tiny", "w", encoding="ascii") as tiny:
        tiny.write("hello\n")
    servers = [nginx(port), subprocess.Popen([LIMIT_HTTP, "serve", chunk_port, str(BYTES)])]
    try:
        wait_listening(int(port), None)
        wait_listening(int(chunk_port), None)
        url, chunk_url = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{chunk_port}/"
        for kind in ("null", "pipe", "file"):
            http_table("a length", http_clients(url + "/in", {
                "limit splice": [LIMIT_HTTP, "get", "splice", port, "/in"],
                "limit copy": [LIMIT_HTTP, "get", "copy", port, "/in"]}), kind)
            http_table("chunks", http_clients(chunk_url, {
                "limit splice": [LIMIT_HTTP, "chunks", "splice", chunk_port, str(BYTES)],
                "limit copy": [LIMIT_HTTP, "chunks", "copy", chunk_port, str(BYTES)]}), kind)
        http_small(url + "/tiny", port)
    finally:
        for server in servers:
            server.terminate()
            server.wait()


def certificate():
    """Makes tls.pem and tls.key, of localhost, which has signed itself."""
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:P-256", "-nodes", "-keyout", "tls.key", "-out", "tls.pem",
                    "-days", "2", "-subj", "/CN=localhost",
                    "-addext", "subjectAltName=IP:127.0.0.1"],
                   check=True, capture_output=True)


def tls_table(title, clients, count, kind):
    """Medians, and those of the ratios to curl within a round. CPU is the client's and its openssl's."""
    results = {name: [] for name in clients}
    for _ in range(count):
        for name, command in in_turn(clients):
            results[name].append(fetch(command, kind))
    print(f"\n{title + ' to ' + kind:28}        ms   of curl      CPU ms   of curl")
    for name, rows in results.items():
        line = f"  {name:26}"
        for i in range(2):
            ratio = statistics.median(row[i] / max(other[i], 1e-6)
                                      for row, other in zip(rows, results["curl"]))
            line += f" {statistics.median(row[i] for row in rows) * 1e3:9.1f} {ratio:9.2f}  "
        print(line)


def tls():
    """https beside curl: a long body, and a tiny one, a process each and a hundred in one."""
    if not all(map(shutil.which, ("nginx", "curl", "openssl"))):
        print("nginx, curl or openssl is not installed")
        return
    port = str(21000 + os.getpid() % 20000)
    url = f"https://127.0.0.1:{port}"
    with open("tiny", "w", encoding="ascii") as tiny:
        tiny.write("hello\n")
    certificate()
    server = nginx(port, "tls")
    ours = [SOCKCTL, "http-get", "-s", "--tls-ca", "tls.pem"]
    curl = ["curl", "-sS", "--cacert", "tls.pem"]
    try:
        wait_listening(int(port), None)
        for kind in ("null", "file"):
            tls_table(f"https, {BYTES >> 20} MiB",
                      {"sockctl": ours + [url + "/in"], "curl": curl + [url + "/in"]}, ROUNDS, kind)
        tiny_url = url + "/tiny"
        tls_table("https, 6 bytes", {"sockctl": ours + [tiny_url], "curl": curl + [tiny_url]},
                  4 * ROUNDS, "null")
        tls_table("https, a hundred of them",
                  {"sockctl": ours + [tiny_url] * 100, "curl": curl + [tiny_url] * 100},
                  ROUNDS, "null")
    finally:
        server.terminate()
        server.wait()
