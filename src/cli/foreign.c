/*
 * See foreign.h. Three tables say everything: the options (foreign_options.h), what follows one of ours, and the forms
 * of operands (foreign_operands.h). The first row that has the command and the word counts, so that what one command says
 * otherwise stands before what all of them say.
 *
 * The tables are texts without a pointer, walked when they are asked: pointers would have to be relocated at each start
 * of the program, by far most of which need no row at all.
 */
#include "cli/foreign.h"

#include <fnmatch.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#define SERVERS "listen echo-server unix-serve"
#define SOCKETS "connect listen echo-server"
#define OTHERS "echo-server unix-send unix-serve resolve"
#define ALL "connect listen echo-server unix-send unix-serve http-get resolve"

#define NO_TLS_SETTING "--tls cannot set this; --via 'openssl s_client ...' can"
#define NO_HTTPS_SETTING "sockctl cannot set this for https; curl(1) can"
#define NO_TLS_SERVER "a server of sockctl has no TLS; put stunnel(8) or nginx in front of it"
#define TLS_CA "the option is --tls-ca FILE"
#define TLS_INSECURE "the option is --tls-insecure"
#define NO_BODIES                                                                                  \
    "sockctl sends no request bodies; curl(1) does; by hand: sockctl-cookbook(7), FETCH OVER HTTP"
#define SHORT_DEFAULT "this is how sockctl is without -v: leave it out"
#define IN_PROXY_URL "name and password stand in the URL of -x, before the host and an '@'"
#define PROXY_TYPE "the kind of proxy is in its URL: -x socks5://HOST:PORT, socks4:// or http://"

/* A table is one object, with a member for each row: its four texts, one behind the other. */
#define JOIN_NAME(name, line) name##line
#define ROW_NAME(line) JOIN_NAME(row_, line)
#define ROW(commands, words, programs, answer)                                                     \
    char ROW_NAME(__LINE__)[sizeof(commands) + sizeof(words) + sizeof(programs) + sizeof(answer)];
struct option_rows {
#include "cli/foreign_options.h"
};
struct operand_rows {
#include "cli/foreign_operands.h"
};
#undef ROW
#define ROW(commands, words, programs, answer) commands "\0" words "\0" programs "\0" answer,
static const struct option_rows options = {
#include "cli/foreign_options.h"
};
static const struct operand_rows operands = {
#include "cli/foreign_operands.h"
};
#undef ROW

/* What others type after an option whose letter we have, too. */
static const struct {
    char commands[16];
    char option[24]; /* ours, its long name */
    char
        pattern[24]; /* of its value, or of the word after it where it takes none, see fnmatch(3) */
    char typed[24];  /* how it looks, as sockctl-migrate(7) shows it */
    char programs[16];
    char answer[88];
} values[] = {
    {"connect", "help", "*", "-h HOST", "wait-for-it",
     "the address is an operand: sockctl connect -z --wait TIME HOST:PORT"},
    {"connect", "quit-after", "*:*", "-q HOST:PORT", "wait-for-it",
     "-q takes a TIME; wait-for-it's is how sockctl is without -v: leave it out"},
    {"connect", "quit-after", "--", "-q --", "wait-for-it",
     "-q takes a TIME; wait-for-it's is how sockctl is without -v: leave it out"},
    {"connect listen", "quit-after", "-1", "-q -1", "nc",
     "nc's -1 is how sockctl is without -q: leave it out"},
    {"connect listen", "version", "[0-9]*", "-V 1", "nc",
     "-V shows the version; sockctl has no routing tables"},
    {"connect", "sh-exec", "v", "-cv", "nc", "-c takes a COMMAND; nc's -c is --tls here"},
    {"connect", "source", "-*", "-s -t TIME", "wait-for-it",
     "-s takes an ADDR; wait-for-it's is how sockctl is: leave it out"},
    {"connect listen", "recv-only", "-d", "-d -d", "socat",
     "given twice; socat's -d -d is -v here: what happens; -vv: each call"},
    {"http-get", "remote-name", "-", "-O -", "wget", "the body goes to standard output without -O"},
    {"http-get", "header", "@*", "-H @FILE", "curl", "each field is given with an -H of its own"},
    {"http-get", "output", "*://*", "-o http://HOST/", "curl wget",
     "-o takes a FILE; -O names it like the end of the URL"},
    {"http-get", "include", "*.txt", "-i FILE.txt", "wget",
     "-i prints the head; the URLs of a file: xargs sockctl http-get < FILE"},
    {"http-get", "range", "[A-Za-z]*[./]*", "-r http://HOST/", "wget",
     "-r takes a RANGE; sockctl fetches no trees of pages, wget(1) does"},
    {"resolve", "type", "ype=*", "-type=TYPE", "nslookup", "the option is -t TYPE"},
    {"resolve", "type", "=*", "-t=TYPE", "dig", "the option is -t TYPE, or --type=TYPE"},
};

