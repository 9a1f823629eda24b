/*
 * See via.h. via_start makes the words of the command (via_words), a socketpair(2) and, for openssl, a pipe for what it
 * writes to stderr, and starts it. A command's socket is handed over at once, from a timer; openssl's when
 * "CONNECTION ESTABLISHED" has come (via_read_messages). A program that ends before that is explained
 * (via_explain) by what openssl wrote. After it, the owner of the connection closes the socket, which the program sees, and
 * calls via_leave or via_end.
 */
#include "net/via.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "net/hostname.h"
#include "sys/descriptors.h"
#include "sys/sock.h"

enum {
    GRACE_MS = 1000, /* for a program whose socket is closed, and again once it has got SIGTERM */
    MESSAGES_MAX = 4096, /* of what openssl says, the last bytes */
    TLS_WORDS_MAX = 32
};

/* The variable in which openssl finds the password for a proxy. */
#define PROXY_PASSWORD "SOCKCTL_PROXY_PASSWORD"

struct via_program {
    struct program program;
    struct loop *loop;
    struct via *via;
    struct list_node node; /* of the via's programs */
    char asked[ADDRESS_TEXT_MAX];
    char proxy[ADDRESS_TEXT_MAX]; /* as it is shown; empty: none */
    char *shown;                  /* the command, for messages; the program's */
    int fd;                       /* our end of the socket, until it is handed over; then -1 */
    struct timer up;              /* of a command: it runs; then of an end that is to be told */
    struct watch messages;        /* of openssl: its stderr; fd -1: none, or at its end */
    char said[MESSAGES_MAX];
    size_t length;
    void (*done)(void *context, int fd,
                 const struct error *err); /* NULL: it was called, or is not to be */
    void *context;
    void (*gone)(void *context, const struct error *err); /* NULL: nobody, or he was informed */
    struct timer grace;
    bool is_up; /* `done` has got the socket */
    bool ended;
    bool is_left;    /* by its owner: it is freed when it ends */
    bool is_awaited; /* the loop runs for its end */
    bool was_ended;  /* by us */
};

/* The words */

/* Says whether the shell takes the text as it is. */
static bool is_plain(const char *text)
{
    return *text != '-' &&
           strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:%") ==
               strlen(text);
}

static int via_check_address(const struct via *via, const struct address *address,
                             struct error *err)
{
    char text[ADDRESS_TEXT_MAX];
    const char *option = via->command ? "--via" : "TLS";
    address_text(address, false, text);
    if (address->kind != ADDRESS_INET || address->socktype != SOCK_STREAM)
        return error_set(err, STATUS_USAGE, "%s is for HOST PORT of TCP, not for %s", option, text);
    if (!is_plain(address->host) || !is_plain(address->port))
        return error_set(err, STATUS_USAGE, "%s: '%s' cannot be given to a program", option, text);
    return 0;
}

int via_check(const struct via *via, const struct address *address, struct error *err)
{
    if (via_check_address(via, address, err))
        return -1;
    return via->proxy ? via_check_address(via, &via->proxy->address, err) : 0;
}

/* Returns the command with %h, %p and %% put in, to be given to free(). */
static char *via_expand(const char *command, const char *host, const char *port)
{
    char *text = NULL;
    size_t length;
    FILE *out = open_memstream(&text, &length);
    if (!out)
        memory_impossible("out of memory");
    for (const char *at = command; *at; at++) {
        const char *value = *at != '%'     ? NULL
                            : at[1] == 'h' ? host
                            : at[1] == 'p' ? port
                            : at[1] == '%' ? "%"
                                           : NULL;
        if (value) {
            fputs(value, out);
            at++;
        } else {
            putc(*at, out);
        }
    }
    if (fclose(out))
        memory_impossible("out of memory");
    return text;
}

/* Writes HOST:PORT as openssl takes it into `out` (ADDRESS_TEXT_MAX bytes). */
static void via_write_target(const struct address *address, char *out)
{
    const char *host = *address->host ? address->host : "localhost";
    snprintf(out, ADDRESS_TEXT_MAX, strchr(host, ':') ? "[%s]:%s" : "%s:%s", host, address->port);
}

/* The command line of openssl, and what it points into beside the via and the address. */
struct via_tls {
    const char *words[TLS_WORDS_MAX];
    char target[ADDRESS_TEXT_MAX];
    char proxy[ADDRESS_TEXT_MAX];
};

/* Fills the words of openssl's command line: s_client(1ssl). It ends when its stdin does, which is when we close the
 * socket. A proxy's password is in the environment, for that is nobody else's to see (via_make_environment). */
