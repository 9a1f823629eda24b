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
    char *user;     /* freed by proxy_release, as is the password; NULL: none */
    char *password; /* empty where there is only a user */
};

/* Tells whether the URL has one of the SOCKS schemes that proxy_parse knows. */
bool proxy_is_socks(const char *url);

/* Reads http://, socks4://, socks4a://, socks5:// or socks5h:// [USER[:PASS]@]HOST[:PORT], the port 1080
 * without one (as curl has it). Returns 0, or -1 with status 2; the caller releases the proxy in either case. */
int proxy_parse(struct proxy *proxy, const char *url, struct error *err);

/* Overwrites and frees the user and the password. It may be called twice. */
void proxy_release(struct proxy *proxy);

/* Checks that the proxy can be asked for `target`. Returns 0, or -1 with status 2 and the reason. */
int proxy_check(const struct proxy *proxy, const struct address *target, struct error *err);

struct proxy_way {
    const struct proxy *proxy;
    const struct address *target;
    int64_t timeout_ms; /* -1: no limit */
    int64_t idle_ms;    /* the longest time in which nothing moves; -1: no limit */
};

/* Runs the loop until `fd`, non-blocking and connected to the proxy, is connected to the target.
 * Status 6 when the proxy refuses, or its answer is not one, 1 when the connection breaks, 5 when
 * the time is over. When somebody else stops the loop: -1, and *err is left as it was. */
int proxy_pass(struct loop *loop, int fd, const struct proxy_way *way, struct error *err);

#endif
