/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/*
 * Uploads in pieces for t/bench/run, on 127.0.0.1, one thread a connection:
 *
 *     chunks tus       PORT PATH [-s SIZE] [-k CHUNK] [-c CONNECTIONS]
 *     chunks resumable PORT PATH (the same)
 *     chunks range     PORT PATH (the same)
 *
 * Each connection brings one upload of SIZE / CONNECTIONS bytes, CHUNK bytes a
 * request.  tus: POST creates it (Tus-Resumable 1.0.0), PATCH with
 * Upload-Offset brings the bytes.  resumable: the same way in the words of
 * draft-ietf-httpbis-resumable-upload, interop version 8.  range: each chunk is
 * a multipart POST with Content-Range; a "%c" in PATH becomes the connection's
 * number.  The result is one line of name=value; exit status 1 when an answer
 * was not 2xx.
 */
#include "wire.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char part_head[] =
    "--" WIRE_BOUNDARY "\r\nContent-Disposition: form-data; name=\"file\"; "
    "filename=\"load.bin\"\r\nContent-Type: application/octet-stream\r\n\r\n";
static const char part_tail[] = "\r\n--" WIRE_BOUNDARY "--\r\n";

typedef enum protocol { RANGE, TUS, RESUMABLE } protocol;

/* By enum protocol: what creates an upload, and appends to it. */
static const char *const create_fields[] = {
    NULL, "Tus-Resumable: 1.0.0\r\n",
    "Upload-Draft-Interop-Version: 8\r\nUpload-Complete: ?0\r\n"
};
static const char *const append_fields[] = {
    NULL,
    "Tus-Resumable: 1.0.0\r\n"
    "Content-Type: application/offset+octet-stream\r\n",
    "Upload-Draft-Interop-Version: 8\r\n"
    "Content-Type: application/partial-upload\r\n"
};

typedef struct chunks {
    protocol protocol;
    const char *path;
    uint16_t port;
    uint64_t size; /* of one upload */
    uint64_t chunk;
    unsigned connections;
    char *block;
    uint64_t requests; /* of all threads */
    int bad_status;    /* the first answer that was not 2xx; -1: none at all */
} chunks;

typedef struct client {
    chunks *all;
    unsigned number;
    pthread_t thread;
    wire wire;
    char path[1024];
} client;

/* 0 when the answer is as good as can be. */
static int answer(client *c)
{
    int status = wire_answer(&c->wire);

    __atomic_fetch_add(&c->all->requests, 1, __ATOMIC_RELAXED);
    if (status >= 200 && status <= 299) {
        return 0;
    }
    __atomic_store_n(&c->all->bad_status, status ? status : -1,
                     __ATOMIC_RELAXED);
    return -1;
}

static void reconnect(client *c)
{
    if (c->wire.fd < 0) {
        wire_connect(&c->wire);
    }
}

static void name_path(client *c)
{
    const char *mark = strstr(c->all->path, "%c");

    if (mark) {
        snprintf(c->path, sizeof(c->path), "%.*s%06u%s",
                 (int)(mark - c->all->path), c->all->path, c->number, mark + 2);
    }
    else {
        snprintf(c->path, sizeof(c->path), "%s", c->all->path);
    }
}

/* Location may be a URL or a path. */
static int create(client *c)
{
    char head[2048];
    char place[1024];
    const char *path = place;
    int len = snprintf(head, sizeof(head),
                       "POST %s HTTP/1.1\r\nHost: localhost\r\n"
                       "%sUpload-Length: %llu\r\nContent-Length: 0\r\n\r\n",
                       c->path, create_fields[c->all->protocol],
                       (unsigned long long)c->all->size);

    if (wire_send(&c->wire, head, (size_t)len, 0) || answer(c)
        || !wire_field(&c->wire, "Location", place, sizeof(place))) {
        return -1;
    }
    if (!strncmp(place, "http://", 7)) {
        path = strchr(place + 7, '/');
    }
    snprintf(c->path, sizeof(c->path), "%s", path ? path : "/");
    return 0;
}

