/*
 * The field lines are read byte by byte by read_field_byte, a machine of five states, for heads and for trailers.
 * http_head_read looks at the status line as it comes, so that what is no HTTP is refused at its first byte, gives all
 * that follows to the machine, and takes from each line that has ended what it says about the length of the body. It
 * keeps no copy: the bytes of the head are the caller's, and http_head_next searches them.
 *
 * http_chunks_read is a machine of its own around the data: the line with the size and its extensions, then, once the
 * caller has taken the data, the line end behind it, and at last the trailer.
 */
#include "proto/http_message.h"

#include <string.h>
#include <strings.h>

#include "base/text.h"

static enum http_step set_malformed(const char **wrong, const char *what)
{
    *wrong = what;
    return HTTP_MALFORMED;
}

bool http_is_token(char c)
{
    static const char tokens[] = "!#$%&'*+-.^_`|~0123456789"
                                 "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    return c && strchr(tokens, c);
}

/* Tells whether a byte is a space or a tab: RFC 9110, 5.6.3. */
static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static bool is_space(char c)
{
    return is_blank(c) || c == '\r' || c == '\n';
}

/* Returns the next element, without the blanks around it, of a list that goes on at *at, which moves on; NULL at its
 * end. Empty elements are skipped (RFC 9110, 5.6.1.2), and quotes have no meaning. */
static const char *next_element(const char **at, const char *end, size_t *length)
{
    while (*at < end && (**at == ',' || is_blank(**at)))
        ++*at;
    const char *start = *at;
    while (*at < end && **at != ',')
        ++*at;
    const char *last = *at;
    while (last > start && is_blank(last[-1]))
        last--;
    *length = (size_t)(last - start);
    return *length ? start : NULL;
}

/* Field lines */

static enum http_step start_field_line(struct http_fields *fields, char byte)
{
    if (byte == '\n')
        return HTTP_DONE;
    if (byte == '\r') {
        fields->state = FIELDS_END_CR;
        return HTTP_MORE;
    }
    if (is_blank(byte) && !fields->count)
        return set_malformed(&fields->wrong, "a folded line before the first field");
    if (is_blank(byte)) {
        fields->state = FIELDS_VALUE;
        return HTTP_FOLD;
    }
    if (byte == ':')
        return set_malformed(&fields->wrong, "a field without a name");
    if (!http_is_token(byte))
        return set_malformed(&fields->wrong, "a bad byte in a field name");
    if (++fields->count > HTTP_FIELDS_MAX)
        return set_malformed(&fields->wrong, "more than 1000 fields");
    fields->state = FIELDS_NAME;
    return HTTP_MORE;
}

/* Moves the machine on by a byte. A line that begins with a blank goes on with the field before it (RFC 9112, 5.2):
 * HTTP_FOLD at its first byte, and HTTP_FIELD at its end as of any line. */
static enum http_step read_field_byte(struct http_fields *fields, char byte)
{
    switch (fields->state) {
    case FIELDS_LINE:
        return start_field_line(fields, byte);
    case FIELDS_NAME:
        if (byte == ':')
            fields->state = FIELDS_VALUE;
        else if (byte == '\r' || byte == '\n')
            return set_malformed(&fields->wrong, "a field without a colon");
        else if (is_blank(byte))
            return set_malformed(&fields->wrong, "a space in a field name");
        else if (!http_is_token(byte))
            return set_malformed(&fields->wrong, "a bad byte in a field name");
        return HTTP_MORE;
    case FIELDS_VALUE:
        if (byte == '\0')
            return set_malformed(&fields->wrong, "a NUL byte in a field");
        if (byte == '\r')
            fields->state = FIELDS_VALUE_CR;
        if (byte != '\n')
            return HTTP_MORE;
        break;
    case FIELDS_VALUE_CR:
    case FIELDS_END_CR:
        if (byte != '\n')
            return set_malformed(&fields->wrong, "a CR without its LF in a field");
        if (fields->state == FIELDS_END_CR)
            return HTTP_DONE;
    }
    fields->state = FIELDS_LINE;
    return HTTP_FIELD;
}

static bool field_is(const char *line, size_t line_length, const char *name)
{
    size_t length = strlen(name);
    return line_length > length && line[length] == ':' && strncasecmp(line, name, length) == 0;
}

/* Returns the value in a field line, without the space around it. */
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

/* The head */

static const char status_form[] = "HTTP/1.x NNN";

enum { STATUS_PLACE = 9, STATUS_FORM_LENGTH = sizeof status_form - 1 };

