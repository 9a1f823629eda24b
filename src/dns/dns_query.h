/*
 * One question to one DNS server.
 */
#ifndef DNS_DNS_QUERY_H
#define DNS_DNS_QUERY_H

#include "proto/dns.h"
#include "sys/sockname.h"

struct dns_ask {
    struct dns_question question; /* but for the id, which is new each time */
    bool tcp;                     /* from the start */
    int64_t timeout_ms;           /* for one try */
    int64_t deadline_ms;          /* for everything, by loop_now_ms; -1: none */
    unsigned char *buffer;        /* the owner's, of DNS_MESSAGE_MAX bytes */
    /* What came of it. */
    struct dns_reader reader; /* before the first record; in the buffer */
    struct dns_head head;
    char why[96]; /* there is no answer: words that follow the server's name */
    bool is_late; /* … as the deadline has passed */
};

/* 0: there is an answer, of the code NOERROR or NXDOMAIN, which is all there and may still be malformed
 * behind its question; -1: there is none, and `why` says why. */
int dns_ask(struct dns_ask *ask, const struct sockname *server);

#endif