static int make_head(char *head, size_t room, const client *c, uint64_t at,
                     uint64_t len)
{
    if (c->all->protocol != RANGE) {
        const char *last = at + len == c->all->size ? "?1" : "?0";

        return snprintf(head, room,
                        "PATCH %s HTTP/1.1\r\nHost: localhost\r\n%s"
                        "%s%s%sUpload-Offset: %llu\r\n"
                        "Content-Length: %llu\r\n\r\n",
                        c->path, append_fields[c->all->protocol],
                        c->all->protocol == TUS ? "" : "Upload-Complete: ",
                        c->all->protocol == TUS ? "" : last,
                        c->all->protocol == TUS ? "" : "\r\n",
                        (unsigned long long)at, (unsigned long long)len);
    }
    return snprintf(
        head, room,
        "POST %s HTTP/1.1\r\nHost: localhost\r\nAccept: application/json\r\n"
        "Content-Range: bytes %llu-%llu/%llu\r\n"
        "Content-Type: multipart/form-data; boundary=" WIRE_BOUNDARY "\r\n"
        "Content-Length: %llu\r\n\r\n%s",
        c->path, (unsigned long long)at, (unsigned long long)(at + len - 1),
        (unsigned long long)c->all->size,
        (unsigned long long)(sizeof(part_head) + sizeof(part_tail) - 2 + len),
        part_head);
}

static int send_chunk(client *c, uint64_t at, uint64_t len)
{
    int is_form = c->all->protocol == RANGE;
    char head[4096];
    int n = make_head(head, sizeof(head), c, at, len);

    if (wire_send(&c->wire, head, (size_t)n, 1)
        || wire_send_block(&c->wire, c->all->block, len, is_form)) {
        return -1;
    }
    if (is_form && wire_send(&c->wire, part_tail, sizeof(part_tail) - 1, 0)) {
        return -1;
    }
    return answer(c);
}

static void *run_client(void *arg)
{
    client *c = arg;
    const chunks *all = c->all;
    uint64_t at;

    wire_connect(&c->wire);
    name_path(c);
    if (all->protocol != RANGE && create(c)) {
        return NULL;
    }
    for (at = 0; at < all->size; at += all->chunk) {
        uint64_t left = all->size - at;

        reconnect(c);
        if (send_chunk(c, at, left < all->chunk ? left : all->chunk)) {
            break;
        }
    }
    wire_disconnect(&c->wire);
    return NULL;
}

static void run(chunks *all)
{
    client *clients = calloc(all->connections, sizeof(*clients));
    double begun = wire_seconds();
    unsigned i;

    if (!clients) {
        wire_die("memory");
    }
    for (i = 0; i < all->connections; i++) {
        clients[i].all = all;
        clients[i].number = i;
        clients[i].wire.port = all->port;
        clients[i].wire.fd = -1;
        if (pthread_create(&clients[i].thread, NULL, run_client, &clients[i])) {
            wire_die("thread");
        }
    }
    for (i = 0; i < all->connections; i++) {
        pthread_join(clients[i].thread, NULL);
    }
    printf("requests=%llu failed=%d status=%d seconds=%.4f p99=0\n",
           (unsigned long long)all->requests, all->bad_status != 0,
           all->bad_status, wire_seconds() - begun);
    free(clients);
}

static void usage(void)
{
    fputs("chunks tus|resumable|range PORT PATH [-s SIZE] [-k CHUNK] [-c "
          "CONNECTIONS]\n",
          stderr);
    exit(2);
}

int main(int argc, char **argv)
{
    chunks all = { .size = WIRE_BLOCK, .chunk = WIRE_BLOCK, .connections = 1 };
    int i;

    if (argc < 4 || argc % 2) {
        usage();
    }
    all.protocol = !strcmp(argv[1], "tus")         ? TUS
                   : !strcmp(argv[1], "resumable") ? RESUMABLE
                                                   : RANGE;
    all.port = (uint16_t)strtoul(argv[2], NULL, 10);
    all.path = argv[3];
    for (i = 4; i + 1 < argc; i += 2) {
        switch (argv[i][0] == '-' ? argv[i][1] : '?') {
        case 's':
            all.size = wire_size(argv[i + 1]);
            break;
        case 'k':
            all.chunk = wire_size(argv[i + 1]);
            break;
        case 'c':
            all.connections = (unsigned)strtoul(argv[i + 1], NULL, 10);
            break;
        default:
            usage();
        }
    }
    if (!all.chunk || !all.connections || all.size < all.connections) {
        usage();
    }
    all.size /= all.connections;
    all.block = wire_block("random");
    run(&all);
    free(all.block);
    return all.bad_status != 0;
}
