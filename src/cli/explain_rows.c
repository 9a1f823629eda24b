/*
 * See explain_rows.h. All is written into one block, in the order of the rows. A sentence is broken between words at the
 * width of the terminal; bytes and addresses have a row for each field.
 */
#include "cli/explain_rows.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "cli/colour.h"
#include "cli/sentences.h"
#include "sys/sock.h"
#include "sys/sockname.h"
#include "sys/trace.h"

enum {
    MARGIN = 9,  /* the columns of "sockctl: " */
    COLUMNS = 80 /* and what a line may have of them */
};

/* Rows */

static void put(struct explain_rows *rows, const char *text, size_t length)
{
    if (length > EXPLAIN_BLOCK_MAX - rows->length)
        length = EXPLAIN_BLOCK_MAX - rows->length;
    memcpy(rows->block + rows->length, text, length);
    rows->length += length;
}

void rows_put(struct explain_rows *rows, const char *text)
{
    put(rows, text, strlen(text));
}

/* Puts UTF-8, or the ASCII that comes nearest. */
static void rows_put_utf8(struct explain_rows *rows, const char *text, size_t length)
{
    static const char marks[][2][4] = {{"→", "->"}, {"←", "<-"}, {"│", "|"}, {"á", "a"},
                                       {"é", "e"},  {"í", "i"},  {"ó", "o"}, {"ú", "u"},
                                       {"ü", "u"},  {"ñ", "n"},  {"¿", "?"}, {"¡", "!"}};
    if (!rows->is_ascii) {
        put(rows, text, length);
        return;
    }
    for (size_t at = 0; at < length;) {
        uint32_t point;
        const size_t bytes = text_code_point(text + at, length - at, &point);
        const char *ascii = point < 0x80 ? NULL : "?";
        for (size_t i = 0; ascii && i < sizeof marks / sizeof *marks; i++)
            if (strlen(marks[i][0]) == bytes && memcmp(marks[i][0], text + at, bytes) == 0)
                ascii = marks[i][1];
        put(rows, ascii ? ascii : text + at, ascii ? strlen(ascii) : 1);
        at += bytes ? bytes : 1;
    }
}

void rows_begin(struct explain_rows *rows)
{
    static const char margin[MARGIN + 1] = "         ";
    rows_put(rows, colour_begin(rows->has_colour, COLOUR_HINT));
    rows_put(rows, margin);
    rows_put_utf8(rows, "│ ", strlen("│ "));
}

void rows_end(struct explain_rows *rows)
{
    rows_put(rows, colour_end(rows->has_colour));
    rows_put(rows, "\n");
}

/* Returns the columns that UTF-8 takes. */
static size_t count_columns(const char *text, size_t length)
{
    size_t columns = 0;
    for (size_t i = 0; i < length; i++)
        columns += ((unsigned char)text[i] & 0xc0) != 0x80;
    return columns;
}

void rows_put_wrapped(struct explain_rows *rows, const char *text)
{
    const unsigned columns = log_columns();
    const size_t whole = columns && columns < COLUMNS ? columns : COLUMNS;
    const size_t room = whole > 2 * MARGIN + 22 ? whole - MARGIN - 2 : 20;
    while (*text) {
        size_t end = 0, at = 0;
        while (text[at]) {
            const size_t word = at + strcspn(text + at, " ");
            if (end && count_columns(text, word) > room)
                break;
            end = word;
            at = word + (text[word] == ' ');
        }
        rows_begin(rows);
        rows_put_utf8(rows, text, end);
        rows_end(rows);
        text += end + (text[end] == ' ');
    }
}

/* Writes the sentence with its arguments, of which bytes that are not printable ASCII are escaped. */
static void fill_in(const char *sentence, va_list args, char *out, size_t room)
{
    enum { ARGS_MAX = 4, ARG_MAX = 200 };
    char values[ARGS_MAX][ARG_MAX];
    int count = 0;
    char *const end = out + room - ARG_MAX - 1;
    for (const char *at = strchr(sentence, '%'); at; at = strchr(at + 1, '%'))
        count = at[1] - '0' > count && at[1] <= '4' ? at[1] - '0' : count;
    for (int i = 0; i < count; i++) {
        const char *value = va_arg(args, const char *);
        values[i][text_escape(values[i], ARG_MAX - 1, value, strlen(value))] = '\0';
    }
    for (; *sentence && out < end; sentence++) {
        if (*sentence == '%' && sentence[1] > '0' && sentence[1] <= '0' + count)
            out = stpcpy(out, values[*++sentence - '1']);
        else
            *out++ = *sentence;
    }
    *out = '\0';
}

