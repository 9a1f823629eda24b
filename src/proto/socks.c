/*
 * A machine whose state is the message that was sent last: socks_write writes the next one, socks_read reads the answer
 * to it, as much as belongs to it and not a byte more. SOCKS5 goes through methods, perhaps a login, and the request;
 * SOCKS4 is the request alone.
 */
#include "proto/socks.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <string.h>

enum { STAGE_METHOD, STAGE_LOGIN, STAGE_REQUEST };
enum { METHOD_NONE = 0, METHOD_PASSWORD = 2, METHOD_NONE_FITS = 0xFF };
enum { COMMAND_CONNECT = 1 };
enum { TYPE_IPV4 = 1, TYPE_NAME = 3, TYPE_IPV6 = 4 };
enum { SOCKS4_GRANTED = 90 };

const char *socks_check(const struct socks *socks)
{
    struct in6_addr ipv6;
    if (strlen(socks->host) > SOCKS_TEXT_MAX)
        return "a host name is at most 255 bytes long";
    if (socks->user && strlen(socks->user) > SOCKS_TEXT_MAX)
        return "a user name is at most 255 bytes long";
    if (socks->password && strlen(socks->password) > SOCKS_TEXT_MAX)
        return "a password is at most 255 bytes long";
    if (socks->version == 4 && inet_pton(AF_INET6, socks->host, &ipv6) == 1)
        return "SOCKS4 knows no IPv6 addresses";
    return NULL;
}

/* Messages */

static unsigned char *put_port(unsigned char *out, uint16_t port)
{
    *out++ = (unsigned char)(port >> 8);
    *out++ = (unsigned char)port;
    return out;
}

/* Puts a text behind its length. */
static unsigned char *put_text(unsigned char *out, const char *text)
{
    unsigned char *length = out++;
    while (text && *text)
        *out++ = (unsigned char)*text++;
    *length = (unsigned char)(out - length - 1);
    return out;
}

/* Puts a text with the NUL that ends it. */
static unsigned char *put_string(unsigned char *out, const char *text)
{
    size_t size = strlen(text) + 1;
    memcpy(out, text, size);
    return out + size;
}

static unsigned char *put_request5(const struct socks *socks, unsigned char *out)
{
    struct in6_addr address;
    *out++ = 5;
    *out++ = COMMAND_CONNECT;
    *out++ = 0;
    if (inet_pton(AF_INET, socks->host, &address) == 1) {
        *out++ = TYPE_IPV4;
        memcpy(out, &address, 4);
        out += 4;
    } else if (inet_pton(AF_INET6, socks->host, &address) == 1) {
        *out++ = TYPE_IPV6;
        memcpy(out, &address, 16);
        out += 16;
    } else {
        *out++ = TYPE_NAME;
        out = put_text(out, socks->host);
    }
    return put_port(out, socks->port);
}

size_t socks_write(struct socks *socks, unsigned char *out)
{
    /* SOCKS4a: an address that cannot be, 0.0.0.1, says that a name follows. */
    struct in_addr address = {htonl(1)};
    unsigned char *end = out;
    socks->wanted = 0;
    if (socks->version == 4) {
        bool is_address = inet_pton(AF_INET, socks->host, &address) == 1;
        *end++ = 4;
        *end++ = COMMAND_CONNECT;
        end = put_port(end, socks->port);
        memcpy(end, &address, 4);
        end = put_string(end + 4, socks->user ? socks->user : "");
        if (!is_address)
            end = put_string(end, socks->host);
    } else if (socks->stage == STAGE_METHOD) {
        *end++ = 5;
        *end++ = socks->user ? 2 : 1;
        *end++ = METHOD_NONE;
        if (socks->user)
            *end++ = METHOD_PASSWORD;
    } else if (socks->stage == STAGE_LOGIN) {
        *end++ = 1;
        end = put_text(put_text(end, socks->user), socks->password);
    } else {
        end = put_request5(socks, out);
    }
    return (size_t)(end - out);
}

/* Answers */

static enum socks_step set_refusal(struct socks *socks, const char *why)
{
    socks->why = why;
    return SOCKS_REFUSED;
}

static enum socks_step read_method(struct socks *socks, const unsigned char *bytes)
{
    if (bytes[1] == METHOD_NONE_FITS)
        return set_refusal(socks, socks->user ? "it takes no user name and password"
                                              : "it wants to know who we are");
    if (bytes[1] != METHOD_NONE && (bytes[1] != METHOD_PASSWORD || !socks->user))
        return set_refusal(socks, "it wants a way to log in that was not offered");
    socks->stage = bytes[1] == METHOD_PASSWORD ? STAGE_LOGIN : STAGE_REQUEST;
    return SOCKS_WRITE;
}

static enum socks_step read_answer5(struct socks *socks, const unsigned char *bytes, size_t length)
{
    static const char *const refusals[] = {"connected",
                                           "general failure",
                                           "not allowed by its rules",
                                           "network unreachable",
                                           "host unreachable",
                                           "connection refused",
                                           "timed out (TTL expired)",
                                           "it does not know the command",
                                           "it does not know the kind of address"};
    if (bytes[1] != 0)
        return set_refusal(socks, bytes[1] < sizeof refusals / sizeof *refusals
                                      ? refusals[bytes[1]]
                                      : "refused, with a code that means nothing");
    if (length < 5)
        socks->wanted = 5;
    else if (bytes[3] == TYPE_IPV4)
        socks->wanted = 4 + 4 + 2;
    else if (bytes[3] == TYPE_IPV6)
        socks->wanted = 4 + 16 + 2;
    else if (bytes[3] == TYPE_NAME)
        socks->wanted = 4 + 1 + (size_t)bytes[4] + 2;
    else
        return set_refusal(socks, "its answer is malformed");
    return length < socks->wanted ? SOCKS_MORE : SOCKS_DONE;
}

static enum socks_step read_answer4(struct socks *socks, const unsigned char *bytes)
{
    static const char *const refusals[] = {"rejected or failed", "it cannot ask identd who we are",
                                           "identd says that we are another user"};
    size_t refusal = (size_t)bytes[1] - SOCKS4_GRANTED - 1;
    if (bytes[0] != 0)
        return set_refusal(socks, "its answer is not SOCKS4");
    if (bytes[1] == SOCKS4_GRANTED)
        return SOCKS_DONE;
    return set_refusal(socks, refusal < sizeof refusals / sizeof *refusals
                                  ? refusals[refusal]
                                  : "refused, with a code that means nothing");
}

enum socks_step socks_read(struct socks *socks, const unsigned char *bytes, size_t length)
{
    const bool is_v5 = socks->version == 5, is_request = is_v5 && socks->stage == STAGE_REQUEST;
    const size_t min_length = !is_v5 ? 8 : is_request ? 5 : 2;
    /* An answer of the wrong kind is seen by its first byte: one that is waited for may never come. */
    if (length && is_v5 && bytes[0] != (socks->stage == STAGE_LOGIN ? 1 : 5))
        return set_refusal(socks, "its answer is not SOCKS5");
    const bool is_refused = is_request && length >= 2 && bytes[1] != 0; /* that may end early */
    if (length < min_length && !is_refused) {
        socks->wanted = min_length;
        return SOCKS_MORE;
    }
    if (!is_v5)
        return read_answer4(socks, bytes);
    if (is_request)
        return read_answer5(socks, bytes, length);
    if (socks->stage == STAGE_METHOD)
        return read_method(socks, bytes);
    if (bytes[1] != 0)
        return set_refusal(socks, "user name or password refused");
    socks->stage = STAGE_REQUEST;
    return SOCKS_WRITE;
}
