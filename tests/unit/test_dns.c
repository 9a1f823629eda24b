/*
 * DNS: names as text and on the wire, what counts as an answer, and the records of good and bad ones.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/dns_data.h"

#define BYTES(text) text, sizeof(text) - 1

static int failures, number;

static void check(bool good, const char *what, const char *name)
{
    failures += !good;
    printf("%s %d - %s: %s\n", good ? "ok" : "not ok", ++number, what, name);
}

/* Names */

#define LABEL63 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static const struct {
    const char *text;
    const char *wire; /* without the last 0; NULL: the text is refused */
    size_t length;
    const char *shown;
} names[] = {
    {".", BYTES(""), "."},
    {"test", BYTES("\4test"), "test."},
    {"www.test.", BYTES("\3www\4test"), "www.test."},
    {"a\\.b.\\035\\X", BYTES("\3a.b\2#X"), "a\\.b.#X."},
    {"\\000\\255", BYTES("\2\0\377"), "\\000\\255."},
    {"a b$@();\"", BYTES("\11a b$@();\""), "a\\032b\\$\\@\\(\\)\\;\\\"."},
    {LABEL63, BYTES("\77" LABEL63), LABEL63 "."},
    {LABEL63 "a", NULL, 0, NULL},
    {LABEL63 "." LABEL63 "." LABEL63
             ".aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
     BYTES("\77" LABEL63 "\77" LABEL63 "\77" LABEL63
           "\75aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"),
     LABEL63 "." LABEL63 "." LABEL63
             ".aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa."},
    {LABEL63 "." LABEL63 "." LABEL63 "." LABEL63, NULL, 0, NULL},
    {LABEL63 "." LABEL63 "." LABEL63
             ".aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
     NULL, 0, NULL},
    {"", NULL, 0, NULL},
    {"..", NULL, 0, NULL},
    {".a", NULL, 0, NULL},
    {"a..b", NULL, 0, NULL},
    {"a\\", NULL, 0, NULL},
    {"a\\25", NULL, 0, NULL},
    {"a\\256", NULL, 0, NULL},
    {"a\\2x5", NULL, 0, NULL},
};

static void check_names(void)
{
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct dns_name name;
        char shown[1100] = "";
        const char *wrong = dns_name_read(&name, names[i].text);
        if (!wrong) {
            FILE *out = fmemopen(shown, sizeof shown, "w");
            dns_name_print(out, &name);
            fclose(out);
        }
        bool good = names[i].wire
                        ? !wrong && name.length == names[i].length + 1 &&
                              !memcmp(name.bytes, names[i].wire, names[i].length) &&
                              !name.bytes[names[i].length] && !strcmp(shown, names[i].shown)
                        : wrong != NULL;
        check(good, "name", names[i].text);
    }
}

/* Messages, to the question of the type that their record has: header, "x.test", and the rest. */

#define HEAD(flags, counts) "\x12\x34" flags counts
#define ONE "\0\1\0\1\0\0\0\0"
#define NAME "\1x\4test\0"
#define RECORD(type, length) "\xc0\x0c\0" type "\0\1\0\0\1\x2c\0" length

