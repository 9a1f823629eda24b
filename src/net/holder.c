#include "net/holder.h"

#include <ctype.h>
#include <dirent.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/text.h"

enum {
    LINE_MAX_LENGTH = 512,
    LISTENING = 0x0A,    /* TCP_LISTEN, as /proc/net/tcp has it */
    NAME_MAX_LENGTH = 16 /* of /proc/PID/comm */
};

/* What is looked for in a table of /proc/net. */
struct wanted {
    const struct sockname *name;
    bool listening;   /* a listening socket, no other */
    char address[33]; /* as the tables have it; empty: every address */
};

/* Internet addresses: the words of the address in hexadecimal, in the machine's byte order */

static void write_address(struct wanted *wanted)
{
    const void *storage = &wanted->name->storage;
    char *out = wanted->address;
    if (wanted->name->storage.ss_family == AF_INET) {
        const struct sockaddr_in *in = storage;
        if (in->sin_addr.s_addr != INADDR_ANY)
            snprintf(out, sizeof wanted->address, "%08X", in->sin_addr.s_addr);
        return;
    }
    const struct sockaddr_in6 *in6 = storage;
    uint32_t words[4];
    memcpy(words, &in6->sin6_addr, sizeof words);
    if (!IN6_IS_ADDR_UNSPECIFIED(&in6->sin6_addr))
        snprintf(out, sizeof wanted->address, "%08X%08X%08X%08X", words[0], words[1], words[2],
                 words[3]);
}

/* One of the two is every address, or they are the same; an IPv4 address may stand at the end of
 * an IPv6 one. */
static bool overlap(const char *one, const char *other)
{
    size_t length = strlen(one), other_length = strlen(other);
    if (strspn(one, "0") == length || strspn(other, "0") == other_length)
        return true;
    return length <= other_length ? strcmp(one, other + other_length - length) == 0
                                  : strcmp(other, one + length - other_length) == 0;
}

static unsigned long inode_of_inet(const char *line, const struct wanted *wanted)
{
    char address[33];
    unsigned port, state;
    unsigned long inode;
    if (sscanf(line, "%*d: %32[0-9A-F]:%x %*s %x %*s %*s %*s %*u %*u %lu", address, &port, &state,
               &inode) != 4)
        return 0;
    bool is_it = port == sockname_port(wanted->name) &&
                 (!wanted->listening || state == LISTENING) && overlap(wanted->address, address);
    return is_it ? inode : 0;
}

/* UNIX addresses */

static unsigned long inode_of_unix(const char *line, const struct wanted *wanted)
{
    const struct sockaddr_un *address = (const void *)&wanted->name->storage;
    size_t length = wanted->name->length - offsetof(struct sockaddr_un, sun_path);
    char path[sizeof address->sun_path + 1] = "";
    unsigned long inode;
    int start = 0;
    if (sscanf(line, "%*s %*s %*s %*s %*s %*s %lu %n", &inode, &start) != 1 || !start)
        return 0;
    memcpy(path, address->sun_path, length);
    if (!*path)
        *path = '@'; /* the abstract namespace */
    return strcspn(line + start, "\n") == strlen(path) &&
                   strncmp(line + start, path, strlen(path)) == 0
               ? inode
               : 0;
}

/* The inode of the socket, in one table; 0: not there. */
static unsigned long find_inode(const char *table, const struct wanted *wanted)
{
    char line[LINE_MAX_LENGTH];
    unsigned long inode = 0;
    FILE *file = fopen(table, "re");
    if (!file)
        return 0;
    while (!inode && fgets(line, sizeof line, file))
        inode = wanted->name->storage.ss_family == AF_UNIX ? inode_of_unix(line, wanted)
                                                           : inode_of_inet(line, wanted);
    fclose(file);
    return inode;
}

static unsigned long find_socket(const struct sockname *name, int socktype)
{
    struct wanted wanted = {.name = name, .listening = socktype == SOCK_STREAM};
    switch (name->storage.ss_family) {
    case AF_UNIX:
        return find_inode("/proc/net/unix", &wanted);
    case AF_INET:
    case AF_INET6:
        break;
    default:
        return 0;
    }
    write_address(&wanted);
    bool is_tcp = socktype == SOCK_STREAM;
    unsigned long inode = find_inode(is_tcp ? "/proc/net/tcp" : "/proc/net/udp", &wanted);
    return inode ? inode : find_inode(is_tcp ? "/proc/net/tcp6" : "/proc/net/udp6", &wanted);
}

/* Processes */

static bool has_socket(const char *process, unsigned long inode)
{
    char path[64], link[64], target[64];
    const struct dirent *entry;
    bool found = false;
    snprintf(target, sizeof target, "socket:[%lu]", inode);
    snprintf(path, sizeof path, "/proc/%.16s/fd", process);
    DIR *directory = opendir(path);
    if (!directory)
        return false;
    while (!found && (entry = readdir(directory))) {
        ssize_t length = readlinkat(dirfd(directory), entry->d_name, link, sizeof link);
        found = length == (ssize_t)strlen(target) && memcmp(link, target, strlen(target)) == 0;
    }
    closedir(directory);
    return found;
}

static void describe(const char *process, char *out)
{
    char path[64], name[NAME_MAX_LENGTH + 1] = "?";
    snprintf(path, sizeof path, "/proc/%.16s/comm", process);
    FILE *file = fopen(path, "re");
    if (file && fgets(name, sizeof name, file))
        name[strcspn(name, "\n")] = '\0';
    if (file)
        fclose(file);
    snprintf(out, HOLDER_TEXT_MAX, " (%s, process %.16s)", name, process);
}

char *holder_text(const struct sockname *name, int socktype, char *out)
{
    const struct dirent *entry;
    *out = '\0';
    unsigned long inode = find_socket(name, socktype);
    DIR *processes = inode ? opendir("/proc") : NULL;
    if (!processes)
        return out;
    while (!*out && (entry = readdir(processes)))
        if (text_is_digits(entry->d_name, strlen(entry->d_name)) &&
            has_socket(entry->d_name, inode))
            describe(entry->d_name, out);
    closedir(processes);
    return out;
}
