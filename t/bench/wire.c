/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "wire.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

void wire_die(const char *what)
{
    perror(what);
    exit(2);
}

double wire_seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

uint64_t wire_size(const char *text)
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

static void repeat(char *block, const char *unit)
{
    size_t len = strlen(unit);
    size_t i;

    for (i = 0; i < WIRE_BLOCK; i++) {
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
        for (i = 0; i < WIRE_BLOCK; i += sizeof(x)) {
            x ^= x << 13;
            x ^= x >> 7;
            x ^= x << 17;
            memcpy(block + i, &x, sizeof(x));
        }
    }
}

char *wire_block(const char *pattern)
{
    char *block = malloc(WIRE_BLOCK);

    if (!block) {
        wire_die("memory");
    }
    fill(block, pattern);
    return block;
}

void wire_connect(wire *w)
{
    struct sockaddr_in address;
    int one = 1;

    memset(&address, 0, sizeof(address));
    address.sin_family = AF_INET;
    address.sin_port = htons(w->port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    w->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (w->fd < 0
        || connect(w->fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
        wire_die("connect");
    }
    setsockopt(w->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
}

void wire_disconnect(wire *w)
{
    if (w->fd >= 0) {
        close(w->fd);
    }
    w->fd = -1;
}

int wire_send(wire *w, const char *bytes, size_t len, int more)
{
    while (len) {
        ssize_t n =
            send(w->fd, bytes, len, MSG_NOSIGNAL | (more ? MSG_MORE : 0));

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

int wire_send_block(wire *w, const char *block, uint64_t size, int more)
{
    while (size) {
        size_t piece = size < WIRE_BLOCK ? (size_t)size : WIRE_BLOCK;

        size -= piece;
        if (wire_send(w, block, piece, size || more)) {
            return -1;
        }
    }
    return 0;
}

/* More of the answer, NUL behind it; -1 when there is no more. */
static int read_more(wire *w)
{
    ssize_t n;

    if (w->have >= sizeof(w->answer) - 1) {
        return -1;
    }
    n = recv(w->fd, w->answer + w->have, sizeof(w->answer) - 1 - w->have, 0);
    if (n <= 0) {
        return -1;
    }
    w->have += (size_t)n;
    w->answer[w->have] = '\0';
    return 0;
}

/* The bytes of the head; 0 when there is none. */
static size_t read_head(wire *w)
{
    const char *end;

    while ((end = strstr(w->answer, "\r\n\r\n")) == NULL) {
        if (read_more(w)) {
            return 0;
        }
    }
    return (size_t)(end - w->answer) + 4;
}

int wire_field(const wire *w, const char *name, char *out, size_t room)
{
    size_t len = strlen(name);
    const char *line = strstr(w->answer, "\r\n");

    for (; line && line[2] != '\r'; line = strstr(line + 2, "\r\n")) {
        if (!strncasecmp(line + 2, name, len) && line[2 + len] == ':') {
            line += 2 + len + 1;
            line += strspn(line, " ");
            snprintf(out, room, "%.*s", (int)strcspn(line, "\r"), line);
            return 1;
        }
    }
    return 0;
}

static int read_body(wire *w, size_t head)
{
    char length[24];
    size_t want = head + 5;

    if (wire_field(w, "Content-Length", length, sizeof(length))) {
        want = head + (size_t)strtoull(length, NULL, 10);
        while (w->have < want) {
            if (read_more(w)) {
                return -1;
            }
        }
        return 0;
    }
    while (w->have < want
           || strcmp(w->answer + w->have - 5, "0\r\n\r\n") != 0) {
        if (read_more(w)) {
            return -1;
        }
    }
    return 0;
}

int wire_answer(wire *w)
{
    char value[16];
    size_t head;
    int status;

    w->have = 0;
    w->answer[0] = '\0';
    for (;;) {
        head = read_head(w);
        if (!head) {
            return 0;
        }
        status = (int)strtol(w->answer + 9, NULL, 10);
        if (status >= 200) {
            break;
        }
        w->have -= head;
        memmove(w->answer, w->answer + head, w->have + 1);
    }
    if (status != 204 && read_body(w, head)) {
        return 0;
    }
    if (wire_field(w, "Connection", value, sizeof(value))
        && !strcasecmp(value, "close")) {
        wire_disconnect(w);
    }
    return status;
}