struct row {
    const char *commands, *words, *programs, *answer;
};

static const char *text_after(const char *text)
{
    return text + strlen(text) + 1;
}

/* Reads the row that follows, of a zeroed `row` the first one; false: there are no more. */
static bool next_row(struct row *row, const void *table, size_t size)
{
    row->commands = row->answer ? text_after(row->answer) : table;
    if (row->commands == (const char *)table + size)
        return false;
    row->words = text_after(row->commands);
    row->programs = text_after(row->words);
    row->answer = text_after(row->programs);
    return true;
}

static bool has_word(const char *words, const char *word, size_t length)
{
    for (const char *at = words; *at; at += strspn(at, " ")) {
        const size_t here = strcspn(at, " ");
        if (here == length && strncmp(at, word, length) == 0)
            return true;
        at += here;
    }
    return false;
}

const char *foreign_value(const char *command, const char *option, const char *value)
{
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        if (strcmp(values[i].option, option) == 0 &&
            has_word(values[i].commands, command, strlen(command)) &&
            fnmatch(values[i].pattern, value, 0) == 0)
            return values[i].answer;
    return NULL;
}

const char *foreign_option(const char *command, const char *name, size_t length)
{
    for (struct row row = {0}; next_row(&row, &options, sizeof options);)
        if (has_word(row.commands, command, strlen(command)) && has_word(row.words, name, length))
            return row.answer;
    return NULL;
}

/* HOST:PORT: "proxy:8080" and "proxy:http" are, PROXY:HOST:PORT and SYSTEM:COMMAND are socat's. */
static bool is_host_and_port(const char *operand, size_t before_port)
{
    const char *port = operand + before_port;
    const bool capitals = *operand >= 'A' && *operand <= 'Z';
    return operand[before_port - 1] == ':' &&
           !port[strspn(port, capitals ? "0123456789" : "0123456789abcdefghijklmnopqrstuvwxyz-")];
}

/* A whole word counts in these letters alone, and beside other operands: it may be the name of a host. What ends with a
 * colon counts in any case, unless it is a host and its port; with a '-' in it, always: TCP-LISTEN:80. */
static bool begins_with_one_of(const char *operand, bool alone, const char *words)
{
    /* Where this differs already, the tables of strncasecmp(3) are not touched: 80 KiB of libc. */
    const int first = *operand | 0x20;
    for (const char *at = words, *space; at; at = (space = strchr(at, ' ')) ? space + 1 : NULL) {
        const size_t whole = *at == '=';
        if ((at[whole] | 0x20) != first)
            continue;
        const size_t here = strcspn(at + whole, " ");
        if (whole ? !alone && strlen(operand) == here && strncmp(operand, at + 1, here) == 0
                  : strncasecmp(operand, at, here) == 0 &&
                        (memchr(at, '-', here) || !is_host_and_port(operand, here)))
            return true;
    }
    return false;
}

