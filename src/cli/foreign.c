/*
 * See foreign.h. Three tables say everything: the options, what follows one of ours, and the forms of operands. The first row that has the
 * command and the word counts, so that what one command says otherwise stands before what all of them say.
 */
#include "cli/foreign.h"

#include <fnmatch.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#define CLIENTS "connect http-get unix-send"
#define SERVERS "listen echo-server unix-serve"
#define SOCKETS "connect listen echo-server"
#define MESSAGES "unix-send unix-serve"
#define OTHERS "echo-server unix-send unix-serve resolve"
#define ALL "connect listen echo-server unix-send unix-serve http-get resolve"

#define NO_TLS_SETTING "--tls cannot set this; --via 'openssl s_client ...' can"
#define NO_HTTPS_SETTING "sockctl cannot set this for https; curl(1) can"
#define NO_TLS_SERVER "a server of sockctl has no TLS; put stunnel(8) or nginx in front of it"
#define TLS_CA "the option is --tls-ca FILE"
#define TLS_INSECURE "the option is --tls-insecure"
#define NO_BODIES "sockctl sends no request bodies; curl(1) does"
#define SHORT_DEFAULT "this is how sockctl is without -v: leave it out"
#define IN_PROXY_URL "name and password stand in the URL of -x, before the host and an '@'"
#define PROXY_TYPE "the kind of proxy is in its URL: -x socks5://HOST:PORT, socks4:// or http://"

