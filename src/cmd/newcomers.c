#include "cmd/newcomers.h"

#include <stdlib.h>

#include "base/memory.h"
#include "base/message.h"
#include "cli/report.h"
#include "net/sock.h"

struct newcomer {
    struct newcomers *newcomers;
    struct newcomer *next;
    struct newcomer **link; /* what points to it */
    struct announcement *announcement;
    struct sockname peer;
    int fd;
};

static void forget(struct newcomer *newcomer)
{
    *newcomer->link = newcomer->next;
    if (newcomer->next)
        newcomer->next->link = newcomer->link;
    newcomer->newcomers->count--;
    free(newcomer);
}

/* Who closes without a byte is a load balancer that looks whether we are there. */
static void refuse(struct newcomer *newcomer, const char *complaint)
{
    struct newcomers *newcomers = newcomer->newcomers;
    char name[SOCKNAME_TEXT_MAX];
    sockname_text(&newcomer->peer, name);
    if (complaint)
        report_warning("%s: %s", name, complaint);
    else
        message_tell(MESSAGE_STORY, "%s: closed without a byte, as health checks do", name);
    sock_close(newcomer->fd);
    forget(newcomer);
    newcomers->refused(newcomers);
}

static void header_came(void *context, const struct announced *announced, const char *complaint)
{
    struct newcomer *newcomer = context;
    struct newcomers *newcomers = newcomer->newcomers;
    if (!announced) {
        refuse(newcomer, complaint);
        return;
    }
    const struct newcomer gone = *newcomer;
    forget(newcomer);
    newcomers->came(newcomers, gone.fd, &gone.peer, announced);
}

void newcomers_add(struct newcomers *newcomers, int fd, const struct sockname *peer)
{
    struct newcomer *newcomer = memory_new(1, sizeof *newcomer);
    newcomer->newcomers = newcomers;
    newcomer->peer = *peer;
    newcomer->fd = fd;
    newcomer->next = newcomers->first;
    newcomer->link = &newcomers->first;
    if (newcomer->next)
        newcomer->next->link = &newcomer->next;
    newcomers->first = newcomer;
    newcomers->count++;
    newcomer->announcement = announcement_await(newcomers->loop, fd, newcomers->limit_ms,
                                                header_came, newcomer);
}

void newcomers_close(struct newcomers *newcomers)
{
    while (newcomers->first) {
        announcement_cancel(newcomers->first->announcement);
        sock_close(newcomers->first->fd);
        forget(newcomers->first);
    }
}
