/*
 * The address grammar: the first byte is what was said beside the address, the rest one word, or
 * two with a line end between them. What is taken holds what the header promises; what is refused
 * has a reason of one short line.
 */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "net/address.h"
#include "net/hostname.h"

static void require(int truth)
{
    if (!truth)
        abort();
}

static void check_port(const struct address *address, bool listening)
{
    const char *port = address->port;
    size_t length = strnlen(port, sizeof address->port);
    require(length > 0 && length <= ADDRESS_PORT_MAX && !strpbrk(port, " +./:\n"));
    if (strspn(port, "0123456789") == length)
        require(length <= 5 && atol(port) <= 65535 && (listening || atol(port) > 0));
}

static void check_inet(const struct address *address, bool listening)
{
    size_t length = strnlen(address->host, sizeof address->host);
    require(length <= ADDRESS_HOST_MAX && !strpbrk(address->host, " /[]*@\n"));
    require(address->socktype == SOCK_STREAM || address->socktype == SOCK_DGRAM);
    if (strchr(address->host, ':'))
        require(address->family != AF_INET);
    check_port(address, listening);
}

static void check_raw(const struct address *address, bool listening)
{
    const bool is_ping = address->socktype == SOCK_DGRAM;
    require(is_ping || address->socktype == SOCK_RAW);
    require(listening || *address->host);
    require(!strpbrk(address->host, " /[]*@\n"));
    require(address->protocol == -1 || (address->protocol > 0 && address->protocol <= UINT8_MAX));
    require(strnlen(address->port, sizeof address->port) <= ADDRESS_PORT_MAX);
    if (is_ping)
        require(!listening && address->family != AF_UNSPEC && !*address->port);
    else
        require(*address->port && (address->protocol > 0 || !strchr("0123456789", *address->port) ||
                                   address->port[strspn(address->port, "0123456789")]));
    if (strchr(address->host, ':'))
        require(address->family == AF_INET6);
}

/* As the socket calls would take it, and back. */
static void check_unix(const struct address *address)
{
    struct sockname name;
    char text[SOCKNAME_TEXT_MAX];
    require(address->path[0] && strlen(address->path) <= ADDRESS_PATH_MAX + (size_t)1);
    require(address->abstract == (address->path[0] == '@'));
    sockname_of_unix(&name, address);
    require(name.length <= sizeof(struct sockaddr_un));
    require(strcmp(sockname_text(&name, text) + strlen("unix:"), address->path) == 0);
}

static void check(const struct address *address, bool listening)
{
    char text[ADDRESS_TEXT_MAX];
    require(strlen(address_text(address, listening, text)) < sizeof text);
    switch (address->kind) {
    case ADDRESS_INET:
        check_inet(address, listening);
        break;
    case ADDRESS_UNIX:
        check_unix(address);
        break;
    case ADDRESS_VSOCK:
        require(listening || address->cid != UINT32_MAX);
        break;
    case ADDRESS_RAW:
        check_raw(address, listening);
        break;
    case ADDRESS_FD:
        require(address->fd >= 0);
        break;
    case ADDRESS_SYSTEMD:
        require(strlen(address->path) <= ADDRESS_PATH_MAX);
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const int families[] = {AF_UNSPEC, AF_INET, AF_INET6, AF_UNSPEC};
    uint8_t flags = size ? data[0] : 0;
    const struct address_use use = {.listening = flags & 1,
                                    .udp = flags & 2,
                                    .unix_socket = flags & 4,
                                    .family = families[(flags >> 3) & 3]};
    char *text = calloc(size + 1, 1);
    struct address address;
    struct error err;
    require(text != NULL);
    if (size)
        memcpy(text, data + 1, size - 1);
    char *second = strchr(text, '\n');
    if (second)
        *second++ = '\0';
    const char *const words[] = {text, second};
    if (address_parse(&address, words, second ? 2 : 1, &use, &err) == 0)
        check(&address, use.listening);
    else
        require(err.status == STATUS_USAGE && *err.text && strlen(err.text) <= 300);
    hostname_check(text);
    free(text);
    return 0;
}
