/*
 * See opt.h. The tables of getopt_long(3) are derived from the rows for each run; what it returns leads back to the
 * row, whose kind reads the value into the command's options struct. Operands come in their order, so that what
 * precedes `--` is known.
 */
#include "cli/opt.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "base/memory.h"
#include "base/text.h"
#include "base/units.h"
#include "cli/foreign.h"

enum {
    FIRST_ROW = 256, /* getopt_long returns FIRST_ROW + the row's index, for entries too */
    ROWS_MAX = 128
};

const struct opt opt_common_rows[] = {
    OPT_GROUP_GENERAL,
    OPT('v', "verbose", count, struct opt_common, verbosity, "tell what happens; -vv: each call"),
    OPT(0, "no-sandbox", flag, struct opt_common, no_sandbox,
        "keep what is not needed: files and system calls"),
    OPT_WITH('h', "help", topic, struct opt_common, help, OPT_OPTIONAL,
             "one screen; --help all: every option"),
    OPT('V', "version", flag, struct opt_common, version, "show the version"),
    OPT_END,
};

static bool row_is_common(const struct opt *row)
{
    return row >= opt_common_rows &&
           row < opt_common_rows + sizeof opt_common_rows / sizeof *opt_common_rows;
}

const struct opt *opt_next(const struct command *command, const struct opt *row)
{
    row = row ? row + 1 : command->options;
    if (!row->name && !row_is_common(row))
        row = opt_common_rows;
    return row->name ? row : NULL;
}

const char *opt_metavar(const struct opt *row)
{
    return row->metavar ? row->metavar : row->type->metavar;
}

/* What getopt_long needs, derived from the rows. */
struct getopt_tables {
    struct option longs[ROWS_MAX + 1];
    char entries[3 * ROWS_MAX + 3];
};

static int argument_of(const struct opt *row)
{
    if (!opt_metavar(row))
        return no_argument;
    return row->flags & OPT_OPTIONAL ? optional_argument : required_argument;
}

static void fill_tables(const struct command *command, struct getopt_tables *tables)
{
    /* '-': operands are returned in their order, as option 1, so that what precedes `--` is known;
     * ':': a missing argument is told from an unknown option. */
    char *entry = stpcpy(tables->entries, "-:");
    size_t count = 0;
    for (const struct opt *row = NULL; (row = opt_next(command, row));) {
        if (!row->type)
            continue;
        if (count == ROWS_MAX)
            memory_impossible("too many options in a table");
        tables->longs[count] = (struct option){row->name, argument_of(row), NULL,
                                               FIRST_ROW + (int)count};
        count++;
        if (!row->entry)
            continue;
        *entry++ = row->entry;
        /* An optional argument belongs to the long name alone: -k10 would be ambiguous. */
        if (argument_of(row) == required_argument)
            *entry++ = ':';
    }
    *entry = '\0';
    tables->longs[count] = (struct option){NULL, 0, NULL, 0};
}

/* Returns the row that getopt_long found, by its letter or by its place among the options. */
static const struct opt *row_of(const struct command *command, int found)
{
    const struct opt *row = NULL;
    int place = FIRST_ROW;
    while ((row = opt_next(command, row)))
        if (row->type && (place++ == found || (row->entry && row->entry == found)))
            break;
    return row;
}

/* Refuses what is an abbreviation of ours, the row's, but the very name of another program's option: who types
 * `listen --port 80` does not mean --port-file. `word` is as it was typed, with its dashes. */
static int refuse_foreign_abbreviation(const struct command *command, const struct opt *row,
                                       const char *word, struct error *err)
{
    const char *name = word + 2;
    const size_t length = strcspn(name, "=");
    const bool is_abbreviation = row->name[length] != '\0';
    const char *answer = is_abbreviation ? foreign_option(command->name, name, length) : NULL;
    if (!answer || !*answer)
        return 0;
    return error_set(err, STATUS_USAGE, "unknown option --%.*s: %s", (int)length, name, answer);
}

/* Refuses a long name that no option has, and suggests what is near: what was mistyped has two thirds of its letters
 * right, in either case; or names all that an abbreviation may stand for. */
