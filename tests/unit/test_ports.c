/*
 * Lists of ports.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/ports.h"

static int tests, failures;

static void check(bool fits, const char *what)
{
    failures += !fits;
    printf("%s %d - %s\n", fits ? "ok" : "not ok", ++tests, what);
}

static const struct {
    const char *text;
    const char *ports; /* "22 80 81"; NULL: it is wrong */
} cases[] = {
    {"22,80", "22 80"},
    {"1-3", "1 2 3"},
    {"22,8000-8002,1", "22 8000 8001 8002 1"},
    {"5-5,5", "5 5"},
    {"65535", "65535"},
    {"65534-65535", "65534 65535"},
    {"00080,1", "80 1"},
    {"", NULL},
    {",", NULL},
    {"-", NULL},
    {"1,", NULL},
    {",1", NULL},
    {"1,,2", NULL},
    {"1-", NULL},
    {"-1", NULL},
    {"1-2-3", NULL},
    {"3-1", NULL},
    {"0", NULL},
    {"0-5", NULL},
    {"1-65536", NULL},
    {"65536", NULL},
    {"000080", NULL},
    {"99999999999999999999", NULL},
    {"1, 2", NULL},
    {"1;2", NULL},
    {"http,80", NULL},
    {"1-65535,1-65535,1-65535,1-65535,1-65535", NULL},
};

static bool agree(const struct ports *ports, const char *expected)
{
    char text[128] = "";
    for (size_t i = 0; i < ports->count; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), i ? " %u" : "%u",
                 ports->numbers[i]);
    return strcmp(text, expected) == 0;
}

static const struct {
    const char *text;
    bool is_list;
} lists[] = {{"1,2", true}, {"1-2", true},   {",", true},         {"80", false},
             {"", false},   {"http", false}, {"ftp-data", false}, {"1,http", false}};

int main(void)
{
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ports ports;
        const char *wrong = ports_parse(&ports, cases[i].text);
        check(cases[i].ports ? !wrong && agree(&ports, cases[i].ports)
                             : wrong && !ports.numbers && !ports.count,
              cases[i].text);
        free(ports.numbers);
    }
    struct ports all;
    check(!ports_parse(&all, "1-65535,1-65535") && all.count == 131070, "every port, twice");
    free(all.numbers);
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        check(ports_is_list(lists[i].text) == lists[i].is_list, lists[i].text);
    printf("1..%d\n", tests);
    return failures > 0;
}
