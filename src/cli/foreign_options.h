/*
 * The options of other programs, for foreign.c, which has the names of what several rows say. A row:
 *
 *     ROW(commands, words, programs, answer)
 *
 * commands  where the words mean this, with spaces between them; the first row that has the command and the word counts
 * words     "X proxy-type -nv" stands for -X, --proxy-type and the one word -nv
 * programs  whose words they are, as sockctl-migrate(7) shows it
 * answer    what to type instead, or why there is nothing of the kind, as the end of a sentence after a colon; empty:
 *           the word asks for what happens anyway, and is taken without a message
 */

/* nc(1), ncat(1): who opens, who serves */
ROW("connect", "l listen", "nc ncat", "to listen, type 'sockctl listen PORT'")
ROW("connect", "k keep-open", "nc ncat", "to serve many clients, type 'sockctl listen -k PORT'")
ROW("echo-server unix-serve", "k keep-open l listen", "nc ncat", "")
ROW("echo-server unix-serve", "p", "nc", "the address is an operand: sockctl COMMAND ADDRESS")
ROW("echo-server", "port", "iperf3", "the port is an operand: sockctl echo-server PORT")
ROW("unix-serve unix-send", "port", "iperf3",
    "the address is the PATH of a socket; ports are for 'sockctl listen' and 'connect'")
ROW("listen", "z probe", "nc ncat", "to probe ports, type 'sockctl connect -z HOST PORTS'")
ROW("listen", "x proxy", "nc ncat",
    "a proxy is for clients: sockctl connect -x URL HOST PORT; to forward through it: "
    "listen -k -c 'sockctl connect -x URL HOST PORT' PORT")
ROW("listen", "wait", "ncat",
    "-w TIME limits the wait for the first client, -i TIME a silent connection")
ROW("listen", "r", "nc", "for a port that the kernel chooses, listen on port 0")
ROW("listen", "proxy-type proxy-auth", "ncat",
    "sockctl is no proxy server; 'ncat -l --proxy-type http' is one")
ROW("connect", "proxy-type", "ncat", PROXY_TYPE)
ROW("connect listen", "X", "nc", PROXY_TYPE)
ROW("connect", "P proxy-auth", "nc ncat", IN_PROXY_URL)
ROW("connect", "proxy-dns", "ncat", "socks5:// and http:// proxies resolve the name themselves")
ROW(SOCKETS, "I", "nc", "the size of the receive buffer is --rcvbuf SIZE")
ROW(SOCKETS, "O", "nc", "the size of the send buffer is --sndbuf SIZE")
ROW(SOCKETS, "T", "nc", "the type of service is --tos VALUE")
ROW(SOCKETS, "M", "nc", "the time to live is --ttl N")
ROW("connect", "m", "nc", "sockctl has no minimum for the time to live of what arrives")
ROW(SOCKETS, "D", "nc", "sockctl does not set SO_DEBUG; -vv shows each call")
ROW(SOCKETS, "S", "nc", "sockctl has no TCP MD5 signatures")
ROW(SOCKETS, "g", "nc ncat", "sockctl has no source routing")
ROW(SOCKETS, "G", "nc", "sockctl has no source routing; the -G TIME of macOS is -w TIME")
ROW("connect", "8 E", "telnet", "")
ROW("connect", "L", "ssh", "to forward, type 'sockctl listen PORT --to HOST:PORT'")
ROW("connect", "count interval", "tcping",
    "one try; in a shell: while sleep 1; do sockctl connect -zv HOST PORT; done")
ROW("connect", "starttls", "openssl",
    "--tls starts TLS at once; the command of --via can do it: --via 'openssl s_client -quiet "
    "-starttls PROTO -connect %h:%p'")
ROW(SOCKETS, "pty", "socat", "script(1) makes a terminal: -c 'script -qfc \"sh -i\" /dev/null'")
ROW(SOCKETS, "tcp", "iperf3", "TCP is the default; an address can say it: tcp:HOST:PORT")
ROW(SOCKETS, "tcp-nodelay nodelay", "socat", "the option is --no-delay")
ROW(SOCKETS, "sctp", "ncat", "sockctl has no SCTP; ncat(1) and socat(1) have")
ROW(SOCKETS, "vsock", "ncat", "a VM socket is an address: vsock:CID:PORT")
ROW("connect", "ssl", "ncat", "the option is --tls")
ROW("connect", "ssl-trustfile cacert", "ncat curl", TLS_CA)
ROW("connect", "insecure", "curl", TLS_INSECURE)
ROW("connect", "ssl-verify", "ncat", "--tls checks the certificate, unless --tls-insecure is given")
ROW("connect", "K H Z ssl-ciphers ssl-servername ssl-alpn ssl-cert ssl-key cert key sni servername",
    "nc ncat curl", NO_TLS_SETTING)
