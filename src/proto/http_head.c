/*
 * The field lines are read byte by byte by http_fields_read, a machine of five states; http_chunks has it read trailers.
 * http_head_read looks at the status line as it comes, so that what is no HTTP is refused at its first byte, gives all
 * that follows to the machine, and takes from each line that has ended what it says about the length of the body. It
 * keeps no copy: the bytes of the head are the caller's, and http_head_field searches them.
 */
#include "proto/http_head.h"

#include <string.h>
#include <strings.h>

#include "base/text.h"

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

/* The status line */

static const char status_form[] = "HTTP/1.x NNN";

enum { STATUS_PLACE = 9, STATUS_FORM_LENGTH = sizeof status_form - 1 };

/* Whether the byte may be at this place of "HTTP/1.1 200"; behind it, any may. */
static bool fits_status_form(size_t place, char byte)
{
    if (place >= STATUS_FORM_LENGTH)
        return true;
    switch (status_form[place]) {
    case 'x': /* RFC 9110, 2.5: one that is later than ours is read as the highest that we know */
    case 'N':
        return byte >= '0' && byte <= '9';
    default:
        return byte == status_form[place];
    }
}

/* Of a complete line, without its line end, that fits status_form. */
static enum http_step read_status(struct http_head *head, const char *line, size_t length)
{
    const char *digits = line + STATUS_PLACE;
    head->minor = line[STATUS_PLACE - 2] != '0';
    head->status = (digits[0] - '0') * 100 + (digits[1] - '0') * 10 + (digits[2] - '0');
    bool separated = length == STATUS_FORM_LENGTH || line[STATUS_FORM_LENGTH] == ' ';
    if (head->status < 100 || !separated)
        return http_malformed(&head->wrong, "a bad status line");
    if (memchr(line, '\r', length) || memchr(line, '\0', length))
        return http_malformed(&head->wrong, "a CR or NUL byte in the status line");
    head->in_fields = true;
    return HTTP_MORE;
}

static enum http_step status_byte(struct http_head *head, const char *bytes, size_t at)
{
    if (!fits_status_form(at, bytes[at]))
        return http_malformed(&head->wrong,
                              at < STATUS_PLACE ? "no HTTP/1.x status line" : "a bad status line");
    if (bytes[at] != '\n')
        return HTTP_MORE;
    return read_status(head, bytes, bytes[at - 1] == '\r' ? at - 1 : at);
}

/* Fields */

static bool is_space(char c)
{
    return http_is_blank(c) || c == '\r' || c == '\n';
}

/* The value in a field line, without the space around it. */
static const char *field_value(const char *line, size_t line_length, size_t *length)
{
    const char *start = (const char *)memchr(line, ':', line_length) + 1;
    const char *end = line + line_length;
    while (end > start && is_space(end[-1]))
        end--;
    while (start < end && is_space(*start))
        start++;
    *length = (size_t)(end - start);
    return start;
}

static bool field_is(const char *line, size_t line_length, const char *name)
{
    size_t length = strlen(name);
    return line_length > length && line[length] == ':' && strncasecmp(line, name, length) == 0;
}

/* The same number several times is one: RFC 9110, 8.6. */
static enum http_step read_length(struct http_head *head, const char *value, const char *end)
{
    size_t length;
    const char *element = http_list_next(&value, end, &length);
    if (!element)
        return http_malformed(&head->wrong, "a Content-Length that is not a number");
    for (; element; element = http_list_next(&value, end, &length)) {
        uint64_t number;
        if (!text_is_digits(element, length))
            return http_malformed(&head->wrong, "a Content-Length that is not a number");
        if (!http_number(element, length, &number))
            return http_malformed(&head->wrong, "a Content-Length out of range");
        if (head->has_length && head->content_length != number)
            return http_malformed(&head->wrong, "two different Content-Lengths");
        head->has_length = true;
        head->content_length = number;
    }
    return HTTP_MORE;
}

static enum http_step read_codings(struct http_head *head, const char *value, const char *end)
{
    size_t length;
    const char *element = http_list_next(&value, end, &length);
    if (!element)
        return http_malformed(&head->wrong, "a Transfer-Encoding without a coding");
    for (; element; element = http_list_next(&value, end, &length)) {
        if (length != strlen("chunked") || strncasecmp(element, "chunked", length) != 0)
            return http_malformed(&head->wrong, "a transfer coding other than chunked");
        if (head->chunked)
            return http_malformed(&head->wrong, "two transfer codings");
        head->chunked = true;
    }
    return HTTP_MORE;
}

/* Of a line that goes on with a field, nothing is read: it begins with a blank. */
static enum http_step read_field(struct http_head *head, const char *line, size_t line_length)
{
    bool is_length = field_is(line, line_length, "Content-Length");
    bool is_coding = field_is(line, line_length, "Transfer-Encoding");
    bool is_tunnel = head->answers_connect && head->status / 100 == 2;
    head->framing = (is_length || is_coding) && !is_tunnel;
    if (!head->framing)
        return HTTP_MORE;
    size_t length;
    const char *value = field_value(line, line_length, &length);
    return is_length ? read_length(head, value, value + length)
                     : read_codings(head, value, value + length);
}