static const struct foreign_word options[] = {
    /* nc(1), ncat(1): who opens, who serves */
    {"connect", "l listen", "nc ncat", "to listen, type 'sockctl listen PORT'"},
    {"connect", "k keep-open", "nc ncat", "to serve many clients, type 'sockctl listen -k PORT'"},
    {"echo-server unix-serve", "k keep-open l listen", "nc ncat", NULL},
    {"echo-server unix-serve", "p", "nc", "the address is an operand: sockctl COMMAND ADDRESS"},
    {"echo-server", "port", "iperf3", "the port is an operand: sockctl echo-server PORT"},
    {"unix-serve unix-send", "port", "iperf3",
     "the address is the PATH of a socket; ports are for 'sockctl listen' and 'connect'"},
    {"listen", "z probe", "nc ncat", "to probe ports, type 'sockctl connect -z HOST PORTS'"},
    {"listen", "x proxy", "nc ncat", "a proxy is for clients: sockctl connect -x URL HOST PORT"},
    {"listen", "wait", "ncat",
     "-w TIME limits the wait for the first client, -i TIME a silent connection"},
    {"listen", "r", "nc", "for a port that the kernel chooses, listen on port 0"},
    {"listen", "proxy-type proxy-auth", "ncat",
     "sockctl is no proxy server; 'ncat -l --proxy-type http' is one"},
    {"connect", "proxy-type", "ncat", PROXY_TYPE},
    {"connect listen", "X", "nc", PROXY_TYPE},
    {"connect", "P proxy-auth", "nc ncat", IN_PROXY_URL},
    {"connect", "proxy-dns", "ncat", "socks5:// and http:// proxies resolve the name themselves"},
    {SOCKETS, "I", "nc", "the size of the receive buffer is --rcvbuf SIZE"},
    {SOCKETS, "O", "nc", "the size of the send buffer is --sndbuf SIZE"},
    {SOCKETS, "T", "nc", "the type of service is --tos VALUE"},
    {SOCKETS, "M", "nc", "the time to live is --ttl N"},
    {"connect", "m", "nc", "sockctl has no minimum for the time to live of what arrives"},
    {SOCKETS, "D", "nc", "sockctl does not set SO_DEBUG; -vv shows each call"},
    {SOCKETS, "S", "nc", "sockctl has no TCP MD5 signatures"},
    {SOCKETS, "g G", "nc ncat", "sockctl has no source routing"},
    {SOCKETS, "sctp", "ncat", "sockctl has no SCTP; ncat(1) and socat(1) have"},
    {SOCKETS, "vsock", "ncat", "a VM socket is an address: vsock:CID:PORT"},
    {"connect", "ssl", "ncat", "the option is --tls"},
    {"connect", "ssl-trustfile cacert", "ncat curl", TLS_CA},
    {"connect", "insecure", "curl", TLS_INSECURE},
    {"connect", "ssl-verify", "ncat",
     "--tls checks the certificate, unless --tls-insecure is given"},
    {"connect", "K H Z ssl-ciphers ssl-servername ssl-alpn ssl-cert ssl-key", "nc ncat",
     NO_TLS_SETTING},
    {SERVERS, "K H Z", "nc", NO_TLS_SERVER},
    {SERVERS,
     "ssl tls ssl-cert ssl-key ssl-verify ssl-trustfile ssl-ciphers ssl-servername ssl-alpn",
     "ncat", NO_TLS_SERVER},
    {"http-get", "k insecure no-check-certificate", "curl wget", TLS_INSECURE},
    {"http-get", "cacert ca-certificate", "curl wget", TLS_CA},
    {"http-get", "ssl tls ssl-reqd", "curl ncat",
     "TLS is used for a URL that begins with https://"},
    {"http-get", "capath cert key ciphers tlsv1.2 tlsv1.3 https-only pinnedpubkey", "curl wget",
     NO_HTTPS_SETTING},
    {SOCKETS, "nodns", "ncat", "the option is -n, or --numeric"},
    {SOCKETS, "unixsock", "ncat",
     "the option is -U, or --unix; a word with a / is a path without it"},
    {"listen", "allowfile denyfile", "ncat", "a list in a file is --allow @FILE, or --deny @FILE"},
    {"connect listen", "append-output", "ncat", "the option is -a, or --append"},
    {"connect listen", "lua-exec", "ncat",
     "sockctl runs no Lua; -e PROGRAM runs any program, lua(1) too"},
    {"connect listen", "quiet", "ncat", NULL},
    {"connect listen", "dump", "ncat", "a hex dump is --hex-dump FILE"},
    {"connect", "file", "nc", "what arrives goes to a file with --output FILE"},
    {"connect", "max-conns", "ncat", "to limit clients, type 'sockctl listen -k -m N PORT'"},
    {"connect", "allow deny broker chat", "ncat", "this is for 'sockctl listen'"},
    {"echo-server", "e exec c sh-exec", "nc ncat",
     "a program for each client is 'sockctl listen -k -e PROGRAM PORT'"},
    {"echo-server", "loss", "tc", "the option is --drop PERCENT"},
    {"unix-send unix-serve", "u udp", "nc",
     "datagrams are for 'sockctl connect -u PATH' and 'sockctl listen -u PATH'"},
    {"unix-send unix-serve", "U unix unixsock", "nc ncat", NULL},
    {"unix-send", "N shutdown", "nc", NULL},
    {"unix-send", "q quit-after", "nc", "unix-send ends once all messages are delivered"},

    /* wait-for-it */
    {"connect", "host port", "wait-for-it",
     "the address is an operand: sockctl connect -z --wait TIME HOST:PORT"},
    {"connect", "strict", "wait-for-it",
     "'sockctl connect -z --wait TIME HOST:PORT -- PROGRAM' is always strict"},
    {"connect", "Q quiet", "wait-for-it", NULL},

    /* What other commands of sockctl have */
    {"connect echo-server", "to", "listen", "to forward, type 'sockctl listen PORT --to ADDRESS'"},
    {"listen", "send expect", "connect", "this is for 'sockctl connect'"},
    {"unix-serve", "allow deny", "listen",
     "who may connect is said by user: --allow-uid LIST, or by --mode OCTAL"},
    {"unix-serve", "print", "echo-server", "unix-serve prints every message"},

    /* socat(1) */
    {SOCKETS, "fork", "socat", "many clients are served with 'sockctl listen -k'"},
    {SOCKETS, "reuseaddr", "socat", "sockctl sets SO_REUSEADDR by itself"},

    /* curl(1), wget(1) */
    {"http-get", "url", "curl", "the URL is an operand"},
    {"http-get", "S show-error", "curl", NULL},
    {"http-get", "N no-buffer", "curl", NULL},
    {"http-get", "g globoff", "curl", NULL},
    {"http-get", "no-progress-meter no-verbose", "curl wget", NULL},
    {"http-get", "fail-with-body", "curl", NULL},
    {"http-get", "-nv", "wget", "nothing is said of what goes well: leave it out, or type -s"},
    {"http-get", "-nc", "wget",
     "sockctl replaces FILE; look first: [ -e FILE ] || sockctl http-get -o FILE URL"},
    {"http-get", "-np -nd -nH -nh", "wget", "sockctl fetches no trees of pages; wget(1) does"},
    {"http-get", "-O- -qO- -nvO-", "wget", "the body goes to standard output without -O"},
    {"http-get", "T", "curl wget",
     "sockctl sends no request bodies; wget's -T TIME is --connect-timeout and --idle-timeout"},
    {"http-get",
     "d data data-raw data-binary data-ascii data-urlencode json F form form-string url-query "
     "upload-file post-data post-file body-data body-file method",
     "curl wget", NO_BODIES},
    {"http-get", "X request", "curl",
     "sockctl sends GET, or HEAD with -I; curl(1) sends any method"},
    {"http-get", "G get", "curl", "sockctl always sends GET: put the query into the URL"},
    {"http-get", "w write-out", "curl",
     "status and times are printed by --timing=json, on standard error; wget's is a sleep(1) "
     "between two commands"},
    {"http-get", "D dump-header", "curl",
     "the head is printed by -i, with the body, or by -I, alone"},
    {"http-get", "J remote-header-name content-disposition", "curl wget",
     "sockctl does not take names from servers; name the file with -o FILE"},
    {"http-get", "P output-dir directory-prefix", "curl wget",
     "change the directory first, or give -o DIR/FILE"},
    {"http-get", "create-dirs", "curl", "make the directory first: mkdir -p DIR"},
    {"http-get", "Z parallel", "curl",
     "URLs are fetched one after the other; run several commands, with xargs -P say"},
    {"http-get", "compressed compression", "curl wget",
     "sockctl asks for no compression; pipe what is compressed into gzip -dc"},
    {"http-get", "q quiet", "wget", "the option is -s, or --silent"},
    {"http-get", "c", "curl wget",
     "wget's -c is -C, or --continue; curl's keeps cookies, which sockctl does not"},
    {"http-get", "continue-at", "curl", "the option is -C, or --continue"},
    {"http-get", "R remote-time", "curl",
     "sockctl sets no times on files; the server's is in the head: -i, or -I"},
    {"http-get", "p proxytunnel", "curl",
     "for https a proxy is always asked to connect; for http, never by an http:// proxy"},
    {"http-get", "spider", "wget", "to see whether it is there, type 'sockctl http-get -I URL'"},
    {"http-get", "server-response", "wget", "the head is printed by -i"},
    {"http-get", "t tries", "wget", "the option is --retry N"},
    {"http-get", "read-timeout timeout", "wget",
     "the options are --connect-timeout, --idle-timeout and -m TIME"},
    {"http-get", "rate", "curl wget", "the option is --limit-rate SIZE"},
    {"http-get", "retry-delay retry-max-time retry-all-errors retry-connrefused waitretry",
     "curl wget", "--retry N waits longer each time, or as long as the server says"},
    {"http-get", "recursive mirror page-requisites", "wget",
     "sockctl fetches no trees of pages; wget(1) does"},
    {"http-get", "K config", "curl", "sockctl reads no files of options"},
    {"http-get", "cookie-jar j junk-session-cookies load-cookies save-cookies", "curl wget",
     "sockctl keeps no cookies; -b NAME=VALUE sends one"},
    {"http-get", "a append", "curl", "append it with the shell: >> FILE"},
    {"http-get", "n netrc netrc-file", "curl",
     "sockctl reads no netrc; -u @FILE takes NAME:PASS from a file"},
    {"http-get", "anyauth basic digest ntlm negotiate oauth2-bearer auth-no-challenge", "curl",
     "-u NAME:PASS sends Basic; for another kind give the field: -H 'Authorization: ...'"},
    {"http-get", "proxy-user proxy-password", "curl wget", IN_PROXY_URL},
    {"http-get", "socks4 socks4a socks5 socks5-hostname preproxy", "curl",
     "the kind of proxy is in its URL: -x socks5://HOST:PORT"},
    {"http-get", "noproxy no-proxy", "curl wget",
     "the variable NO_PROXY says what goes without a proxy"},
    {"http-get", "http1.1 http2 http3 http2-prior-knowledge", "curl",
     "sockctl speaks HTTP/1.1, or 1.0 with --http1.0"},
    {"http-get", "interface bind-address", "curl wget",
     "http-get leaves the local address to the kernel"},
    {"http-get", "password http-user http-password", "wget", "the option is -u NAME:PASS"},
    {"http-get", "connect-to", "curl",
     "the address of a host is given with --resolve HOST:PORT:ADDR"},
    {"http-get", "dns-servers doh-url", "curl",
     "sockctl asks the system's resolver; --resolve HOST:PORT:ADDR gives an address"},
    {"http-get", "trace trace-ascii debug", "curl wget", "-v shows both heads, -vv each call"},
    {"http-get", "remote-name-all", "curl", "-O is for all URLs"},
    {"http-get", "z time-cond", "curl", "give the field: -H 'If-Modified-Since: DATE'"},
    {"http-get", "l list-only Q quote ftp-pasv", "curl", "sockctl has no FTP"},
    {"http-get", "max-filesize", "curl",
     "sockctl has no limit for the size; head -c N ends it, too"},
    {"http-get", "progress-bar", "curl", "the option is -#, or --progress"},
    {"http-get", "B use-ascii", "curl", "sockctl changes no bytes"},
    {"http-get", "max-redirect", "wget", "the option is --max-redirs N, with -L"},
    {"http-get", "output-document", "wget", "the option is -o FILE"},
    {"http-get", "path-as-is", "curl", "sockctl resolves . and .. in a path, as RFC 3986 says"},

    /* dig(1), host(1), getent(1) */
    {"resolve", "a", "host", "name each type: -t A -t AAAA -t MX ..."},
    {"resolve", "p", "dig", "the port is the server's: --server ADDR:PORT"},
    {"resolve", "-query -querytype", "nslookup", "the option is -t TYPE"},
    {"resolve", "q", "dig", "the name is an operand"},
    {"resolve", "c class", "dig", "sockctl asks for class IN alone"},
    {"resolve", "f", "dig", "names are read from standard input: sockctl resolve - < FILE"},
    {"resolve", "b", "dig", "sockctl leaves the local address to the kernel"},
    {"resolve", "k y", "dig", "sockctl has no TSIG"},
    {"resolve", "T", "host", "the option is --tcp"},
    {"resolve", "W R N", "host", "the limit is -w TIME for all tries"},
    {"resolve", "C l", "host", "sockctl asks for no zones: dig AXFR NAME @SERVER"},
    {"resolve", "i m r d", "dig host", "sockctl has nothing of the kind"},
    {"resolve", "all any", "nslookup", "name each type: -t A -t AAAA -t MX ..."},
    {"resolve", "trace", "dig",
     "sockctl asks the servers that it is given; dig +trace NAME follows delegations"},
    {"resolve", "dns nameserver", "doggo", "the option is --server ADDR"},

    /* All of them */
    {"connect listen " OTHERS, "silent", "curl", SHORT_DEFAULT},
    {OTHERS, "quiet", "curl wget ncat", SHORT_DEFAULT},
    {ALL, "color colour", "ls", "sockctl uses colour on a terminal; NO_COLOR turns it off"},
    {"connect listen " OTHERS, "debug", "curl wget", "-v tells what happens, -vv each call"},
    {ALL, "verbosity", "socat", "-v tells what happens, -vv each call"},
};