/* Looks at the byte that has come of the status line, and at the whole line when that has ended. */
static enum http_step read_status_byte(struct http_head *head, const char *line, size_t at)
{
    if (at < STATUS_FORM_LENGTH) {
        /* RFC 9110, 2.5: a minor version that is later than ours is read as the highest that we know. */
        bool is_digit = status_form[at] == 'x' || status_form[at] == 'N';
        if (is_digit ? line[at] < '0' || line[at] > '9' : line[at] != status_form[at])
            return set_malformed(&head->wrong, at < STATUS_PLACE ? "no HTTP/1.x status line"
                                                                 : "a bad status line");
    }
    if (line[at] != '\n')
        return HTTP_MORE;
    const size_t length = line[at - 1] == '\r' ? at - 1 : at;
    const char *digits = line + STATUS_PLACE;
    head->minor = line[STATUS_PLACE - 2] != '0';
    head->status = (digits[0] - '0') * 100 + (digits[1] - '0') * 10 + (digits[2] - '0');
    bool separated = length == STATUS_FORM_LENGTH || line[STATUS_FORM_LENGTH] == ' ';
    if (head->status < 100 || !separated)
        return set_malformed(&head->wrong, "a bad status line");
    if (memchr(line, '\r', length) || memchr(line, '\0', length))
        return set_malformed(&head->wrong, "a CR or NUL byte in the status line");
    head->in_fields = true;
    return HTTP_MORE;
}

/* Reads a Content-Length. The same number several times is one: RFC 9110, 8.6. */
static enum http_step read_length(struct http_head *head, const char *value, const char *end)
{
    size_t length;
    const char *element = next_element(&value, end, &length);
    if (!element)
        return set_malformed(&head->wrong, "a Content-Length that is not a number");
    for (; element; element = next_element(&value, end, &length)) {
        uint64_t number;
        if (!text_is_digits(element, length))
            return set_malformed(&head->wrong, "a Content-Length that is not a number");
        if (!text_number(element, length, &number))
            return set_malformed(&head->wrong, "a Content-Length out of range");
        if (head->has_length && head->content_length != number)
            return set_malformed(&head->wrong, "two different Content-Lengths");
        head->has_length = true;
        head->content_length = number;
    }
    return HTTP_MORE;
}

static enum http_step read_codings(struct http_head *head, const char *value, const char *end)
{
    size_t length;
    const char *element = next_element(&value, end, &length);
    if (!element)
        return set_malformed(&head->wrong, "a Transfer-Encoding without a coding");
    for (; element; element = next_element(&value, end, &length)) {
        if (!text_is_word(element, length, "chunked"))
            return set_malformed(&head->wrong, "a transfer coding other than chunked");
        if (head->chunked)
            return set_malformed(&head->wrong, "two transfer codings");
        head->chunked = true;
    }
    return HTTP_MORE;
}

/* Reads what a field says of the length of the body. Nothing is read of a line that goes on with a field: it begins with a
 * blank. */
static enum http_step read_framing(struct http_head *head, const char *line, size_t line_length)
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

static enum http_step read_head_byte(struct http_head *head, const char *bytes, size_t at)
{
    if (!head->in_fields)
        return read_status_byte(head, bytes, at);
    enum http_step step = read_field_byte(&head->fields, bytes[at]);
    head->wrong = head->fields.wrong;
    if (step == HTTP_FIELD)
        return read_framing(head, bytes + head->line, at + 1 - head->line);
    if (step == HTTP_FOLD) {
        /* What says where a message ends has to be beyond doubt, and others read a fold otherwise. */
        if (head->framing)
            return set_malformed(&head->wrong, "a folded Content-Length or Transfer-Encoding");
        head->folded = true;
        return HTTP_MORE;
    }
    if (step == HTTP_DONE) {
        if (head->chunked && head->has_length)
            return set_malformed(&head->wrong, "a Content-Length beside chunked");
        head->length = head->used;
    }
    return step;
}

