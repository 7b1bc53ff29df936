/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "httpd/alarm.h"

#include <http_core.h>

#ifdef __linux__

#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

static void swap(const upool_alarm *alarm, apr_os_sock_t descriptor)
{
    apr_socket_t *socket = ap_get_conn_socket(alarm->c);

    apr_os_sock_put(&socket, &descriptor, alarm->c->pool);
}

static int arm(int timer, apr_interval_time_t in)
{
    struct itimerspec when;

    memset(&when, 0, sizeof(when));
    when.it_value.tv_sec = (time_t)apr_time_sec(in);
    when.it_value.tv_nsec = (long)apr_time_usec(in) * 1000;
    return timerfd_settime(timer, 0, &when, NULL);
}

static int is_timer_in(const upool_alarm *alarm)
{
    apr_os_sock_t now = -1;

    return apr_os_sock_get(&now, ap_get_conn_socket(alarm->c)) == APR_SUCCESS
           && now == alarm->timer;
}

int upool_alarm_end(upool_alarm *alarm)
{
    if (!alarm->is_set) {
        return 0;
    }
    if (alarm->stands_in && !is_timer_in(alarm)) {
        /* The MPM has closed the socket, and with it the timer, since it could
         * not poll it. */
        close(alarm->client);
        alarm->timer = -1;
    }
    else if (alarm->stands_in) {
        swap(alarm, alarm->client);
    }
    alarm->stands_in = 0;
    alarm->is_set = 0;
    if (alarm->timer >= 0) {
        close(alarm->timer);
    }
    return 1;
}

/* Runs before the socket is closed.  Closing the socket would otherwise close
 * the timer and leave the client's descriptor open. */
static apr_status_t end_with_connection(void *data)
{
    upool_alarm_end(data);
    return APR_SUCCESS;
}

apr_status_t upool_alarm_set(upool_alarm *alarm, conn_rec *c,
                             apr_interval_time_t in)
{
    int timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    apr_status_t rv;

    if (timer < 0) {
        return apr_get_os_error();
    }
    if (arm(timer, in)) {
        rv = apr_get_os_error();
        close(timer);
        return rv;
    }
    if (!alarm->c) {
        alarm->c = c;
        apr_pool_cleanup_register(c->pool, alarm, end_with_connection,
                                  apr_pool_cleanup_null);
    }
    alarm->timer = timer;
    alarm->is_set = 1;
    return APR_SUCCESS;
}

void upool_alarm_stand_in(upool_alarm *alarm)
{
    if (alarm->is_set
        && apr_os_sock_get(&alarm->client, ap_get_conn_socket(alarm->c))
               == APR_SUCCESS) {
        swap(alarm, alarm->timer);
        alarm->stands_in = 1;
    }
}

void upool_alarm_ring(const upool_alarm *alarm)
{
    arm(alarm->timer, 1);
}

#else

apr_status_t upool_alarm_set(upool_alarm *alarm, conn_rec *c,
                             apr_interval_time_t in)
{
    (void)alarm;
    (void)c;
    (void)in;
    return APR_ENOTIMPL;
}

void upool_alarm_stand_in(upool_alarm *alarm)
{
    (void)alarm;
}

void upool_alarm_ring(const upool_alarm *alarm)
{
    (void)alarm;
}

int upool_alarm_end(upool_alarm *alarm)
{
    (void)alarm;
    return 0;
}

#endif
