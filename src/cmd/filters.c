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

int filters_open(struct filters *filters, const struct transfer_options *options, struct error *err)
{
    *filters = (struct filters){.options = options,
                                .up = {.pass = pass_up},
                                .encoder = {.lines = options->crlf}};
    (void)err;
    return 0;
}

int filters_close(struct filters *filters, int result, struct error *err)
{
    if (filters->error.status == 0)
        return result;
    *err = filters->error;
    return -1;
}

struct filter *filters_up(struct filters *filters)
{
    return filters->options->crlf ? &filters->up : NULL;
}
