/*
 * Where a body goes: stdout, or a file that gets its name once all is there and correct.
 */
#ifndef CMD_HTTP_HTTP_OUTPUT_H
#define CMD_HTTP_HTTP_OUTPUT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/sha256.h"
#include "cmd/http/http_options.h"
#include "proto/url.h"
#include "stream/filter.h"
#include "sys/fd.h"
#include "sys/replace_file.h"

enum { HTTP_VALIDATOR_MAX = 256 };

struct http_output {
    struct loop *loop;
    const struct http_options *options;
    struct fd standard; /* stdout */
    struct fd end;      /* where the body goes now; the fd is not this one's to close */
    const char *name;   /* of it, for errors */
    bool has_file;
    struct replace_file file;
    char *path;     /* as the options and the URL have it, the output's; NULL: stdout */
    int old;        /* --continue: FILE, of which `there` bytes are to be taken over; -1: none */
    bool begun;     /* something may have been written */
    bool stale;     /* the new file has bytes of a part that was rejected */
    bool unchanged; /* what is there already is what was asked for */
    uint64_t there; /* bytes of the body that need not come again */
    uint64_t total; /* of the body that they are of; 0: not known */
    char validator[HTTP_VALIDATOR_MAX]; /* of the version they are of; empty: none */
    struct sha256 sha;
    struct tap digest; /* of what passes: looks at the body with --sha256 */
    struct tap
        guard; /* looks at what a terminal gets, and lets the digest look, too, where `has_digest` */
    bool has_digest;
    bool is_binary; /* what the terminal would have got */
    size_t guarded; /* bytes that the guard has looked at */
};

/* http_output_init makes it write to stdout. The options are the owner's, and have to outlive it. */
void http_output_init(struct http_output *output, struct loop *loop,
                      const struct http_options *options);

/* http_output_choose sets *path to the file that --output or --remote-name names for this URL, the caller's; NULL: stdout.
 * It fails with status 2 where the URL has no file name in it. */
int http_output_choose(const struct http_options *options, const struct url *url, char **path,
                       struct error *err);

/* http_output_find prepares the output for the next URL: it looks at the file, where a FIFO waits for its reader in
 * the loop, and with --continue at what is there of it. It fails with status 8, or 2 where the URL has no file name
 * in it. */
int http_output_find(struct http_output *output, const struct url *url, struct error *err);

/* http_output_begin opens the file before a body is written, of the version that the validator is of. With `resumes`,
 * what will come follows the bytes that are there, else it replaces them. With --continue the validator is remembered
 * beside the bytes for the next time. It fails with status 8, or 1 where what has been written cannot be taken back.
 */
int http_output_begin(struct http_output *output, bool resumes, struct error *err);

/* http_output_can_restart says whether all of the body may be asked for again. */
bool http_output_can_restart(const struct http_output *output);

/* http_output_reject_part is for what an earlier try has left and is of no use: it is not kept for another one. The
 * result says whether all of the body may be asked for again: then there is nothing there any more. */
bool http_output_reject_part(struct http_output *output);

/* http_output_leave lets the file stay as it is, for it is what was asked for: http_output_finish just checks it
 * against --sha256. It fails with status 8. */
int http_output_leave(struct http_output *output, struct error *err);

/* http_output_tap returns what is to look at a body, `to_file` where it goes to `end` and not to stdout; NULL: nothing. It
 * fails at binary bytes that would go to a terminal, unless the user has said -o -, and sets `is_binary`. */
struct tap *http_output_tap(struct http_output *output, bool to_file);

/* http_output_keep lets what has come of a body stay for a later --continue, though the command had no --continue.
 * It says whether that could be: the server has to have named the version, and the file system to remember it. */
bool http_output_keep(struct http_output *output);

/* http_output_finish is for an output that is complete: it checks it against --sha256 (status 7), and gives the file
 * its name (status 8). */
int http_output_finish(struct http_output *output, struct error *err);

/* http_output_was_complete says whether FILE was complete before anything came. */
bool http_output_was_complete(const struct http_output *output);

/* http_output_drop forgets the file, in favour of the old one, if it is not finished. It may be called twice. */
void http_output_drop(struct http_output *output);

/* http_output_close says, when all is done, whether everything that was written to stdout got there: 0, or status 8.
 */
int http_output_close(struct http_output *output, struct error *err);

#endif
