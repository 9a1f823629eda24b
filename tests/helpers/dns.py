"""A DNS server for tests, on 127.0.0.1:53 of a network namespace, UDP and TCP: says READY, then a
line for each query (`udp www.test 1`), and answers from ZONE.

A name that is not there does not exist; one with an empty list has no such record; one with None
is never answered, nor is one for records of a type whose value is None. Names in ODD are answered in
ways that no server should. Names below rdata.test have the data of helpers/rdata.py. Of names in LOST the first datagrams are, and the answers for one type
of those in LATE come later.
"""
import ipaddress
import socket
import struct
import threading

import rdata

A, NS, CNAME, PTR, TXT, AAAA = 1, 2, 5, 12, 16, 28
FORMERR, SERVFAIL, NXDOMAIN, NOTIMP, REFUSED = 1, 2, 3, 4, 5
AUTHORITATIVE, TRUNCATED, RECURSION_AVAILABLE = 0x0400, 0x0200, 0x0080
HEADER = 12

ZONE = {
    "www.test": [(CNAME, "web.test")],
    "web.test": [(CNAME, "host.test")],
    "dangling.test": [(CNAME, "elsewhere.example")],
    "host.test": [(A, "192.0.2.2"), (A, "192.0.2.1"), (A, "192.0.2.2"), (AAAA, "2001:db8::1")],
    "v4.test": [(A, "127.0.0.1")],
    "v6.test": [(AAAA, "::1")],
    "mapped.test": [(AAAA, "::ffff:192.0.2.1")],
    "many.test": [(A, "192.0.2.%d" % last) for last in range(200)],
    "big.test": [(TXT, b"\xff" + b"x" * 255)] * 200,
    "evil.test": [(TXT, b"\x0a\x1b[31m\"\\\x7f\x80\xff")],
    "xn--bcher-kva.test": [(A, "192.0.2.3")],
    "short.one.test": [(A, "192.0.2.4")],
    "only.two.test": [(A, "192.0.2.5")],
    "deep.er.two.test": [(A, "192.0.2.6")],
    "data.one.test": [],
    "data": [(A, "192.0.2.7")],
    "empty.test": [],
    "silent.test": None,
    "half4.test": [(A, "127.0.0.1"), (AAAA, None)],
    "half6.test": [(A, None), (AAAA, "::1")],
    "late4.test": [(A, "127.0.0.1"), (AAAA, "::1")],
    "late6.test": [(A, "127.0.0.1"), (AAAA, "::1")],
    "lost.test": [(A, "127.0.0.1")],
    "onelost.test": [(A, "127.0.0.1")],
    "search.one.test": [(A, "127.0.0.1")],
    "search.two.test": [(AAAA, "::1")],
    "1.2.0.192.in-addr.arpa": [(PTR, "host.test")],
    "9.2.0.192.in-addr.arpa": [(PTR, "\x1b[31mevil.test")],
    "8.2.0.192.in-addr.arpa": [(PTR, "192.0.2.8")],
    "1.0.0.0" + ".0" * 20 + ".8.b.d.0.1.0.0.2.ip6.arpa": [(PTR, "host.test")],
}

# How many datagrams: the first for each of two types, or for one.
LOST = {"lost.test": 2, "mixed.test": 2, "search.one.test": 2, "onelost.test": 1}
LATE = {("late4.test", A): 0.4, ("late6.test", AAAA): 0.4}  # seconds


def wire_name(name):
    labels = name.encode("latin-1").split(b".")
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


def wire_data(kind, value):
    if isinstance(value, bytes):
        return value
    if kind in (A, AAAA):
        return ipaddress.ip_address(value).packed
    return wire_name(value)


def read_question(query):
    labels, at = [], HEADER
    while query[at]:
        labels.append(query[at + 1 : at + 1 + query[at]].decode("latin-1"))
        at += 1 + query[at]
    (kind,) = struct.unpack_from("!H", query, at + 1)
    return ".".join(labels).lower(), kind, query[HEADER : at + 5]


def find(name, kind):
    """The records of the chain of CNAMEs that begins at the name."""
    records = []
    while name in ZONE:
        own = [record for record in ZONE[name] if record[0] in (kind, CNAME)]
        records += [(name,) + record for record in own]
        if not own or own[0][0] != CNAME or kind == CNAME:
            break
        name = own[0][1]
    return records


def message(query, code=0, records=b"", count=0, flags=AUTHORITATIVE | RECURSION_AVAILABLE):
    question = read_question(query)[2]
    head = struct.pack("!HHHHH", 0x8100 | flags | code, 1, count, 0, 0)
    return query[:2] + head + question + records


