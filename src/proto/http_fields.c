#include "proto/http_fields.h"

#include <string.h>

enum http_step http_malformed(const char **wrong, const char *what)
{
    *wrong = what;
    return HTTP_MALFORMED;
}

bool http_number(const char *digits, size_t length, uint64_t *number)
{
    *number = 0;
    for (size_t i = 0; i < length; i++) {
        uint64_t digit = (uint64_t)(digits[i] - '0');
        if (digit > 9 || *number > ((uint64_t)INT64_MAX - digit) / 10)
            return false;
        *number = *number * 10 + digit;
    }
    return length > 0;
}

bool http_is_token(char c)
{
    static const char tokens[] = "!#$%&'*+-.^_`|~0123456789"
                                 "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    return c && strchr(tokens, c);
}

bool http_is_blank(char c)
{
    return c == ' ' || c == '\t';
}

const char *http_list_next(const char **at, const char *end, size_t *length)
{
    while (*at < end && (**at == ',' || http_is_blank(**at)))
        ++*at;
    const char *start = *at;
    while (*at < end && **at != ',')
        ++*at;
    const char *last = *at;
    while (last > start && http_is_blank(last[-1]))
        last--;
    *length = (size_t)(last - start);
    return *length ? start : NULL;
}

static enum http_step line_starts(struct http_fields *fields, char byte)
{
    if (byte == '\n')
        return HTTP_DONE;
    if (byte == '\r') {
        fields->state = FIELDS_END_CR;
        return HTTP_MORE;
    }
    if (http_is_blank(byte) && !fields->count)
        return http_malformed(&fields->wrong, "a folded line before the first field");
    if (http_is_blank(byte)) {
        fields->state = FIELDS_VALUE;
        return HTTP_FOLD;
    }
    if (byte == ':')
        return http_malformed(&fields->wrong, "a field without a name");
    if (!http_is_token(byte))
        return http_malformed(&fields->wrong, "a bad byte in a field name");
    if (++fields->count > HTTP_FIELDS_MAX)
        return http_malformed(&fields->wrong, "more than 1000 fields");
    fields->state = FIELDS_NAME;
    return HTTP_MORE;
}

static enum http_step name_goes_on(struct http_fields *fields, char byte)
{
    if (byte == ':')
        fields->state = FIELDS_VALUE;
    else if (byte == '\r' || byte == '\n')
        return http_malformed(&fields->wrong, "a field without a colon");
    else if (http_is_blank(byte))
        return http_malformed(&fields->wrong, "a space in a field name");
    else if (!http_is_token(byte))
        return http_malformed(&fields->wrong, "a bad byte in a field name");
    return HTTP_MORE;
}

static enum http_step value_goes_on(struct http_fields *fields, char byte)
{
    if (byte == '\0')
        return http_malformed(&fields->wrong, "a NUL byte in a field");
    if (byte == '\n') {
        fields->state = FIELDS_LINE;
        return HTTP_FIELD;
    }
    if (byte == '\r')
        fields->state = FIELDS_VALUE_CR;
    return HTTP_MORE;
}

static enum http_step line_ends(struct http_fields *fields, char byte)
{
    if (byte != '\n')
        return http_malformed(&fields->wrong, "a CR without its LF in a field");
    if (fields->state == FIELDS_END_CR)
        return HTTP_DONE;
    fields->state = FIELDS_LINE;
    return HTTP_FIELD;
}

enum http_step http_fields_read(struct http_fields *fields, char byte)
{
    switch (fields->state) {
    case FIELDS_LINE:
        return line_starts(fields, byte);
    case FIELDS_NAME:
        return name_goes_on(fields, byte);
    case FIELDS_VALUE:
        return value_goes_on(fields, byte);
    case FIELDS_VALUE_CR:
    case FIELDS_END_CR:
        break;
    }
    return line_ends(fields, byte);
}
