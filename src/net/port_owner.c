#include "net/port_owner.h"

#include <dirent.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/text.h"

enum {
    LINE_MAX_LENGTH = 512,
    WORDS_MAX = 10,       /* of a line that matter */
    LISTENING = 0x0A,     /* TCP_LISTEN, as /proc/net/tcp has it */
    NAME_MAX_LENGTH = 16, /* of /proc/PID/comm */
    NUMBER_MAX = 24,      /* of a process or descriptor, as text */
    PATH_ROOM = 64
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

/* Cuts a line of a table into words; the last one has the rest of it. False where there are fewer. */
static bool cut(char *line, char **words, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        line += strspn(line, " ");
        words[i] = line;
        line += strcspn(line, i + 1 < count ? " \n" : "\n");
        if (line == words[i])
            return false;
        if (*line)
            *line++ = '\0';
    }
    return true;
}

/* "1: 0100007F:1F90 00000000:0000 0A …", the inode being the tenth word. */
static unsigned long inode_of_inet(char *line, const struct wanted *wanted)
{
    char *words[WORDS_MAX + 1];
    if (!cut(line, words, WORDS_MAX + 1))
        return 0;
    char *colon = strchr(words[1], ':');
    if (!colon || strtoul(colon + 1, NULL, 16) != sockname_port(wanted->name))
        return 0;
    *colon = '\0';
    bool is_it = (!wanted->listening || strtoul(words[3], NULL, 16) == LISTENING) &&
                 overlap(wanted->address, words[1]);
    return is_it ? strtoul(words[9], NULL, 10) : 0;
}

/* UNIX addresses */

/* As the table has it: with @ before a name of the abstract namespace. */
static void path_of(const struct sockname *name, char *path)
{
    const struct sockaddr_un *address = (const void *)&name->storage;
    size_t length = name->length - offsetof(struct sockaddr_un, sun_path);
    memcpy(path, address->sun_path, length);
    path[length] = '\0';
    if (!*path)
        *path = '@';
}

/* "…: 00000002 00000000 00010000 0001 01 12345 PATH" */
static unsigned long inode_of_unix(char *line, const struct wanted *wanted)
{
    char *words[8], path[sizeof(struct sockaddr_un) + 1];
    path_of(wanted->name, path);
    return cut(line, words, 8) && strcmp(words[7], path) == 0 ? strtoul(words[6], NULL, 10) : 0;
}

/* Processes */

static int is_number(const struct dirent *entry)
{
    return text_is_digits(entry->d_name, strlen(entry->d_name));
}

/* Whether `found` is so of a number in a directory, which is then in `number` (NUMBER_MAX bytes). */
static bool find_number(const char *directory,
                        bool (*found)(const char *number, const void *context), const void *context,
                        char *number)
{
    struct dirent **entries;
    bool is_found = false;
    int count = scandir(directory, &entries, is_number, alphasort);
    for (int i = 0; i < count; i++) {
        if (!is_found && found(entries[i]->d_name, context)) {
            is_found = true;
            snprintf(number, NUMBER_MAX, "%.*s", NUMBER_MAX - 1, entries[i]->d_name);
        }
        free(entries[i]);
    }
    if (count >= 0)
        free(entries);
    return is_found;
}

/* A descriptor of a process, and the socket that it may be. */
struct holding {
    const struct sockname *name;
    unsigned long inode;
    const char *directory; /* /proc/PID/fd */
};

static bool is_socket(const char *number, const void *context)
{
    const struct holding *holding = context;
    char path[PATH_ROOM], link[64], target[64];
    snprintf(target, sizeof target, "socket:[%lu]", holding->inode);
    snprintf(path, sizeof path, "%.40s/%.16s", holding->directory, number);
    ssize_t length = readlink(path, link, sizeof link);
    return length == (ssize_t)strlen(target) && memcmp(link, target, strlen(target)) == 0;
}

/* A path that does not begin with a slash begins where the process is. */
static bool is_same_file(const char *process, const struct sockname *name)
{
    char path[sizeof(struct sockaddr_un) + 1], theirs[PATH_ROOM + sizeof path];
    struct stat our_status, their_status;
    if (name->storage.ss_family != AF_UNIX)
        return true;
    path_of(name, path);
    if (*path == '@' || *path == '/')
        return true;
    snprintf(theirs, sizeof theirs, "/proc/%.16s/cwd/%s", process, path);
    return lstat(path, &our_status) == 0 && lstat(theirs, &their_status) == 0 &&
           our_status.st_dev == their_status.st_dev && our_status.st_ino == their_status.st_ino;
}

static bool has_socket(const char *process, const void *context)
{
    struct holding holding = *(const struct holding *)context;
    char directory[PATH_ROOM], number[NUMBER_MAX];
    snprintf(directory, sizeof directory, "/proc/%.16s/fd", process);
    holding.directory = directory;
    return find_number(directory, is_socket, &holding, number) &&
           is_same_file(process, holding.name);
}

static void describe(const char *process, char *out)
{
    char path[PATH_ROOM], name[NAME_MAX_LENGTH + 1] = "?";
    snprintf(path, sizeof path, "/proc/%.16s/comm", process);
    FILE *file = fopen(path, "re");
    if (file && fgets(name, sizeof name, file))
        name[strcspn(name, "\n")] = '\0';
    if (file)
        fclose(file);
    snprintf(out, PORT_OWNER_TEXT_MAX, " (%s, process %.16s)", name, process);
}

/* The first process that has a socket of that name in one table. */
static bool search(const char *table, const struct wanted *wanted, char *out)
{
    char line[LINE_MAX_LENGTH], process[NUMBER_MAX];
    bool found = false;
    FILE *file = fopen(table, "re");
    if (!file)
        return false;
    while (!found && fgets(line, sizeof line, file)) {
        struct holding holding = {.name = wanted->name};
        holding.inode = wanted->name->storage.ss_family == AF_UNIX ? inode_of_unix(line, wanted)
                                                                   : inode_of_inet(line, wanted);
        found = holding.inode && find_number("/proc", has_socket, &holding, process);
    }
    fclose(file);
    if (found)
        describe(process, out);
    return found;
}

char *port_owner_text(const struct sockname *name, int socktype, char *out)
{
    struct wanted wanted = {.name = name, .listening = socktype == SOCK_STREAM};
    bool is_tcp = socktype == SOCK_STREAM;
    *out = '\0';
    switch (name->storage.ss_family) {
    case AF_UNIX:
        search("/proc/net/unix", &wanted, out);
        break;
    case AF_INET:
    case AF_INET6:
        write_address(&wanted);
        if (!search(is_tcp ? "/proc/net/tcp" : "/proc/net/udp", &wanted, out))
            search(is_tcp ? "/proc/net/tcp6" : "/proc/net/udp6", &wanted, out);
        break;
    default:
        break;
    }
    return out;
}
