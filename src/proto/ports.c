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

/* Reads a port and moves on to what follows it. 0: there is none, or it is no port; *wrong is set where it is a number. */
static unsigned read_port(const char **at, const char **wrong)
{
    size_t length = strspn(*at, "0123456789");
    unsigned long number = length && length <= DIGITS_MAX ? strtoul(*at, NULL, 10) : 0;
    *at += length;
    if (length && (number == 0 || number > UINT16_MAX))
        *wrong = "has a port that is not from 1 to 65535";
    return *wrong ? 0 : (unsigned)number;
}

const char *ports_parse(struct ports *ports, const char *text)
{
    const char *wrong = NULL;
    *ports = (struct ports){0};
    do {
        unsigned first = read_port(&text, &wrong), last = first;
        if (*text == '-') {
            text++;
            last = read_port(&text, &wrong);
        }
        const size_t count = ports->count + last - first + 1;
        if (wrong)
            break;
        if (!first || !last || (*text && *text != ','))
            wrong = "is not a list of ports (22,80,8000-8100)";
        else if (first > last)
            wrong = "has a range that runs backwards";
        else if (count > PORTS_MAX)
            wrong = "has too many ports";
        if (wrong)
            break;
        ports->numbers = memory_grow(ports->numbers, count, sizeof *ports->numbers);
        while (ports->count < count)
            ports->numbers[ports->count++] = (uint16_t)first++;
    } while (*text++);
    if (wrong) {
        free(ports->numbers);
        *ports = (struct ports){0};
    }
    return wrong;
}
