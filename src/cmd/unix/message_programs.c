/*
 * See message_programs.h. A message is written to the stdin of a program of its own; what the program says is collected,
 * and sent as one answer when it ends. A program whose client has gone is told to end, and killed if it does not.
 */
#include "cmd/unix/message_programs.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "cli/report.h"
#include "cmd/serve/programs.h"
#include "sys/sock.h"

enum {
    READ_BYTES = 16384,
    GRACE_MS = 1000, /* with one that has lost its client */
    END_MS = 800     /* with all, at the end */
};

struct message_program {
    struct message_programs *programs;
    struct message_program *next;
    struct message_program **link; /* what points to it */
    struct message_client *client; /* NULL: gone */
    struct program program;
    struct write_queue input;
    struct watch output;
    char *answer; /* as far as it has come; the program's own */
    size_t length;
    size_t room;
    bool no_answer;
    struct timer grace;
};

static void link_program(struct message_program *run)
{
    struct message_programs *programs = run->programs;
    run->next = programs->first;
    run->link = &programs->first;
    if (run->next)
        run->next->link = &run->next;
    programs->first = run;
    programs->count++;
}

static void unlink_program(struct message_program *run)
{
    *run->link = run->next;
    if (run->next)
        run->next->link = run->link;
    run->programs->count--;
}

/* Of the message, or of the answer: then its client is not idle. */
static void has_moved(struct message_program *run)
{
    if (run->client)
        run->client->moved_ms = loop_now_ms();
}

/* What is held is its client's. */
static void count_memory(const struct message_program *run)
{
    if (run->client)
        message_hub_owns(run->client, run->input.room + run->room);
}

static void forget_answer(struct message_program *run)
{
    free(run->answer);
    run->answer = NULL;
    run->room = run->length = 0;
}

/* The message, on its way to stdin */

static void end_input(struct message_program *run)
{
    write_queue_release(&run->input);
    program_close_in(&run->program);
    count_memory(run);
}

/* All is written, or the program does not want to read it. */
static void input_drained(struct write_queue *queue)
{
    struct message_program *run = LOOP_OWNER(queue, struct message_program, input);
    has_moved(run);
    end_input(run);
}

static void put_input(struct message_program *run, const struct frame *message)
{
    write_queue_init(&run->input, run->programs->hub->loop, fd_of_pipe(run->program.in),
                     input_drained);
    if (write_queue_put(&run->input, message->message, message->length) ||
        !write_queue_has_pending(&run->input))
        end_input(run);
    else
        count_memory(run);
}

/* The answer, from stdout */

static void end_output(struct message_program *run)
{
    loop_unwatch(run->programs->hub->loop, &run->output);
    program_close_out(&run->program);
}

static void refuse_answer(struct message_program *run)
{
    report_warning("client %lu: the answer of %s is longer than %zu bytes", run->client->number,
                   run->programs->argv[0], run->programs->hub->max_message);
    run->no_answer = true;
    end_output(run);
    program_signal(&run->program, SIGTERM);
}

static void keep_answer(struct message_program *run, const char *bytes, size_t length)
{
    has_moved(run);
    if (length > run->programs->hub->max_message - run->length) {
        refuse_answer(run);
        return;
    }
    if (run->room < run->length + length) {
        run->room = 2 * run->room + length;
        run->answer = memory_grow(run->answer, run->room, 1);
        count_memory(run);
    }
    memcpy(run->answer + run->length, bytes, length);
    run->length += length;
}

/* False: there is no more, for now or at all. */
static bool read_output(struct message_program *run)
{
    char bytes[READ_BYTES];
    if (run->program.out < 0)
        return false;
    ssize_t got = fd_read(fd_of_pipe(run->program.out), bytes, sizeof bytes);
    if (got > 0)
        keep_answer(run, bytes, (size_t)got);
    else if (got == 0)
        end_output(run);
    return got > 0;
}

static void output_ready(struct watch *watch, uint32_t events)
{
    (void)events;
    read_output(LOOP_OWNER(watch, struct message_program, output));
}

