/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "handlers/clamd.h"

#include <limits.h>
#include <string.h>
#include <apr_lib.h>
#include <apr_strings.h>
#include <apr_time.h>

#define CHUNK_MAX 65536
/* Bytes of the length before a chunk. */
#define PREFIX 4
/* Names of signatures are short; an answer longer than this is invalid. */
#define ANSWER_MAX 1024
/* The longest path that fits into sun_path on the systems that we know. */
#define PATH_LENGTH_MAX 103

struct upool_clamd {
    const upool_clamd_address *address;
    apr_interval_time_t timeout;
    apr_pool_t *p;
    apr_pool_t *scratch; /* of this file's connection */
    apr_socket_t *socket;
    char *buffer; /* PREFIX, then what is gathered; room for a last PREFIX */
    apr_size_t have;
    apr_time_t sent; /* when the last chunk went */
    upool_clamd_result failed;
    const char *text;
    apr_status_t rv;
};

static const char *resolve_path(upool_clamd_address *address, const char *path,
                                apr_pool_t *p)
{
    if (*path != '/') {
        return "takes unix: and an absolute path";
    }
    if (strlen(path) > PATH_LENGTH_MAX) {
        return "has a path that is too long for a socket";
    }
    return apr_sockaddr_info_get(&address->first, path, APR_UNIX, 0, 0, p)
               ? "has a path that is no address of a socket"
               : NULL;
}

static const char *resolve_host(upool_clamd_address *address, const char *text,
                                apr_pool_t *p)
{
    char *host = NULL;
    char *scope = NULL;
    apr_port_t port = 0;
    apr_status_t rv = apr_parse_addr_port(&host, &scope, &port, text, p);

    if (rv || !host || !port || scope) {
        return "takes unix:/path or host:port";
    }
    rv = apr_sockaddr_info_get(&address->first, host, APR_UNSPEC, port, 0, p);
    return rv ? apr_pstrcat(p, "names a host that is not known: ", host, NULL)
              : NULL;
}

const char *upool_clamd_resolve(upool_clamd_address *address, const char *text,
                                apr_pool_t *p)
{
    static const char local[] = "unix:";
    apr_size_t len = sizeof(local) - 1;

    address->first = NULL;
    address->text = text;
    return strncmp(text, local, len) ? resolve_host(address, text, p)
                                     : resolve_path(address, text + len, p);
}

upool_clamd *upool_clamd_make(const upool_clamd_address *address,
                              apr_interval_time_t timeout, apr_pool_t *p)
{
    upool_clamd *scan = apr_pcalloc(p, sizeof(*scan));

    scan->address = address;
    scan->timeout = timeout;
    scan->p = p;
    return scan;
}

/* The first failure stands. */
static upool_clamd_result fail(upool_clamd *scan, upool_clamd_result how,
                               apr_status_t rv, const char *text)
{
    scan->failed = how;
    scan->rv = rv;
    scan->text = text;
    return how;
}

/* A scanner that is silent counts as absent; a connection that breaks does
 * not. */
static upool_clamd_result fail_io(upool_clamd *scan, apr_status_t rv,
                                  const char *text)
{
    return fail(scan,
                APR_STATUS_IS_TIMEUP(rv) ? UPOOL_CLAMD_ABSENT
                                         : UPOOL_CLAMD_FAILED,
                rv, text);
}

/* Gives the next step the time that is left.  0 when none is. */
static int set_wait(upool_clamd *scan, apr_time_t until)
{
    apr_interval_time_t left = until - apr_time_now();

    return left > 0 && !apr_socket_timeout_set(scan->socket, left);
}

static apr_status_t send_all(upool_clamd *scan, const char *data,
                             apr_size_t len)
{
    apr_time_t until = apr_time_now() + scan->timeout;

    while (len) {
        apr_size_t n = len;
        apr_status_t rv;

        if (!set_wait(scan, until)) {
            return APR_TIMEUP;
        }
        rv = apr_socket_send(scan->socket, data, &n);
        if (rv) {
            return rv;
        }
        data += n;
        len -= n;
    }
    scan->sent = apr_time_now();
    return APR_SUCCESS;
}

