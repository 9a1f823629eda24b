/*
 * sockctl: finds the command, reads its options, runs it, prints the one error, exits.
 *
 * The map, in the order in which a byte travels; each room includes only what is to its right:
 *
 *     main → cmd/NAME → cmd/serve → cmd/common → { dgram → stream, dns → net, cli } → { sys, proto } → base
 *
 *     cmd/NAME     one folder for each command: its options, and what it alone does
 *     cmd/serve    what every server needs, cmd/common what several commands need
 *     net, dns     how a connected or listening socket is had; what DNS says
 *     stream       moving bytes between descriptors, dgram the same for datagrams
 *     cli          option tables, help, and what is told on stderr
 *     sys          the kernel's things: the loop, descriptors, sockets, processes, files
 *     proto        pure parsers: bytes in, values out
 *     base         errors, the log, memory, text, units, lists
 *
 * ARCHITECTURE.md names every module.
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/auxv.h>
#include <unistd.h>
#ifdef __GLIBC__
#include <gnu/libc-version.h>
#endif

#include "base/error.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "cli/colour.h"
#include "cli/foreign.h"
#include "cli/help.h"
#include "cli/opt.h"
#include "cli/report.h"
#include "cmd/common/modes.h"
#include "command.h"
#include "sys/sandbox.h"
#include "sys/trace.h"

#define COMMAND_ENTRY(name) &name##_command,
static const struct command *const commands[] = {COMMANDS(COMMAND_ENTRY) NULL};

/* A closed descriptor 0, 1 or 2 would become the first socket that is opened. Stand-ins refuse what
 * the real one would have been asked: reading 0 finds the end, writing 1 fails with EBADF. */
static void hold_standard_descriptors(void)
{
    struct pollfd standard[3] = {{.fd = 0}, {.fd = 1}, {.fd = 2}};
    if (poll(standard, 3, 0) <= 0)
        return;
    for (int fd = 0; fd < 3; fd++)
        if (standard[fd].revents & POLLNVAL)
            if (open("/dev/null", fd == 2 ? O_WRONLY : O_RDONLY) != fd)
                memory_impossible("cannot open /dev/null in place of a closed descriptor");
}

/* Says which command an address, or a URL, is for. Returns whether the word is one. */
static bool refuse_address(const char *word, struct error *err)
{
    const char *answer = foreign_operand("connect", word, false);
    if (answer && *answer) {
        error_add(err, ": %s", answer);
        return true;
    }
    if (strncmp(word, "http", 4) == 0 && strstr(word, "://")) {
        error_add(err, " (a URL is for http-get: sockctl http-get URL)");
        return true;
    }
    if (!strpbrk(word, ":./") && !text_is_digits(word, strlen(word)))
        return false;
    error_add(err,
              " (to connect, type 'sockctl connect ADDRESS'; to listen, 'sockctl listen ADDRESS')");
    return true;
}

/* Says of a word that is no command which one may be meant. */
static void refuse_command(const char *name, const struct command *nearest, struct error *err)
{
    static const struct {
        const char *words, *meant;
    } others[] = {{" nc ncat netcat socat telnet open tcp udp ", "connect, or listen"},
                  {" get fetch curl wget http https ", "http-get"},
                  {" dig host nslookup lookup getent dns ", "resolve"},
                  {" serve server bind accept ", "listen, or echo-server"},
                  {" chat ", "listen --chat"},
                  {" broker ", "listen --broker"},
                  {" send write ", "connect, or unix-send"},
                  {" usage man info ", "help"},
                  {" scan probe nmap ping tcping ", "connect --probe"},
                  {" wait wait-for-it waitfor wait-on dockerize ", "connect --probe --wait TIME"},
                  {" forward proxy relay tunnel ", "listen --to ADDRESS"},
                  {" version ", "--version"}};
    char word[32];
    const int length = snprintf(word, sizeof word, " %s ", name);
    error_set(err, STATUS_USAGE, "unknown command '%.100s'", name);
    for (size_t i = 0; length < (int)sizeof word && i < sizeof others / sizeof *others; i++)
        if (strstr(others[i].words, word)) {
            error_add(err, " (that is %s)", others[i].meant);
            return;
        }
    if (strchr(name, ' ') && strspn(name, "abcdefghijklmnopqrstuvwxyz-") > 1) {
        error_add(err, " (the words of a command line are not quoted together)");
        return;
    }
    if (refuse_address(name, err))
        return;
    if (nearest) {
        error_add(err, " (did you mean %s?)", nearest->name);
        return;
    }
    error_add(err, "; there are");
    for (const struct command *const *at = commands; *at; at++)
        error_add(err, " %s", (*at)->name);
}

