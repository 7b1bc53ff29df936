/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_HTTPD_PARKLIST_H
#define UPOOL_HTTPD_PARKLIST_H

/* The parked requests of one child, and the thread that watches over them:
 * one list for uploads, another for the streams of who watches them (httpd/
 * stream.h), so that neither keeps the other waiting.
 *
 * While a request stands in the list, whoever holds the list's mutex may use
 * it, and nobody else: the worker that takes it out again, or the watcher.  The
 * watcher looks at every one at least every half second, and ends what has been
 * silent for too long or is not wanted any more.  It shuts the socket down for
 * reading, which the MPM's listener sees, or rings the alarm of what does not
 * wait for its client (httpd/alarm.h); the rest happens on a worker.
 *
 * A thread of our own, because the event MPM's timers do not end its poll
 * (2.4.71: an unexpired timer is no reason not to wait for ever), and because
 * mod_watchdog stops before a graceful stop has ended.  It sleeps while the
 * list is empty, and ends with the child's pool. */

#include <apr_ring.h>

#include "httpd/alarm.h"
#include "httpd/request.h"
#include "httpd/wait.h"

/* Of a connection, in its pool; the worker that serves the connection has it
 * while it is not listed. */
typedef struct upool_parked upool_parked;
struct upool_stream;

/* Given when a request is parked, so that who waits need not know for whom.
 * look: writes what is new, under the list's mutex; 1: it is over, or its
 * client is gone.  go_on: on a worker, returns what a handler hook returns. */
typedef int upool_parked_look(struct upool_stream *stream, apr_time_t now);
typedef int upool_parked_go_on(request_rec *r, upool_request *rq);

struct upool_parked {
    APR_RING_ENTRY(upool_parked) link;
    conn_rec *c;
    request_rec *r;              /* the one that is parked; NULL: none */
    const char *handler;         /* of r, while its handlers ran */
    upool_wait_end end;          /* until when it may be silent */
    int for_others;              /* it could go on at once */
    upool_alarm alarm;           /* what it waits for instead of its client */
    struct upool_stream *stream; /* what is written to it; NULL: an upload */
    upool_parked_look *look;     /* asks it for news; NULL: an upload */
    upool_parked_go_on *go_on;   /* takes the upload up again */
    int nested;         /* our process_connection hook is on the stack */
    int listed;         /* under the list's mutex, as all below */
    int woken;          /* by the watcher */
    upool_reason doom;  /* why; NONE: the sink has refused itself */
    unsigned int round; /* when the watcher has last looked */
    unsigned int looks; /* since it is parked */
};

typedef struct upool_parklist upool_parklist;

/* Makes a list and starts its thread, which looks at each request once per
 * every.  NULL: the list cannot be made. */
upool_parklist *upool_parklist_make(apr_pool_t *pchild,
                                    apr_interval_time_t every);

/* Puts parked->r into the list, and takes it out, where it is in it. */
void upool_parklist_add(upool_parklist *list, upool_parked *parked);
void upool_parklist_remove(upool_parklist *list, upool_parked *parked);

#endif
