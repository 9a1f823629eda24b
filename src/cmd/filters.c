#include "cmd/filters.h"

#include "io/loop.h"

static ssize_t pass_up(struct filter *filter, char **bytes, size_t length)
{
    struct filters *filters = LOOP_OWNER(filter, struct filters, up);
    char *out = *bytes - length;
    size_t encoded = encoder_encode(&filters->encoder, out, *bytes, length);
    *bytes = out;
    return (ssize_t)encoded;
}

static ssize_t pass_down(struct filter *filter, char **bytes, size_t length)
{
    struct filters *filters = LOOP_OWNER(filter, struct filters, down);
    if (copy_file_write(&filters->output, *bytes, length, &filters->error))
        return -1;
    return (ssize_t)length;
}

int filters_open(struct filters *filters, const struct transfer_options *options, struct error *err)
{
    *filters = (struct filters){.options = options,
                                .up = {.pass = pass_up},
                                .down = {.pass = pass_down},
                                .encoder = {.lines = options->crlf}};
    return copy_file_open(&filters->output, options->output, options->append, err);
}

int filters_close(struct filters *filters, int result, struct error *err)
{
    struct error error;
    int closed = copy_file_close(&filters->output, &error);
    if (filters->error.status)
        *err = filters->error;
    else if (closed < 0 && result == 0)
        *err = error;
    else
        return result;
    return -1;
}

struct filter *filters_up(struct filters *filters)
{
    return filters->options->crlf ? &filters->up : NULL;
}

struct filter *filters_down(struct filters *filters)
{
    return filters->options->output ? &filters->down : NULL;
}
