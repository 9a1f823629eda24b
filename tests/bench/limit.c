/*
 * What the kernel allows: the smallest programs that do what sockctl is measured at.
 *
 *     limit gen BYTES                     zeros to stdout, 64 KiB a write
 *     limit drain                         stdin to nowhere, 128 KiB a read
 *     limit send splice|copy PORT|PATH    stdin to a socket, then its end, then waits for the peer's
 *     limit recv splice|copy PORT|PATH    one client of a socket to stdout; says when it listens
 *     limit ping N PORT                   N times 64 bytes there and back, microseconds on stdout
 *     limit seqpacket SIZE N                N seqpacket to stdout, a pipe, which it puts in packet mode
 *     limit udp-pass PORT                 each read of stdin in a datagram
 *     limit udp-send SIZE N PORT          N datagrams, as fast as they go
 *     limit udp-recv SIZE PORT            until 0.3 s of silence; datagrams, those of another size,
 *                                         and seconds from the first to the last on stdout
 *     limit relay PORT                    stdin to a socket and back to stdout, copied
 *     limit through N CMD…                N times 64 bytes into CMD and back out of it, microseconds
 *     limit resolve NAME                  its addresses, by getaddrinfo(3) alone
 *     limit hello                         nothing
 *
 * Errors end it with status 1 and are not explained: this measures, it does not work.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "limit_move.h"

enum { PING = 64, UDP_ROOM = 4 << 20 };

static int open_socket(const char *where, int listening)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    const void *name = &in;
    socklen_t length = sizeof in;
    if (strchr(where, '/')) {
        name = &un;
        length = sizeof un;
        strncpy(un.sun_path, where, sizeof un.sun_path - 1);
    }
    in.sin_port = htons((unsigned short)atoi(where));
    int one = 1, fd = socket(name == &in ? AF_INET : AF_UNIX, SOCK_STREAM, 0);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (!listening) {
        check(connect(fd, name, length) == 0);
        return fd;
    }
    check(bind(fd, name, length) == 0 && listen(fd, 1) == 0);
    fputs("listening\n", stderr);
    return accept(fd, NULL, NULL);
}

static void transfer(int sends, const char *way, const char *where)
{
    int fd = open_socket(where, !sends);
    int in = sends ? 0 : fd, out = sends ? fd : 1;
    if (strcmp(way, "splice") == 0)
        splice_all(in, out);
    else
        copy(in, out);
    if (!sends)
        return;
    shutdown(fd, SHUT_WR);
    while (read(fd, buffer, sizeof buffer) > 0)
        continue;
}

static void generate(long long bytes)
{
    for (const long long most = 65536; bytes > 0;) {
        ssize_t wrote = write(1, buffer, (size_t)(bytes < most ? bytes : most));
        check(wrote > 0);
        bytes -= wrote;
    }
}

static void ping(int count, int out, int in)
{
    for (int i = 0; i < count; i++) {
        struct timespec before, after;
        clock_gettime(CLOCK_MONOTONIC, &before);
        check(write(out, buffer, PING) == PING);
        for (ssize_t got = 0, part; got < PING; got += part) {
            part = read(in, buffer, sizeof buffer);
            check(part > 0);
        }
        clock_gettime(CLOCK_MONOTONIC, &after);
        printf("%.2f\n", (double)(after.tv_sec - before.tv_sec) * 1e6 +
                             (double)(after.tv_nsec - before.tv_nsec) / 1e3);
    }
}

static int open_udp(const char *port, int listening)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int room = UDP_ROOM, fd = socket(AF_INET, SOCK_DGRAM, 0);
    in.sin_port = htons((unsigned short)atoi(port));
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
    check((listening ? bind : connect)(fd, (struct sockaddr *)&in, sizeof in) == 0);
    return fd;
}

static void write_packets(size_t size, long count)
{
    fcntl(1, F_SETFL, fcntl(1, F_GETFL) | O_DIRECT);
    while (count--)
        check(write(1, buffer, size) == (ssize_t)size);
}

static void udp_pass(int fd)
{
    for (ssize_t got; (got = read(0, buffer, sizeof buffer)) > 0;)
        check(send(fd, buffer, (size_t)got, 0) == got);
}

static void udp_send(int fd, size_t size, long count)
{
    while (count--)
        check(send(fd, buffer, size, 0) == (ssize_t)size);
}

static void udp_recv(int fd, ssize_t size)
{
    struct timeval grace = {.tv_sec = 5};
    struct timespec first, last;
    long count = 0, others = 0;
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &grace, sizeof grace);
    for (ssize_t got; (got = recv(fd, buffer, sizeof buffer, 0)) >= 0; count++) {
        clock_gettime(CLOCK_MONOTONIC, count ? &last : &first);
        others += got != size;
        grace = (struct timeval){.tv_usec = 300000};
        if (!count)
            setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &grace, sizeof grace);
    }
    check(count > 1);
    printf("%ld %ld %f\n", count, others,
           (double)(last.tv_sec - first.tv_sec) + (double)(last.tv_nsec - first.tv_nsec) / 1e9);
}

static int udp(int argc, char **argv)
{
    if (strcmp(argv[1], "packets") == 0 && argc == 4)
        write_packets((size_t)atoi(argv[2]), atol(argv[3]));
    else if (strcmp(argv[1], "udp-pass") == 0 && argc == 3)
        udp_pass(open_udp(argv[2], 0));
    else if (strcmp(argv[1], "udp-send") == 0 && argc == 5)
        udp_send(open_udp(argv[4], 0), (size_t)atoi(argv[2]), atol(argv[3]));
    else if (strcmp(argv[1], "udp-recv") == 0 && argc == 4)
        udp_recv(open_udp(argv[3], 1), atoi(argv[2]));
    else
        return 0;
    return 1;
}

static void ping_socket(int count, const char *where)
{
    int fd = open_socket(where, 0);
    ping(count, fd, fd);
}

static void ping_through(int count, char **command)
{
    int up[2], down[2];
    check(pipe2(up, O_CLOEXEC) == 0 && pipe2(down, O_CLOEXEC) == 0);
    pid_t child = fork();
    if (child == 0) {
        dup2(up[0], 0);
        dup2(down[1], 1);
        execvp(command[0], command);
        _exit(1);
    }
    check(child > 0);
    ping(count, up[1], down[0]);
    kill(child, SIGTERM);
}

static void copy_once(int in, int out)
{
    ssize_t got = read(in, buffer, sizeof buffer);
    check(got > 0 && write(out, buffer, (size_t)got) == got);
}

static void relay(const char *where)
{
    int fd = open_socket(where, 0);
    struct pollfd ends[] = {{.fd = 0, .events = POLLIN}, {.fd = fd, .events = POLLIN}};
    while (poll(ends, 2, -1) > 0) {
        if (ends[0].revents)
            copy_once(0, fd);
        if (ends[1].revents)
            copy_once(fd, 1);
    }
}

static void look_up(const char *name)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_CANONNAME};
    struct addrinfo *found;
    char address[INET6_ADDRSTRLEN];
    check(getaddrinfo(name, NULL, &hints, &found) == 0);
    for (const struct addrinfo *at = found; at; at = at->ai_next)
        if (getnameinfo(at->ai_addr, at->ai_addrlen, address, sizeof address, NULL, 0,
                        NI_NUMERICHOST) == 0)
            puts(address);
    freeaddrinfo(found);
}

int main(int argc, char **argv)
{
    check(argc > 1);
    if (udp(argc, argv))
        return 0;
    if (strcmp(argv[1], "gen") == 0 && argc == 3)
        generate(atoll(argv[2]));
    else if (strcmp(argv[1], "drain") == 0)
        while (read(0, buffer, 131072) > 0)
            continue;
    else if (strcmp(argv[1], "ping") == 0 && argc == 4)
        ping_socket(atoi(argv[2]), argv[3]);
    else if (strcmp(argv[1], "through") == 0 && argc > 3)
        ping_through(atoi(argv[2]), argv + 3);
    else if (strcmp(argv[1], "relay") == 0 && argc == 3)
        relay(argv[2]);
    else if (strcmp(argv[1], "resolve") == 0 && argc == 3)
        look_up(argv[2]);
    else if (strcmp(argv[1], "hello") != 0 && argc == 4)
        transfer(strcmp(argv[1], "send") == 0, argv[2], argv[3]);
    return 0;
}
