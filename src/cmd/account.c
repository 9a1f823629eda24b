#include "cmd/account.h"

#include <errno.h>

#include "base/message.h"
#include "io/loop.h"
#include "net/sock.h"

bool account_is_wanted(void)
{
    return message_setting.verbosity >= MESSAGE_STORY || report_is_objects();
}

void account_open(struct account *account, int fd, const struct sockname *peer)
{
    struct sockname local;
    account->fd = fd;
    if (!account->began_ms)
        account->began_ms = loop_now_ms();
    sockname_text(peer, account->peer);
    if (report_is_objects() && sock_name(fd, &local) == 0)
        sockname_text(&local, account->local);
}

void account_accept(struct account *account, int fd, const struct sockname *peer)
{
    account_open(account, fd, peer);
    report_accepted(account->peer, account->local);
}

void account_close(const struct account *account, struct report_end end)
{
    struct sock_tcp tcp;
    end.peer = account->peer;
    end.local = account->local;
    end.lasted_ms = account->began_ms ? loop_now_ms() - account->began_ms : 0;
    if ((account->stats || report_is_objects()) && sock_tcp(account->fd, &tcp) == 0) {
        end.has_tcp = true;
        end.rtt_us = tcp.rtt_us;
        end.retransmits = tcp.retransmits;
    }
    report_closed(&end);
    if (account->stats)
        report_stats(&end);
}

enum report_how account_how_failed(int errnum)
{
    switch (errnum) {
    case ECONNRESET:
    case ECONNREFUSED:
    case ECONNABORTED:
    case EPIPE:
        return REPORT_RESET;
    case 0:
    case ETIMEDOUT:
        return REPORT_TIMEOUT;
    default:
        return REPORT_ERROR;
    }
}

enum report_how account_how(int result, const struct error *err)
{
    if (result == 0)
        return REPORT_EOF;
    if (err->signal_number)
        return REPORT_SIGNAL;
    if (err->status == STATUS_TIMEOUT)
        return REPORT_TIMEOUT;
    return err->status == STATUS_TRANSFER ? account_how_failed(err->errnum) : REPORT_ERROR;
}