void rows_say(struct explain_rows *rows, enum sentence sentence, ...)
{
    char text[2048];
    va_list args;
    if (rows->said[sentence])
        return;
    rows->said[sentence] = true;
    va_start(args, sentence);
    fill_in(sentence_text(sentence, rows->language), args, text, sizeof text);
    va_end(args);
    rows_put_wrapped(rows, text);
}

/* Writes the sentence into `out`, which holds EXPLAIN_PHRASE_MAX bytes, and returns it. */
const char *rows_phrase(const struct explain_rows *rows, char *out, enum sentence sentence, ...)
{
    va_list args;
    va_start(args, sentence);
    fill_in(sentence_text(sentence, rows->language), args, out, EXPLAIN_PHRASE_MAX);
    va_end(args);
    return out;
}

const char *rows_number(char *out, long number)
{
    snprintf(out, 24, "%ld", number);
    return out;
}

void rows_put_arrow(struct explain_rows *rows, const char *packet, size_t length)
{
    const bool is_sent = *packet == '>';
    rows_put(rows, "  ");
    rows_put(rows, colour_end(rows->has_colour));
    rows_put(rows, colour_begin(rows->has_colour, is_sent ? COLOUR_SENT : COLOUR_RECEIVED));
    if (!is_sent)
        rows_put_utf8(rows, "← ", strlen("← "));
    put(rows, packet + 1, length - 1);
    if (is_sent)
        rows_put_utf8(rows, " →", strlen(" →"));
    rows_put(rows, colour_end(rows->has_colour));
    rows_put(rows, colour_begin(rows->has_colour, COLOUR_HINT));
}

/* Puts a row of bytes, at most eight, and what they are: "  05 00 00 00    length 5". */
void rows_put_meaning(struct explain_rows *rows, const unsigned char *bytes, size_t count,
                      const char *meaning)
{
    enum { ROW = 8 };
    char row[3 * ROW + 1] = "", text[3 * ROW + 8];
    for (size_t i = 0; i < count && i < ROW; i++)
        snprintf(row + 3 * i, 4, "%02x ", bytes[i]);
    rows_begin(rows);
    snprintf(text, sizeof text, "  %-*s ", 3 * ROW, row);
    rows_put(rows, text);
    rows_put_utf8(rows, meaning, strlen(meaning));
    rows_end(rows);
}

/* The same of a field: "  1f 90    sin_port      htons(8080)". */
static void rows_put_bytes(struct explain_rows *rows, const unsigned char *bytes, size_t count,
                           const char *name, const char *meaning)
{
    char text[128];
    snprintf(text, sizeof text, *meaning ? "%-13s %s" : "%s", name, meaning);
    rows_put_meaning(rows, bytes, count, text);
}

/* Addresses */

static void put_family(struct explain_rows *rows, const struct sockname *name, const char *field)
{
    const int family = name->storage.ss_family;
    char text[32];
    snprintf(text, sizeof text, "%s = %d", trace_name(TRACE_FAMILY, family), family);
    rows_put_bytes(rows, (const unsigned char *)&name->storage, sizeof(sa_family_t), field, text);
}

static void put_port(struct explain_rows *rows, const unsigned char *bytes, const char *field)
{
    char text[32];
    const unsigned port = (unsigned)bytes[0] << 8 | bytes[1];
    snprintf(text, sizeof text, "htons(%u)", port);
    rows_put_bytes(rows, bytes, sizeof(in_port_t), field, text);
}

