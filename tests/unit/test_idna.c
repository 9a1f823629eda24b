/*
 * Names that are not ASCII, and what DNS has of them. Some are of RFC 3492, 7.1; the others'
 * Punycode is that of another implementation (python's codec).
 */
#include <stdio.h>
#include <string.h>

#include "proto/idna.h"

static int tests, failures;

static void check(bool good, const char *what)
{
    failures += !good;
    printf("%s %d - %s\n", good ? "ok" : "not ok", ++tests, what);
}

#define A63 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B50 "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

static const struct {
    const char *name, *encoded;
} good[] = {
    {"example.com", "example.com"},
    {"bücher.test", "xn--bcher-kva.test"},
    {"BÜCHER.Test", "xn--bcher-kva.test"},
    {"ü", "xn--tda"},
    {"faß.de", "xn--fa-hia.de"},
    {"www.ελλάδα.gr.", "www.xn--hxakic4aa.gr."},
    {"例え。テスト", "xn--r8jz45g.xn--zckzah"},
    {"例え.テスト。", "xn--r8jz45g.xn--zckzah."},
    {"ليهمابتكلموشعربي؟", "xn--egbpdaj6bu4bxfgehfvwxn"},
    {"3年b組金八先生", "xn--3b-ww4c5e180e575a65lsy2b"},
    {"испытание.рф", "xn--80akhbyknj4f.xn--p1ai"},
    {"\xf0\x90\x8d\x88.x", "xn--2c8c.x"},
    {"café.example", "xn--caf-dma.example"},
    {B50 "ü.x", "xn--" B50 "-ehf.x"},
};

static const char *const bad[] = {
    "\xfc.de",           /* Latin-1 */
    "\xc3.de",           /* cut */
    "\xc0\xae.de",       /* a dot in two bytes */
    "\xed\xa0\x80.de",   /* half of a pair */
    "\xf4\x90\x80\x80.", /* beyond Unicode */
    "\xff.de",
    "ü..de",
    ".ü",
    "u\xcc\x88.de",     /* u and a combining mark */
    "ü\xe2\x80\x8b.de", /* zero width */
    "ü\xe2\x80\xae.de", /* right to left */
    "ａ.de",            /* wide */
    "ü\xc2\xa0.de",
    A63 "ü",
    B50 "bbbbbbü",
    A63 "." A63 "." A63 "." A63 ".ü",
};

int main(void)
{
    char out[IDNA_NAME_MAX + 1];
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        const char *wrong = idna_encode(good[i].name, out);
        check(!wrong && strcmp(out, good[i].encoded) == 0, good[i].name);
        if (wrong || strcmp(out, good[i].encoded) != 0)
            printf("# %s\n", wrong ? wrong : out);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        check(idna_encode(bad[i], out), "a bad name");
    check(idna_is_ascii("a-b") && idna_is_ascii("") && !idna_is_ascii("ü"), "ASCII");
    printf("1..%d\n", tests);
    return failures > 0;
}
