/*
 * The load for an echo server, each byte of it compared, and the smallest server that can bear it.
 *
 *     echo serve                       says its port, then serves
 *     echo ping PORT CLIENTS SECONDS   each client: 64 bytes there and back, again and again
 *     echo new PORT CLIENTS SECONDS    the same with a new connection each time
 *     echo idle PORT CLIENTS           once each; then says "up" and stays until stdin ends
 *
 * ping and new print: round trips a second, the median and the 99th per cent in microseconds.
 * Errors end it with status 1 and are not explained: this measures, it does not work.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    MESSAGE = 64,
    BUFFER = 65536,
    BATCH = 256,
    SOURCES = 100,  /* addresses that clients come from: more than 64 k ports */
    TIMES = 1 << 20 /* of round trips that are kept; later ones take the places of the first */
};

struct client {
    int fd;
    uint32_t number;
    uint32_t turn;
    size_t got;
    int64_t began_ns;
};

static struct sockaddr_in server;
static int epoll;
static uint32_t times_us[TIMES];
static uint64_t trips;
static int renews; /* a connection for each round trip */

static void check(int fine)
{
    if (!fine)
        _exit(1);
}

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void watch(int fd, epoll_data_t data)
{
    struct epoll_event event = {.events = EPOLLIN, .data = data};
    check(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0);
}

static void take_clients(int listener)
{
    int client;
    while ((client = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0)
        watch(client, (epoll_data_t){.fd = client});
}

/* What comes in one read goes out in one write: a client of this program never has more than a
 * message under way. */
static void send_back(int fd)
{
    static char buffer[BUFFER];
    ssize_t got = recv(fd, buffer, sizeof buffer, 0);
    if (got <= 0 || send(fd, buffer, (size_t)got, MSG_NOSIGNAL) != got)
        close(fd);
}

/* The limit. */
static void serve(void)
{
    struct epoll_event events[BATCH];
    struct sockaddr_in name = {.sin_family = AF_INET};
    socklen_t length = sizeof name;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    check(listener >= 0 &&
          setsockopt(listener, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int)) == 0);
    check(bind(listener, (void *)&name, length) == 0 && listen(listener, 4096) == 0);
    check(getsockname(listener, (void *)&name, &length) == 0);
    printf("%d\n", ntohs(name.sin_port));
    fflush(stdout);
    watch(listener, (epoll_data_t){.fd = listener});
    for (;;) {
        int count = epoll_wait(epoll, events, BATCH, -1);
        for (int i = 0; i < count; i++)
            if (events[i].data.fd == listener)
                take_clients(listener);
            else
                send_back(events[i].data.fd);
    }
}

/* A message that only this client sends in this turn. */
static void write_message(const struct client *client, char *out)
{
    uint32_t state = client->number * 2654435761u ^ (client->turn * 40503u + 1);
    for (size_t i = 0; i < MESSAGE; i += sizeof state) {
        state = state * 1664525 + 1013904223;
        memcpy(out + i, &state, sizeof state);
    }
}

static void ask(struct client *client)
{
    char message[MESSAGE];
    write_message(client, message);
    client->got = 0;
    if (!renews)
        client->began_ns = now_ns();
    check(send(client->fd, message, MESSAGE, MSG_NOSIGNAL) == MESSAGE);
}

static void join(struct client *client)
{
    struct sockaddr_in source = {.sin_family = AF_INET};
    source.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1 + client->number % SOURCES);
    client->began_ns = now_ns();
    client->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    check(client->fd >= 0);
    setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    setsockopt(client->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &(int){1}, sizeof(int));
    check(bind(client->fd, (void *)&source, sizeof source) == 0);
    check(connect(client->fd, (void *)&server, sizeof server) == 0);
    watch(client->fd, (epoll_data_t){.ptr = client});
}

static void take_answer(struct client *client)
{
    char answer[MESSAGE + 1], message[MESSAGE];
    ssize_t got = recv(client->fd, answer, sizeof answer - client->got, MSG_DONTWAIT);
    if (got < 0 && errno == EAGAIN)
        return;
    write_message(client, message);
    check(got > 0 && client->got + (size_t)got <= MESSAGE);
    check(memcmp(answer, message + client->got, (size_t)got) == 0);
    client->got += (size_t)got;
    if (client->got < MESSAGE)
        return;
    times_us[trips++ % TIMES] = (uint32_t)((now_ns() - client->began_ns) / 1000);
    client->turn++;
    if (renews) {
        close(client->fd);
        join(client);
    }
    ask(client);
}

static int compare(const void *one, const void *other)
{
    uint32_t a = *(const uint32_t *)one, b = *(const uint32_t *)other;
    return (a > b) - (a < b);
}

static void load(struct client *clients, int count, double seconds)
{
    struct epoll_event events[BATCH];
    int64_t began_ns = now_ns(), end_ns = began_ns + (int64_t)(seconds * 1e9);
    for (int i = 0; i < count; i++)
        ask(&clients[i]);
    while (now_ns() < end_ns) {
        int ready = epoll_wait(epoll, events, BATCH, 1000);
        check(ready > 0);
        for (int i = 0; i < ready; i++)
            take_answer(events[i].data.ptr);
    }
    double took = (double)(now_ns() - began_ns) / 1e9;
    size_t kept = trips < TIMES ? (size_t)trips : TIMES;
    qsort(times_us, kept, sizeof *times_us, compare);
    printf("%.0f %u %u\n", (double)trips / took, times_us[kept / 2], times_us[kept * 99 / 100]);
}

static void stay(struct client *clients, int count)
{
    char message[MESSAGE];
    for (int i = 0; i < count; i++) {
        ask(&clients[i]);
        check(recv(clients[i].fd, message, MESSAGE, MSG_WAITALL) == MESSAGE);
    }
    puts("up");
    fflush(stdout);
    while (read(STDIN_FILENO, message, sizeof message) > 0)
        ;
}

int main(int argc, char **argv)
{
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    epoll = epoll_create1(EPOLL_CLOEXEC);
    check(argc > 1);
    if (strcmp(argv[1], "serve") == 0)
        serve();
    check(argc > 3);
    server.sin_family = AF_INET;
    server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    server.sin_port = htons((uint16_t)strtol(argv[2], NULL, 10));
    int count = (int)strtol(argv[3], NULL, 10);
    struct client *clients = calloc((size_t)count, sizeof *clients);
    check(clients != NULL);
    for (int i = 0; i < count; i++) {
        clients[i].number = (uint32_t)i;
        join(&clients[i]);
    }
    renews = strcmp(argv[1], "new") == 0;
    if (strcmp(argv[1], "idle") == 0)
        stay(clients, count);
    else
        load(clients, count, strtod(argv[4], NULL));
    return 0;
}
