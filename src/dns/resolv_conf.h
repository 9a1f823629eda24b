/*
 * resolv.conf(5): which name servers to ask, how long, and where to search for short names.
 */
#ifndef DNS_RESOLV_CONF_H
#define DNS_RESOLV_CONF_H

#include <stdbool.h>
#include <stdint.h>

#include "sys/sockname.h"

enum { RESOLV_SERVERS_MAX = 3, RESOLV_DOMAINS_MAX = 32 };

struct resolv_conf {
    struct sockname servers[RESOLV_SERVERS_MAX]; /* with their ports */
    size_t server_count;
    char *text; /* what `search` points into */
    const char *search[RESOLV_DOMAINS_MAX];
    size_t search_count;
    int64_t ndots;
    int64_t timeout_ms; /* of one try */
    int64_t attempts;
    bool rotate;
    bool tcp; /* use-vc */
};

/* Reads what such a file has; what makes no sense is passed over. `text`, allocated, belongs to *conf from then on. */
void resolv_conf_parse(struct resolv_conf *conf, char *text);

/* Reads /etc/resolv.conf, with the defaults where there is none: this machine's server, and its domain. */
void resolv_conf_read(struct resolv_conf *conf);

/* Frees the text. */
void resolv_conf_release(struct resolv_conf *conf);

#endif
