/*
 * Asking DNS servers for records. It blocks, in poll(2), and is called from threads.
 *
 * dns_find goes through the names that the search list makes of a short one (search_names), for each of them through the
 * servers, in turns (ask_all), and asks each by ask_server: over UDP, without EDNS where the server does not know that,
 * over TCP where the answer did not fit (ask_until_judged, ask_once, try_udp, try_tcp). What came of a server is an answer,
 * or a reason; the reasons of the last turn make the message when nobody knew.
 */
#include "dns/dns_client.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "base/units.h"
#include "net/hostname.h"
#include "net/resolver.h"
#include "proto/dns_data.h"
#include "sys/loop.h"
#include "sys/sock.h"

/* Servers */

/* Splits "ADDR:PORT" in place; an IPv6 address without brackets has no port. Returns NULL, or what is wrong. */
static const char *split_server(char **host, const char **port)
{
    int64_t number;
    if (strstr(*host, "://"))
        return "is a URL: DNS is asked over UDP and TCP alone (ADDR or ADDR:PORT)";
    if (strchr(*host, '#'))
        return "has dig's '#' before its port: write ADDR:PORT";
    char *end = **host == '[' ? strchr(*host, ']') : strchr(*host, ':');
    if (**host == '[') {
        if (!end || (end[1] && end[1] != ':'))
            return "has a '[' without its ']'";
        ++*host;
        *end++ = '\0';
    } else if (end && strchr(end + 1, ':')) {
        return NULL;
    }
    if (end == *host || !**host)
        return "has no address";
    if (!end || !*end)
        return NULL;
    *end = '\0';
    *port = end + 1;
    if (!**port)
        return "has no port after its ':'";
    /* getaddrinfo(3) cuts a number off at 16 bits. */
    if (text_is_digits(*port, strlen(*port)) && units_number(*port, 1, UINT16_MAX, &number))
        return "has a port that is not 1-65535";
    return NULL;
}

static int look_up_server(struct resolved *found, const char *host, const char *port,
                          int64_t limit_ms, struct error *err)
{
    struct address address = {.kind = ADDRESS_INET, .socktype = SOCK_DGRAM, .family = AF_UNSPEC};
    /* All of its addresses: the first to be known may be one that nobody serves. */
    const struct resolver_options how = {.timeout_ms = limit_ms, .complete = true};
    const char *wrong = strlen(host) > ADDRESS_HOST_MAX ? "the name is longer than 253 bytes"
                                                        : NULL;
    if (wrong)
        return hostname_fail(host, wrong, err);
    snprintf(address.host, sizeof address.host, "%s", host);
    snprintf(address.port, sizeof address.port, "%s", port);
    struct loop *loop = loop_new();
    int result = resolver_look_up(loop, &address, &how, found, err);
    loop_free(loop);
    return result;
}

int dns_set_server(struct resolv_conf *conf, const char *text, int64_t limit_ms, struct error *err)
{
    const char *port = "53";
    char *copy = memory_copy(text, strlen(text)), *host = copy;
    const char *wrong = split_server(&host, &port);
    struct resolved found = {0};
    int result = wrong ? 0 : look_up_server(&found, host, port, limit_ms, err);
    free(copy);
    if (result && err->status == STATUS_USAGE)
        wrong = "has an unknown port";
    if (wrong)
        return error_set(err, STATUS_USAGE, "server '%.100s' %s", text, wrong);
    if (result)
        return -1;
    for (conf->server_count = 0;
         conf->server_count < found.count && conf->server_count < RESOLV_SERVERS_MAX;
         conf->server_count++)
        conf->servers[conf->server_count] = found.names[conf->server_count];
    resolved_release(&found);
    return 0;
}

/* Records */

static char *name_text(const struct dns_name *name)
{
    char *text = NULL;
    size_t length;
    FILE *out = memory_stream(&text, &length);
    dns_name_print(out, name);
    memory_stream_close(out);
    return text;
}

/* NULL: the data is malformed. */
static char *data_text(const struct dns_reader *reader, const struct dns_record *record)
{
    char *text = NULL;
    size_t length;
    FILE *out = memory_stream(&text, &length);
    int result = dns_data_print(out, reader, record);
    memory_stream_close(out);
    if (!result)
        return text;
    free(text);
    return NULL;
}

