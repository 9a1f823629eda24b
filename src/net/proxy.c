#include "net/proxy.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"
#include "base/text.h"
#include "net/address.h"
#include "net/resolver.h"
#include "proto/http_head.h"
#include "proto/idna.h"
#include "proto/socks.h"
#include "proto/url.h"
#include "sys/sock.h"

enum {
    DEFAULT_PORT = 1080,       /* as curl has it, of every kind */
    HEAD_MAX = 65536,          /* of an answer to CONNECT */
    SWITCHING_PROTOCOLS = 101, /* which is no interim answer: nothing follows it */
};

/* The proxy */

static const struct {
    const char *scheme;
    enum proxy_kind kind;
} schemes[] = {{"http://", PROXY_HTTP},
               {"socks4://", PROXY_SOCKS4},
               {"socks4a://", PROXY_SOCKS4},
               {"socks5://", PROXY_SOCKS5},
               {"socks5h://", PROXY_SOCKS5}};

/* What follows the scheme; NULL: none that is known. */
static const char *read_scheme(struct proxy *proxy, const char *url)
{
    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++) {
        size_t length = strlen(schemes[i].scheme);
        proxy->kind = schemes[i].kind;
        if (strncasecmp(url, schemes[i].scheme, length) == 0)
            return url + length;
    }
    return NULL;
}

bool proxy_is_socks(const char *url)
{
    struct proxy proxy;
    return read_scheme(&proxy, url) && proxy.kind != PROXY_HTTP;
}

static const char *read_credentials(struct proxy *proxy, const struct url *url)
{
    if (!url->userinfo.length)
        return NULL;
    proxy->user = memory_new(url->userinfo.length + 2, 1);
    const char *wrong = url_credentials(url, proxy->user);
    char *colon = strchr(proxy->user, ':');
    proxy->password = memory_copy(colon ? colon + 1 : "", colon ? strlen(colon + 1) : 0);
    if (colon)
        *colon = '\0';
    return wrong;
}

static int read_address(struct proxy *proxy, const struct url *url, struct error *err)
{
    char host[URL_HOST_MAX + 1], port[8];
    const char *words[] = {url_host(url, host), port, NULL};
    const struct address_use use = {.family = AF_UNSPEC};
    snprintf(port, sizeof port, "%d", url->has_port ? url->port : DEFAULT_PORT);
    return address_parse(&proxy->address, words, 2, &use, err);
}

int proxy_parse(struct proxy *proxy, const char *url, struct error *err)
{
    struct url parts;
    *proxy = (struct proxy){0};
    const char *rest = read_scheme(proxy, url);
    if (!rest || strstr(rest, "://"))
        return error_set(err, STATUS_USAGE,
                         "proxy %s: is not an http://, socks4:// or socks5:// URL",
                         url_redacted(url));
    const char *wrong = url_parse(&parts, rest);
    if (!wrong && parts.target.length && strncmp(parts.target.start, "/", parts.target.length) != 0)
        wrong = "has a path";
    if (!wrong)
        wrong = read_credentials(proxy, &parts);
    if (wrong)
        return error_set(err, STATUS_USAGE, "proxy %s: %s", url_redacted(url), wrong);
    return read_address(proxy, &parts, err);
}

void proxy_release(struct proxy *proxy)
{
    memory_wipe(proxy->user);
    memory_wipe(proxy->password);
    proxy->user = proxy->password = NULL;
}

/* The target */

/* 0: there is none, which proxy_check has said. */
static unsigned port_of(const struct address *target)
{
    struct error unsaid;
    unsigned port;
    return resolver_port(target, false, &port, &unsaid) ? 0 : port;
}

/* As proxies take it, into `out` (ADDRESS_HOST_MAX + 1 bytes): ASCII, for it is not ours to know how they
 * would read another encoding. NULL, or what is wrong, which proxy_check has said. */
static const char *write_host(const struct address *target, char *out)
{
    const char *host = *target->host ? target->host : "localhost";
    if (!idna_is_ascii(host))
        return idna_encode(host, out);
    memcpy(out, host, strlen(host) + 1);
    return NULL;
}

static struct socks socks_of(const struct proxy *proxy, const struct address *target,
                             const char *host)
{
    return (struct socks){.version = proxy->kind == PROXY_SOCKS4 ? 4 : 5,
                          .host = host,
                          .port = (uint16_t)port_of(target),
                          .user = proxy->user,
                          .password = proxy->password};
}

