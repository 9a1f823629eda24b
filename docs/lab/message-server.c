/*
 * message-server PATH: prints the messages that clients send to the UNIX socket PATH, one client
 * after the other, until a message is "quit". A message is an int, the length of the text with its
 * NUL, and then the text and its NUL.
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

/* Returns 1 when the client has said quit, 0 when it has gone. */
static int serve(int client)
{
    int length;
    /* MSG_WAITALL: not before all of it has come, or the client has closed. */
    while (recv(client, &length, sizeof length, MSG_WAITALL) == (ssize_t)sizeof length) {
        /* Never trust a length that comes from outside. */
        char text[4096];
        if (length < 1 || length > (int)sizeof text) {
            fprintf(stderr, "a length of %d: not our kind of client\n", length);
            return 0;
        }
        if (recv(client, text, (size_t)length, MSG_WAITALL) != length) {
            fprintf(stderr, "half a message\n");
            return 0;
        }
        text[length - 1] = '\0';
        puts(text);
        if (strcmp(text, "quit") == 0)
            return 1;
    }
    return 0;
}

int main(int argc, char **argv)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (argc != 2 || strlen(argv[1]) >= sizeof address.sun_path) {
        fprintf(stderr, "usage: message-server PATH\n");
        return 2;
    }
    strcpy(address.sun_path, argv[1]);
    setvbuf(stdout, NULL, _IOLBF, 0); /* each line at once, into a file, too */

    int server = socket(AF_UNIX, SOCK_STREAM, 0), quit = 0;
    if (server == -1)
        die("socket");
    if (bind(server, (struct sockaddr *)&address, sizeof address) == -1)
        die(argv[1]); /* bind() makes the file: it must not be there */
    if (listen(server, 5) == -1)
        die("listen");
    printf("listening on %s\n", argv[1]);
    while (!quit) {
        int client = accept(server, NULL, NULL);
        if (client == -1)
            die("accept");
        quit = serve(client);
        close(client);
    }
    close(server);
    unlink(argv[1]); /* close() leaves the file */
    return 0;
}