static int refuse_long_name(const struct command *command, const char *word, size_t length,
                            struct error *err)
{
    const struct opt *nearest = NULL;
    size_t min_distance = length / 3 + 1, matches = 0;
    char name[64] = "";
    memcpy(name, word, length < sizeof name ? length : sizeof name - 1);
    error_set(err, STATUS_USAGE, "unknown option --%.*s", (int)(length < 100 ? length : 100), word);
    for (const struct opt *row = NULL; (row = opt_next(command, row));) {
        if (!row->type)
            continue;
        if (length && strncmp(row->name, name, length) == 0) {
            if (!matches++)
                error_set(err, STATUS_USAGE, "option --%s is ambiguous:", name);
            error_add(err, " --%s", row->name);
        }
        size_t distance = strcasecmp(name, row->name) == 0 ? 0 : text_distance(name, row->name);
        if (distance < min_distance) {
            min_distance = distance;
            nearest = row;
        }
    }
    if (matches)
        return -1;
    return nearest ? error_add(err, " (did you mean --%s?)", nearest->name)
                   : error_add(err, " (--help all lists the options)");
}

/* Returns the word with one dash in which getopt_long is, having refused one of its letters. */
static const char *current_cluster(char **argv)
{
    /* With its last letter getopt_long is at the next word already. */
    const char *next = argv[optind];
    return next && *next == '-' && strchr(next + 1, optopt) ? next : argv[optind - 1];
}

/* Finds the answer to another program's option of several letters with one dash before them, in which getopt_long is:
 * sets *word to what follows the dash. NULL: it is none. */
static const char *answer_cluster(const struct command *command, char **argv, const char **word)
{
    const char *cluster = current_cluster(argv);
    if (*cluster != '-' || !cluster[1] || !cluster[2])
        return NULL;
    const char *answer = foreign_option(command->name, cluster, strcspn(cluster, "="));
    if (answer)
        *word = cluster + 1;
    return answer;
}

/* Refuses what others type after an option whose letter we have, too. */
static int refuse_foreign_value(const struct command *command, const struct opt *row,
                                const char *value, struct error *err)
{
    const char *answer = foreign_value(command->name, row->name, value);
    return answer
               ? error_set(err, STATUS_USAGE, "option --%s: '%.100s': %s", row->name, value, answer)
               : 0;
}

/* Refuses a letter that no option has. A number is meant for the letter before it, which takes none: -k8080. */
static int refuse_letter(char **argv, struct error *err)
{
    const char *cluster = current_cluster(argv);
    const size_t flags = strcspn(cluster, "0123456789");
    if (text_is_digits(cluster + 1, strlen(cluster + 1)))
        return error_set(err, STATUS_USAGE, "unknown option %.40s (a number has no dash before it)",
                         cluster);
    error_set(err, STATUS_USAGE, "unknown option -%c", optopt);
    if (!text_is_digits(&(const char){(char)optopt}, 1) || cluster[flags] != optopt)
        return error_add(err, " (--help all lists the options)");
    if (flags > 1)
        return error_add(err, ": -%c takes no value; type '%.*s %.40s'", cluster[flags - 1],
                         (int)flags, cluster, cluster + flags);
    return error_add(err, " (a number has no dash before it)");
}

/* Says what getopt_long complained of, `found` being '?' or ':'; 0 if it is no reason to end. */
static int refuse_word(const struct command *command, char **argv, int found, struct error *err)
{
    const struct opt *row = optopt ? row_of(command, optopt) : NULL;
    if (row && optopt >= FIRST_ROW &&
        refuse_foreign_abbreviation(command, row, argv[optind - 1], err))
        return -1;
    if (found == ':' && row)
        return error_set(err, STATUS_USAGE, "option --%s needs an argument", row->name);
    if (row && optopt >= FIRST_ROW)
        return error_set(err, STATUS_USAGE, "option --%s takes no argument", row->name);
    const char flag = (char)optopt, *word = optopt ? &flag : argv[optind - 1] + 2;
    const char *answer = optopt ? answer_cluster(command, argv, &word) : NULL;
    const size_t length = word == &flag ? 1 : strcspn(word, "=");
    if (!answer)
        answer = foreign_option(command->name, word, length);
    if (answer && !*answer)
        return 0; /* another program's, that asks for what is so anyway */
    if (answer)
        return error_set(err, STATUS_USAGE, "unknown option %s%.*s: %s", optopt ? "-" : "--",
                         (int)length, word, answer);
    if (optopt)
        return refuse_letter(argv, err);
    return refuse_long_name(command, word, length, err);
}

/* Reads the value of an option into its field. */
static int read_value(const struct opt *row, struct opt_parsed *parsed, struct error *err)
{
    char *base = row_is_common(row) ? (char *)&parsed->common : parsed->options;
    void *field = base + row->offset;
    const char *wrong = row->type->read
                            ? row->type->read(optarg, field)
                            : units_number(optarg, row->type->min, row->type->max, field);
    if (!wrong)
        return 0;
    return optarg
               ? error_set(err, STATUS_USAGE, "option --%s: '%.100s' %s", row->name, optarg, wrong)
               : error_set(err, STATUS_USAGE, "%s", wrong);
}