int proxy_check(const struct proxy *proxy, const struct address *target, struct error *err)
{
    if (target->kind != ADDRESS_INET || target->socktype != SOCK_STREAM)
        return error_set(err, STATUS_USAGE, "a proxy takes TCP addresses alone");
    unsigned port;
    if (resolver_port(target, false, &port, err))
        return -1;
    char host[ADDRESS_HOST_MAX + 1];
    const char *bad_host = write_host(target, host);
    if (bad_host)
        return error_set(err, STATUS_USAGE, "proxy: the name '%.100s' %s", target->host, bad_host);
    const struct socks socks = socks_of(proxy, target, host);
    const char *wrong = proxy->kind == PROXY_HTTP ? NULL : socks_check(&socks);
    return wrong ? error_set(err, STATUS_USAGE, "proxy: %s", wrong) : 0;
}

/* The talk */

struct talk {
    struct loop *loop;
    const struct proxy *proxy;
    const struct address *target;
    char host[ADDRESS_HOST_MAX + 1]; /* the target's, as the proxy is told it */
    struct watch watch;
    struct timer limit;
    struct timer idle;
    int64_t idle_ms;
    char *saying; /* the talk's */
    size_t said;
    size_t to_say;
    char *heard; /* the talk's, HEAD_MAX bytes */
    size_t length;
    struct socks socks;
    struct http_head head;
    unsigned interim; /* answers (1xx) skipped */
    struct error *err;
};

static int fail(struct talk *talk, int status, const char *why)
{
    char proxy[ADDRESS_TEXT_MAX], target[ADDRESS_TEXT_MAX];
    return error_set(talk->err, status, "connect to %s: proxy %s: %s",
                     address_text(talk->target, false, target),
                     address_text(&talk->proxy->address, false, proxy), why);
}

static void stop(struct talk *talk, int result)
{
    loop_stop(talk->loop, result);
}

static void say_when_possible(struct talk *talk);

static void note_move(struct talk *talk)
{
    if (talk->idle_ms >= 0)
        loop_timer_set(talk->loop, &talk->idle, talk->idle_ms);
}

/* SOCKS */

static void say_next(struct talk *talk)
{
    unsigned char message[SOCKS_SAY_MAX];
    talk->to_say = socks_say(&talk->socks, message);
    talk->saying = memory_copy((const char *)message, talk->to_say);
    talk->said = talk->length = 0;
    say_when_possible(talk);
}

static void follow_socks(struct talk *talk)
{
    switch (socks_hear(&talk->socks, (const void *)talk->heard, talk->length)) {
    case SOCKS_MORE:
        break;
    case SOCKS_SAY:
        say_next(talk);
        break;
    case SOCKS_DONE:
        stop(talk, 0);
        break;
    case SOCKS_REFUSED:
        stop(talk, fail(talk, STATUS_REFUSED, talk->socks.why));
        break;
    }
}

static ssize_t hear_socks(struct talk *talk)
{
    if (!talk->length)
        follow_socks(talk); /* which tells how much is wanted */
    return sock_recv(talk->watch.fd, talk->heard + talk->length, talk->socks.wanted - talk->length);
}

/* HTTP CONNECT: RFC 9110, 9.3.6 */

static void write_credentials(FILE *out, const struct proxy *proxy)
{
    size_t length = strlen(proxy->user) + strlen(proxy->password) + 1;
    char *both = memory_new(length + 1, 1);
    snprintf(both, length + 1, "%s:%s", proxy->user, proxy->password);
    fputs("Proxy-Authorization: Basic ", out);
    text_base64(out, both, length);
    fputs("\r\n", out);
    memory_wipe(both);
}

static void begin_head(struct talk *talk)
{
    talk->head = (struct http_head){.answers_connect = true};
    talk->length = 0;
}

static void ask_http(struct talk *talk)
{
    const char *host = talk->host;
    bool is_ipv6 = strchr(host, ':') != NULL;
    char authority[ADDRESS_TEXT_MAX];
    snprintf(authority, sizeof authority, "%s%s%s:%u", is_ipv6 ? "[" : "", host, is_ipv6 ? "]" : "",
             port_of(talk->target));
    FILE *out = open_memstream(&talk->saying, &talk->to_say);
    if (!out)
        memory_impossible("out of memory");
    fprintf(out, "CONNECT %s HTTP/1.1\r\nHost: %s\r\n", authority, authority);
    if (talk->proxy->user)
        write_credentials(out, talk->proxy);
    fputs("\r\n", out);
    fclose(out);
    begin_head(talk);
    say_when_possible(talk);
}

static void refuse_http(struct talk *talk)
{
    char why[128];
    size_t length;
    const char *status = http_head_status(&talk->head, talk->heard, &length);
    snprintf(why, sizeof why, "%.*s", length < 100 ? (int)length : 100, status);
    stop(talk, fail(talk, STATUS_REFUSED, why));
}

