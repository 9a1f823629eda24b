/*
 * What the tables say to a person and to the tools that are derived from them.
 */
#ifndef CLI_HELP_H
#define CLI_HELP_H

#include <stdio.h>

struct command;
struct error;

/* help_overview writes the list of commands to `out`, laid out for `fd`, which it leads to: for a terminal, as wide as that
 * and in bold. `commands` ends with NULL, here and below. */
void help_overview(FILE *out, int fd, const struct command *const *commands);

/* help_command writes the same way what `topic` asks for: one screen about the command if it is empty, every option in its
 * group if it is "all", or one group of options, whose name may be abbreviated. It returns 0, or -1 and status 2 with the
 * names of the groups. */
int help_command(FILE *out, int fd, const struct command *command, const char *topic,
                 struct error *err);

/* help_table prints one line an option: command, letter, long name, value, help, separated by tabs. An optional value
 * is shown as [=VALUE]. */
void help_table(FILE *out, const struct command *const *commands);

#endif
