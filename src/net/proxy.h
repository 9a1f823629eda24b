/*
 * A connection through a proxy: what is said over a socket that is connected to the proxy, until it
 * is joined to the target. What follows is the target's: not a byte of it is read here.
 */
#ifndef NET_PROXY_H
#define NET_PROXY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "net/address.h"
#include "sys/loop.h"

enum proxy_kind { PROXY_HTTP, PROXY_SOCKS4, PROXY_SOCKS5 };

struct proxy {
    enum proxy_kind kind;
    struct address address;
    char *user;     /* these two the proxy's, NULL: none */
    char *password; /* empty where there is only a user */
};

/* Begins with one of the SOCKS schemes of these. */
bool proxy_is_socks(const char *url);
/* http://, socks4://, socks4a://, socks5:// or socks5h:// [USER[:PASS]@]HOST[:PORT], the port 1080
 * without one (as curl has it). Status 2; proxy_release whatever came of it. */
int proxy_parse(struct proxy *proxy, const char *url, struct error *err);
void proxy_release(struct proxy *proxy);

/* Whether the proxy can be asked for `target`: status 2, with the reason. */
int proxy_check(const struct proxy *proxy, const struct address *target, struct error *err);

struct proxy_way {
    const struct proxy *proxy;
    const struct address *target;
    int64_t timeout_ms; /* -1: no limit */
    int64_t idle_ms;    /* the same for a time in which nothing moves */
};

/* Runs the loop until `fd`, non-blocking and connected to the proxy, is connected to the target.
 * Status 6 when the proxy refuses, or its answer is not one, 1 when the connection breaks, 5 when
 * the time is over. When somebody else stops the loop: -1, and *err is left as it was. */
int proxy_pass(struct loop *loop, int fd, const struct proxy_way *way, struct error *err);

#endif