/* The head is looked at where it waits, so that nothing behind it is taken. */
static ssize_t hear_http(struct talk *talk)
{
    char *heard = talk->heard + talk->length;
    ssize_t got = sock_peek(talk->watch.fd, heard, HEAD_MAX - talk->length);
    if (got <= 0)
        return got;
    enum http_step step = http_head_read(&talk->head, talk->heard, talk->length + (size_t)got);
    if (step == HTTP_DONE)
        got = (ssize_t)(talk->head.length - talk->length);
    return sock_recv(talk->watch.fd, heard, (size_t)got);
}

static void follow_http(struct talk *talk)
{
    bool is_interim = talk->head.length && talk->head.status / 100 == 1 &&
                      talk->head.status != SWITCHING_PROTOCOLS;
    if (talk->head.wrong)
        stop(talk, fail(talk, STATUS_REFUSED, talk->head.wrong));
    else if (!talk->head.length && talk->length == HEAD_MAX)
        stop(talk, fail(talk, STATUS_REFUSED, "its answer has no end"));
    else if (is_interim && ++talk->interim > HTTP_INTERIM_MAX)
        stop(talk, fail(talk, STATUS_REFUSED, "too many interim answers (1xx)"));
    else if (is_interim)
        begin_head(talk);
    else if (talk->head.length && talk->head.status / 100 == 2)
        stop(talk, 0);
    else if (talk->head.length)
        refuse_http(talk);
}

/* Both */

static void hear(struct watch *watch, uint32_t events)
{
    struct talk *talk = LOOP_OWNER(watch, struct talk, watch);
    bool is_http = talk->proxy->kind == PROXY_HTTP;
    (void)events;
    ssize_t got = is_http ? hear_http(talk) : hear_socks(talk);
    if (got < 0 && errno == EAGAIN)
        return;
    if (got < 0) {
        stop(talk, fail(talk, STATUS_TRANSFER, strerror(errno)));
    } else if (got == 0) {
        stop(talk, fail(talk, STATUS_REFUSED, "it closed the connection instead of an answer"));
    } else {
        talk->length += (size_t)got;
        note_move(talk);
        if (is_http)
            follow_http(talk);
        else
            follow_socks(talk);
    }
}

static void say(struct watch *watch, uint32_t events)
{
    struct talk *talk = LOOP_OWNER(watch, struct talk, watch);
    (void)events;
    ssize_t sent = sock_send(watch->fd, talk->saying + talk->said, talk->to_say - talk->said);
    if (sent < 0 && errno != EAGAIN) {
        stop(talk, fail(talk, STATUS_TRANSFER, strerror(errno)));
        return;
    }
    if (sent > 0) {
        talk->said += (size_t)sent;
        note_move(talk);
    }
    if (talk->said < talk->to_say)
        return;
    explicit_bzero(talk->saying, talk->to_say); /* there may have been a password in it */
    free(talk->saying);
    talk->saying = NULL;
    talk->watch.ready = hear;
    loop_watch(talk->loop, watch, EPOLLIN);
}

static void say_when_possible(struct talk *talk)
{
    talk->watch.ready = say;
    loop_watch(talk->loop, &talk->watch, EPOLLOUT);
}

static void time_is_over(struct timer *timer)
{
    struct talk *talk = LOOP_OWNER(timer, struct talk, limit);
    stop(talk, fail(talk, STATUS_TIMEOUT, "timed out"));
}

static void idle_too_long(struct timer *timer)
{
    struct talk *talk = LOOP_OWNER(timer, struct talk, idle);
    char why[64];
    snprintf(why, sizeof why, "nothing moved for %.3g seconds", (double)talk->idle_ms / 1000);
    stop(talk, fail(talk, STATUS_TIMEOUT, why));
}

int proxy_pass(struct loop *loop, int fd, const struct proxy_way *way, struct error *err)
{
    struct talk talk = {.loop = loop,
                        .proxy = way->proxy,
                        .target = way->target,
                        .watch.fd = fd,
                        .limit.fired = time_is_over,
                        .idle.fired = idle_too_long,
                        .idle_ms = way->idle_ms,
                        .heard = memory_grow(NULL, HEAD_MAX, 1),
                        .err = err};
    write_host(way->target, talk.host);
    talk.socks = socks_of(way->proxy, way->target, talk.host);
    if (way->timeout_ms >= 0)
        loop_timer_set(loop, &talk.limit, way->timeout_ms);
    note_move(&talk);
    if (way->proxy->kind == PROXY_HTTP)
        ask_http(&talk);
    else
        say_next(&talk);
    int result = loop_run(loop);
    loop_unwatch(loop, &talk.watch);
    loop_timer_cancel(loop, &talk.limit);
    loop_timer_cancel(loop, &talk.idle);
    free(talk.saying);
    free(talk.heard);
    return result;
}
