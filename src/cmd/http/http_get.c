/*
 * sockctl http-get: the body of a URL goes to stdout, or to a file when it is complete. `run` reads the secrets,
 * checks the options and all URLs (http_target), and then fetches one after the other (http_fetch)
 * over connections that are kept and into one output.
 */
#include <string.h>

#include "base/memory.h"
#include "base/sha256.h"
#include "base/text.h"
#include "cli/explain.h"
#include "cli/report.h"
#include "cmd/common/limit.h"
#include "cmd/common/secret.h"
#include "cmd/http/http_fetch.h"
#include "cmd/http/http_options.h"
#include "cmd/http/http_sandbox.h"
#include "cmd/http/http_target.h"
#include "command.h"
#include "net/proxy.h"
#include "proto/http_range.h"
#include "proto/http_request.h"
#include "proto/url.h"

#define ROW(entry, name, kind, field, help) OPT(entry, name, kind, struct http_options, field, help)
#define VALUE(entry, name, kind, metavar, field, help)                                             \
    OPT_VALUE(entry, name, kind, metavar, struct http_options, field, help)

/* It is read before the operands are counted: -r, with no RANGE, has taken the URL. */
static const char *read_range(char *text, void *field)
{
    const char **range = field;
    *range = text;
    return http_range_is_wish(text) ? NULL : "is not a range (0-99, 100-, -50)";
}

#define OPT_CTYPE_range const char *
static const struct opt_type opt_range = {.metavar = "RANGE", .read = read_range};

static const struct opt options[] = {
    OPT_GROUP("request", "Request"),
    ROW('I', "head", flag, head, "ask for the head alone, and print it"),
    VALUE('H', "header", fields, "NAME:VALUE", fields, "send this field"),
    ROW('A', "user-agent", text, user_agent, "send TEXT as User-Agent; empty: none"),
    VALUE('e', "referer", text, "URL", referer, "send URL as Referer"),
    VALUE('u', "user", secret, "NAME:PASS", user, "send basic credentials; @FILE: those in FILE"),
    VALUE('b', "cookie", fields, "NAME=VALUE", cookies, "send this Cookie"),
    ROW('r', "range", range, range, "ask for these bytes alone (0-99, 100-, -50)"),
    ROW('L', "location", flag, location, "follow redirects"),
    ROW(0, "max-redirs", amount, max_redirs, "at most N of them (10)"),
    ROW('0', "http1.0", flag, http10, "ask in HTTP/1.0"),
    ROW(0, "http0.9", flag, http09, "ask with the bare GET /PATH; print whatever comes"),
    GROUP_OUTPUT,
    ROW('o', "output", file, output, "write to FILE, once all is there"),
    ROW('O', "remote-name", flag, remote_name, "write to a file named like the end of the URL"),
    ROW('C', "continue", flag, resume, "fetch only what FILE does not have yet"),
    VALUE(0, "sha256", text, "HEX", sha256, "fail unless this is the body's SHA-256"),
    ROW('i', "include", flag, include, "print the head of the answer, too"),
    ROW('f', "fail", flag, fail, "no body with a status of 400 and above"),
    ROW('s', "silent", flag, silent, "no warnings, no progress"),
    ROW('#', "progress", flag, progress, "a live line on stderr, whatever stdout is"),
    OPT_WITH(0, "timing", timing, struct http_options, timing, OPT_OPTIONAL,
             "show where the time went, as a chart or json"),
    OPT_GROUP("connection", "Connection"),
    FAMILY_ONLY_ROWS(struct http_options, family),
    ROW('U', "unix-socket", file, unix_path, "connect to the UNIX socket FILE"),
    ROW('x', "proxy", proxy, proxy, "through the proxy [socks5://]HOST:PORT; @FILE; empty: none"),
    VALUE(0, "resolve", list, "HOST:PORT:ADDR", pinned, "connect to ADDR for that host and port"),
    VIA_ROWS(struct http_options, via, VIA_MODES),
    TLS_ROWS(struct http_options, via, VIA_MODES),
    SEND_PROXY_ROW(struct http_options, send_proxy, OPT_ALL),
    GROUP_LIMITS,
    ROW('m', "max-time", limit, max_time_ms, "limit for the whole command"),
    ROW(0, "connect-timeout", limit, connect_timeout_ms, "limit for each connection"),
    ROW(0, "idle-timeout", limit, idle_ms, "end when nothing moved for TIME"),
    ROW('Y', "speed-limit", size, speed_limit, "end when slower than SIZE bytes a second"),
    ROW('y', "speed-time", duration, speed_time_ms, "how long -Y lasts (30 s); without -Y: 1 byte"),
    ROW(0, "retry", amount, retries, "try N times more, where that makes sense"),
    ROW(0, "limit-rate", size, rate, "at most SIZE bytes of a body a second"),
    EXPLAIN_ROW(struct http_options, explain),
    LOG_ROWS(struct http_options, log_json),
    OPT_END,
};

