/*
 * See modes.h. What is said of an option that is not for the mode is the shortest that is true: what it is for, where
 * that has a name, or else with what it makes no sense.
 */
#include "cmd/common/modes.h"

#include <stddef.h>

unsigned modes_of_socket(int family, int socktype)
{
    const bool inet = family == AF_INET || family == AF_INET6;
    if (socktype == SOCK_RAW)
        return MODE_RAW;
    if (socktype == SOCK_DGRAM)
        return inet ? MODE_UDP : MODE_UNIX_DGRAM;
    if (socktype == SOCK_SEQPACKET)
        return MODE_SEQPACKET;
    return inet ? MODE_TCP : family == AF_VSOCK ? MODE_VSOCK : MODE_UNIX_STREAM;
}

unsigned modes_of_address(const struct address *address)
{
    switch (address->kind) {
    case ADDRESS_INET:
        return modes_of_socket(AF_INET, address->socktype);
    case ADDRESS_UNIX:
        return modes_of_socket(AF_UNIX, address->socktype);
    case ADDRESS_VSOCK:
        return modes_of_socket(AF_VSOCK, address->socktype);
    case ADDRESS_RAW:
        return address->socktype == SOCK_RAW ? MODE_RAW : MODE_PING;
    case ADDRESS_FD:
    case ADDRESS_SYSTEMD:
        break;
    }
    return 0;
}

struct mode_words {
    unsigned modes;
    char words[72];
};

/* What an option is for whose row has no more modes than these: the first that fits. */
static const struct mode_words is_for[] = {
    {MODE_PROBE, " is for --probe"},
    {MODE_FORWARD, " is for --to"},
    {MODE_PROGRAM | MODE_PROGRAMS, " is for a program: --exec, --sh-exec"},
    {MODE_SHARED | MODE_BROKER, " is for --keep-open, --broker and --chat"},
    {MODE_MANY, " is for many clients: --keep-open, --to"},
    {MODE_TCP, " is for TCP"},
    {MODE_RAW, " is for raw sockets"},
    {MODE_UDP | MODE_IP, " is for UDP"},
    {MODE_INET, " is for TCP and UDP"},
    {MODE_UNIX, " is for UNIX sockets"},
    {MODE_MESSAGES, " is for datagrams"},
    {MODE_STREAMS, " is for streams"},
    {MODE_STREAMS | MODE_SEQPACKET, " is for connections"},
};

/* With what an option makes no sense that is for many other modes. */
static const struct mode_words not_with[] = {
    {MODE_SHARED, " is for one client: not with --keep-open"},
    {MODE_BROKER, ": clients speak with each other: not with --broker or --chat"},
    {MODE_PROGRAM | MODE_PROGRAMS, " makes no sense with a program"},
    {MODE_SCRIPT, " makes no sense with --send and --expect"},
    {MODE_FORWARD, ": with --to, nothing goes to stdout or comes from stdin"},
    {MODE_PROBE, " makes no sense with --probe"},
    {MODE_PASS, " makes no sense with --pass-fd"},
    {MODE_IP, " is not for raw sockets"},
    {MODE_KINDS, " is not for this kind of socket"},
    {MODE_INETD, " makes no sense with --inetd: the program has the socket"},
    {MODE_VIA, ": with --via, COMMAND makes the connection"},
    {MODE_TLS, ": with --tls, openssl(1) makes the connection"},
};

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* Modes that exclude each other; a run has one of each, or none. */
static const unsigned axes[] = {MODE_WAYS, MODE_KINDS, MODE_INETD, MODE_VIA | MODE_TLS};

/* Says why an option with these modes is not for the one of the axis that was asked for. */
static const char *mode_complaint(unsigned modes, unsigned axis, unsigned asked)
{
    const unsigned allowed = modes & axis;
    for (size_t i = 0; allowed && i < COUNT(is_for); i++)
        if ((allowed & ~is_for[i].modes) == 0)
            return is_for[i].words;
    for (size_t i = 0; i < COUNT(not_with); i++)
        if (asked & axis & not_with[i].modes)
            return not_with[i].words;
    return " is for another mode";
}

