/*
 * Addresses as a person types them, read and written.
 *
 * A prefix ("tcp:", "unix:" …), or the word's look, says which kind of address it is; each kind has one reader, which
 * fills its part of struct address. Whatever is wrong is said by reading_refuse, with the words as they were typed.
 */
#include "net/address.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "base/units.h"
#include "net/hostname.h"

/* The words at the front of an address that say its protocol outright. */
static const struct prefix {
    char word[20];
    enum address_kind kind;
    int socktype; /* 0: as -u says */
    int family;
} prefixes[] = {
    {"tcp:", ADDRESS_INET, SOCK_STREAM, AF_UNSPEC},
    {"tcp4:", ADDRESS_INET, SOCK_STREAM, AF_INET},
    {"tcp6:", ADDRESS_INET, SOCK_STREAM, AF_INET6},
    {"udp:", ADDRESS_INET, SOCK_DGRAM, AF_UNSPEC},
    {"udp4:", ADDRESS_INET, SOCK_DGRAM, AF_INET},
    {"udp6:", ADDRESS_INET, SOCK_DGRAM, AF_INET6},
    {"unix:", ADDRESS_UNIX, 0, AF_UNIX},
    {"unix-dgram:", ADDRESS_UNIX, SOCK_DGRAM, AF_UNIX},
    {"unix-seqpacket:", ADDRESS_UNIX, SOCK_SEQPACKET, AF_UNIX},
    {"vsock:", ADDRESS_VSOCK, 0, AF_VSOCK},
    {"raw:", ADDRESS_RAW, SOCK_RAW, AF_UNSPEC},
    {"icmp:", ADDRESS_RAW, SOCK_DGRAM, AF_UNSPEC},
    {"fd:", ADDRESS_FD, 0, AF_UNSPEC},
    {"systemd:", ADDRESS_SYSTEMD, 0, AF_UNSPEC},
};

/* What is read: the words as typed, and where they go. */
struct address_reading {
    struct address *address;
    const struct address_use *use;
    const char *word;
    const char *port; /* the second word; NULL: there is none */
    struct error *err;
};

static int reading_refuse(const struct address_reading *reading, const char *why)
{
    const char *word = reading->word, *at_sign = strrchr(word, '@');
    /* What precedes an '@' may be a name and a password, as in a URL, for no host has one in it. */
    if (at_sign && reading->address->kind == ADDRESS_INET)
        word = at_sign;
    return error_set(reading->err, STATUS_USAGE, "address '%.100s%s%.40s': %s", word,
                     reading->port ? " " : "", reading->port ? reading->port : "", why);
}

/* Port */

/* Returns what may be meant by a word that is no port; NULL: who knows. */
static const char *guess_port(const struct address_reading *reading, const char *text)
{
    const char *rest = text + strspn(text, "0123456789");
    if (strcasecmp(rest, "/tcp") == 0 || strcasecmp(rest, "/udp") == 0)
        return "a protocol is no part of it: TCP, or UDP with -u";
    if (strpbrk(text, " \t"))
        return "there is a blank in it: HOST and PORT are two words, not quoted together";
    if (text_starts_with(rest, "..") && rest > text)
        return "a range, for connect --probe, is 22-25";
    if (strchr(text, '/'))
        return "an address has no path";
    if (strpbrk(strchrnul(text, ','), "=abcdefghijklmnopqrstuvwxyz"))
        return "what socat has after a ',' is an option here: see --help all";
    if (*text == ':')
        return "HOST PORT, or HOST:PORT as one word";
    if (*text == '@' && text[1] && !reading->port)
        return "a name in the abstract namespace is unix:@NAME";
    return reading->port || strchr(reading->word, ':')
               ? NULL
               : "an address is HOST PORT, HOST:PORT or PORT";
}

static int refuse_port(const struct address_reading *reading, const char *text)
{
    const char *guess = guess_port(reading, text);
    reading_refuse(reading, "the port is neither a number nor the name of a service");
    return guess ? error_add(reading->err, " (%s)", guess) : -1;
}

