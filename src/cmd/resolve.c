/*
 * sockctl resolve: what the system's resolver makes of names and addresses.
 */
#include <ctype.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "cli/json.h"
#include "cli/report.h"
#include "cmd/shared.h"
#include "command.h"
#include "net/hostname.h"
#include "net/literal.h"
#include "net/names.h"

struct resolve_options {
    struct family_options family;
    bool brief;
    bool json;
    bool reverse;
};

static const struct opt options[] = {
    FAMILY_ONLY_ROWS(struct resolve_options, family),
    OPT('s', "short", flag, struct resolve_options, brief, "the addresses alone, one a line"),
    OPT('j', "json", flag, struct resolve_options, json, "an array of objects, one a name"),
    OPT('x', "reverse", flag, struct resolve_options, reverse,
        "the names of addresses; nothing else is taken"),
    OPT_END,
};

static const struct resolve_options defaults = {.family = FAMILY_DEFAULTS};

/* One run of the command. */
struct resolving {
    const struct resolve_options *given;
    size_t shown; /* answers on stdout */
    size_t failed;
};

/* What came of one name. */
struct answer {
    const char *query;
    size_t length; /* of the query, which may hold any byte */
    bool found;
    struct names names;
    struct error error;
};

/* Looking up */

static int find_address(struct answer *answer, const struct sockname *address,
                        const struct resolve_options *given)
{
    const int family = given->family.family;
    if (family != AF_UNSPEC && family != address->storage.ss_family)
        return hostname_fail(answer->query,
                             family == AF_INET ? "not an IPv4 address" : "not an IPv6 address",
                             &answer->error);
    if (!given->brief || given->json || given->reverse)
        return names_find_address(&answer->names, answer->query, address, &answer->error);
    /* The address alone is asked for, and there it is. */
    resolved_add(&answer->names.addresses, address);
    return 0;
}

static int find_name(struct answer *answer, const struct resolve_options *given)
{
    const char *wrong = given->reverse ? "not an IPv4 or IPv6 address"
                                       : hostname_check(answer->query);
    if (wrong)
        return hostname_fail(answer->query, wrong, &answer->error);
    if (names_find(&answer->names, answer->query, given->family.family, &answer->error))
        return -1;
    if (!given->brief || given->json)
        names_add_aliases(&answer->names, answer->query);
    return 0;
}

/* What is no name in any sense is refused before anything is asked. */
static int check_words(const struct operands *operands, struct error *err)
{
    enum { LONGEST = 1024 };
    for (int i = 0; i < operands->count; i++) {
        const char *word = operands->words[i];
        size_t length = strlen(word);
        if (!length)
            return error_set(err, STATUS_USAGE, "a name is empty");
        if (length > LONGEST)
            return error_set(err, STATUS_USAGE, "'%.60s...' is longer than any name", word);
        for (size_t at = 0; at < length; at++)
            if (iscntrl((unsigned char)word[at]))
                return error_set(err, STATUS_USAGE, "'%.60s' has a control character", word);
    }
    return 0;
}

static int find(struct answer *answer, const struct resolve_options *given)
{
    struct sockname address;
    if (strlen(answer->query) != answer->length)
        return hostname_fail(answer->query, "a NUL follows", &answer->error);
    int is_literal = literal_read(answer->query, &address, &answer->error);
    if (is_literal < 0)
        return -1;
    return is_literal ? find_address(answer, &address, given) : find_name(answer, given);
}

/* Showing */

/* What a server says goes to a terminal: nothing there is to be obeyed by it. */
static void put_escaped(const char *text)
{
    char shown[4];
    for (; *text; text++) {
        size_t length = text_escape(shown, sizeof shown, text, 1);
        fwrite(shown, 1, length, stdout);
    }
}

/* With its zone, and an IPv4-mapped address as the IPv6 address that it is. */
static void put_address(const struct sockname *address)
{
    char text[SOCKNAME_TEXT_MAX] = "?";
    getnameinfo((const struct sockaddr *)(const void *)&address->storage, address->length, text,
                sizeof text, NULL, 0, NI_NUMERICHOST);
    fputs(text, stdout);
}

static const char *family_of(const struct sockname *address)
{
    return address->storage.ss_family == AF_INET ? "IPv4" : "IPv6";
}

static void show_name(const char *key, const char *name)
{
    printf("%-10s", key);
    put_escaped(name);
    putchar('\n');
}

static void show_block(const struct answer *answer, bool first)
{
    const struct names *names = &answer->names;
    if (!first)
        putchar('\n');
    show_name("name", names->name);
    for (size_t i = 0; i < names->alias_count; i++)
        show_name("alias", names->aliases[i]);
    for (size_t i = 0; i < names->addresses.count; i++) {
        printf("%-10s", "address");
        put_address(&names->addresses.names[i]);
        printf("   %s\n", family_of(&names->addresses.names[i]));
    }
}

