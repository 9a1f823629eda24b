/*
 * tcp-server [PORT]: waits for one client on a TCP port (8080), sends it a line, and ends.
 *
 *     socket   asks the kernel for a socket
 *     bind     gives it an address: here, any of this machine's, and the port
 *     listen   makes it one that waits for clients
 *     accept   waits; for each client there is a new socket
 *     send     writes to that one
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
    int port = argc > 1 ? atoi(argv[1]) : 8080;
    const char *hello = "Hello from server!\n";

    int server = socket(AF_INET, SOCK_STREAM, 0);
    if (server == -1)
        die("socket");

    /* Without this, the port is taken for a minute after the server has ended: see TIME_WAIT. */
    int on = 1;
    if (setsockopt(server, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == -1)
        die("setsockopt");

    struct sockaddr_in address = {.sin_family = AF_INET};
    address.sin_port = htons((unsigned short)port); /* the high byte first, as networks have it */
    address.sin_addr.s_addr = htonl(INADDR_ANY);
    if (bind(server, (struct sockaddr *)&address, sizeof address) == -1)
        die("bind");
    if (listen(server, 5) == -1) /* so many clients may wait for accept() */
        die("listen");
    printf("listening on port %d\n", port);
    fflush(stdout);

    int client = accept(server, NULL, NULL);
    if (client == -1)
        die("accept");
    /* The kernel may take less than it was given, though it rarely does for so little. */
    if (send(client, hello, strlen(hello), 0) != (ssize_t)strlen(hello))
        die("send");
    close(client); /* the client's recv() returns 0 */
    close(server);
    return 0;
}
