/*
 * See help.h. Everything is derived from the rows of the tables (cli/opt.h).
 */
#include "cli/help.h"

#include "cli/opt.h"

enum { HELP_COLUMN = 34 };

/* Writes the option's value as help and --table show it. */
static void value_text(const struct opt *row, char *out, size_t room)
{
    const char *metavar = row->type->metavar ? row->type->metavar : "";
    snprintf(out, room, row->flags & OPT_OPTIONAL ? "[=%s]" : "%s", metavar);
}

void help_overview(FILE *out, const struct command *const *commands)
{
    fputs("usage: sockctl COMMAND [OPTIONS] [ARGUMENTS]\n"
          "       sockctl --help | --version | help [COMMAND]\n\n"
          "Opens a socket, wires stdin and stdout to it, and says what happened.\n\n",
          out);
    for (; *commands; commands++)
        fprintf(out, "  %-12s  %s\n", (*commands)->name, (*commands)->summary);
    fputs("\n'sockctl COMMAND --help' shows a command's options; 'man sockctl' tells the rest.\n",
          out);
}

void help_command(FILE *out, const struct command *command)
{
    fprintf(out, "usage: sockctl %s [OPTIONS] %s%s\n\n%s.\n\n", command->name, command->operands,
            command->takes_program ? " [-- PROGRAM [ARGUMENTS]]" : "", command->summary);
    const struct opt *row;
    for (size_t i = 0; (row = opt_row(command, i)); i++) {
        char entry[] = "-x,", value[40];
        entry[1] = row->entry;
        value_text(row, value, sizeof value);
        int width = fprintf(out, "  %3s --%s%s%s", row->entry ? entry : "", row->name,
                            *value && *value != '[' ? " " : "", value);
        fprintf(out, "%*s%s\n", width < HELP_COLUMN ? HELP_COLUMN - width : 2, "", row->help);
    }
}

void help_table(FILE *out, const struct command *const *commands)
{
    for (; *commands; commands++) {
        const struct opt *row;
        for (size_t i = 0; (row = opt_row(*commands, i)); i++) {
            char value[40], entry[2] = {row->entry, '\0'};
            value_text(row, value, sizeof value);
            fprintf(out, "%s\t%s\t%s\t%s\t%s\n", (*commands)->name, entry, row->name, value,
                    row->help);
        }
    }
}