int modes_check(const struct command *command, const void *options, unsigned modes,
                struct error *err)
{
    for (const struct opt *row = command->options; row->name; row++)
        for (size_t i = 0; row->type && i < COUNT(axes); i++)
            if (modes & axes[i] && !(row->modes & modes & axes[i]) &&
                opt_is_given(command, row, options))
                return error_set(err, STATUS_USAGE, "option --%s%s", row->name,
                                 mode_complaint(row->modes, axes[i], modes));
    return 0;
}

int modes_check_raw(struct address *address, const struct sockopt *given, struct error *err)
{
    if (!given->ip_header)
        return 0;
    if (address->family == AF_INET6)
        return error_set(err, STATUS_USAGE,
                         "option --ip-header is for IPv4: of IPv6, the system gives packets "
                         "without their header");
    if (given->ttl >= 0 || given->tos >= 0)
        return error_set(err, STATUS_USAGE, "options --ip-header and --%s exclude each other",
                         given->ttl >= 0 ? "ttl" : "tos");
    address->family = AF_INET;
    return 0;
}

int modes_check_transfer(const struct transfer_options *given, struct error *err)
{
    const bool no_input = given->recv_only;
    const struct {
        bool one, other;
        const char *why;
    } conflicts[] = {
        {given->send_only, given->separator.bytes,
         "option --separator: with --send-only, what arrives is thrown away"},
        {given->recv_only, given->send_only,
         "options --recv-only and --send-only exclude each other"},
        {given->until_stdin_ends, given->exit_on_eof,
         "options --until-stdin-ends and --exit-on-eof exclude each other"},
        {given->shutdown, given->no_shutdown,
         "options --shutdown and --no-shutdown exclude each other"},
        {given->until_stdin_ends, no_input,
         "option --until-stdin-ends: with --recv-only, stdin is not read"},
        {given->crlf, no_input, "option --crlf: with --recv-only, stdin is not read"},
        {given->lines, no_input, "option --lines: with --recv-only, stdin is not read"},
        {given->delay_ms, no_input, "option --delay: with --recv-only, stdin is not read"},
        {given->append, !given->output && !given->hex_dump,
         "option --append is for --output and --hex-dump"},
        {given->hex_dump_drop, !given->hex_dump, "option --hex-dump-drop is for --hex-dump"},
    };
    for (size_t i = 0; i < COUNT(conflicts); i++)
        if (conflicts[i].one && conflicts[i].other)
            return error_set(err, STATUS_USAGE, "%s", conflicts[i].why);
    return 0;
}

void modes_table(FILE *out, const struct command *const *commands)
{
    static const struct mode_words words[] = {
        {MODE_STDIO, "stdio"},       {MODE_SHARED, "shared"},
        {MODE_BROKER, "broker"},     {MODE_PROGRAM, "program"},
        {MODE_PROGRAMS, "programs"}, {MODE_SCRIPT, "script"},
        {MODE_FORWARD, "forward"},   {MODE_PROBE, "probe"},
        {MODE_PASS, "pass"},         {MODE_TCP, "tcp"},
        {MODE_UDP, "udp"},           {MODE_UNIX_STREAM, "unix"},
        {MODE_VSOCK, "vsock"},       {MODE_SEQPACKET, "seqpacket"},
        {MODE_UNIX_DGRAM, "dgram"},  {MODE_RAW, "raw"},
        {MODE_PING, "ping"},         {MODE_INETD, "inetd"},
        {MODE_VIA, "via"},           {MODE_TLS, "tls"},
    };
    for (; *commands; commands++)
        for (const struct opt *row = (*commands)->options; row->name; row++) {
            if (!row->type)
                continue; /* a heading */
            fprintf(out, "%s\t%s\t", (*commands)->name, row->name);
            for (size_t i = 0; i < COUNT(words); i++)
                if (row->modes & words[i].modes)
                    fprintf(out, "%s ", words[i].words);
            fputc('\n', out);
        }
}