/* Says of an option that stands before the command what to type: `-lvnp 80` is nc's. */
static int refuse_option(char *const *words, struct error *err)
{
    const char *word = words[0], *next = words[1];
    error_set(err, STATUS_USAGE, "unknown option %.100s before the command", word);
    for (const struct command *const *at = commands; *at; at++) {
        if (next && strcmp(next, (*at)->name) == 0)
            return error_add(err, ": options follow it, as in 'sockctl %s %.100s ...'", next, word);
        if (strcmp(word + 1, (*at)->name) == 0 ||
            (word[1] == '-' && strcmp(word + 2, (*at)->name) == 0))
            return error_add(err, ": commands have no dashes, type 'sockctl %s'", (*at)->name);
    }
    if (strncasecmp(word, "--help", 6) == 0 || strcmp(word, "-help") == 0 || word[1] == '?')
        return error_add(err, ": type 'sockctl --help', or 'sockctl help COMMAND'");
    if (strcasecmp(word, "--version") == 0 || strcmp(word, "-version") == 0)
        return error_add(err, ": type 'sockctl --version'");
    const char *answer = foreign_operand("connect", word, false);
    if (answer && *answer) /* socat's "-" */
        return error_add(err, ": %s, as in 'sockctl connect HOST PORT'", answer);
    const bool is_cluster = word[1] && word[1] != '-' && strlen(word) < 10;
    if (!is_cluster)
        return error_add(err, ": options follow it, as in 'sockctl connect -v HOST PORT'");
    const bool listens = strpbrk(word, "lk");
    error_add(err, ": options follow it, type 'sockctl %s", listens ? "listen" : "connect");
    for (const char *at = word + 1; *at; at++)
        if (!listens || !strchr("lp", *at))
            error_add(err, " -%c", *at);
    return error_add(err, " %s'", listens ? "PORT" : "HOST PORT");
}

/* Finds a command by its name, or by a prefix that no other command shares. NULL: *err says why not. A whole name is
 * found first, without any text: formatting one would keep 150 KiB of libc resident for nothing. */
static const struct command *find_command(const char *name, struct error *err)
{
    const struct command *match = NULL, *nearest = NULL;
    size_t matches = 0, min_distance = 4;
    for (const struct command *const *at = commands; *at; at++)
        if (strcmp((*at)->name, name) == 0)
            return *at;
    error_set(err, STATUS_USAGE, "'%.100s' is ambiguous:", name);
    for (const struct command *const *at = commands; *at; at++) {
        size_t distance = strcasecmp(name, (*at)->name) == 0 ? 0 : text_distance(name, (*at)->name);
        if (distance < min_distance) {
            min_distance = distance;
            nearest = *at;
        }
        if (*name && text_starts_with((*at)->name, name)) {
            match = *at;
            matches++;
            error_add(err, " %s", match->name);
        }
    }
    if (matches == 1) {
        error_silent(err, STATUS_OK); /* what was written so far is no failure */
        return match;
    }
    if (!matches)
        refuse_command(name, nearest, err);
    return NULL;
}

static int show_version(struct error *err)
{
    puts("sockctl " SOCKCTL_VERSION);
#ifdef __GLIBC__
    printf("libc      glibc %s\n", gnu_get_libc_version());
    puts("names     also beyond ASCII, where libidn2 is installed");
#else
    puts("libc      another than glibc: musl, or one like it");
    puts("names     in ASCII (xn--... for others)");
#endif
    printf("sandbox   %s\n", sandbox_describe());
    return report_flush_stdout(err);
}

/* Shows what `topic` says of a command's help, see help_command. */
static int show_help(const struct command *command, const char *topic, struct error *err)
{
    if (help_command(stdout, STDOUT_FILENO, command, topic, err))
        return -1;
    return report_flush_stdout(err);
}

/* Shows what is asked for by the words after `help` or --help, "COMMAND GROUP", of which both may be missing. *command is
 * set when they name one. */
