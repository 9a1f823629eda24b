/*
 * message-client PATH TEXT...: sends each TEXT as a message to the UNIX socket PATH: an int, the
 * length of the text with its NUL, and then the text and its NUL. "quit" ends the server.
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

/* Sends all of it, in as many calls as it takes. */
static void send_all(int fd, const void *data, size_t length)
{
    const char *rest = data;
    while (length > 0) {
        ssize_t count = send(fd, rest, length,
                             MSG_NOSIGNAL); /* no SIGPIPE if the server has gone */
        if (count == -1)
            die("send");
        rest += count;
        length -= (size_t)count;
    }
}

int main(int argc, char **argv)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (argc < 3 || strlen(argv[1]) >= sizeof address.sun_path) {
        fprintf(stderr, "usage: message-client PATH TEXT...\n");
        return 2;
    }
    strcpy(address.sun_path, argv[1]);

    int server = socket(AF_UNIX, SOCK_STREAM, 0);
    if (server == -1)
        die("socket");
    if (connect(server, (struct sockaddr *)&address, sizeof address) == -1)
        die(argv[1]);
    for (int i = 2; i < argc; i++) {
        int length = (int)strlen(argv[i]) + 1;
        send_all(server, &length, sizeof length); /* in the byte order of this machine */
        send_all(server, argv[i], (size_t)length);
    }
    close(server);
    return 0;
}
