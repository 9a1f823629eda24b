#include "cli/opt_secret.h"

#include <string.h>

#include "base/memory.h"
#include "cli/opt.h"

char *opt_secret_take(char *word)
{
    size_t length = strlen(word);
    char *copy = memory_copy(word, length);
    if (*word != '@')
        memset(word, '*', length);
    return copy;
}

/* The user alone may be a token. A scheme may be missing. */
char *opt_secret_take_url(char *word)
{
    char *copy = memory_copy(word, strlen(word));
    size_t scheme = strcspn(word, ":/?#@");
    char *start = strncmp(word + scheme, "://", 3) == 0 ? word + scheme + 3 : word;
    char *sign = memrchr(start, '@', strcspn(start, "/?#"));
    if (sign)
        memset(start, '*', (size_t)(sign - start));
    return copy;
}

char *opt_secret_take_field(char *word)
{
    size_t length = strlen(word), name = strcspn(word, ":=");
    char *copy = memory_copy(word, length);
    if (name < length)
        memset(word + name + 1, '*', length - name - 1);
    return copy;
}

/* The last one counts. */
static const char *put_secret(char *copy, void *field)
{
    char **place = field;
    memory_wipe(*place);
    *place = copy;
    return NULL;
}

static const char *read_secret(char *text, void *field)
{
    return put_secret(opt_secret_take(text), field);
}

static const char *read_proxy(char *text, void *field)
{
    return put_secret(opt_secret_take_url(text), field);
}

static const char *read_fields(char *text, void *field)
{
    return opt_list.read(opt_secret_take_field(text), field);
}

const struct opt_type opt_fields = {"TEXT", read_fields};
const struct opt_type opt_secret = {"TEXT", read_secret};
const struct opt_type opt_proxy = {"URL", read_proxy};
