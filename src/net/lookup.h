/*
 * A host name looked up by getaddrinfo(3) on threads of its own: as a whole, which is what libc does
 * best, or one family at a time, so that a server that never answers for one family does not keep
 * back the answer for the other.
 */
#ifndef NET_LOOKUP_H
#define NET_LOOKUP_H

#include <netdb.h>

enum lookup_part { LOOKUP_WHOLE, LOOKUP_IPV4, LOOKUP_IPV6, LOOKUP_PARTS };

struct lookup_answer {
    int code;               /* getaddrinfo's; 0: `found` is the answer */
    int errnum;             /* errno, where the code is EAI_SYSTEM */
    struct addrinfo *found; /* the look-up's */
};

/* The whole is what has `family`, AF_UNSPEC: both. NULL: no descriptor was to be had, and errno says
 * why. */
struct lookup;
struct lookup *lookup_new(const char *host, int family, int socktype);
/* Starts a thread that asks for `part`. A part may be asked for again; its first answer counts.
 * Returns 0, or the errno of a thread that could not be started. */
int lookup_ask(struct lookup *lookup, enum lookup_part part);
/* An eventfd(2) that is readable once there is another answer; to be read before lookup_answer. */
int lookup_fd(const struct lookup *lookup);
/* NULL: there is none yet. It lasts as long as the look-up. */
const struct lookup_answer *lookup_answer(const struct lookup *lookup, enum lookup_part part);
/* Threads that still wait for an answer end by themselves, and delay nobody's exit. */
void lookup_leave(struct lookup *lookup);

#endif
