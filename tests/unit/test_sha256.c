/*
 * SHA-256: the examples of FIPS 180-2 (B.1 to B.3), the empty message, and every way to split one.
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/sha256.h"

static int tests, failures;

static void check(bool good, const char *what)
{
    failures += !good;
    printf("%s %d - %s\n", good ? "ok" : "not ok", ++tests, what);
}

static const struct {
    const char *message;
    const char *digest;
} examples[] = {
    {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
    {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
     "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
    {"abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmn"
     "hijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
     "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"},
};

static void test_examples(void)
{
    char text[SHA256_TEXT + 1];
    for (size_t i = 0; i < sizeof examples / sizeof *examples; i++) {
        size_t length = strlen(examples[i].message);
        for (size_t split = 0; split <= length; split++) {
            struct sha256 sha;
            sha256_init(&sha);
            sha256_add(&sha, examples[i].message, split);
            sha256_add(&sha, examples[i].message + split, length - split);
            check(strcmp(sha256_text(&sha, text), examples[i].digest) == 0, "an example");
        }
    }
}

static void test_million(void)
{
    char text[SHA256_TEXT + 1], part[1000];
    struct sha256 sha;
    memset(part, 'a', sizeof part);
    sha256_init(&sha);
    for (size_t left = 1000000, step = 1; left; left -= step) {
        step = step % sizeof part + 1;
        step = step < left ? step : left;
        sha256_add(&sha, part, step);
    }
    check(strcmp(sha256_text(&sha, text),
                 "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0") == 0,
          "a million times a");
}

int main(void)
{
    test_examples();
    test_million();
    printf("1..%d\n", tests);
    return failures > 0;
}