ROW(SERVERS, "K H Z", "nc", NO_TLS_SERVER)
ROW(SERVERS, "ssl ssl-cert ssl-key ssl-verify ssl-trustfile ssl-ciphers ssl-servername ssl-alpn",
    "ncat", NO_TLS_SERVER)
ROW("echo-server unix-serve", "tls", "ncat", NO_TLS_SERVER)
ROW("http-get", "k insecure no-check-certificate", "curl wget", TLS_INSECURE)
ROW("http-get", "cacert ca-certificate", "curl wget", TLS_CA)
ROW("http-get", "ssl tls ssl-reqd", "curl ncat", "TLS is used for a URL that begins with https://")
ROW("http-get", "E capath cert key ciphers tlsv1.2 tlsv1.3 https-only pinnedpubkey", "curl wget",
    NO_HTTPS_SETTING)
ROW(SOCKETS, "nodns no-dns", "ncat", "the option is -n, or --numeric")
ROW(SOCKETS, "unixsock", "ncat",
    "the option is -U, or --unix; a word with a / is a path without it")
ROW("listen", "allowfile denyfile", "ncat", "a list in a file is --allow @FILE, or --deny @FILE")
ROW("connect listen", "append-output", "ncat", "the option is -a, or --append")
ROW("connect listen", "lua-exec", "ncat",
    "sockctl runs no Lua; -e PROGRAM runs any program, lua(1) too")
ROW("connect listen", "quiet", "ncat", "")
ROW("connect listen", "dump", "ncat", "a hex dump is --hex-dump FILE")
ROW("connect", "file", "nc", "what arrives goes to a file with --output FILE")
ROW("connect", "max-conns", "ncat", "to limit clients, type 'sockctl listen -k -m N PORT'")
ROW("connect", "allow deny broker chat", "ncat", "this is for 'sockctl listen'")
ROW("echo-server", "e exec c sh-exec", "nc ncat",
    "a program for each client is 'sockctl listen -k -e PROGRAM PORT'")
ROW("echo-server", "loss", "tc", "the option is --drop PERCENT")
ROW("echo-server", "latency", "tc", "the option is --delay TIME")
ROW("unix-send", "m message", "logger", "a message is an operand: sockctl unix-send PATH MESSAGE")
ROW("unix-send unix-serve", "u udp", "nc",
    "datagrams are for 'sockctl connect -u PATH' and 'sockctl listen -u PATH'")
ROW("unix-send unix-serve", "U unix unixsock", "nc ncat", "")
ROW("unix-send", "N shutdown", "nc", "")
ROW("unix-send", "q quit-after", "nc", "unix-send ends once all messages are delivered")

/* wait-for-it */
ROW("connect", "host port", "wait-for-it",
    "the address is an operand: sockctl connect -z --wait TIME HOST:PORT")
ROW("connect", "strict", "wait-for-it",
    "'sockctl connect -z --wait TIME HOST:PORT -- PROGRAM' is always strict")
ROW("connect", "Q quiet", "wait-for-it", "")

/* What other commands of sockctl have */
ROW("connect echo-server", "to", "listen", "to forward, type 'sockctl listen PORT --to ADDRESS'")
ROW("listen", "send expect", "connect", "this is for 'sockctl connect'")
ROW("unix-serve", "allow deny", "listen",
    "who may connect is said by user: --allow-uid LIST, or by --mode OCTAL")
ROW("unix-serve unix-send", "j json", "connect", "what happens is told as JSON by --log json")
ROW("unix-serve", "print", "echo-server", "unix-serve prints every message")
ROW("resolve", "wait", "connect", "the limit for each name is -w TIME")

/* socat(1) */
ROW(SOCKETS, "fork", "socat", "many clients are served with 'sockctl listen -k'")
ROW("listen", "L forward", "ssh", "to forward, type 'sockctl listen PORT --to HOST:PORT'")
ROW("listen", "once", "ncat", "without -k there is one client: leave it out")
ROW(SERVERS, "daemon background", "stunnel",
    "a service manager, or the shell's &, runs it in the background")