static const struct foreign_value values[] = {
    {"connect", "help", "*", "-h HOST", "wait-for-it",
     "the address is an operand: sockctl connect -z --wait TIME HOST:PORT"},
    {"connect", "quit-after", "*:*", "-q HOST:PORT", "wait-for-it",
     "-q takes a TIME; wait-for-it's is how sockctl is without -v: leave it out"},
    {"connect", "source", "-*", "-s -t TIME", "wait-for-it",
     "-s takes an ADDR; wait-for-it's is how sockctl is: leave it out"},
    {"connect listen", "recv-only", "-d", "-d -d", "socat",
     "given twice; socat's -d -d is -v here: what happens; -vv: each call"},
    {"http-get", "remote-name", "-", "-O -", "wget", "the body goes to standard output without -O"},
    {"http-get", "range", "[A-Za-z]*[./]*", "-r http://HOST/", "wget",
     "-r takes a RANGE; sockctl fetches no trees of pages, wget(1) does"},
    {"resolve", "type", "ype=*", "-type=TYPE", "nslookup", "the option is -t TYPE"},
    {"resolve", "type", "=*", "-t=TYPE", "dig", "the option is -t TYPE, or --type=TYPE"},
};

/* The forms of operands. */
static const struct foreign_word operands[] = {
    {"connect", "TCP-LISTEN: TCP4-LISTEN: TCP6-LISTEN: TCP-L:", "socat",
     "to listen, type 'sockctl listen PORT'"},
    {"listen echo-server", "TCP-LISTEN: TCP4-LISTEN: TCP6-LISTEN: TCP-L:", "socat",
     "type the port alone: sockctl listen PORT"},
    {"connect",
     "UDP-LISTEN: UDP4-LISTEN: UDP6-LISTEN: UDP-RECV: UDP4-RECV: UDP6-RECV: UDP-RECVFROM: "
     "UDP4-RECVFROM:",
     "socat", "to receive datagrams, type 'sockctl listen -u PORT'"},
    {"listen echo-server",
     "UDP-LISTEN: UDP4-LISTEN: UDP6-LISTEN: UDP-RECV: UDP4-RECV: UDP6-RECV: UDP-RECVFROM: "
     "UDP4-RECVFROM:",
     "socat", "type 'sockctl listen -u PORT', with -k for many senders"},
    {SOCKETS, "TCP-CONNECT: TCP4-CONNECT: TCP6-CONNECT:", "socat",
     "type 'sockctl connect HOST PORT'"},
    {SOCKETS,
     "UDP-CONNECT: UDP-SENDTO: UDP-DATAGRAM: UDP4-CONNECT: UDP4-SENDTO: UDP4-DATAGRAM: "
     "UDP6-SENDTO: "
     "UDP6-DATAGRAM:",
     "socat", "type 'sockctl connect -u HOST PORT', with -b to broadcast"},
    {SOCKETS, "UNIX-CONNECT: UNIX-CLIENT: GOPEN:", "socat", "type 'sockctl connect unix:PATH'"},
    {SOCKETS, "UNIX-LISTEN: UNIX-L:", "socat", "type 'sockctl listen unix:PATH'"},
    {SOCKETS, "UNIX-SENDTO: UNIX-RECV: UNIX-RECVFROM:", "socat",
     "a UNIX datagram socket is unix-dgram:PATH"},
    {SOCKETS, "ABSTRACT: ABSTRACT-CONNECT: ABSTRACT-LISTEN: ABSTRACT-CLIENT:", "socat",
     "a name in the abstract namespace is unix:@NAME"},
    {SOCKETS, "VSOCK-CONNECT: VSOCK-LISTEN:", "socat", "a VM socket is vsock:CID:PORT"},
    {SOCKETS,
     "IP-SENDTO: IP4-SENDTO: IP6-SENDTO: IP-DATAGRAM: IP4-DATAGRAM: IP6-DATAGRAM: IP-RECV: "
     "IP4-RECV: IP6-RECV: IP-RECVFROM: IP4-RECVFROM: IP6-RECVFROM:",
     "socat", "a raw socket is raw:PROTO:HOST, or to listen raw:PROTO"},
    {SOCKETS, "OPENSSL: SSL: OPENSSL-CONNECT:", "socat",
     "--tls is the option: sockctl connect --tls HOST PORT"},
    {SOCKETS, "OPENSSL-LISTEN: SSL-L:", "socat", NO_TLS_SERVER},
    {SOCKETS, "SOCKS4: SOCKS4A: SOCKS5: SOCKS5-CONNECT: PROXY: PROXY-CONNECT:", "socat",
     "a proxy is given with -x socks5://HOST:PORT, socks4:// or http://"},
    {SOCKETS, "EXEC: SYSTEM: SHELL:", "socat",
     "a program is run with -e PROGRAM, or -c COMMAND for the shell"},
    {SOCKETS, "=STDIO =- =STDIN =STDOUT", "socat",
     "standard input and output are always the other end: leave it out"},
    {SOCKETS, "FILE: OPEN: CREATE: PIPE: =PIPE =PTY PTY, PTY:", "socat",
     "the other end is standard input and output: redirect them"},
    {SOCKETS, "SCTP: SCTP-CONNECT: SCTP-LISTEN: SCTP4: SCTP6:", "socat",
     "sockctl has no SCTP; socat(1) has"},
    {SOCKETS, "TUN: INTERFACE: =READLINE READLINE,", "socat",
     "sockctl has nothing of the kind; socat(1) has"},
    {"connect", "/dev/tcp/ /dev/udp/", "bash", "type 'sockctl connect HOST PORT', with -u for UDP"},
    {"http-get", "=-", "curl", NULL}, /* -C - */
    {"resolve", "http:// https://", "curl", "that is a URL: type the name of its host alone"},
    {"resolve", "@", "dig", "a server is given with --server ADDR"},
    {"resolve", "+short", "dig", "the option is -s, or --short"},
    {"resolve", "+trace", "dig", "sockctl follows no delegations; 'dig +trace NAME' does"},
    {"resolve", "+tcp", "dig", "the option is --tcp"},
    {"resolve", "+time= +timeout= +tries= +retry=", "dig", "the limit is -w TIME, for all tries"},
    {"resolve", "+", "dig", "sockctl has no such option; --help shows its own"},
    {"resolve",
     "=A =AAAA =CNAME =MX =NS =PTR =SOA =SRV =TXT =CAA =DS =DNSKEY =HTTPS =SVCB =NAPTR =TLSA "
     "=SSHFP =ANY =AXFR",
     "dig host", "a type is given with -t TYPE"},
};

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

