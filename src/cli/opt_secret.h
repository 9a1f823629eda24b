/*
 * Words of a command line that hold a secret. Every user of the machine can read a command line (ps(1),
 * /proc/PID/cmdline) for as long as the command runs: so what is secret is copied, and overwritten with
 * '*' where it came from. It was there for a moment, and still is where it was typed: who wants more
 * says @FILE.
 */
#ifndef CLI_OPT_SECRET_H
#define CLI_OPT_SECRET_H

/* A copy of all of `word`, or of a URL of which USER:PASS@ is secret; the caller's to memory_wipe. What
 * starts with '@' names a file, and stays. */
char *opt_secret_take(char *word);
char *opt_secret_take_url(char *word);
/* The same of "Name: value" and "NAME=VALUE", of which the name stays. */
char *opt_secret_take_field(char *word);

#endif
