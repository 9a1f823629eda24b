/*
 * The output of one URL after the other. http_output_find looks at what is there: nothing, the file that --continue
 * goes on with (an earlier try's temporary file, with the validator of its version in an extended attribute), or
 * FILE itself, which is copied into the new file first. http_output_begin opens it before a body, and either takes
 * over the bytes that are there or begins anew; the body then goes to `end`. http_output_finish checks the digest
 * and renames; http_output_drop forgets it. A try that fails may be followed by another: `there` says where to go on.
 */
#include "cmd/http/http_output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/memory.h"
#include "sys/loop.h"

static const char attribute[] = "user.sockctl.validator";

enum {
    COPY_BYTES = 16384,
    GUARDED_BYTES = 2000 /* of what goes to a terminal */
};

static int output_failed(const struct http_output *output, const char *what, struct error *err)
{
    return error_system(err, STATUS_LOCAL_IO, errno, "%s %s", what, output->name);
}

static int digest_look(struct tap *tap, const char *bytes, size_t length)
{
    struct http_output *output = LOOP_OWNER(tap, struct http_output, digest);
    sha256_add(&output->sha, bytes, length);
    return 0;
}

/* curl's rule: a NUL among the first bytes. */
static int guard_look(struct tap *tap, const char *bytes, size_t length)
{
    struct http_output *output = LOOP_OWNER(tap, struct http_output, guard);
    const size_t left = GUARDED_BYTES - output->guarded, looked = length < left ? length : left;
    output->is_binary = memchr(bytes, '\0', looked);
    output->guarded += looked;
    if (output->is_binary) {
        errno = EILSEQ;
        return -1;
    }
    return output->has_digest ? digest_look(&output->digest, bytes, length) : 0;
}

struct tap *http_output_tap(struct http_output *output, bool to_file)
{
    const struct http_options *options = output->options;
    const bool insists = options->output && strcmp(options->output, "-") == 0;
    const bool is_for_terminal = !(to_file && output->has_file) &&
                                 output->standard.kind == FD_TERMINAL;
    output->has_digest = to_file && options->sha256;
    if (is_for_terminal && !insists)
        return &output->guard;
    return output->has_digest ? &output->digest : NULL;
}

void http_output_init(struct http_output *output, struct loop *loop,
                      const struct http_options *options)
{
    *output = (struct http_output){.loop = loop,
                                   .options = options,
                                   .standard = fd_output(STDOUT_FILENO),
                                   .name = "stdout",
                                   .old = -1,
                                   .digest.look = digest_look,
                                   .guard.look = guard_look};
    output->end = output->standard;
    sha256_init(&output->sha);
}

/* Looks at what is there: what an earlier try with --continue has left, or FILE itself. */
static int find_part(struct http_output *output, struct error *err)
{
    struct stat status;
    struct replace_file *file = &output->file;
    if (file->fd >= 0)
        return 0; /* no regular file */
    if (replace_file_resume(file, err))
        return -1;
    if (fstat(file->fd, &status) == 0 && status.st_size) {
        ssize_t length = fgetxattr(file->fd, attribute, output->validator, HTTP_VALIDATOR_MAX - 1);
        if (length > 0) {
            output->validator[length] = '\0';
            output->there = (uint64_t)status.st_size;
            file->kept = true; /* also if nothing comes this time */
            return 0;
        }
        /* Without a validator nobody knows what it is of. */
        if (ftruncate(file->fd, 0) < 0)
            output_failed(output, "write to", err); /* then the next write fails as well */
    }
    output->old = open(file->path, O_RDONLY | O_NOCTTY | O_CLOEXEC);
    if (output->old < 0 && errno == ENOENT)
        return 0;
    if (output->old < 0 || fstat(output->old, &status) < 0)
        return output_failed(output, "open", err);
    output->there = (uint64_t)status.st_size;
    return 0;
}

int http_output_choose(const struct http_options *options, const struct url *url, char **path,
                       struct error *err)
{
    const char *given = options->output;
    *path = NULL;
    if (options->remote_name) {
        const char *target = url->target.start, *end = target + strcspn(target, "?#"), *name = end;
        while (name > target && name[-1] != '/')
            name--;
        if (name == end || *name == '.')
            return error_set(
                err, STATUS_USAGE,
                "URL '%.*s%.100s' has no file name in it, for --remote-name; --output FILE "
                "names one, as wget's -O FILE does",
                (int)url->host.length, url->host.start, target);
        *path = memory_copy(name, (size_t)(end - name));
    } else if (given && strcmp(given, "-") != 0) {
        *path = memory_copy(given, strlen(given));
    }
    return 0;
}

int http_output_find(struct http_output *output, const struct url *url, struct error *err)
{
    const struct http_options *options = output->options;
    output->begun = output->stale = output->unchanged = output->is_binary = false;
    output->guarded = 0;
    output->there = output->total = 0;
    *output->validator = '\0';
    if (http_output_choose(options, url, &output->path, err))
        return -1;
    if (!output->path)
        return 0;
    output->has_file = true;
    output->name = output->path;
    if (replace_file_find(&output->file, output->loop, output->path, err))
        return -1;
    return options->resume ? find_part(output, err) : 0;
}

