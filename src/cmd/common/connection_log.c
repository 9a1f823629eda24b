/*
 * See connection_log.h. What is logged goes to cli/report, as a line or as an object; the record holds what that needs
 * from the first moment of a connection to its last.
 */
#include "cmd/common/connection_log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/memory.h"
#include "sys/loop.h"
#include "sys/sock.h"

bool connection_log_is_wanted(void)
{
    return log_setting.verbosity >= LOG_LEVEL_INFO || report_is_objects();
}

char *connection_log_name(int fd, const struct sockname *peer, char *out)
{
    struct ucred credentials;
    sockname_text(peer, out);
    if (peer->storage.ss_family != AF_UNIX || strcmp(out, "unix:(unnamed)") != 0 ||
        report_is_objects() || sock_credentials(fd, &credentials) < 0 || credentials.pid <= 0)
        return out;
    snprintf(out, SOCKNAME_TEXT_MAX, "unix:(pid %d, uid %u)", (int)credentials.pid,
             (unsigned)credentials.uid);
    return out;
}

void connection_log_open(struct connection_log *log, int fd, const struct sockname *peer)
{
    struct sockname local;
    log->fd = fd;
    if (!log->began_ms)
        log->began_ms = loop_now_ms();
    connection_log_name(fd, peer, log->peer);
    if (report_is_objects() && sock_name(fd, &local) == 0) {
        local.protocol = peer->protocol;
        sockname_text(&local, log->local);
    }
}

void connection_log_accept(struct connection_log *log, int fd, const struct sockname *peer)
{
    connection_log_open(log, fd, peer);
    report_accepted(log->peer, log->local);
}

void connection_log_close(const struct connection_log *log, struct report_end end)
{
    struct sock_tcp tcp;
    end.peer = log->peer;
    end.local = log->local;
    end.lasted_ms = log->began_ms ? loop_now_ms() - log->began_ms : 0;
    if ((log->stats || report_is_objects()) && sock_tcp(log->fd, &tcp) == 0) {
        end.has_tcp = true;
        end.rtt_us = tcp.rtt_us;
        end.retransmits = tcp.retransmits;
    }
    report_closed(&end);
    if (log->stats)
        report_stats(&end);
}

struct connection_log *connection_log_new(int fd, const struct sockname *peer)
{
    if (!connection_log_is_wanted())
        return NULL;
    struct connection_log *log = memory_new(1, sizeof *log);
    connection_log_accept(log, fd, peer);
    return log;
}

void connection_log_end(struct connection_log *log, struct report_end end)
{
    if (log)
        connection_log_close(log, end);
    free(log);
}

enum report_how connection_log_how_failed(int errnum)
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

enum report_how connection_log_how(int result, const struct error *err)
{
    if (result == 0)
        return REPORT_EOF;
    if (err->signal_number)
        return REPORT_SIGNAL;
    if (err->status == STATUS_TIMEOUT)
        return REPORT_TIMEOUT;
    return err->status == STATUS_TRANSFER ? connection_log_how_failed(err->errnum) : REPORT_ERROR;
}