static void via_tls_words(const struct via *via, const struct address *address, struct via_tls *tls)
{
    const char *host = *address->host ? address->host : "localhost", **words = tls->words;
    struct sockname literal;
    struct error ignored;
    const char *name = via->name ? via->name : host;
    const bool is_name = hostname_read_literal(name, &literal, &ignored) != 1;
    size_t count = 0;
    words[count++] = "openssl";
    words[count++] = "s_client";
    words[count++] = "-brief"; /* only what went wrong, and when it is connected */
    words[count++] = "-nocommands";
    words[count++] = "-min_protocol";
    words[count++] = "TLSv1.2";
    if (via->proxy && strchr(host, ':')) {
        /* Of -connect [::1]:443 openssl 3 makes CONNECT ::1:443. */
        words[count++] = "-host";
        words[count++] = tls->target;
        snprintf(tls->target, sizeof tls->target, "[%s]", host);
        words[count++] = "-port";
        words[count++] = address->port;
    } else {
        words[count++] = "-connect";
        words[count++] = tls->target;
        via_write_target(address, tls->target);
    }
    if (via->proxy) {
        words[count++] = "-proxy";
        words[count++] = tls->proxy;
        via_write_target(&via->proxy->address, tls->proxy);
    }
    if (via->proxy && via->proxy->user) {
        words[count++] = "-proxy_user";
        words[count++] = via->proxy->user;
        words[count++] = "-proxy_pass";
        words[count++] = "env:" PROXY_PASSWORD;
    }
    const struct address *next = via->proxy ? &via->proxy->address : address;
    if (next->family != AF_UNSPEC)
        words[count++] = next->family == AF_INET ? "-4" : "-6";
    words[count++] = is_name ? "-servername" : "-noservername";
    if (is_name)
        words[count++] = name;
    if (via->alpn) {
        words[count++] = "-alpn";
        words[count++] = via->alpn;
    }
    if (via->ca) {
        words[count++] = "-CAfile";
        words[count++] = via->ca;
        words[count++] = "-no-CApath";
    }
    if (!via->insecure) {
        words[count++] = "-verify_return_error";
        words[count++] = is_name ? "-verify_hostname" : "-verify_ip";
        words[count++] = name;
    }
    words[count] = NULL;
}

/* Returns our environment, with the password for the proxy, where there is one, in *variable: both are the caller's to
 * give to free() and memory_wipe(). */
static const char **via_make_environment(const struct via *via, char **variable)
{
    static const char name[] = PROXY_PASSWORD "=";
    size_t count = 0, kept = 0;
    while (environ[count])
        count++;
    const char **env = memory_new(count + 2, sizeof *env);
    for (size_t i = 0; i < count; i++)
        if (strncmp(environ[i], name, strlen(name)) != 0)
            env[kept++] = environ[i];
    *variable = NULL;
    if (via->proxy && via->proxy->user) {
        const char *password = via->proxy->password;
        *variable = memory_new(sizeof name + strlen(password), 1);
        stpcpy(stpcpy(*variable, name), password);
        env[kept++] = *variable;
    }
    env[kept] = NULL;
    return env;
}

/* What went wrong */

