/*
 * A pump that is refused a pipe of a useful size, as where the user's share of pipe memory is used up (pipe(7)), copies,
 * and neither keeps the two descriptors that it has closed nor leaves them in the pool: by then they may be those of
 * somebody else's connection. fcntl(2) is the test's own here, and refuses just that.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "stream/pump.h"

enum { BYTES = 100000, SMALL_PIPE = 8192 };

int fcntl(int fd, int command, ...)
{
    (void)fd;
    if (command == F_GETPIPE_SZ)
        return SMALL_PIPE;
    errno = EPERM;
    return -1;
}

int main(void)
{
    static char bytes[BYTES], arrived[BYTES];
    int from[2], to[2];
    const int large = 1 << 20;
    struct pump_pool pool = {0};
    struct pump pump;
    size_t came = 0;
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, from) || socketpair(AF_UNIX, SOCK_STREAM, 0, to))
        return 1;
    setsockopt(from[0], SOL_SOCKET, SO_SNDBUF, &large, sizeof large);
    setsockopt(to[0], SOL_SOCKET, SO_SNDBUF, &large, sizeof large);
    memset(bytes, 'x', sizeof bytes);
    bool well = send(from[0], bytes, sizeof bytes, MSG_DONTWAIT) == BYTES;
    shutdown(from[0], SHUT_WR);
    pump_init(&pump, fd_of_socket(from[1]), fd_of_socket(to[0]), &pool);
    pump_expect_stream(&pump);
    while (well && came < BYTES) {
        pump_move(&pump);
        ssize_t got = recv(to[1], arrived + came, BYTES - came, MSG_DONTWAIT);
        well = got > 0;
        came += well ? (size_t)got : 0;
    }
    well = well && memcmp(arrived, bytes, BYTES) == 0 && pump_move(&pump) == PUMP_ENDED;
    if (!well)
        printf("without a pipe of its own, the pump did not copy\n");
    bool kept = pump.pipe[0] >= 0 || pump.pipe[1] >= 0;
    pump_release(&pump);
    kept = kept || pool.pipe_count;
    if (kept)
        printf("two descriptors that are closed were kept as a pipe\n");
    pump_pool_release(&pool);
    return well && !kept ? 0 : 1;
}