enum http_step http_head_read(struct http_head *head, const char *bytes, size_t length)
{
    while (!head->wrong && !head->length && head->used < length) {
        size_t at = head->used++;
        if (at >= HTTP_HEAD_MAX)
            return set_malformed(&head->wrong, "a head of more than 256 KiB");
        enum http_step step = read_head_byte(head, bytes, at);
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
    if (!head->folded)
        return length;
    for (size_t at = 0; at < head->length; at++) {
        bytes[kept++] = bytes[at];
        if (bytes[at] != '\n' || at + 1 == head->length || !is_blank(bytes[at + 1]))
            continue;
        while (is_space(bytes[kept - 1]))
            kept--;
        while (is_blank(bytes[at + 1]))
            at++;
        bytes[kept++] = ' ';
    }
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

bool http_head_is_persistent(const struct http_head *head, const char *bytes)
{
    const char *word = head->minor ? "close" : "keep-alive", *value = NULL;
    size_t length;
    while ((value = http_head_next(head, bytes, "Connection", value, &length))) {
        const char *list = value, *end = value + length, *element;
        while ((element = next_element(&list, end, &length)))
            if (text_is_word(element, length, word))
                return !head->minor;
    }
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

/* What is around chunks */

enum { SIZE_DIGITS_MAX = 15 };

static enum http_step end_size_line(struct http_chunks *chunks)
{
    chunks->digits = chunks->line = 0;
    chunks->state = chunks->size ? CHUNKS_DATA_END : CHUNKS_TRAILER;
    return chunks->size ? HTTP_DATA : HTTP_MORE;
}

/* Reads a byte of the line with the size. After the digits there are blanks (RFC 9112, 7.1.1), then an extension or the
 * end of the line. */
static enum http_step read_size_byte(struct http_chunks *chunks, char byte)
{
    int digit = chunks->state == CHUNKS_SIZE ? text_hex_digit(byte) : -1;
    if (digit >= 0) {
        if (++chunks->digits > SIZE_DIGITS_MAX)
            return set_malformed(&chunks->wrong, "a chunk size of more than 15 digits");
        chunks->size = chunks->size * 16 + (unsigned)digit;
        return HTTP_MORE;
    }
    if (chunks->digits == 0)
        return set_malformed(&chunks->wrong, "a bad chunk size");
    if (byte == '\n')
        return end_size_line(chunks);
    if (is_blank(byte) && ++chunks->line > HTTP_EXTENSION_MAX)
        return set_malformed(&chunks->wrong, "more than 4 KiB of blanks after a chunk size");
    if (is_blank(byte))
        chunks->state = CHUNKS_BLANK;
    else if (byte == ';')
        chunks->state = CHUNKS_EXTENSION;
    else if (byte == '\r')
        chunks->state = CHUNKS_SIZE_CR;
    else
        return set_malformed(&chunks->wrong, "a bad chunk size");
    return HTTP_MORE;
}

static enum http_step read_chunks_byte(struct http_chunks *chunks, char byte)
{
    switch (chunks->state) {
    case CHUNKS_SIZE:
    case CHUNKS_BLANK:
        return read_size_byte(chunks, byte);
    case CHUNKS_EXTENSION:
        if (byte == '\0')
            return set_malformed(&chunks->wrong, "a NUL byte in a chunk extension");
        if (byte == '\n')
            return end_size_line(chunks);
        if (++chunks->line > HTTP_EXTENSION_MAX)
            return set_malformed(&chunks->wrong, "a chunk extension of more than 4 KiB");
        if (byte == '\r')
            chunks->state = CHUNKS_SIZE_CR;
        return HTTP_MORE;
    case CHUNKS_SIZE_CR:
        if (byte != '\n')
            return set_malformed(&chunks->wrong, "a CR without its LF after a chunk size");
        return end_size_line(chunks);
    case CHUNKS_DATA_END:
    case CHUNKS_DATA_CR:
        if (byte == '\r' && chunks->state == CHUNKS_DATA_END) {
            chunks->state = CHUNKS_DATA_CR;
            return HTTP_MORE;
        }
        if (byte != '\n')
            return set_malformed(&chunks->wrong, "a chunk longer than its size");
        chunks->state = CHUNKS_SIZE;
        chunks->size = 0;
        return HTTP_MORE;
    case CHUNKS_TRAILER:
        break;
    }
    if (++chunks->line > HTTP_TRAILER_MAX)
        return set_malformed(&chunks->wrong, "a trailer of more than 256 KiB");
    enum http_step step = read_field_byte(&chunks->trailer, byte);
    chunks->wrong = chunks->trailer.wrong;
    return step == HTTP_FIELD || step == HTTP_FOLD ? HTTP_MORE : step;
}

enum http_step http_chunks_read(struct http_chunks *chunks, const char *bytes, size_t length,
                                size_t *used)
{
    *used = 0;
    while (!chunks->wrong && *used < length) {
        enum http_step step = read_chunks_byte(chunks, bytes[(*used)++]);
        if (step != HTTP_MORE)
            return step;
    }
    return chunks->wrong ? HTTP_MALFORMED : HTTP_MORE;
}
