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
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BOUNDARY "----upoolbench5dKx0vTq9LmZ3c"
#define BLOCK ((size_t)1 << 20)
#define HOLD_BYTES 1000

static const char part_head[] =
    "--" BOUNDARY "\r\nContent-Disposition: form-data; name=\"file\"; "
    "filename=\"load.bin\"\r\nContent-Type: application/octet-stream\r\n\r\n";
static const char part_tail[] = "\r\n--" BOUNDARY "--\r\n";

typedef struct load {
    const char *mode;
    const char *path;
    uint16_t port;
    uint64_t size;
    uint64_t requests;
    uint64_t modulo;
    unsigned connections;
    char *block;    /* BLOCK bytes of the pattern, sent again and again */
    uint64_t next;  /* the request that the next free thread takes */
    double *taken;  /* seconds of each request */
    uint64_t fails; /* answers other than 2xx, and none */
    int bad_status; /* one of them */
} load;

typedef struct client {
    load *l;
    unsigned number;
    pthread_t thread;
    int fd; /* -1: not connected */
    char answer[16384];
    size_t have;
} client;

static void die(const char *what)
{
    perror(what);
    exit(2);
}

static double seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void repeat(char *block, const char *unit)
{
    size_t len = strlen(unit);
    size_t i;

    for (i = 0; i < BLOCK; i++) {
        block[i] = unit[i % len];
    }
}

static void fill(char *block, const char *pattern)
{
    uint64_t x = 88172645463325252ULL;
    size_t i;

    if (!strcmp(pattern, "text")) {
        repeat(block, "All that glisters is not gold, 1596.\r\n");
    }
    else if (!strcmp(pattern, "cr")) {
        repeat(block, "\r");
    }
    else if (!strcmp(pattern, "crlf")) {
        repeat(block, "\r\n--");
    }
    else if (!strcmp(pattern, "near")) {
        repeat(block, "\r\n------upoolbench5dKx0vTq9LmZ3!");
    }
    else {
        for (i = 0; i < BLOCK; i += sizeof(x)) {
            x ^= x << 13;
            x ^= x >> 7;
            x ^= x << 17;
            memcpy(block + i, &x, sizeof(x));
        }
    }
}

