/*
 * Hosts as a person types them: names, and literal addresses.
 *
 * What cannot be a name is found out before anybody is asked (hostname_check). A name that is not ASCII is given
 * to getaddrinfo(3) as UTF-8, and what that says where it fails is put into words here, for all who look names up.
 */
#include "net/hostname.h"

#include <arpa/inet.h>
#include <errno.h>
#include <locale.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/text.h"
#include "base/units.h"
#include "proto/idna.h"
#include "sys/trace.h"

enum { NAME_MAX_BYTES = 253, LABEL_MAX_BYTES = 63, SHOWN_MAX = 100 };

bool hostname_is_plain(const char *text, size_t length)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._";
    for (size_t i = 0; i < length; i++)
        if ((unsigned char)text[i] < 0x80 && (!text[i] || !strchr(plain, text[i])))
            return false;
    return true;
}

/* Says whether the word is HOST:PORT. */
static bool has_port(const char *word)
{
    const char *colon = strchr(word, ':');
    return colon && colon > word && text_is_digits(colon + 1, strlen(colon + 1));
}

/* Says what is wrong with the parts of a name; NULL: nothing. Only the root's, after the last dot, may be empty. */
static const char *check_labels(const char *name)
{
    for (const char *label = name; label == name || *label;) {
        size_t length = strcspn(label, ".");
        if (length > LABEL_MAX_BYTES)
            return "a label of the name is longer than 63 bytes";
        if (length == 0)
            return "a label of the name is empty";
        label += length + (label[length] == '.');
    }
    return NULL;
}

const char *hostname_check(const char *name)
{
    const size_t name_length = strlen(name);
    struct in_addr address;
    if (name_length == 0)
        return "the name is empty";
    if (name_length - (name[name_length - 1] == '.') > NAME_MAX_BYTES)
        return "the name is longer than 253 bytes";
    if (has_port(name))
        return "a port is no part of a name (resolve has -P PORT for it)";
    if (*name == '[')
        return "an address has no brackets here";
    if (!hostname_is_plain(name, name_length))
        return strchr(name, '@')   ? "a user is no part of a name: type what follows the '@'"
               : strchr(name, '*') ? "a wildcard is no name: type one that it stands for"
               : strchr(name, ' ') ? "there is a blank in it: each name is a word of its own"
               : strchr(name, '/') ? "a '/' is no part of a name; getent(1) has networks and "
                                     "services"
                                   : "the name has a character that no host name has";
#ifndef AI_IDN
    if (!idna_is_ascii(name))
        return "the name is not ASCII, and has to be given in its encoded form (xn--...)";
#endif
    const char *wrong = check_labels(name);
    if (wrong)
        return wrong;
    return strspn(name, "0123456789.") == name_length && !inet_aton(name, &address)
               ? "not an IPv4 address"
               : NULL;
}

/* Shows getaddrinfo(3), at -vv, and how many addresses it gave; one may be there for several types of sockets. */
static void trace_look_up(const char *host, const char *service, int family, int code,
                          const struct addrinfo *found)
{
    const int errnum = errno;
    const char *quote = service ? "\"" : "", *shown = service ? service : "NULL";
    const struct addrinfo *before = NULL;
    unsigned count = 0;
    struct trace_event *event = EVENT(.kind = TRACE_LOOK_UP, .fd = -1, .bytes = host,
                                      .length = strlen(host), .result = code);
    for (const struct addrinfo *at = code ? NULL : found; at; before = at, at = at->ai_next)
        count += !before || before->ai_addrlen != at->ai_addrlen ||
                 memcmp(before->ai_addr, at->ai_addr, at->ai_addrlen) != 0;
    if (code)
        trace_text(event, "getaddrinfo(\"%s\", %s%s%s, %s) = %d (%s)", host, quote, shown, quote,
                   trace_name(TRACE_FAMILY, family), code, hostname_failure(code, errnum, family));
    else
        trace_text(event, "getaddrinfo(\"%s\", %s%s%s, %s) = 0, %u address%s", host, quote, shown,
                   quote, trace_name(TRACE_FAMILY, family), count, count == 1 ? "" : "es");
    errno = errnum;
}

static int look_up(const char *host, const char *service, const struct addrinfo *hints,
                   struct addrinfo **found)
{
#ifdef AI_IDN
    struct addrinfo encoded = *hints;
    encoded.ai_flags |= AI_IDN;
    if (!idna_is_ascii(host)) {
        locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", NULL);
        locale_t before = utf8 ? uselocale(utf8) : NULL;
        int code = getaddrinfo(host, service, &encoded, found), errnum = errno;
        if (utf8) {
            uselocale(before);
            freelocale(utf8);
        }
        errno = errnum;
        return code;
    }
#endif
    return getaddrinfo(host, service, hints, found);
}

