/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/*
 * Many slow uploads to 127.0.0.1 from one thread:
 *
 *     slow PORT PATH COUNT AT-ONCE BYTES PIECES MILLISECONDS [wait]
 *
 * COUNT uploads of one file of BYTES, AT-ONCE of them at a time, each on a
 * connection of its own, sent in PIECES with MILLISECONDS between two.  A "%n"
 * in PATH becomes the number of the upload.  With "wait" the first AT-ONCE send
 * their first piece and stay; "begun" is said, and a line is read:
 *
 *     go      they go on
 *     reset   all connections are reset at once, and that is all
 *
 * The result is one line, "status=count …" with 0 for those that got no answer;
 * exit status 1 unless every answer was 2xx.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BOUNDARY "----uploadpoolslow5dKx0vTq9LmZ3c"
#define STATUSES 600
#define EVENTS 512
#define SILENCE_MS 120000

typedef struct client {
    int fd;      /* -1: none */
    size_t sent; /* of its text */
    size_t due;  /* so much it may send by now */
    size_t length;
    char *head;
    size_t head_length;
    int64_t next; /* milliseconds: when its next piece is due */
    struct client *later;
    int queued;
    int status; /* 0: no answer yet */
} client;

typedef struct slow {
    uint16_t port;
    const char *path;
    unsigned long count;
    unsigned long at_once;
    size_t bytes;
    size_t pieces;
    int64_t pause;
    int waits;
    int poll;
    char *body;
    size_t body_length;
    unsigned long begun; /* how many were started */
    unsigned long live;
    unsigned long quiet; /* have sent their first piece, and wait */
    unsigned long results[STATUSES];
    client *clients;
    client *first; /* those with a piece to come, in the order of time */
    client *last;
} slow;

static void die(const char *what)
{
    perror(what);
    exit(2);
}

static int64_t now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void allow_files(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit)) {
        die("getrlimit");
    }
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

static void make_body(slow *s)
{
    static const char head[] =
        "--" BOUNDARY "\r\nContent-Disposition: form-data; name=\"file\"; "
        "filename=\"slow.bin\"\r\n\r\n";
    static const char tail[] = "\r\n--" BOUNDARY "--\r\n";
    size_t at = sizeof(head) - 1;

    s->body_length = at + s->bytes + sizeof(tail) - 1;
    s->body = malloc(s->body_length);
    if (!s->body) {
        die("malloc");
    }
    memcpy(s->body, head, at);
    memset(s->body + at, 's', s->bytes);
    memcpy(s->body + at + s->bytes, tail, sizeof(tail) - 1);
}

static void make_head(const slow *s, client *c, unsigned long number)
{
    const char *mark = strstr(s->path, "%n");
    int before = mark ? (int)(mark - s->path) : (int)strlen(s->path);
    char text[32] = "";
    int length;

    if (mark) {
        snprintf(text, sizeof(text), "%lu", number);
    }
    free(c->head);
    length =
        asprintf(&c->head,
                 "POST %.*s%s%s HTTP/1.1\r\nHost: localhost\r\n"
                 "Content-Type: multipart/form-data; boundary=" BOUNDARY
                 "\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n",
                 before, s->path, text, mark ? mark + 2 : "", s->body_length);
    if (length < 0) {
        die("asprintf");
    }
    c->head_length = (size_t)length;
    c->length = c->head_length + s->body_length;
}

static void watch(const slow *s, client *c, int how, int writes)
{
    struct epoll_event event;

    event.events = EPOLLIN | (writes ? (uint32_t)EPOLLOUT : 0);
    event.data.ptr = c;
    if (epoll_ctl(s->poll, how, c->fd, &event)) {
        die("epoll_ctl");
    }
}

static void begin(slow *s, client *c)
{
    struct sockaddr_in to = { .sin_family = AF_INET };
    int on = 1;

    make_head(s, c, s->begun++);
    c->sent = 0;
    c->due = c->head_length + s->body_length / s->pieces;
    c->status = 0;
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (c->fd < 0) {
        die("socket");
    }
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    to.sin_port = htons(s->port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(c->fd, (struct sockaddr *)&to, sizeof(to))
        && errno != EINPROGRESS) {
        die("connect");
    }
    watch(s, c, EPOLL_CTL_ADD, 1);
    s->live++;
}

static void end(slow *s, client *c)
{
    close(c->fd);
    c->fd = -1;
    s->live--;
    s->results[c->status]++;
    if (s->begun < s->count && !s->waits) {
        begin(s, c);
    }
}

static void queue_piece(slow *s, client *c)
{
    if (c->queued) {
        return;
    }
    c->queued = 1;
    c->next = now() + s->pause;
    c->later = NULL;
    if (s->last) {
        s->last->later = c;
    }
    else {
        s->first = c;
    }
    s->last = c;
}

