#include "net/announced.h"

#include <errno.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "base/memory.h"
#include "net/sock.h"

struct announcement {
    struct loop *loop;
    struct watch watch; /* watch.fd is the caller's */
    struct timer limit;
    char bytes[PROXY_HEADER_MOST]; /* of the header, taken out of the socket */
    size_t held;
    size_t skip; /* bytes of it that remain and say nothing */
    bool heard;  /* something has come */
    struct announced announced;
    void (*done)(void *context, const struct announced *announced, const char *complaint);
    void *context;
};

/* Names */

static void name_unix(struct sockname *name, const struct proxy_end *end)
{
    struct sockaddr_un *sun = (struct sockaddr_un *)(void *)&name->storage;
    size_t length = strnlen((const char *)end->address, PROXY_PATH_MOST);
    if (!end->address[0]) /* abstract, or no name at all */
        for (length = PROXY_PATH_MOST; length && !end->address[length - 1];)
            length--;
    sun->sun_family = AF_UNIX;
    memcpy(sun->sun_path, end->address, length);
    name->length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
}

static void name_ipv4(struct sockname *name, const struct proxy_end *end)
{
    struct sockaddr_in *sin = (struct sockaddr_in *)(void *)&name->storage;
    sin->sin_family = AF_INET;
    memcpy(&sin->sin_addr, end->address, sizeof sin->sin_addr);
    name->length = sizeof *sin;
    sockname_set_port(name, end->port);
}

static void name_ipv6(struct sockname *name, const struct proxy_end *end)
{
    struct sockaddr_in6 *sin = (struct sockaddr_in6 *)(void *)&name->storage;
    sin->sin6_family = AF_INET6;
    memcpy(&sin->sin6_addr, end->address, sizeof sin->sin6_addr);
    name->length = sizeof *sin;
    sockname_set_port(name, end->port);
}

static void name_end(struct sockname *name, enum proxy_family family, const struct proxy_end *end)
{
    switch (family) {
    case PROXY_IPV4:
        name_ipv4(name, end);
        break;
    case PROXY_IPV6:
        name_ipv6(name, end);
        break;
    case PROXY_UNIX:
        name_unix(name, end);
        break;
    case PROXY_UNKNOWN:
        break;
    }
}

/* The family under which `name` is announced; its address is then in *end. */
static enum proxy_family end_of_name(struct proxy_end *end, const struct sockname *name)
{
    const void *storage = &name->storage;
    const struct in6_addr *ipv6 = &((const struct sockaddr_in6 *)storage)->sin6_addr;
    size_t start = offsetof(struct sockaddr_un, sun_path);
    end->port = sockname_port(name);
    switch (name->storage.ss_family) {
    case AF_INET:
        memcpy(end->address, &((const struct sockaddr_in *)storage)->sin_addr, 4);
        return PROXY_IPV4;
    case AF_INET6:
        if (IN6_IS_ADDR_V4MAPPED(ipv6)) {
            memcpy(end->address, &ipv6->s6_addr[12], 4);
            return PROXY_IPV4;
        }
        memcpy(end->address, ipv6, 16);
        return PROXY_IPV6;
    case AF_UNIX:
        if (name->length > start)
            memcpy(end->address, ((const struct sockaddr_un *)storage)->sun_path,
                   name->length - start < PROXY_PATH_MOST ? name->length - start : PROXY_PATH_MOST);
        return PROXY_UNIX;
    default:
        return PROXY_UNKNOWN;
    }
}

size_t announced_write(const struct announced *announced, int socktype, char *out)
{
    struct proxy_header header = {.datagram = socktype == SOCK_DGRAM};
    header.family = end_of_name(&header.source, &announced->source);
    bool has_name = header.family != PROXY_UNIX ||
                    announced->source.length > offsetof(struct sockaddr_un, sun_path);
    if (header.family != end_of_name(&header.destination, &announced->destination) || !has_name)
        header.family = PROXY_UNKNOWN;
    return proxy_header_write(&header, out);
}

