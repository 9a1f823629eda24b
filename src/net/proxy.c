/*
 * What is said to a proxy until it has connected to the target.
 *
 * dialog_send_next writes a message, which dialog_send sends when the socket takes it; then dialog_receive receives,
 * never more than belongs to the answer, and socks_follow or http_follow decides what comes next: waiting for more,
 * sending the next message, or the end of the dialog, which stops the loop.
 */
#include "net/proxy.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"
#include "base/text.h"
#include "base/units.h"
#include "net/resolver.h"
#include "proto/http_message.h"
#include "proto/idna.h"
#include "proto/socks.h"
#include "proto/url.h"
#include "sys/idle_limit.h"
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

/* Returns what follows the scheme; NULL: none that is known. */
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

int proxy_parse(struct proxy *proxy, const char *url, struct error *err)
{
    struct url parts;
    char host[URL_HOST_MAX + 1], port[8];
    const char *words[] = {NULL, port, NULL};
    const struct address_use use = {.family = AF_UNSPEC};
    *proxy = (struct proxy){0};
    const char *rest = read_scheme(proxy, url);
    if (!rest || strstr(rest, "://"))
        return error_set(err, STATUS_USAGE,
                         "proxy %s: is not an http://, socks4:// or socks5:// URL%s",
                         url_redacted(url),
                         strstr(url, "://") ? "" : " (nc's -x HOST:PORT is socks5://HOST:PORT)");
    const char *wrong = url_parse(&parts, rest);
    if (!wrong && parts.target.length && strncmp(parts.target.start, "/", parts.target.length) != 0)
        wrong = "has a path";
    if (!wrong && parts.userinfo.length) {
        proxy->user = memory_new(parts.userinfo.length + 2, 1);
        wrong = url_credentials(&parts, proxy->user);
        char *colon = strchr(proxy->user, ':');
        proxy->password = memory_copy(colon ? colon + 1 : "", colon ? strlen(colon + 1) : 0);
        if (colon)
            *colon = '\0';
    }
    if (wrong)
        return error_set(err, STATUS_USAGE, "proxy %s: %s", url_redacted(url), wrong);
    words[0] = url_host(&parts, host);
    snprintf(port, sizeof port, "%d", parts.has_port ? parts.port : DEFAULT_PORT);
    return address_parse(&proxy->address, words, 2, &use, err);
}

void proxy_release(struct proxy *proxy)
{
    memory_wipe(proxy->user);
    memory_wipe(proxy->password);
    proxy->user = proxy->password = NULL;
}

/* The target */

/* Returns the port of the target; 0: there is none, which proxy_check has said. */
static unsigned target_port(const struct address *target)
{
    struct error unsaid;
    unsigned port;
    return resolver_port(target, false, &port, &unsaid) ? 0 : port;
}

/* Writes the host as proxies take it into `out` (ADDRESS_HOST_MAX + 1 bytes): in ASCII, for we cannot know how they
 * would read another encoding. Returns NULL, or what is wrong, which proxy_check has said. */
static const char *write_target_host(const struct address *target, char *out)
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
                          .port = (uint16_t)target_port(target),
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
    const char *bad_host = write_target_host(target, host);
    if (bad_host)
        return error_set(err, STATUS_USAGE, "proxy: the name '%.100s' %s", target->host, bad_host);
    const struct socks socks = socks_of(proxy, target, host);
    const char *wrong = proxy->kind == PROXY_HTTP ? NULL : socks_check(&socks);
    return wrong ? error_set(err, STATUS_USAGE, "proxy: %s", wrong) : 0;
}

/* The dialog */

struct proxy_dialog {
    struct loop *loop;
    const struct proxy *proxy;
    const struct address *target;
    char host[ADDRESS_HOST_MAX + 1]; /* the target's, as the proxy is asked for it */
    struct watch watch;
    struct idle_limit idle;
    char *tx; /* the dialog's */
    size_t tx_sent;
    size_t tx_length;
    char *rx; /* the dialog's, HEAD_MAX bytes */
    size_t rx_length;
    struct socks socks;
    struct http_head head;
    unsigned interim; /* answers (1xx) skipped */
    struct error *err;
};

