/*
 * RFC 6724 for those who ask why one address is better than another: getaddrinfo(3) sorts, and gives no reasons.
 */
#include "net/address_order.h"

#include <netinet/in.h>
#include <string.h>

#include "sys/sock.h"

/* Returns the IPv6 address of a name; IPv4 addresses are mapped. */
static struct in6_addr ipv6_of(const struct sockname *name)
{
    struct in6_addr address = {.s6_addr = {[10] = 0xff, [11] = 0xff}};
    size_t length;
    const unsigned char *bytes = sockname_inet(name, &length);
    if (bytes)
        memcpy(&address.s6_addr[sizeof address - length], bytes, length);
    return address;
}

static unsigned common_bits(const struct in6_addr *one, const struct in6_addr *other, unsigned max)
{
    unsigned bits = 0;
    while (bits < max &&
           !((one->s6_addr[bits / 8] ^ other->s6_addr[bits / 8]) & (0x80U >> bits % 8)))
        bits++;
    return bits;
}

/* Looks the address up in the table of policies (section 2.1). */
static void find_policy(const struct in6_addr *address, unsigned *precedence, unsigned *label)
{
    static const struct {
        struct in6_addr prefix;
        unsigned char length, precedence, label;
    } table[] = {
        {{.s6_addr = {[15] = 1}}, 128, 50, 0},
        {{.s6_addr = {[10] = 0xff, [11] = 0xff}}, 96, 35, 4},
        {{.s6_addr = {0}}, 96, 1, 3},
        {{.s6_addr = {0x20, 0x01}}, 32, 5, 5},
        {{.s6_addr = {0x20, 0x02}}, 16, 30, 2},
        {{.s6_addr = {0x3f, 0xfe}}, 16, 1, 12},
        {{.s6_addr = {0xfe, 0xc0}}, 10, 1, 11},
        {{.s6_addr = {0xfc}}, 7, 3, 13},
        {{.s6_addr = {0}}, 0, 40, 1},
    };
    size_t i = 0;
    while (common_bits(address, &table[i].prefix, table[i].length) < table[i].length)
        i++;
    *precedence = table[i].precedence;
    *label = table[i].label;
}

/* Returns the scope (sections 3.1 and 3.2). */
static unsigned scope_of(const struct in6_addr *address)
{
    const unsigned char *bytes = address->s6_addr;
    if (IN6_IS_ADDR_MULTICAST(address))
        return bytes[1] & 15;
    if (IN6_IS_ADDR_V4MAPPED(address))
        return bytes[12] == 127 || (bytes[12] == 169 && bytes[13] == 254) ? 2 : 14;
    if (IN6_IS_ADDR_LINKLOCAL(address) || IN6_IS_ADDR_LOOPBACK(address))
        return 2;
    return IN6_IS_ADDR_SITELOCAL(address) ? 5 : 14;
}

void address_order_find(struct address_order *order, const struct sockname *address)
{
    struct in6_addr destination = ipv6_of(address), source;
    struct sockname to = *address;
    unsigned ignored;
    *order = (struct address_order){.scope = scope_of(&destination)};
    find_policy(&destination, &order->precedence, &order->label);
    sockname_set_port(&to, 53); /* any will do: a UDP socket that is connected has sent nothing */
    int fd = sock_open(address->storage.ss_family, SOCK_DGRAM, 0);
    order->reachable = fd >= 0 && !sock_connect(fd, &to) && !sock_name(fd, &order->source);
    if (fd >= 0)
        sock_close(fd);
    if (!order->reachable)
        return;
    sockname_set_port(&order->source, 0);
    source = ipv6_of(&order->source);
    order->source_scope = scope_of(&source);
    find_policy(&source, &ignored, &order->source_label);
    if (address->storage.ss_family == AF_INET6)
        order->common = common_bits(&destination, &source, 64);
}

const char *address_order_rule(const struct address_order *one, const struct address_order *other)
{
    const struct {
        int better; /* positive: the first is better */
        const char *rule;
    } rules[] = {
        {one->reachable - other->reachable, "rule 1 (it can be reached)"},
        {(one->scope == one->source_scope) - (other->scope == other->source_scope),
         "rule 2 (its source has the same scope)"},
        {(one->label == one->source_label) - (other->label == other->source_label),
         "rule 5 (its source has the same label)"},
        {(int)one->precedence - (int)other->precedence, "rule 6 (higher precedence)"},
        {(int)other->scope - (int)one->scope, "rule 8 (smaller scope)"},
        {(int)one->common - (int)other->common, "rule 9 (more bits in common with its source)"},
    };
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
        if (rules[i].better)
            return rules[i].better > 0 ? rules[i].rule : NULL;
    return "rule 10 (nothing tells them apart)";
}
