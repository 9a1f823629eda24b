/*
 * The kinds of value that an option can have.
 */
#include <limits.h>
#include <netinet/in.h>
#include <string.h>

#include "base/budget.h"
#include "base/memory.h"
#include "base/text.h"
#include "base/units.h"
#include "cli/opt.h"

static const char *read_flag(char *text, void *field)
{
    (void)text;
    *(bool *)field = true;
    return NULL;
}

static const char *read_count(char *text, void *field)
{
    (void)text;
    *(int *)field += 1;
    return NULL;
}

static const char *read_ipv4(char *text, void *field)
{
    (void)text;
    *(int *)field = AF_INET;
    return NULL;
}

static const char *read_ipv6(char *text, void *field)
{
    (void)text;
    *(int *)field = AF_INET6;
    return NULL;
}

static const char *read_text(char *text, void *field)
{
    *(const char **)field = text;
    return NULL;
}

static const char *read_word(char *text, void *field)
{
    *(const char **)field = text;
    return *text ? NULL : "is empty";
}

static const char *read_port(char *text, void *field)
{
    int64_t number;
    *(const char **)field = text;
    if (!*text)
        return "is empty";
    if (!text_is_digits(text, strlen(text)))
        return NULL; /* a service name, looked up later */
    return units_number(text, 0, UINT16_MAX, &number) ? "is not a port (0-65535)" : NULL;
}

static const char *read_list(char *text, void *field)
{
    struct opt_list *list = field;
    list->items = memory_grow(list->items, list->count + 1, sizeof *list->items);
    list->items[list->count++] = text;
    return NULL;
}

static const char *read_entries(char *text, void *field)
{
    read_list(text, field);
    return *text ? NULL : "is empty";
}

static const char *read_bytes(char *text, void *field)
{
    struct opt_bytes *bytes = field;
    bytes->bytes = text;
    return text_unescape(text, &bytes->length);
}

static const char *read_duration(char *text, void *field)
{
    return units_duration(text, field);
}

static const char *read_size(char *text, void *field)
{
    return units_size(text, field);
}

static const char *read_memory(char *text, void *field)
{
    const char *wrong = units_size(text, field);
    return wrong || *(uint64_t *)field >= BUDGET_MIN ? wrong : "is too small (64k at least)";
}

static const char *read_number(char *text, void *field)
{
    return units_number(text, 1, INT_MAX, field);
}

static const char *read_percent(char *text, void *field)
{
    return units_percent(text, field);
}

static const char *read_seed(char *text, void *field)
{
    return units_number(text, 0, INT64_MAX, field);
}

static const char *read_amount(char *text, void *field)
{
    return units_number(text, 0, INT_MAX, field);
}

static const char *read_mode(char *text, void *field)
{
    int mode = 0;
    size_t length = strlen(text);
    if (length < 1 || length > 4 || strspn(text, "01234567") != length)
        return "is not an octal mode (0600)";
    for (; *text; text++)
        mode = mode * 8 + (*text - '0');
    if (mode > 0777)
        return "is not an octal mode (0600)";
    *(int *)field = mode;
    return NULL;
}

static const char *read_descriptor(char *text, void *field)
{
    int64_t number;
    if (units_number(text, 0, INT_MAX, &number))
        return "is not a descriptor (0, 1, 2 ...)";
    *(int *)field = (int)number;
    return NULL;
}

static const char *read_log(char *text, void *field)
{
    *(bool *)field = true;
    return strcmp(text, "json") == 0 ? NULL : "is not a format (json)";
}

static const char *read_timing(char *text, void *field)
{
    *(int *)field = text ? OPT_TIMING_JSON : OPT_TIMING_CHART;
    return !text || strcmp(text, "json") == 0 ? NULL : "is not a format (json)";
}

const struct opt_type opt_flag = {NULL, read_flag};
const struct opt_type opt_count = {NULL, read_count};
const struct opt_type opt_ipv4 = {NULL, read_ipv4};
const struct opt_type opt_ipv6 = {NULL, read_ipv6};
const struct opt_type opt_text = {"TEXT", read_text};
const struct opt_type opt_file = {"FILE", read_word};
const struct opt_type opt_program = {"PROGRAM", read_word};
const struct opt_type opt_command = {"COMMAND", read_word};
const struct opt_type opt_host = {"ADDR", read_word};
const struct opt_type opt_address = {"ADDRESS", read_word};
const struct opt_type opt_port = {"PORT", read_port};
const struct opt_type opt_record = {"TYPE", read_word};
const struct opt_type opt_list = {"TEXT", read_list};
const struct opt_type opt_entries = {"LIST", read_entries};
const struct opt_type opt_bytes = {"TEXT", read_bytes};
const struct opt_type opt_duration = {"TIME", read_duration};
const struct opt_type opt_size = {"SIZE", read_size};
const struct opt_type opt_memory = {"SIZE", read_memory};
const struct opt_type opt_number = {"N", read_number};
const struct opt_type opt_service = {"SERVICE", read_text};
const struct opt_type opt_percent = {"PERCENT", read_percent};
const struct opt_type opt_seed = {"N", read_seed};
const struct opt_type opt_amount = {"N", read_amount};
const struct opt_type opt_mode = {"OCTAL", read_mode};
const struct opt_type opt_descriptor = {"N", read_descriptor};
const struct opt_type opt_log = {"FORMAT", read_log};
const struct opt_type opt_timing = {"FORMAT", read_timing};