static const struct {
    const char *name;
    uint16_t type;
    const char *bytes;
    size_t length;
    const char *shown; /* the lines, or NULL: it is malformed; "no": it is no answer */
} messages[] = {
    {"A", DNS_A, BYTES(HEAD("\x81\x80", ONE) NAME "\0\1\0\1" RECORD("\1", "\4") "\300\0\2\1"),
     "x.test. 300 A 192.0.2.1\n"},
    {"case of the question", DNS_A,
     BYTES(HEAD("\x81\x80", ONE) "\1X\4tEst\0\0\1\0\1" RECORD("\1", "\4") "\300\0\2\1"),
     "X.tEst. 300 A 192.0.2.1\n"},
    {"MX, its name compressed", 15,
     BYTES(HEAD("\x81\x80", ONE) NAME "\0\x0f\0\1" RECORD("\x0f", "\7") "\0\12\2mx\xc0\x0e"),
     "x.test. 300 MX 10 mx.test.\n"},
    {"TXT", 16,
     BYTES(HEAD("\x81\x80", ONE) NAME "\0\x10\0\1" RECORD("\x10", "\7") "\0\5\"\\\n\377;"),
     "x.test. 300 TXT \"\" \"\\\"\\\\\\010\\255;\"\n"},
    {"a type without a form", 10,
     BYTES(HEAD("\x81\x80", ONE) NAME "\0\x0a\0\1" RECORD("\x0a", "\2") "\xab\xcd"),
     "x.test. 300 NULL \\# 2 ABCD\n"},
    {"no data", 10, BYTES(HEAD("\x81\x80", ONE) NAME "\0\x0a\0\1" RECORD("\x0a", "\0")),
     "x.test. 300 NULL \\# 0\n"},
    {"CAA", 9,
     BYTES(HEAD("\x81\x80", ONE) NAME
           "\0\x09\0\1\xc0\x0c\1\1\0\1\0\0\1\x2c\0\x0d\200\5issueab\"c;d"),
     "x.test. 300 CAA 128 issue \"ab\\\"c;d\"\n"},
    {"HTTPS", 65,
     BYTES(HEAD("\x81\x80", ONE) NAME
           "\0\x41\0\1" RECORD("\x41",
                               "\x1b") "\0\1\0\0\1\0\5\4a,\\\"\0\2\0\0\0\3\0\2\1\273\x23\x28\0\1="),
     "x.test. 300 HTTPS 1 . alpn=\"a\\\\,\\\\\\\\\\\"\" no-default-alpn port=443 key9000=\"=\"\n"},
    {"HTTPS: a port of one byte", 65,
     BYTES(HEAD("\x81\x80", ONE) NAME "\0\x41\0\1" RECORD("\x41", "\x8") "\0\1\0\0\3\0\1\1"), NULL},
    {"HTTPS: a value beyond the data", 65,
     BYTES(HEAD("\x81\x80", ONE) NAME "\0\x41\0\1" RECORD("\x41", "\x8") "\0\1\0\0\3\0\2\1"), NULL},
    {"HTTPS: keys in order, of which two are mandatory", 65,
     BYTES(HEAD("\x81\x80", ONE) NAME
           "\0\x41\0\1" RECORD("\x41", "\030") "\000\001\000\000\000\000\004\000\001\000\003\000"
                                               "\001\000\003\002\150\062\000\003\000\002\001\273"),
     "x.test. 300 HTTPS 1 . mandatory=alpn,port alpn=\"h2\" port=443\n"},
    {"HTTPS: keys out of order", 65,
     BYTES(HEAD("\x81\x80", ONE) NAME "\0\x41\0\1" RECORD(
         "\x41", "\020") "\000\001\000\000\003\000\002\001\273\000\001\000\003\002\150\062"),
     NULL},
    {"HTTPS: a key twice", 65,
     BYTES(HEAD("\x81\x80", ONE) NAME "\0\x41\0\1" RECORD(
         "\x41", "\017") "\000\001\000\000\003\000\002\001\273\000\003\000\002\001\273"),
     NULL},
    {"HTTPS: mandatory keys out of order", 65,
     BYTES(HEAD("\x81\x80", ONE) NAME
           "\0\x41\0\1" RECORD("\x41", "\030") "\000\001\000\000\000\000\004\000\003\000\001\000"
                                               "\001\000\003\002\150\062\000\003\000\002\001\273"),
     NULL},
    {"HTTPS: a mandatory key twice", 65,
     BYTES(HEAD("\x81\x80", ONE) NAME "\0\x41\0\1" RECORD(
         "\x41",
         "\022") "\000\001\000\000\000\000\004\000\001\000\001\000\001\000\003\002\150\062"),
     NULL},
    {"HTTPS: a mandatory key that is not there", 65,
     BYTES(HEAD("\x81\x80", ONE) NAME "\0\x41\0\1" RECORD(
         "\x41",
         "\022") "\000\001\000\000\000\000\004\000\001\000\003\000\001\000\003\002\150\062"),
     NULL},
    {"HTTPS: mandatory is mandatory", 65,
     BYTES(HEAD("\x81\x80", ONE) NAME "\0\x41\0\1" RECORD(
         "\x41",
         "\022") "\000\001\000\000\000\000\004\000\000\000\001\000\001\000\003\002\150\062"),
     NULL},
    {"HTTPS: half a mandatory key", 65,
     BYTES(HEAD("\x81\x80", ONE) NAME "\0\x41\0\1" RECORD(
         "\x41", "\021") "\000\001\000\000\000\000\003\000\001\000\000\001\000\003\002\150\062"),
     NULL},
    {"HTTPS: no mandatory key", 65,
     BYTES(HEAD("\x81\x80", ONE) NAME
           "\0\x41\0\1" RECORD("\x41", "\007") "\000\001\000\000\000\000\000"),
     NULL},
    {"HTTPS: two ports", 65,
     BYTES(HEAD("\x81\x80", ONE) NAME
           "\0\x41\0\1" RECORD("\x41", "\013") "\000\001\000\000\003\000\004\001\273\001\274"),
     NULL},
    {"HTTPS: no-default-alpn with a value", 65,
     BYTES(HEAD("\x81\x80", ONE) NAME "\0\x41\0\1" RECORD(
         "\x41", "\017") "\000\001\000\000\001\000\003\002\150\062\000\002\000\001\170"),
     NULL},
    {"HTTPS: a protocol without a name", 65,
     BYTES(HEAD("\x81\x80", ONE) NAME
           "\0\x41\0\1" RECORD("\x41", "\010") "\000\001\000\000\001\000\001\000"),
     NULL},
    {"HTTPS: a hint of five bytes", 65,
     BYTES(HEAD("\x81\x80", ONE) NAME
           "\0\x41\0\1" RECORD("\x41", "\014") "\000\001\000\000\004\000\005\141\142\143\144\145"),
     NULL},
    {"none", DNS_A, BYTES(HEAD("\x81\x80", "\0\1\0\0\0\0\0\0") NAME "\0\1\0\1"), ""},
    {"a complaint without the question", DNS_A, BYTES(HEAD("\x81\x81", "\0\0\0\0\0\0\0\0")), ""},
    {"success without the question", DNS_A, BYTES(HEAD("\x81\x80", "\0\0\0\0\0\0\0\0")), "no"},
    {"another id", DNS_A, BYTES("\x12\x35\x81\x80\0\1\0\0\0\0\0\0" NAME "\0\1\0\1"), "no"},
    {"a query", DNS_A, BYTES(HEAD("\1\0", "\0\1\0\0\0\0\0\0") NAME "\0\1\0\1"), "no"},
    {"a notification", DNS_A, BYTES(HEAD("\xa1\0", "\0\1\0\0\0\0\0\0") NAME "\0\1\0\1"), "no"},
    {"another type", DNS_A, BYTES(HEAD("\x81\x80", "\0\1\0\0\0\0\0\0") NAME "\0\2\0\1"), "no"},
    {"another class", DNS_A, BYTES(HEAD("\x81\x80", "\0\1\0\0\0\0\0\0") NAME "\0\1\0\3"), "no"},
    {"another name", DNS_A, BYTES(HEAD("\x81\x80", "\0\1\0\0\0\0\0\0") "\1y\4test\0\0\1\0\1"),
     "no"},
    {"two questions", DNS_A, BYTES(HEAD("\x81\x80", "\0\2\0\0\0\0\0\0") NAME "\0\1\0\1"), "no"},
    {"a question that is cut", DNS_A, BYTES(HEAD("\x81\x80", "\0\1\0\0\0\0\0\0") NAME "\0\1\0"),
     "no"},
    {"a header that is cut", DNS_A, BYTES("\x12\x34\x81\x80\0\1\0\0\0\0\0"), "no"},
    {"a name that is its own", DNS_A,
     BYTES(HEAD("\x81\x80", ONE) NAME "\0\1\0\1\xc0\x18\0\1\0\1\0\0\0\0\0\4abcd"), NULL},
    {"a name that points forwards", DNS_A,
     BYTES(HEAD("\x81\x80", ONE) NAME "\0\1\0\1\xc0\x1e\0\1\0\1\0\0\0\0\0\4abcd"), NULL},
    {"names that point at each other", DNS_A,
     BYTES(HEAD("\x81\x80", ONE) NAME "\0\1\0\1\1a\xc0\x1c\1b\xc0\x18\0\1\0\1\0\0\0\0\0\4abcd"),
     NULL},
    {"a pointer that is cut", DNS_A, BYTES(HEAD("\x81\x80", ONE) NAME "\0\1\0\1\xc0"), NULL},
    {"a label of no known kind", DNS_A,
     BYTES(HEAD("\x81\x80", ONE) NAME "\0\1\0\1\x40\0\1\0\1\0\0\0\0\0\4abcd"), NULL},
    {"a name that is cut", DNS_A, BYTES(HEAD("\x81\x80", ONE) NAME "\0\1\0\1\5ab"), NULL},
    {"a record that is cut", DNS_A,
     BYTES(HEAD("\x81\x80", ONE) NAME "\0\1\0\1" RECORD("\1", "\4") "\300\0\2"), NULL},
    {"fewer records than said", DNS_A, BYTES(HEAD("\x81\x80", ONE) NAME "\0\1\0\1"), NULL},
    {"an address of three bytes", DNS_A,
     BYTES(HEAD("\x81\x80", ONE) NAME "\0\1\0\1" RECORD("\1", "\3") "\300\0\2"), NULL},
    {"an address of five bytes", DNS_A,
     BYTES(HEAD("\x81\x80", ONE) NAME "\0\1\0\1" RECORD("\1", "\5") "\300\0\2\1\1"), NULL},
    {"a name beyond its data", 5,
     BYTES(HEAD("\x81\x80", ONE) NAME "\0\5\0\1" RECORD("\5", "\2") "\1a\0"), NULL},
};

