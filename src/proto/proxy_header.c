/*
 * Two forms of the same: a line of text (version 1) and a block of bytes (version 2). The first bytes say which it is.
 */
#include "proto/proxy_header.h"

#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

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

/* Version 2 */

static unsigned short_at(const char *bytes, size_t at)
{
    return (unsigned)(unsigned char)bytes[at] << 8 | (unsigned char)bytes[at + 1];
}

static size_t block_length(size_t family)
{
    return 2 * families[family].address_length + (families[family].has_port ? 4 : 0);
}

static const char *read_binary(const char *bytes, size_t length, struct proxy_header *header,
                               size_t *size)
{
    if (length < FIXED)
        return NULL;
    const char *block = bytes + FIXED;
    unsigned command = (unsigned char)bytes[START];
    size_t family = (unsigned char)bytes[START + 1] >> 4;
    unsigned transport = bytes[START + 1] & 15;
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
    *size = FIXED + rest;
    if (!transport)
        return NULL; /* the addresses are to be ignored */
    const size_t address = families[family].address_length;
    header->family = families[family].family;
    memcpy(header->source.address, block, address);
    memcpy(header->destination.address, block + address, address);
    if (families[family].has_port) {
        header->source.port = short_at(block, 2 * address);
        header->destination.port = short_at(block, 2 * address + 2);
    }
    return NULL;
}

static size_t write_binary(const struct proxy_header *header, char *out)
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

/* Takes the word at *text, up to the next space or the end, as a string; *text goes past the space. False: *text is NULL,
 * for there was no space behind the word before. */
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
    uint64_t number;
    if ((*word == '0' && word[1]) || !text_number(word, strlen(word), &number) || number > 65535)
        return false;
    *port = (unsigned)number;
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

static const char *read_text(const char *bytes, size_t length, struct proxy_header *header,
                             size_t *size)
{
    char line[TEXT_MAX], *words = line, *protocol;
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
    take_word(&words, &protocol);
    if (strcmp(protocol, "UNKNOWN") == 0)
        return NULL;
    const bool is_ipv4 = strcmp(protocol, "TCP4") == 0;
    if (!is_ipv4 && strcmp(protocol, "TCP6") != 0)
        return "its line is malformed";
    header->family = is_ipv4 ? PROXY_IPV4 : PROXY_IPV6;
    return read_words(words, is_ipv4 ? AF_INET : AF_INET6, header) ? NULL : "its line is malformed";
}

static size_t write_text(const struct proxy_header *header, char *out)
{
    char source[INET6_ADDRSTRLEN], destination[INET6_ADDRSTRLEN];
    const bool is_ipv4 = header->family == PROXY_IPV4;
    const int family = is_ipv4 ? AF_INET : AF_INET6;
    if (header->datagram || (!is_ipv4 && header->family != PROXY_IPV6) ||
        !inet_ntop(family, header->source.address, source, sizeof source) ||
        !inet_ntop(family, header->destination.address, destination, sizeof destination))
        return (size_t)(stpcpy(out, "PROXY UNKNOWN\r\n") - out);
    return (size_t)snprintf(out, PROXY_HEADER_MAX, "PROXY TCP%c %s %s %u %u\r\n",
                            is_ipv4 ? '4' : '6', source, destination, header->source.port,
                            header->destination.port);
}

/* Both */

size_t proxy_header_write(const struct proxy_header *header, int version, char *out)
{
    return version == 1 ? write_text(header, out) : write_binary(header, out);
}

const char *proxy_header_read(const char *bytes, size_t length, struct proxy_header *header,
                              size_t *size)
{
    *header = (struct proxy_header){0};
    *size = 0;
    if (memcmp(bytes, BINARY_START, length < START ? length : START) == 0)
        return read_binary(bytes, length, header, size);
    const size_t text = sizeof TEXT_START - 1;
    if (memcmp(bytes, TEXT_START, length < text ? length : text) == 0)
        return read_text(bytes, length, header, size);
    return "there is none";
}
