/*
 * udp-client [PORT [TEXT]]: sends TEXT ("hello") as one datagram to a UDP port of this machine (9999)
 * and prints the answer. Datagrams get lost: after two seconds it asks again, three times in all.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

static void die(const char *what)
{
    perror(what);
    exit(1);
}

int main(int argc, char **argv)
{
    int port = argc > 1 ? atoi(argv[1]) : 9999;
    char text[1024], answer[65536];
    int length = snprintf(text, sizeof text, "%s\n", argc > 2 ? argv[2] : "hello");
    if (length >= (int)sizeof text) {
        fprintf(stderr, "that is too long\n");
        return 2;
    }

    struct sockaddr_in server = {.sin_family = AF_INET};
    server.sin_port = htons((unsigned short)port);
    server.sin_addr.s_addr = htonl(INADDR_LOOPBACK); /* 127.0.0.1 */

    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    if (fd == -1)
        die("socket");
    struct timeval limit = {.tv_sec = 2};
    if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) == -1)
        die("setsockopt");
    for (int i = 0; i < 3; i++) {
        /* The first sendto() gives the socket a port of ours; the answer comes there. */
        if (sendto(fd, text, (size_t)length, 0, (struct sockaddr *)&server, sizeof server) == -1)
            die("sendto");
        ssize_t count = recvfrom(fd, answer, sizeof answer, 0, NULL, NULL);
        if (count >= 0) {
            fwrite(answer, 1, (size_t)count, stdout);
            close(fd);
            return 0;
        }
        if (errno != EAGAIN)
            die("recvfrom");
    }
    fprintf(stderr, "no answer\n");
    return 1;
}