/* Reads up to the NUL, the end, or the limit.  buffer has room for
 * ANSWER_MAX + 1. */
static apr_status_t receive(upool_clamd *scan, char *buffer, apr_size_t *len)
{
    apr_time_t until = apr_time_now() + scan->timeout;

    *len = 0;
    while (*len < ANSWER_MAX) {
        apr_size_t n = ANSWER_MAX - *len;
        apr_status_t rv;

        if (!set_wait(scan, until)) {
            return APR_TIMEUP;
        }
        rv = apr_socket_recv(scan->socket, buffer + *len, &n);
        if (rv) {
            return rv;
        }
        *len += n;
        buffer[*len] = '\0';
        if (strlen(buffer) < *len) {
            return APR_SUCCESS;
        }
    }
    return APR_ENOSPC;
}

static apr_status_t try_address(upool_clamd *scan, apr_sockaddr_t *to,
                                apr_time_t until)
{
    int protocol = to->family == APR_UNIX ? 0 : APR_PROTO_TCP;
    apr_status_t rv = apr_socket_create(&scan->socket, to->family, SOCK_STREAM,
                                        protocol, scan->scratch);

    if (rv) {
        scan->socket = NULL;
        return rv;
    }
    rv = set_wait(scan, until) ? apr_socket_connect(scan->socket, to)
                               : APR_TIMEUP;
    if (rv) {
        apr_socket_close(scan->socket);
        scan->socket = NULL;
    }
    return rv;
}

static upool_clamd_result begin(upool_clamd *scan)
{
    static const char command[] = "zINSTREAM";
    apr_time_t until = apr_time_now() + scan->timeout;
    apr_sockaddr_t *to;
    apr_status_t rv = APR_EINVAL;

    apr_pool_create(&scan->scratch, scan->p);
    for (to = scan->address->first; to && rv; to = to->next) {
        rv = try_address(scan, to, until);
    }
    if (rv) {
        return fail(scan, UPOOL_CLAMD_ABSENT, rv,
                    apr_psprintf(scan->p, "no connection to the scanner at %s",
                                 scan->address->text));
    }
    /* Sent with its NUL, which ends it. */
    rv = send_all(scan, command, sizeof(command));
    return rv ? fail_io(scan, rv, "the scanner does not take the command")
              : UPOOL_CLAMD_CLEAN;
}

/* If clamd has sent a text, that says more than "broken pipe".  The first
 * attempt to read it may only report the reset. */
static upool_clamd_result fail_send(upool_clamd *scan, apr_status_t rv)
{
    char answer[ANSWER_MAX + 1];
    apr_size_t len = 0;
    int tries = 2;

    if (APR_STATUS_IS_TIMEUP(rv)) {
        return fail_io(scan, rv, "the scanner takes no more bytes");
    }
    while (tries-- && !len) {
        receive(scan, answer, &len);
    }
    return fail_io(
        scan, rv,
        len ? apr_psprintf(scan->p, "the scanner broke off: %s", answer)
            : "the scanner broke off");
}

static void put_length(char *to, apr_size_t len)
{
    to[0] = (char)(len >> 24 & 0xFF);
    to[1] = (char)(len >> 16 & 0xFF);
    to[2] = (char)(len >> 8 & 0xFF);
    to[3] = (char)(len & 0xFF);
}

/* Sends what is gathered and, after the last chunk, the empty one. */
static upool_clamd_result send_chunk(upool_clamd *scan, int last)
{
    char *from = scan->buffer;
    apr_size_t len = PREFIX + scan->have;
    apr_status_t rv;

    if (!scan->socket && begin(scan)) {
        return scan->failed;
    }
    put_length(from, scan->have);
    if (last) {
        put_length(from + len, 0);
        len += PREFIX;
    }
    /* No chunk but the closing one may be empty. */
    if (!scan->have) {
        from += PREFIX;
        len -= PREFIX;
    }
    scan->have = 0;
    rv = send_all(scan, from, len);
    return rv ? fail_send(scan, rv) : UPOOL_CLAMD_CLEAN;
}