ROW(SOCKETS, "reuseaddr", "socat", "sockctl sets SO_REUSEADDR by itself")
ROW(SOCKETS,
    "ip-add-membership add-membership ip-membership ipv6-join-group ip-add-source-membership "
    "source-membership ipv6-join-source-group",
    "socat", "the option is --join [SOURCE@]GROUP[%INTERFACE]")
ROW(SOCKETS, "ip-multicast-if multicast-if", "socat", "the option is --interface NAME")
ROW(SOCKETS, "ip-multicast-ttl multicast-ttl", "socat", "the option is --ttl N")
ROW(SOCKETS, "ip-multicast-loop multicast-loop", "socat", "the option is --no-loopback")

/* curl(1), wget(1) */
ROW("http-get", "url", "curl", "the URL is an operand")
ROW("http-get", "S show-error", "curl", "")
ROW("http-get", "N no-buffer", "curl", "")
ROW("http-get", "g globoff", "curl", "")
ROW("http-get", "no-progress-meter no-verbose", "curl wget", "")
ROW("http-get", "fail-with-body", "curl", "")
ROW("http-get", "-nv", "wget", "nothing is said of what goes well: leave it out, or type -s")
ROW("http-get", "-nc", "wget",
    "sockctl replaces FILE; look first: [ -e FILE ] || sockctl http-get -o FILE URL")
ROW("http-get", "-np -nd -nH -nh", "wget", "sockctl fetches no trees of pages; wget(1) does")
ROW("http-get", "-C-", "curl", "")
ROW("http-get", "-O- -qO- -nvO-", "wget", "the body goes to standard output without -O")
ROW("http-get", "T", "curl wget",
    "sockctl sends no request bodies; wget's -T TIME is --connect-timeout and --idle-timeout")
ROW("http-get",
    "d data data-raw data-binary data-ascii data-urlencode json F form form-string url-query "
    "upload-file post-data post-file body-data body-file method",
    "curl wget", NO_BODIES)
ROW("http-get", "X request", "curl", "sockctl sends GET, or HEAD with -I; curl(1) sends any method")
ROW("http-get", "G get", "curl", "sockctl always sends GET: put the query into the URL")
ROW("http-get", "w write-out", "curl",
    "status and times are printed by --timing=json, on standard error; wget's is a sleep(1) "
    "between two commands")
ROW("http-get", "D dump-header", "curl",
    "the head is printed by -i, with the body, or by -I, alone")
ROW("http-get", "J remote-header-name content-disposition", "curl wget",
    "sockctl does not take names from servers; name the file with -o FILE")
ROW("http-get", "P output-dir directory-prefix", "curl wget",
    "change the directory first, or give -o DIR/FILE")
ROW("http-get", "create-dirs", "curl", "make the directory first: mkdir -p DIR")
ROW("http-get", "Z parallel", "curl",
    "URLs are fetched one after the other; run several commands, with xargs -P say")
ROW("http-get", "compressed compression", "curl wget",
    "sockctl asks for no compression; -H 'Accept-Encoding: gzip' does: pipe the body into gunzip")
ROW("http-get", "q quiet", "wget", "the option is -s, or --silent")
ROW("http-get", "c", "curl wget",
    "wget's -c is -C, or --continue; curl's keeps cookies, which sockctl does not")
ROW("http-get", "continue-at", "curl", "the option is -C, or --continue")
ROW("http-get", "R remote-time", "curl",
    "sockctl sets no times on files; the server's is in the head: -i, or -I")
ROW("http-get", "p proxytunnel", "curl",
    "for https a proxy is always asked to connect; for http, never by an http:// proxy")
ROW("http-get", "spider", "wget", "to see whether it is there, type 'sockctl http-get -I URL'")
ROW("http-get", "server-response", "wget", "the head is printed by -i")
ROW("http-get", "t tries", "wget", "the option is --retry N")
ROW("http-get", "read-timeout timeout", "wget",
    "the options are --connect-timeout, --idle-timeout and -m TIME")
ROW("http-get", "rate", "curl wget", "the option is --limit-rate SIZE")
ROW("http-get", "retry-delay retry-max-time retry-all-errors retry-connrefused waitretry",
    "curl wget", "--retry N waits longer each time, or as long as the server says")
ROW("http-get", "recursive mirror page-requisites", "wget",
    "sockctl fetches no trees of pages; wget(1) does")
ROW("http-get", "K config", "curl", "sockctl reads no files of options")
ROW("http-get", "cookie-jar j junk-session-cookies load-cookies save-cookies", "curl wget",
    "sockctl keeps no cookies; -b NAME=VALUE sends one")
