#include "cmd/companion.h"

#include <signal.h>
#include <string.h>

#include "base/descriptors.h"
#include "cmd/environment.h"

enum {
    LAST_WORDS_MS = 50, /* for the server to read what was sent just before the end */
    PATIENCE_MS = 1000  /* with one that was asked to end */
};

int companion_check(bool run, char *const *words, struct error *err)
{
    if (run && !words)
        return error_set(err, STATUS_USAGE, "option --run needs a command, after --");
    if (!run && words)
        return error_set(err, STATUS_USAGE, "what follows -- is for --run, which is not given");
    return 0;
}

/* Starting */

/* An address to connect to: for all addresses, the machine's own, of IPv4 where both families are
 * heard: loopback may be without IPv6. */
static const char *reachable(const struct listener_socket *listens, char *out)
{
    bool hears_both = *listener_text(listens, out) == '*';
    sockname_host(&listens->name, out);
    if (hears_both || strcmp(out, "0.0.0.0") == 0)
        return "127.0.0.1";
    return strcmp(out, "::") == 0 ? "::1" : out;
}

static void describe(struct environment *environment, const struct listener_socket *listens)
{
    char host[SOCKNAME_TEXT_MAX];
    environment_init(environment);
    environment_set(environment, "SOCKCTL_ADDR", reachable(listens, host));
    if (listens->name.storage.ss_family == AF_UNIX)
        environment_set(environment, "SOCKCTL_PORT", NULL);
    else
        environment_set_number(environment, "SOCKCTL_PORT", sockname_port(&listens->name));
}

static void time_is_over(struct timer *timer)
{
    struct companion *companion = LOOP_OWNER(timer, struct companion, timer);
    program_kill(&companion->program);
    if (companion->waiting)
        loop_stop(companion->loop, 0);
    else
        companion->stop(companion, companion->asked);
}

static void ended(struct program *program)
{
    struct companion *companion = LOOP_OWNER(program, struct companion, program);
    loop_timer_set(companion->loop, &companion->timer, companion->waiting ? 0 : LAST_WORDS_MS);
}

int companion_start(struct companion *companion, struct children *children, char *const *words,
                    const struct listener_socket *listens, struct error *err)
{
    struct environment environment;
    if (children_init(children, companion->loop, err))
        return -1;
    describe(&environment, listens);
    const struct program_spec spec = {.argv = (const char *const *)words,
                                      .env = (const char *const *)environment.list};
    descriptors_close_on_exec();
    companion->program.ended = ended;
    companion->timer = (struct timer){.fired = time_is_over};
    int result = program_start(children, &companion->program, &spec, err);
    companion->started = result == 0;
    environment_release(&environment);
    return result;
}

/* Ending */

static void ask(struct companion *companion, int signal_number)
{
    bool told = loop_signal_is_of_terminal(companion->loop);
    companion->asked = true;
    if (!told)
        program_signal(&companion->program, signal_number);
    loop_timer_set(companion->loop, &companion->timer, PATIENCE_MS);
}

bool companion_signal(struct companion *companion, int signal_number)
{
    if (companion->waiting && companion->asked) {
        loop_stop(companion->loop, 0);
        return true;
    }
    if (!companion->program.id || companion->asked)
        return companion->waiting;
    ask(companion, signal_number);
    return true;
}

static int outlast(struct companion *companion, int result)
{
    companion->waiting = true;
    if (companion->program.id && result < 0 && !companion->asked) {
        program_signal(&companion->program, SIGTERM);
        loop_timer_set(companion->loop, &companion->timer, PATIENCE_MS);
    }
    if (companion->program.id)
        result |= loop_run(companion->loop);
    loop_timer_cancel(companion->loop, &companion->timer);
    program_kill(&companion->program);
    return result;
}

int companion_end(struct companion *companion, int result, struct error *err)
{
    if (!companion->started)
        return result;
    if (result < 0 && err->status == STATUS_OK) /* nothing but that it was to stop */
        result = 0;
    result = outlast(companion, result);
    int status = program_status(&companion->program);
    if (result == 0 && status)
        return error_silent(err, status);
    return result;
}
