/*
 * See colour.h. The eight colours of every terminal are used, as the user's scheme paints them, and none that is hard to
 * read on a light or on a dark background (yellow, white; blue, black).
 */
#include "cli/colour.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"

static const char end[] = "\033[0m";
static const char *const escapes[] = {
    [COLOUR_NONE] = "",           [COLOUR_ERROR] = "\033[31m",    [COLOUR_HINT] = "\033[2m",
    [COLOUR_HEADING] = "\033[1m", [COLOUR_OPEN] = "\033[32m",     [COLOUR_CLOSED] = "\033[31m",
    [COLOUR_SENT] = "\033[36m",   [COLOUR_RECEIVED] = "\033[35m",
};

bool colour_is_wanted(int fd)
{
    const char *none = getenv("NO_COLOR"), *term = getenv("TERM");
    return !(none && *none) && term && *term && strcmp(term, "dumb") != 0 && isatty(fd);
}

const char *colour_begin(bool wanted, enum colour colour)
{
    return wanted ? escapes[colour] : "";
}

const char *colour_end(bool wanted)
{
    return wanted ? end : "";
}

void colour_log(int fd)
{
    if (!colour_is_wanted(fd))
        return;
    log_setting.colours = (struct log_colours){escapes[COLOUR_ERROR], escapes[COLOUR_HINT], end};
}