static void add_operand(const struct command *command, char *word, struct opt_parsed *parsed)
{
    parsed->words[parsed->count++] = command->takes_urls ? opt_copy_url(word) : word;
}

/* Wipes and frees the copies that the array holds. */
static void wipe_words(void *words, size_t count)
{
    char **copies = words;
    for (size_t i = 0; i < count; i++)
        memory_wipe(copies[i]);
}

/* Says whether the word begins with a dash, or a quote, that a text processor has made of the keyboard's. */
static bool is_typeset(const char *word)
{
    static const char *const marks[] = {"\u2013", "\u2014", "\u2212", "\u2018", "\u201c"};
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
        if (text_starts_with(word, marks[i]))
            return true;
    return false;
}

/* Refuses operands as other programs have them, and drops those that change nothing here. */
static int check_foreign_operands(const struct command *command, struct opt_parsed *parsed,
                                  struct error *err)
{
    int kept = 0, result = 0;
    char line[200];
    if (parsed->count == 2 && command->takes_program &&
        foreign_forward(parsed->words[0], parsed->words[1], line, sizeof line))
        result = error_set(err, STATUS_USAGE, "'%.100s' and '%.100s': type '%s'", parsed->words[0],
                           parsed->words[1], line);
    if (parsed->count && is_typeset(parsed->words[0]))
        result = error_set(err, STATUS_USAGE,
                           "'%.100s' begins with a dash or a quote of printed text: type it anew",
                           parsed->words[0]);
    for (int i = 0; i < parsed->count; i++) {
        const char *word = parsed->words[i];
        const char *answer = command->takes_urls && strstr(word, "://")
                                 ? NULL
                                 : foreign_operand(command->name, word, parsed->count == 1);
        if (answer && *answer && !result)
            result = error_set(err, STATUS_USAGE, "'%.100s': %s", word, answer);
        if (!answer || *answer)
            parsed->words[kept++] = word;
        else if (command->takes_urls)
            wipe_words(&parsed->words[i], 1);
    }
    parsed->count = kept;
    parsed->words[kept] = NULL;
    return result;
}

/* Says whether a lone --help is followed by a lone word that can be the name of a group, or of an option. An address has
 * more than letters, or more words: with --help among these, the screen is meant. */
static bool is_help_with_group(int argc, char **argv, const struct opt_parsed *parsed)
{
    return parsed->common.help && argc == 3 && parsed->count == 1 && argv[1] && *argv[1] == '-' &&
           argv[2] && argv[2][strspn(argv[2], "abcdefghijklmnopqrstuvwxyz-")] == '\0';
}

/* Takes the option that getopt_long has found, with its value. */
static int take_option(const struct command *command, char **argv, int found,
                       struct opt_parsed *parsed, struct error *err)
{
    const struct opt *row = row_of(command, found);
    const bool is_apart = optarg && optarg == argv[optind - 1]; /* the argument */
    if (!row)
        memory_impossible("getopt_long returned an option of no table");
    if (found >= FIRST_ROW &&
        refuse_foreign_abbreviation(command, row, argv[optind - 1 - is_apart], err))
        return -1;
    if (optarg && row->type != &opt_topic && refuse_foreign_value(command, row, optarg, err))
        return -1;
    if (optarg && found < FIRST_ROW && !is_apart && *optarg == '=')
        return error_set(err, STATUS_USAGE,
                         "option -%c: a letter has its value without '=': -%c %s, or --%s=%s",
                         row->entry, row->entry, opt_metavar(row), row->name, opt_metavar(row));
    const char again[] = {'-', row->entry, '\0'};
    if (row->type == &opt_flag && !row_is_common(row) &&
        *(const bool *)((const char *)parsed->options + row->offset) &&
        refuse_foreign_value(command, row, again, err))
        return -1;
    return read_value(row, parsed, err);
}

/* Takes an operand; `row`, if not NULL, is that of the option that precedes it, by its letter, and takes no value. */
static int take_operand(const struct command *command, const struct opt *row, char *word,
                        struct opt_parsed *parsed, struct error *err)
{
    if (row && refuse_foreign_value(command, row, word, err))
        return -1;
    add_operand(command, word, parsed);
    return 0;
}

/* Refuses a long name that has one dash, before getopt_long takes -verbose for -v -e rbose. Three letters may be meant as
 * such: -udp 53. */
