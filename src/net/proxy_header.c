/*
 * The PROXY header of a connection, read and written.
 *
 * Reading: while the header is not complete, it is all that the socket holds: reader_ready peeks, takes no more than
 * belongs to the header, and skips what nobody asks for. It ends in reader_conclude, as does the time limit.
 */
#include "net/proxy_header.h"

#include <errno.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "base/memory.h"
#include "sys/sock.h"

struct proxy_header_reader {
    struct loop *loop;
    struct watch watch; /* watch.fd is the caller's */
    struct timer limit;
    char bytes[PROXY_HEADER_MAX]; /* of the header, taken out of the socket */
    size_t held;
    size_t skip; /* bytes of it that remain and say nothing */
    bool has_rx; /* something has come */
    struct proxied_ends proxied;
    void (*done)(void *context, const struct proxied_ends *proxied, const char *complaint);
    void *context;
};

/* Names */

/* Fills *name with an end of a header of that family; nothing where that is PROXY_UNKNOWN. */
static void name_end(struct sockname *name, enum proxy_family family, const struct proxy_end *end)
{
    struct sockaddr_un *sun = (void *)&name->storage;
    size_t length = strnlen((const char *)end->address, PROXY_PATH_MAX);
    switch (family) {
    case PROXY_IPV4:
    case PROXY_IPV6:
        sockname_set_inet(name, family == PROXY_IPV4 ? AF_INET : AF_INET6, end->address, end->port);
        break;
    case PROXY_UNIX:
        if (!end->address[0]) /* abstract, or no name at all */
            for (length = PROXY_PATH_MAX; length && !end->address[length - 1];)
                length--;
        sun->sun_family = AF_UNIX;
        memcpy(sun->sun_path, end->address, length);
        name->length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
        break;
    case PROXY_UNKNOWN:
        break;
    }
}

/* Returns the family under which `name` is proxied; its address is then in *end. */
static enum proxy_family end_of_name(struct proxy_end *end, const struct sockname *name)
{
    const struct sockaddr_un *sun = (const void *)&name->storage;
    const size_t start = offsetof(struct sockaddr_un, sun_path);
    size_t length;
    const unsigned char *address = sockname_inet(name, &length);
    end->port = sockname_port(name);
    if (address) {
        memcpy(end->address, address, length);
        return length == 4 ? PROXY_IPV4 : PROXY_IPV6;
    }
    if (name->storage.ss_family != AF_UNIX)
        return PROXY_UNKNOWN;
    if (name->length > start)
        memcpy(end->address, sun->sun_path,
               name->length - start < PROXY_PATH_MAX ? name->length - start : PROXY_PATH_MAX);
    return PROXY_UNIX;
}

size_t proxied_ends_write(const struct proxied_ends *proxied, int version, int socktype, char *out)
{
    struct proxy_header header = {.datagram = socktype == SOCK_DGRAM};
    header.family = end_of_name(&header.source, &proxied->source);
    bool has_name = header.family != PROXY_UNIX ||
                    proxied->source.length > offsetof(struct sockaddr_un, sun_path);
    if (header.family != end_of_name(&header.destination, &proxied->destination) || !has_name)
        header.family = PROXY_UNKNOWN;
    return proxy_header_write(&header, version, out);
}

/* Reading */

void proxy_header_cancel(struct proxy_header_reader *reader)
{
    loop_unwatch(reader->loop, &reader->watch);
    loop_timer_cancel(reader->loop, &reader->limit);
    free(reader);
}

static void reader_conclude(struct proxy_header_reader *reader, bool is_announced,
                            const char *complaint)
{
    struct proxied_ends proxied = reader->proxied;
    void *context = reader->context;
    void (*done)(void *, const struct proxied_ends *, const char *) = reader->done;
    proxy_header_cancel(reader);
    done(context, is_announced ? &proxied : NULL, complaint);
}

static void reader_limit_timeout(struct timer *timer)
{
    reader_conclude(LOOP_OWNER(timer, struct proxy_header_reader, limit), false,
                    "no PROXY header within the time limit");
}

/* Reads what is at the socket's front, without taking it. Returns its length, or -1: *complaint says why there is
 * nothing, or is NULL where something may come. */
static ssize_t reader_peek(const struct proxy_header_reader *reader, char *out, size_t room,
                           const char **complaint)
{
    ssize_t seen = sock_recv_flags(reader->watch.fd, out, room, MSG_PEEK);
    if (seen < 0)
        *complaint = errno == EAGAIN ? NULL : strerror(errno);
    else if (seen == 0)
        *complaint = "ended before its PROXY header was complete";
    return seen > 0 ? seen : -1;
}

/* Takes the part of the header that is not stored, because nobody asks for it. */
static const char *reader_skip(struct proxy_header_reader *reader)
{
    char ignored[512];
    const char *complaint = NULL;
    while (reader->skip) {
        size_t room = reader->skip < sizeof ignored ? reader->skip : sizeof ignored;
        if (reader_peek(reader, ignored, room, &complaint) < 0)
            return complaint;
        ssize_t took = sock_recv(reader->watch.fd, ignored, room);
        reader->skip -= took > 0 ? (size_t)took : 0;
    }
    reader_conclude(reader, true, NULL);
    return NULL;
}

/* Reads the header. What belongs to it is seen before it is taken: a header that is not complete is all that
 * the socket holds, so that nothing of what follows it is ever taken. */
static const char *reader_read(struct proxy_header_reader *reader)
{
    struct proxy_header header;
    size_t size;
    const char *complaint = NULL;
    char *bytes = reader->bytes;
    size_t held = reader->held;
    ssize_t seen = reader_peek(reader, bytes + held, PROXY_HEADER_MAX - held, &complaint);
    if (seen < 0)
        return complaint;
    size_t length = held + (size_t)seen;
    reader->has_rx = true;
    if (proxy_header_read(bytes, length, &header, &size))
        return "malformed or no PROXY header";
    size_t end = size && size < length ? size : length;
    sock_recv(reader->watch.fd, bytes + held, end - held);
    reader->held = end;
    if (!size)
        return NULL;
    name_end(&reader->proxied.source, header.family, &header.source);
    name_end(&reader->proxied.destination, header.family, &header.destination);
    reader->skip = size - end;
    return reader_skip(reader);
}

static void reader_ready(struct watch *watch, uint32_t events)
{
    struct proxy_header_reader *reader = LOOP_OWNER(watch, struct proxy_header_reader, watch);
    (void)events;
    const char *complaint = reader->skip ? reader_skip(reader) : reader_read(reader);
    if (complaint)
        reader_conclude(reader, false, reader->has_rx ? complaint : NULL);
}

struct proxy_header_reader *proxy_header_await(struct loop *loop, int fd, int64_t limit_ms,
                                               void (*done)(void *context,
                                                            const struct proxied_ends *proxied,
                                                            const char *complaint),
                                               void *context)
{
    struct proxy_header_reader *reader = memory_new(1, sizeof *reader);
    reader->loop = loop;
    reader->watch = (struct watch){.fd = fd, .ready = reader_ready};
    reader->limit.fired = reader_limit_timeout;
    reader->done = done;
    reader->context = context;
    loop_watch(loop, &reader->watch, EPOLLIN);
    loop_timer_set(loop, &reader->limit, limit_ms);
    return reader;
}
