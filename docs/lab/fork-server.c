/*
 * fork-server [PORT]: sends a line to each client of a TCP port (3490), each from a process of its
 * own, so that a slow client keeps none of the others waiting. It ends with ctrl-C.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static void die(const char *what)
{
    perror(what);
    exit(1);
}

/* A child that has ended is a zombie until it is waited for. Signals that come together are one. */
static void reap(int signal)
{
    int saved = errno; /* whatever the server was about to look at */
    (void)signal;
    while (waitpid(-1, NULL, WNOHANG) > 0)
        ;
    errno = saved;
}

static void serve(int client)
{
    const char *text = "This is a test string from server!\n";
    if (send(client, text, strlen(text), MSG_NOSIGNAL) == -1)
        perror("send");
    close(client);
}

int main(int argc, char **argv)
{
    int port = argc > 1 ? atoi(argv[1]) : 3490, on = 1;
    struct sockaddr_in address = {.sin_family = AF_INET};
    address.sin_port = htons((unsigned short)port);
    address.sin_addr.s_addr = htonl(INADDR_ANY);

    /* SA_RESTART: accept() goes on when the handler has run. */
    struct sigaction action = {.sa_handler = reap, .sa_flags = SA_RESTART};
    if (sigaction(SIGCHLD, &action, NULL) == -1)
        die("sigaction");

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
    fflush(stdout); /* or each child would have it in its buffer, and print it again */

    for (;;) {
        int client = accept(server, NULL, NULL);
        if (client == -1)
            die("accept");
        pid_t child = fork();
        if (child == -1)
            perror("fork"); /* this client has bad luck */
        if (child == 0) {
            close(server); /* the child's copy */
            serve(client);
            return 0;
        }
        close(client); /* ours: the connection ends when the last copy is closed */
    }
}
