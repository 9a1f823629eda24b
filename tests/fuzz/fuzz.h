/*
 * What a target is: one pure parser given any bytes. `make fuzz` runs it under libFuzzer; `make
 * test` replays the inputs kept in tests/fuzz/corpus/NAME, with replay.c in libFuzzer's place.
 * It returns 0; what must never happen ends it (abort, or a sanitizer).
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