static const struct http_options defaults = {
    .family = FAMILY_DEFAULTS,
    .user_agent = "sockctl/" SOCKCTL_VERSION,
    .max_redirs = -1,
    .connect_timeout_ms = -1,
    .idle_ms = -1,
    .max_time_ms = -1,
    .speed_time_ms = -1,
};

/* Where --max-redirs does not say otherwise. */
enum { REDIRECTS_MAX = 10 };

static int check_value(const char *name, const char *value, struct error *err)
{
    const char *wrong = value ? http_request_check_value(value) : NULL;
    return wrong ? error_set(err, STATUS_USAGE, "option --%s: its value %s", name, wrong) : 0;
}

/* Checks what goes into the fields of the request. */
static int check_request_fields(const struct http_options *given, struct error *err)
{
    struct url url;
    if (check_value("user-agent", given->user_agent, err) ||
        check_value("referer", given->referer, err) || check_value("user", given->user, err))
        return -1;
    if (given->user && !strchr(given->user, ':'))
        return error_set(err, STATUS_USAGE,
                         "option --user: the password is missing: NAME:PASS, or NAME: for an empty "
                         "one");
    /* RFC 9110, 10.1.3. */
    if (given->referer && !url_parse(&url, given->referer) && url.userinfo.length)
        return error_set(err, STATUS_USAGE, "option --referer: leave USER:PASS@ out of its value");
    for (size_t i = 0; i < given->cookies.count; i++) {
        const char *cookie = given->cookies.items[i];
        if (check_value("cookie", cookie, err))
            return -1;
        if (*cookie && !strchr(cookie, '=')) /* curl's FILE */
            return error_set(err, STATUS_USAGE,
                             "option --cookie: '%.100s' is not NAME=VALUE; sockctl reads no files "
                             "of cookies",
                             cookie);
    }
    for (size_t i = 0; i < given->fields.count; i++) {
        const char *field = given->fields.items[i], *wrong = http_request_check_field(field);
        /* What follows a field's name may be a secret, and is not shown. */
        size_t length = http_request_name_length(field);
        const char *rest = field[length] == ':' ? ": ..." : field[length] ? "..." : "";
        if (wrong)
            return error_set(err, STATUS_USAGE, "option --header: '%.*s%s' %s",
                             length < 100 ? (int)length : 100, field, rest, wrong);
    }
    return 0;
}

/* Two of these cannot both be. */
static const char *find_conflict(const struct http_options *given, int urls)
{
    bool file = given->remote_name || (given->output && strcmp(given->output, "-") != 0);
    bool partly = given->include || given->head || given->range;
    const struct {
        bool one, other;
        const char *why;
    } conflicts[] = {
        {given->output, urls > 1, "--output takes one URL"},
        {given->sha256, urls > 1, "--sha256 takes one URL"},
        {given->max_redirs >= 0, !given->location, "option --max-redirs is for --location"},
        {given->silent, given->progress, "options --silent and --progress exclude each other"},
        {given->unix_path, given->proxy && *given->proxy,
         "--unix-socket and --proxy are two ways to the server"},
        {given->unix_path, given->pinned.count,
         "option --resolve: with --unix-socket, nothing is looked up"},
        {given->unix_path, given->family.family != AF_UNSPEC,
         "options -4 and -6 are for internet addresses: not with --unix-socket"},
        {given->http09,
         given->fields.count || given->cookies.count || given->referer || given->user ||
             given->range,
         "--http0.9 sends no fields: neither --header, --cookie, --referer, --user nor --range"},
        {given->http09, given->include || given->fail || given->location,
         "--http0.9 has no head and no status: no --include, --fail or --location"},
        {given->rate, given->speed_limit > given->rate,
         "--speed-limit is above --limit-rate: no server could be as fast"},
        {given->output, given->remote_name, "--output and --remote-name are two names"},
        {given->http09, given->head || given->http10,
         "--http0.9 knows neither --head nor --http1.0"},
        {given->sha256, partly, "--sha256 is of a whole body: no --include, --head or --range"},
        {given->resume, !file, "--continue needs --output or --remote-name"},
        {given->resume, partly || given->http09,
         "--continue goes with no --include, --head, --range or --http0.9"},
    };
    for (size_t i = 0; i < sizeof conflicts / sizeof *conflicts; i++)
        if (conflicts[i].one && conflicts[i].other)
            return conflicts[i].why;
    return NULL;
}