static int show_help_of(char **words, const struct command **command, struct error *err)
{
    if (!*words || **words == '-') {
        help_overview(stdout, STDOUT_FILENO, commands);
        return report_flush_stdout(err);
    }
    *command = find_command(words[0], err);
    if (!*command)
        return -1;
    const char *topic = words[1] && *words[1] != '-' ? words[1] : "";
    if (*topic && words[2])
        return error_set(err, STATUS_USAGE, "too many operands, starting with '%.100s'", words[2]);
    return show_help(*command, topic, err);
}

/* Writes the list of commands to stderr. */
static void show_commands(void)
{
    char *text;
    size_t length;
    FILE *out = memory_stream(&text, &length);
    help_overview(out, STDERR_FILENO, commands);
    memory_stream_close(out);
    log_write(text, length);
    free(text);
}

static int run_command(const struct command *command, int argc, char **argv, struct error *err)
{
    struct opt_parsed parsed;
    int result = opt_parse(command, argc, argv, &parsed, err);
    if (!result && parsed.common.help) {
        result = show_help(command, parsed.common.help, err);
    } else if (!result && parsed.common.version) {
        result = show_version(err);
    } else if (!result) {
        log_setting.verbosity = parsed.common.verbosity;
        /* Scripts rely on a call being all that there is in its line. */
        if (log_setting.verbosity >= LOG_LEVEL_TRACE && log_columns())
            trace_begin(memory_new(1, sizeof(struct trace)), command->serves);
        struct operands operands = {parsed.words, parsed.count, parsed.program,
                                    parsed.common.no_sandbox};
        result = command->run(parsed.options, &operands, err);
    }
    opt_release(command, &parsed);
    return result;
}

/* Does what the command line says; *command is set when it names one. */
static int dispatch(int argc, char **argv, const struct command **command, struct error *err)
{
    *command = NULL;
    if (argc < 2) {
        show_commands();
        return error_silent(err, STATUS_USAGE);
    }
    const char *word = argv[1];
    if (strcmp(word, "--version") == 0 || strcmp(word, "-V") == 0)
        return show_version(err);
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 || strcmp(word, "help") == 0)
        return show_help_of(argv + 2, command, err);
    if (strcmp(word, "--table") == 0) {
        help_table(stdout, commands);
        return report_flush_stdout(err);
    }
    if (strcmp(word, "--modes") == 0) {
        modes_table(stdout, commands);
        return report_flush_stdout(err);
    }
    if (strcmp(word, "--foreign") == 0) {
        foreign_table(stdout);
        return report_flush_stdout(err);
    }
    if (word[0] == '-')
        return refuse_option(argv + 1, err);
    *command = find_command(word, err);
    return *command ? run_command(*command, argc - 1, argv + 1, err) : -1;
}

static void print_error(const struct error *err, const struct command *command)
{
    if (err->status == STATUS_USAGE)
        log_setting.as_object = NULL; /* it is for a person, as is the hint */
    if (err->text[0])
        log_error(err->status, err->text);
    if (err->status != STATUS_USAGE || !err->text[0])
        return;
    char hint[64];
    snprintf(hint, sizeof hint, "try 'sockctl %s%s--help'", command ? command->name : "",
             command ? " " : "");
    log_hint(hint);
}

int main(int argc, char **argv)
{
    struct error err = {0};
    const struct command *command;
    hold_standard_descriptors();
    colour_log(STDERR_FILENO);
    /* A set-user-ID or set-group-ID copy would do for anybody what its owner alone may do: it reads and writes files,
     * and runs programs. File capabilities, which set AT_SECURE as well, leave the ids as they are. */
    if (getauxval(AT_SECURE) && (getuid() != geteuid() || getgid() != getegid())) {
        log_error(STATUS_CANNOT_RUN,
                  "a set-user-ID or set-group-ID copy does not run: chmod ug-s it");
        return STATUS_CANNOT_RUN;
    }
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* a file over the limit: the write fails, with EFBIG */
    if (dispatch(argc, argv, &command, &err) == 0)
        return STATUS_OK;
    print_error(&err, command);
    if (err.signal_number) {
        /* It ends us, as it would have done, so that the shell sees it. */
        sigset_t set;
        sigemptyset(&set);
        sigaddset(&set, err.signal_number);
        signal(err.signal_number, SIG_DFL);
        raise(err.signal_number);
        sigprocmask(SIG_UNBLOCK, &set, NULL);
    }
    return err.status;
}
