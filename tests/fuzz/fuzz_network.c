/*
 * A list of networks, one a line, and last an address: the address of a network is in it, and a set
 * finds what a look at each of its networks finds.
 */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "net/network.h"

enum { MAX_ITEMS = 32 };

static void require(int truth)
{
    if (!truth)
        abort();
}

static int has(struct network *network, const struct network *address)
{
    const struct networks single = {.items = network, .count = 1};
    return networks_have(&single, address);
}

static void look_up(struct network *list, size_t count)
{
    struct network address = list[count - 1];
    struct networks networks = {.items = NULL};
    int found = 0;
    address.bits = 8 * NETWORK_BYTES;
    for (size_t i = 0; i < count; i++) {
        networks_add(&networks, &list[i]);
        found |= has(&list[i], &address);
    }
    networks_settle(&networks);
    require(networks.count <= count && has(&list[count - 1], &address));
    require(found == networks_have(&networks, &address));
    networks_release(&networks);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct network list[MAX_ITEMS];
    size_t count = 0;
    char *text = calloc(size + 1, 1), *rest = text, *line;
    require(text != NULL);
    if (size)
        memcpy(text, data, size);
    while (count < MAX_ITEMS && (line = strsep(&rest, "\n"))) {
        const char *wrong = network_parse(&list[count], line);
        require(!wrong || (*wrong && strlen(wrong) < 100));
        require(wrong || (list[count].bits >= 40 && list[count].bits <= 8 * NETWORK_BYTES));
        count += !wrong;
    }
    if (count)
        look_up(list, count);
    free(text);
    return 0;
}
