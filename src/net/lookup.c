/*
 * A host name looked up by getaddrinfo(3) on threads of its own.
 *
 * A look-up belongs to whoever began it and to each of its threads; the last that leaves it frees it.
 * A thread asks for one part, puts the answer into that part's place unless another thread was there
 * first, writes to the eventfd and leaves. The owner reads the eventfd, which orders what the thread
 * wrote before what the owner reads. Nothing else is shared, so nothing is locked.
 */
#include "net/lookup.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/memory.h"
#include "net/address.h"
#include "net/hostname.h"

/* What one thread, or one after the other, asks for. */
struct lookup_question {
    struct lookup *lookup;
    struct addrinfo hints;
    struct lookup_answer answer;
    atomic_bool claimed; /* by the thread that writes the answer */
    atomic_bool ready;
};

struct lookup {
    char host[ADDRESS_HOST_MAX + 1];
    struct lookup_question questions[LOOKUP_PARTS];
    int ready; /* eventfd(2) */
    atomic_int owners;
};

struct lookup *lookup_new(const char *host, int family, int socktype)
{
    const int families[LOOKUP_PARTS] = {family, AF_INET, AF_INET6};
    struct lookup *lookup = memory_new(1, sizeof *lookup);
    memcpy(lookup->host, host, strlen(host));
    for (size_t i = 0; i < LOOKUP_PARTS; i++) {
        struct lookup_question *question = &lookup->questions[i];
        question->lookup = lookup;
        question->hints.ai_family = families[i];
        question->hints.ai_socktype = socktype;
        /* By their canonical names the families are told to be one host's. */
        question->hints.ai_flags = i == LOOKUP_WHOLE ? 0 : AI_CANONNAME;
    }
    atomic_init(&lookup->owners, 1);
    lookup->ready = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (lookup->ready >= 0)
        return lookup;
    free(lookup);
    return NULL;
}

void lookup_leave(struct lookup *lookup)
{
    if (atomic_fetch_sub(&lookup->owners, 1) > 1)
        return;
    for (size_t i = 0; i < LOOKUP_PARTS; i++)
        if (lookup->questions[i].answer.found)
            freeaddrinfo(lookup->questions[i].answer.found);
    close(lookup->ready);
    free(lookup);
}

static void *lookup_thread(void *argument)
{
    struct lookup_question *question = argument;
    struct lookup *lookup = question->lookup;
    struct lookup_answer answer = {.found = NULL};
    answer.code = hostname_look_up(lookup->host, NULL, &question->hints, &answer.found);
    answer.errnum = errno;
    if (!atomic_exchange(&question->claimed, true)) {
        question->answer = answer;
        atomic_store(&question->ready, true);
        if (eventfd_write(lookup->ready, 1) < 0)
            memory_impossible("eventfd_write failed");
    } else if (!answer.code) {
        freeaddrinfo(answer.found);
    }
    lookup_leave(lookup);
    return NULL;
}

/* Every signal is the loop's. */
int lookup_ask(struct lookup *lookup, enum lookup_part part)
{
    pthread_t thread;
    sigset_t all, before;
    atomic_fetch_add(&lookup->owners, 1);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failure = pthread_create(&thread, NULL, lookup_thread, &lookup->questions[part]);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!failure)
        pthread_detach(thread);
    else
        atomic_fetch_sub(&lookup->owners, 1);
    return failure;
}

int lookup_fd(const struct lookup *lookup)
{
    return lookup->ready;
}

const struct lookup_answer *lookup_answer(const struct lookup *lookup, enum lookup_part part)
{
    const struct lookup_question *question = &lookup->questions[part];
    return atomic_load(&question->ready) ? &question->answer : NULL;
}
