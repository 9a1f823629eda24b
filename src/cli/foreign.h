/*
 * The options of other programs: nc (OpenBSD's and the traditional one), ncat, socat, curl, wget, dig, host and
 * wait-for-it. Who types one out of habit gets what was meant, or one line that says what to type here.
 */
#ifndef CLI_FOREIGN_H
#define CLI_FOREIGN_H

#include <stdbool.h>
#include <stdio.h>

/* The answer to a word of another program's: what to type instead, or why there is nothing of the kind, as the end of a
 * sentence after a colon. It is empty where the word asks for what happens anyway: such a word is taken without a
 * message. NULL: no program has such a word. Answers live as long as the program. */

/* Finds the answer to an option that `command` does not have; `name` is one letter or a long name, without its dashes, or
 * a word that begins with one, of `length` bytes. */
const char *foreign_option(const char *command, const char *name, size_t length);

/* Finds the answer to an operand of `command`, `alone` if there is no other. */
const char *foreign_operand(const char *command, const char *operand, bool alone);

/* Writes our command line for two addresses of socat(1) into `line`, of `room` bytes, cut where it is longer: what arrives
 * at `from` is forwarded to `to`. False: they are none, or have no line that does the same. */
bool foreign_forward(const char *from, const char *to, char *line, size_t room);

/* Finds the answer to our option `option`, its long name, with `value` as its value, or as the word that follows it;
 * never empty. NULL: that can be meant as it is. */
const char *foreign_value(const char *command, const char *option, const char *value);

/* Writes the tables, a line a row: commands, words, programs, answer, and "option", "operand" or "line" (the words are
 * then typed as they are), with tabs between them. sockctl-migrate(7) is made from it. */
void foreign_table(FILE *out);

#endif
