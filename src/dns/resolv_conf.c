/*
 * resolv.conf(5), read as libc reads it, line by line; what makes no sense is passed over.
 */
#include "dns/resolv_conf.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/text.h"
#include "base/units.h"
#include "net/hostname.h"

enum { DNS_PORT = 53 };
#define BLANKS " \t\r"

static void add_server(struct resolv_conf *conf, const char *text)
{
    struct sockname name;
    struct error ignored;
    if (conf->server_count == RESOLV_SERVERS_MAX || !text ||
        hostname_read_literal(text, &name, &ignored) != 1)
        return;
    sockname_set_port(&name, DNS_PORT);
    conf->servers[conf->server_count++] = name;
}

/* The last line that says it counts. */
static void set_search(struct resolv_conf *conf, char *words, size_t max)
{
    char *rest = NULL;
    conf->search_count = 0;
    for (char *word = strtok_r(words, BLANKS, &rest); word && conf->search_count < max;
         word = strtok_r(NULL, BLANKS, &rest))
        conf->search[conf->search_count++] = word;
}

/* Sets a number; beyond the limits it is the nearest one. */
static void set_number(int64_t *value, const char *text, int64_t min, int64_t max)
{
    int64_t number = max;
    if (!text_is_digits(text, strlen(text)))
        return;
    units_number(text, 0, max, &number);
    *value = number < min ? min : number;
}

static void set_option(struct resolv_conf *conf, const char *word)
{
    int64_t seconds = -1;
    if (text_starts_with(word, "ndots:"))
        set_number(&conf->ndots, word + 6, 0, 15);
    else if (text_starts_with(word, "timeout:"))
        set_number(&seconds, word + 8, 1, 30);
    else if (text_starts_with(word, "attempts:"))
        set_number(&conf->attempts, word + 9, 1, 5);
    else if (strcmp(word, "rotate") == 0)
        conf->rotate = true;
    else if (strcmp(word, "use-vc") == 0)
        conf->tcp = true;
    if (seconds > 0)
        conf->timeout_ms = seconds * 1000;
}

static void read_line(struct resolv_conf *conf, char *line)
{
    char *rest = NULL;
    const char *keyword = strchr("#;", *line) ? NULL : strtok_r(line, BLANKS, &rest);
    if (!keyword)
        return;
    if (strcmp(keyword, "nameserver") == 0)
        add_server(conf, strtok_r(NULL, BLANKS, &rest));
    else if (strcmp(keyword, "search") == 0)
        set_search(conf, rest, RESOLV_DOMAINS_MAX);
    else if (strcmp(keyword, "domain") == 0)
        set_search(conf, rest, 1);
    else if (strcmp(keyword, "options") == 0)
        for (char *word; (word = strtok_r(NULL, BLANKS, &rest));)
            set_option(conf, word);
}

void resolv_conf_parse(struct resolv_conf *conf, char *text)
{
    char *rest = NULL;
    *conf = (struct resolv_conf){.text = text, .ndots = 1, .timeout_ms = 5000, .attempts = 2};
    for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
        read_line(conf, line);
}

void resolv_conf_read(struct resolv_conf *conf)
{
    enum { FILE_MAX = 65536, HOST_MAX = 256 };
    char *text = memory_new(FILE_MAX + 1 + HOST_MAX, 1), *host = text + FILE_MAX + 1;
    FILE *file = fopen("/etc/resolv.conf", "re");
    if (file) {
        text[fread(text, 1, FILE_MAX, file)] = '\0';
        fclose(file);
    }
    resolv_conf_parse(conf, text);
    if (!conf->search_count && gethostname(host, HOST_MAX - 1) == 0) {
        char *dot = strchr(host, '.'); /* "machine.example.com" */
        if (dot)
            set_search(conf, dot + 1, 1);
    }
    if (!conf->server_count)
        add_server(conf, "127.0.0.1");
}

void resolv_conf_release(struct resolv_conf *conf)
{
    free(conf->text);
    conf->text = NULL;
}