static int dialog_explain(const struct proxy_dialog *dialog, int status, const char *why)
{
    char proxy[ADDRESS_TEXT_MAX], target[ADDRESS_TEXT_MAX];
    return error_set(dialog->err, status, "connect to %s: proxy %s: %s",
                     address_text(dialog->target, false, target),
                     address_text(&dialog->proxy->address, false, proxy), why);
}

/* Ends the dialog, which runs. */
static void dialog_fail(struct proxy_dialog *dialog, int status, const char *why)
{
    loop_stop(dialog->loop, dialog_explain(dialog, status, why));
}

static void dialog_idle_over(struct idle_limit *idle)
{
    struct proxy_dialog *dialog = LOOP_OWNER(idle, struct proxy_dialog, idle);
    char why[80], limit[UNITS_DURATION_MAX];
    snprintf(why, sizeof why, "nothing moved for %s", units_show_duration(limit, idle->limit_ms));
    dialog_fail(dialog, STATUS_TIMEOUT, why);
}

static void dialog_receive(struct watch *watch, uint32_t events);

static void dialog_send(struct watch *watch, uint32_t events)
{
    struct proxy_dialog *dialog = LOOP_OWNER(watch, struct proxy_dialog, watch);
    (void)events;
    const size_t left = dialog->tx_length - dialog->tx_sent;
    ssize_t sent = sock_send_private(watch->fd, dialog->tx + dialog->tx_sent, left,
                                     dialog->proxy->user ? 0 : left);
    if (sent < 0 && errno != EAGAIN) {
        dialog_fail(dialog, STATUS_TRANSFER, strerror(errno));
        return;
    }
    if (sent > 0) {
        dialog->tx_sent += (size_t)sent;
        idle_limit_moved(&dialog->idle);
    }
    if (dialog->tx_sent < dialog->tx_length)
        return;
    explicit_bzero(dialog->tx, dialog->tx_length); /* there may have been a password in it */
    free(dialog->tx);
    dialog->tx = NULL;
    watch->ready = dialog_receive;
    loop_watch(dialog->loop, watch, EPOLLIN);
}

/* Writes a CONNECT request (RFC 9110, 9.3.6) into tx. */
static void http_write(struct proxy_dialog *dialog)
{
    const struct proxy *proxy = dialog->proxy;
    const char *host = dialog->host;
    bool is_ipv6 = strchr(host, ':') != NULL;
    char authority[ADDRESS_TEXT_MAX];
    snprintf(authority, sizeof authority, "%s%s%s:%u", is_ipv6 ? "[" : "", host, is_ipv6 ? "]" : "",
             target_port(dialog->target));
    FILE *out = memory_stream(&dialog->tx, &dialog->tx_length);
    fprintf(out, "CONNECT %s HTTP/1.1\r\nHost: %s\r\n", authority, authority);
    if (proxy->user) {
        size_t length = strlen(proxy->user) + strlen(proxy->password) + 1;
        char *both = memory_new(length + 1, 1);
        snprintf(both, length + 1, "%s:%s", proxy->user, proxy->password);
        fputs("Proxy-Authorization: Basic ", out);
        text_base64(out, both, length);
        fputs("\r\n", out);
        memory_wipe(both);
    }
    fputs("\r\n", out);
    memory_stream_close(out);
    dialog->head = (struct http_head){.answers_connect = true};
}

/* Sends the next message when the socket takes it, then receives. */
static void dialog_send_next(struct proxy_dialog *dialog)
{
    if (dialog->proxy->kind == PROXY_HTTP) {
        http_write(dialog);
    } else {
        unsigned char message[SOCKS_WRITE_MAX];
        dialog->tx_length = socks_write(&dialog->socks, message);
        dialog->tx = memory_copy((const char *)message, dialog->tx_length);
    }
    dialog->tx_sent = 0;
    dialog->rx_length = 0;
    dialog->watch.ready = dialog_send;
    loop_watch(dialog->loop, &dialog->watch, EPOLLOUT);
}

/* What an answer comes to */

static void socks_follow(struct proxy_dialog *dialog)
{
    switch (socks_read(&dialog->socks, (const void *)dialog->rx, dialog->rx_length)) {
    case SOCKS_MORE:
        break;
    case SOCKS_WRITE:
        dialog_send_next(dialog);
        break;
    case SOCKS_DONE:
        loop_stop(dialog->loop, 0);
        break;
    case SOCKS_REFUSED:
        dialog_fail(dialog, STATUS_REFUSED, dialog->socks.why);
        break;
    }
}

