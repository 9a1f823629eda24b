/*
 * The list is "*", for all hosts, or is taken entry by entry: a name covers itself and the hosts below it, an
 * address, perhaps with the length of its prefix, covers addresses.
 */
#include "proto/no_proxy.h"

#include <arpa/inet.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "proto/idna.h"

enum { ENTRY_MAX = 255 };

/* Says whether the host is the one named or is below it. */
static bool covers_name(const char *entry, const char *host)
{
    size_t entry_length = strlen(entry), host_length = strlen(host);
    if (host_length && host[host_length - 1] == '.')
        host_length--;
    if (entry_length && entry[entry_length - 1] == '.')
        entry_length--;
    if (!entry_length || entry_length > host_length)
        return false;
    const char *tail = host + host_length - entry_length;
    return strncasecmp(tail, entry, entry_length) == 0 && (tail == host || tail[-1] == '.');
}

/* Says whether the address of the family is in the network, or is the address, `entry`, which is changed. */
static bool covers_address(char *entry, int family, const unsigned char *address)
{
    unsigned char network[sizeof(struct in6_addr)];
    const unsigned max_bits = family == AF_INET ? 32 : 128;
    uint64_t bits = max_bits;
    char *slash = strchr(entry, '/');
    if (slash) {
        *slash++ = '\0';
        if (strlen(slash) > 3 || !text_number(slash, strlen(slash), &bits))
            return false;
    }
    if (bits > max_bits || inet_pton(family, entry, network) != 1)
        return false;
    const size_t whole = (size_t)bits / 8, rest = (size_t)bits % 8;
    if (memcmp(network, address, whole) != 0)
        return false;
    return !rest || (network[whole] ^ address[whole]) >> (8 - rest) == 0;
}

static bool entry_covers(char *entry, const char *host)
{
    unsigned char address[sizeof(struct in6_addr)];
    size_t length = strlen(entry);
    if (*entry == '[' && entry[length - 1] == ']') {
        entry[length - 1] = '\0';
        entry++;
    }
    if (inet_pton(AF_INET, host, address) == 1)
        return covers_address(entry, AF_INET, address);
    if (inet_pton(AF_INET6, host, address) == 1)
        return covers_address(entry, AF_INET6, address);
    if (*entry == '.')
        entry++;
    if (!idna_is_ascii(entry)) {
        char encoded[IDNA_NAME_MAX + 1];
        return !idna_encode(entry, encoded) && covers_name(encoded, host);
    }
    return covers_name(entry, host);
}

bool no_proxy_covers(const char *list, const char *host)
{
    static const char separators[] = ", \t";
    char entry[ENTRY_MAX + 1];
    if (strcmp(list, "*") == 0)
        return true;
    while (*(list += strspn(list, separators))) {
        size_t length = strcspn(list, separators);
        if (length <= ENTRY_MAX) {
            memcpy(entry, list, length);
            entry[length] = '\0';
            if (entry_covers(entry, host))
                return true;
        }
        list += length;
    }
    return false;
}
