/*
 * What the kernel allows to a client of HTTP: as limit.c.
 *
 *     limit_http get splice|copy PORT PATH     the body of a URL of this machine to stdout, until it closes
 *     limit_http chunks splice|copy PORT BYTES the same of a body of that many bytes in chunks of 32 KiB
 *     limit_http serve PORT BYTES              such a body, to each client, one after the other
 *     limit_http rss COMMAND…                  runs it, and says on stderr how many KiB it had at most
 *
 * Errors end it with status 1 and are not explained: this measures, it does not work.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "limit_move.h"

enum { CHUNK = 32768, BODY_CHUNK = CHUNK + 8 };

static int open_socket(const char *port, struct sockaddr_in *name)
{
    *name = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    name->sin_port = htons((unsigned short)atoi(port));
    return socket(AF_INET, SOCK_STREAM, 0);
}

/* HTTP */

static int ask(const char *where, const char *path)
{
    char request[512];
    struct sockaddr_in name;
    int fd = open_socket(where, &name);
    check(connect(fd, (const void *)&name, sizeof name) == 0);
    int length = snprintf(request, sizeof request,
                          "GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", path);
    check(write(fd, request, (size_t)length) == length);
    return fd;
}

/* To the end of the head, a byte at a time: nothing of the body is copied. */
static void skip_head(int fd)
{
    char byte = 0;
    for (int ends = 0; ends < 2;) {
        check(read(fd, &byte, 1) == 1);
        if (byte != '\r')
            ends = byte == '\n' ? ends + 1 : 0;
    }
}

static void get(const char *way, const char *where, const char *path)
{
    int fd = ask(where, path);
    skip_head(fd);
    if (strcmp(way, "splice") == 0)
        splice_all(fd, 1);
    else
        copy(fd, 1);
}

static void read_fully(int fd, char *bytes, ssize_t length)
{
    for (ssize_t got; length; length -= got, bytes += got) {
        got = read(fd, bytes, (size_t)length);
        check(got > 0);
    }
}

static void splice_part(int in, int out, ssize_t length)
{
    for (ssize_t moved; length; length -= moved) {
        moved = splice(in, NULL, out, NULL, (size_t)length, SPLICE_F_MOVE);
        check(moved > 0);
    }
}

/* "8000\r\n", the data, "\r\n": what is known needs no parser. */
static void get_chunks(const char *way, const char *where, long long bytes)
{
    int fd = ask(where, "/"), between[2];
    check(pipe(between) == 0);
    fcntl(is_pipe(1) ? 1 : between[1], F_SETPIPE_SZ, PIPE);
    skip_head(fd);
    for (; bytes > 0; bytes -= CHUNK) {
        if (strcmp(way, "copy") == 0) {
            read_fully(fd, buffer, BODY_CHUNK);
            check(write(1, buffer + 6, CHUNK) == CHUNK);
            continue;
        }
        read_fully(fd, buffer, 6);
        splice_part(fd, is_pipe(1) ? 1 : between[1], CHUNK);
        if (!is_pipe(1))
            splice_part(between[0], 1, CHUNK);
        read_fully(fd, buffer, 2);
    }
}

static void write_fully(int fd, const char *bytes, size_t length)
{
    while (length) {
        ssize_t wrote = write(fd, bytes, length);
        if (wrote <= 0)
            return; /* the client has gone */
        bytes += wrote;
        length -= (size_t)wrote;
    }
}

static void serve_client(int client, long long bytes)
{
    static const char head[] = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    enum { AT_ONCE = BUFFER / BODY_CHUNK };
    for (int i = 0; i < AT_ONCE; i++) {
        memcpy(buffer + i * BODY_CHUNK, "8000\r\n", 6);
        memcpy(buffer + i * BODY_CHUNK + 6 + CHUNK, "\r\n", 2);
    }
    skip_head(client);
    write_fully(client, head, sizeof head - 1);
    for (long long left = bytes / CHUNK; left > 0; left -= AT_ONCE)
        write_fully(client, buffer, BODY_CHUNK * (size_t)(left < AT_ONCE ? left : AT_ONCE));
    write_fully(client, "0\r\n\r\n", 5);
}

static void serve(const char *where, long long bytes)
{
    struct sockaddr_in name;
    int one = 1, fd = open_socket(where, &name);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    check(bind(fd, (const void *)&name, sizeof name) == 0 && listen(fd, 1) == 0);
    signal(SIGPIPE, SIG_IGN);
    for (;;) {
        int client = accept(fd, NULL, NULL);
        serve_client(client, bytes);
        shutdown(client, SHUT_WR);
        while (read(client, buffer, 64) > 0)
            continue;
        close(client);
    }
}

/* A child inherits the mark of whoever forks it: so that has to be a small program. */
static void run(char **command)
{
    struct rusage usage;
    int status;
    pid_t child = fork();
    if (child == 0) {
        execvp(*command, command);
        _exit(1);
    }
    check(wait4(child, &status, 0, &usage) == child && status == 0);
    fprintf(stderr, "%ld\n", usage.ru_maxrss);
}

int main(int argc, char **argv)
{
    check(argc > 3 || (argc > 2 && strcmp(argv[1], "rss") == 0));
    if (strcmp(argv[1], "rss") == 0)
        run(argv + 2);
    else if (strcmp(argv[1], "get") == 0 && argc == 5)
        get(argv[2], argv[3], argv[4]);
    else if (strcmp(argv[1], "chunks") == 0 && argc == 5)
        get_chunks(argv[2], argv[3], atoll(argv[4]));
    else if (strcmp(argv[1], "serve") == 0)
        serve(argv[2], atoll(argv[3]));
    return 0;
}