/* Receives a part of the head of an HTTP answer, which is looked at where it waits, so that nothing behind it is taken. */
static ssize_t http_receive(struct proxy_dialog *dialog)
{
    char *rx = dialog->rx + dialog->rx_length;
    ssize_t got = sock_recv_flags(dialog->watch.fd, rx, HEAD_MAX - dialog->rx_length, MSG_PEEK);
    if (got <= 0)
        return got;
    enum http_step step = http_head_read(&dialog->head, dialog->rx,
                                         dialog->rx_length + (size_t)got);
    if (step == HTTP_DONE)
        got = (ssize_t)(dialog->head.length - dialog->rx_length);
    return sock_recv(dialog->watch.fd, rx, (size_t)got);
}

static void http_follow(struct proxy_dialog *dialog)
{
    const struct http_head *head = &dialog->head;
    const bool is_interim = head->length && head->status / 100 == 1 &&
                            head->status != SWITCHING_PROTOCOLS;
    if (head->wrong) {
        dialog_fail(dialog, STATUS_REFUSED, head->wrong);
    } else if (!head->length && dialog->rx_length == HEAD_MAX) {
        dialog_fail(dialog, STATUS_REFUSED, "its answer has no end");
    } else if (is_interim && ++dialog->interim > HTTP_INTERIM_MAX) {
        dialog_fail(dialog, STATUS_REFUSED, "too many interim answers (1xx)");
    } else if (is_interim) {
        dialog->head = (struct http_head){.answers_connect = true};
        dialog->rx_length = 0;
    } else if (head->length && head->status / 100 == 2) {
        loop_stop(dialog->loop, 0);
    } else if (head->length) {
        char why[128];
        size_t length;
        const char *status = http_head_status(head, dialog->rx, &length);
        snprintf(why, sizeof why, "%.*s", length < 100 ? (int)length : 100, status);
        dialog_fail(dialog, STATUS_REFUSED, why);
    }
}

static void dialog_receive(struct watch *watch, uint32_t events)
{
    struct proxy_dialog *dialog = LOOP_OWNER(watch, struct proxy_dialog, watch);
    const bool is_http = dialog->proxy->kind == PROXY_HTTP;
    (void)events;
    if (!is_http && !dialog->rx_length)
        socks_follow(dialog); /* which says how much is wanted */
    ssize_t got = is_http ? http_receive(dialog)
                          : sock_recv(watch->fd, dialog->rx + dialog->rx_length,
                                      dialog->socks.wanted - dialog->rx_length);
    if (got < 0 && errno == EAGAIN)
        return;
    if (got < 0) {
        dialog_fail(dialog, STATUS_TRANSFER, strerror(errno));
    } else if (got == 0) {
        dialog_fail(dialog, STATUS_REFUSED, "it closed the connection instead of an answer");
    } else {
        dialog->rx_length += (size_t)got;
        idle_limit_moved(&dialog->idle);
        if (is_http)
            http_follow(dialog);
        else
            socks_follow(dialog);
    }
}

int proxy_pass(struct loop *loop, int fd, const struct proxy_way *way, struct error *err)
{
    struct proxy_dialog dialog = {.loop = loop,
                                  .proxy = way->proxy,
                                  .target = way->target,
                                  .watch.fd = fd,
                                  .rx = memory_grow(NULL, HEAD_MAX, 1),
                                  .err = err};
    bool timed_out;
    write_target_host(way->target, dialog.host);
    dialog.socks = socks_of(way->proxy, way->target, dialog.host);
    idle_limit_start(&dialog.idle, loop, way->idle_ms, dialog_idle_over);
    dialog_send_next(&dialog);
    int result = loop_await(loop, way->timeout_ms, &timed_out);
    if (timed_out)
        result = dialog_explain(&dialog, STATUS_TIMEOUT, "timed out");
    loop_unwatch(loop, &dialog.watch);
    idle_limit_stop(&dialog.idle);
    if (dialog.tx) /* what was not sent may have a password in it, too */
        explicit_bzero(dialog.tx, dialog.tx_length);
    free(dialog.tx);
    free(dialog.rx);
    return result;
}
