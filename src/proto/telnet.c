/*
 * A machine that takes byte after byte (take_byte) and leaves the data in place. What is to be refused is a pair of flags
 * for each option, so that a flood of commands needs no memory; telnet_answer writes and clears them.
 */
#include "proto/telnet.h"

enum { SE = 240, SB = 250, WILL, WONT, DO, DONT, IAC };

static enum telnet_state read_command(struct telnet *telnet, unsigned char byte)
{
    telnet->verb = byte;
    if (byte == SB)
        return TELNET_SUBNEGOTIATION;
    return byte >= WILL && byte <= DONT ? TELNET_OPTION : TELNET_DATA;
}

static enum telnet_state read_option(struct telnet *telnet, unsigned char option)
{
    if (telnet->verb == DO)
        telnet->wont[option] = telnet->refuses = true;
    else if (telnet->verb == WILL)
        telnet->dont[option] = telnet->refuses = true;
    return TELNET_DATA;
}

/* The state after `byte`; *data: it is data. */
static enum telnet_state take_byte(struct telnet *telnet, unsigned char byte, bool *data)
{
    *data = false;
    switch (telnet->state) {
    case TELNET_DATA:
        *data = byte != IAC;
        return byte == IAC ? TELNET_COMMAND : TELNET_DATA;
    case TELNET_COMMAND:
        *data = byte == IAC;
        return read_command(telnet, byte);
    case TELNET_OPTION:
        return read_option(telnet, byte);
    case TELNET_SUBNEGOTIATION:
        return byte == IAC ? TELNET_SUBNEGOTIATION_COMMAND : TELNET_SUBNEGOTIATION;
    case TELNET_SUBNEGOTIATION_COMMAND:
        break;
    }
    return byte == SE ? TELNET_DATA : TELNET_SUBNEGOTIATION;
}

size_t telnet_decode(struct telnet *telnet, char *bytes, size_t length)
{
    size_t used = 0;
    for (size_t i = 0; i < length; i++) {
        char byte = bytes[i];
        bool data;
        telnet->state = take_byte(telnet, (unsigned char)byte, &data);
        if (data)
            bytes[used++] = byte;
    }
    return used;
}

static size_t write_refusal(bool *due, unsigned char verb, char *out)
{
    size_t used = 0;
    for (size_t option = 0; option < TELNET_OPTIONS; option++) {
        if (!due[option])
            continue;
        due[option] = false;
        out[used++] = (char)IAC;
        out[used++] = (char)verb;
        out[used++] = (char)option;
    }
    return used;
}

size_t telnet_answer(struct telnet *telnet, char *out)
{
    telnet->refuses = false;
    size_t used = write_refusal(telnet->wont, WONT, out);
    return used + write_refusal(telnet->dont, DONT, out + used);
}