/* What openssl says, and what that means. The first that is found counts. */
static const struct {
    const char *said;
    const char *meaning;
    int status;
} tls_failures[] = {
    {"certificate has expired", "the server's certificate has expired", STATUS_CONNECT},
    {"certificate is not yet valid", "the server's certificate is not valid yet", STATUS_CONNECT},
    {"hostname mismatch", "the server's certificate is for another name", STATUS_CONNECT},
    {"IP address mismatch", "the server's certificate is for another address", STATUS_CONNECT},
    {"self-signed certificate in certificate chain",
     "nobody we trust has issued the server's certificate (--tls-ca FILE: trust those in FILE)",
     STATUS_CONNECT},
    {"self-signed certificate", "the server's certificate is self-signed (--tls-ca FILE: trust it)",
     STATUS_CONNECT},
    {"self signed certificate", "the server's certificate is self-signed (--tls-ca FILE: trust it)",
     STATUS_CONNECT},
    {"unable to get local issuer certificate",
     "nobody we trust has issued the server's certificate, or the server leaves out the one "
     "between (--tls-ca FILE: "
     "trust those in FILE)",
     STATUS_CONNECT},
    {"unable to verify the first certificate",
     "nobody we trust has issued the server's certificate, or the server leaves out the one "
     "between (--tls-ca FILE: "
     "trust those in FILE)",
     STATUS_CONNECT},
    {"wrong version number", "the server speaks no TLS on this port", STATUS_CONNECT},
    {"packet length too long", "the server speaks no TLS on this port", STATUS_CONNECT},
    {"record layer failure", "the server speaks no TLS on this port", STATUS_CONNECT},
    {"unsupported protocol", "the server speaks no TLS 1.2 or newer", STATUS_CONNECT},
    {"alert protocol version", "the server speaks no TLS 1.2 or newer", STATUS_CONNECT},
    {"handshake failure", "the server and openssl agree on no cipher", STATUS_CONNECT},
    {"no application protocol", "the server does not speak this protocol over TLS", STATUS_CONNECT},
    {"Name or service not known", "Name or service not known", STATUS_RESOLVE},
    {"Temporary failure in name resolution", "Temporary failure in name resolution",
     STATUS_RESOLVE},
    {"No address associated", "the name has no address", STATUS_RESOLVE},
    {"Connection refused", "Connection refused", STATUS_CONNECT},
    {"Connection timed out", "Connection timed out", STATUS_CONNECT},
    {"No route to host", "No route to host", STATUS_CONNECT},
    {"Network is unreachable", "Network is unreachable", STATUS_CONNECT},
    {"Connection reset", "Connection reset by peer", STATUS_CONNECT},
    {"unexpected eof while reading", "the server has ended the connection without TLS's own end",
     STATUS_MALFORMED},
    {"verify error", "the server's certificate is not accepted", STATUS_CONNECT},
};

/* Fills *err with why openssl has ended, by what it said. */
static int via_explain_tls(const struct via_program *program, struct error *err)
{
    static const char refusal[] = "HTTP CONNECT failed, reason=";
    const char *what = program->is_up ? "" : "connect to ", *line = program->said;
    const char *refused = strstr(line, refusal);
    const bool by_proxy = *program->proxy && strstr(line, "connect:errno"); /* to it */
    if (refused && *program->proxy) {
        refused += strlen(refusal);
        refused += *refused == ' ';
        return error_set(err, STATUS_REFUSED, "connect to %s: proxy %s: %.*s", program->asked,
                         program->proxy, (int)strcspn(refused, "\r\n"), refused);
    }
    for (size_t i = 0; i < sizeof tls_failures / sizeof *tls_failures; i++) {
        const int status = tls_failures[i].status;
        if (strstr(program->said, tls_failures[i].said))
            return error_set(err,
                             program->is_up && status == STATUS_CONNECT ? STATUS_TRANSFER : status,
                             "%s%s%s%s: %s", what, program->asked,
                             by_proxy ? ": proxy " : " by TLS", by_proxy ? program->proxy : "",
                             tls_failures[i].meaning);
    }
    if (program->is_up)
        return error_set(err, STATUS_TRANSFER, "%s by TLS: openssl ended with status %d",
                         program->asked, program_status(&program->program));
    return error_set(err, STATUS_CONNECT,
                     "connect to %s by TLS: openssl ended with status %d%s%.*s", program->asked,
                     program_status(&program->program), *line ? ": " : "", (int)strcspn(line, "\n"),
                     line);
}

/* Fills *err with why a program that has ended has failed. */
static int via_explain(const struct via_program *program, bool received, struct error *err)
{
    const int status = program_status(&program->program), end = program->program.end;
    if (!program->via->command)
        return via_explain_tls(program, err);
    error_set(err,
              status == STATUS_CANNOT_RUN || status == STATUS_NOT_FOUND ? status
              : received                                                ? STATUS_TRANSFER
                                                                        : STATUS_CONNECT,
              "connect to %s by '%.100s': ", program->asked, program->shown);
    if (WIFSIGNALED(end))
        return error_add(err, "it was ended by signal %d (%s)", WTERMSIG(end),
                         strsignal(WTERMSIG(end)));
    return error_add(err, "it ended with status %d", status);
}

/* Life */

static void via_free(struct via_program *program)
{
    loop_timer_cancel(program->loop, &program->up);
    loop_timer_cancel(program->loop, &program->grace);
    if (program->messages.fd >= 0) {
        loop_unwatch(program->loop, &program->messages);
        close(program->messages.fd);
    }
    if (program->fd >= 0)
        close(program->fd);
    list_remove(&program->via->programs, &program->node);
    if (program->via->is_drained && !program->via->programs.count)
        loop_stop(program->loop, 0);
    free(program->shown);
    free(program);
}

