/*
 * A list of ports: "22,80,8000-8100".
 */
#ifndef PROTO_PORTS_H
#define PROTO_PORTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ports {
    uint16_t *numbers; /* the owner's: free() */
    size_t count;
};

/* Says whether the text is a list or a range, rather than one port: then address_parse does not take it. */
bool ports_is_list(const char *text);

/* Reads the ports in the order in which they are written. Returns NULL, or what is wrong with the list, as words that
 * follow it; *ports is then empty. */
const char *ports_parse(struct ports *ports, const char *text);

#endif
