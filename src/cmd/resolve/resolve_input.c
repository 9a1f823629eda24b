#include "cmd/resolve/resolve_input.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The next byte of stdin, or EOF. Not getc(3): a thread that waits in it for a terminal would hold up
 * exit(3), which wants stdin's lock. */
static int next_byte(struct resolve_input *input)
{
    while (input->at == input->end) {
        ssize_t length = read(STDIN_FILENO, input->block, sizeof input->block);
        if (length < 0 && errno == EINTR)
            continue;
        if (length < 0)
            input->errnum = errno;
        if (length <= 0)
            return EOF;
        input->at = 0;
        input->end = (size_t)length;
    }
    return (unsigned char)input->block[input->at++];
}

static bool is_blank(int c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

/* A line of stdin without the blanks around it; of one that is longer than any name, the
 * beginning. */
static bool read_line(struct resolve_input *input, char *line, size_t room, size_t *length)
{
    int c = next_byte(input);
    if (c == EOF)
        return false;
    for (*length = 0; c != EOF && c != '\n'; c = next_byte(input))
        if (*length + 1 < room && (*length || !is_blank(c)))
            line[(*length)++] = (char)c;
    while (*length && is_blank(line[*length - 1]))
        --*length;
    line[*length] = '\0';
    return true;
}

static struct resolve_answer *next_line(struct resolve_input *input)
{
    enum { LINE_ROOM = 1024 };
    char line[LINE_ROOM];
    size_t length;
    while (read_line(input, line, sizeof line, &length))
        if (length)
            return resolve_answer_new(line, length);
    return NULL;
}

struct resolve_answer *resolve_input_next(struct resolve_input *input)
{
    while (!input->errnum && *input->words) {
        const char *word = *input->words;
        const bool is_stdin = strcmp(word, "-") == 0;
        struct resolve_answer *line = is_stdin ? next_line(input) : NULL;
        if (line)
            return line;
        input->words++;
        if (!is_stdin)
            return resolve_answer_new(word, strlen(word));
    }
    return NULL;
}