/* Hands our end of the socket over. */
static void via_hand_over(struct via_program *program)
{
    void (*done)(void *, int, const struct error *) = program->done;
    int fd = program->fd;
    program->done = NULL;
    program->fd = -1;
    program->is_up = true;
    done(program->context, fd, NULL);
}

/* Tells the owner that there is no connection, and frees the program. */
static void via_fail(struct via_program *program, const struct error *err)
{
    void (*done)(void *, int, const struct error *) = program->done;
    void *context = program->context;
    via_free(program);
    done(context, -1, err);
}

static void via_is_up(struct timer *timer)
{
    struct via_program *program = LOOP_OWNER(timer, struct via_program, up);
    if (program->program.id || program->ended) {
        via_hand_over(program);
        return;
    }
    struct error err; /* it could not be started */
    error_set(&err, program->program.end, "%s", program->said);
    via_fail(program, &err);
}

/* Takes what openssl has written, of which the last is kept. Returns false at its end. */
static bool via_take_messages(struct via_program *program)
{
    char chunk[1024];
    for (;;) {
        ssize_t got = read(program->messages.fd, chunk, sizeof chunk);
        if (got <= 0)
            return got < 0 && (errno == EAGAIN || errno == EINTR);
        size_t length = (size_t)got, room = sizeof program->said - 1;
        if (program->length + length > room) {
            size_t dropped = program->length + length - room;
            memmove(program->said, program->said + dropped, program->length - dropped);
            program->length -= dropped;
        }
        for (size_t i = 0; i < length; i++)
            if (!chunk[i])
                chunk[i] = ' ';
        memcpy(program->said + program->length, chunk, length);
        program->length += length;
        program->said[program->length] = '\0';
    }
}

static void via_read_messages(struct watch *watch, uint32_t events)
{
    struct via_program *program = LOOP_OWNER(watch, struct via_program, messages);
    (void)events;
    if (!via_take_messages(program)) {
        loop_unwatch(program->loop, watch);
        close(watch->fd);
        watch->fd = -1;
    }
    if (program->done && strstr(program->said, "CONNECTION ESTABLISHED"))
        via_hand_over(program);
}

/* Informs the owner that the program has ended. */
static void via_tell_end(struct timer *timer)
{
    struct via_program *program = LOOP_OWNER(timer, struct via_program, up);
    void (*gone)(void *, const struct error *) = program->gone;
    void *context = program->context;
    struct error err;
    const bool failed = program_status(&program->program) != 0 && !program->was_ended;
    if (failed)
        via_explain(program, false, &err);
    program->gone = NULL;
    if (program->is_left)
        via_free(program);
    gone(context, failed ? &err : NULL);
}

void via_await_end(struct via_program *program,
                   void (*gone)(void *context, const struct error *err), void *context)
{
    program->gone = gone;
    program->context = context;
    program->up.fired = via_tell_end;
    if (program->ended)
        loop_timer_set(program->loop, &program->up, 0);
}

static void via_program_ended(struct program *ended)
{
    struct via_program *program = LOOP_OWNER(ended, struct via_program, program);
    struct error err;
    program->ended = true;
    loop_timer_cancel(program->loop, &program->grace);
    if (program->messages.fd >= 0)
        via_take_messages(program);
    log_note(LOG_LEVEL_INFO, "%s ended with status %d", program->shown, program_status(ended));
    if (program->gone) {
        via_tell_end(&program->up);
    } else if (program->is_left) {
        via_free(program);
    } else if (program->is_awaited) {
        loop_stop(program->loop, 0);
    } else if (program->done && !loop_timer_is_set(&program->up)) {
        via_explain(program, false, &err);
        via_fail(program, &err);
    }
}