/* Reading */

void announcement_cancel(struct announcement *announcement)
{
    loop_unwatch(announcement->loop, &announcement->watch);
    loop_timer_cancel(announcement->loop, &announcement->limit);
    free(announcement);
}

static void conclude(struct announcement *announcement, bool is_announced, const char *complaint)
{
    struct announced announced = announcement->announced;
    void *context = announcement->context;
    void (*done)(void *, const struct announced *, const char *) = announcement->done;
    announcement_cancel(announcement);
    done(context, is_announced ? &announced : NULL, complaint);
}

static void time_is_over(struct timer *timer)
{
    conclude(LOOP_OWNER(timer, struct announcement, limit), false,
             "no PROXY header within the time limit");
}

static void take(struct announcement *announcement, const struct proxy_header *header)
{
    struct announced *announced = &announcement->announced;
    name_end(&announced->source, header->family, &header->source);
    name_end(&announced->destination, header->family, &header->destination);
}

/* What is at the socket's front, without taking it. -1: *complaint says why there is nothing, or is
 * NULL where it may come. */
static ssize_t look(const struct announcement *announcement, char *out, size_t room,
                    const char **complaint)
{
    ssize_t seen = sock_peek(announcement->watch.fd, out, room);
    if (seen < 0)
        *complaint = errno == EAGAIN ? NULL : strerror(errno);
    else if (seen == 0)
        *complaint = "ended before its PROXY header was complete";
    return seen > 0 ? seen : -1;
}

/* The part of the header that is not stored, because nobody asks for it. */
static const char *skip(struct announcement *announcement)
{
    char ignored[512];
    const char *complaint = NULL;
    while (announcement->skip) {
        size_t room = announcement->skip < sizeof ignored ? announcement->skip : sizeof ignored;
        if (look(announcement, ignored, room, &complaint) < 0)
            return complaint;
        ssize_t took = sock_recv(announcement->watch.fd, ignored, room);
        announcement->skip -= took > 0 ? (size_t)took : 0;
    }
    conclude(announcement, true, NULL);
    return NULL;
}

/* What belongs to the header is seen before it is taken: a header that is not complete is all that
 * the socket holds, so that nothing of what follows it is ever taken. */
static const char *read_header(struct announcement *announcement)
{
    struct proxy_header header;
    size_t size;
    const char *complaint = NULL;
    char *bytes = announcement->bytes;
    size_t held = announcement->held;
    ssize_t seen = look(announcement, bytes + held, PROXY_HEADER_MOST - held, &complaint);
    if (seen < 0)
        return complaint;
    size_t length = held + (size_t)seen;
    announcement->heard = true;
    if (proxy_header_read(bytes, length, &header, &size))
        return "malformed or no PROXY header";
    size_t end = size && size < length ? size : length;
    sock_recv(announcement->watch.fd, bytes + held, end - held);
    announcement->held = end;
    if (!size)
        return NULL;
    take(announcement, &header);
    announcement->skip = size - end;
    return skip(announcement);
}

static void ready(struct watch *watch, uint32_t events)
{
    struct announcement *announcement = LOOP_OWNER(watch, struct announcement, watch);
    (void)events;
    const char *complaint = announcement->skip ? skip(announcement) : read_header(announcement);
    if (complaint)
        conclude(announcement, false, announcement->heard ? complaint : NULL);
}

struct announcement *announcement_await(struct loop *loop, int fd, int64_t limit_ms,
                                        void (*done)(void *context,
                                                     const struct announced *announced,
                                                     const char *complaint),
                                        void *context)
{
    struct announcement *announcement = memory_new(1, sizeof *announcement);
    announcement->loop = loop;
    announcement->watch = (struct watch){.fd = fd, .ready = ready};
    announcement->limit.fired = time_is_over;
    announcement->done = done;
    announcement->context = context;
    loop_watch(loop, &announcement->watch, EPOLLIN);
    loop_timer_set(loop, &announcement->limit, limit_ms);
    return announcement;
}
