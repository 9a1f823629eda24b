/*
 * An answer from DNS: whatever it is, what is printed of it is printable ASCII, and every name that
 * is printed can be read again. The first byte chooses the type that is asked for.
 */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "proto/dns_data.h"

static void require(int truth)
{
    if (!truth)
        abort();
}

/* The text is the caller's. */
static char *name_text(const struct dns_name *name)
{
    char *text = NULL;
    size_t length;
    FILE *out = open_memstream(&text, &length);
    require(out != NULL);
    dns_name_print(out, name);
    fclose(out);
    return text;
}

static void check_name(const struct dns_name *name)
{
    struct dns_name again;
    require(name->length > 0 && name->length <= DNS_NAME_MAX);
    char *text = name_text(name);
    require(!dns_name_read(&again, text) && again.length == name->length &&
            !memcmp(again.bytes, name->bytes, name->length));
    free(text);
}

static void check_data(const struct dns_reader *reader, const struct dns_record *record)
{
    char *text = NULL;
    size_t length;
    FILE *out = open_memstream(&text, &length);
    require(out != NULL);
    int result = dns_data_print(out, reader, record);
    fclose(out);
    for (size_t i = 0; i < length && !result; i++)
        require(text[i] >= ' ' && text[i] < 0x7f);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct dns_question question = {.id = 0x1234};
    struct dns_reader reader;
    struct dns_head head;
    struct dns_record record;
    struct dns_extended extended;
    if (!size)
        return 0;
    question.type = data[0];
    dns_name_read(&question.name, "x.test");
    if (!dns_is_answer(&reader, data + 1, size - 1, &question, &head))
        return 0;
    while (dns_next_extended(&head.options, &extended))
        require(extended.text >= (const char *)data + 1 &&
                extended.text + extended.length <= (const char *)data + size);
    while (dns_next(&reader, &record) > 0) {
        require(record.end <= size - 1 && record.data <= record.end);
        check_name(&record.name);
        check_data(&reader, &record);
    }
    return 0;
}