const char *foreign_operand(const char *command, const char *operand, bool alone)
{
    /* No form begins with a digit, or is a word of small letters: most starts look no further. */
    if ((*operand >= '0' && *operand <= '9') ||
        !operand[strspn(operand, "abcdefghijklmnopqrstuvwxyz.")])
        return NULL;
    for (struct row row = {0}; next_row(&row, &operands, sizeof operands);)
        if (begins_with_one_of(operand, alone, row.words) &&
            has_word(row.commands, command, strlen(command)))
            return row.answer;
    return NULL;
}

/* An address of socat's that has ours behind its prefix. */
struct socat_form {
    char prefix[14];
    char ours[6];
    bool is_udp;
};
static const struct socat_form socat_listens[] = {
    {"TCP-LISTEN:", "", false},       {"TCP-L:", "", false},
    {"TCP4-LISTEN:", "-4 ", false},   {"TCP6-LISTEN:", "-6 ", false},
    {"UNIX-LISTEN:", "unix:", false}, {"UNIX-L:", "unix:", false},
    {"UDP-LISTEN:", "-u ", true},     {"UDP4-LISTEN:", "-u ", true},
    {"UDP-RECVFROM:", "-u ", true},
};
static const struct socat_form socat_connects[] = {
    {"TCP:", "", false},          {"TCP4:", "", false},      {"TCP-CONNECT:", "", false},
    {"TCP4-CONNECT:", "", false}, {"TCP6:", "", false},      {"UNIX-CONNECT:", "unix:", false},
    {"UNIX:", "unix:", false},    {"UDP:", "", true},        {"UDP4:", "", true},
    {"UDP-CONNECT:", "", true},   {"UDP-SENDTO:", "", true},
};

/* Finds the form that a word has; NULL: none, or an option of its address is more than how it serves. */
static const struct socat_form *find_form(const struct socat_form *forms, size_t count,
                                          const char *word)
{
    for (size_t i = 0; i < count; i++)
        if (strncasecmp(word, forms[i].prefix, strlen(forms[i].prefix)) == 0)
            return strchr(word, '=') ? NULL : &forms[i];
    return NULL;
}

bool foreign_forward(const char *from, const char *to, char *line, size_t room)
{
    const struct socat_form *listen = find_form(socat_listens,
                                                sizeof socat_listens / sizeof *socat_listens, from);
    const struct socat_form *connect = find_form(socat_connects,
                                                 sizeof socat_connects / sizeof *socat_connects,
                                                 to);
    if (!listen || !connect || listen->is_udp != connect->is_udp)
        return false;
    from += strlen(listen->prefix);
    to += strlen(connect->prefix);
    snprintf(line, room, "sockctl listen %s%.*s --to %s%.*s", listen->ours, (int)strcspn(from, ","),
             from, connect->ours, (int)strcspn(to, ","), to);
    return true;
}

/* Writes the rows of each group of commands together, in the order in which the groups first come. */
static void write_rows(FILE *out, const void *table, size_t size, const char *kind)
{
    for (struct row first = {0}; next_row(&first, table, size);) {
        struct row row = {0};
        while (next_row(&row, table, size) && strcmp(row.commands, first.commands) != 0) {
        }
        if (row.commands != first.commands)
            continue;
        do
            if (strcmp(row.commands, first.commands) == 0)
                fprintf(out, "%s\t%s\t%s\t%s\t%s\n", row.commands, row.words, row.programs,
                        row.answer, kind);
        while (next_row(&row, table, size));
    }
}

void foreign_table(FILE *out)
{
    write_rows(out, &options, sizeof options, "option");
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        fprintf(out, "%s\t%s\t%s\t%s\tline\n", values[i].commands, values[i].typed,
                values[i].programs, values[i].answer);
    write_rows(out, &operands, sizeof operands, "operand");
}
