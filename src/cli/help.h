/*
 * What the tables say to a person and to the tools that are derived from them.
 */
#ifndef CLI_HELP_H
#define CLI_HELP_H

#include <stdio.h>

struct command;

/* help_overview prints the list of commands. `commands` ends with NULL, here and below. */
void help_overview(FILE *out, const struct command *const *commands);

/* help_command prints usage and options of one command. */
void help_command(FILE *out, const struct command *command);

/* help_table prints one line an option: command, letter, long name, value, help, separated by tabs. An optional value
 * is shown as [=VALUE]. */
void help_table(FILE *out, const struct command *const *commands);

#endif