void rows_put_ipv4(struct explain_rows *rows, const struct sockname *name)
{
    const unsigned char *bytes = (const unsigned char *)&name->storage;
    char host[INET_ADDRSTRLEN];
    inet_ntop(AF_INET, bytes + offsetof(struct sockaddr_in, sin_addr), host, sizeof host);
    put_family(rows, name, "sin_family");
    put_port(rows, bytes + offsetof(struct sockaddr_in, sin_port), "sin_port");
    rows_put_bytes(rows, bytes + offsetof(struct sockaddr_in, sin_addr), 4, "sin_addr", host);
    rows_put_bytes(rows, bytes + offsetof(struct sockaddr_in, sin_zero), 8, "sin_zero", "");
}

void rows_put_ipv6(struct explain_rows *rows, const struct sockname *name)
{
    const unsigned char *bytes = (const unsigned char *)&name->storage;
    const unsigned char *address = bytes + offsetof(struct sockaddr_in6, sin6_addr);
    char host[INET6_ADDRSTRLEN];
    inet_ntop(AF_INET6, address, host, sizeof host);
    put_family(rows, name, "sin6_family");
    put_port(rows, bytes + offsetof(struct sockaddr_in6, sin6_port), "sin6_port");
    rows_put_bytes(rows, bytes + offsetof(struct sockaddr_in6, sin6_flowinfo), 4, "sin6_flowinfo",
                   "");
    rows_put_bytes(rows, address, 8, "sin6_addr", strlen(host) <= 26 ? host : "");
    rows_put_bytes(rows, address + 8, 8, strlen(host) <= 26 ? "" : host, "");
    rows_put_bytes(rows, bytes + offsetof(struct sockaddr_in6, sin6_scope_id), 4, "sin6_scope_id",
                   "");
}

/* Puts text by rows of eight bytes, of which at most ROWS, and the text itself beside them. */
void rows_put_characters(struct explain_rows *rows, const unsigned char *bytes, size_t length)
{
    enum { ROW = 8, ROWS = 4 };
    char text[EXPLAIN_PHRASE_MAX];
    for (size_t at = 0; at < length && at < (size_t)ROWS * ROW; at += ROW) {
        const size_t count = length - at < ROW ? length - at : ROW;
        rows_put_meaning(rows, bytes + at, count, trace_data(bytes + at, (ssize_t)count, text));
    }
    if (length > (size_t)ROWS * ROW)
        rows_put_meaning(rows, bytes, 0,
                         rows_phrase(rows, text, SAY_STRUCT_REST,
                                     NUMBER(length - (size_t)ROWS * ROW)));
}

/* Puts a path, and its NUL as a row of its own. */
static void put_path(struct explain_rows *rows, const unsigned char *bytes, size_t length)
{
    const size_t characters = length > 1 && !bytes[length - 1] ? length - 1 : length;
    rows_put_meaning(rows, bytes, 0, "sun_path:");
    rows_put_characters(rows, bytes, characters);
    if (characters < length) {
        char text[EXPLAIN_PHRASE_MAX];
        rows_put_meaning(rows, bytes + characters, 1, rows_phrase(rows, text, SAY_FRAME_NUL));
    }
}

void rows_put_unix(struct explain_rows *rows, const struct sockname *name)
{
    const unsigned char *bytes = (const unsigned char *)&name->storage;
    const size_t path = offsetof(struct sockaddr_un, sun_path);
    put_family(rows, name, "sun_family");
    if (name->length > path)
        put_path(rows, bytes + path, name->length - path);
}

void rows_say_byte_order(struct explain_rows *rows, unsigned port)
{
    const uint16_t host = (uint16_t)port;
    unsigned char kept[2];
    char hex[8], network[8], machine[8];
    memcpy(kept, &host, sizeof kept);
    if (port >> 8 == (port & 0xff))
        return; /* it reads the same both ways */
    snprintf(hex, sizeof hex, "0x%04x", host);
    snprintf(network, sizeof network, "%02x %02x", port >> 8 & 0xff, port & 0xff);
    snprintf(machine, sizeof machine, "%02x %02x", kept[0], kept[1]);
    rows_say(rows, htons(host) == host ? SAY_ORDER_SAME : SAY_ORDER_SWAPPED, NUMBER(port), hex,
             network, machine);
}