static int read_port(const struct address_reading *reading, const char *text)
{
    enum { DIGITS_MAX = 5, NUMBER_MAX = 65535 };
    static const char alphabet[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    const bool listening = reading->use->listening;
    const size_t length = strlen(text);
    const bool is_number = text_is_digits(text, length);
    int64_t number;
    if (!length)
        return reading_refuse(reading, "the port is missing");
    if (!is_number && isdigit((unsigned char)*text) && strspn(text, "0123456789,-") == length)
        return reading_refuse(
            reading,
            listening
                ? "several ports are for connect --probe; to serve each: for p in 8080 8081; do "
                  "sockctl listen -k $p & done"
                : "several ports are for connect --probe; to talk to each: for p in 21 22; do "
                  "sockctl connect HOST $p; done");
    /* The name of a service: RFC 6335, 5.1, and '_', which some have all the same. */
    if (!is_number && (length > ADDRESS_PORT_MAX || !hostname_is_plain(text, length) ||
                       strchr(text, '.') || *text == '-' || !strpbrk(text, alphabet)))
        return refuse_port(reading, text);
    if (is_number && (length > DIGITS_MAX || units_number(text, !listening, NUMBER_MAX, &number)))
        return reading_refuse(reading, listening ? "the port is not from 0 to 65535"
                                                 : "the port is not from 1 to 65535");
    memcpy(reading->address->port, text, length + 1);
    return 0;
}

/* Host */

/* Tells whether the host is a literal IPv6 address, with or without a zone. */
static bool is_ipv6(const char *host)
{
    struct in6_addr address;
    char literal[INET6_ADDRSTRLEN];
    size_t length = strcspn(host, "%");
    const char *zone = host[length] ? host + length + 1 : NULL;
    if (length >= sizeof literal || (zone && !(*zone && hostname_is_plain(zone, strlen(zone)))))
        return false;
    memcpy(literal, host, length);
    literal[length] = '\0';
    return inet_pton(AF_INET6, literal, &address) == 1;
}

static int refuse_host(const struct address_reading *reading, const char *host)
{
    reading_refuse(reading, "the host has a character that no host name has");
    return strchr(host, '@')   ? error_add(reading->err, " (a user is no part of an address)")
           : strchr(host, '%') ? error_add(reading->err, " (a zone is for an IPv6 address)")
                               : -1;
}

/* Reads a host. `*` and nothing are none: every address, or this machine. */
static int read_host(const struct address_reading *reading, const char *text, size_t length)
{
    struct address *address = reading->address;
    struct in_addr ipv4;
    char *host = address->host;
    if (length == 1 && *text == '*')
        length = 0;
    if (length > ADDRESS_HOST_MAX)
        return reading_refuse(reading, "the host is longer than 255 bytes");
    memcpy(host, text, length);
    host[length] = '\0';
    bool v6 = strchr(host, ':');
    if (v6 && !is_ipv6(host))
        return reading_refuse(reading, "the host is neither a name nor an IPv6 address");
    if (reading->use->listening && strchr(host, '@'))
        return reading_refuse(reading, "the source of a group is for --join SOURCE@GROUP");
    if (!v6 && !hostname_is_plain(host, length))
        return refuse_host(reading, host);
    if (v6 && address->family == AF_INET)
        return reading_refuse(reading, "an IPv6 address, where IPv4 is asked for");
    if (address->family == AF_INET6 && inet_pton(AF_INET, host, &ipv4) == 1)
        return reading_refuse(reading, "an IPv4 address, where IPv6 is asked for");
    return 0;
}

/* Reads [IPV6]:PORT, or [IPV6] as the first of two words. */
static int read_brackets(const struct address_reading *reading, const char *text)
{
    const char *end = strchr(text, ']');
    if (!end)
        return reading_refuse(reading, "the bracket is not closed");
    if (reading->port ? end[1] != '\0' : end[1] != ':')
        return reading_refuse(reading, end[1] == '%'
                                           ? "a zone stands within the brackets: [fe80::1%eth0]"
                                       : end[1] ? "something other than a port follows the bracket"
                                                : "the port is missing");
    if (read_host(reading, text + 1, (size_t)(end - text - 1)))
        return -1;
    if (!strchr(reading->address->host, ':'))
        return reading_refuse(reading, "the brackets hold no IPv6 address");
    return read_port(reading, reading->port ? reading->port : end + 2);
}

/* Refuses a word that has two ':' and more. */
static int refuse_colons(const struct address_reading *reading, const char *text)
{
    const char *rest = text + strspn(text, "0123456789abcdefABCDEF:.");
    if (!*rest || (*rest == '%' && strstr(text, "::")))
        return reading_refuse(reading, "an IPv6 address with a port is written [ADDRESS]:PORT");
    return reading_refuse(reading, reading->use->listening
                                       ? "more than one ':' (to forward: --to HOST:PORT)"
                                       : "more than one ':' (several ports are for connect "
                                         "--probe: HOST:22,80)");
}

/* Refuses a word after HOST:PORT, or after a HOST that has its ':' but no port. */
static int refuse_second_port(const struct address_reading *reading, const char *port)
{
    if (!*port)
        return reading_refuse(reading, "HOST PORT has no ':' between them");
    reading_refuse(reading, "the first word has a port already");
    return reading->use->listening || text_is_digits(reading->port, strlen(reading->port))
               ? -1
               : error_add(reading->err, " (what is sent is read from stdin, or given by --send)");
}

/* Says whether the text is five numbers: an IPv4 address, and what may be meant as its port. */
static bool is_dotted_port(const char *text)
{
    size_t dots = 0;
    for (const char *at = text; (at = strchr(at, '.')); at++)
        dots++;
    return dots == 4 && !text[strspn(text, "0123456789.")];
}

/* Reads PORT, HOST:PORT, [IPV6]:PORT, or HOST PORT. */
static int read_inet(const struct address_reading *reading, const char *text)
{
    const int asked = reading->use->family;
    struct address *address = reading->address;
    if (address->family != AF_UNSPEC && asked != AF_UNSPEC && address->family != asked)
        return reading_refuse(reading, asked == AF_INET ? "it asks for IPv6, and -4 for IPv4"
                                                        : "it asks for IPv4, and -6 for IPv6");
    if (address->family == AF_UNSPEC)
        address->family = asked;
    if (*text == '[')
        return read_brackets(reading, text);
    const char *colon = reading->port ? NULL : strchr(text, ':');
    if (!reading->port && !colon && strpbrk(text, ".*")) {
        reading_refuse(reading, "the port is missing");
        if (!hostname_add_socket_hint(text, reading->err) && is_dotted_port(text))
            error_add(reading->err, " (it stands after a ':', not a '.')");
        return -1;
    }
    if (!reading->port && !colon)
        return read_port(reading, text);
    if (colon && strchr(colon + 1, ':'))
        return refuse_colons(reading, text);
    const char *first = strchr(text, ':');
    if (reading->port && first && first > text && first == strrchr(text, ':'))
        return refuse_second_port(reading, first + 1);
    if (reading->port && !*text)
        return reading_refuse(reading, "the host is empty");
    if (read_host(reading, text, colon ? (size_t)(colon - text) : strlen(text)))
        return -1;
    return read_port(reading, colon ? colon + 1 : reading->port);
}

/* Reads CID:PORT; when listening, every CID: *:PORT, :PORT or PORT. */
static int read_vsock(const struct address_reading *reading, const char *text)
{
    enum { CID_DIGITS_MAX = 10 };
    char cid[CID_DIGITS_MAX + 1] = {0};
    int64_t cid_number = UINT32_MAX, port; /* VMADDR_CID_ANY; likewise no port */
    const char *colon = strchr(text, ':');
    size_t length = colon ? (size_t)(colon - text) : 0;
    bool any = reading->use->listening && (length == 0 || (length == 1 && *text == '*'));
    if (length < sizeof cid)
        memcpy(cid, text, length);
    if (!any && units_number(cid, 0, UINT32_MAX - 1, &cid_number))
        return reading_refuse(reading, "not vsock:CID:PORT, two numbers");
    if (units_number(colon ? colon + 1 : text, 0, UINT32_MAX - 1, &port))
        return reading_refuse(reading, "not vsock:CID:PORT, two numbers");
    reading->address->cid = (uint32_t)cid_number;
    reading->address->vsock_port = (uint32_t)port;
    return 0;
}

/* Raw sockets */

/* The IP protocols that are known without a list of them (protocols(5)), and the family that alone has them. */
static const struct protocol {
    char word[12];
    int number;
    int family;
} protocols[] = {
    {"icmp", IPPROTO_ICMP, AF_INET},      {"igmp", IPPROTO_IGMP, AF_INET},
    {"ipip", IPPROTO_IPIP, AF_UNSPEC},    {"tcp", IPPROTO_TCP, AF_UNSPEC},
    {"udp", IPPROTO_UDP, AF_UNSPEC},      {"ipv6", IPPROTO_IPV6, AF_UNSPEC},
    {"gre", IPPROTO_GRE, AF_UNSPEC},      {"esp", IPPROTO_ESP, AF_UNSPEC},
    {"ah", IPPROTO_AH, AF_UNSPEC},        {"ipv6-icmp", IPPROTO_ICMPV6, AF_INET6},
    {"icmpv6", IPPROTO_ICMPV6, AF_INET6}, {"ospf", 89, AF_UNSPEC},
    {"pim", IPPROTO_PIM, AF_UNSPEC},      {"vrrp", 112, AF_UNSPEC},
    {"sctp", IPPROTO_SCTP, AF_UNSPEC},    {"udplite", IPPROTO_UDPLITE, AF_UNSPEC},
};

/* Reads a protocol, by its number or its name. A name that is not known here is left to be looked up. */
static int read_protocol(const struct address_reading *reading, const char *text, size_t length)
{
    struct address *address = reading->address;
    char *word = address->port;
    int64_t number = -1;
    if (!length)
        return reading_refuse(reading, "the protocol is missing");
    for (size_t i = 0; i < length; i++)
        if (length > ADDRESS_PORT_MAX || !isgraph((unsigned char)text[i]))
            return reading_refuse(reading, "the protocol is neither a number nor the name of one");
    memcpy(word, text, length);
    word[length] = '\0';
    if (text_is_digits(word, length) && units_number(word, 0, UINT8_MAX, &number))
        return reading_refuse(reading, "the protocol is not from 1 to 255");
    if (number == 0)
        return reading_refuse(reading, "there is no raw socket for protocol 0");
    for (size_t i = 0; i < sizeof protocols / sizeof *protocols; i++)
        if (strcasecmp(word, protocols[i].word) == 0)
            number = protocols[i].number;
    address->protocol = (int)number;
    return 0;
}

/* Reads the host of a raw or ping socket, to the end of the word; an IPv6 address may stand in brackets. */
static int read_raw_host(const struct address_reading *reading, const char *text)
{
    const char *host = reading->address->host;
    const size_t length = strlen(text);
    const size_t has_brackets = *text == '[';
    if (has_brackets && text[length - 1] != ']')
        return reading_refuse(reading, strchr(text, ']') ? "something follows the bracket"
                                                         : "the bracket is not closed");
    if (read_host(reading, text + has_brackets, length - 2 * has_brackets))
        return -1;
    if (has_brackets && !strchr(host, ':'))
        return reading_refuse(reading, "the brackets hold no IPv6 address");
    return 0;
}

/* Returns the family of a raw or ping socket: that of a literal host; else the one that was asked for, or that alone
 * has the protocol. */
static int raw_family(const struct address *address)
{
    struct in_addr ipv4;
    if (strchr(address->host, ':'))
        return AF_INET6;
    if (inet_pton(AF_INET, address->host, &ipv4) == 1)
        return AF_INET;
    if (address->family != AF_UNSPEC)
        return address->family;
    for (size_t i = 0; i < sizeof protocols / sizeof *protocols; i++)
        if (address->protocol == protocols[i].number)
            return protocols[i].family;
    return AF_UNSPEC;
}

/* Reads PROTO:HOST; when listening, every host: PROTO. */
static int read_raw(const struct address_reading *reading, const char *text)
{
    struct address *address = reading->address;
    const bool listening = reading->use->listening;
    const char *colon = strchr(text, ':');
    address->family = reading->use->family;
    if (read_protocol(reading, text, colon ? (size_t)(colon - text) : strlen(text)))
        return -1;
    if (colon && !colon[1])
        return reading_refuse(reading, "the host is empty");
    if (colon && read_raw_host(reading, colon + 1))
        return -1;
    if (!*address->host && !listening)
        return reading_refuse(reading, "the host is missing: raw:PROTO:HOST");
    address->family = raw_family(address);
    return 0;
}

/* Reads HOST. A name is one of IPv4, where nothing else is asked for: the question that is sent is of one family. */
static int read_ping(const struct address_reading *reading, const char *text)
{
    struct address *address = reading->address;
    if (reading->use->listening)
        return reading_refuse(reading, "a ping socket hears answers alone (raw:icmp hears all)");
    address->family = reading->use->family;
    if (read_raw_host(reading, text))
        return -1;
    if (!*address->host)
        return reading_refuse(reading, "the host is missing: icmp:HOST");
    address->protocol = IPPROTO_ICMP;
    address->family = raw_family(address);
    if (address->family == AF_INET6)
        address->protocol = IPPROTO_ICMPV6;
    return 0;
}

/* Tells whether the word begins with SCHEME:// (RFC 3986, 3.1). A path that does is typed with unix: before it. */
static bool is_url(const char *word)
{
    static const char scheme[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-.";
    size_t length = strspn(word, scheme);
    return length && strncmp(word + length, "://", 3) == 0;
}

/* Tells whether the word is a range of hosts, as nmap(1) has them: 10.0.0.0/24, 10.0.0.1-20 or 10.0.0.*, with or without
 * a port. */
static bool is_range(const char *word)
{
    char host[INET_ADDRSTRLEN] = "";
    struct in_addr ignored;
    const size_t length = strcspn(word, "/-"), before_port = strcspn(word, ":");
    if (*word >= '0' && *word <= '9' && memchr(word, '*', before_port))
        return strspn(word, "0123456789.*-") == before_port;
    if (!word[length] || length >= sizeof host)
        return false;
    memcpy(host, word, length);
    const size_t digits = strspn(word + length + 1, "0123456789");
    return inet_pton(AF_INET, host, &ignored) == 1 && digits &&
           strchr(":", word[length + 1 + digits]);
}

/* Returns the prefix of a word. One without has an empty one, which follows from the options and its look. */
static struct prefix find_prefix(const char *word, const struct address_use *use)
{
    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++)
        if ((*word | 0x20) == *prefixes[i].word && /* else 80 KiB of libc are touched */
            strncasecmp(word, prefixes[i].word, strlen(prefixes[i].word)) == 0)
            return prefixes[i];
    if (use->unix_socket || (strchr(word, '/') && !is_url(word)))
        return (struct prefix){"", ADDRESS_UNIX, 0, AF_UNIX};
    return (struct prefix){"", ADDRESS_INET, 0, AF_UNSPEC};
}

/* Refuses a word that is something else than an address. */
static int refuse_look_alike(const struct address_reading *reading, const char *text,
                             bool may_be_url)
{
    if (!may_be_url && is_url(reading->word))
        return reading_refuse(reading, "this is a URL (http and https: sockctl http-get URL; an "
                                       "address has no //: tcp:HOST:PORT)");
    if (is_range(text))
        return reading_refuse(reading,
                              reading->use->listening
                                  ? "a range of hosts is no address (a list that --allow or --deny "
                                    "takes is one word: 10.0.0.0/8,::1)"
                                  : "a range of hosts is no address; for connect --probe the shell "
                                    "makes them: 10.0.0.{1..254}:22");
    const char *rest = text + strspn(text, "0123456789");
    if (rest > text && (strcmp(rest, "/tcp") == 0 || strcmp(rest, "/udp") == 0))
        return refuse_port(reading, text);
    return 0;
}

/* Reads the path of a UNIX socket, or what follows unix:, which `is_url` says was there. */
static int read_path(const struct address_reading *reading, const char *text, bool is_url)
{
    struct address *address = reading->address;
    const size_t length = strlen(text);
    if (is_url && text_starts_with(text, "//") && text[2] != '/')
        return reading_refuse(reading, "a path is written unix:PATH, or unix:///PATH");
    address->abstract = *text == '@';
    if (length == address->abstract)
        return reading_refuse(reading, "the path is missing");
    if (length - address->abstract > ADDRESS_PATH_MAX)
        return error_set(reading->err, STATUS_USAGE,
                         "address '%.100s%s': the path is %zu bytes, the limit is %zu",
                         reading->word, strlen(reading->word) > 100 ? "..." : "",
                         length - address->abstract, (size_t)ADDRESS_PATH_MAX);
    memcpy(address->path, text, length + 1);
    return 0;
}

int address_parse(struct address *address, const char *const *words, int count,
                  const struct address_use *use, struct error *err)
{
    const struct address_reading reading = {
        .address = address,
        .use = use,
        .word = words[0],
        .port = count > 1 ? words[1] : NULL,
        .err = err,
    };
    const struct prefix prefix = find_prefix(words[0], use);
    const int socktype = use->udp ? SOCK_DGRAM : SOCK_STREAM;
    *address = (struct address){.kind = prefix.kind,
                                .socktype = prefix.socktype ? prefix.socktype : socktype,
                                .family = prefix.family};
    /* unix:///run/x.sock is a path that begins with three slashes. */
    const char *text = words[0] + strlen(prefix.word);
    const bool is_kind = prefix.kind == ADDRESS_INET &&
                         *prefix.word; /* tcp://HOST:PORT, which others have */
    const bool has_slashes = is_kind && strncmp(text, "//", 2) == 0;
    if (has_slashes)
        text += 2;
    if (!use->unix_socket &&
        refuse_look_alike(&reading, text, has_slashes || prefix.kind == ADDRESS_UNIX))
        return -1;
    if (reading.port && prefix.kind != ADDRESS_INET)
        return reading_refuse(&reading, "this kind of address is one word");
    const size_t length = strlen(text);
    int64_t number;
    switch (prefix.kind) {
    case ADDRESS_UNIX:
        return read_path(&reading, text, *prefix.word != '\0');
    case ADDRESS_SYSTEMD: /* FileDescriptorName= of systemd.socket(5) */
        if (length > ADDRESS_PATH_MAX)
            return reading_refuse(&reading, "the name is too long");
        memcpy(address->path, text, length + 1);
        return 0;
    case ADDRESS_FD:
        if (units_number(text, 0, INT32_MAX, &number))
            return reading_refuse(&reading, "not fd:N, a number");
        address->fd = (int)number;
        return 0;
    case ADDRESS_VSOCK:
        return read_vsock(&reading, text);
    case ADDRESS_RAW:
        return prefix.socktype == SOCK_RAW ? read_raw(&reading, text) : read_ping(&reading, text);
    case ADDRESS_INET:
        break;
    }
    return read_inet(&reading, text);
}

void sockname_of_unix(struct sockname *name, const struct address *address)
{
    struct sockaddr_un sun = {.sun_family = AF_UNIX};
    size_t length = strlen(address->path);
    memcpy(sun.sun_path, address->path, length);
    /* An abstract name begins with a NUL and ends with the length; a path ends with a NUL. */
    if (address->abstract)
        sun.sun_path[0] = '\0';
    memset(name, 0, sizeof *name);
    memcpy(&name->storage, &sun, sizeof sun);
    name->length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length +
                               !address->abstract);
}

