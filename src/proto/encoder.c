/*
 * One byte of state is enough: whether the last one was a CR, so that an LF behind it gets no other.
 */
#include "proto/encoder.h"

size_t encoder_encode(struct encoder *encoder, char *out, const char *in, size_t length)
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
