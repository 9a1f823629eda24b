/*
 * The sentences of --explain: none is missing in either language, and both have the same arguments.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/sentences.h"

static int tests, failures;

static void check(bool fits, const char *what)
{
    failures += !fits;
    printf("%s %d - %s\n", fits ? "ok" : "not ok", ++tests, what);
}

/* Returns which of %1 to %4 are in the sentence, a bit each; 0 if something else follows a percent sign. */
static unsigned arguments(const char *sentence)
{
    unsigned found = 1;
    for (const char *at = strchr(sentence, '%'); at; at = strchr(at + 1, '%')) {
        if (at[1] < '1' || at[1] > '4')
            return 0;
        found |= 1U << (at[1] - '0');
    }
    return found;
}

static bool is_ascii(const char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text >= 0x80)
            return false;
    return true;
}

static void check_language(const char *word, enum language language)
{
    unsetenv("LC_ALL");
    unsetenv("LC_MESSAGES");
    unsetenv("LANG");
    setenv("SOCKCTL_LANG", word, 1);
    check(sentence_language() == language, word);
    unsetenv("SOCKCTL_LANG");
    setenv("LANG", word, 1);
    check(sentence_language() == language, word);
}

int main(void)
{
    for (enum sentence at = 0; at < SAY_COUNT; at++) {
        const char *english = sentence_text(at, LANGUAGE_EN),
                   *spanish = sentence_text(at, LANGUAGE_ES);
        check(*english && *spanish && strcmp(english, spanish) != 0, english);
        check(arguments(english) && arguments(english) == arguments(spanish), spanish);
        check(is_ascii(english), english);
    }
    check_language("es", LANGUAGE_ES);
    check_language("es_MX.UTF-8", LANGUAGE_ES);
    check_language("es@x", LANGUAGE_ES);
    check_language("est", LANGUAGE_EN);
    check_language("en_GB", LANGUAGE_EN);
    check_language("C", LANGUAGE_EN);
    check_language("", LANGUAGE_EN);
    setenv("SOCKCTL_LANG", "en", 1);
    setenv("LANG", "es_ES.UTF-8", 1);
    check(sentence_language() == LANGUAGE_EN, "SOCKCTL_LANG comes first");
    setenv("SOCKCTL_LANG", "", 1);
    setenv("LC_ALL", "C", 1);
    check(sentence_language() == LANGUAGE_EN, "then LC_ALL");
    printf("1..%d\n", tests);
    return failures ? EXIT_FAILURE : EXIT_SUCCESS;
}
