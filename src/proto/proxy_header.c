/*
 * Two forms of the same: a line of text (version 1) and a block of bytes (version 2). The first bytes say which it is.
 */
#include "proto/proxy_header.h"

#include <arpa/inet.h>
#include <string.h>

/* Version 1 is a line of text, version 2 is binary. */
static const char TEXT_START[] = "PROXY ";
static const char BINARY_START[] = "\r\n\r\n\0\r\nQUIT\n";

enum {
    TEXT_MAX = 107, /* bytes, with CR LF */
    START = sizeof BINARY_START - 1,
    FIXED = START + 4, /* then the addresses */
    LOCAL = 0x20,      /* version and command */
    PROXY = 0x21,
    STREAM = 1, /* and the family in the upper half */
    DATAGRAM = 2
};

static const struct {
    enum proxy_family family;
    size_t address_length;
    bool has_port;
} families[] = {
    {PROXY_UNKNOWN, 0, false},
    {PROXY_IPV4, 4, true},
    {PROXY_IPV6, 16, true},
    {PROXY_UNIX, PROXY_PATH_MAX, false},
};
enum { FAMILIES = sizeof families / sizeof *families };

static bool starts_as(const char *start, size_t start_length, const char *bytes, size_t length)
{
    return memcmp(bytes, start, length < start_length ? length : start_length) == 0;
}

/* Version 2 */

static unsigned byte_at(const char *bytes, size_t at)
{
    return (unsigned char)bytes[at];
}

static unsigned short_at(const char *bytes, size_t at)
{
    return byte_at(bytes, at) << 8 | byte_at(bytes, at + 1);
}

static size_t block_length(size_t family)
{
    return 2 * families[family].address_length + (families[family].has_port ? 4 : 0);
}

static void read_block(const char *block, size_t family, struct proxy_header *header)
{
    size_t length = families[family].address_length;
    header->family = families[family].family;
    memcpy(header->source.address, block, length);
    memcpy(header->destination.address, block + length, length);
    if (!families[family].has_port)
        return;
    header->source.port = short_at(block, 2 * length);
    header->destination.port = short_at(block, 2 * length + 2);
}

static const char *read_binary(const char *bytes, size_t length, struct proxy_header *header,
                               size_t *size)
{
    if (length < FIXED)
        return NULL;
    unsigned command = byte_at(bytes, START);
    size_t family = byte_at(bytes, START + 1) >> 4;
    unsigned transport = byte_at(bytes, START + 1) & 15;
    size_t rest = short_at(bytes, START + 2);
    if (command != LOCAL && command != PROXY)
        return "its version or command is unknown";
    if (command == LOCAL)
        family = PROXY_UNKNOWN;
    else if (family >= FAMILIES || transport > DATAGRAM)
        return "its address family or transport is unknown";
    if (rest < block_length(family))
        return "it is too short for its addresses";
    if (length < FIXED + block_length(family))
        return NULL;
    header->datagram = transport == DATAGRAM;
    /* Without a transport the addresses are to be ignored. */
    read_block(bytes + FIXED, transport ? family : PROXY_UNKNOWN, header);
    *size = FIXED + rest;
    return NULL;
}

size_t proxy_header_write(const struct proxy_header *header, char *out)
{
    size_t family = header->family;
    size_t length = families[family].address_length;
    size_t block = block_length(family);
    unsigned transport = family ? header->datagram ? DATAGRAM : STREAM : 0;
    memcpy(out, BINARY_START, START);
    out[START] = family ? PROXY : LOCAL;
    out[START + 1] = (char)(family << 4 | transport);
    out[START + 2] = 0;
    out[START + 3] = (char)block;
    char *at = out + FIXED;
    memcpy(at, header->source.address, length);
    memcpy(at + length, header->destination.address, length);
    if (families[family].has_port) {
        at += 2 * length;
        at[0] = (char)(header->source.port >> 8);
        at[1] = (char)header->source.port;
        at[2] = (char)(header->destination.port >> 8);
        at[3] = (char)header->destination.port;
    }
    return FIXED + block;
}

/* Version 1 */

/* The word at *text, up to the next space or the end, as a string; *text goes past the space. */
static bool take_word(char **text, char **word)
{
    if (!*text)
        return false;
    *word = *text;
    char *space = strchr(*text, ' ');
    if (space)
        *space++ = '\0';
    *text = space;
    return true;
}

static bool read_port(const char *word, unsigned *port)
{
    *port = 0;
    if (!*word || (*word == '0' && word[1]))
        return false;
    for (; *word; word++) {
        if (*word < '0' || *word > '9')
            return false;
        *port = *port * 10 + (unsigned)(*word - '0');
        if (*port > 65535)
            return false;
    }
    return true;
}

static bool read_words(char *text, int family, struct proxy_header *header)
{
    char *source, *destination, *source_port, *destination_port;
    return take_word(&text, &source) && take_word(&text, &destination) &&
           take_word(&text, &source_port) && take_word(&text, &destination_port) && !text &&
           inet_pton(family, source, header->source.address) == 1 &&
           inet_pton(family, destination, header->destination.address) == 1 &&
           read_port(source_port, &header->source.port) &&
           read_port(destination_port, &header->destination.port);
}

/* `line` is what follows "PROXY ", without CR LF. */
static const char *read_line(char *line, struct proxy_header *header)
{
    char *protocol;
    bool good = false;
    take_word(&line, &protocol);
    if (strcmp(protocol, "UNKNOWN") == 0)
        return NULL;
    if (strcmp(protocol, "TCP4") == 0 && line)
        good = read_words(line, AF_INET, header);
    else if (strcmp(protocol, "TCP6") == 0 && line)
        good = read_words(line, AF_INET6, header);
    header->family = strcmp(protocol, "TCP4") == 0 ? PROXY_IPV4 : PROXY_IPV6;
    return good ? NULL : "its line is malformed";
}

static const char *read_text(const char *bytes, size_t length, struct proxy_header *header,
                             size_t *size)
{
    char line[TEXT_MAX];
    const char *end = memchr(bytes, '\n', length < TEXT_MAX ? length : TEXT_MAX);
    if (!end)
        return length < TEXT_MAX ? NULL : "its line is too long";
    size_t used = (size_t)(end - bytes) + 1;
    size_t start = sizeof TEXT_START - 1;
    if (used < start + 2 || end[-1] != '\r' || memchr(bytes, '\0', used))
        return "its line is malformed";
    memcpy(line, bytes + start, used - start - 2);
    line[used - start - 2] = '\0';
    *size = used;
    return read_line(line, header);
}

const char *proxy_header_read(const char *bytes, size_t length, struct proxy_header *header,
                              size_t *size)
{
    *header = (struct proxy_header){0};
    *size = 0;
    if (starts_as(BINARY_START, START, bytes, length))
        return read_binary(bytes, length, header, size);
    if (starts_as(TEXT_START, sizeof TEXT_START - 1, bytes, length))
        return read_text(bytes, length, header, size);
    return "there is none";
}