ROW("http-get", "a append", "curl", "append it with the shell: >> FILE")
ROW("http-get", "n netrc netrc-file", "curl",
    "sockctl reads no netrc; -u @FILE takes NAME:PASS from a file")
ROW("http-get", "anyauth basic digest ntlm negotiate oauth2-bearer auth-no-challenge", "curl",
    "-u NAME:PASS sends Basic; for another kind give the field: -H 'Authorization: ...'")
ROW("http-get", "proxy-user proxy-password", "curl wget", IN_PROXY_URL)
ROW("http-get", "socks4 socks4a socks5 socks5-hostname preproxy", "curl",
    "the kind of proxy is in its URL: -x socks5://HOST:PORT")
ROW("http-get", "noproxy no-proxy", "curl wget",
    "the variable NO_PROXY says what goes without a proxy")
ROW("http-get", "http1.1 http2 http3 http2-prior-knowledge", "curl",
    "sockctl speaks HTTP/1.1, or 1.0 with --http1.0")
ROW("http-get", "interface bind-address", "curl wget",
    "http-get leaves the local address to the kernel")
ROW("http-get", "password http-user http-password", "wget", "the option is -u NAME:PASS")
ROW("http-get", "connect-to", "curl",
    "the address of a host is given with --resolve HOST:PORT:ADDR")
ROW("http-get", "dns-servers doh-url", "curl",
    "sockctl asks the system's resolver; --resolve HOST:PORT:ADDR gives an address")
ROW("http-get", "trace trace-ascii debug", "curl wget", "-v shows both heads, -vv each call")
ROW("http-get", "remote-name-all", "curl", "-O is for all URLs")
ROW("http-get", "z time-cond", "curl", "give the field: -H 'If-Modified-Since: DATE'")
ROW("http-get", "l list-only Q quote ftp-pasv", "curl", "sockctl has no FTP")
ROW("http-get", "max-filesize", "curl", "sockctl has no limit for the size; head -c N ends it, too")
ROW("http-get", "progress-bar", "curl", "the option is -#, or --progress")
ROW("http-get", "B use-ascii", "curl", "sockctl changes no bytes")
ROW("http-get", "max-redirect", "wget", "the option is --max-redirs N, with -L")
ROW("http-get", "output-document", "wget", "the option is -o FILE")
ROW("http-get", "path-as-is", "curl", "sockctl resolves . and .. in a path, as RFC 3986 says")

/* dig(1), host(1), getent(1) */
ROW("resolve", "a", "host", "name each type: -t A -t AAAA -t MX ...")
ROW("resolve", "p", "dig", "the port is the server's: --server ADDR:PORT")
ROW("resolve", "-query -querytype", "nslookup", "the option is -t TYPE")
ROW("resolve", "q", "dig", "the name is an operand")
ROW("resolve", "c class", "dig", "sockctl asks for class IN alone")
ROW("resolve", "f", "dig", "names are read from standard input: sockctl resolve - < FILE")
ROW("resolve", "b", "dig", "sockctl leaves the local address to the kernel")
ROW("resolve", "k y", "dig", "sockctl has no TSIG")
ROW("resolve", "T", "host", "the option is --tcp")
ROW("resolve", "W R N", "host", "the limit is -w TIME for all tries")
ROW("resolve", "C l", "host", "sockctl asks for no zones: dig AXFR NAME @SERVER")
ROW("resolve", "i m r d u", "dig host", "sockctl has nothing of the kind")
ROW("resolve", "all any", "nslookup", "name each type: -t A -t AAAA -t MX ...")
ROW("resolve", "trace", "dig",
    "sockctl asks the servers that it is given; dig +trace NAME follows delegations")
ROW("resolve", "dns nameserver", "doggo", "the option is --server ADDR")

/* All of them */
ROW("connect listen " OTHERS, "silent", "curl", SHORT_DEFAULT)
ROW(OTHERS, "quiet", "curl wget ncat", SHORT_DEFAULT)
ROW(ALL, "color colour", "ls", "sockctl uses colour on a terminal; NO_COLOR turns it off")
ROW("connect listen " OTHERS, "debug", "curl wget", "-v tells what happens, -vv each call")
ROW(ALL, "verbosity", "socat", "-v tells what happens, -vv each call")
ROW(ALL, "usage", "getopt", "--help shows the options")
ROW(ALL, "man manual", "git", "the page is read with man(1): man sockctl-COMMAND")
