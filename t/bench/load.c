/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/*
 * Load for t/bench/run: HTTP/1.1 requests with keep-alive to 127.0.0.1, one
 * thread a connection.
 *
 *     load post PORT PATH [-s SIZE] [-n REQUESTS] [-c CONNECTIONS] [-p PATTERN]
 *     load put  PORT PATH (the same)
 *     load get  PORT PATH [-n REQUESTS] [-c CONNECTIONS] [-m MODULO]
 *     load hold PORT PATH [-c CONNECTIONS]
 *
 * post sends one file in multipart/form-data, put its bare bytes.  hold begins
 * that many uploads, says so and waits for a signal.  A "%n" in PATH becomes
 * the number of the request (of get: modulo MODULO), a "%c" the connection's.
 * PATTERN: random, text, cr, crlf (CRLF and dashes), near (the delimiter but
 * for its last byte).  The result is one line of name=value; exit status 1
 * when an answer was not 2xx.
 */
#include "wire.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HOLD_BYTES 1000

static const char part_head[] =
    "--" WIRE_BOUNDARY "\r\nContent-Disposition: form-data; name=\"file\"; "
    "filename=\"load.bin\"\r\nContent-Type: application/octet-stream\r\n\r\n";
static const char part_tail[] = "\r\n--" WIRE_BOUNDARY "--\r\n";

typedef struct load {
    const char *mode;
    const char *path;
    uint16_t port;
    uint64_t size;
    uint64_t requests;
    uint64_t modulo;
    unsigned connections;
    char *block;    /* of the pattern, sent again and again */
    uint64_t next;  /* the request that the next free thread takes */
    double *taken;  /* seconds of each request */
    uint64_t fails; /* answers other than 2xx, and none */
    int bad_status; /* one of them */
} load;

typedef struct client {
    load *l;
    unsigned number;
    pthread_t thread;
    wire wire;
} client;

static int is(const load *l, const char *mode)
{
    return strcmp(l->mode, mode) == 0;
}

static void expand(char *out, size_t room, const client *c, uint64_t n)
{
    const char *in;
    size_t at = 0;

    for (in = c->l->path; *in && at + 24 < room; in++) {
        if (in[0] == '%' && in[1] == 'n') {
            at += (size_t)snprintf(out + at, room - at, "%06llu",
                                   (unsigned long long)n);
            in++;
        }
        else if (in[0] == '%' && in[1] == 'c') {
            at += (size_t)snprintf(out + at, room - at, "%06u", c->number);
            in++;
        }
        else {
            out[at++] = *in;
        }
    }
    out[at] = '\0';
}

/* The head of request n, with what comes before the file. */
static size_t make_head(char *out, size_t room, const client *c, uint64_t n)
{
    const load *l = c->l;
    char path[1024];
    size_t at;

    expand(path, sizeof(path), c, is(l, "get") ? n % l->modulo : n);
    if (is(l, "get")) {
        return (size_t)snprintf(
            out, room, "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", path);
    }
    if (is(l, "put")) {
        return (size_t)snprintf(out, room,
                                "PUT %s HTTP/1.1\r\nHost: localhost\r\n"
                                "Content-Length: %llu\r\n\r\n",
                                path, (unsigned long long)l->size);
    }
    at = (size_t)snprintf(
        out, room,
        "POST %s HTTP/1.1\r\nHost: localhost\r\n"
        "Accept: application/json\r\n"
        "Content-Type: multipart/form-data; boundary=" WIRE_BOUNDARY "\r\n"
        "Content-Length: %llu\r\n\r\n%s",
        path,
        (unsigned long long)(sizeof(part_head) + sizeof(part_tail) - 2
                             + l->size),
        part_head);
    return at;
}

static int send_request(client *c, uint64_t n)
{
    const load *l = c->l;
    uint64_t size = is(l, "get") ? 0 : l->size;
    int tail = is(l, "post");
    char head[4096];
    size_t len = make_head(head, sizeof(head), c, n);

    if (wire_send(&c->wire, head, len, size || tail)
        || wire_send_block(&c->wire, l->block, size, tail)) {
        return -1;
    }
    return tail ? wire_send(&c->wire, part_tail, sizeof(part_tail) - 1, 0) : 0;
}

