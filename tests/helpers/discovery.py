"""discovery.py NAME KIND GROUP...: a host that is found by SSDP (KIND ssdp, UPnP 2.0, 1.3) or by mDNS (KIND mdns, RFC 6762): it
joins each GROUP on eth0, writes READY, and answers what it is asked, until it is killed. Whoever asks mDNS from port 5353 gets
the answer by the group, anybody else to his own port (RFC 6762, 6.7)."""
import select
import socket
import struct
import sys

name, kind, *groups = sys.argv[1:]
port = {"ssdp": 1900, "mdns": 5353}[kind]
question = name.encode()


def open_group(group):
    family = socket.AF_INET6 if ":" in group else socket.AF_INET
    s = socket.socket(family, socket.SOCK_DGRAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    interface = socket.if_nametoindex("eth0")
    if family == socket.AF_INET6:
        s.bind((group, port, 0, interface))
        s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, socket.inet_pton(family, group) + struct.pack("@I", interface))
    else:
        s.bind((group, port))
        s.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.inet_aton(group) + struct.pack("@Ii", 0, interface))
    out = socket.socket(family, socket.SOCK_DGRAM)
    out.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if kind == "mdns":
        out.bind(("", port) if family == socket.AF_INET else ("::", port))
    return s, out


def answer_to(asked):
    if kind == "ssdp":
        if not asked.startswith(b"M-SEARCH * HTTP/1.1\r\n") or b'\r\nMAN: "ssdp:discover"\r\n' not in asked:
            return None
        return b"HTTP/1.1 200 OK\r\nST: upnp:rootdevice\r\nUSN: uuid:" + question + b"::upnp:rootdevice\r\n\r\n"
    # One question, for the service's PTR records: the answer points to the instance of this host.
    ident, flags, questions = struct.unpack("!HHH", asked[:6])
    if flags or questions != 1:
        return None
    end = asked.index(b"\0", 12) + 5
    instance = bytes([len(question)]) + question + b"\xc0\x0c"
    head = struct.pack("!HHHHHH", ident, 0x8400, 1, 1, 0, 0)
    return head + asked[12:end] + b"\xc0\x0c" + struct.pack("!HHIH", 12, 1, 10, len(instance)) + instance


pairs = dict(open_group(group) for group in groups)
print("READY", flush=True)
while True:
    for s in select.select(list(pairs), [], [])[0]:
        asked, who = s.recvfrom(9000)
        answer = answer_to(asked)
        if not answer:
            continue
        if kind == "mdns" and who[1] == port:
            interface = socket.if_nametoindex("eth0")
            who = (groups[0], port) if s.family == socket.AF_INET else (groups[-1], port, 0, interface)
        pairs[s].sendto(answer, who)
