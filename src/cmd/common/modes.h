/*
 * Modes: what a command does in this run, and over which kind of socket. Each option's row says which modes the option
 * is for (MODE_…, cmd/common/options.h); one that would do nothing is refused before anything is opened.
 */
#ifndef CMD_COMMON_MODES_H
#define CMD_COMMON_MODES_H

#include <stdio.h>

#include "base/error.h"
#include "cli/opt.h"
#include "cmd/common/options.h"
#include "net/address.h"

/* modes_of_address returns the MODE_ bit of the kind of socket that an address asks for; 0 for an inherited socket,
 * whose kind is known when it has been looked at. */
unsigned modes_of_address(const struct address *address);

/* modes_of_socket returns the MODE_ bit of a socket's kind. */
unsigned modes_of_socket(int family, int socktype);

/* modes_check checks that every option that was given, as they were parsed, is for the mode. `modes` has the bit of
 * what is done (MODE_WAYS), that of the kind of socket (MODE_KINDS), or of two where one is forwarded to the other (an
 * option may then be for either), MODE_INETD, and MODE_VIA or MODE_TLS, each where it is so. What is 0 is not looked at.
 * Returns 0, or -1 and status 2 for the first row that is not for it: "option --NAME is for …". */
int modes_check(const struct command *command, const void *options, unsigned modes,
                struct error *err);

/* modes_check_raw checks whether --ip-header, where it is given, is for the raw socket of an address, and makes the
 * address one of IPv4 alone. Returns 0, or -1 and status 2. */
int modes_check_raw(struct address *address, const struct sockopt *given, struct error *err);

/* modes_check_transfer checks that the options of a transfer do not contradict each other. Returns 0, or -1 and
 * status 2. */
int modes_check_transfer(const struct transfer_options *given, struct error *err);

/* modes_table prints a line for each option that is not for every mode: command, long name, and the words for the modes
 * that it is for, separated by tabs. `commands` ends with NULL. Tests are generated from it. */
void modes_table(FILE *out, const struct command *const *commands);

#endif
