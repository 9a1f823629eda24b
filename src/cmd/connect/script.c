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

int script_check(const struct script *script, struct error *err)
{
    struct pattern pattern;
    for (size_t i = 0; i < script->count; i++) {
        if (!script->steps[i].expects)
            continue;
        if (script_compile(&script->steps[i], &pattern, err))
            return -1;
        pattern_release(&pattern);
    }
    return 0;
}
