#include "cmd/serve/pending_clients.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/memory.h"
#include "cli/report.h"
#include "sys/sock.h"

struct pending_client {
    struct pending_clients *pending_clients;
    struct pending_client *next;
    struct pending_client **link; /* what points to it */
    struct proxy_header_reader *reader;
    struct sockname peer;
    int fd;
};

static void forget(struct pending_client *pending_client)
{
    *pending_client->link = pending_client->next;
    if (pending_client->next)
        pending_client->next->link = pending_client->link;
    pending_client->pending_clients->count--;
    free(pending_client);
}

/* Who closes without a byte is a load balancer that looks whether we are there. */
static void refuse(struct pending_client *pending_client, const char *complaint)
{
    struct pending_clients *pending_clients = pending_client->pending_clients;
    char name[SOCKNAME_TEXT_MAX];
    sockname_text(&pending_client->peer, name);
    if (complaint)
        report_warning("%s: %s", name, complaint);
    else
        log_note(LOG_LEVEL_INFO, "%s: closed without a byte, as health checks do", name);
    sock_close(pending_client->fd);
    forget(pending_client);
    pending_clients->refused(pending_clients);
}

static void header_came(void *context, const struct proxied_ends *proxied, const char *complaint)
{
    struct pending_client *pending_client = context;
    struct pending_clients *pending_clients = pending_client->pending_clients;
    if (!proxied) {
        refuse(pending_client, complaint);
        return;
    }
    const struct pending_client gone = *pending_client;
    forget(pending_client);
    pending_clients->came(pending_clients, gone.fd, &gone.peer, proxied);
}

void pending_clients_add(struct pending_clients *pending_clients, int fd,
                         const struct sockname *peer)
{
    struct pending_client *pending_client = memory_new(1, sizeof *pending_client);
    pending_client->pending_clients = pending_clients;
    pending_client->peer = *peer;
    pending_client->fd = fd;
    pending_client->next = pending_clients->first;
    pending_client->link = &pending_clients->first;
    if (pending_client->next)
        pending_client->next->link = &pending_client->next;
    pending_clients->first = pending_client;
    pending_clients->count++;
    pending_client->reader = proxy_header_await(pending_clients->loop, fd,
                                                pending_clients->limit_ms, header_came,
                                                pending_client);
}

void pending_clients_close(struct pending_clients *pending_clients)
{
    while (pending_clients->first) {
        proxy_header_cancel(pending_clients->first->reader);
        sock_close(pending_clients->first->fd);
        forget(pending_clients->first);
    }
}