/* Reads what is there from its start: for the digest, and, where `copies`, for the new file. */
static int read_present(struct http_output *output, int from, bool copies, struct error *err)
{
    char bytes[COPY_BYTES];
    for (uint64_t left = output->there; left;) {
        ssize_t got = read(from, bytes, left < sizeof bytes ? (size_t)left : sizeof bytes);
        if (got < 0 && errno == EINTR)
            continue;
        if (got == 0)
            errno = ENODATA; /* somebody has cut it */
        if (got <= 0)
            return output_failed(output, "read", err);
        sha256_add(&output->sha, bytes, (size_t)got);
        for (ssize_t wrote = 0; copies && wrote < got;) {
            ssize_t more = write(output->file.fd, bytes + wrote, (size_t)(got - wrote));
            if (more < 0 && errno != EINTR)
                return output_failed(output, "write to", err);
            wrote += more < 0 ? 0 : more;
        }
        left -= (uint64_t)got;
    }
    return 0;
}

/* What comes will follow what is there. */
static int take_over_present(struct http_output *output, struct error *err)
{
    if (output->begun || !output->there)
        return 0;
    if (output->old >= 0)
        return read_present(output, output->old, true, err);
    if (output->options->sha256)
        return read_present(output, output->file.fd, false, err);
    return lseek(output->file.fd, 0, SEEK_END) < 0 ? output_failed(output, "write to", err) : 0;
}

bool http_output_can_restart(const struct http_output *output)
{
    return !output->there || (output->has_file && output->file.temporary);
}

/* What comes will replace what is there. */
static int restart_output(struct http_output *output, struct error *err)
{
    if (!http_output_can_restart(output))
        return error_set(err, STATUS_TRANSFER, "%s: what has been written cannot be taken back",
                         output->name);
    bool empties = output->stale || (output->there && output->old < 0);
    output->stale = false;
    output->there = 0;
    sha256_init(&output->sha);
    if (empties && (ftruncate(output->file.fd, 0) < 0 || lseek(output->file.fd, 0, SEEK_SET) < 0))
        return output_failed(output, "write to", err);
    return 0;
}

int http_output_begin(struct http_output *output, bool resumes, struct error *err)
{
    struct replace_file *file = &output->file;
    if (output->has_file && replace_file_create(file, err))
        return -1;
    output->end = output->has_file ? fd_of_own(file->fd) : output->standard;
    /* Before any byte, so that whatever ends us leaves none without its validator. */
    if (output->has_file && output->options->resume && file->temporary) {
        fremovexattr(file->fd, attribute);
        file->kept = *output->validator && fsetxattr(file->fd, attribute, output->validator,
                                                     strlen(output->validator), 0) == 0;
    }
    if (resumes ? take_over_present(output, err) : restart_output(output, err))
        return -1;
    output->begun = true;
    if (output->old >= 0)
        close(output->old);
    output->old = -1;
    return 0;
}

bool http_output_reject_part(struct http_output *output)
{
    bool can_restart = http_output_can_restart(output);
    output->file.kept = false;
    if (!can_restart)
        return false;
    output->stale = output->stale || (output->there && output->old < 0);
    output->there = 0;
    return true;
}

int http_output_leave(struct http_output *output, struct error *err)
{
    struct stat status = {.st_size = 0};
    output->unchanged = true;
    sha256_init(&output->sha);
    if (!output->options->sha256 || !output->has_file)
        return 0;
    if (output->old < 0)
        output->old = open(output->file.path, O_RDONLY | O_NOCTTY | O_CLOEXEC);
    if (output->old < 0 || fstat(output->old, &status) < 0)
        return output_failed(output, "open", err);
    output->there = (uint64_t)status.st_size;
    return 0;
}

bool http_output_keep(struct http_output *output)
{
    const struct replace_file *file = &output->file;
    return output->begun && file->temporary && output->there && *output->validator &&
           fsetxattr(file->fd, attribute, output->validator, strlen(output->validator), 0) == 0 &&
           replace_file_keep(&output->file);
}

void http_output_drop(struct http_output *output)
{
    if (!output->has_file)
        return;
    if (output->old >= 0)
        close(output->old);
    output->old = -1;
    replace_file_release(&output->file);
    free(output->path);
    output->path = NULL;
    output->has_file = false;
    output->name = "stdout";
    output->end = output->standard;
}

bool http_output_was_complete(const struct http_output *output)
{
    return output->old >= 0;
}

int http_output_finish(struct http_output *output, struct error *err)
{
    char digest[SHA256_TEXT + 1];
    const char *expected = output->options->sha256;
    bool stays = http_output_was_complete(output) || output->unchanged;
    if (stays && expected && output->old >= 0 && read_present(output, output->old, false, err))
        return -1;
    if (expected && strcasecmp(sha256_text(&output->sha, digest), expected) != 0) {
        output->file.kept = false;
        return error_set(err, STATUS_MALFORMED, "%s: its SHA-256 is another: %s", output->name,
                         digest);
    }
    if (stays || !output->has_file)
        return 0;
    if (output->file.kept)
        fremovexattr(output->file.fd, attribute);
    if (replace_file_commit(&output->file, err))
        return -1;
    if (!output->options->resume)
        replace_file_remove_part(&output->file);
    http_output_drop(output);
    return 0;
}

int http_output_close(struct http_output *output, struct error *err)
{
    http_output_drop(output);
    return fd_finish_stdout(&output->standard, err);
}