void dns_release(struct dns_lines *found)
{
    for (size_t i = 0; i < found->count; i++) {
        free(found->lines[i].name);
        free(found->lines[i].data);
    }
    for (size_t i = 0; i < found->remark_count; i++)
        free(found->remarks[i].text);
    free(found->lines);
    free(found->remarks);
    *found = (struct dns_lines){0};
}

/* -1: the message is malformed. */
static int read_records(struct dns_reader *reader, struct dns_lines *found)
{
    enum { CLASS_IN = 1 };
    struct dns_record record;
    int more;
    while ((more = dns_next(reader, &record)) > 0) {
        if (record.class != CLASS_IN)
            continue;
        char *data = data_text(reader, &record);
        if (!data)
            return -1;
        /* RFC 2181, 8: a TTL with its highest bit set is 0. */
        const uint32_t ttl = record.ttl > INT32_MAX ? 0 : record.ttl;
        found->lines = memory_grow(found->lines, found->count + 1, sizeof *found->lines);
        found->lines[found->count++] = (struct dns_line){name_text(&record.name), data, ttl,
                                                         record.type};
    }
    return more;
}

/* Extended errors */

static void read_remarks(struct dns_reader options, struct dns_lines *found)
{
    enum { REMARKS_MAX = 16 };
    struct dns_extended extended;
    while (found->remark_count < REMARKS_MAX && dns_next_extended(&options, &extended)) {
        found->remarks = memory_grow(found->remarks, found->remark_count + 1,
                                     sizeof *found->remarks);
        found->remarks[found->remark_count++] = (struct dns_remark){
            .code = extended.code,
            .name = dns_extended_name(extended.code),
            .text = memory_copy(extended.text, strnlen(extended.text, extended.length))};
    }
}

char *dns_remarks_text(const struct dns_lines *found, char *out)
{
    int used = 0;
    *out = '\0';
    for (size_t i = 0; i < found->remark_count && used < DNS_REMARKS_MAX; i++) {
        const struct dns_remark *remark = &found->remarks[i];
        const char *text = remark->text;
        char number[sizeof "extended error 65535"];
        snprintf(number, sizeof number, "extended error %u", remark->code & UINT16_MAX);
        used += snprintf(out + used, DNS_REMARKS_MAX - (size_t)used, "%s%s%s%s%s", i ? ", " : "",
                         remark->name ? remark->name : number, *text ? " (" : "", text,
                         *text ? ")" : "");
    }
    return out;
}

/* Adds the extended errors to a failure, which they are about. */
static void add_remarks(const struct dns_lines *found, struct error *err)
{
    if (found->remark_count) {
        char text[DNS_REMARKS_MAX];
        error_add(err, ": %s", dns_remarks_text(found, text));
    }
}

/* Says whether the CNAME records lead from the name back to one that they have led to. */
static bool is_loop(const struct dns_lines *found, const struct dns_name *name)
{
    char *asked = name_text(name);
    const char *at = asked;
    for (size_t steps = 0; at && steps <= found->count; steps++) {
        const char *alias = NULL;
        for (size_t i = 0; i < found->count && !alias; i++)
            if (found->lines[i].type == DNS_CNAME && strcasecmp(found->lines[i].name, at) == 0)
                alias = found->lines[i].data;
        at = alias;
    }
    free(asked);
    return at != NULL;
}

/* One question to one server */

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

/* Where a try over one socket is. */
struct dns_try {
    struct dns_ask *ask;
    int fd;
    int64_t end_ms;
    unsigned mismatched; /* replies to other questions */
    size_t length;       /* of the query, over TCP with the two bytes before it */
    unsigned char query[2 + DNS_QUERY_MAX];
};

static int ask_fail(struct dns_ask *ask, const char *why)
{
    snprintf(ask->why, sizeof ask->why, "%s", why);
    return -1;
}

