/*
 * See help.h. Everything is derived from the rows of the tables (cli/opt.h).
 */
#include "cli/help.h"

#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/text.h"
#include "cli/colour.h"
#include "cli/foreign.h"
#include "cli/opt.h"

enum {
    WIDTH = 80, /* where there is no terminal to ask */
    WIDTH_MIN = 40,
    WIDTH_FOR_COLUMNS = 64, /* on less, what an option does stands below it */
    HELP_COLUMN = 34,
    HELP_INDENT = 8,
    COMMAND_COLUMN = 16,
    NAME_MAX_SHOWN = 48 /* bytes of an option's name or value, as shown, and a NUL */
};

/* What is written to, and how: with a terminal, as wide as that and in bold. */
struct page {
    FILE *out;
    int width;
    bool bold;
};

static struct page page_for(FILE *out, int fd)
{
    struct winsize size;
    int width = WIDTH;
    if (ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col)
        width = size.ws_col < WIDTH_MIN ? WIDTH_MIN : size.ws_col;
    return (struct page){out, width, colour_is_wanted(fd)};
}

/* Writes the words, broken at blanks, from `column` on; `at` is where the line is already. A newline follows. */
static void write_wrapped(const struct page *page, const char *text, int at, int column)
{
    bool begins = true;
    while (*text) {
        const int length = (int)strcspn(text, " ");
        if (at > column && at + !begins + length > page->width) {
            fputc('\n', page->out);
            at = 0;
            begins = true;
        }
        at += fprintf(page->out, "%*s%.*s", begins && at < column ? column - at : !begins, "",
                      length, text);
        begins = false;
        text += length;
        text += strspn(text, " ");
    }
    fputc('\n', page->out);
}

/* Writes the text in bold, where there is bold, and returns its columns. */
static int write_bold(const struct page *page, const char *text)
{
    fputs(colour_begin(page->bold, COLOUR_HEADING), page->out);
    int columns = fprintf(page->out, "%s", text);
    fputs(colour_end(page->bold), page->out);
    return columns;
}

static void write_heading(const struct page *page, const char *text)
{
    write_bold(page, text);
    fputs(":\n", page->out);
}

/* Writes the command lines of the text, one a line of it, after `before`, from the column `indent` on; `at` is where the
 * line is already. What is wrapped is indented further. */
static void write_command_lines(const struct page *page, const char *before, const char *text,
                                int at, int indent)
{
    while (*text) {
        char line[160];
        const size_t length = strcspn(text, "\n");
        snprintf(line, sizeof line, "%s%.*s", before, (int)length, text);
        const int word = (int)strcspn(line, " ") + 1;
        fprintf(page->out, "%*s%.*s", indent - at, "", word, line);
        write_wrapped(page, line + word, indent + word, indent + (word < 4 ? word : 4));
        text += length + (text[length] == '\n');
        at = 0;
    }
}

/* Writes the option's value as help and --table show it. */
static void value_text(const struct opt *row, char *out, size_t room)
{
    const char *metavar = opt_metavar(row);
    snprintf(out, room, row->flags & OPT_OPTIONAL ? "[=%s]" : "%s", metavar ? metavar : "");
}

/* Writes what stands left of an option's text into `name` and `value`, of NAME_MAX_SHOWN bytes each, and returns their
 * columns. */
static int option_names(const struct opt *row, char *name, char *value)
{
    char metavar[NAME_MAX_SHOWN - 1], entry[] = "-x,";
    entry[1] = row->entry;
    value_text(row, metavar, sizeof metavar);
    snprintf(value, NAME_MAX_SHOWN, "%s%s", *metavar && *metavar != '[' ? " " : "", metavar);
    return snprintf(name, NAME_MAX_SHOWN, "  %3s --%s", row->entry ? entry : "", row->name) +
           (int)strlen(value);
}

/* Writes what an option does, from `column` on; its name stands before that, or on the line above. */
static void write_option(const struct page *page, const struct opt *row, int column)
{
    char name[NAME_MAX_SHOWN], value[NAME_MAX_SHOWN];
    int at = option_names(row, name, value);
    write_bold(page, name);
    fputs(value, page->out);
    if (at >= column) {
        fputc('\n', page->out);
        at = 0;
    }
    write_wrapped(page, row->help, at, column);
}

