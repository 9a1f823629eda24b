#include "dns/dns_query.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "base/memory.h"
#include "sys/loop.h"
#include "sys/sock.h"

/* Where a try over one socket is. */
struct attempt {
    struct dns_ask *ask;
    int fd;
    int64_t end_ms;
    unsigned strangers; /* datagrams that were no answers */
    size_t length;      /* of the query, over TCP with the two bytes before it */
    unsigned char query[2 + DNS_QUERY_MAX];
};

static int fail(struct dns_ask *ask, const char *why)
{
    snprintf(ask->why, sizeof ask->why, "%s", why);
    return -1;
}

static int fail_late(struct attempt *attempt)
{
    struct dns_ask *ask = attempt->ask;
    const double seconds = (double)ask->timeout_ms / 1000;
    ask->is_late = ask->deadline_ms >= 0 && loop_now_ms() >= ask->deadline_ms;
    if (ask->is_late)
        fail(ask, "no answer within the time limit");
    else
        snprintf(ask->why, sizeof ask->why, "no answer within %g s", seconds);
    if (attempt->strangers) {
        size_t used = strlen(ask->why);
        snprintf(ask->why + used, sizeof ask->why - used, ", only %u that %s", attempt->strangers,
                 attempt->strangers > 1 ? "are to other questions" : "is to another question");
    }
    return -1;
}

/* Until the socket is ready. */
static int await(struct attempt *attempt, short events)
{
    struct pollfd socket = {.fd = attempt->fd, .events = events};
    for (;;) {
        int64_t left = attempt->end_ms - loop_now_ms();
        if (left <= 0)
            return fail_late(attempt);
        int ready = poll(&socket, 1, left > 60000 ? 60000 : (int)left);
        if (ready > 0)
            return 0;
        if (ready < 0 && errno != EINTR)
            return fail(attempt->ask, strerror(errno));
    }
}

static bool is_answer(struct attempt *attempt, size_t length)
{
    struct dns_ask *ask = attempt->ask;
    return dns_is_answer(&ask->reader, ask->buffer, length, &ask->question, &ask->head);
}

/* UDP. The kernel drops what comes from another address than the one connected to. */

static int converse_udp(struct attempt *attempt)
{
    struct dns_ask *ask = attempt->ask;
    if (sock_send(attempt->fd, attempt->query + 2, attempt->length - 2) < 0)
        return fail(ask, strerror(errno));
    for (;;) {
        if (await(attempt, POLLIN))
            return -1;
        ssize_t length = sock_recv(attempt->fd, ask->buffer, DNS_MESSAGE_MAX);
        if (length >= 0 && is_answer(attempt, (size_t)length))
            return 0;
        if (length < 0 && errno != EAGAIN)
            return fail(ask, strerror(errno));
        attempt->strangers += length >= 0;
    }
}

/* TCP */

static int send_all(struct attempt *attempt)
{
    for (size_t sent = 0; sent < attempt->length;) {
        ssize_t more = sock_send(attempt->fd, attempt->query + sent, attempt->length - sent);
        if (more < 0 && errno != EAGAIN)
            return fail(attempt->ask, strerror(errno));
        if (more < 0 && await(attempt, POLLOUT))
            return -1;
        sent += more < 0 ? 0 : (size_t)more;
    }
    return 0;
}

static int receive_all(struct attempt *attempt, unsigned char *out, size_t length)
{
    for (size_t received = 0; received < length;) {
        if (await(attempt, POLLIN))
            return -1;
        ssize_t more = sock_recv(attempt->fd, out + received, length - received);
        if (more == 0)
            return fail(attempt->ask, "it closed the connection before the answer was complete");
        if (more < 0 && errno != EAGAIN)
            return fail(attempt->ask, strerror(errno));
        received += more < 0 ? 0 : (size_t)more;
    }
    return 0;
}

static int converse_tcp(struct attempt *attempt)
{
    unsigned char prefix[2];
    if (await(attempt, POLLOUT))
        return -1;
    int errnum = sock_error(attempt->fd);
    if (errnum)
        return fail(attempt->ask, strerror(errnum));
    if (send_all(attempt) || receive_all(attempt, prefix, sizeof prefix))
        return -1;
    const size_t length = (size_t)prefix[0] << 8 | prefix[1];
    if (receive_all(attempt, attempt->ask->buffer, length))
        return -1;
    return is_answer(attempt, length) ? 0 : fail(attempt->ask, "its answer is to another question");
}

/* Both */

static void write_query(struct attempt *attempt, bool edns)
{
    struct dns_question *question = &attempt->ask->question;
    if (getrandom(&question->id, sizeof question->id, 0) != sizeof question->id)
        memory_impossible("getrandom failed");
    size_t length = dns_query(question, edns, attempt->query + 2);
    attempt->query[0] = (unsigned char)(length >> 8);
    attempt->query[1] = (unsigned char)length;
    attempt->length = length + 2;
}

static int dialog_run(struct dns_ask *ask, const struct sockname *server, bool tcp, bool edns)
{
    int64_t now = loop_now_ms();
    struct attempt attempt = {.ask = ask, .end_ms = now + ask->timeout_ms};
    if (ask->deadline_ms >= 0 && ask->deadline_ms < attempt.end_ms)
        attempt.end_ms = ask->deadline_ms;
    write_query(&attempt, edns);
    attempt.fd = sock_open(server->storage.ss_family, tcp ? SOCK_STREAM : SOCK_DGRAM, 0);
    if (attempt.fd < 0)
        return fail(ask, strerror(errno));
    int result;
    if (sock_connect(attempt.fd, server) && errno != EINPROGRESS)
        result = fail(ask, strerror(errno));
    else
        result = tcp ? converse_tcp(&attempt) : converse_udp(&attempt);
    sock_close(attempt.fd);
    return result;
}

/* In words, those that say nothing of the name. */
static int judge(struct dns_ask *ask)
{
    static const char *const words[] = {
        [DNS_FORMERR] = "it did not understand the query (FORMERR)",
        [DNS_SERVFAIL] = "it failed to find out (SERVFAIL)",
        [DNS_NOTIMP] = "it does not answer such queries (NOTIMP)",
        [DNS_REFUSED] = "it refused to answer (REFUSED)",
    };
    const struct dns_head *head = &ask->head;
    if (head->code == DNS_NXDOMAIN)
        return 0;
    if (head->code < sizeof words / sizeof *words && words[head->code])
        return fail(ask, words[head->code]);
    if (head->code != DNS_NOERROR) {
        const char *name = dns_code_name(head->code);
        snprintf(ask->why, sizeof ask->why, "it answered with the code %u%s%s%s", head->code,
                 name ? " (" : "", name ? name : "", name ? ")" : "");
        return -1;
    }
    if (!head->answers && !head->authoritative && !head->recursion)
        return fail(ask, "it does not know, and refers to other servers");
    return head->truncated ? fail(ask, "its answer is cut off, also over TCP") : 0;
}

int dns_ask(struct dns_ask *ask, const struct sockname *server)
{
    bool tcp = ask->tcp, edns = true;
    for (;;) {
        if (dialog_run(ask, server, tcp, edns))
            return -1;
        const unsigned code = ask->head.code;
        if (edns && (code == DNS_FORMERR || code == DNS_NOTIMP || code == DNS_BADVERS))
            edns =
                false; /* older than EDNS0 (RFC 6891, 7), or without the one version that there is */
        else if (ask->head.truncated && !tcp)
            tcp = true;
        else
            return judge(ask);
    }
}
