/*
 * Stands in for libFuzzer where there is none: gives each file named to the target once.
 */
#include <stdio.h>
#include <stdlib.h>

#include "fuzz.h"

static int replay(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (!file) {
        perror(path);
        return 1;
    }
    /* Exactly as large as the input, so that a byte too far is seen. */
    static uint8_t room[1 << 20];
    size_t size = fread(room, 1, sizeof room, file);
    fclose(file);
    uint8_t *data = malloc(size ? size : 1);
    if (!data)
        abort();
    for (size_t i = 0; i < size; i++)
        data[i] = room[i];
    LLVMFuzzerTestOneInput(data, size);
    free(data);
    return 0;
}

int main(int argc, char **argv)
{
    int failed = 0;
    for (int i = 1; i < argc; i++)
        failed |= replay(argv[i]);
    return failed;
}
