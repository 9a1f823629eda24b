/*
 * hostent NAME...: what gethostbyname() knows of each NAME: struct hostent, field by field. It knows
 * IPv4 alone, and its answer lies in a static variable that the next call overwrites; what replaced
 * it is in addrinfo.c.
 */
#include <arpa/inet.h>
#include <netdb.h>
#include <stdio.h>
#include <sys/socket.h>

static int print_host(const char *name)
{
    const struct hostent *host = gethostbyname(name);
    if (!host) {
        fprintf(stderr, "%s: %s\n", name,
                hstrerror(h_errno)); /* not errno: a variable of its own */
        return 1;
    }
    printf("h_name       %s\n", host->h_name);
    for (char **alias = host->h_aliases; *alias; alias++)
        printf("h_aliases    %s\n", *alias);
    printf("h_addrtype   %s\n", host->h_addrtype == AF_INET ? "AF_INET" : "another");
    printf("h_length     %d\n", host->h_length);
    /* Each address is h_length bytes in network order, and no text. */
    for (char **address = host->h_addr_list; *address; address++) {
        char text[INET6_ADDRSTRLEN];
        if (inet_ntop(host->h_addrtype, *address, text, sizeof text))
            printf("h_addr_list  %s\n", text);
    }
    return 0;
}

int main(int argc, char **argv)
{
    int failed = 0;
    if (argc < 2) {
        fprintf(stderr, "usage: hostent NAME...\n");
        return 2;
    }
    for (int i = 1; i < argc; i++)
        failed |= print_host(argv[i]);
    return failed;
}
