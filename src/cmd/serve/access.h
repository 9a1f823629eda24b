/*
 * Who may connect or send datagrams: lists of addresses and networks for internet sockets, of users for UNIX sockets.
 * What is denied is denied, whatever is allowed; where something is allowed, all else is denied.
 * A list of proxies says who may say, by a PROXY header, whose connection it passes on.
 *
 * Each word given is a list with commas; "@FILE" in it stands for a file with one entry a line,
 * blank lines and what follows a `#` left out. Users are numbers, or names that the system knows.
 */
#ifndef CMD_SERVE_ACCESS_H
#define CMD_SERVE_ACCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/error.h"
#include "net/network.h"
#include "sys/sock.h"

/* The lists, those of addresses first. */
enum access_list {
    ACCESS_ALLOW,
    ACCESS_DENY,
    ACCESS_PROXY_FROM,
    ACCESS_ALLOW_UID,
    ACCESS_LISTS,
    ACCESS_NETWORKS = ACCESS_ALLOW_UID
};

/* What was given for one list. The words are the owner's, and outlast the access. */
struct access_words {
    const char *const *words;
    size_t count;
};

/* What the lists say. All of it is the access's own. */
struct access_rules {
    struct networks networks[ACCESS_NETWORKS];
    uid_t *users;
    size_t user_count;
    bool has_files; /* lists come from files, which can be read again */
};

/* The owner sets what comes before the rules, which are zero until access_read. */
struct access {
    /* Reads a file that may block (a FIFO, a pipe; the descriptor does not) up to its end, into *bytes,
     * to be given to free(). Returns 0, or -1 and errno; ECANCELED: the owner knows why, and has filled the error. */
    int (*read_all)(void *context, int fd, char **bytes, size_t *length);
    void *context;
    bool proxied; /* PROXY headers are read: they name clients of whatever kind the socket is */
    struct access_words given[ACCESS_LISTS];
    struct access_rules rules;
};

/* Reads the lists. With `again`, files have been read before: what is not a regular file is an error then. Returns 0,
 * or -1 with status 2 for what is no list, 8 for a file that cannot be read; the rules are then still the old ones. */
int access_read(struct access *access, bool again, struct error *err);

/* Calls `found` with the name of each file that the lists come from. */
void access_each_file(const struct access *access, void (*found)(void *context, const char *file),
                      void *context);

/* Frees the rules. It may be called twice. */
void access_release(struct access *access);

/* Checks that the lists can be asked about the clients of this socket of ours. Returns 0, or -1 with status 2. */
int access_check(const struct access *access, const struct sockname *own, struct error *err);

/* Tells whether the lists of addresses let `peer` speak to us. A peer of a UNIX socket is in no network. */
bool access_admits(const struct access *access, const struct sockname *peer);

enum access_verdict {
    ACCESS_REFUSED,
    ACCESS_ADMITTED,
    ACCESS_PROXY /* it has to send a PROXY header, whose client is judged by access_admits */
};

/* Judges a connection `fd` that was accepted from `peer`, by its address and its user. Where PROXY headers are read,
 * those on the list of proxies send one, or everybody where there is no list; a proxy that has no internet address, as
 * over a UNIX socket, is in no other list of addresses. */
enum access_verdict access_judge(const struct access *access, int fd, const struct sockname *peer);

/* Tells whether the lists of addresses and of users let the sender of a datagram speak to us, of whom the kernel says
 * which user it is. */
bool access_admits_sender(const struct access *access, const struct sock_message *message);

#endif
