/*
 * get HOST [PORT [PATH]]: asks a web server (port 80) for PATH (/) in the words of HTTP, and prints
 * whatever comes, the head of the answer included.
 */
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* The first of the host's addresses that answers, or the end. */
static int connect_to(const char *host, const char *port)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list;
    int fd = -1, why = getaddrinfo(host, port, &hints, &list);
    if (why != 0) {
        fprintf(stderr, "%s: %s\n", host, gai_strerror(why));
        exit(1);
    }
    for (struct addrinfo *one = list; one && fd == -1; one = one->ai_next) {
        fd = socket(one->ai_family, one->ai_socktype, one->ai_protocol);
        if (fd != -1 && connect(fd, one->ai_addr, one->ai_addrlen) == -1) {
            perror(host);
            close(fd);
            fd = -1;
        }
    }
    freeaddrinfo(list);
    if (fd == -1)
        exit(1);
    return fd;
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        fprintf(stderr, "usage: get HOST [PORT [PATH]]\n");
        return 2;
    }
    const char *host = argv[1], *port = argc > 2 ? argv[2] : "80", *path = argc > 3 ? argv[3] : "/";

    /* Each line ends in CR LF, and an empty one ends the request. */
    char request[1024];
    int length = snprintf(request, sizeof request, "GET %s HTTP/1.0\r\nHost: %s\r\n\r\n", path,
                          host);
    if (length < 0 || length >= (int)sizeof request) {
        fprintf(stderr, "that is too long\n");
        return 2;
    }

    int server = connect_to(host, port);
    if (send(server, request, (size_t)length, MSG_NOSIGNAL) != length) {
        perror("send");
        return 1;
    }
    char buffer[4096];
    ssize_t count;
    while ((count = recv(server, buffer, sizeof buffer, 0)) > 0)
        fwrite(buffer, 1, (size_t)count, stdout);
    if (count == -1) {
        perror("recv");
        return 1;
    }
    close(server);
    return 0;
}
