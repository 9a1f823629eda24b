#include "cmd/probe_show.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/json.h"
#include "net/address_text.h"

bool finding_is_open(const struct finding *finding)
{
    return finding->known && finding->answer == KNOCK_OPEN;
}

const char *finding_host(const struct address *address, char *out)
{
    if (address->kind != ADDRESS_INET)
        return address_text(address, false, out);
    return *address->host ? address->host : "localhost";
}

static const char *word_of(const struct finding *finding)
{
    static const char *const words[] = {[KNOCK_OPEN] = "open",
                                        [KNOCK_CLOSED] = "closed",
                                        [KNOCK_SILENT] = "no answer",
                                        [KNOCK_UNASKED] = "not probed"};
    return words[finding->answer];
}

static unsigned port_of(const struct findings *findings, const struct finding *finding)
{
    return finding->port ? finding->port : findings->port;
}

static void show_line(const struct findings *findings, const struct finding *finding, bool detailed)
{
    char text[ADDRESS_TEXT_MAX];
    fputs(finding_host(findings->address, text), stdout);
    if (findings->address->kind == ADDRESS_INET)
        printf(" %u", port_of(findings, finding));
    printf(" %s", word_of(finding));
    if (detailed)
        printf(" %.2f ms%s%s", (double)finding->took_us / 1000, finding->reason ? ": " : "",
               finding->reason ? finding->reason : "");
    putchar('\n');
}

static void show_object(const struct findings *findings, const struct finding *finding)
{
    char text[ADDRESS_TEXT_MAX];
    const char *host = finding_host(findings->address, text);
    fputs("{\"host\": ", stdout);
    json_string(stdout, host, strlen(host));
    if (findings->address->kind == ADDRESS_INET)
        printf(", \"port\": %u", port_of(findings, finding));
    printf(", \"state\": \"%s\", \"ms\": %.3f", word_of(finding), (double)finding->took_us / 1000);
    if (finding->reason) {
        fputs(", \"reason\": ", stdout);
        json_string(stdout, finding->reason, strlen(finding->reason));
    }
    putchar('}');
}

static void show_lines(const struct findings *findings, bool detailed)
{
    for (size_t i = 0; i < findings->count; i++) {
        const struct finding *finding = &findings->each[i];
        if (finding->known && (detailed || finding_is_open(finding)))
            show_line(findings, finding, detailed);
    }
}

static void show_array(const struct findings *findings)
{
    const char *before = "[";
    for (size_t i = 0; i < findings->count; i++) {
        if (!findings->each[i].known)
            continue;
        fputs(before, stdout);
        show_object(findings, &findings->each[i]);
        before = ",\n ";
    }
    puts(*before == '[' ? "[]" : "]");
}

int findings_show(const struct findings *findings, bool json, bool detailed, struct error *err)
{
    if (json)
        show_array(findings);
    else
        show_lines(findings, detailed);
    if (fflush(stdout) == 0 && !ferror(stdout))
        return 0;
    return errno == EPIPE ? error_silent(err, STATUS_LOCAL_IO)
                          : error_system(err, STATUS_LOCAL_IO, errno, "write to stdout");
}
