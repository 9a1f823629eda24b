/*
 * The lab's UNIX client: sends each text as an int length and so many bytes with their NUL.
 *
 *     lab_client PATH TEXT…
 */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    if (argc < 3 || strlen(argv[1]) >= sizeof name.sun_path)
        return 2;
    strcpy(name.sun_path, argv[1]);
    int server = socket(AF_UNIX, SOCK_STREAM, 0);
    if (connect(server, (struct sockaddr *)&name, sizeof name)) {
        perror(argv[1]);
        return 1;
    }
    for (int i = 2; i < argc; i++) {
        int length = (int)strlen(argv[i]) + 1;
        if (write(server, &length, sizeof length) != (ssize_t)sizeof length ||
            write(server, argv[i], (size_t)length) != length) {
            perror("write");
            return 1;
        }
    }
    close(server);
    return 0;
}