static void make_buffer(upool_clamd *scan)
{
    if (!scan->buffer) {
        scan->buffer = apr_palloc(scan->p, PREFIX + CHUNK_MAX + PREFIX);
    }
}

upool_clamd_result upool_clamd_feed(upool_clamd *scan, const char *data,
                                    apr_size_t len)
{
    make_buffer(scan);
    while (len && !scan->failed) {
        apr_size_t room = CHUNK_MAX - scan->have;
        apr_size_t n = len < room ? len : room;

        memcpy(scan->buffer + PREFIX + scan->have, data, n);
        scan->have += n;
        data += n;
        len -= n;
        if (scan->have == CHUNK_MAX) {
            send_chunk(scan, 0);
        }
    }
    return scan->failed;
}

upool_clamd_result upool_clamd_keep(upool_clamd *scan, apr_interval_time_t age)
{
    if (scan->failed || !scan->socket || !scan->have
        || apr_time_now() - scan->sent < age) {
        return scan->failed;
    }
    return send_chunk(scan, 0);
}

/* The name goes to the client and into the log: only its visible ASCII is kept,
 * up to a limit. */
static const char *printable_name(apr_pool_t *p, const char *name,
                                  apr_size_t len)
{
    apr_size_t kept = len < UPOOL_CLAMD_NAME_MAX ? len : UPOOL_CLAMD_NAME_MAX;
    char *copy = apr_pstrmemdup(p, name, kept);
    apr_size_t i;

    for (i = 0; i < kept; i++) {
        if (copy[i] < 0x21 || copy[i] > 0x7e) {
            copy[i] = '_';
        }
    }
    return copy;
}

/* answer ends at its NUL. */
static upool_clamd_result judge(upool_clamd *scan, const char *answer)
{
    static const char start[] = "stream: ";
    static const char end[] = " FOUND";
    apr_size_t start_len = sizeof(start) - 1;
    apr_size_t end_len = sizeof(end) - 1;
    apr_size_t len = strlen(answer);

    if (!strcmp(answer, "stream: OK")) {
        return UPOOL_CLAMD_CLEAN;
    }
    if (len > start_len + end_len && !strncmp(answer, start, start_len)
        && !strcmp(answer + len - end_len, end)) {
        scan->text = printable_name(scan->p, answer + start_len,
                                    len - start_len - end_len);
        return UPOOL_CLAMD_FOUND;
    }
    return fail(scan, UPOOL_CLAMD_FAILED, 0,
                apr_psprintf(scan->p, "the scanner says: %s", answer));
}

upool_clamd_result upool_clamd_verdict(upool_clamd *scan)
{
    char answer[ANSWER_MAX + 1];
    apr_size_t len = 0;
    apr_status_t rv;

    make_buffer(scan);
    if (scan->failed || send_chunk(scan, 1)) {
        return scan->failed;
    }
    rv = receive(scan, answer, &len);
    if (rv == APR_ENOSPC) {
        return fail(scan, UPOOL_CLAMD_FAILED, 0,
                    "the scanner's answer is too long");
    }
    if (rv) {
        return fail_io(scan, rv, "no answer from the scanner");
    }
    if (strlen(answer) + 1 != len) {
        return fail(scan, UPOOL_CLAMD_FAILED, 0,
                    "the scanner says more than an answer");
    }
    return judge(scan, answer);
}

const char *upool_clamd_text(const upool_clamd *scan, apr_status_t *rv)
{
    *rv = scan->rv;
    return scan->text ? scan->text : "";
}

void upool_clamd_reset(upool_clamd *scan)
{
    if (scan->scratch) {
        apr_pool_destroy(scan->scratch);
        scan->scratch = NULL;
    }
    scan->socket = NULL;
    scan->have = 0;
    scan->failed = UPOOL_CLAMD_CLEAN;
    scan->text = NULL;
    scan->rv = APR_SUCCESS;
}
