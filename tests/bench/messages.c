/*
 * What the kernel allows to those who pass messages in native frames: the smallest programs that do
 * what unix-serve and unix-send are measured at. As in limit.c, errors are not explained.
 *
 *     messages send SIZE N BATCH PATH          N messages to PATH, BATCH of them a write
 *     messages crowd SIZE N BATCH CLIENTS PATH     the same from CLIENTS clients in turn, N each
 *     messages serve each|batch PATH           prints what any number of clients send, a write for
 *                                              each message or for each read; until it is killed
 *
 * A sender is done when the server has closed, which it does at the end of what is sent.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { ROOM = 65536, EVENTS = 64, PREFIX = 4 };

struct client {
    int fd;
    size_t length;
    char *rest; /* of a frame that is not whole yet */
};

static char buffer[2 * ROOM];
static char out[2 * ROOM];

static void check(int fine)
{
    if (!fine)
        _exit(1);
}

static int open_socket(const char *path, int listening)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    strncpy(name.sun_path, path, sizeof name.sun_path - 1);
    check((listening ? bind : connect)(fd, (struct sockaddr *)&name, sizeof name) == 0);
    return fd;
}

/* Sending */

static size_t make_frames(int size, long batch)
{
    const int length = size + 1;
    size_t at = 0;
    while (batch--) {
        check(at + (size_t)size + PREFIX + 1 <= sizeof buffer);
        memcpy(buffer + at, &length, PREFIX);
        memset(buffer + at + PREFIX, 'x', (size_t)size);
        at += (size_t)size + PREFIX + 1;
        buffer[at - 1] = '\0';
    }
    return at;
}

static void wait_for_end(int fd)
{
    shutdown(fd, SHUT_WR);
    check(read(fd, out, sizeof out) == 0);
}

static void crowd(int argc, char **argv)
{
    const int clients = argc == 7 ? atoi(argv[5]) : 1;
    const long batch = atol(argv[4]);
    const size_t length = make_frames(atoi(argv[2]), batch);
    int *fds = calloc((size_t)clients, sizeof *fds);
    for (int i = 0; i < clients; i++)
        fds[i] = open_socket(argv[argc - 1], 0);
    for (long left = atol(argv[3]); left > 0; left -= batch)
        for (int i = 0; i < clients; i++)
            check(write(fds[i], buffer, length) == (ssize_t)length);
    for (int i = 0; i < clients; i++)
        wait_for_end(fds[i]);
}

/* Serving */

static void print(const char *bytes, size_t length)
{
    check(!length || write(1, bytes, length) == (ssize_t)length);
}

/* Returns how many of the `length` bytes of the buffer are whole frames. */
static size_t print_frames(size_t length, int each)
{
    size_t at = 0, printed = 0;
    for (int size; at + PREFIX <= length; at += PREFIX + (size_t)size) {
        memcpy(&size, buffer + at, PREFIX);
        check(size > 0 && size < ROOM);
        if (at + PREFIX + (size_t)size > length)
            break;
        memcpy(out + printed, buffer + at + PREFIX, (size_t)size);
        printed += (size_t)size;
        out[printed - 1] = '\n';
        if (each) {
            print(out, printed);
            printed = 0;
        }
    }
    print(out, printed);
    return at;
}

static void hear(struct client *client, int each)
{
    memcpy(buffer, client->rest, client->length);
    ssize_t got = read(client->fd, buffer + client->length, ROOM);
    if (got <= 0) {
        close(client->fd);
        free(client->rest);
        free(client);
        return;
    }
    const size_t length = client->length + (size_t)got;
    const size_t done = print_frames(length, each);
    client->length = length - done;
    client->rest = realloc(client->rest, client->length + 1);
    memcpy(client->rest, buffer + done, client->length);
}

static void serve(const char *path, int each)
{
    struct epoll_event events[EVENTS], event = {.events = EPOLLIN};
    int listener = open_socket(path, 1), poll = epoll_create1(0);
    check(listen(listener, 4096) == 0);
    epoll_ctl(poll, EPOLL_CTL_ADD, listener, &event);
    for (;;) {
        int count = epoll_wait(poll, events, EVENTS, -1);
        for (int i = 0; i < count; i++) {
            if (events[i].data.ptr) {
                hear(events[i].data.ptr, each);
                continue;
            }
            struct client *client = calloc(1, sizeof *client);
            client->fd = accept(listener, NULL, NULL);
            client->rest = malloc(1);
            event.data.ptr = client;
            epoll_ctl(poll, EPOLL_CTL_ADD, client->fd, &event);
        }
    }
}

int main(int argc, char **argv)
{
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    if (argc == 4 && strcmp(argv[1], "serve") == 0)
        serve(argv[3], strcmp(argv[2], "each") == 0);
    check(argc == 6 || argc == 7);
    crowd(argc, argv);
    return 0;
}
