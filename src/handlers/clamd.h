/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_HANDLERS_CLAMD_H
#define UPOOL_HANDLERS_CLAMD_H

/* One conversation with clamd, for one file: "zINSTREAM\0", chunks that bear
 * their length in network order, an empty one, and the answer up to a NUL.
 *
 * Only "stream: OK" counts as clean.  An answer that is cut short, too long,
 * something else, or followed by more is a failure, and so is a connection that
 * breaks: clamd closes it while we send when the file is larger than its
 * StreamMaxLength, which a client can cause at will.  Failures that only the
 * scanner's absence explains (no connection, silence) are told apart from
 * those, because an administrator may choose to go on without a scanner, but
 * never against a verdict.
 *
 * Every wait is bounded by the timeout: for the connection, for sending one
 * chunk, and for the whole answer.  Memory is one buffer of a chunk.
 *
 * One thread at a time. */

#include <apr_network_io.h>
#include <apr_pools.h>

/* The longest signature name that is reported. */
#define UPOOL_CLAMD_NAME_MAX 100

typedef struct upool_clamd_address {
    apr_sockaddr_t *first; /* NULL: no scanner */
    const char *text;      /* as it was configured */
} upool_clamd_address;

/* What became of a scan, or of one step of it. */
typedef enum upool_clamd_result {
    UPOOL_CLAMD_CLEAN = 0, /* or: go on */
    UPOOL_CLAMD_FOUND,
    UPOOL_CLAMD_ABSENT, /* cannot be reached, or does not answer in time */
    UPOOL_CLAMD_FAILED  /* anything else: not clean */
} upool_clamd_result;

typedef struct upool_clamd upool_clamd;

/* Reads "unix:/path" or "host:port" ("[::1]:3310").  A name is looked up only
 * here, so that no upload waits for DNS.
 * @return NULL, with *address set, or what is wrong, in p */
const char *upool_clamd_resolve(upool_clamd_address *address, const char *text,
                                apr_pool_t *p);

/* A conversation that has not begun: nothing is connected.  address and p
 * outlive it; a cleanup of p closes it. */
upool_clamd *upool_clamd_make(const upool_clamd_address *address,
                              apr_interval_time_t timeout, apr_pool_t *p);

/* Takes bytes of the file and copies them.  Connects and sends when a chunk is
 * full.
 * @return CLEAN to go on, else ABSENT or FAILED, now and from then on */
upool_clamd_result upool_clamd_feed(upool_clamd *scan, const char *data,
                                    apr_size_t len);

/* If the last chunk is older than age, sends what is gathered, so that the
 * scanner does not give up on a slow client.  Otherwise, and before the first
 * chunk, does nothing.  Returns as upool_clamd_feed(). */
upool_clamd_result upool_clamd_keep(upool_clamd *scan, apr_interval_time_t age);

/* Ends the file, which is complete: the verdict. */
upool_clamd_result upool_clamd_verdict(upool_clamd *scan);

/* After FOUND the signature's name, printable ASCII of at most
 * UPOOL_CLAMD_NAME_MAX bytes; after ABSENT and FAILED what happened, for the
 * log, perhaps with what clamd said.  Lives in p.  *rv: of the system, or 0. */
const char *upool_clamd_text(const upool_clamd *scan, apr_status_t *rv);

/* Ends the conversation, whatever its state, and makes it ready for the next
 * file. */
void upool_clamd_reset(upool_clamd *scan);

#endif