static int try_fail_late(struct dns_try *try)
{
    struct dns_ask *ask = try->ask;
    const double seconds = (double)ask->timeout_ms / 1000;
    ask->is_late = ask->deadline_ms >= 0 && loop_now_ms() >= ask->deadline_ms;
    if (ask->is_late)
        ask_fail(ask, "no answer within the time limit");
    else
        snprintf(ask->why, sizeof ask->why, "no answer within %g s", seconds);
    if (try->mismatched) {
        size_t used = strlen(ask->why);
        snprintf(ask->why + used, sizeof ask->why - used, ", only %u that %s", try->mismatched,
                 try->mismatched > 1 ? "are to other questions" : "is to another question");
    }
    return -1;
}

/* Waits until the socket is ready, or the try is over. */
static int try_await(struct dns_try *try, short events)
{
    struct pollfd socket = {.fd = try->fd, .events = events};
    for (;;) {
        int64_t left = try->end_ms - loop_now_ms();
        if (left <= 0)
            return try_fail_late(try);
        int ready = poll(&socket, 1, left > 60000 ? 60000 : (int)left);
        if (ready > 0)
            return 0;
        if (ready < 0 && errno != EINTR)
            return ask_fail(try->ask, strerror(errno));
    }
}

static bool try_is_answer(struct dns_try *try, size_t length)
{
    struct dns_ask *ask = try->ask;
    return dns_is_answer(&ask->reader, ask->buffer, length, &ask->question, &ask->head);
}

/* The kernel drops what comes from another address than the one connected to. */
static int try_udp(struct dns_try *try)
{
    struct dns_ask *ask = try->ask;
    if (sock_send(try->fd, try->query + 2, try->length - 2) < 0)
        return ask_fail(ask, strerror(errno));
    for (;;) {
        if (try_await(try, POLLIN))
            return -1;
        ssize_t length = sock_recv(try->fd, ask->buffer, DNS_MESSAGE_MAX);
        if (length >= 0 && try_is_answer(try, (size_t)length))
            return 0;
        if (length < 0 && errno != EAGAIN)
            return ask_fail(ask, strerror(errno));
        try->mismatched += length >= 0;
    }
}

static int try_receive_all(struct dns_try *try, unsigned char *out, size_t length)
{
    for (size_t received = 0; received < length;) {
        if (try_await(try, POLLIN))
            return -1;
        ssize_t more = sock_recv(try->fd, out + received, length - received);
        if (more == 0)
            return ask_fail(try->ask, "it closed the connection before the answer was complete");
        if (more < 0 && errno != EAGAIN)
            return ask_fail(try->ask, strerror(errno));
        received += more < 0 ? 0 : (size_t)more;
    }
    return 0;
}

static int try_tcp(struct dns_try *try)
{
    unsigned char prefix[2];
    if (try_await(try, POLLOUT))
        return -1;
    int errnum = sock_error(try->fd);
    if (errnum)
        return ask_fail(try->ask, strerror(errnum));
    for (size_t sent = 0; sent < try->length;) {
        ssize_t more = sock_send(try->fd, try->query + sent, try->length - sent);
        if (more < 0 && errno != EAGAIN)
            return ask_fail(try->ask, strerror(errno));
        if (more < 0 && try_await(try, POLLOUT))
            return -1;
        sent += more < 0 ? 0 : (size_t)more;
    }
    if (try_receive_all(try, prefix, sizeof prefix))
        return -1;
    const size_t length = (size_t)prefix[0] << 8 | prefix[1];
    if (try_receive_all(try, try->ask->buffer, length))
        return -1;
    return try_is_answer(try, length) ? 0 : ask_fail(try->ask, "its answer is to another question");
}

/* Shows a try, at -v. */
static void ask_note(const struct dns_ask *ask, const struct sockname *server, bool tcp,
                     const char *failure, int64_t took_us)
{
    char type[DNS_TYPE_TEXT_MAX], address[SOCKNAME_TEXT_MAX], came[160];
    const struct dns_head *head = &ask->head;
    const char *code = head->code == DNS_NOERROR ? "NOERROR" : dns_code_name(head->code);
    if (failure)
        snprintf(came, sizeof came, "%s", failure);
    else
        snprintf(came, sizeof came, "%s, %zu record%s%s%s, %zu bytes", code ? code : "another code",
                 head->answers, head->answers == 1 ? "" : "s",
                 head->authoritative ? ", authoritative" : "", head->truncated ? ", cut off" : "",
                 ask->reader.length);
    char *name = name_text(&ask->question.name);
    log_note(LOG_LEVEL_INFO, "%s %s: %s over %s: %s, %.3f ms", name,
             dns_type_text(ask->question.type, type), sockname_text(server, address),
             tcp ? "TCP" : "UDP", came, (double)took_us / 1000);
    free(name);
}

