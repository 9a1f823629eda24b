/*
 * See probe_show.h. The text is put together in memory and written from the loop, since stdout may block.
 */
#include "cmd/connect/probe_show.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "cli/json.h"
#include "net/address.h"
#include "sys/unblocked.h"

bool finding_is_open(const struct finding *finding)
{
    return finding->known && finding->answer == PORT_PROBE_OPEN;
}

const char *finding_host(const struct address *address, char *out)
{
    if (address->kind != ADDRESS_INET)
        return address_text(address, false, out);
    return *address->host ? address->host : "localhost";
}

static const char *word_of(const struct finding *finding)
{
    static const char *const words[] = {[PORT_PROBE_OPEN] = "open",
                                        [PORT_PROBE_CLOSED] = "closed",
                                        [PORT_PROBE_SILENT] = "no answer",
                                        [PORT_PROBE_UNASKED] = "not probed"};
    return words[finding->answer];
}

static unsigned port_of(const struct findings *findings, const struct finding *finding)
{
    return finding->port ? finding->port : findings->port;
}

static void show_line(FILE *out, const struct findings *findings, const struct finding *finding,
                      bool detailed)
{
    char text[ADDRESS_TEXT_MAX];
    fputs(finding_host(findings->address, text), out);
    if (findings->address->kind == ADDRESS_INET)
        fprintf(out, " %u", port_of(findings, finding));
    fprintf(out, " %s", word_of(finding));
    if (detailed)
        fprintf(out, " %.2f ms%s%s", (double)finding->took_us / 1000, finding->reason ? ": " : "",
                finding->reason ? finding->reason : "");
    putc('\n', out);
}

static void show_object(FILE *out, const struct findings *findings, const struct finding *finding)
{
    char text[ADDRESS_TEXT_MAX];
    const char *host = finding_host(findings->address, text);
    fputs("{\"host\": ", out);
    json_string(out, host, strlen(host));
    if (findings->address->kind == ADDRESS_INET)
        fprintf(out, ", \"port\": %u", port_of(findings, finding));
    fprintf(out, ", \"state\": \"%s\", \"ms\": %.3f", word_of(finding),
            (double)finding->took_us / 1000);
    if (finding->reason) {
        fputs(", \"reason\": ", out);
        json_string(out, finding->reason, strlen(finding->reason));
    }
    putc('}', out);
}

static void show_lines(FILE *out, const struct findings *findings, bool detailed)
{
    for (size_t i = 0; i < findings->count; i++) {
        const struct finding *finding = &findings->each[i];
        if (finding->known && (detailed || finding_is_open(finding)))
            show_line(out, findings, finding, detailed);
    }
}

static void show_array(FILE *out, const struct findings *findings)
{
    const char *before = "[";
    for (size_t i = 0; i < findings->count; i++) {
        if (!findings->each[i].known)
            continue;
        fputs(before, out);
        show_object(out, findings, &findings->each[i]);
        before = ",\n ";
    }
    fputs(*before == '[' ? "[]\n" : "]\n", out);
}

int findings_show(const struct findings *findings, struct loop *loop, bool json, bool detailed,
                  struct error *err)
{
    char *text = NULL;
    size_t length;
    FILE *out = open_memstream(&text, &length);
    if (!out)
        memory_impossible("out of memory");
    if (json)
        show_array(out, findings);
    else
        show_lines(out, findings, detailed);
    if (fclose(out))
        memory_impossible("out of memory");
    int result = unblocked_write(loop, fd_stdout(), text, length);
    int failure = errno;
    free(text);
    if (result == 0 || failure == ECANCELED)
        return result;
    return failure == EPIPE ? error_silent(err, STATUS_LOCAL_IO)
                            : error_system(err, STATUS_LOCAL_IO, failure, "write to stdout");
}