const struct foreign_value *foreign_value(const char *command, const char *option,
                                          const char *value)
{
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        if (strcmp(values[i].option, option) == 0 &&
            has_word(values[i].commands, command, strlen(command)) &&
            fnmatch(values[i].pattern, value, 0) == 0)
            return &values[i];
    return NULL;
}

const struct foreign_word *foreign_option(const char *command, const char *name, size_t length)
{
    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        if (has_word(options[i].commands, command, strlen(command)) &&
            has_word(options[i].words, name, length))
            return &options[i];
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
    for (const char *at = words; *at; at += strspn(at, " ")) {
        const size_t whole = *at == '=', here = strcspn(at + whole, " ");
        if (whole ? !alone && strlen(operand) == here && strncmp(operand, at + 1, here) == 0
                  : (*at | 0x20) == first && strncasecmp(operand, at, here) == 0 &&
                        (memchr(at, '-', here) || !is_host_and_port(operand, here)))
            return true;
        at += whole + here;
    }
    return false;
}

const struct foreign_word *foreign_operand(const char *command, const char *operand, bool alone)
{
    for (size_t i = 0; i < sizeof operands / sizeof *operands; i++)
        if (has_word(operands[i].commands, command, strlen(command)) &&
            begins_with_one_of(operand, alone, operands[i].words))
            return &operands[i];
    return NULL;
}

/* The rows of each group of commands together, in the order in which the groups first come. */
static void write_rows(FILE *out, const struct foreign_word *rows, size_t count, const char *kind)
{
    for (size_t first = 0; first < count; first++) {
        size_t before = 0;
        while (strcmp(rows[before].commands, rows[first].commands) != 0)
            before++;
        for (size_t i = first; before == first && i < count; i++)
            if (strcmp(rows[i].commands, rows[first].commands) == 0)
                fprintf(out, "%s\t%s\t%s\t%s\t%s\n", rows[i].commands, rows[i].words,
                        rows[i].programs, rows[i].answer ? rows[i].answer : "", kind);
    }
}

void foreign_table(FILE *out)
{
    write_rows(out, options, sizeof options / sizeof *options, "option");
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        fprintf(out, "%s\t%s\t%s\t%s\tline\n", values[i].commands, values[i].typed,
                values[i].programs, values[i].answer);
    write_rows(out, operands, sizeof operands / sizeof *operands, "operand");
}