/* A line's end is the frame's, where lines are the frames. */
static void give_answer(struct message_program *run)
{
    struct message_hub *hub = run->programs->hub;
    const char *answer = run->answer ? run->answer : "";
    size_t length = run->length;
    struct frame_ends ends;
    if (run->no_answer)
        return;
    if (hub->framing == &framing_line && length && answer[length - 1] == '\n')
        length--;
    const char *wrong = frame_wrap(&ends, hub->framing, answer, length);
    if (wrong)
        report_warning("client %lu: the answer of %s %s", run->client->number,
                       run->programs->argv[0], wrong);
    else
        message_hub_answer(run->client, answer, length);
}

/* The end */

static void release(struct message_program *run)
{
    end_input(run);
    end_output(run);
    loop_timer_cancel(run->programs->hub->loop, &run->grace);
    unlink_program(run);
    free(run->answer);
    free(run);
}

/* Its client goes on. */
static void complete(struct message_program *run)
{
    struct message_programs *programs = run->programs;
    struct message_client *client = run->client;
    int status = program_status(&run->program);
    if (client) {
        if (status && !run->no_answer)
            report_warning("client %lu: %s ended with status %d", client->number, programs->argv[0],
                           status);
        give_answer(run);
        client->user_data = NULL;
        forget_answer(run);
        end_input(run);
        run->client = NULL;
    }
    release(run);
    programs->ended(programs);
    if (client)
        message_hub_go_on(client);
    if (!programs->first && loop_timer_is_set(&programs->limit))
        loop_stop(programs->hub->loop, 0);
}

/* What it has started may have its stdout, and write more: that is not waited for. */
static void program_ended(struct program *program)
{
    struct message_program *run = LOOP_OWNER(program, struct message_program, program);
    bool more;
    do
        more = read_output(run);
    while (more);
    complete(run);
}

static void patience_over(struct timer *timer)
{
    struct message_program *run = LOOP_OWNER(timer, struct message_program, grace);
    program_kill(&run->program);
    complete(run);
}

/* The start */

static int start(struct message_program *run, struct error *err)
{
    const struct message_programs *programs = run->programs;
    const struct message_client *client = run->client;
    struct sockname peer = {.length = 0};
    sock_peer(client->watch.fd, &peer);
    const struct admitted_client admitted = {.fd = client->watch.fd, .peer = &peer};
    const struct program_spec spec = {.argv = programs->argv,
                                      .wired = true,
                                      .passed = client->passed};
    run->program.ended = program_ended;
    return program_start_for_client(programs->children, &run->program, &spec, &admitted, err);
}

void message_programs_run(struct message_programs *programs, struct message_client *client,
                          const struct frame *message)
{
    struct message_program *run = memory_new(1, sizeof *run);
    struct error err;
    run->programs = programs;
    run->client = client;
    if (start(run, &err)) {
        report_warning("client %lu: %s", client->number, err.text);
        free(run);
        return;
    }
    link_program(run);
    client->user_data = run;
    message_hub_hold(client);
    run->grace = (struct timer){.fired = patience_over};
    run->output = (struct watch){.fd = run->program.out, .ready = output_ready};
    loop_watch(programs->hub->loop, &run->output, EPOLLIN);
    put_input(run, message);
}

bool message_programs_full(const struct message_programs *programs)
{
    return programs->count >= programs->most;
}

void message_programs_abandon(struct message_client *client)
{
    struct message_program *run = client->user_data;
    if (!run)
        return;
    run->client = NULL;
    run->no_answer = true;
    end_input(run);
    end_output(run);
    forget_answer(run);
    program_signal(&run->program, SIGTERM);
    loop_timer_set(run->programs->hub->loop, &run->grace, GRACE_MS);
}

static void limit_over(struct timer *timer)
{
    loop_stop(LOOP_OWNER(timer, struct message_programs, limit)->hub->loop, 0);
}

void message_programs_end(struct message_programs *programs)
{
    struct loop *loop = programs->hub->loop;
    programs->limit = (struct timer){.fired = limit_over};
    if (programs->first) {
        loop_timer_set(loop, &programs->limit, END_MS);
        loop_run(loop);
        loop_timer_cancel(loop, &programs->limit);
    }
    while (programs->first) {
        program_kill(&programs->first->program);
        complete(programs->first);
    }
}
