"""A DNS server for tests, on 127.0.0.1:53 of a network namespace: says READY, answers from ZONE.

A name that is not there does not exist; one with an empty list has no such record; one with None
is never answered. `fail.test` is answered with SERVFAIL.
"""
import ipaddress
import socket
import struct

A, CNAME, PTR, AAAA = 1, 5, 12, 28
SERVFAIL, NXDOMAIN = 2, 3

ZONE = {
    "www.test": [(CNAME, "web.test")],
    "web.test": [(CNAME, "host.test")],
    "host.test": [(A, "192.0.2.2"), (A, "192.0.2.1"), (A, "192.0.2.2"), (AAAA, "2001:db8::1")],
    "v4.test": [(A, "127.0.0.1")],
    "v6.test": [(AAAA, "::1")],
    "mapped.test": [(AAAA, "::ffff:192.0.2.1")],
    "many.test": [(A, "192.0.2.%d" % last) for last in range(200)],
    "empty.test": [],
    "silent.test": None,
    "1.2.0.192.in-addr.arpa": [(PTR, "host.test")],
    "9.2.0.192.in-addr.arpa": [(PTR, "\x1b[31mevil.test")],
    "8.2.0.192.in-addr.arpa": [(PTR, "192.0.2.8")],
    "1.0.0.0" + ".0" * 20 + ".8.b.d.0.1.0.0.2.ip6.arpa": [(PTR, "host.test")],
}


def wire_name(name):
    labels = name.encode("latin-1").split(b".")
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


def wire_data(kind, value):
    if kind in (A, AAAA):
        return ipaddress.ip_address(value).packed
    return wire_name(value)


def read_question(query):
    labels, at = [], 12
    while query[at]:
        labels.append(query[at + 1 : at + 1 + query[at]].decode("latin-1"))
        at += 1 + query[at]
    (kind,) = struct.unpack_from("!H", query, at + 1)
    return ".".join(labels).lower(), kind, query[12 : at + 5]


def find(name, kind):
    """The records of the chain of CNAMEs that begins at the name."""
    records = []
    while name in ZONE:
        own = [record for record in ZONE[name] if record[0] in (kind, CNAME)]
        records += [(name,) + record for record in own]
        if not own or own[0][0] != CNAME:
            break
        name = own[0][1]
    return records


def answer(query):
    name, kind, question = read_question(query)
    if ZONE.get(name, []) is None:
        return None
    records = find(name, kind)
    code = SERVFAIL if name == "fail.test" else 0 if name in ZONE else NXDOMAIN
    reply = query[:2] + struct.pack("!HHHHH", 0x8580 | code, 1, len(records), 0, 0) + question
    for owner, record_kind, value in records:
        data = wire_data(record_kind, value)
        reply += wire_name(owner) + struct.pack("!HHIH", record_kind, 1, 60, len(data)) + data
    return reply


def main():
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("127.0.0.1", 53))
    print("READY", flush=True)
    while True:
        query, client = server.recvfrom(4096)
        reply = answer(query)
        if reply:
            server.sendto(reply, client)


if __name__ == "__main__":
    main()
