/*
 * Networks: what is one, which addresses it has, and that a set finds what a look at each of its
 * networks finds.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/hostname.h"
#include "net/network.h"

static const struct {
    const char *network; /* or several, with spaces between */
    const char *address;
    bool has;
} cases[] = {
    {"127.0.0.1", "127.0.0.1", true},
    {"127.0.0.1", "127.0.0.2", false},
    {"127.0.0.1/32", "127.0.0.1", true},
    {"127.0.0.1/32", "127.0.0.0", false},
    {"10.0.0.0/8", "10.255.255.255", true},
    {"10.0.0.0/8", "11.0.0.0", false},
    {"10.0.0.0/8", "9.255.255.255", false},
    {"10.20.30.40/8", "10.1.2.3", true},
    {"10.0.0.0/9", "10.127.0.1", true},
    {"10.0.0.0/9", "10.128.0.1", false},
    {"192.168.1.128/25", "192.168.1.127", false},
    {"192.168.1.128/31", "192.168.1.129", true},
    {"192.168.1.128/31", "192.168.1.130", false},
    {"0.0.0.0/0", "255.255.255.255", true},
    {"0.0.0.0/0", "0.0.0.0", true},
    {"1.2.3.4/0", "4.3.2.1", true},
    {"0.0.0.0/0", "::1", false},
    {"::/0", "::1", true},
    {"::/0", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", true},
    {"::/0", "127.0.0.1", false},
    {"::/0", "::ffff:127.0.0.1", false},
    {"127.0.0.0/8", "::ffff:127.0.0.1", true},
    {"::ffff:127.0.0.0/104", "127.9.9.9", true},
    {"::ffff:127.0.0.1", "127.0.0.1", true},
    {"::ffff:127.0.0.1/128", "127.0.0.2", false},
    {"::ffff:0:0/96", "8.8.8.8", true},
    {"::1", "::1", true},
    {"::1/128", "::", false},
    {"2001:db8::/32", "2001:db8:ffff::1", true},
    {"2001:db8::/32", "2001:db9::", false},
    {"2001:db8::/127", "2001:db8::1", true},
    {"2001:db8::/127", "2001:db8::2", false},
    {"fe80::/10", "fe80::1", true},
    {"fe80::/10", "fe80::1%lo", true},
    {"fe80::%lo/10", "fe80::1%lo", true},
    {"fe80::%lo/10", "fe80::1", false},
    {"fe80::1%lo", "fe80::1%9999", false},
    {"", "127.0.0.1", false},
    {"10.0.0.0/8 10.1.0.0/16 10.1.2.3", "10.200.0.1", true},
    {"10.1.2.3 10.1.0.0/16 10.0.0.0/8 10.200.0.0/16 11.0.0.0/8", "10.255.0.1", true},
    {"10.1.2.3 10.1.0.0/16", "10.1.255.1", true},
    {"10.1.2.3 10.1.0.0/16", "10.2.0.1", false},
    {"fe80::%lo/10 ::1 127.0.0.1", "127.0.0.1", true},
    {"0.0.0.0/0 ::/0", "::1", true},
};

static const char *const refused[] = {
    "",
    " ",
    "localhost",
    "10",
    "10.0.0",
    "10.0.0.0.0",
    "10.0.0.256",
    "010.0.0.1x",
    "10.0.0.0/",
    "10.0.0.0/33",
    "10.0.0.0/-1",
    "10.0.0.0/+8",
    "10.0.0.0/8x",
    "10.0.0.0/8/8",
    "10.0.0.0/ 8",
    "10.0.0.0/08",
    "0.0.0.0/00",
    "::/064",
    "10/8",
    "127.1",
    "010.0.0.1",
    "0x7f.0.0.1",
    "::/129",
    "::ffff:0:0/95",
    "/8",
    "1.2.3.4:80",
    "[::1]",
    "10.0.0.0/0x8",
    " 10.0.0.1",
    "10.0.0.1 ",
    "::1%",
    "::1%none0",
    "*",
    "10.0.0.0/99999999999999999999",
    "::1%lo%lo",
};

static bool complain(const char *what, const char *text)
{
    printf("%s: '%s'\n", what, text);
    return false;
}

static bool read_address(struct network *address, const char *text)
{
    struct sockname name;
    struct error err;
    return hostname_read_literal(text, &name, &err) == 1 && network_of(address, &name);
}

static bool check(size_t number)
{
    struct networks networks = {.items = NULL};
    struct network network, address;
    char words[128];
    snprintf(words, sizeof words, "%s", cases[number].network);
    for (char *word = strtok(words, " "); word; word = strtok(NULL, " ")) {
        const char *wrong = network_parse(&network, word);
        if (wrong)
            return complain(wrong, word);
        networks_add(&networks, &network);
    }
    networks_settle(&networks);
    bool well = read_address(&address, cases[number].address) &&
                networks_have(&networks, &address) == cases[number].has;
    networks_release(&networks);
    return well || complain("is found or not found wrongly", cases[number].address) ||
           complain("in", cases[number].network);
}

static bool check_refused(const char *text)
{
    struct network network;
    return network_parse(&network, text) || complain("is taken for a network", text);
}

/* Many networks at random, close to each other so that some are in others. */
static bool check_many(void)
{
    enum { COUNT = 500, ASKED = 5000 };
    static struct network all[COUNT];
    struct networks networks = {.items = NULL}, single;
    char text[64];
    bool well = true;
    srand(1);
    for (int i = 0; i < COUNT; i++) {
        snprintf(text, sizeof text, "10.%d.%d.%d/%d", rand() % 8, rand() % 256, rand() % 256,
                 13 + rand() % 20);
        if (network_parse(&all[i], text))
            return complain("is not taken", text);
        networks_add(&networks, &all[i]);
    }
    networks_settle(&networks);
    for (int i = 0; i < ASKED && well; i++) {
        struct network address;
        bool has = false;
        snprintf(text, sizeof text, "10.%d.%d.%d", rand() % 9, rand() % 256, rand() % 256);
        well = read_address(&address, text);
        for (size_t at = 0; at < COUNT && !has; at++) {
            single = (struct networks){.items = &all[at], .count = 1};
            has = networks_have(&single, &address);
        }
        well = well && networks_have(&networks, &address) == has;
    }
    networks_release(&networks);
    return well || complain("is found or not found wrongly among many", text);
}

int main(void)
{
    bool well = check_many();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        well &= check(i);
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        well &= check_refused(refused[i]);
    return well ? 0 : 1;
}
