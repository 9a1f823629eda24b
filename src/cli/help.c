/*
 * See help.h. Everything is derived from the rows of the tables (cli/opt.h).
 */
#include "cli/help.h"

#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>

#include "cli/opt.h"

enum {
    WIDTH = 80, /* where there is no terminal to ask */
    WIDTH_MIN = 40,
    WIDTH_FOR_COLUMNS = 64, /* on less, what an option does stands below it */
    HELP_COLUMN = 34,
    HELP_INDENT = 8
};

/* Returns the columns of the terminal that `out` is, or 80. */
static int help_width(FILE *out)
{
    struct winsize size;
    if (ioctl(fileno(out), TIOCGWINSZ, &size) < 0 || !size.ws_col)
        return WIDTH;
    return size.ws_col < WIDTH_MIN ? WIDTH_MIN : size.ws_col;
}

/* Writes the words, broken at blanks, from `column` on; `at` is where the line is already. A newline follows. */
static void write_wrapped(FILE *out, const char *text, int at, int column, int width)
{
    bool begins = true;
    while (*text) {
        const int length = (int)strcspn(text, " ");
        if (at > column && at + !begins + length > width) {
            fputc('\n', out);
            at = 0;
            begins = true;
        }
        at += fprintf(out, "%*s%.*s", begins && at < column ? column - at : !begins, "", length,
                      text);
        begins = false;
        text += length;
        text += strspn(text, " ");
    }
    fputc('\n', out);
}

/* Writes the option's value as help and --table show it. */
static void value_text(const struct opt *row, char *out, size_t room)
{
    const char *metavar = opt_metavar(row);
    snprintf(out, room, row->flags & OPT_OPTIONAL ? "[=%s]" : "%s", metavar ? metavar : "");
}

void help_overview(FILE *out, const struct command *const *commands)
{
    fputs("usage: sockctl COMMAND [OPTIONS] [ARGUMENTS]\n"
          "       sockctl --help | --version | help [COMMAND]\n\n"
          "Opens a socket, wires stdin and stdout to it, and says what happened.\n\n",
          out);
    for (; *commands; commands++)
        write_wrapped(out, (*commands)->summary, fprintf(out, "  %s", (*commands)->name), 16,
                      help_width(out));
    fputs("\n'sockctl COMMAND --help' shows its options; 'man sockctl' has all the rest.\n", out);
}

/* Writes what an option does, from `column` on; its name stands before that, or on the line above. */
static void write_option(FILE *out, const struct opt *row, int column, int width)
{
    char entry[] = "-x,", value[40];
    entry[1] = row->entry;
    value_text(row, value, sizeof value);
    int at = fprintf(out, "  %3s --%s%s%s", row->entry ? entry : "", row->name,
                     *value && *value != '[' ? " " : "", value);
    if (at >= column) {
        fputc('\n', out);
        at = 0;
    }
    write_wrapped(out, row->help, at, column, width);
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
        const struct opt *first = NULL;
        while (!row->type && (first = opt_next(command, first)) && !is_heading(first, row))
            continue;
        if (first == row)
            break;
    }
    return row;
}

/* Writes the options of a group, from all places where its heading stands. */
static void write_group(FILE *out, const struct command *command, const struct opt *group,
                        int column, int width)
{
    bool inside = false;
    const struct opt *row = NULL;
    while ((row = opt_next(command, row))) {
        if (!row->type)
            inside = is_heading(row, group);
        else if (inside)
            write_option(out, row, column, width);
    }
}

void help_command(FILE *out, const struct command *command)
{
    const int width = help_width(out),
              column = width < WIDTH_FOR_COLUMNS ? HELP_INDENT : HELP_COLUMN;
    char usage[160], summary[128];
    snprintf(usage, sizeof usage, "sockctl %s [OPTIONS] %s%s", command->name, command->operands,
             command->takes_program ? " [-- PROGRAM [ARGUMENTS]]" : "");
    write_wrapped(out, usage, fprintf(out, "usage:"), 7, width);
    fputc('\n', out);
    snprintf(summary, sizeof summary, "%s.", command->summary);
    write_wrapped(out, summary, 0, 0, width);
    fputc('\n', out);
    const struct opt *group = NULL;
    while ((group = next_group(command, group))) {
        fprintf(out, "%s:\n", group->help);
        write_group(out, command, group, column, width);
    }
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