/* What is due and was not sent yet.  0: the socket takes no more. */
static int send_due(slow *s, client *c)
{
    while (c->sent < c->due) {
        int in_head = c->sent < c->head_length;
        const char *from =
            in_head ? c->head + c->sent : s->body + (c->sent - c->head_length);
        size_t upto = in_head ? c->head_length : c->due;
        ssize_t n = send(c->fd, from, upto - c->sent,
                         MSG_NOSIGNAL | (in_head ? MSG_MORE : 0));

        if (n < 0) {
            return 0;
        }
        c->sent += (size_t)n;
    }
    return 1;
}

static void go_on(slow *s, client *c)
{
    int all = send_due(s, c);

    watch(s, c, EPOLL_CTL_MOD, !all);
    if (!all || c->due == c->length) {
        return;
    }
    if (s->waits) {
        s->quiet++;
    }
    else {
        queue_piece(s, c);
    }
}

static void send_pieces(slow *s)
{
    while (s->first && s->first->next <= now()) {
        client *c = s->first;
        size_t step = s->body_length / s->pieces + 1;

        s->first = c->later;
        if (!s->first) {
            s->last = NULL;
        }
        c->queued = 0;
        if (c->fd < 0) {
            continue;
        }
        c->due = c->length - c->due < step ? c->length : c->due + step;
        go_on(s, c);
    }
}

/* The status line comes in one piece over loopback; what follows is read until
 * the server closes. */
static void hear(slow *s, client *c)
{
    char answer[4096];
    ssize_t n = recv(c->fd, answer, sizeof(answer) - 1, 0);

    if (n > 0) {
        answer[n] = '\0';
        if (!c->status && !strncmp(answer, "HTTP/1.1 ", 9)) {
            int status = (int)strtol(answer + 9, NULL, 10);

            c->status = status > 0 && status < STATUSES ? status : 0;
        }
        return;
    }
    if (n == 0 || errno != EAGAIN) {
        end(s, c);
    }
}

static void turn(slow *s)
{
    struct epoll_event events[EVENTS];
    int64_t wait = s->first ? s->first->next - now() : SILENCE_MS;
    int n = epoll_wait(s->poll, events, EVENTS, wait > 0 ? (int)wait : 0);
    int i;

    if (n < 0) {
        die("epoll_wait");
    }
    if (n == 0 && !s->first) {
        fprintf(stderr, "%lu uploads got nothing for %d s\n", s->live,
                SILENCE_MS / 1000);
        exit(2);
    }
    for (i = 0; i < n; i++) {
        client *c = events[i].data.ptr;

        if (c->fd >= 0 && events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) {
            hear(s, c);
        }
        else if (c->fd >= 0) {
            go_on(s, c);
        }
    }
    send_pieces(s);
}

static void reset_all(slow *s)
{
    struct linger at_once = { 1, 0 };
    unsigned long i;

    for (i = 0; i < s->at_once; i++) {
        setsockopt(s->clients[i].fd, SOL_SOCKET, SO_LINGER, &at_once,
                   sizeof(at_once));
        close(s->clients[i].fd);
    }
}

/* 0: all were reset. */
static int hold(slow *s)
{
    char line[16] = "";
    unsigned long i;

    while (s->quiet + s->results[0] < s->at_once && s->live) {
        turn(s);
    }
    printf("begun\n");
    fflush(stdout);
    if (!fgets(line, sizeof(line), stdin) || !strncmp(line, "reset", 5)) {
        reset_all(s);
        return 0;
    }
    s->waits = 0;
    for (i = 0; i < s->at_once; i++) {
        if (s->clients[i].fd >= 0) {
            queue_piece(s, &s->clients[i]);
        }
    }
    return 1;
}

static int tell(const slow *s)
{
    unsigned long good = 0;
    int i;

    for (i = 0; i < STATUSES; i++) {
        if (s->results[i]) {
            printf("%d=%lu ", i, s->results[i]);
        }
        good += i / 100 == 2 ? s->results[i] : 0;
    }
    printf("\n");
    return good == s->count ? 0 : 1;
}

int main(int argc, char *argv[])
{
    slow s;
    unsigned long i;

    if (argc < 8) {
        fprintf(stderr, "slow PORT PATH COUNT AT-ONCE BYTES PIECES"
                        " MILLISECONDS [wait]\n");
        return 2;
    }
    memset(&s, 0, sizeof(s));
    s.port = (uint16_t)strtoul(argv[1], NULL, 10);
    s.path = argv[2];
    s.count = strtoul(argv[3], NULL, 10);
    s.at_once = strtoul(argv[4], NULL, 10);
    s.bytes = strtoul(argv[5], NULL, 10);
    s.pieces = strtoul(argv[6], NULL, 10);
    s.pause = strtol(argv[7], NULL, 10);
    s.waits = argc > 8;
    allow_files();
    make_body(&s);
    s.poll = epoll_create1(EPOLL_CLOEXEC);
    s.clients = calloc(s.at_once, sizeof(*s.clients));
    if (s.poll < 0 || !s.clients || !s.pieces) {
        die("slow");
    }
    for (i = 0; i < s.at_once; i++) {
        begin(&s, &s.clients[i]);
    }
    if (s.waits && !hold(&s)) {
        return 0;
    }
    while (s.live) {
        turn(&s);
    }
    return tell(&s);
}
