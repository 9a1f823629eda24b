/*
 * What the tables say to a person and to the tools that are derived from them.
 */
#ifndef CLI_HELP_H
#define CLI_HELP_H

#include <stdio.h>

struct command;

/* The list of commands. */
void help_overview(FILE *out, const struct command *const *commands);
/* Usage and options of one command. */
void help_command(FILE *out, const struct command *command);
/* One line an option: command, entry, long name, value, help, separated by tabs. An optional
 * value is shown as [=VALUE]. */
void help_table(FILE *out, const struct command *const *commands);

#endif
