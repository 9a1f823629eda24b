/*
 * Telnet, fed in pieces and fed whole: the same data and the same answers. What an encoder sends
 * comes back from a decoder as it was, without answers.
 */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "proto/telnet.h"

struct outcome {
    char *data;
    size_t length;
    char answers[TELNET_ANSWERS_MAX];
    size_t answered;
};

static void require(bool truth)
{
    if (!truth)
        abort();
}

static struct outcome decode(const uint8_t *bytes, size_t size, size_t by)
{
    struct outcome outcome = {.data = malloc(size + 1)};
    struct telnet telnet = {0};
    require(outcome.data != NULL);
    for (size_t at = 0; at < size; at += by) {
        size_t part = size - at < by ? size - at : by;
        memcpy(outcome.data + outcome.length, bytes + at, part);
        size_t left = telnet_decode(&telnet, outcome.data + outcome.length, part);
        require(left <= part);
        outcome.length += left;
    }
    outcome.answered = telnet_answer(&telnet, outcome.answers);
    require(outcome.answered <= TELNET_ANSWERS_MAX && !telnet.refuses);
    return outcome;
}

static void send_back(const uint8_t *bytes, size_t size)
{
    struct telnet_encoder encoder = {.twice = true};
    char *sent = malloc(2 * size + 1);
    require(sent != NULL);
    size_t length = telnet_encode(&encoder, sent, (const char *)bytes, size);
    struct outcome outcome = decode((const uint8_t *)sent, length, 1 + size / 3);
    require(outcome.length == size && outcome.answered == 0);
    require(memcmp(outcome.data, bytes, size) == 0);
    free(outcome.data);
    free(sent);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    struct outcome whole = decode(data + 1, size - 1, size);
    struct outcome pieces = decode(data + 1, size - 1, 1 + data[0] % 7);
    require(whole.length == pieces.length && whole.answered == pieces.answered);
    require(memcmp(whole.data, pieces.data, whole.length) == 0);
    require(memcmp(whole.answers, pieces.answers, whole.answered) == 0);
    free(whole.data);
    free(pieces.data);
    send_back(data + 1, size - 1);
    return 0;
}