/* Returns whether the row is a heading of that group. */
static bool is_heading(const struct opt *row, const struct opt *group)
{
    return !row->type && strcmp(row->name, group->name) == 0;
}

/* Returns the first heading of the group after `group` (NULL: of the first one); NULL: there are no more. */
static const struct opt *next_group(const struct command *command, const struct opt *group)
{
    const struct opt *row = group;
    while ((row = opt_next(command, row))) {
        const struct opt *first = row->type ? NULL : opt_next(command, NULL);
        while (first && !is_heading(first, row))
            first = opt_next(command, first);
        if (first == row)
            break;
    }
    return row;
}

/* Writes the options of a group, from all places where its heading stands. */
static void write_group(const struct page *page, const struct command *command,
                        const struct opt *group)
{
    const int column = page->width < WIDTH_FOR_COLUMNS ? HELP_INDENT : HELP_COLUMN;
    bool inside = false;
    const struct opt *row = NULL;
    write_heading(page, group->help);
    while ((row = opt_next(command, row))) {
        if (!row->type)
            inside = is_heading(row, group);
        else if (inside)
            write_option(page, row, column);
    }
}

/* Returns an option by the first word of `names`; NULL: the command has none of that name. */
static const struct opt *option_named(const struct command *command, const char *names)
{
    const size_t length = strcspn(names, " ");
    const struct opt *row = NULL;
    while ((row = opt_next(command, row)))
        if (row->type && strncmp(row->name, names, length) == 0 && !row->name[length])
            break;
    return row;
}

/* Writes the options that are used most, what they do in a column as near as their names allow. */
static void write_used_most(const struct page *page, const struct command *command)
{
    int column = HELP_INDENT;
    for (int turn = 0; turn < 2; turn++) {
        for (const char *names = command->used_most; *names;) {
            const struct opt *row = option_named(command, names);
            char name[NAME_MAX_SHOWN], value[NAME_MAX_SHOWN];
            if (!row)
                memory_impossible("an option is used most, but in no table");
            const int end = option_names(row, name, value) + 2;
            if (turn)
                write_option(page, row, column);
            else if (end > column && page->width >= WIDTH_FOR_COLUMNS)
                column = end;
            names += strcspn(names, " ");
            names += strspn(names, " ");
        }
    }
}

/* Writes the one screen that says how the command is used, and what more there is to ask for. */
static void write_screen(const struct page *page, const struct command *command)
{
    static const char usage[] = "usage:", examples[] = "Examples:", more[] = "More:";
    char text[512], before[40];
    snprintf(before, sizeof before, "sockctl %s ", command->name);
    snprintf(text, sizeof text, "[OPTIONS] %s%s%s", command->operands, command->forms ? "\n" : "",
             command->forms ? command->forms : "");
    write_command_lines(page, before, text, write_bold(page, usage), (int)sizeof usage);
    snprintf(text, sizeof text, "%s.", command->summary);
    fputc('\n', page->out);
    write_wrapped(page, text, 0, 0);
    snprintf(before, sizeof before, "%.*s: ", (int)strcspn(command->operands, " ."),
             command->operands);
    const int column = write_bold(page, before);
    write_wrapped(page, command->operand_forms, column, column);
    fputc('\n', page->out);
    write_heading(page, "Used most");
    write_used_most(page, command);
    fputc('\n', page->out);
    write_command_lines(page, "", command->examples, write_bold(page, examples),
                        (int)sizeof examples);
    fputc('\n', page->out);
    size_t length = (size_t)snprintf(text, sizeof text,
                                     "man sockctl-%s; --help all; --help GROUP:", command->name);
    for (const struct opt *group = NULL; (group = next_group(command, group));)
        length += (size_t)snprintf(text + length, sizeof text - length, " %s", group->name);
    write_wrapped(page, text, write_bold(page, more), (int)sizeof more);
}

