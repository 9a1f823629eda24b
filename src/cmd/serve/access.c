/*
 * Who may talk to us.
 *
 * access_read reads the words of the options, entry by entry (reading_add_entry), from the command line and from
 * files, into new rules, which take the place of the old ones only where all of it could be read. The questions at
 * the end are asked of each client and of each datagram; they take the rules as they are.
 */
#include "cmd/serve/access.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/text.h"
#include "base/units.h"

static const char *const option_names[ACCESS_LISTS] = {"allow", "deny", "proxy-from", "allow-uid"};

/* What is being read, for errors. */
struct access_reading {
    const struct access *access;
    struct access_rules *rules;
    enum access_list list;
    bool again;
    const char *file; /* NULL: the command line */
    unsigned long line;
    struct error *err;
};

/* One entry */

/* Adds a user by number or name. Returns NULL, or what is wrong. */
static const char *rules_add_user(struct access_rules *rules, const char *text)
{
    int64_t number;
    bool zeros = *text == '0' && text[1]; /* octal, for some: then it is another user */
    if (!text_is_digits(text, strlen(text))) {
        char buffer[1 << 14];
        struct passwd entry, *user;
        if (getpwnam_r(text, &entry, buffer, sizeof buffer, &user) || !user)
            return "is not a user of this system";
        number = user->pw_uid;
    } else if (zeros || units_number(text, 0, UINT32_MAX - 1, &number)) {
        return "is not a user's number (no leading zeros)";
    }
    rules->users = memory_grow(rules->users, rules->user_count + 1, sizeof *rules->users);
    rules->users[rules->user_count++] = (uid_t)number;
    return NULL;
}

static int reading_add_entry(const struct access_reading *reading, const char *entry)
{
    struct access_rules *rules = reading->rules;
    const char *option = option_names[reading->list];
    struct network network;
    const char *wrong = reading->list == ACCESS_ALLOW_UID ? rules_add_user(rules, entry)
                                                          : network_parse(&network, entry);
    if (!wrong && reading->list != ACCESS_ALLOW_UID)
        networks_add(&rules->networks[reading->list], &network);
    if (!wrong)
        return 0;
    if (!reading->file)
        return error_set(reading->err, STATUS_USAGE, "option --%s: '%.100s' %s", option, entry,
                         wrong);
    return error_set(reading->err, STATUS_USAGE, "option --%s: %.100s, line %lu: '%.100s' %s",
                     option, reading->file, reading->line, entry, wrong);
}

static int reading_add_lines(struct access_reading *reading, FILE *file)
{
    static const char blanks[] = " \t\r\n\f\v";
    char *line = NULL;
    size_t room = 0;
    int result = 0;
    ssize_t got;
    for (reading->line = 1; result == 0 && (got = getline(&line, &room, file)) >= 0;
         reading->line++) {
        if (memchr(line, '\0', (size_t)got)) {
            result = error_set(reading->err, STATUS_USAGE,
                               "option --%s: %.100s, line %lu: has a NUL byte, which no text has",
                               option_names[reading->list], reading->file, reading->line);
            continue;
        }
        line[strcspn(line, "#")] = '\0';
        char *entry = line + strspn(line, blanks);
        for (size_t length = strlen(entry); length && strchr(blanks, entry[length - 1]); length--)
            entry[length - 1] = '\0';
        if (*entry)
            result = reading_add_entry(reading, entry);
    }
    free(line);
    if (result == 0 && ferror(file))
        result = error_system(reading->err, STATUS_LOCAL_IO, errno, "read %s", reading->file);
    return result;
}

