/*
 * The table has no pointers, which would have to be relocated at each start: the sentences lie in one struct, one member
 * each, and are found by their offsets.
 */
#include "cli/sentences.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define SENTENCE_MEMBERS(name, en, es) char en_##name[sizeof en], es_##name[sizeof es];
#define SENTENCE_TEXTS(name, en, es) en, es,
#define SENTENCE_OFFSETS(name, en, es)                                                             \
    {offsetof(struct sentences, en_##name), offsetof(struct sentences, es_##name)},

struct sentences {
    SENTENCES(SENTENCE_MEMBERS)
};
static const struct sentences sentences = {SENTENCES(SENTENCE_TEXTS)};
static const unsigned short offsets[SAY_COUNT][LANGUAGE_COUNT] = {SENTENCES(SENTENCE_OFFSETS)};
_Static_assert(sizeof sentences <= 65535, "offsets are short");

const char *sentence_text(enum sentence sentence, enum language language)
{
    return (const char *)&sentences + offsets[sentence][language];
}

enum language sentence_language(void)
{
    static const char names[][16] = {"SOCKCTL_LANG", "LC_ALL", "LC_MESSAGES", "LANG"};
    const char *word = NULL;
    for (size_t i = 0; i < sizeof names / sizeof *names && !(word && *word); i++)
        word = getenv(names[i]);
    const bool is_spanish = word && strncmp(word, "es", 2) == 0 &&
                            (!word[2] || strchr("_.@", word[2]));
    return is_spanish ? LANGUAGE_ES : LANGUAGE_EN;
}