def wire_record(owner, kind, data):
    return owner + struct.pack("!HHIH", kind, 1, 60, len(data)) + data


def good(query, flags=AUTHORITATIVE | RECURSION_AVAILABLE):
    """The answer that there should have been."""
    return message(query, 0, wire_record(b"\xc0\x0c", A, b"\xc0\x00\x02\x2a"), 1, flags)


def with_record(record, count=1):
    return lambda query, tcp: [message(query, 0, record, count)]


def with_code(code):
    return lambda query, tcp: [message(query, code)]


def with_extended(query, code, questions):
    """The upper bits of the code are in the OPT record: here behind another additional record."""
    low = struct.pack("!HHHHH", 0x8180 | code & 15, questions, 0, 0, 2)
    opt = b"\0" + struct.pack("!HHBBHH", 41, 1232, code >> 4, 0, 0, 0)
    question = read_question(query)[2] if questions else b""
    return query[:2] + low + question + wire_record(wire_name("ns.test"), A, b"abcd") + opt


def with_errors(code, *errors, good=False, cut=0):
    """Extended errors (RFC 8914) in the options of EDNS0, behind another option."""
    options = struct.pack("!HH", 10, 8) + b"cookie00" + b"".join(
        struct.pack("!HHH", 15, 2 + len(text), number) + text for number, text in errors)
    options = options[:len(options) - cut]

    def send(query, tcp):
        record = wire_record(b"\xc0\x0c", A, b"\xc0\x00\x02\x2a") if good else b""
        head = struct.pack("!HHHHH", 0x8180 | code, 1, good, 0, 1)
        opt = b"\0" + struct.pack("!HHIH", 41, 1232, 0, len(options)) + options
        # Without EDNS0 in the query there is to be none in the answer.
        return [query[:2] + head + read_question(query)[2] + record + opt] if query[11] else []
    return send


def without_edns(query, tcp):
    """From before EDNS0: a complaint that is a bare header."""
    if query[11]:
        return [query[:2] + struct.pack("!HHHHH", 0x8180 | FORMERR, 0, 0, 0, 0)]
    return [good(query)]


def wrong_id(query):
    return bytes([query[0] ^ 1]) + good(query)[1:]


def wrong_question(query):
    return good(query).replace(b"\x04test", b"\x04TOST")


# What is sent for each: datagrams, or over TCP the bytes after the length.
ODD = {
    "fail.test": with_code(SERVFAIL),
    "notimp.test": with_code(NOTIMP),
    "refused.test": with_code(REFUSED),
    "code.test": with_code(11),
    "badvers.test": lambda query, tcp: [with_extended(query, 16, 1) if query[11] else good(query)],
    "badcookie.test": lambda query, tcp: [with_extended(query, 23, 1)],
    "behind.test": lambda query, tcp: [with_extended(query, 23, 0)],
    "circle.test": with_record(wire_record(b"\xc0\x0c", CNAME, wire_name("CIRCLE2.test")) +
                               wire_record(wire_name("circle2.test"), CNAME, b"\xc0\x0c"), 2),
    "self.test": with_record(wire_record(b"\xc0\x0c", CNAME, b"\xc0\x0c")),
    "bogus.test": with_errors(SERVFAIL, (6, b"no signature for \x1b[31mbogus.test\n\xc3\xbc"), (13, b"")),
    "blocked.test": with_errors(NXDOMAIN, (15, b"by order\0 hidden")),
    "nodata.test": with_errors(0, (17, b"")),
    "stale.test": with_errors(0, (3, b"3 s old"), (4711, b"?"), good=True),
    "cuterror.test": with_errors(0, (3, b"3 s old"), (0, b"cut"), good=True, cut=1),
    "talkative.test": with_errors(SERVFAIL, *[(22, b"x" * 200)] * 40),
    "formerr.test": with_code(FORMERR),
    "old.test": without_edns,
    # No IPv4 address, and whether there is an IPv6 one nobody could tell.
    "mixed.test": lambda query, tcp: [message(query, SERVFAIL if read_question(query)[1] == AAAA else 0)],
    "lame.test": lambda query, tcp: [message(query, flags=0)],
    "id.test": lambda query, tcp: [wrong_id(query)],
    "question.test": lambda query, tcp: [wrong_question(query)],
    "noise.test": lambda query, tcp: [b"", b"x", query, wrong_id(query), wrong_question(query),
                                      good(query)],
    "case.test": lambda query, tcp: [good(query).replace(b"\x04test", b"\x04TeST")],
    "cut.test": lambda query, tcp: [good(query) if tcp else message(query, flags=TRUNCATED)],
    "cuttwice.test": lambda query, tcp: [good(query, AUTHORITATIVE | TRUNCATED)],
    "tcpcloses.test": lambda query, tcp: [] if tcp else [message(query, flags=TRUNCATED)],
    "tcpshort.test": lambda query, tcp: [good(query)[:-1]] if tcp else
                                        [message(query, flags=TRUNCATED)],
    # Malformed: names that point at themselves, forwards and to nowhere, a label of a kind that
    # there is not, records that are not there or longer than the message, and data of a wrong size.
    "loop.test": with_record(b"\xc0\x1b" + b"\0" * 40),
    "pingpong.test": with_record(b"\x01a\xc0\x1f\x01b\xc0\x1b" + b"\0" * 40),
    "forward.test": with_record(b"\xc0\xff" + b"\0" * 300),
    "beyond.test": with_record(b"\xff\xff" + b"\0" * 40),
    "kind.test": with_record(b"\x81x" + b"\0" * 40),
    "long.test": with_record((b"\x3f" + b"x" * 63) * 4 + b"\0" * 40),
    "counts.test": with_record(b"", 0xffff),
    "half.test": with_record(wire_record(b"\xc0\x0c", A, b"abcd")[:-5]),
    "more.test": with_record(wire_record(b"\xc0\x0c", A, b"abcd")[:-1]),
    "size.test": with_record(wire_record(b"\xc0\x0c", A, b"abcde")),
    "string.test": with_record(wire_record(b"\xc0\x0c", TXT, b"\x09abc")),
    "none.test": with_record(wire_record(b"\xc0\x0c", TXT, b"")),
    "garbage.test": with_record(bytes(i * 73 & 255 for i in range(400)), 9),
    # A good record before one that is cut.
    "second.test": with_record(wire_record(b"\xc0\x0c", A, b"abcd") * 2 + b"\xc0", 3),
    "gone.test": lambda query, tcp: [message(query, NXDOMAIN, wire_record(b"\xc0\x0c", CNAME,
                                                                         wire_name("no.test")), 1)],
}


