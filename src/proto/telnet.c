/*
 * The decoder is a machine that takes byte after byte and leaves the data in place. What is to be refused is a pair of
 * flags for each option, so that a flood of commands needs no memory; telnet_answer writes and clears them. The encoder
 * needs one byte of state: whether the last byte was a CR, so that an LF behind it gets no other.
 */
#include "proto/telnet.h"

enum { SE = 240, SB = 250, WILL, WONT, DO, DONT, IAC };

/* Moves the machine on by a byte. True: it is data. */
static bool telnet_take_byte(struct telnet *telnet, unsigned char byte)
{
    switch (telnet->state) {
    case TELNET_DATA:
        telnet->state = byte == IAC ? TELNET_COMMAND : TELNET_DATA;
        return byte != IAC;
    case TELNET_COMMAND:
        telnet->verb = byte;
        if (byte == SB)
            telnet->state = TELNET_SUBNEGOTIATION;
        else
            telnet->state = byte >= WILL && byte <= DONT ? TELNET_OPTION : TELNET_DATA;
        return byte == IAC;
    case TELNET_OPTION:
        if (telnet->verb == DO)
            telnet->wont[byte] = telnet->refuses = true;
        else if (telnet->verb == WILL)
            telnet->dont[byte] = telnet->refuses = true;
        telnet->state = TELNET_DATA;
        return false;
    case TELNET_SUBNEGOTIATION:
        if (byte == IAC)
            telnet->state = TELNET_SUBNEGOTIATION_COMMAND;
        return false;
    case TELNET_SUBNEGOTIATION_COMMAND:
        break;
    }
    telnet->state = byte == SE ? TELNET_DATA : TELNET_SUBNEGOTIATION;
    return false;
}

size_t telnet_decode(struct telnet *telnet, char *bytes, size_t length)
{
    size_t used = 0;
    for (size_t i = 0; i < length; i++) {
        char byte = bytes[i];
        if (telnet_take_byte(telnet, (unsigned char)byte))
            bytes[used++] = byte;
    }
    return used;
}

static size_t write_refusals(bool *due, unsigned char verb, char *out)
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
    size_t used = write_refusals(telnet->wont, WONT, out);
    return used + write_refusals(telnet->dont, DONT, out + used);
}

size_t telnet_encode(struct telnet_encoder *encoder, char *out, const char *in, size_t length)
{
    size_t used = 0;
    for (size_t i = 0; i < length; i++) {
        char byte = in[i];
        if (byte == '\n' && encoder->lines && !encoder->after_cr)
            out[used++] = '\r';
        else if (byte == '\xff' && encoder->twice)
            out[used++] = byte;
        out[used++] = byte;
        encoder->after_cr = byte == '\r';
    }
    return used;
}