/* Checks the options, with so many URLs, before anything is fetched. */
static int check_options(const struct http_options *given, int urls, struct error *err)
{
    const char *conflict = find_conflict(given, urls), *wrong = NULL;
    const char *proxy = given->proxy, *digest = given->sha256;
    struct url url;
    if (conflict)
        return error_set(err, STATUS_USAGE, "%s", conflict);
    if (check_request_fields(given, err))
        return -1;
    if (proxy && *proxy && !proxy_is_socks(proxy))
        wrong = http_target_read_proxy(&url, proxy);
    if (wrong)
        return error_set(err, STATUS_USAGE, "option --proxy: '%.100s' %s", url_redacted(proxy),
                         wrong);
    if (http_target_check_pins(given, err))
        return -1;
    if (digest &&
        (strlen(digest) != SHA256_TEXT || strspn(digest, "0123456789abcdefABCDEF") != SHA256_TEXT))
        return error_set(err, STATUS_USAGE,
                         "option --sha256: '%.100s' is not a digest of 64 hexadecimal digits",
                         digest);
    return 0;
}

/* Tells whether there is `open`, and after it `close`, with `between` in the middle: curl's {a,b} and [1-3]. */
static bool has_glob(const char *word, char open, char between, char close)
{
    const char *at = strchr(word, open), *middle = at ? strchr(at, between) : NULL;
    const char *end = at ? strchr(at, close) : NULL;
    return middle && end && at + 1 < middle && middle < end;
}

/* Says whether the word is a lone name of a file, and of no host: none ends so. */
static bool is_file_name(const char *word)
{
    static const char endings[] = " .html .htm .php .txt .json .css .js .xml .png .jpg .gif ";
    const char *dot = strrchr(word, '.');
    char ending[8];
    if (!dot || strpbrk(word, "/:"))
        return false;
    snprintf(ending, sizeof ending, " %s ", dot);
    return strstr(endings, ending) != NULL;
}

/* Refuses words that are more, or less, than a URL. */
static int check_word(const struct http_options *given, const struct operands *operands, int i,
                      struct error *err)
{
    const char *word = operands->words[i], *shown = url_redacted(word);
    if (text_is_digits(word, strlen(word)) && given->resume && operands->count > 1)
        return error_set(err, STATUS_USAGE,
                         "'%.20s' is no URL (-C takes no value: it goes on where FILE ends; the "
                         "bytes from there on are -r %.20s-)",
                         word, word);
    if (strcmp(word, "-") == 0)
        return error_set(err, STATUS_USAGE,
                         "'-' is no URL (to read URLs from stdin: xargs sockctl http-get)");
    if (text_is_digits(word, strlen(word)))
        return error_set(err, STATUS_USAGE,
                         "'%.10s' is no URL (a port stands behind its host: %.60s:%.10s)", word,
                         i ? url_redacted(operands->words[i - 1]) : "localhost", word);
    if (i && is_file_name(word))
        return error_set(err, STATUS_USAGE,
                         "'%.60s' has no host (a path is part of the URL: %.60s/%.60s)", word,
                         url_redacted(operands->words[i - 1]), word);
    if (has_glob(word, '{', ',', '}') || has_glob(word, '[', '-', ']'))
        return error_set(err, STATUS_USAGE,
                         "URL '%.100s': curl's {a,b} and [1-3] are the shell's here, outside of "
                         "quotes: {a,b} and {1..3}; "
                         "as it is, '{' is %%7B and '[' is %%5B",
                         shown);
    return 0;
}

/* Fetches one URL after the other. One that fails does not keep the next from being fetched, unless there is no
 * output or no time left; the status is that of the first failure. */
