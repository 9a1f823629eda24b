/*
 * tcp-client [PORT]: connects to a TCP port of this machine (8080) and prints what the server sends,
 * until the server closes.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static void die(const char *what)
{
    perror(what);
    exit(1);
}

int main(int argc, char **argv)
{
    int port = argc > 1 ? atoi(argv[1]) : 8080;

    int server = socket(AF_INET, SOCK_STREAM, 0);
    if (server == -1)
        die("socket");

    struct sockaddr_in address = {.sin_family = AF_INET};
    address.sin_port = htons((unsigned short)port);
    if (inet_pton(AF_INET, "127.0.0.1", &address.sin_addr) != 1)
        die("inet_pton");
    if (connect(server, (struct sockaddr *)&address, sizeof address) == -1)
        die("connect"); /* "Connection refused" where nobody listens */

    /* A stream has no messages: what was sent at once may come in parts, so we read until the end. */
    char buffer[1024];
    ssize_t count;
    while ((count = recv(server, buffer, sizeof buffer, 0)) > 0)
        fwrite(buffer, 1, (size_t)count, stdout);
    if (count == -1)
        die("recv");
    close(server); /* count is 0: the server has closed */
    return 0;
}
