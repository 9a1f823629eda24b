/*
 * See explanation.h. The table is for a person, so that its width is the terminal's. The reasons are cut down to the numbers
 * of their rules before it is given up for a paragraph for each address.
 */
#include "cmd/resolve/explanation.h"

#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "cli/colour.h"
#include "cli/report.h"

enum { NUMBER, ADDRESS, FROM, PRECEDENCE, LABEL, SCOPE, SOURCE, WHY, COLUMNS };
enum { GAP = 2, LINE_MAX_BYTES = 1024 };

static const char own_order[] = "the resolver's own order";

/* A row of the table. */
struct row {
    char cells[COLUMNS][PROVENANCE_TEXT_MAX];
};

const char *explanation_host(const struct sockname *address, char *out)
{
    if (getnameinfo((const struct sockaddr *)(const void *)&address->storage, address->length, out,
                    SOCKNAME_TEXT_MAX, NULL, 0, NI_NUMERICHOST))
        memcpy(out, "?", 2);
    return out;
}

static const char *why_here(const struct resolve_answer *answer, size_t i)
{
    const char *rule = answer->reasons[i].rule;
    return !i ? "first" : rule ? rule : own_order;
}

const char *explanation_place(const struct resolve_answer *answer, size_t i, char *out)
{
    const struct resolve_reason *reason = &answer->reasons[i];
    int used = snprintf(out, EXPLANATION_MAX, "precedence %u, label %u, scope %u, source %s; ",
                        reason->precedence, reason->label, reason->scope, reason->source);
    if (i) {
        char before[SOCKNAME_TEXT_MAX];
        used += snprintf(out + used, EXPLANATION_MAX - (size_t)used, "after %s by ",
                         sockname_host(&answer->names.addresses.names[i - 1], before));
    }
    snprintf(out + used, EXPLANATION_MAX - (size_t)used, "%s", why_here(answer, i));
    return out;
}

static void row_fill(struct row *row, const struct resolve_answer *answer, size_t i, bool brief)
{
    const struct resolve_reason *reason = &answer->reasons[i];
    const char *why = why_here(answer, i);
    const char *more = brief ? strchr(why, '(') : NULL; /* "rule 6 (higher precedence)" */
    const int length = more ? (int)(more - why) - 1 : (int)strlen(why);
    const size_t room = sizeof *row->cells;
    snprintf(row->cells[NUMBER], room, "%zu", i + 1);
    explanation_host(&answer->names.addresses.names[i], row->cells[ADDRESS]);
    snprintf(row->cells[FROM], room, "%s", answer->origins[i].text);
    snprintf(row->cells[PRECEDENCE], room, "%u", reason->precedence);
    snprintf(row->cells[LABEL], room, "%u", reason->label);
    snprintf(row->cells[SCOPE], room, "%u", reason->scope);
    snprintf(row->cells[SOURCE], room, "%s", reason->source);
    snprintf(row->cells[WHY], room, "%.*s", length, why);
}

/* Makes the columns as wide as their longest cell. Returns the width of all. */
static int measure(const struct resolve_answer *answer, const struct row *head, bool brief,
                   int *columns)
{
    int width = -GAP;
    for (size_t c = 0; c < COLUMNS; c++)
        columns[c] = (int)strlen(head->cells[c]);
    for (size_t i = 0; i < answer->names.addresses.count; i++) {
        struct row row;
        row_fill(&row, answer, i, brief);
        for (size_t c = 0; c < COLUMNS; c++)
            if ((int)strlen(row.cells[c]) > columns[c])
                columns[c] = (int)strlen(row.cells[c]);
    }
    for (size_t c = 0; c < COLUMNS; c++)
        width += columns[c] + GAP;
    return width;
}

static void row_show(const struct row *row, const int *columns, enum colour colour)
{
    const bool coloured = colour_is_wanted(STDERR_FILENO);
    char line[LINE_MAX_BYTES + COLUMNS * sizeof *row->cells];
    char *at = stpcpy(line, colour_begin(coloured, colour));
    for (size_t c = 0; c < COLUMNS; c++) {
        const bool is_number = c == NUMBER || (c >= PRECEDENCE && c <= SCOPE);
        const int width = c == WHY ? 0 : columns[c];
        at += sprintf(at, "%*s%*s", c ? GAP : 0, "", is_number ? width : -width, row->cells[c]);
    }
    at = stpcpy(stpcpy(at, colour == COLOUR_NONE ? "" : colour_end(coloured)), "\n");
    log_write(line, (size_t)(at - line));
}

/* Writes a paragraph for an address. */
static void show_paragraph(const struct resolve_answer *answer, size_t i)
{
    const struct resolve_reason *reason = &answer->reasons[i];
    char host[SOCKNAME_TEXT_MAX], line[LINE_MAX_BYTES];
    int length = snprintf(line, sizeof line,
                          "%zu  %s\n   from %s\n   precedence %u, label %u, scope %u\n"
                          "   source %s\n   %s\n",
                          i + 1, explanation_host(&answer->names.addresses.names[i], host),
                          answer->origins[i].text, reason->precedence, reason->label, reason->scope,
                          reason->source, why_here(answer, i));
    log_write(line, (size_t)length);
}

void explanation_show(const struct resolve_answer *answer)
{
    static const struct row head = {
        {"#", "address", "from", "precedence", "label", "scope", "source", "why here"}};
    const size_t count = answer->names.addresses.count;
    const bool is_watched = report_is_watched();
    const int width = (int)log_columns();
    char host[SOCKNAME_TEXT_MAX], place[EXPLANATION_MAX];
    int columns[COLUMNS];
    if (!answer->origins || !count)
        return;
    bool brief = measure(answer, &head, false, columns) >= width;
    const bool fits = is_watched && (!brief || measure(answer, &head, true, columns) < width);
    if (fits)
        row_show(&head, columns, COLOUR_HEADING);
    for (size_t i = 0; i < count; i++) {
        struct row row;
        if (fits) {
            row_fill(&row, answer, i, brief);
            row_show(&row, columns, COLOUR_NONE);
        } else if (is_watched) {
            show_paragraph(answer, i);
        } else {
            log_warning("%s: from %s; %s",
                        explanation_host(&answer->names.addresses.names[i], host),
                        answer->origins[i].text, explanation_place(answer, i, place));
        }
    }
}
