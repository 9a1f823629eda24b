/*
 * The operands of other programs, for foreign.c: rows as in foreign_options.h. The words are how operands begin, in any
 * case: "TCP-LISTEN: TCP4-LISTEN:". One with "=" before it is a whole operand, in these letters, beside others. None
 * begins with a digit.
 */

ROW("connect", "TCP-LISTEN: TCP4-LISTEN: TCP6-LISTEN: TCP-L:", "socat",
    "to listen, type 'sockctl listen PORT'")
ROW("listen echo-server", "TCP-LISTEN: TCP4-LISTEN: TCP6-LISTEN: TCP-L:", "socat",
    "type the port alone: sockctl listen PORT")
ROW("connect",
    "UDP-LISTEN: UDP4-LISTEN: UDP6-LISTEN: UDP-RECV: UDP4-RECV: UDP6-RECV: UDP-RECVFROM: "
    "UDP4-RECVFROM:",
    "socat",
    "to receive datagrams, type 'sockctl listen -u PORT', with --join for ip-add-membership")
ROW("listen echo-server",
    "UDP-LISTEN: UDP4-LISTEN: UDP6-LISTEN: UDP-RECV: UDP4-RECV: UDP6-RECV: UDP-RECVFROM: "
    "UDP4-RECVFROM:",
    "socat",
    "type 'sockctl listen -u PORT', with -k for many senders, --join for ip-add-membership")
ROW(SOCKETS, "TCP-CONNECT: TCP4-CONNECT: TCP6-CONNECT:", "socat",
    "type 'sockctl connect HOST PORT'")
ROW(SOCKETS,
    "UDP-CONNECT: UDP-SENDTO: UDP-DATAGRAM: UDP4-CONNECT: UDP4-SENDTO: UDP4-DATAGRAM: "
    "UDP6-SENDTO: "
    "UDP6-DATAGRAM:",
    "socat",
    "type 'sockctl connect -u HOST PORT', with -b to broadcast, --join for ip-add-membership")
ROW(SOCKETS, "UNIX-CONNECT: UNIX-CLIENT: GOPEN:", "socat", "type 'sockctl connect unix:PATH'")
ROW(SOCKETS, "UNIX-LISTEN: UNIX-L:", "socat", "type 'sockctl listen unix:PATH'")
ROW(SOCKETS, "UNIX-SENDTO: UNIX-RECV: UNIX-RECVFROM:", "socat",
    "a UNIX datagram socket is unix-dgram:PATH")
ROW(SOCKETS, "ABSTRACT: ABSTRACT-CONNECT: ABSTRACT-LISTEN: ABSTRACT-CLIENT:", "socat",
    "a name in the abstract namespace is unix:@NAME")
ROW(SOCKETS, "VSOCK-CONNECT: VSOCK-LISTEN:", "socat", "a VM socket is vsock:CID:PORT")
ROW(SOCKETS,
    "IP-SENDTO: IP4-SENDTO: IP6-SENDTO: IP-DATAGRAM: IP4-DATAGRAM: IP6-DATAGRAM: IP-RECV: "
    "IP4-RECV: IP6-RECV: IP-RECVFROM: IP4-RECVFROM: IP6-RECVFROM:",
    "socat", "a raw socket is raw:PROTO:HOST, or to listen raw:PROTO")
ROW(SOCKETS, "OPENSSL: SSL: OPENSSL-CONNECT:", "socat",
    "--tls is the option: sockctl connect --tls HOST PORT")
ROW(SOCKETS, "OPENSSL-LISTEN: SSL-L:", "socat", NO_TLS_SERVER)
ROW(SOCKETS, "SOCKS4: SOCKS4A: SOCKS5: SOCKS5-CONNECT: PROXY: PROXY-CONNECT:", "socat",
    "a proxy is given with -x socks5://HOST:PORT, socks4:// or http://")
ROW(SOCKETS, "EXEC: SYSTEM: SHELL:", "socat",
    "a program is run with -e PROGRAM, or -c COMMAND for the shell")
ROW(SOCKETS, "=STDIO =- =STDIN =STDOUT", "socat",
    "standard input and output are always the other end: leave it out")
ROW(SOCKETS, "FILE: OPEN: CREATE: PIPE: =PIPE =PTY PTY, PTY:", "socat",
    "the other end is standard input and output: redirect them")
ROW(SOCKETS, "SCTP: SCTP-CONNECT: SCTP-LISTEN: SCTP4: SCTP6:", "socat",
    "sockctl has no SCTP; socat(1) has")
ROW(SOCKETS, "TUN: INTERFACE: =READLINE READLINE,", "socat",
    "sockctl has nothing of the kind; socat(1) has")
ROW("connect", "/dev/tcp/ /dev/udp/", "bash", "type 'sockctl connect HOST PORT', with -u for UDP")
ROW(ALL, "/?", "DOS", "--help shows the options")
ROW("http-get", "=-", "curl", "") /* -C - */
ROW("resolve", "http:// https://", "curl", "that is a URL: type the name of its host alone")
ROW("resolve", "@", "dig", "a server is given with --server ADDR")
ROW("resolve", "+short", "dig", "the option is -s, or --short")
ROW("resolve", "+trace", "dig", "sockctl follows no delegations; 'dig +trace NAME' does")
ROW("resolve", "+tcp", "dig", "the option is --tcp")
ROW("resolve", "+time= +timeout= +tries= +retry=", "dig", "the limit is -w TIME, for all tries")
ROW("resolve", "+", "dig", "sockctl has no such option; --help shows its own")
ROW("resolve",
    "=A =AAAA =CNAME =MX =NS =PTR =SOA =SRV =TXT =CAA =DS =DNSKEY =HTTPS =SVCB =NAPTR =TLSA "
    "=SSHFP =ANY =AXFR",
    "dig host", "a type is given with -t TYPE")