static void *run_client(void *arg)
{
    client *c = arg;
    load *l = c->l;

    for (;;) {
        uint64_t n = __atomic_fetch_add(&l->next, 1, __ATOMIC_RELAXED);
        double begun = wire_seconds();
        int status;

        if (n >= l->requests) {
            break;
        }
        if (c->wire.fd < 0) {
            wire_connect(&c->wire);
        }
        status = send_request(c, n) ? 0 : wire_answer(&c->wire);
        l->taken[n] = wire_seconds() - begun;
        if (status < 200 || status > 299) {
            __atomic_fetch_add(&l->fails, 1, __ATOMIC_RELAXED);
            __atomic_store_n(&l->bad_status, status, __ATOMIC_RELAXED);
            wire_disconnect(&c->wire);
        }
    }
    wire_disconnect(&c->wire);
    return NULL;
}

static int ascending(const void *a, const void *b)
{
    const double *x = a;
    const double *y = b;

    return (*x > *y) - (*x < *y);
}

static client *make_clients(load *l)
{
    client *clients = calloc(l->connections, sizeof(*clients));
    unsigned i;

    if (!clients) {
        wire_die("memory");
    }
    for (i = 0; i < l->connections; i++) {
        clients[i].l = l;
        clients[i].number = i;
        clients[i].wire.fd = -1;
        clients[i].wire.port = l->port;
    }
    return clients;
}

static void run(load *l)
{
    client *clients = make_clients(l);
    double begun = wire_seconds();
    double wall;
    unsigned i;

    l->taken = calloc(l->requests, sizeof(*l->taken));
    if (!l->taken) {
        wire_die("memory");
    }
    for (i = 0; i < l->connections; i++) {
        if (pthread_create(&clients[i].thread, NULL, run_client, &clients[i])) {
            wire_die("thread");
        }
    }
    for (i = 0; i < l->connections; i++) {
        pthread_join(clients[i].thread, NULL);
    }
    wall = wire_seconds() - begun;
    qsort(l->taken, l->requests, sizeof(*l->taken), ascending);
    printf("requests=%llu failed=%llu status=%d seconds=%.4f p50=%.6f"
           " p99=%.6f\n",
           (unsigned long long)l->requests, (unsigned long long)l->fails,
           l->bad_status, wall, l->taken[l->requests / 2],
           l->taken[l->requests * 99 / 100]);
    free(l->taken);
    free(clients);
}

/* Uploads that have begun and do not go on. */
static void hold(load *l)
{
    client *clients = make_clients(l);
    char head[4096];
    unsigned i;

    l->size = 100 * WIRE_BLOCK;
    for (i = 0; i < l->connections; i++) {
        size_t len = make_head(head, sizeof(head), &clients[i], i);
        wire *w = &clients[i].wire;

        wire_connect(w);
        if (wire_send(w, head, len, 1)
            || wire_send(w, l->block, HOLD_BYTES, 0)) {
            wire_die("hold");
        }
    }
    printf("holding=%u\n", l->connections);
    fflush(stdout);
    pause();
}

static void usage(void)
{
    fputs("load post|put|get|hold PORT PATH [-s SIZE] [-n REQUESTS]"
          " [-c CONNECTIONS] [-p PATTERN] [-m MODULO]\n",
          stderr);
    exit(2);
}

int main(int argc, char **argv)
{
    load l = {
        .size = WIRE_BLOCK, .requests = 1, .modulo = 1, .connections = 1
    };
    const char *pattern = "random";
    int i;

    if (argc < 4) {
        usage();
    }
    l.mode = argv[1];
    l.port = (uint16_t)strtoul(argv[2], NULL, 10);
    l.path = argv[3];
    for (i = 4; i + 1 < argc; i += 2) {
        const char *value = argv[i + 1];

        switch (argv[i][0] == '-' ? argv[i][1] : '?') {
        case 's':
            l.size = wire_size(value);
            break;
        case 'n':
            l.requests = strtoull(value, NULL, 10);
            break;
        case 'c':
            l.connections = (unsigned)strtoul(value, NULL, 10);
            break;
        case 'm':
            l.modulo = strtoull(value, NULL, 10);
            break;
        case 'p':
            pattern = value;
            break;
        default:
            usage();
        }
    }
    if (!l.requests || !l.modulo || !l.connections) {
        usage();
    }
    l.block = wire_block(pattern);
    if (is(&l, "hold")) {
        hold(&l);
    }
    else {
        run(&l);
    }
    free(l.block);
    return l.fails != 0;
}
