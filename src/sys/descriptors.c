/*
 * Limits are getrlimit(2)'s. What was inherited is closed by close_range(2) where the kernel has it, else one by one.
 */
#include "sys/descriptors.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef CLOSE_RANGE_CLOEXEC /* libcs older than the call */
#define CLOSE_RANGE_CLOEXEC (1U << 2)
#endif

rlim_t descriptors_allow_max(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return 0;
    rlim_t before = limit.rlim_cur;
    limit.rlim_cur = limit.rlim_max;
    /* Where that fails, the old limit is as good as it gets. */
    return setrlimit(RLIMIT_NOFILE, &limit) < 0 ? 0 : before;
}

int64_t descriptors_max(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur > INT32_MAX)
        return INT32_MAX;
    return (int64_t)limit.rlim_cur;
}

void descriptors_close_on_exec(void)
{
    struct rlimit limit;
#ifdef SYS_close_range
    if (syscall(SYS_close_range, 3U, ~0U, CLOSE_RANGE_CLOEXEC) == 0) /* Linux 5.11 */
        return;
#endif
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return;
    for (int fd = 3; (rlim_t)fd < limit.rlim_cur && fd < INT_MAX; fd++)
        fcntl(fd, F_SETFD, FD_CLOEXEC); /* EBADF of most */
}
