/*
 * The kinds of value that an option can have: what each reads, and into a field of which type.
 *
 * To add a kind: its two lines here (OPT_CTYPE_name and opt_name), and its reader in opt_type.c.
 */
#ifndef CLI_OPT_TYPE_H
#define CLI_OPT_TYPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A kind of value. */
struct opt_type {
    const char *metavar; /* how help calls the argument; NULL: the option takes none */
    /* Reads `text` (NULL where there is no argument; it may be changed in place) into the field.
     * Returns NULL, or what is wrong with it, as words that follow the value: "is not a size"; without
     * an argument, as a whole message. NULL: it is a number from min to max, in a field of int64_t. */
    const char *(*read)(char *text, void *field);
    int64_t min;
    int64_t max;
};

/* An option that may be given several times. */
struct opt_list {
    const char *
        *items; /* point into argv, or of opt_fields to copies; the array is the list's own */
    size_t count;
};

/* Text in which C escapes have been decoded: it may hold any byte. */
struct opt_bytes {
    const char *bytes; /* in argv; NULL: not given */
    size_t length;
};

#define OPT_CTYPE_flag bool
#define OPT_CTYPE_proxy_version int
#define OPT_CTYPE_count int
#define OPT_CTYPE_topic const char *
#define OPT_CTYPE_ipv4 int
#define OPT_CTYPE_ipv6 int
#define OPT_CTYPE_text const char *
#define OPT_CTYPE_file const char *
#define OPT_CTYPE_fields struct opt_list
#define OPT_CTYPE_secret char *
#define OPT_CTYPE_proxy char *
#define OPT_CTYPE_program const char *
#define OPT_CTYPE_command const char *
#define OPT_CTYPE_host const char *
#define OPT_CTYPE_address const char *
#define OPT_CTYPE_port const char *
#define OPT_CTYPE_record struct opt_list
#define OPT_CTYPE_list struct opt_list
#define OPT_CTYPE_entries struct opt_list
#define OPT_CTYPE_bytes struct opt_bytes
#define OPT_CTYPE_duration int64_t
#define OPT_CTYPE_limit int64_t
#define OPT_CTYPE_size uint64_t
#define OPT_CTYPE_memory uint64_t
#define OPT_CTYPE_number int64_t
#define OPT_CTYPE_service const char *
#define OPT_CTYPE_percent uint32_t
#define OPT_CTYPE_seed int64_t
#define OPT_CTYPE_amount int64_t
#define OPT_CTYPE_mode int
#define OPT_CTYPE_descriptor int
#define OPT_CTYPE_timing int
#define OPT_CTYPE_log bool
#define OPT_CTYPE_ttl int64_t
#define OPT_CTYPE_tos int64_t
#define OPT_CTYPE_mark int64_t
#define OPT_CTYPE_byte int64_t
#define OPT_CTYPE_keepalive int64_t
#define OPT_CTYPE_interface const char *

extern const struct opt_type opt_flag;       /* set to true */
extern const struct opt_type opt_count;      /* one more each time */
extern const struct opt_type opt_topic;      /* GROUP, empty without one */
extern const struct opt_type opt_ipv4;       /* AF_INET into an address family */
extern const struct opt_type opt_ipv6;       /* AF_INET6 */
extern const struct opt_type opt_text;       /* TEXT, as typed */
extern const struct opt_type opt_file;       /* FILE */
extern const struct opt_type opt_host;       /* ADDR */
extern const struct opt_type opt_address;    /* ADDRESS */
extern const struct opt_type opt_port;       /* PORT: a number from 0 to 65535, or a service name */
extern const struct opt_type opt_record;     /* TYPE, of DNS records, each time one more */
extern const struct opt_type opt_list;       /* TEXT, each time one more */
extern const struct opt_type opt_entries;    /* LIST, each time one more; not empty */
extern const struct opt_type opt_bytes;      /* TEXT, with C escapes */
extern const struct opt_type opt_duration;   /* TIME, in milliseconds */
extern const struct opt_type opt_limit;      /* likewise; 0, which is no limit, as -1 */
extern const struct opt_type opt_size;       /* SIZE, in bytes */
extern const struct opt_type opt_memory;     /* SIZE, in bytes, at least BUDGET_MIN */
extern const struct opt_type opt_number;     /* N, from 1 to INT_MAX */
extern const struct opt_type opt_amount;     /* N, from 0 to INT_MAX */
extern const struct opt_type opt_mode;       /* OCTAL, from 0 to 0777 */
extern const struct opt_type opt_descriptor; /* FD, from 0 on */
extern const struct opt_type opt_log;        /* FORMAT: "json", which sets to true */
extern const struct opt_type opt_service;    /* SERVICE, as typed */
extern const struct opt_type opt_percent;    /* PERCENT, from 0 to 100, in millionths */
extern const struct opt_type opt_seed;       /* N, from 0 to INT64_MAX */
extern const struct opt_type opt_timing;     /* FORMAT: "json", or none */

/* Those with a secret in them. Every user of the machine can read a command line (ps(1), /proc/PID/cmdline) for as
 * long as the command runs: so what is secret is copied, and overwritten with '*' where it came from. It was there
 * for a moment, and still is where it was typed: who wants more says @FILE, which is no secret. The copies belong to
 * the parsed options. */
extern const struct opt_type opt_fields; /* TEXT (Name: value, NAME=VALUE), each time one more */
extern const struct opt_type opt_secret; /* TEXT */
extern const struct opt_type opt_proxy;  /* URL; may be empty */

/* What --timing was given. */
enum { OPT_TIMING_NONE, OPT_TIMING_CHART, OPT_TIMING_JSON };

/* A program, and a command of the shell. */
extern const struct opt_type opt_program; /* PROGRAM */
extern const struct opt_type opt_command; /* COMMAND */

/* Those of socket options. */
extern const struct opt_type opt_ttl;           /* N, from 1 to 255 */
extern const struct opt_type opt_tos;           /* VALUE, from 0 to 255, or a word for it */
extern const struct opt_type opt_mark;          /* N, from 0 to UINT32_MAX */
extern const struct opt_type opt_byte;          /* BYTE, with C escapes, from 0 to 255 */
extern const struct opt_type opt_proxy_version; /* VERSION: 1, or 2, also without one */
extern const struct opt_type opt_keepalive;     /* TIME, in milliseconds; 0 without one */
extern const struct opt_type opt_interface;     /* NAME, of what the kernel takes as a length */

/* opt_copy_url returns a copy of a URL, of which USER:PASS@ is overwritten with '*' where it came from, as of those
 * kinds above. The caller gives it to memory_wipe. */
char *opt_copy_url(char *word);

#define OPT_CTYPE_hex struct opt_bytes
extern const struct opt_type opt_hex; /* HEX: bytes, two digits each */

#endif
