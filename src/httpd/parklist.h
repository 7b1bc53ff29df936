/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_HTTPD_PARKLIST_H
#define UPOOL_HTTPD_PARKLIST_H

/* The parked requests of one child, and the thread that watches over them.
 * There is one list for uploads, and another for event streams
 * (httpd/stream.h), so that neither delays the other.
 *
 * While a request stands in the list, only the holder of the list's mutex may
 * use it: the worker that takes it out again, or the watcher.  The watcher
 * looks at every request at least every half second, and ends those that have
 * been silent for too long or are not wanted any more.  It shuts the socket
 * down for reading, which the MPM's listener sees, or rings the alarm of a
 * request that does not wait for its client (httpd/alarm.h); the rest happens
 * on a worker.
 *
 * It is a thread of our own, because the event MPM's timers do not end its poll
 * (2.4.71: with a timer pending it may still wait for ever), and because
 * mod_watchdog stops before a graceful stop has ended.  It sleeps while the
 * list is empty, and ends with the child's pool. */

#include <apr_ring.h>

#include "httpd/alarm.h"
#include "httpd/request.h"
#include "httpd/wait.h"

/* Belongs to a connection, in its pool; the worker that serves the connection
 * has it while it is not listed. */
typedef struct upool_parked upool_parked;
struct upool_stream;

/* These are given when a request is parked, so that the list need not know what
 * waits.  look: writes the news, under the list's mutex; 1 when the stream is
 * over, or its client is gone.  go_on: runs on a worker, and returns what a
 * handler hook returns. */
typedef int upool_parked_look(struct upool_stream *stream, apr_time_t now);
typedef int upool_parked_go_on(request_rec *r, upool_request *rq);

struct upool_parked {
    APR_RING_ENTRY(upool_parked) link;
    conn_rec *c;
    request_rec *r;              /* the one that is parked; NULL: none */
    const char *handler;         /* of r, while its handlers ran */
    upool_wait_end end;          /* until when the client may be silent */
    int for_others;              /* it could continue at once */
    upool_alarm alarm;           /* what it waits for instead of its client */
    struct upool_stream *stream; /* what is written to it; NULL: an upload */
    upool_parked_look *look;     /* asks it for news; NULL: an upload */
    upool_parked_go_on *go_on;   /* takes the upload up again */
    int nested;         /* our process_connection hook is on the stack */
    int listed;         /* under the list's mutex, as all below */
    int woken;          /* by the watcher */
    upool_reason doom;  /* why; NONE: the sink has refused itself */
    unsigned int round; /* when the watcher last looked */
    unsigned int looks; /* since it was parked */
};

typedef struct upool_parklist upool_parklist;

/* Makes a list and starts its thread, which looks at each request once in every
 * microseconds.  NULL when the list cannot be made. */
upool_parklist *upool_parklist_make(apr_pool_t *pchild,
                                    apr_interval_time_t every);

/* Put parked->r into the list, and take it out, if it is listed. */
void upool_parklist_add(upool_parklist *list, upool_parked *parked);
void upool_parklist_remove(upool_parklist *list, upool_parked *parked);

#endif
