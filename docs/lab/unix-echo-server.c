/*
 * unix-echo-server [PATH]: sends back whatever a client sends to the UNIX socket PATH (echo_socket),
 * one client after the other, until it is interrupted with ctrl-C.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static void echo(int client)
{
    char buffer[100];
    ssize_t count;
    while ((count = recv(client, buffer, sizeof buffer, 0)) > 0) {
        for (ssize_t sent = 0, more; sent < count; sent += more) {
            more = send(client, buffer + sent, (size_t)(count - sent), MSG_NOSIGNAL);
            if (more == -1) {
                perror("send"); /* that client's end, not the server's */
                return;
            }
        }
    }
}

int main(int argc, char **argv)
{
    const char *path = argc > 1 ? argv[1] : "echo_socket";
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path) {
        fprintf(stderr, "%s: too long for a socket's name\n", path);
        return 2;
    }
    strcpy(address.sun_path, path);

    int server = socket(AF_UNIX, SOCK_STREAM, 0);
    if (server == -1)
        die("socket");
    unlink(path); /* the file of a server that was interrupted is still there */
    if (bind(server, (struct sockaddr *)&address, sizeof address) == -1)
        die(path);
    if (listen(server, 5) == -1)
        die("listen");
    printf("listening on %s\n", path);
    fflush(stdout);
    for (;;) {
        int client = accept(server, NULL, NULL);
        if (client == -1)
            die("accept");
        echo(client);
        close(client);
    }
}