int hostname_look_up(const char *host, const char *service, const struct addrinfo *hints,
                     struct addrinfo **found)
{
    host = hostname_to_ask(host);
    const int code = look_up(host, service, hints, found);
    if (log_setting.verbosity >= LOG_LEVEL_TRACE)
        trace_look_up(host, service, hints->ai_family, code, code ? NULL : *found);
    return code;
}

const char *hostname_failure(int code, int errnum, int family)
{
    if (code == EAI_SYSTEM)
        return strerror(errnum);
#ifdef AI_IDN
    if (code == EAI_IDN_ENCODE)
        return "the name is not ASCII, and cannot be encoded for DNS (xn--...)";
#endif
    if (family != AF_UNSPEC && (code == EAI_NODATA || code == EAI_ADDRFAMILY))
        return family == AF_INET ? "it has no IPv4 address" : "it has no IPv6 address";
    return gai_strerror(code);
}

static bool has_ending(const char *name, const char *ending)
{
    const size_t length = strlen(name), ending_length = strlen(ending);
    return length > ending_length && strcmp(name + length - ending_length, ending) == 0;
}

bool hostname_add_socket_hint(const char *name, struct error *err)
{
    struct stat status;
    const bool is_socket = has_ending(name, ".sock") || has_ending(name, ".socket") ||
                           (stat(name, &status) == 0 && S_ISSOCK(status.st_mode));
    if (!is_socket || strchr(name, '/'))
        return false;
    error_add(err, " (a UNIX socket is written with a slash: ./%.*s)", SHOWN_MAX, name);
    return true;
}

int hostname_fail(const char *name, const char *why, struct error *err)
{
    return error_set(err, STATUS_RESOLVE, "resolve %.*s%s: %s", SHOWN_MAX, name,
                     strlen(name) > SHOWN_MAX ? "..." : "", why);
}

int hostname_read_literal(const char *host, struct sockname *name, struct error *err)
{
    unsigned char address[sizeof(struct in6_addr)];
    char literal[INET6_ADDRSTRLEN];
    const size_t length = (size_t)(strchrnul(host, '%') - host);
    const char *zone = host[length] ? host + length + 1 : NULL;
    int64_t number = 0;
    if (inet_pton(AF_INET, host, address) == 1) {
        sockname_set_inet(name, AF_INET, address, 0);
        return 1;
    }
    if (length >= sizeof literal)
        return 0;
    memcpy(literal, host, length);
    literal[length] = '\0';
    if (inet_pton(AF_INET6, literal, address) != 1)
        return 0;
    /* A zone is an interface's number or name. */
    if (zone && !text_is_digits(zone, strlen(zone)))
        number = if_nametoindex(zone);
    else if (zone && units_number(zone, 1, INT32_MAX, &number))
        number = 0;
    if (zone && !number)
        return hostname_fail(host, "this machine has no such interface", err);
    sockname_set_inet(name, AF_INET6, address, 0);
    ((struct sockaddr_in6 *)(void *)&name->storage)->sin6_scope_id = (uint32_t)number;
    return 1;
}

/* Visits the names of one line. Returns whether a visit ended the reading. */
static bool read_hosts_line(char *line, unsigned number, const struct hosts_visitor *visitor)
{
    static const char blanks[] = " \t\r\n";
    struct sockname address;
    struct error ignored;
    char *rest = NULL;
    line[strcspn(line, "#")] = '\0';
    const char *name = strtok_r(line, blanks, &rest);
    if (!name || hostname_read_literal(name, &address, &ignored) != 1)
        return false;
    while ((name = strtok_r(NULL, blanks, &rest)))
        if (visitor->visit(visitor->context, name, &address, number))
            return true;
    return false;
}

bool hostname_read_hosts(const struct hosts_visitor *visitor)
{
    FILE *file = fopen("/etc/hosts", "re");
    char *line = NULL;
    size_t room = 0;
    bool is_over = false;
    if (!file)
        return false;
    for (unsigned number = 1; !is_over && getline(&line, &room, file) >= 0; number++)
        is_over = read_hosts_line(line, number, visitor);
    free(line);
    fclose(file);
    return is_over;
}

static bool is_entry_of(void *context, const char *name, const struct sockname *address,
                        unsigned line)
{
    const char *const *host = context;
    (void)address;
    (void)line;
    return strcasecmp(name, *host) == 0;
}

const char *hostname_to_ask(const char *host)
{
    static const char ending[] = ".localhost";
    const size_t ending_length = sizeof ending - 1;
    const struct hosts_visitor visitor = {is_entry_of, &host};
    size_t length = strlen(host);
    length -= length && host[length - 1] == '.';
    if (length <= ending_length ||
        strncasecmp(host + length - ending_length, ending, ending_length) != 0)
        return host;
    return hostname_read_hosts(&visitor) ? host : "localhost";
}