static int refuse_single_dash(const struct command *command, const char *word, struct error *err)
{
    enum { SHORTEST = 4 };
    const size_t length = word && *word == '-' ? strcspn(word + 1, "=") : 0;
    if (length < SHORTEST || word[1] == '-')
        return 0;
    for (const struct opt *row = NULL; (row = opt_next(command, row));) {
        if (!row->type || strncmp(row->name, word + 1, length) != 0 || row->name[length])
            continue;
        const struct opt *first = row_of(command, word[1]);
        if (first && foreign_value(command->name, first->name, word + 2))
            return 0; /* has an answer of its own */
        return error_set(err, STATUS_USAGE, "unknown option -%s: a long name has two dashes: --%s",
                         row->name, row->name);
    }
    return 0;
}

/* Takes all words up to a `--`. */
static int take_words(const struct command *command, int argc, char **argv,
                      struct opt_parsed *parsed, struct error *err)
{
    struct getopt_tables tables;
    fill_tables(command, &tables);
    opterr = 0;
    const struct opt *before = NULL; /* what precedes an operand, as take_operand has it */
    int current = 0;                 /* the word whose letters are taken */
    for (;;) {
        if (optind != current && refuse_single_dash(command, argv[optind], err))
            return -1;
        current = optind;
        const int found = getopt_long(argc, argv, tables.entries, tables.longs, NULL);
        if (found == -1)
            break;
        if (found == 1) {
            /* A lone word after -h is a group. */
            const bool is_topic = argc <= 3 && before && row_is_common(before);
            if (take_operand(command, is_topic ? NULL : before, optarg, parsed, err))
                return -1;
            before = NULL;
            continue;
        }
        before = optarg || found >= FIRST_ROW ? NULL : row_of(command, found);
        const bool is_wrong = found == '?' || found == ':';
        if (is_wrong ? refuse_word(command, argv, found, err)
                     : take_option(command, argv, found, parsed, err))
            return -1;
    }
    return 0;
}

int opt_parse(const struct command *command, int argc, char **argv, struct opt_parsed *parsed,
              struct error *err)
{
    *parsed = (struct opt_parsed){0};
    parsed->options = memory_new(1, command->options_size);
    memcpy(parsed->options, command->defaults, command->options_size);
    parsed->words = memory_new((size_t)argc + 1, sizeof *parsed->words);
    if (take_words(command, argc, argv, parsed, err))
        return -1;
    /* What follows `--`: a program where the command takes one and has its operands already. */
    char **rest = argv + optind;
    if (command->takes_program && parsed->count >= command->min_operands)
        parsed->program = *rest ? rest : NULL;
    else
        while (*rest)
            add_operand(command, *rest++, parsed);
    if (is_help_with_group(argc, argv, parsed))
        parsed->common.help = argv[2];
    if (parsed->common.help || parsed->common.version)
        return 0;
    if (check_foreign_operands(command, parsed, err))
        return -1;
    if (parsed->count < command->min_operands)
        return error_set(err, STATUS_USAGE, "missing operand: %s %s", command->name,
                         command->operands);
    if (command->max_operands >= 0 && parsed->count > command->max_operands)
        return error_set(err, STATUS_USAGE, "too many operands, starting with '%.100s'",
                         parsed->words[command->max_operands]);
    return 0;
}

bool opt_is_given(const struct command *command, const struct opt *row, const void *options)
{
    const void *field = (const char *)options + row->offset;
    const void *initial = (const char *)command->defaults + row->offset;
    if (row->type == &opt_ipv4 || row->type == &opt_ipv6) /* one field of both */
        return *(const int *)field == (row->type == &opt_ipv4 ? AF_INET : AF_INET6);
    return row->type == &opt_bytes ? ((const struct opt_bytes *)field)->length != 0
                                   : memcmp(field, initial, row->size) != 0;
}

void opt_release(const struct command *command, struct opt_parsed *parsed)
{
    for (const struct opt *row = command->options; row->name && parsed->options; row++) {
        void *field = (char *)parsed->options + row->offset;
        if (row->type == &opt_fields)
            wipe_words(((struct opt_list *)field)->items, ((struct opt_list *)field)->count);
        if (row->type == &opt_list || row->type == &opt_entries || row->type == &opt_record ||
            row->type == &opt_fields)
            free(((struct opt_list *)field)->items);
        else if (row->type == &opt_secret || row->type == &opt_proxy)
            memory_wipe(*(char **)field);
    }
    if (command->takes_urls)
        wipe_words(parsed->words, (size_t)parsed->count);
    free(parsed->options);
    free(parsed->words);
}
