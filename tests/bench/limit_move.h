/*
 * How the limit programs move a stream: by copying, or by splice(2). Each includes it once.
 */
#ifndef LIMIT_MOVE_H
#define LIMIT_MOVE_H

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PIPE = 1 << 20, BUFFER = 256 * 1024 };

static char buffer[BUFFER];

static void check(int fine)
{
    if (!fine)
        _exit(1);
}

static void copy(int in, int out)
{
    for (ssize_t got; (got = read(in, buffer, sizeof buffer)) != 0;) {
        check(got > 0);
        for (ssize_t done = 0, wrote; done < got; done += wrote) {
            wrote = write(out, buffer + done, (size_t)(got - done));
            check(wrote > 0);
        }
    }
}

static int is_pipe(int fd)
{
    struct stat status;
    return fstat(fd, &status) == 0 && S_ISFIFO(status.st_mode);
}

static void splice_through(int in, int out)
{
    int between[2];
    check(pipe(between) == 0);
    fcntl(between[1], F_SETPIPE_SZ, PIPE);
    for (ssize_t got; (got = splice(in, NULL, between[1], NULL, PIPE, SPLICE_F_MOVE)) != 0;) {
        check(got > 0);
        while (got > 0) {
            ssize_t moved = splice(between[0], NULL, out, NULL, (size_t)got, SPLICE_F_MOVE);
            check(moved > 0);
            got -= moved;
        }
    }
}

static void splice_all(int in, int out)
{
    if (!is_pipe(in) && !is_pipe(out)) {
        splice_through(in, out);
        return;
    }
    fcntl(is_pipe(in) ? in : out, F_SETPIPE_SZ, PIPE);
    for (ssize_t moved; (moved = splice(in, NULL, out, NULL, PIPE, SPLICE_F_MOVE)) != 0;)
        check(moved > 0);
}

#endif