static char *show(size_t i)
{
    struct dns_question question = {.type = messages[i].type, .id = 0x1234};
    struct dns_reader reader;
    struct dns_head head;
    struct dns_record record;
    char *text = NULL, type[DNS_TYPE_TEXT_MAX];
    size_t length;
    dns_name_read(&question.name, "x.test");
    if (!dns_is_answer(&reader, (const unsigned char *)messages[i].bytes, messages[i].length,
                       &question, &head))
        return strdup("no");
    FILE *out = open_memstream(&text, &length);
    int more;
    while ((more = dns_next(&reader, &record)) > 0) {
        dns_name_print(out, &record.name);
        fprintf(out, " %u %s ", (unsigned)record.ttl, dns_type_text(record.type, type));
        if (dns_data_print(out, &reader, &record))
            break;
        putc('\n', out);
    }
    fclose(out);
    if (!more)
        return text;
    free(text);
    return NULL;
}

static void check_messages(void)
{
    for (size_t i = 0; i < sizeof messages / sizeof *messages; i++) {
        char *shown = show(i);
        const char *expected = messages[i].shown;
        check(expected && shown ? !strcmp(expected, shown) : expected == shown, "message",
              messages[i].name);
        free(shown);
    }
}

static void check_types(void)
{
    static const struct {
        const char *text;
        uint16_t type;
    } types[] = {{"A", 1},         {"aaaa", 28},         {"https", 65},
                 {"TYPE257", 257}, {"type65535", 65535}, {"TYPE0", 0},
                 {"TYPE65536", 0}, {"TYPE", 0},          {"TYPE1x", 0},
                 {"", 0},          {"FOO", 0},           {"TYPE-1", 0}};
    char text[DNS_TYPE_TEXT_MAX];
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        check(dns_type_read(types[i].text) == types[i].type, "type", types[i].text);
    check(!strcmp(dns_type_text(257, text), "CAA"), "type", "257 as text");
    check(!strcmp(dns_type_text(65535, text), "TYPE65535"), "type", "65535 as text");
}

