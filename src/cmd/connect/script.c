/*
 * See script.h.
 */
#include "cmd/connect/script.h"

#include <string.h>

#include "base/text.h"

static const char *add_step(struct script *script, struct script_step step)
{
    if (script->count == SCRIPT_MAX)
        return "is one step too many (64 at most)";
    script->steps[script->count++] = step;
    return NULL;
}

static const char *read_send(char *text, void *field)
{
    struct script_step step = {.text = text};
    const char *wrong = text_unescape(text, &step.length);
    return wrong ? wrong : add_step(field, step);
}

static const char *read_expect(char *text, void *field)
{
    return add_step(field, (struct script_step){true, text, strlen(text)});
}

const struct opt_type opt_send = {.metavar = "TEXT", .read = read_send};
const struct opt_type opt_expect = {.metavar = "REGEX", .read = read_expect};

int script_compile(const struct script_step *step, struct pattern *pattern, struct error *err)
{
    char why[PATTERN_WHY_MAX];
    if (pattern_compile(pattern, step->text, why))
        return 0;
    return error_set(err, STATUS_USAGE, "option --expect: '%.100s': %s", step->text, why);
}

static const char *find_meaningless(const struct transfer_options *transfer)
{
    const struct {
        bool given;
        const char *name;
    } all[] = {{transfer->crlf, "crlf"},
               {transfer->delay_ms > 0, "delay"},
               {transfer->lines, "lines"},
               {transfer->max_messages > 0, "max-messages"},
               {transfer->urgent >= 0, "oob"},
               {transfer->progress, "progress"},
               {transfer->rate > 0, "rate-limit"},
               {transfer->telnet, "telnet"},
               {transfer->until_stdin_ends, "until-stdin-ends"}};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (all[i].given)
            return all[i].name;
    return NULL;
}

int script_check(const struct script *script, const struct transfer_options *transfer,
                 struct error *err)
{
    struct pattern pattern;
    const char *meaningless = script->count ? find_meaningless(transfer) : NULL;
    if (meaningless)
        return error_set(err, STATUS_USAGE, "option --%s makes no sense with --send and --expect",
                         meaningless);
    for (size_t i = 0; i < script->count; i++) {
        if (!script->steps[i].expects)
            continue;
        if (script_compile(&script->steps[i], &pattern, err))
            return -1;
        pattern_release(&pattern);
    }
    return 0;
}
