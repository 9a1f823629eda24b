/*
 * While the name is not known, whoever is to be connected waits in a row, and one dialer, which is
 * nobody's in particular, asks. The first in the row gets what it has connected; the others connect to
 * what was found, each with a dialer of its own, or fail for the reason that it failed.
 */
#include "cmd/listen/forward_dial.h"

#include <stdlib.h>

#include "base/memory.h"
#include "net/hostname.h"
#include "sys/sock.h"

static void dial_enter_row(struct forward_dial *dial)
{
    struct forward_dials *dials = dial->dials;
    dial->previous = dials->last;
    *(dials->last ? &dials->last->next : &dials->first) = dial;
    dials->last = dial;
}

static void dial_leave_row(struct forward_dial *dial)
{
    struct forward_dials *dials = dial->dials;
    *(dial->previous ? &dial->previous->next : &dials->first) = dial->next;
    *(dial->next ? &dial->next->previous : &dials->last) = dial->previous;
    dial->next = dial->previous = NULL;
}

static bool dials_know(const struct forward_dials *dials)
{
    return !dials->is_name || dials->how->known->count;
}

/* The dial goes first, then its owner hears of it. */
static void dial_end(struct forward_dial *dial, const struct connection *connection,
                     const struct error *err)
{
    void (*done)(void *, const struct connection *, const struct error *) = dial->done;
    void *context = dial->context;
    free(dial);
    done(context, connection, err);
}

static void dial_concluded(void *context, const struct connection *connection,
                           const struct error *err)
{
    dial_end(context, connection, err);
}

static struct forward_dial *dials_take_first(struct forward_dials *dials)
{
    struct forward_dial *first = dials->first;
    dial_leave_row(first);
    return first;
}

static void dials_ask(struct forward_dials *dials);

/* Those who wait connect now, if the name is known; else somebody has to ask again. */
static void dials_go_on(struct forward_dials *dials)
{
    while (dials->first && dials_know(dials)) {
        struct forward_dial *next = dials_take_first(dials);
        next->dialer = dial_start(dials->loop, dials->to, dials->how, dial_concluded, next);
    }
    if (dials->first && !dials->asking)
        dials_ask(dials);
}

static void dials_fail(struct forward_dials *dials, const struct error *err)
{
    const struct error reason = *err;
    while (dials->first)
        dial_end(dials_take_first(dials), NULL, &reason);
}

static void dials_asked(void *context, const struct connection *connection, const struct error *err)
{
    struct forward_dials *dials = context;
    dials->asking = NULL;
    if (connection && dials->first)
        dial_end(dials_take_first(dials), connection, NULL);
    else if (connection)
        sock_close(connection->fd);
    else
        dials_fail(dials, err);
    dials_go_on(dials);
}

static void dials_ask(struct forward_dials *dials)
{
    dials->asking = dial_start(dials->loop, dials->to, dials->how, dials_asked, dials);
}

void forward_dials_release(struct forward_dials *dials)
{
    if (dials->asking)
        dial_cancel(dials->asking);
    dials->asking = NULL;
}

void forward_dials_init(struct forward_dials *dials)
{
    struct sockname literal;
    struct error ignored;
    dials->is_name = dials->to->kind == ADDRESS_INET &&
                     hostname_read_literal(dials->to->host, &literal, &ignored) != 1;
}

struct forward_dial *forward_dial_start(struct forward_dials *dials,
                                        void (*done)(void *context,
                                                     const struct connection *connection,
                                                     const struct error *err),
                                        void *context)
{
    struct forward_dial *started = memory_new(1, sizeof *started);
    *started = (struct forward_dial){.dials = dials, .done = done, .context = context};
    dial_enter_row(started);
    dials_go_on(dials);
    return started;
}

void forward_dial_cancel(struct forward_dial *dial)
{
    if (dial->dialer)
        dial_cancel(dial->dialer);
    else
        dial_leave_row(dial);
    free(dial);
}
