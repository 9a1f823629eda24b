/*
 * print-server [PORT]: the answer to two exercises: tcp-server, but it prints what its clients send,
 * and it serves many of them at once, each by a process of its own. It ends with ctrl-C.
 */
#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static void print_all(int client)
{
    char buffer[1024];
    ssize_t count;
    while ((count = recv(client, buffer, sizeof buffer, 0)) > 0) {
        fwrite(buffer, 1, (size_t)count, stdout);
        fflush(stdout);
    }
    if (count == -1)
        perror("recv");
}

int main(int argc, char **argv)
{
    int port = argc > 1 ? atoi(argv[1]) : 8080, on = 1;
    struct sockaddr_in address = {.sin_family = AF_INET};
    address.sin_port = htons((unsigned short)port);
    address.sin_addr.s_addr = htonl(INADDR_ANY);

    int server = socket(AF_INET, SOCK_STREAM, 0);
    if (server == -1)
        die("socket");
    if (setsockopt(server, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == -1)
        die("setsockopt");
    if (bind(server, (struct sockaddr *)&address, sizeof address) == -1)
        die("bind");
    if (listen(server, 10) == -1)
        die("listen");
    printf("listening on port %d\n", port);
    fflush(stdout);
    signal(SIGCHLD, SIG_IGN); /* no zombies: nobody wants to know how a child has ended */

    for (;;) {
        int client = accept(server, NULL, NULL);
        if (client == -1)
            die("accept");
        switch (fork()) {
        case -1:
            perror("fork");
            break;
        case 0:
            close(server);
            print_all(client);
            return 0;
        }
        close(client);
    }
}
