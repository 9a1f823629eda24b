/*
 * A SOCKS proxy's answers: whatever they are, no more is wanted than the longest answer, and every
 * talk ends.
 */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "proto/socks.h"

enum { ROUNDS = 8 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    unsigned char said[SOCKS_WRITE_MAX];
    struct socks socks = {.version = data[0] & 1 ? 4 : 5, .host = "example.com", .port = 80};
    if (data[0] & 2)
        socks.user = socks.password = "user";
    data++, size--;
    socks_write(&socks, said);
    size_t heard = 0;
    for (int round = 0; round < ROUNDS;) {
        unsigned char *exact = malloc(heard + 1);
        if (!exact)
            return 0;
        memcpy(exact, data, heard);
        enum socks_step step = socks_read(&socks, exact, heard);
        free(exact);
        if (step == SOCKS_DONE || step == SOCKS_REFUSED)
            return 0;
        if (step == SOCKS_MORE) {
            if (socks.wanted <= heard || socks.wanted > SOCKS_READ_MAX)
                abort();
            if (socks.wanted > size)
                return 0;
            heard = socks.wanted;
            continue;
        }
        data += heard, size -= heard, heard = 0, round++;
        if (socks_write(&socks, said) > sizeof said)
            abort();
    }
    abort();
}
