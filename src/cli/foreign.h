/*
 * The options of other programs: nc (OpenBSD's and the traditional one), ncat, socat, curl, wget, dig, host and
 * wait-for-it. Who types one out of habit gets what was meant, or one line that says what to type here.
 */
#ifndef CLI_FOREIGN_H
#define CLI_FOREIGN_H

#include <stdbool.h>
#include <stdio.h>

/* A row of a table. All texts live as long as the program. */
struct foreign_word {
    const char *commands; /* the commands where the word means this, with spaces between them */
    /* Options: "X proxy-type -nv" stands for -X, --proxy-type and the one word -nv. Operands: how they begin, "TCP-LISTEN: TCP4-LISTEN:",
     * in any case; one with
     * "=" before it is a whole operand, in these letters, beside others. */
    const char *words;
    const char *programs; /* whose words they are, as sockctl-migrate(7) shows it */
    /* What to type instead, or why there is nothing of the kind, as the end of a sentence after a colon. NULL: the
     * word asks for what happens anyway, and is taken without a message. */
    const char *answer;
};

/* What others type after an option whose letter we have, too. */
struct foreign_value {
    const char *commands;
    const char *option; /* ours, its long name */
    const char
        *pattern; /* of its value, or of the word after it where it takes none, see fnmatch(3) */
    const char *typed; /* how it looks, as sockctl-migrate(7) shows it */
    const char *programs;
    const char *answer; /* never NULL */
};

/* Finds the row of an option that `command` does not have; `name` is one letter or a long name, without its dashes, or
 * a word that begins with one, of `length` bytes. Returns NULL where nobody has such an option. */
const struct foreign_word *foreign_option(const char *command, const char *name, size_t length);

/* Finds the row of an operand of `command`, `alone` if there is no other; returns NULL where it is none of another
 * program's. */
const struct foreign_word *foreign_operand(const char *command, const char *operand, bool alone);

/* Finds the row of our option `option` with `value` as its value, or as the word that follows it; returns NULL where that
 * can be meant as it is. */
const struct foreign_value *foreign_value(const char *command, const char *option,
                                          const char *value);

/* Writes the tables, a line a row: commands, words, programs, answer, and "option", "operand" or "line" (the words are
 * then typed as they are), with tabs between them. sockctl-migrate(7) is made from it. */
void foreign_table(FILE *out);

#endif
