/*
 * Networks, and sets of them.
 *
 * A network is a string of bits of which the first ones count. A set is sorted, and a network that is in another of it
 * is left out (networks_settle): then one binary search finds the only network that can have an address.
 */
#include "net/network.h"

#include <net/if.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/units.h"
#include "net/hostname.h"

enum {
    ZONE_AT = 1,
    ADDRESS_AT = 5,
    IPV4_BITS = 32,
    IPV6_BITS = 128,
    MAPPED_BITS = 96, /* of ::ffff:0:0/96 (RFC 4291, section 2.5.5.2) */
    TEXT_MAX = INET6_ADDRSTRLEN + IF_NAMESIZE + sizeof "%/128"
};

static const char not_network[] = "is not a numeric address or network (10.0.0.0/8, ::1)";

/* One network */

bool network_of(struct network *network, const struct sockname *name)
{
    const struct sockaddr_in6 *ipv6 = (const void *)&name->storage;
    size_t length;
    const unsigned char *address = sockname_inet(name, &length);
    if (!address)
        return false;
    *network = (struct network){.bytes = {length == 4 ? 4 : 6},
                                .bits = (unsigned char)(8 * (ADDRESS_AT + length))};
    memcpy(network->bytes + ADDRESS_AT, address, length);
    if (length > 4)
        memcpy(network->bytes + ZONE_AT, &ipv6->sin6_scope_id, sizeof ipv6->sin6_scope_id);
    return true;
}

/* Makes the first `bits` of it count. */
static void network_cut(struct network *network, unsigned bits)
{
    network->bits = (unsigned char)bits;
    for (unsigned i = 0; i < NETWORK_BYTES; i++) {
        unsigned kept = bits > 8 * i ? bits - 8 * i : 0;
        if (kept < 8)
            network->bytes[i] &= (unsigned char)(0xff00 >> kept);
    }
}

const char *network_parse(struct network *network, const char *text)
{
    char host[TEXT_MAX];
    struct sockname name;
    struct error ignored;
    const size_t length = strcspn(text, "/");
    int64_t bits;
    if (length >= sizeof host)
        return not_network;
    memcpy(host, text, length);
    host[length] = '\0';
    int read = hostname_read_literal(host, &name, &ignored);
    if (read < 0)
        return "names an interface that this machine does not have";
    if (read == 0 || !network_of(network, &name))
        return not_network;
    if (!text[length])
        return NULL;
    /* A mapped address is written with the bits of the IPv6 address; 08 is what some take for octal. */
    const char *count = text + length + 1;
    const bool is_ipv4 = name.storage.ss_family == AF_INET;
    const int mapped_bits = !is_ipv4 && network->bytes[0] == 4 ? MAPPED_BITS : 0;
    if ((*count == '0' && count[1]) ||
        units_number(count, 0, is_ipv4 ? IPV4_BITS : IPV6_BITS, &bits) || bits < mapped_bits)
        return is_ipv4 ? "does not end in a number of bits (0 to 32)"
                       : "does not end in a number of bits (0 to 128)";
    network_cut(network, 8 * ADDRESS_AT + (unsigned)(bits - mapped_bits));
    return NULL;
}

/* Sets */

void networks_add(struct networks *networks, const struct network *network)
{
    if (networks->count == networks->room) {
        networks->room = networks->room ? 2 * networks->room : 8;
        networks->items = memory_grow(networks->items, networks->room, sizeof *networks->items);
    }
    networks->items[networks->count++] = *network;
}

/* Sorts by address; of two that begin alike, the larger network comes first. */
static int compare_networks(const void *one, const void *other)
{
    return memcmp(one, other, sizeof(struct network));
}

static bool network_has(const struct network *network, const struct network *other)
{
    struct network same = *other;
    if (other->bits < network->bits)
        return false;
    network_cut(&same, network->bits);
    return memcmp(&same, network, sizeof same) == 0;
}

/* Sorts the set, and leaves out what another network of it has already: then at most one can have an address, and it is
 * the last that does not begin after it. */
void networks_settle(struct networks *networks)
{
    size_t kept = 0;
    if (networks->count)
        qsort(networks->items, networks->count, sizeof *networks->items, compare_networks);
    for (size_t i = 0; i < networks->count; i++)
        if (!kept || !network_has(&networks->items[kept - 1], &networks->items[i]))
            networks->items[kept++] = networks->items[i];
    networks->count = kept;
}

static bool networks_find(const struct networks *networks, const struct network *address)
{
    size_t from = 0, to = networks->count;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        if (compare_networks(&networks->items[middle], address) <= 0)
            from = middle + 1;
        else
            to = middle;
    }
    return from && network_has(&networks->items[from - 1], address);
}

bool networks_have(const struct networks *networks, const struct network *address)
{
    static const unsigned char none[ADDRESS_AT - ZONE_AT];
    struct network unzoned = *address;
    memcpy(unzoned.bytes + ZONE_AT, none, sizeof none);
    return networks_find(networks, &unzoned) || networks_find(networks, address);
}

void networks_release(struct networks *networks)
{
    free(networks->items);
    *networks = (struct networks){0};
}
