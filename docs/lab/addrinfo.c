/*
 * addrinfo NAME [PORT]: the addresses of NAME from getaddrinfo(), which replaced gethostbyname(): IPv4
 * and IPv6, each as the struct sockaddr that connect() wants, in the order in which to try them.
 */
#include <netdb.h>
#include <stdio.h>
#include <sys/socket.h>

static const char *family_name(int family)
{
    return family == AF_INET ? "AF_INET" : family == AF_INET6 ? "AF_INET6" : "another";
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        fprintf(stderr, "usage: addrinfo NAME [PORT]\n");
        return 2;
    }

    /* Without a type, each address would come once for streams, once for datagrams, once for raw. */
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *list;
    int why = getaddrinfo(argv[1], argc > 2 ? argv[2] : NULL, &hints, &list);
    if (why != 0) {
        fprintf(stderr, "%s: %s\n", argv[1], gai_strerror(why));
        return 1;
    }

    for (const struct addrinfo *one = list; one; one = one->ai_next) {
        char host[256], port[32];
        why = getnameinfo(one->ai_addr, one->ai_addrlen, host, sizeof host, port, sizeof port,
                          NI_NUMERICHOST | NI_NUMERICSERV);
        if (why != 0)
            fprintf(stderr, "%s: %s\n", argv[1], gai_strerror(why));
        else
            printf("%-8s  %u bytes  %s  port %s\n", family_name(one->ai_family),
                   (unsigned)one->ai_addrlen, host, port);
    }
    freeaddrinfo(list); /* unlike a struct hostent, the list is ours */
    return 0;
}
