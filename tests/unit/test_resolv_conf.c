/*
 * resolv.conf: what counts, what is passed over.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dns/resolv_conf.h"

static const struct {
    const char *name;
    const char *text;
    const char *shown; /* servers | search | ndots timeout attempts rotate tcp */
} cases[] = {
    {"nothing", "", "|| 1 5000 2 0 0"},
    {"a server", "nameserver 192.0.2.1\n", "192.0.2.1:53,|| 1 5000 2 0 0"},
    {"without the last line's end", "nameserver ::1", "[::1]:53,|| 1 5000 2 0 0"},
    {"three servers at most",
     "nameserver 192.0.2.1\nnameserver 192.0.2.2\nnameserver 192.0.2.3\nnameserver 192.0.2.4\n",
     "192.0.2.1:53,192.0.2.2:53,192.0.2.3:53,|| 1 5000 2 0 0"},
    {"a server that is no address", "nameserver example.com\nnameserver\nnameserver 1\n",
     "|| 1 5000 2 0 0"},
    {"tabs, blanks and CR", " nameserver\t 192.0.2.1 \r\n", "192.0.2.1:53,|| 1 5000 2 0 0"},
    {"comments", "# nameserver 192.0.2.1\n;nameserver 192.0.2.2\n", "|| 1 5000 2 0 0"},
    {"search", "search one.test two.test\n", "|one.test,two.test,| 1 5000 2 0 0"},
    {"the last of search and domain counts", "search one.test two.test\ndomain three.test four\n",
     "|three.test,| 1 5000 2 0 0"},
    {"an empty search", "search one.test\nsearch\n", "|| 1 5000 2 0 0"},
    {"options", "options ndots:3 timeout:1 attempts:4 rotate use-vc edns0 nonsense\n",
     "|| 3 1000 4 1 1"},
    {"options on two lines", "options ndots:0\noptions rotate\n", "|| 0 5000 2 1 0"},
    {"options beyond their limits", "options ndots:99 timeout:99999999999999999999 attempts:0\n",
     "|| 15 30000 1 0 0"},
    {"options that are no numbers", "options ndots: timeout:-1 attempts:2x\n", "|| 1 5000 2 0 0"},
    {"unknown words", "sortlist 192.0.2.0\nnameservers 192.0.2.1\n\n\n", "|| 1 5000 2 0 0"},
};

static bool is_good(size_t i)
{
    struct resolv_conf conf;
    char shown[1024] = "", name[SOCKNAME_TEXT_MAX];
    FILE *out = fmemopen(shown, sizeof shown, "w");
    resolv_conf_parse(&conf, strdup(cases[i].text));
    for (size_t at = 0; at < conf.server_count; at++)
        fprintf(out, "%s,", sockname_text(&conf.servers[at], name));
    fputs("|", out);
    for (size_t at = 0; at < conf.search_count; at++)
        fprintf(out, "%s,", conf.search[at]);
    fprintf(out, "| %d %d %d %d %d", (int)conf.ndots, (int)conf.timeout_ms, (int)conf.attempts,
            conf.rotate, conf.tcp);
    fclose(out);
    resolv_conf_release(&conf);
    if (strcmp(shown, cases[i].shown) != 0)
        printf("# %s\n", shown);
    return strcmp(shown, cases[i].shown) == 0;
}

int main(void)
{
    int failures = 0;
    size_t count = sizeof cases / sizeof *cases;
    printf("1..%zu\n", count);
    for (size_t i = 0; i < count; i++) {
        bool good = is_good(i);
        failures += !good;
        printf("%s %zu - %s\n", good ? "ok" : "not ok", i + 1, cases[i].name);
    }
    return failures != 0;
}