char *address_text(const struct address *address, bool listening, char *out)
{
    const char *host = *address->host ? address->host : listening ? "*" : "localhost";
    const bool brackets = strchr(host, ':') != NULL;
    switch (address->kind) {
    case ADDRESS_INET:
        snprintf(out, ADDRESS_TEXT_MAX, "%s%s%s:%s", brackets ? "[" : "", host, brackets ? "]" : "",
                 address->port);
        break;
    case ADDRESS_UNIX:
        snprintf(out, ADDRESS_TEXT_MAX, "unix:%s", address->path);
        break;
    case ADDRESS_VSOCK:
        snprintf(out, ADDRESS_TEXT_MAX, "vsock:%" PRIu32 ":%" PRIu32, address->cid,
                 address->vsock_port);
        break;
    case ADDRESS_RAW:
        host = address->host;
        snprintf(out, ADDRESS_TEXT_MAX, "%s%s%s%s%s%s",
                 address->socktype == SOCK_RAW ? "raw:" : "icmp", address->port, *host ? ":" : "",
                 brackets ? "[" : "", host, brackets ? "]" : "");
        break;
    case ADDRESS_FD:
        snprintf(out, ADDRESS_TEXT_MAX, "fd:%d", address->fd);
        break;
    case ADDRESS_SYSTEMD:
        snprintf(out, ADDRESS_TEXT_MAX, "systemd%s%s", *address->path ? ":" : "", address->path);
        break;
    }
    return out;
}

bool address_says(const struct address *address, bool listening, const struct sockname *name)
{
    char asked[ADDRESS_TEXT_MAX], text[SOCKNAME_TEXT_MAX];
    if (address->kind == ADDRESS_RAW)
        return !*address->host || strcmp(address->host, sockname_host(name, text)) == 0;
    return strcmp(address_text(address, listening, asked), sockname_text(name, text)) == 0;
}