static int fetch_all(const struct http_fetch *fetch, const struct operands *operands,
                     struct error *err)
{
    int status = STATUS_OK, result = 0;
    for (int i = 0; i < operands->count; i++) {
        bool last = i + 1 == operands->count;
        result = http_fetch_run(fetch, operands->words[i], last, err);
        if (result == 0)
            continue;
        if (http_fetch_is_over(fetch, err))
            return -1;
        if (status == STATUS_OK)
            status = err->status;
        if (!last)
            report_warning("%s", err->text);
    }
    if (status == STATUS_OK)
        return 0;
    if (result == 0)
        return error_silent(err, status);
    err->status = status;
    return -1;
}

static int fetch_to_output(struct http_sandbox *sandbox, const struct operands *operands,
                           struct loop *loop, struct limit *limit, struct error *err)
{
    const struct http_options *given = sandbox->options;
    struct signals signals;
    struct http_output output;
    struct pump_pool pool = {.pipe_count = 0};
    struct children children = {.loop = NULL};
    struct via via = {.children = &children,
                      .command = given->via.command,
                      .ca = given->via.ca,
                      .insecure = given->via.insecure,
                      .alpn = "http/1.1"};
    struct http_connections connections = {.loop = loop,
                                           .timeout_ms = given->connect_timeout_ms,
                                           .send_proxy = given->send_proxy,
                                           .idle_ms = given->idle_ms,
                                           .via = &via};
    const struct http_fetch fetch = {given, loop, limit, &output, &connections, &pool, sandbox};
    http_output_init(&output, loop, given);
    if (given->output || given->remote_name || connection_log_is_wanted())
        signals_catch(&signals, loop, err);
    int result = fetch_all(&fetch, operands, err);
    struct error failure;
    if (http_output_close(&output, &failure) && result == 0) {
        *err = failure;
        result = -1;
    }
    http_connections_close(&connections);
    via_release(&via);
    children_release(&children);
    pump_pool_release(&pool);
    return result;
}

/* As curl(1) has it: one of both options is enough. */
static void complete_speed(struct http_options *given)
{
    enum { SPEED_TIME_MS = 30000 };
    if (given->speed_time_ms >= 0 && !given->speed_limit)
        given->speed_limit = 1;
    if (given->speed_time_ms < 0)
        given->speed_time_ms = SPEED_TIME_MS;
}

static int run(const void *chosen, const struct operands *operands, struct error *err)
{
    const struct http_options *typed = chosen;
    struct http_options given = *typed;
    struct limit limit;
    int result = 0;
    if (typed->log_json)
        report_as_objects();
    if (typed->explain && explain_begin(&(struct explain_setup){.is_http = true}, err))
        return -1;
    struct loop *loop = loop_new();
    limit_command(&limit, loop, typed->max_time_ms, err);
    given.user = given.proxy = NULL;
    complete_speed(&given);
    if (typed->user)
        result = (given.user = secret_read(loop, "user", typed->user, err)) ? 0 : -1;
    if (!result && typed->proxy)
        result = (given.proxy = secret_read(loop, "proxy", typed->proxy, err)) ? 0 : -1;
    for (int i = 0; !result && i < operands->count; i++)
        result = check_word(&given, operands, i, err);
    if (!result)
        result = check_options(&given, operands->count, err);
    if (given.max_redirs < 0)
        given.max_redirs = REDIRECTS_MAX;
    struct http_sandbox sandbox = {&given, operands->words, .is_off = operands->no_sandbox};
    /* All URLs are looked at before anything is fetched. */
    for (int i = 0; !result && i < operands->count; i++) {
        struct http_target target;
        result = http_target_init(&target, &given, operands->words[i], NULL, err);
        if (!result) {
            http_sandbox_look_at(&sandbox, &target);
            http_target_release(&target);
        }
    }
    if (!result)
        result = fetch_to_output(&sandbox, operands, loop, &limit, err);
    limit_cancel(&limit);
    memory_wipe(given.user);
    memory_wipe(given.proxy);
    loop_free(loop);
    return result;
}

const struct command http_get_command = {
    .name = "http-get",
    .operands = "URL...",
    .summary = "Fetch URLs; the bodies go to stdout, or one to a file",
    .operand_forms = "[http[s]://]HOST[:PORT][/PATH], USER:PASS@HOST, http+unix://SOCKET/PATH",
    .used_most = "output remote-name location header include head fail silent "
                 "max-time retry verbose",
    .examples = "sockctl http-get -L -o page.html http://example.com/\n"
                "sockctl http-get --timing localhost:8080/health",
    .min_operands = 1,
    .max_operands = -1,
    .takes_urls = true,
    .options = options,
    .defaults = &defaults,
    .options_size = sizeof defaults,
    .run = run,
};
