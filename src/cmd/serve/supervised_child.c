/*
 * See supervised_child.h. The child runs beside the server. When it ends, a timer gives the server a moment to read
 * what was sent just before; when a signal comes first, the child is asked to end, and killed if it does not
 * (program_stop). When the server has ended by itself (supervised_child_end), `waiting` says that its end alone is
 * awaited.
 */
#include "cmd/serve/supervised_child.h"

#include <signal.h>
#include <sys/wait.h>

#include "cmd/serve/environment.h"
#include "sys/descriptors.h"
#include "sys/trace.h"

enum {
    DRAIN_MS = 50,  /* for the server to read what was sent just before the end */
    GRACE_MS = 1000 /* of one that was asked to end */
};

int supervised_child_check(bool run, char *const *words, struct error *err)
{
    if (run && !words)
        return error_set(err, STATUS_USAGE, "option --run needs a command, after --");
    if (!run && words)
        return error_set(err, STATUS_USAGE, "what follows -- is for --run, which is not given");
    return run ? program_look_up(words[0], err) : 0;
}

/* Starting */

static void child_drain_timeout(struct timer *timer)
{
    struct supervised_child *child = LOOP_OWNER(timer, struct supervised_child, timer);
    if (child->waiting)
        loop_stop(child->loop, 0);
    else
        child->stop(child, child->asked);
}

/* Gives the server a moment; not after a child that had to be killed, which has sent nothing just before. */
static void child_ended(struct program *program)
{
    struct supervised_child *child = LOOP_OWNER(program, struct supervised_child, program);
    bool killed = child->asked && WIFSIGNALED(program->end) && WTERMSIG(program->end) == SIGKILL;
    loop_timer_set(child->loop, &child->timer, child->waiting || killed ? 0 : DRAIN_MS);
}

int supervised_child_start(struct supervised_child *child, struct children *children,
                           char *const *words, const struct listener_socket *listens,
                           struct error *err)
{
    struct environment environment;
    if (children_init(children, child->loop, err))
        return -1;
    trace_share();
    environment_init(&environment);
    environment_describe_listener(&environment, listens);
    const struct program_spec spec = {.argv = (const char *const *)words,
                                      .env = (const char *const *)environment.list};
    descriptors_close_on_exec();
    child->program.ended = child_ended;
    child->timer = (struct timer){.fired = child_drain_timeout};
    int result = program_start(children, &child->program, &spec, err);
    child->started = result == 0;
    environment_release(&environment);
    return result;
}

/* Ending */

bool supervised_child_signal(struct supervised_child *child, int signal_number)
{
    if (child->waiting && child->asked) {
        loop_stop(child->loop, 0);
        return true;
    }
    if (!child->program.id || child->asked)
        return child->waiting;
    child->asked = true;
    /* A signal of the terminal's has reached it already. */
    program_stop(&child->program, loop_signal_is_of_terminal(child->loop) ? 0 : signal_number,
                 GRACE_MS);
    return true;
}

int supervised_child_end(struct supervised_child *child, int result, struct error *err)
{
    if (!child->started)
        return result;
    if (result < 0 && err->status == STATUS_OK) /* nothing but that it was to stop */
        result = 0;
    child->waiting = true;
    if (result < 0 && !child->asked)
        program_stop(&child->program, SIGTERM, GRACE_MS);
    if (child->program.id)
        result |= loop_run(child->loop);
    loop_timer_cancel(child->loop, &child->timer);
    program_kill(&child->program);
    int status = program_status(&child->program);
    if (result == 0 && status)
        return error_silent(err, status);
    return result;
}
