/*
 * The lab's UNIX server: one client at a time, from each an int length and so many bytes of text
 * with its NUL, printed on a line, until a text says quit.
 *
 *     lab_server PATH
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* True when the client said quit. */
static int serve(int client)
{
    int length;
    while (read(client, &length, sizeof length) == (ssize_t)sizeof length) {
        char *text = malloc((size_t)length);
        if (!text || read(client, text, (size_t)length) != length)
            exit(1);
        puts(text);
        int quit = strcmp(text, "quit") == 0;
        free(text);
        if (quit)
            return 1;
    }
    return 0;
}

int main(int argc, char **argv)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    if (argc != 2 || strlen(argv[1]) >= sizeof name.sun_path)
        return 2;
    strcpy(name.sun_path, argv[1]);
    int quit = 0, server = socket(AF_UNIX, SOCK_STREAM, 0);
    if (bind(server, (struct sockaddr *)&name, sizeof name) || listen(server, 5)) {
        perror(argv[1]);
        return 1;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    while (!quit) {
        int client = accept(server, NULL, NULL);
        quit = serve(client);
        close(client);
    }
    close(server);
    unlink(argv[1]);
    return 0;
}
