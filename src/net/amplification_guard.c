#include "net/amplification_guard.h"

#include <stddef.h>

#include "sys/sock.h"
#include "sys/sockname.h"

/* Ports of services that answer any datagram, or answer with more than they were sent: the IANA
 * names are beside them. 0 is nobody's, and an answer to it goes nowhere. */
static const unsigned reflector_ports[] = {0,
                                           7 /* echo */,
                                           13 /* daytime */,
                                           17 /* qotd */,
                                           19 /* chargen */,
                                           37 /* time */,
                                           53 /* domain */,
                                           69 /* tftp */,
                                           111 /* sunrpc */,
                                           123 /* ntp */,
                                           137 /* netbios-ns */,
                                           161 /* snmp */,
                                           389 /* ldap */,
                                           500 /* isakmp */,
                                           520 /* router */,
                                           1900 /* ssdp */,
                                           3283 /* net-assistant */,
                                           3702 /* ws-discovery */,
                                           4500 /* ipsec-nat-t */,
                                           5060 /* sip */,
                                           5353 /* mdns */,
                                           5683 /* coap */,
                                           10001 /* Ubiquiti's discovery */,
                                           11211 /* memcached */,
                                           27015 /* Source engine */,
                                           27960 /* Quake III */};

static bool is_reflector_port(unsigned port)
{
    for (size_t i = 0; i < sizeof reflector_ports / sizeof *reflector_ports; i++)
        if (reflector_ports[i] == port)
            return true;
    return false;
}

/* Only an address of this machine can be bound to. */
static bool is_local(const struct sockname *source)
{
    struct sockname name = *source;
    sockname_set_port(&name, 0);
    int probe = sock_open(name.storage.ss_family, SOCK_DGRAM, 0);
    if (probe < 0)
        return true; /* rather silent than in a loop */
    bool local = sock_bind(probe, &name) == 0;
    sock_close(probe);
    return local;
}

bool amplification_guard_blocks(const struct sockname *source, const struct sockname *own)
{
    unsigned port = sockname_port(source);
    return is_reflector_port(port) || (port == sockname_port(own) && is_local(source));
}
