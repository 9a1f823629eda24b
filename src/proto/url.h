/*
 * URLs as http-get takes them: [http://|https://][USER[:PASS]@]HOST[:PORT][/PATH][?QUERY][#FRAGMENT], or http+unix://SOCKET[/PATH]
 * …, SOCKET being the percent-encoded path of a UNIX socket. Pure: what is found are spans of the text that was parsed,
 * which has to outlive them.
 */
#ifndef PROTO_URL_H
#define PROTO_URL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    URL_HOST_MAX = 255,
    URL_AUTHORITY_MAX = URL_HOST_MAX + 9,
    URL_PORT_HTTP = 80,
    URL_PORT_HTTPS = 443
};

struct url_span {
    const char *start;
    size_t length;
};

struct url {
    struct url_span userinfo; /* as typed, percent-encoded: never to be shown */
    struct url_span host;     /* as typed, without brackets; or the SOCKET */
    bool literal_ipv6;        /* it was in brackets */
    bool unix_socket;
    bool tls;      /* https */
    bool has_port; /* one was typed */
    uint16_t port;
    struct url_span target; /* path and query; the leading '/' may be missing */
};

/* Parses the text. Returns NULL, or what is wrong with it, as words that follow it: "has no host". */
const char *url_parse(struct url *url, const char *text);

/* Writes "USER:PASS", percent-decoded, into `out`, which holds userinfo.length + 2 bytes. Returns NULL, or what is wrong:
 * control characters, which could end a field of the request. */
const char *url_credentials(const struct url *url, char *out);

/* Writes the host as the resolver takes it, "example.com", "fe80::1%eth0", into `out`, which holds URL_HOST_MAX + 1
 * bytes. Returns out. */
char *url_host(const struct url *url, char *out);

/* Writes host and port as the field Host and a message take them, without a zone, into `out`, which holds
 * URL_AUTHORITY_MAX bytes: "example.com", "[::1]:8080"; "localhost" for a UNIX socket. Returns out. */
char *url_authority(const struct url *url, char *out);

/* Writes the path of the UNIX socket, decoded, into `out`, which holds host.length + 1 bytes. Returns out. */
char *url_socket(const struct url *url, char *out);

/* Writes path and query as a request takes them, with the leading '/' and without "." and ".." (RFC 3986, 5.2.4), into
 * `out`, which holds target.length + 2 bytes. Returns the length, without the NUL. */
size_t url_target(const struct url *url, char *out);

/* Says whether both have the same scheme, host and port, or the same UNIX socket. */
bool url_is_same_origin(const struct url *one, const struct url *other);

/* Returns what a Location means in an answer to `base` (RFC 3986, 5.2): a URL, the caller's to free. Spaces and bytes
 * that are not ASCII are percent-encoded. NULL: *wrong says what is wrong, as url_parse does. */
char *url_refer(const struct url *base, const char *reference, size_t length, const char **wrong);

/* Returns what may be shown of a text that is no URL: from its last '@' on, for there may be a password before it. */
const char *url_redacted(const char *text);

#endif