static void connect_client(client *c)
{
    struct sockaddr_in address;
    int one = 1;

    memset(&address, 0, sizeof(address));
    address.sin_family = AF_INET;
    address.sin_port = htons(c->l->port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    c->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (c->fd < 0
        || connect(c->fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
        die("connect");
    }
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
}

static void disconnect(client *c)
{
    if (c->fd >= 0) {
        close(c->fd);
    }
    c->fd = -1;
}

/* 0, or -1 when the server has closed. */
static int send_bytes(client *c, const char *bytes, size_t len, int more)
{
    while (len) {
        ssize_t n =
            send(c->fd, bytes, len, MSG_NOSIGNAL | (more ? MSG_MORE : 0));

        if (n < 0 && errno != EINTR) {
            return -1;
        }
        if (n > 0) {
            bytes += n;
            len -= (size_t)n;
        }
    }
    return 0;
}

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
        "Content-Type: multipart/form-data; boundary=" BOUNDARY "\r\n"
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
    uint64_t left = is(l, "get") ? 0 : l->size;
    int tail = is(l, "post");
    char head[4096];
    size_t len = make_head(head, sizeof(head), c, n);

    if (send_bytes(c, head, len, left || tail)) {
        return -1;
    }
    while (left) {
        size_t piece = left < BLOCK ? (size_t)left : BLOCK;

        left -= piece;
        if (send_bytes(c, l->block, piece, left || tail)) {
            return -1;
        }
    }
    return tail ? send_bytes(c, part_tail, sizeof(part_tail) - 1, 0) : 0;
}

/* More of the answer, NUL behind it; -1 when there is no more. */
static int read_more(client *c)
{
    ssize_t n;

    if (c->have >= sizeof(c->answer) - 1) {
        return -1;
    }
    n = recv(c->fd, c->answer + c->have, sizeof(c->answer) - 1 - c->have, 0);
    if (n <= 0) {
        return -1;
    }
    c->have += (size_t)n;
    c->answer[c->have] = '\0';
    return 0;
}

/* The status; 0 when the connection ended before the answer did.  Enough for
 * answers of a few kilobytes. */
static int read_answer(client *c)
{
    const char *end;
    const char *field;
    size_t head;
    int status;

    c->have = 0;
    c->answer[0] = '\0';
    while ((end = strstr(c->answer, "\r\n\r\n")) == NULL) {
        if (read_more(c)) {
            return 0;
        }
    }
    head = (size_t)(end - c->answer) + 4;
    status = (int)strtol(c->answer + 9, NULL, 10);
    field = strcasestr(c->answer, "\r\nContent-Length:");
    if (status == 204) {
        return status;
    }
    if (field && field < end) {
        size_t want = head + (size_t)strtoull(field + 17, NULL, 10);

        while (c->have < want) {
            if (read_more(c)) {
                return 0;
            }
        }
    }
    else {
        while (c->have < head + 5
               || strcmp(c->answer + c->have - 5, "0\r\n\r\n") != 0) {
            if (read_more(c)) {
                return 0;
            }
        }
    }
    field = strcasestr(c->answer, "\r\nConnection: close");
    if (field && field < end) {
        disconnect(c);
    }
    return status;
}

static void *run_client(void *arg)
{
    client *c = arg;
    load *l = c->l;

    for (;;) {
        uint64_t n = __atomic_fetch_add(&l->next, 1, __ATOMIC_RELAXED);
        double begun = seconds();
        int status;

        if (n >= l->requests) {
            break;
        }
        if (c->fd < 0) {
            connect_client(c);
        }
        status = send_request(c, n) ? 0 : read_answer(c);
        l->taken[n] = seconds() - begun;
        if (status < 200 || status > 299) {
            __atomic_fetch_add(&l->fails, 1, __ATOMIC_RELAXED);
            __atomic_store_n(&l->bad_status, status, __ATOMIC_RELAXED);
            disconnect(c);
        }
    }
    disconnect(c);
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
        die("memory");
    }
    for (i = 0; i < l->connections; i++) {
        clients[i].l = l;
        clients[i].number = i;
        clients[i].fd = -1;
    }
    return clients;
}

static void run(load *l)
{
    client *clients = make_clients(l);
    double begun = seconds();
    double wall;
    unsigned i;

    l->taken = calloc(l->requests, sizeof(*l->taken));
    if (!l->taken) {
        die("memory");
    }
    for (i = 0; i < l->connections; i++) {
        if (pthread_create(&clients[i].thread, NULL, run_client, &clients[i])) {
            die("thread");
        }
    }
    for (i = 0; i < l->connections; i++) {
        pthread_join(clients[i].thread, NULL);
    }
    wall = seconds() - begun;
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

    l->size = 100 * BLOCK;
    for (i = 0; i < l->connections; i++) {
        size_t len = make_head(head, sizeof(head), &clients[i], i);

        connect_client(&clients[i]);
        if (send_bytes(&clients[i], head, len, 1)
            || send_bytes(&clients[i], l->block, HOLD_BYTES, 0)) {
            die("hold");
        }
    }
    printf("holding=%u\n", l->connections);
    fflush(stdout);
    pause();
}

static uint64_t size_of(const char *text)
{
    static const char units[] = "kmg";
    char *end;
    double value = strtod(text, &end);
    const char *unit = *end ? strchr(units, *end) : NULL;

    for (; unit && unit >= units; unit--) {
        value *= 1024;
    }
    return (uint64_t)value;
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
    load l = { .size = BLOCK, .requests = 1, .modulo = 1, .connections = 1 };
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
            l.size = size_of(value);
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
    l.block = malloc(BLOCK);
    if (!l.block || !l.requests || !l.modulo) {
        usage();
    }
    fill(l.block, pattern);
    if (is(&l, "hold")) {
        hold(&l);
    }
    else {
        run(&l);
    }
    free(l.block);
    return l.fails != 0;
}
