/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_HTTPD_ALARM_H
#define UPOOL_HTTPD_ALARM_H

/* Wakes a parked request that does not wait for bytes of its client.
 *
 * The event MPM takes a connection up again when its socket is ready, and for
 * no other reason; while UploadRate holds an upload back, its bytes are there
 * all the time.  Therefore, as long as such a request is parked, a timer's
 * descriptor (timerfd_create(2)) replaces the client's in the connection's
 * socket: the MPM's listener polls it as it polls any other, and it becomes
 * readable when the time is over, or at once when the alarm is rung.
 *
 * The MPM adds a socket to its poll after the request was parked, and removes
 * it before a worker has the connection again.  The descriptors change places
 * before the one and after the other.
 *
 * Where the system has no such timers, no alarm can be set. */

#include <apr_portable.h>
#include <httpd.h>

typedef struct upool_alarm {
    int is_set;
    int timer;     /* while it is set */
    int stands_in; /* the timer is in the socket, and this is not: */
    apr_os_sock_t client;
    conn_rec *c;
} upool_alarm;

/* Sets the alarm: it rings after in microseconds or, where in is 0, when
 * upool_alarm_ring() is called.  The socket stays the client's.  Returns
 * APR_ENOTIMPL, or why the system has no descriptor for it. */
apr_status_t upool_alarm_set(upool_alarm *alarm, conn_rec *c,
                             apr_interval_time_t in);

/* From now on the listener waits for the alarm, if it has been set; nobody may
 * read or write until upool_alarm_end(). */
void upool_alarm_stand_in(upool_alarm *alarm);

/* Lets the alarm ring now.  From any thread, between upool_alarm_set() and
 * upool_alarm_end(). */
void upool_alarm_ring(const upool_alarm *alarm);

/* Gives the socket back to the client and closes the timer.  1 when it was
 * set. */
int upool_alarm_end(upool_alarm *alarm);

#endif
