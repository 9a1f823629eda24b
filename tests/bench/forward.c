/*
 * The clients and the far side of a forwarder that is measured, and the smallest forwarder that
 * there can be, on 127.0.0.1. Ends with status 1, unexplained, when anything fails.
 *
 *     forward echo PORT                 sends back what it gets
 *     forward sink PORT                 reads and forgets
 *     forward fill PORT BYTES           sends so many, then waits for the end
 *     forward load PORT COUNT SECONDS   COUNT connections, 64 bytes there and back: rate, p50, p99 us
 *     forward churn PORT SECONDS        16 at a time: connect, 64 bytes there and back, close: rate
 *     forward join PORT TO              the limit: copies, and splices what fills its buffer twice
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { BUFFER = 65536, PIPE = 1 << 20, PING = 64, EVENTS = 256, FDS_MAX = 1 << 16, CHURN = 16 };
enum { SAMPLES_MAX = 1 << 22 };

static char buffer[BUFFER];
static int epoll;

static void check(int fine)
{
    if (!fine)
        _exit(1);
}

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static struct sockaddr_in name_of(const char *port)
{
    return (struct sockaddr_in){.sin_family = AF_INET,
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                                .sin_port = htons((unsigned short)atoi(port))};
}

static int open_listener(const char *port)
{
    struct sockaddr_in name = name_of(port);
    int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    check(bind(fd, (void *)&name, sizeof name) == 0 && listen(fd, 4096) == 0);
    return fd;
}

static int open_client(const char *port, int flags)
{
    struct sockaddr_in name = name_of(port);
    int one = 1, fd = socket(AF_INET, SOCK_STREAM | flags, 0);
    check(fd >= 0 && fd < FDS_MAX);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    check(connect(fd, (void *)&name, sizeof name) == 0 || errno == EINPROGRESS);
    return fd;
}

static void watch(int fd, unsigned events)
{
    struct epoll_event event = {.events = events, .data.fd = fd};
    check(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0);
}

/* Servers */