static int ask_once(struct dns_ask *ask, const struct sockname *server, bool tcp, bool edns)
{
    const int64_t began_us = loop_now_us();
    struct dns_question *question = &ask->question;
    struct dns_try try = {.ask = ask, .end_ms = loop_now_ms() + ask->timeout_ms};
    ask->head.options = (struct dns_reader){.bytes = NULL}; /* the buffer is written anew */
    if (ask->deadline_ms >= 0 && ask->deadline_ms < try.end_ms)
        try.end_ms = ask->deadline_ms;
    if (getrandom(&question->id, sizeof question->id, 0) != sizeof question->id)
        memory_impossible("getrandom failed");
    const size_t length = dns_query(question, edns, try.query + 2);
    try.query[0] = (unsigned char)(length >> 8);
    try.query[1] = (unsigned char)length;
    try.length = length + 2;
    try.fd = sock_open(server->storage.ss_family, tcp ? SOCK_STREAM : SOCK_DGRAM, 0);
    if (try.fd < 0)
        return ask_fail(ask, strerror(errno));
    int result;
    if (sock_connect(try.fd, server) && errno != EINPROGRESS)
        result = ask_fail(ask, strerror(errno));
    else
        result = tcp ? try_tcp(&try) : try_udp(&try);
    sock_close(try.fd);
    if (log_setting.verbosity >= LOG_LEVEL_INFO)
        ask_note(ask, server, tcp, result ? ask->why : NULL, loop_now_us() - began_us);
    return result;
}

/* Puts into words the answers that say nothing of the name; -1: it is one of those. */
static int ask_judge(struct dns_ask *ask)
{
    static const char words[][48] = {
        [DNS_FORMERR] = "it did not understand the query (FORMERR)",
        [DNS_SERVFAIL] = "it failed to find out (SERVFAIL)",
        [DNS_NOTIMP] = "it does not answer such queries (NOTIMP)",
        [DNS_REFUSED] = "it refused to answer (REFUSED)",
    };
    const struct dns_head *head = &ask->head;
    if (head->code == DNS_NXDOMAIN)
        return 0;
    if (head->code < sizeof words / sizeof *words && *words[head->code])
        return ask_fail(ask, words[head->code]);
    if (head->code != DNS_NOERROR) {
        const char *name = dns_code_name(head->code);
        snprintf(ask->why, sizeof ask->why, "it answered with the code %u%s%s%s", head->code,
                 name ? " (" : "", name ? name : "", name ? ")" : "");
        return -1;
    }
    if (!head->answers && !head->authoritative && !head->recursion)
        return ask_fail(ask, "it does not know, and refers to other servers");
    return head->truncated ? ask_fail(ask, "its answer is cut off, also over TCP") : 0;
}

/* 0: there is an answer, of the code NOERROR or NXDOMAIN, which is all there and may still be malformed behind its
 * question; -1: there is none, and `why` says why. */
static int ask_until_judged(struct dns_ask *ask, const struct sockname *server)
{
    bool tcp = ask->tcp, edns = true;
    for (;;) {
        if (ask_once(ask, server, tcp, edns))
            return -1;
        const unsigned code = ask->head.code;
        /* It may be older than EDNS0 (RFC 6891, 7), or without the one version that there is. */
        if (edns && (code == DNS_FORMERR || code == DNS_NOTIMP || code == DNS_BADVERS))
            edns = false;
        else if (ask->head.truncated && !tcp)
            tcp = true;
        else
            return ask_judge(ask);
    }
}

/* All servers */

enum {
    LIMITED_TRIES = 3, /* within a limit, so that a datagram may be lost */
    TRY_MIN_MS = 100,
    TURN_MIN_MS = 1000 /* of the first turn, without a limit */
};

/* What came of a name; the later ones say more. */
enum outcome { NO_NAME, NO_ANSWER, NO_RECORD, LOOP, FOUND };

