/*
 * ping [ADDRESS]: one ICMP echo request to an IPv4 address (127.0.0.1), and how long its answer took.
 * A raw socket sends what we put together, and receives every ICMP packet of the machine with its IP
 * header; that is why it takes the right CAP_NET_RAW (root).
 */
#include <arpa/inet.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static void die(const char *what)
{
    perror(what);
    exit(1);
}

/* RFC 1071: the sum of all 16-bit words, its carries added, inverted. */
static unsigned short checksum(const void *data, size_t length)
{
    const unsigned char *bytes = data;
    unsigned sum = 0;
    for (size_t i = 0; i + 1 < length; i += 2) {
        unsigned short word;
        memcpy(&word, bytes + i, sizeof word); /* in whatever order: the sum has the same one */
        sum += word;
    }
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (unsigned short)~sum;
}

int main(int argc, char **argv)
{
    struct sockaddr_in target = {.sin_family = AF_INET}; /* ICMP has no ports */
    if (inet_pton(AF_INET, argc > 1 ? argv[1] : "127.0.0.1", &target.sin_addr) != 1) {
        fprintf(stderr, "usage: ping ADDRESS\n");
        return 2;
    }
    int fd = socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
    if (fd == -1)
        die("socket"); /* "Operation not permitted" without the right */
    struct timeval limit = {.tv_sec = 2};
    if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) == -1)
        die("setsockopt");

    struct icmphdr request = {.type = ICMP_ECHO};
    request.un.echo.id = htons((unsigned short)getpid());
    request.un.echo.sequence = htons(1);
    request.checksum = checksum(&request, sizeof request);
    struct timespec began, now;
    clock_gettime(CLOCK_MONOTONIC, &began);
    if (sendto(fd, &request, sizeof request, 0, (struct sockaddr *)&target, sizeof target) == -1)
        die("sendto");
    for (;;) {
        unsigned char packet[1500] __attribute__((aligned(4)));
        ssize_t count = recv(fd, packet, sizeof packet, 0);
        if (count == -1)
            die("recv"); /* after two seconds */
        const struct ip *ip = (const struct ip *)packet;
        const struct icmphdr *answer = (const struct icmphdr *)(packet + ip->ip_hl * 4);
        if (count < ip->ip_hl * 4 + (ssize_t)sizeof *answer || answer->type != ICMP_ECHOREPLY ||
            answer->un.echo.id != request.un.echo.id)
            continue; /* somebody else's; on the loopback interface also our own request */
        clock_gettime(CLOCK_MONOTONIC, &now);
        double ms = (double)(now.tv_sec - began.tv_sec) * 1e3 +
                    (double)(now.tv_nsec - began.tv_nsec) / 1e6;
        printf("%zd bytes from %s, ttl %d, %.2f ms\n", count - ip->ip_hl * 4, inet_ntoa(ip->ip_src),
               ip->ip_ttl, ms);
        return 0;
    }
}