def answers(query, tcp):
    """What to send for it, message by message."""
    name, kind, _ = read_question(query)
    print("tcp" if tcp else "udp", name, kind, flush=True)
    if name in ODD:
        return ODD[name](query, tcp)
    if name.endswith(".rdata.test"):
        data = rdata.CASES[int(name.split(".")[0])][1]
        return [message(query, 0, wire_record(b"\xc0\x0c", kind, data), 1)]
    if ZONE.get(name, []) is None or (kind, None) in ZONE.get(name, []):
        return []
    records = find(name, kind)
    code = 0 if name in ZONE else NXDOMAIN
    body = b"".join(wire_record(wire_name(owner), record_kind, wire_data(record_kind, value))
                    for owner, record_kind, value in records)
    if not tcp and len(body) > 60000:
        return [message(query, flags=AUTHORITATIVE | TRUNCATED)]
    return [message(query, code, body, len(records))]


def receive(connection, length):
    received = b""
    while len(received) < length:
        more = connection.recv(length - len(received))
        if not more:
            raise OSError("the client has gone")
        received += more
    return received


def serve_connection(connection):
    with connection:
        (length,) = struct.unpack("!H", receive(connection, 2))
        query = receive(connection, length)
        cut = read_question(query)[0] == "tcpshort.test"
        for reply in answers(query, True):
            connection.sendall(struct.pack("!H", len(reply) + cut) + reply)


def serve_tcp(server):
    while True:
        connection, _ = server.accept()
        threading.Thread(target=serve_connection, args=(connection,), daemon=True).start()


def send_all(server, replies, client):
    for reply in replies:
        server.sendto(reply, client)


def main():
    streams = socket.create_server(("127.0.0.1", 53))
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("127.0.0.1", 53))
    stranger = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    stranger.bind(("127.0.0.3", 53))
    threading.Thread(target=serve_tcp, args=(streams,), daemon=True).start()
    print("READY", flush=True)
    while True:
        query, client = server.recvfrom(4096)
        name, kind, _ = read_question(query)
        if name == "foreign.test":
            stranger.sendto(good(query), client)
            continue
        replies = answers(query, False)
        if LOST.get(name):
            LOST[name] -= 1
            continue
        late = LATE.get((name, kind))
        if late:
            threading.Timer(late, send_all, (server, replies, client)).start()
        else:
            send_all(server, replies, client)


if __name__ == "__main__":
    main()