static void serve(const char *port, int echoes)
{
    struct epoll_event events[EVENTS];
    static char large[PIPE];
    int listener = open_listener(port);
    watch(listener, EPOLLIN);
    for (;;) {
        int count = epoll_wait(epoll, events, EVENTS, -1);
        for (int i = 0; i < count; i++) {
            int fd = events[i].data.fd;
            if (fd == listener) {
                for (int client; (client = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0;)
                    watch(client, EPOLLIN);
                continue;
            }
            ssize_t got = recv(fd, large, echoes ? BUFFER : PIPE, echoes ? 0 : MSG_TRUNC);
            if (got > 0 && echoes)
                send(fd, large, (size_t)got, MSG_NOSIGNAL);
            else if (got == 0 || (got < 0 && errno != EAGAIN))
                close(fd);
        }
    }
}

/* Clients */

static void fill(const char *port, long long bytes)
{
    const off_t piece = 64 << 20;
    int source = memfd_create("source", 0), fd = open_client(port, 0);
    check(ftruncate(source, piece) == 0);
    while (bytes > 0) {
        off_t at = 0;
        size_t most = (size_t)(bytes < piece ? bytes : piece);
        ssize_t sent = sendfile(fd, source, &at, most);
        check(sent > 0);
        bytes -= sent;
    }
    shutdown(fd, SHUT_WR);
    check(read(fd, buffer, 1) == 0);
}

static int by_value(const void *one, const void *other)
{
    float a = *(const float *)one, b = *(const float *)other;
    return (a > b) - (a < b);
}

static void load(const char *port, int count, double seconds)
{
    static double sent_at[FDS_MAX];
    static float samples[SAMPLES_MAX];
    static int fds[FDS_MAX];
    struct epoll_event events[EVENTS];
    size_t done = 0;
    for (int i = 0; i < count; i++) {
        fds[i] = open_client(port, 0);
        watch(fds[i], EPOLLIN);
    }
    double began = now();
    for (int i = 0; i < count; i++) {
        sent_at[fds[i]] = now();
        check(send(fds[i], buffer, PING, 0) == PING);
    }
    while (now() - began < seconds && done < SAMPLES_MAX - EVENTS) {
        int ready = epoll_wait(epoll, events, EVENTS, 1000);
        for (int i = 0; i < ready; i++) {
            int fd = events[i].data.fd;
            check(recv(fd, buffer, BUFFER, 0) == PING);
            double time = now();
            samples[done++] = (float)((time - sent_at[fd]) * 1e6);
            sent_at[fd] = time;
            check(send(fd, buffer, PING, 0) == PING);
        }
    }
    double lasted = now() - began;
    qsort(samples, done, sizeof *samples, by_value);
    printf("%.0f %.0f %.0f\n", (double)done / lasted, (double)samples[done / 2],
           (double)samples[done * 99 / 100]);
}

static void churn_one(const char *port)
{
    int fd = open_client(port, SOCK_NONBLOCK);
    watch(fd, EPOLLOUT | EPOLLIN | EPOLLET);
}

static void churn(const char *port, double seconds)
{
    static char sent[FDS_MAX];
    struct epoll_event events[EVENTS];
    double began = now();
    long done = 0;
    for (int i = 0; i < CHURN; i++)
        churn_one(port);
    while (now() - began < seconds) {
        int ready = epoll_wait(epoll, events, EVENTS, 1000);
        check(ready > 0);
        for (int i = 0; i < ready; i++) {
            int fd = events[i].data.fd;
            if (!sent[fd] && events[i].events & EPOLLOUT)
                sent[fd] = send(fd, buffer, PING, MSG_NOSIGNAL) == PING;
            if (!(events[i].events & EPOLLIN))
                continue;
            check(recv(fd, buffer, BUFFER, 0) == PING);
            close(fd);
            sent[fd] = 0;
            done++;
            churn_one(port);
        }
    }
    printf("%.0f\n", (double)done / (now() - began));
}

/* The limit: each socket is registered once, edge-triggered; bytes that do not go on at once are
 * dropped into a pipe of their own. No limits, no half-close but the last, no names. */

struct way {
    int pipe[2]; /* -1: none */
    size_t piped;
    int full; /* reads in a row */
    int ended;
};

static struct way ways[FDS_MAX]; /* by the descriptor that is read */
static int others[FDS_MAX];

static int need_pipe(struct way *way)
{
    if (way->pipe[0] < 0) {
        if (pipe2(way->pipe, O_NONBLOCK) < 0)
            return -1;
        fcntl(way->pipe[1], F_SETPIPE_SZ, PIPE);
    }
    return 0;
}

/* 1: go on; 0: nothing more for now; -1: it is over. */
static int splice_on(struct way *way, int in, int out)
{
    if (!way->piped) {
        ssize_t got = need_pipe(way) < 0 ? -1
                                         : splice(in, NULL, way->pipe[1], NULL, PIPE,
                                                  SPLICE_F_NONBLOCK | SPLICE_F_MOVE);
        if (got <= 0)
            return got < 0 && errno == EAGAIN ? 0 : -1;
        way->piped = (size_t)got;
    }
    ssize_t moved = splice(way->pipe[0], NULL, out, NULL, way->piped,
                           SPLICE_F_NONBLOCK | SPLICE_F_MOVE);
    if (moved < 0)
        return errno == EAGAIN ? 0 : -1;
    way->piped -= (size_t)moved;
    return 1;
}

static int move(int in)
{
    struct way *way = &ways[in];
    int out = others[in];
    if (way->full >= 2 || way->piped)
        return splice_on(way, in, out);
    ssize_t got = recv(in, buffer, BUFFER, 0);
    if (got <= 0)
        return got < 0 && errno == EAGAIN ? 0 : -1;
    way->full = got == BUFFER ? way->full + 1 : 0;
    ssize_t sent = send(out, buffer, (size_t)got, MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN)
        return -1;
    sent = sent < 0 ? 0 : sent;
    if (sent == got)
        return got == BUFFER;
    check(need_pipe(way) == 0 && write(way->pipe[1], buffer + sent, (size_t)(got - sent)) > 0);
    way->piped = (size_t)(got - sent);
    return 0;
}

static void part(int fd)
{
    int both[] = {fd, others[fd]};
    for (int i = 0; i < 2; i++) {
        struct way *way = &ways[both[i]];
        if (way->pipe[0] >= 0) {
            close(way->pipe[0]);
            close(way->pipe[1]);
        }
        close(both[i]);
        others[both[i]] = 0;
    }
}

static void join_client(int client, const char *to)
{
    int far = open_client(to, SOCK_NONBLOCK);
    others[client] = far;
    others[far] = client;
    ways[client] = ways[far] = (struct way){.pipe = {-1, -1}};
    watch(client, EPOLLIN | EPOLLOUT | EPOLLET);
    watch(far, EPOLLIN | EPOLLOUT | EPOLLET);
}

static void join(const char *port, const char *to)
{
    struct epoll_event events[EVENTS];
    int listener = open_listener(port);
    watch(listener, EPOLLIN);
    for (;;) {
        int count = epoll_wait(epoll, events, EVENTS, -1);
        for (int i = 0; i < count; i++) {
            int fd = events[i].data.fd, result = 0;
            if (fd == listener) {
                for (int client; (client = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0;)
                    join_client(client, to);
                continue;
            }
            if (!others[fd])
                continue;
            if (events[i].events & ~(unsigned)EPOLLOUT)
                while ((result = move(fd)) > 0)
                    continue;
            if (result >= 0 && events[i].events & EPOLLOUT)
                while ((result = move(others[fd])) > 0)
                    continue;
            if (result < 0)
                part(fd);
        }
    }
}

int main(int argc, char **argv)
{
    check(argc > 2);
    signal(SIGPIPE, SIG_IGN);
    epoll = epoll_create1(0);
    if (strcmp(argv[1], "echo") == 0)
        serve(argv[2], 1);
    else if (strcmp(argv[1], "sink") == 0)
        serve(argv[2], 0);
    else if (strcmp(argv[1], "fill") == 0 && argc == 4)
        fill(argv[2], atoll(argv[3]));
    else if (strcmp(argv[1], "load") == 0 && argc == 5)
        load(argv[2], atoi(argv[3]), atof(argv[4]));
    else if (strcmp(argv[1], "churn") == 0 && argc == 4)
        churn(argv[2], atof(argv[3]));
    else if (strcmp(argv[1], "join") == 0 && argc == 4)
        join(argv[2], argv[3]);
    else
        return 1;
    return 0;
}