/* The addresses of a name; where an address's name was asked for, that. */
static void show_short(const struct answer *answer, bool reverse)
{
    const struct names *names = &answer->names;
    if (reverse) {
        put_escaped(names->name);
        putchar('\n');
        return;
    }
    for (size_t i = 0; i < names->addresses.count; i++) {
        put_address(&names->addresses.names[i]);
        putchar('\n');
    }
}

static void put_json(const char *text)
{
    if (text)
        json_string(stdout, text, strlen(text));
    else
        fputs("null", stdout);
}

static void put_json_addresses(const struct resolved *addresses)
{
    for (size_t i = 0; i < addresses->count; i++) {
        const struct sockname *address = &addresses->names[i];
        fputs(i ? ", {\"address\": \"" : "{\"address\": \"", stdout);
        put_address(address);
        printf("\", \"family\": \"%s\", \"length\": %d}", family_of(address),
               address->storage.ss_family == AF_INET ? 4 : 16);
    }
}

static void show_json(const struct answer *answer, bool first)
{
    const struct names *names = &answer->names;
    fputs(first ? "\n  {\"query\": " : ",\n  {\"query\": ", stdout);
    json_string(stdout, answer->query, answer->length);
    fputs(", \"name\": ", stdout);
    put_json(names->name);
    fputs(", \"aliases\": [", stdout);
    for (size_t i = 0; i < names->alias_count; i++) {
        fputs(i ? ", " : "", stdout);
        put_json(names->aliases[i]);
    }
    fputs("], \"addresses\": [", stdout);
    put_json_addresses(&names->addresses);
    fputs("], \"error\": ", stdout);
    put_json(answer->found ? NULL : answer->error.text);
    putchar('}');
}

static void show(struct resolving *resolving, const struct answer *answer)
{
    const struct resolve_options *given = resolving->given;
    if (given->json)
        show_json(answer, resolving->shown == 0);
    else if (!answer->found)
        return;
    else if (given->brief)
        show_short(answer, given->reverse);
    else
        show_block(answer, resolving->shown == 0);
    resolving->shown++;
}

/* Each answer is on its way before the next name is looked up, or read from a terminal. */
static int flush(struct error *err)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return 0;
    if (errno == EPIPE)
        return error_silent(err, STATUS_LOCAL_IO);
    return error_system(err, STATUS_LOCAL_IO, errno, "write to stdout");
}

static int resolve(struct resolving *resolving, const char *query, size_t length, struct error *err)
{
    struct answer answer = {.query = query, .length = length};
    answer.found = find(&answer, resolving->given) == 0;
    show(resolving, &answer);
    int result = flush(err);
    if (!answer.found && !result) {
        resolving->failed++;
        report_warning("%s", answer.error.text);
    }
    names_release(&answer.names);
    return result;
}

/* Reading names */

static bool is_blank(int c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

/* A line of stdin without the blanks around it; of one that is longer than any name, the
 * beginning. */
static bool read_line(char *line, size_t room, size_t *length)
{
    int c = getc(stdin);
    if (c == EOF)
        return false;
    for (*length = 0; c != EOF && c != '\n'; c = getc(stdin))
        if (*length + 1 < room && (*length || !is_blank(c)))
            line[(*length)++] = (char)c;
    while (*length && is_blank(line[*length - 1]))
        --*length;
    line[*length] = '\0';
    return true;
}

static int resolve_stdin(struct resolving *resolving, struct error *err)
{
    enum { LINE_ROOM = 1024 };
    char line[LINE_ROOM];
    size_t length;
    while (read_line(line, sizeof line, &length))
        if (length && resolve(resolving, line, length, err))
            return -1;
    if (ferror(stdin))
        return error_system(err, STATUS_LOCAL_IO, errno, "read stdin");
    return 0;
}

static int resolve_all(struct resolving *resolving, const char *const *words, struct error *err)
{
    for (; *words; words++) {
        int result = strcmp(*words, "-") == 0 ? resolve_stdin(resolving, err)
                                              : resolve(resolving, *words, strlen(*words), err);
        if (result)
            return -1;
    }
    return 0;
}

static int run(const void *chosen, const struct operands *operands, struct error *err)
{
    struct resolving resolving = {.given = chosen};
    const bool json = resolving.given->json;
    if (check_words(operands, err))
        return -1;
    if (json)
        putchar('[');
    int result = resolve_all(&resolving, operands->words, err);
    if (json)
        puts(resolving.shown ? "\n]" : "]");
    if (result || flush(err))
        return -1;
    return resolving.failed ? error_silent(err, STATUS_RESOLVE) : 0;
}

const struct command resolve_command = {
    .name = "resolve",
    .operands = "NAME...",
    .summary = "Show the names and addresses that a name or an address stands for",
    .min_operands = 1,
    .max_operands = -1,
    .options = options,
    .defaults = &defaults,
    .options_size = sizeof defaults,
    .run = run,
};
