/*
 * sockctl http-get: the body of a URL goes to stdout, or to a file when it is complete.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "cli/report.h"
#include "cmd/http_fetch.h"
#include "cmd/http_target.h"
#include "cmd/interrupt.h"
#include "cmd/limit.h"
#include "cmd/shared.h"
#include "command.h"
#include "io/aside.h"

struct http_get_options {
    struct http_target_options target;
    struct http_fetch_options fetch;
    const char *output;
    int64_t max_time_ms;
};

#define ROW(letter, name, kind, field, help)                                                       \
    OPT(letter, name, kind, struct http_get_options, field, help)

static const struct opt options[] = {
    ROW('i', "include", flag, fetch.include, "print the head of the answer, too"),
    ROW('I', "head", flag, target.head, "ask for the head alone, and print it"),
    ROW('o', "output", file, output, "write to FILE, once all is there"),
    ROW('f', "fail", flag, fetch.fail, "no body with a status of 400 and above"),
    ROW('H', "header", list, target.fields, "send the field TEXT (Name: value)"),
    ROW('A', "user-agent", text, target.user_agent, "send TEXT as User-Agent; empty: none"),
    ROW('e', "referer", text, target.referer, "send TEXT as Referer"),
    ROW('u', "user", text, target.user, "send TEXT (NAME:PASS) as basic credentials"),
    ROW('b', "cookie", text, target.cookie, "send TEXT (NAME=VALUE) as Cookie"),
    ROW('r', "range", text, target.range, "ask for these bytes alone (0-99, 100-, -50)"),
    ROW('0', "http1.0", flag, target.http10, "ask in HTTP/1.0"),
    ROW(0, "http0.9", flag, target.http09, "ask with the bare GET /PATH; print whatever comes"),
    FAMILY_ONLY_ROWS(struct http_get_options, target.family),
    ROW('U', "unix-socket", file, target.unix_path, "connect to the UNIX socket FILE"),
    ROW('m', "max-time", duration, max_time_ms, "limit for the whole command"),
    ROW(0, "connect-timeout", duration, fetch.connect_timeout_ms, "limit for each connection"),
    ROW(0, "idle-timeout", duration, fetch.idle_ms, "end when nothing moved for TIME"),
    ROW('s', "silent", flag, fetch.silent, "no warnings, no progress"),
    OPT_END,
};

static const struct http_get_options defaults = {
    .target = {.family = FAMILY_DEFAULTS, .user_agent = "sockctl/" SOCKCTL_VERSION},
    .fetch = {.connect_timeout_ms = -1, .idle_ms = -1},
    .max_time_ms = -1,
};

/* Everything that a fetch needs, and what ends it early. */
struct job {
    struct http_fetch fetch;
    struct http_output output;
    struct aside file;
    struct pump_pool pool;
    struct interrupt interrupt;
    struct limit limit;
    bool limited;
    struct http_target *targets;
    size_t count;
};

static bool ends_all(const struct job *job, const struct error *err)
{
    bool over = job->limited && !loop_timer_is_set(&job->limit.timer);
    return over || err->status == STATUS_LOCAL_IO || err->signal_number;
}

/* One after the other. One that fails does not keep the next from being fetched, unless there is no
 * output or no time left; the status is that of the first failure. */
static int fetch_all(struct job *job, struct error *err)
{
    int status = STATUS_OK, result = 0;
    for (size_t i = 0; i < job->count; i++) {
        result = http_fetch_run(&job->fetch, &job->targets[i], err);
        if (result == 0)
            continue;
        if (ends_all(job, err))
            return -1;
        if (status == STATUS_OK)
            status = err->status;
        if (i + 1 < job->count)
            report_warning("%s", err->text);
    }
    if (status == STATUS_OK)
        return 0;
    if (result == 0)
        return error_silent(err, status);
    err->status = status;
    return -1;
}

/* Output */

static int open_output(struct job *job, const char *path, struct error *err)
{
    job->fetch.output = &job->output;
    if (!path || strcmp(path, "-") == 0) {
        job->output = (struct http_output){.end = end_stdout(), .name = "stdout"};
        return 0;
    }
    job->output = (struct http_output){.name = path, .file = &job->file};
    return aside_find(&job->file, path, err);
}

/* Everything has been written: did it get there? */
static int complete_output(struct job *job, struct error *err)
{
    struct http_output *output = &job->output;
    if (output->file)
        return aside_commit(output->file, err);
    if (output->end.kind != END_FILE || end_close_stdout(&output->end) == 0)
        return 0;
    return error_system(err, STATUS_LOCAL_IO, errno, "write to stdout");
}

static int fetch_to_output(struct job *job, const struct http_get_options *given, struct error *err)
{
    if (open_output(job, given->output, err))
        return -1;
    if (job->output.file)
        interrupt_catch(&job->interrupt, job->fetch.loop, err);
    job->limited = given->max_time_ms >= 0;
    limit_command(&job->limit, job->fetch.loop, given->max_time_ms, err);
    if (fetch_all(job, err))
        return -1;
    return complete_output(job, err);
}

/* The whole */

static int check(const struct http_get_options *given, const struct operands *operands,
                 struct error *err)
{
    if (given->output && operands->count > 1)
        return error_set(err, STATUS_USAGE, "--output takes one URL, not %d", operands->count);
    return http_target_check(&given->target, err);
}

/* All URLs are looked at before anything is fetched. */
static int find_targets(struct job *job, const struct http_get_options *given,
                        const struct operands *operands, struct error *err)
{
    job->targets = memory_new((size_t)operands->count, sizeof *job->targets);
    for (; job->count < (size_t)operands->count; job->count++)
        if (http_target_init(&job->targets[job->count], &given->target, operands->words[job->count],
                             err))
            return -1;
    return 0;
}

static void release(struct job *job)
{
    for (size_t i = 0; i < job->count; i++)
        http_target_release(&job->targets[i]);
    free(job->targets);
    if (job->output.file)
        aside_release(job->output.file);
    pump_pool_release(&job->pool);
    loop_free(job->fetch.loop);
}

static int run(const void *chosen, const struct operands *operands, struct error *err)
{
    const struct http_get_options *given = chosen;
    struct job job = {.count = 0};
    job.fetch = (struct http_fetch){.target_options = &given->target,
                                    .options = &given->fetch,
                                    .pool = &job.pool};
    int result = check(given, operands, err);
    if (!result)
        result = find_targets(&job, given, operands, err);
    if (!result) {
        job.fetch.loop = loop_new();
        result = fetch_to_output(&job, given, err);
    }
    release(&job);
    return result;
}

const struct command http_get_command = {
    .name = "http-get",
    .operands = "URL...",
    .summary = "Fetch URLs; the bodies go to stdout, or one to a file",
    .min_operands = 1,
    .max_operands = -1,
    .options = options,
    .defaults = &defaults,
    .options_size = sizeof defaults,
    .run = run,
};