/* What says where a message ends has to be beyond doubt, and others read a fold otherwise. */
static enum http_step field_goes_on(struct http_head *head)
{
    if (head->framing)
        return http_malformed(&head->wrong, "a folded Content-Length or Transfer-Encoding");
    head->folded = true;
    return HTTP_MORE;
}

static enum http_step finish_head(struct http_head *head)
{
    if (head->chunked && head->has_length)
        return http_malformed(&head->wrong, "a Content-Length beside chunked");
    head->length = head->used;
    return HTTP_DONE;
}

static enum http_step field_byte(struct http_head *head, const char *bytes, size_t at)
{
    enum http_step step = http_fields_read(&head->fields, bytes[at]);
    if (step == HTTP_FIELD)
        return read_field(head, bytes + head->line, at + 1 - head->line);
    if (step == HTTP_FOLD)
        return field_goes_on(head);
    if (step == HTTP_DONE)
        return finish_head(head);
    if (step == HTTP_MALFORMED)
        head->wrong = head->fields.wrong;
    return step;
}

/* The whole */

enum http_step http_head_read(struct http_head *head, const char *bytes, size_t length)
{
    while (!head->wrong && !head->length && head->used < length) {
        size_t at = head->used++;
        if (at >= HTTP_HEAD_MAX)
            return http_malformed(&head->wrong, "a head of more than 256 KiB");
        enum http_step step = head->in_fields ? field_byte(head, bytes, at)
                                              : status_byte(head, bytes, at);
        if (step != HTTP_MORE)
            return step;
        if (bytes[at] == '\n')
            head->line = at + 1;
    }
    if (head->wrong)
        return HTTP_MALFORMED;
    return head->length ? HTTP_DONE : HTTP_MORE;
}

size_t http_head_unfold(struct http_head *head, char *bytes, size_t length)
{
    size_t kept = 0;
    for (size_t at = 0; head->folded && at < head->length; at++) {
        bytes[kept++] = bytes[at];
        if (bytes[at] != '\n' || at + 1 == head->length || !http_is_blank(bytes[at + 1]))
            continue;
        while (is_space(bytes[kept - 1]))
            kept--;
        while (http_is_blank(bytes[at + 1]))
            at++;
        bytes[kept++] = ' ';
    }
    if (!head->folded)
        return length;
    memmove(bytes + kept, bytes + head->length, length - head->length);
    length -= head->length - kept;
    head->length = head->used = kept;
    head->folded = false;
    return length;
}

const char *http_head_next(const struct http_head *head, const char *bytes, const char *name,
                           const char *after, size_t *length)
{
    const char *end = bytes + head->length;
    const char *line = after ? after : bytes;
    /* Neither the status line nor the rest of the line that `after` is in. */
    line = (const char *)memchr(line, '\n', (size_t)(end - line)) + 1;
    while (line < end) {
        size_t line_length = (size_t)((const char *)memchr(line, '\n', (size_t)(end - line)) -
                                      line);
        if (field_is(line, line_length, name))
            return field_value(line, line_length, length);
        line += line_length + 1;
    }
    return NULL;
}

const char *http_head_field(const struct http_head *head, const char *bytes, const char *name,
                            size_t *length)
{
    return http_head_next(head, bytes, name, NULL, length);
}

static bool has_word(const char *list, size_t length, const char *word)
{
    const char *end = list + length, *element;
    while ((element = http_list_next(&list, end, &length)))
        if (length == strlen(word) && strncasecmp(element, word, length) == 0)
            return true;
    return false;
}

bool http_head_is_persistent(const struct http_head *head, const char *bytes)
{
    const char *word = head->minor ? "close" : "keep-alive", *value = NULL;
    size_t length;
    while ((value = http_head_next(head, bytes, "Connection", value, &length)))
        if (has_word(value, length, word))
            return !head->minor;
    return head->minor;
}

const char *http_head_status(const struct http_head *head, const char *bytes, size_t *length)
{
    const char *start = bytes + STATUS_PLACE;
    const char *end = memchr(start, '\n', head->length - STATUS_PLACE);
    while (is_space(end[-1]))
        end--;
    *length = (size_t)(end - start);
    return start;
}

enum http_body_kind http_head_body(const struct http_head *head, bool answers_head_request)
{
    if (answers_head_request || head->status < 200 || head->status == 204 || head->status == 304)
        return HTTP_BODY_NONE;
    if (head->chunked)
        return HTTP_BODY_CHUNKED;
    return head->has_length ? HTTP_BODY_LENGTH : HTTP_BODY_UNTIL_CLOSE;
}