struct finding {
    const struct dns_options *options;
    struct dns_ask ask;
    struct dns_lines answer; /* the latest */
    struct error reasons;    /* why there was no answer */
    bool is_reached;         /* somebody answered something: other names may do better */
};

static enum outcome read_answer(struct finding *finding)
{
    struct dns_ask *ask = &finding->ask;
    if (read_records(&ask->reader, &finding->answer)) {
        dns_release(&finding->answer);
        snprintf(ask->why, sizeof ask->why, "its answer is malformed");
        return NO_ANSWER;
    }
    if (ask->head.code == DNS_NXDOMAIN)
        return NO_NAME;
    for (size_t i = 0; i < finding->answer.count; i++)
        if (finding->answer.lines[i].type == ask->question.type)
            return FOUND;
    return is_loop(&finding->answer, &ask->question.name) ? LOOP : NO_RECORD;
}

/* Asks this server; if there is no answer, that is one more of the reasons. */
static enum outcome ask_server(struct finding *finding, const struct sockname *server)
{
    struct dns_ask *ask = &finding->ask;
    enum outcome outcome = NO_ANSWER;
    dns_release(&finding->answer);
    ask->head = (struct dns_head){.code = DNS_NOERROR};
    if (ask_until_judged(ask, server) == 0)
        outcome = read_answer(finding);
    read_remarks(ask->head.options, &finding->answer);
    if (outcome == NO_ANSWER) {
        char name[SOCKNAME_TEXT_MAX];
        error_add(&finding->reasons, "%s%s: %s", *finding->reasons.text ? "; " : "",
                  sockname_text(server, name), ask->why);
        add_remarks(&finding->answer, &finding->reasons);
    } else {
        finding->answer.server = *server;
    }
    finding->is_reached |= outcome != NO_ANSWER || ask->head.code != DNS_NOERROR;
    return outcome;
}

/* Returns how long the next try may take: as the file says; in the first turn a server's part of that, as the next one may
 * know at once; within a limit so that there is time for `left` more, twice as long for the last one. */
static int64_t try_ms(const struct finding *finding, int64_t turn, int64_t left)
{
    const struct resolv_conf *conf = &finding->options->conf;
    const int64_t deadline_ms = finding->ask.deadline_ms;
    int64_t ms = conf->timeout_ms;
    if (turn == 0 && left > 0)
        ms /= (int64_t)conf->server_count;
    if (ms < TURN_MIN_MS)
        ms = conf->timeout_ms < TURN_MIN_MS ? conf->timeout_ms : TURN_MIN_MS;
    if (deadline_ms < 0)
        return ms;
    int64_t part_ms = deadline_ms - loop_now_ms();
    if (left > 0)
        part_ms /= left + 2;
    if (part_ms < TRY_MIN_MS)
        part_ms = TRY_MIN_MS;
    return part_ms < ms ? part_ms : ms;
}

/* Asks every server in turn, as often as the file says; within a short limit, so that there are three tries. The reasons
 * are those of the last turn. */
static enum outcome ask_all(struct finding *finding)
{
    const struct resolv_conf *conf = &finding->options->conf;
    const size_t count = conf->server_count;
    const size_t first = conf->rotate ? (size_t)loop_now_ms() : 0;
    const int64_t needed = (LIMITED_TRIES + (int64_t)count - 1) / (int64_t)count;
    const bool is_short = finding->ask.deadline_ms >= 0 &&
                          finding->options->limit_ms < LIMITED_TRIES * conf->timeout_ms;
    const int64_t turns = is_short && conf->attempts < needed ? needed : conf->attempts;
    int64_t left = turns * (int64_t)count;
    finding->is_reached = false;
    for (int64_t turn = 0; turn < turns && !finding->ask.is_late; turn++) {
        error_silent(&finding->reasons, STATUS_RESOLVE);
        for (size_t i = 0; i < count && !finding->ask.is_late; i++) {
            finding->ask.timeout_ms = try_ms(finding, turn, --left);
            enum outcome outcome = ask_server(finding, &conf->servers[(first + i) % count]);
            if (outcome != NO_ANSWER)
                return outcome;
        }
    }
    return NO_ANSWER;
}

/* The search list */

enum { COMPLETE_MAX = 8 * DNS_NAME_MAX }; /* two names with each byte as \DDD */

