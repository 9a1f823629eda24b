/*
 * udp-server [PORT]: prints each datagram that comes to a UDP port (9999), and sends it back to
 * whoever sent it. There is no connection: no listen(), no accept(). "quit" ends it.
 */
#include <arpa/inet.h>
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
    int port = argc > 1 ? atoi(argv[1]) : 9999;
    struct sockaddr_in address = {.sin_family = AF_INET};
    address.sin_port = htons((unsigned short)port);
    address.sin_addr.s_addr = htonl(INADDR_ANY);

    int server = socket(AF_INET, SOCK_DGRAM, 0);
    if (server == -1)
        die("socket");
    if (bind(server, (struct sockaddr *)&address, sizeof address) == -1)
        die("bind");
    setvbuf(stdout, NULL, _IOLBF, 0);
    printf("listening on port %d\n", port);

    for (;;) {
        char data[65536]; /* no datagram is longer; of one that does not fit the rest is lost */
        struct sockaddr_in client;
        socklen_t length =
            sizeof client; /* recvfrom() wants to know the room, and says what it took */
        ssize_t count = recvfrom(server, data, sizeof data, 0, (struct sockaddr *)&client, &length);
        if (count == -1)
            die("recvfrom");
        printf("%zd bytes from %s, port %d: %.*s", count, inet_ntoa(client.sin_addr),
               ntohs(client.sin_port), (int)count, data);
        if (count == 0 || data[count - 1] != '\n')
            printf("\n");
        if (sendto(server, data, (size_t)count, 0, (struct sockaddr *)&client, length) == -1)
            perror("sendto");
        if (count == 5 && memcmp(data, "quit\n", 5) == 0)
            break;
    }
    close(server);
    return 0;
}
