/*
 * fork-client [HOST [PORT]]: the client of fork-server (this machine, 3490). It asks for the host as
 * it was done before getaddrinfo().
 */
#include <arpa/inet.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void die(const char *what)
{
    perror(what);
    exit(1);
}

int main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "localhost";
    int port = argc > 2 ? atoi(argv[2]) : 3490;

    const struct hostent *host = gethostbyname(name);
    if (!host) {
        fprintf(stderr, "%s: %s\n", name, hstrerror(h_errno));
        return 1;
    }
    struct sockaddr_in address = {.sin_family = AF_INET};
    address.sin_port = htons((unsigned short)port);
    memcpy(&address.sin_addr, host->h_addr_list[0], sizeof address.sin_addr);

    int server = socket(AF_INET, SOCK_STREAM, 0);
    if (server == -1)
        die("socket");
    if (connect(server, (struct sockaddr *)&address, sizeof address) == -1)
        die("connect");

    /* A line, or less if the server closes first; in as many parts as it comes in. */
    char text[100] = "";
    size_t length = 0;
    while (!strchr(text, '\n') && length < sizeof text - 1) {
        ssize_t count = recv(server, text + length, sizeof text - 1 - length, 0);
        if (count == -1)
            die("recv");
        if (count == 0)
            break;
        length += (size_t)count;
        text[length] = '\0'; /* what comes from a socket has no NUL at its end */
    }
    printf("Received: %s", text);
    close(server);
    return 0;
}
