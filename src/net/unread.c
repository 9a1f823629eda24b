#include "net/unread.h"

#include <sys/ioctl.h>

#include "net/trace.h"

int unread_memory(int fd)
{
    int bytes = 0;
    /* SIOCOUTQ by the name under which libc knows it. */
    int result = ioctl(fd, TIOCOUTQ, &bytes);
    TRACE(result, "ioctl(%d, SIOCOUTQ, [%d])", fd, bytes);
    return result < 0 ? -1 : bytes;
}
