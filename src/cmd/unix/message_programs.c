/*
 * See message_programs.h. A message is written to the stdin of a program of its own; what the program writes is
 * collected, and sent as one answer when it ends. A program whose client has gone is told to end, and killed if it does
 * not.
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
    struct list_node node;
    struct message_client *client; /* NULL: gone */
    struct program program;
    struct write_queue input;
    struct watch output;
    char *answer; /* as far as it has come; the program's own */
    size_t length;
    size_t room;
    bool no_answer;
};

/* Counts what the program holds as its client's. */
static void run_count_memory(const struct message_program *run)
{
    if (run->client)
        message_hub_owns(run->client, run->input.room + run->room);
}

static void run_drop_answer(struct message_program *run)
{
    free(run->answer);
    run->answer = NULL;
    run->room = run->length = 0;
}

static void run_end_input(struct message_program *run)
{
    write_queue_release(&run->input);
    fd_close(&run->program.in);
    run_count_memory(run);
}

static void run_end_output(struct message_program *run)
{
    loop_unwatch(run->programs->hub->clients.loop, &run->output);
    fd_close(&run->program.out);
}

/* Called when all of the message is written, or the program does not want to read it. */
static void run_input_drained(struct write_queue *queue)
{
    struct message_program *run = LOOP_OWNER(queue, struct message_program, input);
    if (run->client)
        idle_limit_moved(&run->client->peer.idle);
    run_end_input(run);
}

/* Reads some of what the program writes. Returns false when there is no more to read, for now or at all. */
static bool run_read_output(struct message_program *run)
{
    const size_t max = run->programs->hub->max_message;
    char bytes[READ_BYTES];
    if (run->program.out < 0 || !run->client)
        return false;
    ssize_t got = fd_read(fd_of_pipe(run->program.out), bytes, sizeof bytes);
    if (got == 0)
        run_end_output(run);
    if (got <= 0)
        return false;
    size_t length = (size_t)got;
    idle_limit_moved(&run->client->peer.idle);
    if (length > max - run->length) {
        report_warning("client %lu: the answer of %s is longer than %zu bytes", run->client->number,
                       run->programs->argv[0], max);
        run->no_answer = true;
        run_end_output(run);
        program_signal(&run->program, SIGTERM);
        return true;
    }
    if (run->room < run->length + length) {
        run->room = 2 * run->room + length;
        run->answer = memory_grow(run->answer, run->room, 1);
        run_count_memory(run);
    }
    memcpy(run->answer + run->length, bytes, length);
    run->length += length;
    return true;
}

static void run_output_ready(struct watch *watch, uint32_t events)
{
    (void)events;
    run_read_output(LOOP_OWNER(watch, struct message_program, output));
}

/* Forgets a program that has ended: its client, if it is still there, gets the answer and goes on. */
static void run_complete(struct message_program *run)
{
    struct message_programs *programs = run->programs;
    struct loop *loop = programs->hub->clients.loop;
    struct message_client *client = run->client;
    int status = program_status(&run->program);
    if (client && !run->no_answer) {
        const struct framing *framing = programs->hub->framing;
        const char *answer = run->answer ? run->answer : "";
        size_t length = run->length;
        struct frame_ends ends;
        if (status)
            report_warning("client %lu: %s ended with status %d", client->number, programs->argv[0],
                           status);
        /* A line's end is the frame's, where lines are the frames. */
        if (framing == &framing_line && length && answer[length - 1] == '\n')
            length--;
        const char *wrong = frame_wrap(&ends, framing, answer, length);
        if (wrong)
            report_warning("client %lu: the answer of %s %s", client->number, programs->argv[0],
                           wrong);
        else
            message_hub_answer(client, answer, length);
    }
    run_drop_answer(run);
    run_end_input(run);
    run_end_output(run);
    list_remove(&programs->running, &run->node);
    free(run);
    if (client)
        client->user_data = NULL;
    programs->ended(programs);
    if (client)
        message_hub_go_on(client);
    if (!programs->running.count && programs->ending)
        loop_stop(loop, 0);
}

/* Completes a program that has ended. What it has started may have its stdout, and write more: that is not
 * waited for. */
static void run_program_ended(struct program *program)
{
    struct message_program *run = LOOP_OWNER(program, struct message_program, program);
    bool more;
    do
        more = run_read_output(run);
    while (more);
    run_complete(run);
}

void message_programs_run(struct message_programs *programs, struct message_client *client,
                          const struct frame *message)
{
    struct message_program *run = memory_new(1, sizeof *run);
    struct sockname peer = {.length = 0};
    struct error err;
    sock_peer(client->peer.watch.fd, &peer);
    const struct admitted_client admitted = {.fd = client->peer.watch.fd, .peer = &peer};
    const struct program_spec spec = {.argv = programs->argv,
                                      .wired = true,
                                      .passed = client->passed};
    run->programs = programs;
    run->client = client;
    run->program.ended = run_program_ended;
    if (program_start_for_client(programs->children, &run->program, &spec, &admitted, &err)) {
        report_warning("client %lu: %s", client->number, err.text);
        free(run);
        return;
    }
    list_append(&programs->running, &run->node);
    client->user_data = run;
    client->held = true;
    run->output = (struct watch){.fd = run->program.out, .ready = run_output_ready};
    loop_watch(programs->hub->clients.loop, &run->output, EPOLLIN);
    write_queue_init(&run->input, programs->hub->clients.loop, fd_of_pipe(run->program.in),
                     run_input_drained);
    if (write_queue_put(&run->input, message->message, message->length) ||
        !write_queue_has_pending(&run->input))
        run_end_input(run);
    else
        run_count_memory(run);
}

void message_programs_abandon(struct message_client *client)
{
    struct message_program *run = client->user_data;
    if (!run)
        return;
    run->client = NULL;
    run->no_answer = true;
    run_end_input(run);
    run_end_output(run);
    run_drop_answer(run);
    program_stop(&run->program, SIGTERM, GRACE_MS);
}

void message_programs_end(struct message_programs *programs)
{
    programs->ending = true;
    if (programs->running.count)
        loop_await(programs->hub->clients.loop, END_MS, NULL);
    programs->ending = false;
    LIST_EACH (struct message_program, run, &programs->running, node) {
        program_kill(&run->program);
        run_complete(run);
    }
}