static void check_query(void)
{
    static const char edns[] = "\0\0\x29\4\xd0\0\0\0\0\0\0";
    static const char plain[] = "\x12\x34\1\0\0\1\0\0\0\0\0\0\1x\4test\0\0\x0f\0\1";
    struct dns_question question = {.type = 15, .id = 0x1234};
    unsigned char out[DNS_QUERY_MAX];
    dns_name_read(&question.name, "x.test");
    size_t length = dns_query(&question, false, out);
    check(length == sizeof plain - 1 && !memcmp(out, plain, length), "query", "plain");
    length = dns_query(&question, true, out);
    check(length == sizeof plain + sizeof edns - 2 && out[11] == 1 &&
              !memcmp(out + sizeof plain - 1, edns, sizeof edns - 1),
          "query", "with EDNS0");
}

/* The options of EDNS0 in an answer, and the extended errors among them. */
static const struct {
    const char *name;
    const char *options;
    size_t length;
    const char *shown;
} extended[] = {
    {"none", BYTES(""), ""},
    {"one", BYTES("\0\17\0\5\0\6why"), "6 DNSSEC Bogus why;"},
    {"without a text", BYTES("\0\17\0\2\0\36"), "30 Invalid Query Type ;"},
    {"without a name", BYTES("\0\17\0\2\377\377"), "65535 ? ;"},
    {"behind others", BYTES("\0\12\0\1x\0\14\0\0\0\17\0\2\0\0"), "0 Other Error ;"},
    {"two", BYTES("\0\17\0\2\0\1\0\17\0\3\0\2z"),
     "1 Unsupported DNSKEY Algorithm ;2 Unsupported DS Digest Type z;"},
    {"without a code", BYTES("\0\17\0\1\0\0\17\0\2\0\3"), "3 Stale Answer ;"},
    {"longer than the options", BYTES("\0\17\0\3\0\1"), ""},
    {"a head that is cut", BYTES("\0\17\0"), ""},
};