/* Adds what a file has. One that is not regular (a FIFO, a pipe) is read by the owner, whom it must not block. */
static int reading_add_file(struct access_reading *reading, const char *name)
{
    const struct access *access = reading->access;
    struct stat status;
    FILE *file = NULL;
    char *bytes = NULL;
    size_t length = 0;
    int result = 0;
    int fd = open(name, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    reading->rules->has_files = true;
    reading->file = name;
    if (fd < 0 || fstat(fd, &status) < 0)
        return error_system(reading->err, STATUS_LOCAL_IO, errno, "read %s", name);
    if (S_ISREG(status.st_mode) || S_ISDIR(status.st_mode)) { /* to read a directory is an error */
        file = fdopen(fd, "r");
        if (!file)
            return error_system(reading->err, STATUS_LOCAL_IO, errno, "read %s", name);
    } else if (reading->again) { /* a pipe has been read once and for all */
        result = error_set(reading->err, STATUS_LOCAL_IO, "read %s: not a regular file", name);
        close(fd);
    } else {
        result = access->read_all(access->context, fd, &bytes, &length);
        if (result && errno != ECANCELED)
            error_system(reading->err, STATUS_LOCAL_IO, errno, "read %s", name);
        file = result || !length ? NULL : fmemopen(bytes, length, "r");
        close(fd);
    }
    if (file) {
        result = reading_add_lines(reading, file);
        fclose(file);
    }
    free(bytes);
    reading->file = NULL;
    return result;
}

/* Lists */

static void rules_release(struct access_rules *rules)
{
    for (int list = 0; list < ACCESS_NETWORKS; list++)
        networks_release(&rules->networks[list]);
    free(rules->users);
    *rules = (struct access_rules){.users = NULL};
}

int access_read(struct access *access, bool again, struct error *err)
{
    struct access_rules rules = {.users = NULL};
    struct access_reading reading = {.access = access, .rules = &rules, .again = again, .err = err};
    int result = 0;
    for (int list = 0; list < ACCESS_LISTS; list++) {
        const struct access_words *given = &access->given[list];
        reading.list = (enum access_list)list;
        for (size_t i = 0; i < given->count && result == 0; i++) {
            char *words = memory_copy(given->words[i], strlen(given->words[i]));
            char *at = words, *entry;
            while (result == 0 && (entry = strsep(&at, ",")))
                result = *entry == '@' ? reading_add_file(&reading, entry + 1)
                                       : reading_add_entry(&reading, entry);
            free(words);
        }
    }
    if (result) {
        rules_release(&rules);
        return -1;
    }
    for (int list = 0; list < ACCESS_NETWORKS; list++)
        networks_settle(&rules.networks[list]);
    rules_release(&access->rules);
    access->rules = rules;
    return 0;
}

void access_each_file(const struct access *access, void (*found)(void *context, const char *file),
                      void *context)
{
    for (int list = 0; list < ACCESS_LISTS; list++) {
        for (size_t i = 0; i < access->given[list].count; i++) {
            const char *given = access->given[list].words[i];
            char *words = memory_copy(given, strlen(given));
            char *at = words;
            for (const char *entry; (entry = strsep(&at, ","));)
                if (*entry == '@')
                    found(context, entry + 1);
            free(words);
        }
    }
}

void access_release(struct access *access)
{
    rules_release(&access->rules);
}

/* Questions */

static bool has_networks(const struct access *access)
{
    return access->given[ACCESS_ALLOW].count || access->given[ACCESS_DENY].count;
}

int access_check(const struct access *access, const struct sockname *own, struct error *err)
{
    char name[SOCKNAME_TEXT_MAX];
    struct network ignored;
    if (has_networks(access) && !access->proxied && !network_of(&ignored, own))
        return error_set(err, STATUS_USAGE,
                         "options --allow and --deny are for internet sockets: not for %s",
                         sockname_text(own, name));
    if (access->given[ACCESS_PROXY_FROM].count && !network_of(&ignored, own))
        return error_set(err, STATUS_USAGE,
                         "option --proxy-from is for internet sockets: not for %s%s",
                         sockname_text(own, name),
                         own->storage.ss_family == AF_UNIX ? " (see --allow-uid)" : "");
    if (access->given[ACCESS_ALLOW_UID].count && own->storage.ss_family != AF_UNIX)
        return error_set(err, STATUS_USAGE, "option --allow-uid is for UNIX sockets: not for %s",
                         sockname_text(own, name));
    return 0;
}

bool access_admits(const struct access *access, const struct sockname *peer)
{
    struct network address;
    if (!has_networks(access))
        return true;
    bool inet = network_of(&address, peer);
    if (inet && networks_have(&access->rules.networks[ACCESS_DENY], &address))
        return false;
    return !access->given[ACCESS_ALLOW].count ||
           (inet && networks_have(&access->rules.networks[ACCESS_ALLOW], &address));
}

static bool rules_have_user(const struct access_rules *rules, uid_t user)
{
    for (size_t i = 0; i < rules->user_count; i++)
        if (rules->users[i] == user)
            return true;
    return false;
}

enum access_verdict access_judge(const struct access *access, int fd, const struct sockname *peer)
{
    struct ucred user;
    struct network address;
    const bool has_proxies = access->given[ACCESS_PROXY_FROM].count > 0;
    const bool is_inet = network_of(&address, peer);
    if (access->given[ACCESS_ALLOW_UID].count &&
        (sock_credentials(fd, &user) || !rules_have_user(&access->rules, user.uid)))
        return ACCESS_REFUSED;
    if (access->proxied &&
        (!has_proxies ||
         (is_inet && networks_have(&access->rules.networks[ACCESS_PROXY_FROM], &address))))
        return !is_inet || access_admits(access, peer) ? ACCESS_PROXY : ACCESS_REFUSED;
    return access_admits(access, peer) ? ACCESS_ADMITTED : ACCESS_REFUSED;
}

bool access_admits_sender(const struct access *access, const struct sock_message *message)
{
    if (!access_admits(access, &message->peer))
        return false;
    return !access->given[ACCESS_ALLOW_UID].count ||
           (message->has_user && rules_have_user(&access->rules, message->user));
}
