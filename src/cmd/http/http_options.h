/*
 * The options of http-get.
 */
#ifndef CMD_HTTP_HTTP_OPTIONS_H
#define CMD_HTTP_HTTP_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "cli/opt.h"
#include "cmd/common/connect_retry.h"
#include "cmd/common/options.h"

struct http_options {
    /* What is asked. */
    struct family_options family;
    bool head; /* HEAD: the head alone */
    bool http10;
    bool http09;
    const char *user_agent; /* empty: not sent */
    const char *referer;
    char *user; /* may be "@FILE" until it is read, as `proxy` below */
    struct opt_list cookies;
    const char *range;
    struct opt_list fields;
    /* Whom. */
    const char *unix_path;
    char *proxy; /* empty: none, whatever the environment says */
    struct opt_list pinned;
    struct via_options via;
    int send_proxy; /* the version of the PROXY header; 0: none */
    bool location;  /* redirects are followed */
    int64_t max_redirs;
    int64_t retries;
    /* How long, and how fast. */
    int64_t connect_timeout_ms; /* -1: no limit, as of the other two */
    int64_t idle_ms;
    int64_t max_time_ms;
    uint64_t rate;         /* 0: no limit */
    uint64_t speed_limit;  /* likewise */
    int64_t speed_time_ms; /* -1: not given */
    /* Where it goes. */
    bool include; /* the head is printed, too */
    bool fail;    /* no body with a status of 400 and above */
    const char *output;
    bool remote_name;
    bool resume;
    const char *sha256;
    /* What is logged. */
    bool silent;
    bool progress;
    int timing; /* OPT_TIMING_… */
    bool log_json;
    bool explain;
};

#endif