/* Finds the group of an option by its name, or by what that begins with; NULL: there is none. */
static const struct opt *find_group_of_option(const struct command *command, const char *name)
{
    const struct opt *group = NULL, *match = NULL;
    for (const struct opt *row = NULL; (row = opt_next(command, row));) {
        if (!row->type)
            group = row;
        else if (strcmp(row->name, name) == 0)
            return group;
        else if (!match && text_starts_with(row->name, name))
            match = group;
    }
    return match;
}

/* Finds the group whose name begins with `name`, and no other's does, or that of an option of that name. NULL: *err says
 * why there is none. */
static const struct opt *find_group(const struct command *command, const char *name,
                                    struct error *err)
{
    const struct opt *match = NULL, *group = NULL;
    int matches = 0;
    error_set(err, STATUS_USAGE, "'%.100s' is ambiguous:", name);
    while ((group = next_group(command, group))) {
        if (!text_starts_with(group->name, name))
            continue;
        match = group;
        matches++;
        error_add(err, " %s", group->name);
        if (strcmp(group->name, name) == 0) {
            matches = 1;
            break;
        }
    }
    if (matches == 1) {
        error_silent(err, STATUS_OK); /* what was written so far is no failure */
        return match;
    }
    if (matches)
        return NULL;
    group = find_group_of_option(command, name);
    if (group) {
        error_silent(err, STATUS_OK);
        return group;
    }
    const char *answer = foreign_option(command->name, name, strlen(name));
    if (answer && *answer) {
        error_set(err, STATUS_USAGE, "%s has no option --%.100s: %s", command->name, name, answer);
        return NULL;
    }
    error_set(err, STATUS_USAGE, "%s has no group of options '%.100s': try all,", command->name,
              name);
    while ((group = next_group(command, group)))
        error_add(err, " %s%s", group->name, next_group(command, group) ? "," : "");
    return NULL;
}

int help_command(FILE *out, int fd, const struct command *command, const char *topic,
                 struct error *err)
{
    const struct page page = page_for(out, fd);
    if (!*topic) {
        write_screen(&page, command);
    } else if (strcmp(topic, "all") == 0) {
        const struct opt *first = next_group(command, NULL);
        for (const struct opt *group = first; group; group = next_group(command, group)) {
            if (group != first)
                fputc('\n', out);
            write_group(&page, command, group);
        }
    } else {
        const struct opt *group = find_group(command, topic, err);
        if (!group)
            return -1;
        write_group(&page, command, group);
    }
    return 0;
}

void help_overview(FILE *out, int fd, const struct command *const *commands)
{
    const struct page page = page_for(out, fd);
    static const char usage[] = "usage:";
    write_command_lines(
        &page, "sockctl ",
        "COMMAND [OPTIONS] [ARGUMENTS]\nhelp [COMMAND [all | GROUP]]\n--help | --version",
        write_bold(&page, usage), (int)sizeof usage);
    fputc('\n', out);
    write_wrapped(&page, "Opens a socket, wires stdin and stdout to it, and says what happened.", 0,
                  0);
    fputc('\n', out);
    write_heading(&page, "Commands");
    for (; *commands; commands++) {
        const int indent = fprintf(out, "  ");
        write_wrapped(&page, (*commands)->summary, indent + write_bold(&page, (*commands)->name),
                      COMMAND_COLUMN);
    }
    fputc('\n', out);
    write_wrapped(&page,
                  "A command may be abbreviated. 'sockctl COMMAND --help' shows how it is used, "
                  "'man sockctl' all the rest.",
                  0, 0);
}

void help_table(FILE *out, const struct command *const *commands)
{
    for (; *commands; commands++) {
        const struct opt *row = NULL;
        while ((row = opt_next(*commands, row))) {
            if (!row->type)
                continue;
            char value[40], entry[2] = {row->entry, '\0'};
            value_text(row, value, sizeof value);
            fprintf(out, "%s\t%s\t%s\t%s\t%s\n", (*commands)->name, entry, row->name, value,
                    row->help);
        }
    }
}
