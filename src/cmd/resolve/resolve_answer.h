/*
 * The look-up of one name, as resolve's options want it.
 */
#ifndef CMD_RESOLVE_RESOLVE_ANSWER_H
#define CMD_RESOLVE_RESOLVE_ANSWER_H

#include "cmd/common/options.h"
#include "dns/dns_client.h"
#include "dns/names.h"
#include "net/address_order.h"

/* The options of the command. */
struct resolve_options {
    struct family_options family;
    bool brief;
    bool json;
    bool reverse;
    bool explain;
    bool timing;
    bool tcp;
    const char *service;
    struct opt_list types;
    const char *server;
    int64_t timeout_ms;
};

/* What all look-ups have in common. */
struct resolve_plan {
    struct resolve_options given;
    /* Each name is asked for in each of these types of DNS records; 0, alone: the system's resolver is asked. */
    uint16_t *types;
    size_t type_count;      /* at least 1 */
    struct dns_options dns; /* for those, and for --explain */
};

enum { PROVENANCE_TEXT_MAX = SOCKNAME_TEXT_MAX + 32 };

/* Where the system's resolver has an address from. */
struct provenance {
    char text[PROVENANCE_TEXT_MAX];
};

/* Why an address is where it is (RFC 6724). */
struct resolve_reason {
    unsigned precedence;
    unsigned label;
    unsigned scope;
    char source[SOCKNAME_TEXT_MAX]; /* that would be used; "none" where there is no route */
    const char *rule;               /* that puts the one before it first; NULL: none does */
};

/* An answer, with all that it points to. */
struct resolve_answer {
    char *query;   /* what was asked for */
    uint16_t type; /* of the records; 0: of none */
    size_t length; /* of it: it may hold any byte */
    bool found;
    int64_t took_us;
    struct names names;
    struct dns_lines lines;         /* of that type, and CNAME records on the way */
    struct provenance *origins;     /* with --explain, one for each address */
    struct resolve_reason *reasons; /* the same */
    struct kept_error failure;      /* where nothing was found */
};

/* resolve_answer_new makes an answer, as yet an empty one, for the `length` bytes of `query`, which are copied, and for
 * records of `type`, or 0. */
struct resolve_answer *resolve_answer_new(const char *query, size_t length, uint16_t type);

/* resolve_answer_find looks answer->query up, and blocks; `found` says whether that succeeded, else `failure` is set.
 * Several threads may do so at once, each with an answer of its own. */
void resolve_answer_find(struct resolve_answer *answer, const struct resolve_plan *plan);

/* resolve_answer_free frees the answer and all that it points to. */
void resolve_answer_free(struct resolve_answer *answer);

#endif
