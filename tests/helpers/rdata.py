"""Data of records as it is on the wire, for helpers/dns.py: the name N.rdata.test has case N, in whatever type it is asked
for; N has eight digits, so that dig(1) takes it for the owner of an NSEC3 record. As a program it prints a question a line: type, name, what the case is of.
"""
import base64
import ipaddress
import struct


def h(text):
    return bytes.fromhex(text)


def u16(*values):
    return struct.pack("!%dH" % len(values), *values)


def u32(*values):
    return struct.pack("!%dI" % len(values), *values)


def string(text):
    return bytes([len(text)]) + text


def name(text):
    return b"".join(string(label) for label in text.encode("latin-1").split(b".") if label) + b"\0"


def bitmap(*kinds):
    """The types that are there: a window for each 256 of them (RFC 4034, 4.1.2)."""
    out = b""
    for window in sorted({kind >> 8 for kind in kinds}):
        bits = bytearray(32)
        for kind in kinds:
            if kind >> 8 == window:
                bits[(kind & 255) >> 3] |= 0x80 >> (kind & 7)
        bits = bytes(bits).rstrip(b"\0")
        out += bytes([window]) + string(bits)
    return out


def parameters(*pairs):
    return b"".join(u16(key, len(value)) + value for key, value in pairs)


def alpn(*protocols):
    return 1, b"".join(string(protocol) for protocol in protocols)


def loc(latitude, longitude, altitude, size=0x12, horizontal=0x16, vertical=0x13, version=0):
    """Thousandths of a second, north and east positive; centimetres; sizes as mantissa and exponent."""
    return bytes([version, size, horizontal, vertical]) + u32(
        (1 << 31) + latitude, (1 << 31) + longitude, 10000000 + altitude)


def rrsig(covered, algorithm=8, expires=1767225600, began=1764547200, signature=bytes(range(256)), signer="zone.test"):
    return (u16(covered) + bytes([algorithm, 2]) + u32(300, expires, began) + u16(60485) + name(signer) + signature)


SHA1 = h("2BB183AF5F22588179A53B0A98631FAD1A292118")
SHA256 = bytes(range(32))
HASH = h("0123456789abcdef0123456789abcdef01234567")
RSA = h("03010001") + bytes(range(131))
LONG = bytes(range(256)) * 4

