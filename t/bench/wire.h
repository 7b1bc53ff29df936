/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_T_BENCH_WIRE_H
#define UPOOL_T_BENCH_WIRE_H

/* One HTTP/1.1 connection to 127.0.0.1, as the load generators need it: they
 * send as fast as they can and understand no more of an answer than it takes
 * to send the next request.  One thread a connection; whatever goes wrong on
 * our own side ends the program with status 2. */

#include <stddef.h>
#include <stdint.h>

/* What the generators send is this block again and again. */
#define WIRE_BLOCK ((size_t)1 << 20)

typedef struct wire {
    uint16_t port;
    int fd;             /* -1: not connected */
    char answer[16384]; /* the last answer, from its status line on */
    size_t have;
} wire;

__attribute__((noreturn)) void wire_die(const char *what);
double wire_seconds(void);
/* "64k", "1.5m", "4g" in bytes. */
uint64_t wire_size(const char *text);
/* A new block: random, text, cr, crlf (CRLF and dashes), near (the delimiter
 * but for its last byte); the caller frees it. */
char *wire_block(const char *pattern);
/* The boundary of what is sent as multipart. */
#define WIRE_BOUNDARY "----upoolbench5dKx0vTq9LmZ3c"

void wire_connect(wire *w);
void wire_disconnect(wire *w);
/* 0, or -1 when the server has closed.  more: something follows at once. */
int wire_send(wire *w, const char *bytes, size_t len, int more);
/* size bytes of the block, from its beginning. */
int wire_send_block(wire *w, const char *block, uint64_t size, int more);
/* The status of the next answer that is final; 0 when the connection ended
 * before the answer did.  Disconnects when the server says that it will.
 * Enough for answers of a few kilobytes that are not to HEAD. */
int wire_answer(wire *w);
/* The value of a field of the last answer in out; 0 when it is not there. */
int wire_field(const wire *w, const char *name, char *out, size_t room);

#endif
