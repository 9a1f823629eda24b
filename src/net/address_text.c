#include "net/address_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void inet_text(const struct address *address, bool listening, char *out)
{
    const char *host = address->host;
    if (!*host)
        host = listening ? "*" : "localhost";
    bool brackets = strchr(host, ':') != NULL;
    snprintf(out, ADDRESS_TEXT_MAX, "%s%s%s:%s", brackets ? "[" : "", host, brackets ? "]" : "",
             address->port);
}

char *address_text(const struct address *address, bool listening, char *out)
{
    switch (address->kind) {
    case ADDRESS_INET:
        inet_text(address, listening, out);
        break;
    case ADDRESS_UNIX:
        snprintf(out, ADDRESS_TEXT_MAX, "unix:%s", address->path);
        break;
    case ADDRESS_VSOCK:
        snprintf(out, ADDRESS_TEXT_MAX, "vsock:%" PRIu32 ":%" PRIu32, address->cid,
                 address->vsock_port);
        break;
    case ADDRESS_FD:
        snprintf(out, ADDRESS_TEXT_MAX, "fd:%d", address->fd);
        break;
    case ADDRESS_SYSTEMD:
        snprintf(out, ADDRESS_TEXT_MAX, "systemd%s%s", *address->path ? ":" : "", address->path);
        break;
    }
    return out;
}
