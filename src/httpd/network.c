/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "httpd/network.h"

#include <stddef.h>
#include <stdlib.h>
#include <http_config.h>
#include <http_core.h>

#include "config/config.h"
#include "httpd/connection.h"

/* This many full reads in a row show that the client's bytes flow. */
#define FULL_READS 2
/* Spare buffers of a connection at most: as many as one turn of an upload
 * gathers, and one more. */
#define SPARES_MOST 5

/* A large buffer.  The system's allocator would take its pages back between two
 * reads, and the connection's own allocator would keep them while thousands of
 * uploads wait; so the connection keeps a few buffers as long as its upload
 * flows. */
typedef struct large_buffer {
    struct upool_network *net;
    struct large_buffer *next; /* of the spare ones */
    char bytes[];
} large_buffer;

/* One for each connection, in its pool. */
typedef struct upool_network {
    apr_socket_t *socket;
    apr_size_t large; /* UploadReadSize */
    int uploads;      /* requests that have widened */
    int full;         /* reads in a row that filled httpd's size */
    large_buffer *spare;
    int spares;
} upool_network;

static apr_status_t network_read(apr_bucket *b, const char **data,
                                 apr_size_t *len, apr_read_type_e block);

/* The bucket owns nothing (the connection does), so there is nothing to
 * destroy.  As with every pipe or socket, its bytes pass only once, so it
 * cannot be split or copied. */
static const apr_bucket_type_t network_bucket = { "UPLOAD NETWORK",
                                                  5,
                                                  APR_BUCKET_DATA,
                                                  apr_bucket_destroy_noop,
                                                  network_read,
                                                  apr_bucket_setaside_notimpl,
                                                  apr_bucket_split_notimpl,
                                                  apr_bucket_copy_notimpl };

static apr_bucket *network_create(upool_network *net, apr_bucket_alloc_t *list)
{
    apr_bucket *b = apr_bucket_alloc(sizeof(*b), list);

    APR_BUCKET_INIT(b);
    b->free = apr_bucket_free;
    b->list = list;
    b->type = &network_bucket;
    b->length = (apr_size_t)-1;
    b->start = -1;
    b->data = net;
    return b;
}

static apr_status_t receive(upool_network *net, char *buffer, apr_size_t *len,
                            apr_read_type_e block)
{
    apr_interval_time_t timeout;
    apr_status_t rv;

    if (block == APR_BLOCK_READ) {
        return apr_socket_recv(net->socket, buffer, len);
    }
    apr_socket_timeout_get(net->socket, &timeout);
    apr_socket_timeout_set(net->socket, 0);
    rv = apr_socket_recv(net->socket, buffer, len);
    apr_socket_timeout_set(net->socket, timeout);
    return rv;
}

static int is_large(const upool_network *net)
{
    return net->uploads && net->full >= FULL_READS;
}

static char *take_large(upool_network *net)
{
    large_buffer *taken = net->spare;

    if (taken) {
        net->spare = taken->next;
        net->spares--;
        return taken->bytes;
    }
    taken = malloc(sizeof(*taken) + net->large);
    if (!taken) {
        ap_abort_on_oom();
    }
    taken->net = net;
    return taken->bytes;
}

/* A bucket's free function, called with what take_large() returned. */
static void let_go_of_large(void *bytes)
{
    large_buffer *done =
        (large_buffer *)(void *)((char *)bytes - offsetof(large_buffer, bytes));
    upool_network *net = done->net;

    if (!net->uploads || net->spares >= SPARES_MOST) {
        free(done);
        return;
    }
    done->next = net->spare;
    net->spare = done;
    net->spares++;
}

static void free_spares(upool_network *net)
{
    while (net->spare) {
        large_buffer *next = net->spare->next;

        free(net->spare);
        net->spare = next;
    }
    net->spares = 0;
}

/* The bucket turns into what was read, and a new one behind it stands for what
 * is still to come. */
static apr_status_t network_read(apr_bucket *b, const char **data,
                                 apr_size_t *len, apr_read_type_e block)
{
    upool_network *net = b->data;
    int large = is_large(net);
    void (*let_go)(void *) = large ? let_go_of_large : apr_bucket_free;
    apr_size_t room = large ? net->large : APR_BUCKET_BUFF_SIZE;
    char *bytes = large ? take_large(net) : apr_bucket_alloc(room, b->list);
    apr_bucket_heap *heap;
    apr_status_t rv;

    *data = NULL;
    *len = room;
    rv = receive(net, bytes, len, block);
    if (rv != APR_SUCCESS && rv != APR_EOF) {
        let_go(bytes);
        return rv;
    }
    if (*len < APR_BUCKET_BUFF_SIZE) {
        net->full = 0;
    }
    else if (net->full < FULL_READS) {
        net->full++;
    }
    if (!*len) {
        let_go(bytes);
        b = apr_bucket_immortal_make(b, "", 0);
        *data = b->data;
        return APR_SUCCESS;
    }
    APR_BUCKET_INSERT_AFTER(b, network_create(net, b->list));
    b = apr_bucket_heap_make(b, bytes, *len, let_go);
    heap = b->data;
    heap->alloc_len = room;
    *data = bytes;
    return APR_SUCCESS;
}

static apr_status_t insert_bucket(conn_rec *c, apr_bucket_brigade *bb,
                                  apr_socket_t *socket)
{
    apr_size_t large =
        upool_config_read_size(upool_config_server(c->base_server));
    upool_network *net;

    if (!large || c->master) {
        return AP_DECLINED;
    }
    net = apr_pcalloc(c->pool, sizeof(*net));
    net->socket = socket;
    net->large = large;
    upool_connection_make(c)->network = net;
    APR_BRIGADE_INSERT_TAIL(bb, network_create(net, c->bucket_alloc));
    return APR_SUCCESS;
}

static apr_status_t narrow(void *arg)
{
    upool_network *net = arg;

    if (!--net->uploads) {
        free_spares(net);
    }
    return APR_SUCCESS;
}

void upool_network_widen(request_rec *r)
{
    const upool_connection *connection = upool_connection_get(r->connection);
    upool_network *net = connection ? connection->network : NULL;

    if (net) {
        net->uploads++;
        apr_pool_cleanup_register(r->pool, net, narrow, apr_pool_cleanup_null);
    }
}

void upool_network_give_back(request_rec *r)
{
    const upool_connection *connection = upool_connection_get(r->connection);

    if (connection && connection->network) {
        free_spares(connection->network);
    }
}

void upool_network_register(void)
{
    /* httpd's own hook is the last. */
    ap_hook_insert_network_bucket(insert_bucket, NULL, NULL, APR_HOOK_MIDDLE);
}