static void check_extended(void)
{
    static const char head[] = HEAD("\x81\x82", "\0\1\0\0\0\0\0\1") NAME
        "\0\1\0\1\0\0\51\4\320\0\0\0\0\0";
    struct dns_question question = {.type = DNS_A, .id = 0x1234};
    dns_name_read(&question.name, "x.test");
    for (size_t i = 0; i < sizeof extended / sizeof *extended; i++) {
        unsigned char message[128];
        char shown[200] = "";
        const size_t length = extended[i].length, all = sizeof head + length;
        struct dns_reader reader;
        struct dns_head read;
        struct dns_extended error;
        memcpy(message, head, sizeof head - 1);
        message[sizeof head - 1] = (unsigned char)length;
        memcpy(message + sizeof head, extended[i].options, length);
        bool good = dns_is_answer(&reader, message, all, &question, &read);
        while (good && dns_next_extended(&read.options, &error)) {
            const char *name = dns_extended_name(error.code);
            const size_t used = strlen(shown);
            snprintf(shown + used, sizeof shown - used, "%u %s %.*s;", error.code,
                     name ? name : "?", (int)error.length, error.text);
        }
        check(good && !strcmp(shown, extended[i].shown), "extended error", extended[i].name);
    }
}

int main(void)
{
    check_names();
    check_extended();
    check_messages();
    check_types();
    check_query();
    printf("1..%d\n", number);
    return failures != 0;
}
