/*
 * Item by item: a port, or a first and a last one, in the order of the list. Nothing is left of a list that is wrong.
 */
#include "proto/ports.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum { PORTS_MAX = 1 << 18, DIGITS_MAX = 5 };

bool ports_is_list(const char *text)
{
    size_t length = strspn(text, "0123456789,-");
    return length > 0 && !text[length] && strpbrk(text, ",-");
}

/* 0: there is none. Moves on to what follows it. */
static unsigned read_port(const char **at)
{
    size_t length = strspn(*at, "0123456789");
    unsigned long number = length && length <= DIGITS_MAX ? strtoul(*at, NULL, 10) : 0;
    *at += length;
    return number <= UINT16_MAX ? (unsigned)number : 0;
}

static const char *add_ports(struct ports *ports, unsigned first, unsigned last)
{
    size_t more = last - first + 1;
    if (ports->count + more > PORTS_MAX)
        return "has too many ports";
    ports->numbers = memory_grow(ports->numbers, ports->count + more, sizeof *ports->numbers);
    for (unsigned port = first; port <= last; port++)
        ports->numbers[ports->count++] = (uint16_t)port;
    return NULL;
}

static const char *read_part(struct ports *ports, const char **at)
{
    unsigned first = read_port(at), last = first;
    if (**at == '-') {
        (*at)++;
        last = read_port(at);
    }
    if (!first || !last || (**at && **at != ','))
        return "is not a list of ports (22,80,8000-8100)";
    return first > last ? "has a range that runs backwards" : add_ports(ports, first, last);
}

const char *ports_parse(struct ports *ports, const char *text)
{
    const char *wrong;
    *ports = (struct ports){0};
    do {
        wrong = read_part(ports, &text);
    } while (!wrong && *text++);
    if (wrong) {
        free(ports->numbers);
        *ports = (struct ports){0};
    }
    return wrong;
}
