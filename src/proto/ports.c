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

/* Reads a port and moves on to what follows it. 0: there is none. */
static unsigned read_port(const char **at)
{
    size_t length = strspn(*at, "0123456789");
    unsigned long number = length && length <= DIGITS_MAX ? strtoul(*at, NULL, 10) : 0;
    *at += length;
    return number <= UINT16_MAX ? (unsigned)number : 0;
}

/* Adds the item at *at, a port or a range, which moves on behind it. */
static const char *read_item(struct ports *ports, const char **at)
{
    unsigned first = read_port(at), last = first;
    if (**at == '-') {
        (*at)++;
        last = read_port(at);
    }
    if (!first || !last || (**at && **at != ','))
        return "is not a list of ports (22,80,8000-8100)";
    if (first > last)
        return "has a range that runs backwards";
    const size_t count = ports->count + last - first + 1;
    if (count > PORTS_MAX)
        return "has too many ports";
    ports->numbers = memory_grow(ports->numbers, count, sizeof *ports->numbers);
    while (ports->count < count)
        ports->numbers[ports->count++] = (uint16_t)first++;
    return NULL;
}

const char *ports_parse(struct ports *ports, const char *text)
{
    const char *wrong;
    *ports = (struct ports){0};
    do {
        wrong = read_item(ports, &text);
    } while (!wrong && *text++);
    if (wrong) {
        free(ports->numbers);
        *ports = (struct ports){0};
    }
    return wrong;
}