struct via_program *via_start(struct loop *loop, struct via *via, const struct address *address,
                              void (*done)(void *context, int fd, const struct error *err),
                              void *context)
{
    struct via_program *program = memory_new(1, sizeof *program);
    const char *host = *address->host ? address->host : "localhost";
    struct via_tls tls = {.words = {"/bin/sh", "-c", NULL, NULL}};
    char *password;
    const char **env = via_make_environment(via, &password);
    int pair[2] = {-1, -1}, messages[2] = {-1, -1};
    struct error err;
    *program = (struct via_program){.loop = loop,
                                    .via = via,
                                    .program.ended = via_program_ended,
                                    .fd = -1,
                                    .up.fired = via_is_up,
                                    .messages = {.fd = -1, .ready = via_read_messages},
                                    .done = done,
                                    .context = context};
    list_append(&via->programs, &program->node);
    address_text(address, false, program->asked);
    if (via->proxy)
        address_text(&via->proxy->address, false, program->proxy);
    if (via->command) {
        program->shown = via_expand(via->command, host, address->port);
        tls.words[2] = program->shown;
    } else {
        program->shown = memory_copy("openssl", strlen("openssl"));
        via_tls_words(via, address, &tls);
    }
    int result = children_init(via->children, loop, &err);
    if (result == 0 && (sock_pair(pair) < 0 || (!via->command && pipe2(messages, O_CLOEXEC) < 0)))
        result = error_system(&err, STATUS_IMPOSSIBLE, errno, "start %s", program->shown);
    if (result == 0) {
        sock_make_room(pair[1]); /* it writes on while we nap, or are busy */
        const struct program_spec spec = {.argv = tls.words,
                                          .env = env,
                                          .socket = pair[1],
                                          .messages = via->command ? 0 : messages[1]};
        descriptors_close_on_exec();
        result = program_start(via->children, &program->program, &spec, &err);
        if (result < 0 && !via->command)
            error_set(&err, STATUS_CONNECT,
                      "connect to %s by TLS: openssl(1) is needed for it and cannot be run: %s",
                      program->asked, strerror(err.errnum));
    }
    memory_wipe(password);
    free(env);
    if (pair[1] >= 0)
        close(pair[1]);
    if (messages[1] >= 0)
        close(messages[1]);
    program->fd = pair[0];
    program->messages.fd = messages[0];
    if (result < 0) {
        snprintf(program->said, sizeof program->said, "%s", err.text);
        program->program.end = err.status;
    } else if (!via->command) {
        fcntl(messages[0], F_SETFL, O_NONBLOCK);
        loop_watch(loop, &program->messages, EPOLLIN);
        return program;
    }
    loop_timer_set(loop, &program->up, 0);
    return program;
}

/* The end */

static void via_grace_timeout(struct timer *timer)
{
    struct via_program *program = LOOP_OWNER(timer, struct via_program, grace);
    program->was_ended = true;
    program_stop(&program->program, SIGTERM, GRACE_MS);
}

/* Gives the program a second to see that its socket is closed; `now`: it need not be given that. */
static void via_dismiss(struct via_program *program, bool now)
{
    program->grace.fired = via_grace_timeout;
    if (now)
        via_grace_timeout(&program->grace);
    else
        loop_timer_set(program->loop, &program->grace, GRACE_MS);
}

/* See via_leave; `now`: see via_dismiss. */
static void via_part(struct via_program *program, bool now)
{
    if (!program->program.id && !program->gone) {
        via_free(program);
        return;
    }
    program->done = NULL;
    program->is_left = true;
    if (program->ended)
        return; /* it is freed when that is told */
    loop_timer_cancel(program->loop, &program->up);
    if (program->fd >= 0)
        close(program->fd);
    program->fd = -1;
    via_dismiss(program, now);
}

void via_leave(struct via_program *program)
{
    via_part(program, !program->is_up);
}

void via_abort(struct via_program *program)
{
    via_part(program, true);
}

/* Says whether a program's failure may be behind how its connection ended. */
static bool via_may_explain(int result, const struct error *err)
{
    return result == 0 || (!err->signal_number &&
                           (err->status == STATUS_TRANSFER || err->status == STATUS_EXPECT ||
                            err->status == STATUS_MALFORMED));
}

int via_end(struct via_program *program, int fd, bool received, int result, struct error *err)
{
    char byte;
    const bool has_ended = program->ended ||
                           (fd >= 0 && sock_recv_flags(fd, &byte, 1, MSG_PEEK) == 0);
    if (fd >= 0)
        sock_close(fd);
    if (program->program.id) {
        program->is_awaited = true;
        via_dismiss(program, result < 0 && !via_may_explain(result, err));
        loop_await(program->loop, (int64_t)3 * GRACE_MS, NULL);
        program_kill(&program->program);
    }
    if (has_ended && !program->was_ended && program->ended &&
        program_status(&program->program) != 0 && via_may_explain(result, err))
        result = via_explain(program, received, err);
    via_free(program);
    return result;
}

void via_drain(struct via *via, struct loop *loop)
{
    if (!via->programs.count)
        return;
    via->is_drained = true;
    loop_await(loop, -1, NULL);
    via->is_drained = false;
}

void via_release(struct via *via)
{
    LIST_EACH (struct via_program, program, &via->programs, node) {
        program_kill(&program->program);
        via_free(program);
    }
}