# Type, data, what it is of.
CASES = [
    ("A", h("c0000201"), "an address"),
    ("AAAA", ipaddress.ip_address("2001:db8::1").packed, "an address"),
    ("AAAA", ipaddress.ip_address("::ffff:192.0.2.1").packed, "a mapped one"),
    ("NS", name("ns.zone.test"), "a name"),
    ("CNAME", name('a"b;c.$x@y(z) .te\\st\xff\0'), "bytes that are special"),
    ("SOA", name("ns.test") + name("host.master.test") + u32(4294967295, 0, 1, 2, 3), "the largest serial"),
    ("MX", u16(0) + name(""), "null MX"),
    ("SRV", u16(0, 65535, 5060) + name("_x.test"), "numbers at their ends"),
    ("TXT", string(b"") + string(b'quotes " and \\ and ;') + string(b"\0\n\x7f\x80\xff"), "strings"),
    ("TXT", string(b"x" * 255) * 5, "long strings"),
    ("SPF", string(b"v=spf1 -all"), "as TXT"),
    ("HINFO", string(b'a "b" c') + string(b""), "an empty string"),
    ("HINFO", string(b"PC-Intel-700mhz") + string(b"linux"), "two strings"),
    ("RP", name("me.test") + name(""), "no text"),
    ("AFSDB", u16(1) + name("afs.test"), "a server"),
    ("AFSDB", u16(65535) + name(""), "the root"),
    ("KX", u16(10) + name("kx.test"), "an exchanger"),
    ("DNAME", name("other.test"), "a name"),
    ("DNAME", name(""), "the root"),
    ("DS", u16(60485) + b"\5\1" + SHA1, "SHA-1"),
    ("DS", u16(0) + b"\15\2" + SHA256, "SHA-256"),
    ("DS", u16(1) + b"\x0d\xfe" + LONG, "an unknown digest, long"),
    ("CDS", u16(60485) + b"\5\1" + SHA1, "SHA-1"),
    ("CDS", u16(0) + b"\0\0\0", "deletion"),
    ("DLV", u16(60485) + b"\5\1" + SHA1, "as DS"),
    ("DNSKEY", u16(257) + b"\3\x08" + RSA, "a key-signing key"),
    ("DNSKEY", u16(256) + b"\3\x0d" + LONG[:64], "a zone-signing key"),
    ("DNSKEY", u16(385) + b"\3\x0f" + LONG[:32], "revoked"),
    ("CDNSKEY", u16(257) + b"\3\x0f" + LONG[:32], "a key"),
    ("CDNSKEY", u16(0) + b"\3\0\0", "deletion"),
    ("RRSIG", rrsig(1), "of A"),
    ("RRSIG", rrsig(65, 13, 0, 1, bytes(64), ""), "of HTTPS, by the root"),
    ("RRSIG", rrsig(731, 255, 2147483648, 951782400), "of an unknown type, on 29 February"),
    ("RRSIG", rrsig(48, 15, 1709164799, 4102444800 - 2 ** 31), "at the end of 28 February"),
    ("NSEC", name("host.zone.test") + bitmap(1, 15, 46, 47, 1234), "that of RFC 4034"),
    ("NSEC", name("\0.zone.test") + bitmap(46, 47), "black lies"),
    ("NSEC", name("a.test") + bitmap(*range(1, 128)), "127 types"),
    ("NSEC", name("a.test") + bitmap(*range(128, 300), 32768, 32769, 65535), "types in four windows"),
    ("NSEC", name("a.test") + bitmap(0, 54, 110, 248, 260, 263, 32770), "types that have no names"),
    ("NSEC3", b"\1\1" + u16(12) + string(h("aabbccdd")) + string(HASH) + bitmap(2, 6, 46), "that of RFC 5155"),
    ("NSEC3", b"\1\0" + u16(0) + string(b"") + string(HASH) + bitmap(1), "no salt"),
    ("NSEC3", b"\1\0" + u16(65535) + string(b"") + string(HASH), "no types"),
    ("NSEC3", b"\2\0" + u16(1) + string(bytes(range(255))) + string(b"f") + bitmap(1), "the longest salt, a short hash"),
    ("NSEC3", b"\2\0" + u16(1) + string(b"") + string(b"fooba") + bitmap(1), "a hash without padding"),
    ("NSEC3PARAM", b"\1\0" + u16(0) + string(b""), "no salt"),
    ("NSEC3PARAM", b"\1\xff" + u16(150) + string(h("deadbeef")), "a salt"),
    ("TLSA", b"\3\1\1" + SHA256, "a hash"),
    ("TLSA", b"\0\0\0" + LONG, "a certificate, long"),
    ("SMIMEA", b"\3\0\0" + b"0\x82", "two bytes"),
    ("SMIMEA", b"\3\1\2" + LONG[:64], "SHA-512"),
    ("OPENPGPKEY", LONG, "a key"),
    ("OPENPGPKEY", b"x", "padded"),
    ("SSHFP", b"\4\2" + SHA256, "Ed25519"),
    ("SSHFP", b"\1\1" + SHA1, "RSA"),
    ("NAPTR", u16(100, 50) + string(b"s") + string(b"z3950+I2L+I2C") + string(b"") + name("_z3950._tcp.test"), "a service"),
    ("NAPTR", u16(0, 65535) + string(b"u") + string(b"E2U+sip") + string(b"!^(.*)$!sip:i\"\\\\1@example.com!") + name(""),
     "a pattern"),
    ("LOC", loc(188824000, -264936000, 20000), "north, west"),
    ("LOC", loc(-121960123, 511980999, -2000, 0x00, 0x99, 0x10), "south, east, below the sea, sizes at their ends"),
    ("LOC", loc(0, 0, -10000000, 0x11, 0x90, 0x95), "nowhere, at the lowest"),
    ("LOC", loc(324000000, 648000000, 4284967295, 0x10, 0x91, 0x99), "the pole, the highest"),
    ("LOC", loc(-1, -1, -1, 0x12, 0x20, 0x19), "a thousandth of a second, a centimetre"),
    ("LOC", loc(0, 0, 0, version=1), "an unknown version"),
    ("CERT", u16(1, 12345) + b"\5" + LONG, "PKIX"),
    ("CERT", u16(65535, 0) + b"\0" + b"x", "an unknown type"),
    ("CERT", u16(254, 0) + b"\xfd" + b"xy", "OID, private algorithm"),
    ("CERT", u16(3, 0) + b"\xfc" + b"xyz", "PGP"),
    ("URI", u16(10, 1) + b"ftp://ftp1.example.com/public", "an address"),
    ("URI", u16(65535, 0) + b'http://x/"\\;\xff' + b"y" * 300, "quotes, and longer than a string"),
    ("CAA", b"\0" + string(b"issue") + b"letsencrypt.org; a=b", "issue"),
    ("CAA", b"\x80" + string(b"iodef") + b'"mailto:a@\\x"', "critical"),
    ("CAA", b"\0" + string(b"issuewild") + b"", "nobody"),
    ("SVCB", u16(1) + name(""), "nothing"),
    ("SVCB", u16(16) + name("foo.example.org") + parameters((0, u16(1, 4)), alpn(b"h2", b"h3-19"), (4, h("c0000201"))),
     "mandatory"),
    ("SVCB", u16(1) + name("foo") + parameters(alpn(b'f\\oo,bar', b"h2", b'q"x', b"\xff\0;")), "escapes in alpn"),
    ("SVCB", u16(1) + name("dns.test") + parameters(alpn(b"h2"), (7, b"/dns-query{?dns}")), "dohpath"),
    ("SVCB", u16(1) + name("x") + parameters((667, b"hello\xd2qoo"), (65535, b""), ), "keys without names"),
    ("SVCB", u16(1) + name("x") + parameters((667, b'a "b" \\c, ;')), "a value with blanks"),
    ("HTTPS", u16(0) + name("cdn.test"), "an alias"),
    ("HTTPS", u16(1) + name("") + parameters(alpn(b"h2", b"h3"), (3, u16(8443)), (4, h("c0000201c0000202")),
                                             (5, base64.b64decode("AEj+DQBE")),
                                             (6, ipaddress.ip_address("2001:db8::1").packed * 2)), "all that browsers know"),
    ("HTTPS", u16(1) + name("") + parameters(alpn(b"h2"), (2, b"")), "no default"),
    ("SVCB", u16(1) + name("x") + parameters(alpn(b"h2"), (8, b"")), "ohttp"),
    ("EUI48", h("00005e00532a"), "an address"),
    ("EUI64", h("00005eef1000002a"), "an address"),
    ("L32", u16(10) + h("0a010200"), "a locator"),
    ("L64", u16(10) + h("20010db81140100f"), "a locator"),
    ("NID", u16(10) + h("00144fffff20ee64"), "an identifier"),
    ("LP", u16(10) + name("l64.test"), "a pointer"),
    ("DHCID", h("000201636fc0b8271c82825bb1ac5c41cf5351aa69b4febd94e8f17cdb95000da48c40"), "that of RFC 4701"),
    ("CSYNC", u32(66) + u16(3) + bitmap(1, 2, 28), "that of RFC 7477"),
    ("CSYNC", u32(4294967295) + u16(0), "no types"),
    ("ZONEMD", u32(2018031500) + b"\1\1" + bytes(range(48)), "that of RFC 8976"),
    ("MINFO", name("a.test") + name("b.test"), "two names"),
    ("X25", string(b"311061700956"), "a number"),
    ("RT", u16(10) + name("relay.test"), "a host"),
    ("PX", u16(10) + name("map822.test") + name("mapx400.test"), "two names"),
    ("SIG", rrsig(1, 5), "as RRSIG"),
    ("TALINK", name("h0.test") + name(""), "two names"),
    ("NINFO", string(b"a") + string(b"b"), "as TXT"),
    ("RESINFO", string(b"qnamemin") + string(b"exterr=15,16,17"), "as TXT"),
    ("TYPE731", h("abcdef012345"), "unknown"),
    ("TYPE65280", b"", "unknown, nothing"),
    # Malformed.
    ("A", h("c00002"), "short"),
    ("A", h("c000020101"), "long"),
    ("MX", u16(10), "no name"),
    ("TXT", b"", "no string"),
    ("TXT", b"\5abc", "a string beyond the end"),
    ("NSEC", name("a.test") + h("0000"), "an empty window"),
    ("NSEC", name("a.test") + h("0002"), "a window beyond the end"),
    ("NSEC", name("a.test") + h("00"), "half a window"),
    ("NSEC", name("a.test") + h("0021") + b"\1" * 33, "a window of 33 bytes"),
    ("NSEC", name("a.test") + h("01014000014 0".replace(" ", "")), "windows out of order"),
    ("NSEC", name("a.test") + h("000140000140"), "a window twice"),
    ("NSEC", name("a.test") + h("00024000"), "a byte 0 at the end of a window"),
    ("NSEC", name("a.test"), "no types"),
    ("NSEC3", b"\1\0" + u16(1) + string(b"") + string(b"") + bitmap(1), "no hash"),
    ("NSEC3", b"\1\0" + u16(1) + b"\5abc", "a salt beyond the end"),
    ("NSEC3", b"\1\0" + u16(1) + string(b"") + b"\5abc", "a hash beyond the end"),
    ("NSEC3PARAM", b"\1\0" + u16(1) + b"\5abc", "a salt beyond the end"),
    ("NSEC3PARAM", b"\1\0" + u16(1) + string(b"") + b"x", "a byte too many"),
    ("DS", u16(1) + b"\5\xfe", "no digest"),
    ("DS", u16(1), "short"),
    ("DNSKEY", u16(257) + b"\3\x08", "no key"),
    ("DNSKEY", u16(257) + b"\3", "short"),
    ("RRSIG", rrsig(1)[:17], "short"),
    ("RRSIG", rrsig(1, signature=b""), "no signature"),
    ("TLSA", b"\3\1", "short"),
    ("TLSA", b"\3\1\1", "no hash"),
    ("SSHFP", b"\4\2", "no fingerprint"),
    ("SSHFP", b"\4", "short"),
    ("OPENPGPKEY", b"", "nothing"),
    ("CERT", u16(1, 2), "short"),
    ("CERT", u16(1, 2) + b"\5", "no certificate"),
    ("LOC", loc(0, 0, 0)[:-1], "short"),
    ("LOC", loc(0, 0, 0) + b"x", "long"),
    ("LOC", loc(0, 0, 0, 0xa0), "a mantissa of 10"),
    ("LOC", loc(0, 0, 0, 0x1a), "an exponent of 10"),
    ("LOC", loc(0, 0, 0, 0x02), "a mantissa of 0"),
    ("LOC", loc(324000001, 0, 0), "beyond the pole"),
    ("LOC", loc(0, -648000001, 0), "beyond the date line"),
    ("URI", u16(1, 1), "no address"),
    ("URI", u16(1), "short"),
    ("CAA", b"\0" + string(b"") + b"x", "no tag"),
    ("CAA", b"\0\5iss", "a tag beyond the end"),
    ("NAPTR", u16(1, 2) + string(b"s") + string(b"x"), "short"),
    ("SVCB", u16(1), "no target"),
    ("SVCB", u16(1) + name("x") + parameters((3, b"\0")), "a port of one byte"),
    ("SVCB", u16(1) + name("x") + parameters((3, u16(1)), (1, string(b"h2"))), "keys out of order"),
    ("SVCB", u16(1) + name("x") + parameters((7, b"")), "dohpath without a value"),
    ("SVCB", u16(0) + name("x") + parameters((3, u16(1))), "an alias with a port"),
    ("EUI48", h("00005e0053"), "short"),
    ("EUI64", h("00005eef1000002a2a"), "long"),
    ("L64", u16(10) + h("20010db8114010"), "short"),
    ("CSYNC", u32(66), "short"),
    ("ZONEMD", u32(1) + b"\1\1", "no digest"),
    ("HINFO", string(b"x"), "one string"),
    ("DHCID", b"", "nothing"),
]

if __name__ == "__main__":
    for number, (kind, _, what) in enumerate(CASES):
        print(kind, "%08d.rdata.test" % number, what)
