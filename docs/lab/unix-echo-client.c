/*
 * unix-echo-client [PATH]: sends each line of standard input to the UNIX socket PATH (echo_socket)
 * and prints what comes back for it.
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
    if (connect(server, (struct sockaddr *)&address, sizeof address) == -1)
        die(path);

    char line[100], answer[100];
    while (fgets(line, sizeof line, stdin)) {
        size_t length = strlen(line);
        if (send(server, line, length, MSG_NOSIGNAL) != (ssize_t)length)
            die("send");
        /* As much comes back as was sent, but perhaps not in one piece. */
        for (size_t got = 0; got < length;) {
            ssize_t count = recv(server, answer, length - got, 0);
            if (count == -1)
                die("recv");
            if (count == 0) {
                fprintf(stderr, "the server has closed\n");
                return 1;
            }
            fwrite(answer, 1, (size_t)count, stdout);
            got += (size_t)count;
        }
        fflush(stdout);
    }
    close(server);
    return 0;
}