/* Makes the name to be asked for as number `i`, if there is one: the name as it is comes first where it has dots enough,
 * else last. `complete` holds COMPLETE_MAX bytes. */
static bool name_candidate(const struct resolv_conf *conf, const char *name, size_t i,
                           char *complete)
{
    const size_t length = strlen(name);
    size_t dots = 0;
    for (const char *at = name; *at; at++)
        dots += *at == '.';
    const size_t domains = length && name[length - 1] == '.' ? 0 : conf->search_count;
    const size_t as_it_is = (int64_t)dots >= conf->ndots ? 0 : domains;
    if (i > domains)
        return false;
    const char *domain = i == as_it_is ? "" : conf->search[i - (i > as_it_is)];
    snprintf(complete, COMPLETE_MAX, "%s%s%s", name, *domain ? "." : "", domain);
    return true;
}

static enum outcome search_names(struct finding *finding, const char *name, struct dns_lines *found,
                                 struct error *err)
{
    char complete[COMPLETE_MAX];
    enum outcome best = NO_NAME;
    for (size_t i = 0; name_candidate(&finding->options->conf, name, i, complete); i++) {
        if (dns_name_read(&finding->ask.question.name, complete))
            continue; /* too long with this domain */
        enum outcome outcome = ask_all(finding);
        if (outcome == NO_ANSWER) {
            hostname_fail(name, "", err);
            error_add(err, "%s", finding->reasons.text); /* which may be long */
        }
        if (outcome > best || !found->count) { /* what the names before it had is forgotten */
            dns_release(found);
            *found = finding->answer;
            finding->answer = (struct dns_lines){0};
        }
        if (outcome > best)
            best = outcome;
        if (outcome == FOUND || !finding->is_reached)
            break;
    }
    return best;
}

int dns_find(const struct dns_options *options, const char *name, uint16_t type,
             struct dns_lines *found, struct error *err)
{
    const int64_t limit_ms = options->limit_ms;
    struct finding finding = {
        .options = options,
        .ask = {.question.type = type,
                .tcp = options->tcp || options->conf.tcp,
                .deadline_ms = limit_ms < 0 ? -1 : loop_now_ms() + limit_ms},
    };
    *found = (struct dns_lines){0};
    const char *wrong = dns_name_read(&finding.ask.question.name, name);
    if (wrong)
        return hostname_fail(name, wrong, err);
    finding.ask.buffer = memory_new(DNS_MESSAGE_MAX, 1);
    enum outcome outcome = search_names(&finding, name, found, err);
    dns_release(&finding.answer);
    free(finding.ask.buffer);
    if (outcome == NO_NAME)
        hostname_fail(name, "there is no such name (NXDOMAIN)", err);
    if (outcome == LOOP)
        hostname_fail(name, "its CNAME records lead in a circle", err);
    if (outcome == NO_RECORD) {
        char type_text[DNS_TYPE_TEXT_MAX], text[DNS_TYPE_TEXT_MAX + 32];
        snprintf(text, sizeof text, "it has no %s record", dns_type_text(type, type_text));
        hostname_fail(name, text, err);
        err->status = STATUS_REFUSED;
    }
    if (outcome == NO_NAME || outcome == LOOP || outcome == NO_RECORD)
        add_remarks(found, err);
    if (finding.ask.is_late)
        err->status = STATUS_TIMEOUT;
    return outcome == FOUND ? 0 : -1;
}

char *dns_reverse_name(const struct sockname *address, char *out)
{
    unsigned char bytes[16];
    char *at = out;
    if (address->storage.ss_family == AF_INET) {
        memcpy(bytes, &((const struct sockaddr_in *)(const void *)&address->storage)->sin_addr, 4);
        snprintf(out, DNS_REVERSE_MAX, "%u.%u.%u.%u.in-addr.arpa.", bytes[3], bytes[2], bytes[1],
                 bytes[0]);
        return out;
    }
    memcpy(bytes, &((const struct sockaddr_in6 *)(const void *)&address->storage)->sin6_addr, 16);
    for (int i = 15; i >= 0; i--)
        at += snprintf(at, 5, "%x.%x.", bytes[i] & 15, bytes[i] >> 4);
    snprintf(at, sizeof "ip6.arpa.", "ip6.arpa.");
    return out;
}
