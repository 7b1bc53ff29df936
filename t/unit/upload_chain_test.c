/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/* The chain of upload handlers: who is called, in which order, with what, and
 * what each verdict does.  Probes write down their calls. */
#include "upload/chain.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include <apr_general.h>
#include <apr_strings.h>
#include <tap.h>

static char story[8192];

static void tell(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static void tell(const char *fmt, ...)
{
    size_t at = strlen(story);
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(story + at, sizeof(story) - at, fmt, ap);
    va_end(ap);
}

typedef struct probe {
    const char *name;
    upload_pool_verdict raw;
    upload_pool_verdict begin;
    upload_pool_verdict chunk;
    upload_pool_verdict flushed;
    upload_pool_verdict end;
    upload_pool_verdict done;
    int status;
    const char *text;
    int takes;  /* lets no byte pass */
    int shouts; /* passes capitals, in the same memory each time */
    int keeps;  /* says where the file is */
    char letters[64];
    const char *held; /* a keeper points until it is flushed */
    apr_size_t held_len;
    char kept[256];
    const char *tail; /* given at the end of the data */
    upload_pool_verdict last;
    const char *content; /* keeps this */
    apr_off_t size;      /* and says that it is so long */
    const char *growth;  /* passes this for each piece */
} probe;

static probe *of(upload_pool_instance *self)
{
    probe *q = self->data;

    self->status = q->status;
    self->text = q->text;
    return q;
}

static upload_pool_verdict on_raw(upload_pool_instance *self)
{
    probe *q = of(self);

    tell("%s:raw ", q->name);
    return q->raw;
}

static upload_pool_verdict on_new(upload_pool_instance *self,
                                  upload_pool_file *file)
{
    probe *q = of(self);

    tell("%s:new%d ", q->name, file->index);
    return q->begin;
}

/* Only now the bytes are used. */
static void use_held(probe *q)
{
    if (q->held) {
        strncat(q->kept, q->held, q->held_len);
        q->held = NULL;
    }
}

static upload_pool_verdict on_chunk(upload_pool_instance *self,
                                    upload_pool_file *file, const char **data,
                                    apr_size_t *len, apr_off_t offset)
{
    probe *q = of(self);
    apr_size_t i;

    (void)file;
    tell("%s:%d@%d ", q->name, (int)*len, (int)offset);
    if (q->keeps) {
        use_held(q);
        q->held = *data;
        q->held_len = *len;
    }
    if (q->takes) {
        *len = 0;
    }
    if (q->growth) {
        *data = q->growth;
        *len = strlen(q->growth);
    }
    if (q->shouts) {
        for (i = 0; i < *len; i++) {
            q->letters[i] = (char)toupper((unsigned char)(*data)[i]);
        }
        *data = q->letters;
    }
    return q->chunk;
}

static upload_pool_verdict on_flush(upload_pool_instance *self)
{
    probe *q = of(self);

    tell("%s:flush ", q->name);
    use_held(q);
    return q->flushed;
}

static upload_pool_verdict on_end(upload_pool_instance *self,
                                  upload_pool_file *file, apr_off_t size,
                                  upload_pool_kept *kept)
{
    probe *q = of(self);

    tell("%s:end%d ", q->name, (int)size);
    apr_table_set(file->digests, "seen-by", q->name);
    if (q->keeps) {
        use_held(q);
        kept->stored = q->name;
    }
    if (q->content) {
        kept->content = q->content;
        kept->size = q->size;
    }
    return q->end;
}

static upload_pool_verdict on_done(upload_pool_instance *self)
{
    probe *q = of(self);

    tell("%s:done ", q->name);
    return q->done;
}

static void on_interrupted(upload_pool_instance *self, upload_pool_file *file)
{
    tell("%s:%s ", of(self)->name, file ? "cut" : "dead");
}

static const upload_pool_handler whole = {
    .name = "whole",
    .handle_raw_input = on_raw,
    .new_file = on_new,
    .receive_data_chunk = on_chunk,
    .flush = on_flush,
    .file_complete = on_end,
    .upload_complete = on_done,
    .upload_interrupted = on_interrupted,
};

static upload_pool_verdict on_tail(upload_pool_instance *self,
                                   upload_pool_file *file, const char **data,
                                   apr_size_t *len)
{
    probe *q = of(self);

    tell("%s:tail%d ", q->name, file->index);
    if (*len || *data) {
        tell("(not empty) ");
    }
    *data = q->tail;
    *len = q->tail ? strlen(q->tail) : 0;
    return q->last;
}

static const upload_pool_handler tailed = {
    UPLOAD_POOL_HANDLER_STUFF("tailed"),  .new_file = on_new,
    .receive_data_chunk = on_chunk,       .file_complete = on_end,
    .upload_interrupted = on_interrupted, .end_of_data = on_tail,
};

static const upload_pool_handler tens = {
    .name = "tens",
    .chunk_size = 10,
    .receive_data_chunk = on_chunk,
};

static const upload_pool_handler idle = { .name = "idle" };

/* A chain of probes a, b, c and a file to pass through it. */
typedef struct bench {
    apr_pool_t *p;
    upload_pool_request request;
    upool_refusal refusal;
    upool_chain *chain;
    probe a, b, c;
    upload_pool_file file;
    upload_pool_kept kept;
    int skipped;
} bench;

static void bench_start(bench *t, int handlers)
{
    memset(t, 0, sizeof(*t));
    story[0] = '\0';
    apr_pool_create(&t->p, NULL);
    t->request.pool = t->p;
    t->request.identifier = "id";
    t->refusal = upool_refusal_make(UPOOL_REASON_NONE, 0, NULL);
    t->chain = upool_chain_make(&t->request, &t->refusal, t->p);
    t->a.name = "a";
    t->b.name = "b";
    t->c.name = "c";
    t->file.pool = t->p;
    if (handlers > 0) {
        upool_chain_add(t->chain, &whole, &t->a);
    }
    if (handlers > 1) {
        upool_chain_add(t->chain, &whole, &t->b);
    }
    if (handlers > 2) {
        upool_chain_add(t->chain, &whole, &t->c);
    }
}

static void bench_end(bench *t)
{
    apr_pool_destroy(t->p);
}

static int begin(bench *t)
{
    return upool_chain_file_begin(t->chain, &t->file);
}

static int data(bench *t, const char *text)
{
    return upool_chain_data(t->chain, text, strlen(text));
}

static int end(bench *t)
{
    return upool_chain_file_end(t->chain, &t->kept, &t->skipped);
}

static void test_order(void)
{
    bench t;
    const char *name;
    apr_uint64_t calls;
    apr_uint64_t bytes;

    bench_start(&t, 2);
    t.b.keeps = 1;
    tap_is_int(upool_chain_open(t.chain), 0, "opened");
    tap_is_int(begin(&t), 0, "a file begins");
    tap_is_int(data(&t, "hello"), 0, "bytes");
    tap_is_int(data(&t, "!"), 0, "more bytes");
    tap_is_int(upool_chain_flush(t.chain), 0, "flushed");
    tap_is_int(end(&t), 0, "it ends");
    tap_is_int(upool_chain_complete(t.chain), 0, "complete");
    tap_is_str(story,
               "a:raw b:raw a:new0 b:new0 a:5@0 b:5@0 a:1@5 b:1@5 "
               "a:flush b:flush a:end6 b:end6 a:done b:done ",
               "every handler in order");
    tap_is_int(t.kept.size, 6, "so many bytes");
    tap_is_str(t.kept.stored, "b", "kept by the second");
    tap_is_int(t.skipped, 0, "not skipped");
    tap_is_str(apr_table_get(t.file.digests, "seen-by"), "b",
               "the digests table is there for all");
    tap_is_int(upool_chain_account(t.chain, 1, &name, &calls, &bytes), 1,
               "accounting of the second");
    tap_is_str(name, "whole", "its name");
    tap_is_int(calls, 2, "its calls");
    tap_is_int(bytes, 6, "its bytes");
    tap_is_int(upool_chain_account(t.chain, 2, &name, &calls, &bytes), 0,
               "there is no third");
    bench_end(&t);
}

static void test_empty_chain(void)
{
    bench t;

    bench_start(&t, 0);
    upool_chain_add(t.chain, &idle, NULL);
    tap_is_int(upool_chain_open(t.chain) || begin(&t) || data(&t, "x")
                   || upool_chain_flush(t.chain) || end(&t)
                   || upool_chain_complete(t.chain),
               0, "a handler of no functions agrees to everything");
    tap_is_int(t.skipped, 1, "what nobody keeps counts as skipped");
    bench_end(&t);
}

static void test_pieces(void)
{
    bench t;

    bench_start(&t, 1);
    upool_chain_add(t.chain, &tens, &t.b);
    tap_ok(upool_chain_find(t.chain, &tens) == &t.b, "a handler's data");
    tap_ok(!upool_chain_find(t.chain, &idle), "of one that is not there");
    upool_chain_open(t.chain);
    begin(&t);
    story[0] = '\0';
    data(&t, "0123456789012345678901234");
    tap_is_str(story, "a:10@0 b:10@0 a:10@10 b:10@10 a:5@20 b:5@20 ",
               "the smallest chunk size of the chain holds for all");
    bench_end(&t);
    bench_start(&t, 1);
    upool_chain_open(t.chain);
    begin(&t);
    story[0] = '\0';
    upool_chain_data(t.chain, apr_pcalloc(t.p, 65537), 65537);
    tap_is_str(story, "a:65536@0 a:1@65536 ", "65,536 by default");
    story[0] = '\0';
    upool_chain_data(t.chain, "", 0);
    tap_is_str(story, "", "no call for no bytes");
    bench_end(&t);
}

/* The second handler gives its capitals from one buffer again and again, the
 * third only remembers where they lie: it must be flushed in between. */
static void test_transform(void)
{
    bench t;

    bench_start(&t, 3);
    t.a.keeps = 1;
    t.b.shouts = 1;
    t.c.keeps = 1;
    upool_chain_open(t.chain);
    begin(&t);
    story[0] = '\0';
    data(&t, "one ");
    tap_is_str(story, "a:4@0 b:4@0 c:4@0 c:flush ",
               "those behind the transforming one are flushed at once");
    data(&t, "two");
    upool_chain_flush(t.chain);
    end(&t);
    tap_is_str(t.a.kept, "one two", "those before it see the original");
    tap_is_str(t.c.kept, "ONE TWO", "those behind it the new bytes, whole");
    tap_is_str(t.kept.stored, "a", "the first that keeps it wins");
    bench_end(&t);
}

static void test_consume(void)
{
    bench t;

    bench_start(&t, 2);
    t.a.takes = 1;
    t.a.keeps = 1;
    upool_chain_open(t.chain);
    begin(&t);
    story[0] = '\0';
    data(&t, "abc");
    data(&t, "de");
    t.a.takes = 0;
    data(&t, "f");
    end(&t);
    tap_is_str(
        story, "a:3@0 a:2@3 a:1@5 b:1@0 a:end6 b:end1 ",
        "taken bytes reach nobody; offsets and sizes are each one's own");
    bench_end(&t);
}

static void test_handled(void)
{
    bench t;

    bench_start(&t, 3);
    t.b.begin = UPLOAD_POOL_HANDLED;
    t.b.keeps = 1;
    upool_chain_open(t.chain);
    story[0] = '\0';
    begin(&t);
    data(&t, "x");
    upool_chain_flush(t.chain);
    end(&t);
    tap_is_str(story,
               "a:new0 b:new0 a:1@0 b:1@0 a:flush b:flush a:end1 b:end1 ",
               "later handlers do not see a file that is handled");
    story[0] = '\0';
    t.b.begin = UPLOAD_POOL_GO_ON;
    t.file.index = 1;
    begin(&t);
    end(&t);
    tap_is_str(story, "a:new1 b:new1 c:new1 a:end0 b:end0 c:end0 ",
               "but they see the next one");
    upool_chain_complete(t.chain);
    tap_ok(strstr(story, "c:done") != NULL, "and the end of the upload");
    bench_end(&t);
}

static void test_skip_at_begin(void)
{
    bench t;

    bench_start(&t, 3);
    t.b.begin = UPLOAD_POOL_SKIP_FILE;
    upool_chain_open(t.chain);
    story[0] = '\0';
    tap_is_int(begin(&t), 0, "a file skipped at its beginning refuses nothing");
    data(&t, "xyz");
    upool_chain_flush(t.chain);
    end(&t);
    tap_is_str(story, "a:new0 b:new0 a:cut b:cut ",
               "who saw it is told, nobody sees its bytes");
    tap_is_int(t.skipped, 1, "skipped");
    t.b.begin = UPLOAD_POOL_GO_ON;
    t.c.keeps = 1;
    begin(&t);
    data(&t, "k");
    end(&t);
    tap_is_int(t.skipped, 0, "the next file is kept");
    tap_is_int(t.refusal.reason, UPOOL_REASON_NONE, "and nothing refused");
    bench_end(&t);
}

static void test_skip_later(void)
{
    bench t;

    bench_start(&t, 3);
    upool_chain_open(t.chain);
    begin(&t);
    t.b.chunk = UPLOAD_POOL_SKIP_FILE;
    t.c.keeps = 1;
    story[0] = '\0';
    data(&t, "xyz");
    data(&t, "more");
    end(&t);
    tap_is_str(story, "a:3@0 b:3@0 a:cut b:cut c:cut ",
               "skipped in the middle: told once, no byte afterwards");
    tap_is_int(t.skipped, 1, "nothing is kept");
    t.b.chunk = UPLOAD_POOL_GO_ON;
    t.b.end = UPLOAD_POOL_SKIP_FILE;
    begin(&t);
    data(&t, "x");
    story[0] = '\0';
    tap_is_int(end(&t), 0, "skipped at its end");
    tap_is_str(story, "a:end1 b:end1 a:cut b:cut c:cut ",
               "later handlers do not complete it");
    tap_is_int(t.skipped, 1, "nothing is kept");
    bench_end(&t);
}

/* Which function says it: a STOP anywhere refuses, and then each handler that
 * was opened is interrupted, once, in order. */
static void test_stop(void)
{
    static const char *const where[] = { "raw",   "new", "chunk",
                                         "flush", "end", "done" };
    int w;

    for (w = 0; w < 6; w++) {
        bench t;
        upload_pool_verdict *verdict[6];
        int rc;

        bench_start(&t, 3);
        verdict[0] = &t.b.raw;
        verdict[1] = &t.b.begin;
        verdict[2] = &t.b.chunk;
        verdict[3] = &t.b.flushed;
        verdict[4] = &t.b.end;
        verdict[5] = &t.b.done;
        t.c.keeps = 1;
        *verdict[w] = w % 2 ? UPLOAD_POOL_STOP_RESET : UPLOAD_POOL_STOP;
        rc = upool_chain_open(t.chain) || begin(&t) || data(&t, "x")
             || upool_chain_flush(t.chain) || end(&t)
             || upool_chain_complete(t.chain);
        tap_is_int(rc, 1, "stop in %s refuses", where[w]);
        tap_is_int(t.refusal.reason, UPOOL_REASON_HANDLER, "as a handler's");
        tap_is_int(t.refusal.status, 403, "with 403");
        tap_is_str(t.refusal.detail, "whole", "the log learns whose");
        tap_is_int(t.refusal.reset, w % 2, "closes: %d", w % 2);
        story[0] = '\0';
        upool_chain_interrupt(t.chain);
        upool_chain_interrupt(t.chain);
        tap_is_str(story, w ? "a:dead b:dead c:dead " : "a:dead b:dead ",
                   "each that was opened ends once");
        bench_end(&t);
    }
}

/* What was held back passes through those behind, before anybody is told that
 * the file is complete. */
static void test_tail(void)
{
    bench t;

    bench_start(&t, 1);
    upool_chain_add(t.chain, &tailed, &t.b);
    upool_chain_add(t.chain, &whole, &t.c);
    t.b.takes = 1;
    t.b.tail = "tail";
    t.c.keeps = 1;
    upool_chain_open(t.chain);
    begin(&t);
    data(&t, "abc");
    story[0] = '\0';
    tap_is_int(end(&t), 0, "a file of held bytes ends");
    tap_is_str(story, "b:tail0 c:4@0 c:flush a:end3 b:end3 c:end4 ",
               "the tail comes before the end");
    tap_is_str(t.c.kept, "tail", "whole");
    tap_is_int(t.kept.size, 3, "unless somebody says so, the client's size");
    t.b.last = UPLOAD_POOL_SKIP_FILE;
    begin(&t);
    story[0] = '\0';
    tap_is_int(end(&t), 0, "skipped by its tail");
    tap_is_str(story, "b:tail0 a:cut b:cut c:cut ", "and by all");
    tap_is_int(t.skipped, 1, "not kept");
    t.b.last = UPLOAD_POOL_STOP;
    begin(&t);
    tap_is_int(end(&t), 1, "stopped by its tail");
    bench_end(&t);
}

/* What a handler makes longer comes in chunks to the next, and each chunk is
 * used before the first is called again. */
static void test_growth(void)
{
    bench t;

    bench_start(&t, 1);
    upool_chain_add(t.chain, &tens, &t.b);
    upool_chain_add(t.chain, &whole, &t.c);
    t.a.growth = "0123456789ABCDE";
    t.c.keeps = 1;
    upool_chain_open(t.chain);
    begin(&t);
    story[0] = '\0';
    data(&t, "xxxxxxxxxxyy");
    tap_is_str(story,
               "a:10@0 b:10@0 c:10@0 b:5@10 c:5@10 c:flush "
               "a:2@10 b:10@15 c:10@15 b:5@25 c:5@25 c:flush ",
               "longer than a chunk");
    end(&t);
    tap_is_str(t.c.kept, "0123456789ABCDE0123456789ABCDE", "nothing is lost");
    bench_end(&t);
}

static void test_kept_once(void)
{
    bench t;

    bench_start(&t, 3);
    t.b.content = "bytes";
    t.b.size = 5;
    t.c.keeps = 1;
    upool_chain_open(t.chain);
    begin(&t);
    data(&t, "x");
    tap_is_int(end(&t), 0, "two keep one file");
    tap_is_str(t.kept.content, "bytes", "the first wins");
    tap_is_str(t.kept.stored, NULL, "the second has no say");
    tap_is_int(t.kept.size, 5, "not even in the size");
    t.b.size = -1;
    begin(&t);
    tap_is_int(end(&t), 1, "no file has less than no bytes");
    tap_is_int(t.refusal.status, 500, "the handler is to blame");
    bench_end(&t);
    bench_start(&t, 1);
    t.a.content = "bytes";
    t.a.size = ((apr_off_t)1 << 30) + 1;
    upool_chain_open(t.chain);
    begin(&t);
    tap_is_int(end(&t), 1, "nor can memory hold so many");
    bench_end(&t);
}

/* A verdict out of place is no agreement. */
static void test_wrong_verdicts(void)
{
    static const upload_pool_verdict wrong[] = { UPLOAD_POOL_HANDLED,
                                                 UPLOAD_POOL_SKIP_FILE,
                                                 (upload_pool_verdict)99 };
    int w;
    int v;

    for (w = 0; w < 6; w++) {
        for (v = 0; v < 3; v++) {
            /* A file may be skipped wherever one is at hand, but for flush. */
            int good = (w == 1 && v < 2) || ((w == 2 || w == 4) && v == 1);
            bench t;
            upload_pool_verdict *verdict[6];
            int rc;

            bench_start(&t, 2);
            verdict[0] = &t.b.raw;
            verdict[1] = &t.b.begin;
            verdict[2] = &t.b.chunk;
            verdict[3] = &t.b.flushed;
            verdict[4] = &t.b.end;
            verdict[5] = &t.b.done;
            *verdict[w] = wrong[v];
            rc = upool_chain_open(t.chain) || begin(&t) || data(&t, "x")
                 || upool_chain_flush(t.chain) || end(&t)
                 || upool_chain_complete(t.chain);
            tap_is_int(rc, !good, "function %d, verdict %d", w, (int)wrong[v]);
            tap_is_int(t.refusal.status, good ? 200 : 500, "its status");
            bench_end(&t);
        }
    }
}

/* upload_complete is no promise that nothing fails any more. */
static void test_interrupt_complete(void)
{
    bench t;

    bench_start(&t, 2);
    upool_chain_open(t.chain);
    upool_chain_complete(t.chain);
    story[0] = '\0';
    upool_chain_interrupt(t.chain);
    upool_chain_interrupt(t.chain);
    tap_is_str(story, "a:dead b:dead ", "interrupted after it agreed, once");
    bench_end(&t);
}

static void test_words(void)
{
    bench t;

    bench_start(&t, 2);
    t.b.begin = UPLOAD_POOL_STOP;
    t.b.status = 422;
    t.b.text = "A virus";
    upool_chain_open(t.chain);
    tap_is_int(begin(&t), 1, "refused");
    tap_is_int(t.refusal.status, 422, "with the handler's own status");
    tap_is_str(t.refusal.text, "A virus", "and text");
    bench_end(&t);
    bench_start(&t, 1);
    t.a.raw = UPLOAD_POOL_STOP;
    t.a.status = 200;
    t.a.text = "caf\xe9";
    tap_is_int(upool_chain_open(t.chain), 1, "refused");
    tap_is_int(t.refusal.status, 403, "a status that is no error is not used");
    tap_is_str(t.refusal.text, "Upload was refused", "nor what is no text");
    bench_end(&t);
    bench_start(&t, 1);
    t.refusal = upool_refusal_make(UPOOL_REASON_FULL, 28, "disk");
    t.a.begin = UPLOAD_POOL_STOP_RESET;
    upool_chain_open(t.chain);
    begin(&t);
    tap_is_int(t.refusal.reason, UPOOL_REASON_FULL, "the first refusal stands");
    tap_is_int(t.refusal.reset, 1, "a reset is added to it");
    bench_end(&t);
}

static void test_interrupt_unopened(void)
{
    bench t;

    bench_start(&t, 2);
    upool_chain_interrupt(t.chain);
    tap_is_str(story, "", "what was not opened is not interrupted");
    bench_end(&t);
}

static upload_pool_verdict on_raw_data(upload_pool_instance *self,
                                       const char **bytes, apr_size_t *len,
                                       apr_off_t offset)
{
    probe *q = of(self);
    apr_size_t i;

    tell("%s:raw%d@%d ", q->name, (int)*len, (int)offset);
    for (i = 0; q->shouts && i < *len; i++) {
        q->letters[i] = (char)toupper((unsigned char)(*bytes)[i]);
    }
    *bytes = q->shouts ? q->letters : *bytes;
    *len = q->takes ? 0 : *len;
    return q->chunk;
}

static upload_pool_verdict on_raw_end(upload_pool_instance *self,
                                      const char **bytes, apr_size_t *len)
{
    probe *q = of(self);

    tell("%s:rawend ", q->name);
    *bytes = q->tail;
    *len = q->tail ? strlen(q->tail) : 0;
    return q->last;
}

static const upload_pool_handler raw_tens = {
    .name = "raw",
    .chunk_size = 10,
    .receive_raw_data = on_raw_data,
    .end_of_raw_data = on_raw_end,
    .upload_interrupted = on_interrupted,
};

static int parse(void *user, const char *bytes, apr_size_t len)
{
    strncat(user, bytes, len);
    return 0;
}

static void test_raw(void)
{
    static const char body[] = "0123456789abc";
    char parsed[64] = "";
    bench t;

    bench_start(&t, 1);
    tap_is_int(upool_chain_raw(t.chain, body, 13, parse, parsed), 0,
               "without a handler for it");
    tap_is_str(parsed, body, "the body goes to the parser as it is");
    upool_chain_add(t.chain, &raw_tens, &t.b);
    upool_chain_add(t.chain, &raw_tens, &t.c);
    t.b.shouts = 1;
    t.b.tail = "xy";
    t.c.tail = "z";
    parsed[0] = '\0';
    upool_chain_raw(t.chain, body, 13, parse, parsed);
    upool_chain_raw_end(t.chain, parse, parsed);
    tap_is_str(parsed, "0123456789ABCxyz", "handlers change it, in order");
    tap_is_str(story,
               "b:raw10@0 c:raw10@0 b:raw3@10 c:raw3@10 b:rawend c:raw2@13 "
               "c:rawend ",
               "in pieces, and what is held back goes to those behind");
    t.b.takes = 1;
    parsed[0] = '\0';
    upool_chain_raw(t.chain, body, 5, parse, parsed);
    tap_is_str(parsed, "", "one may keep it all");
    t.b.chunk = UPLOAD_POOL_SKIP_FILE;
    tap_is_int(upool_chain_raw(t.chain, body, 5, parse, parsed), 1,
               "there is no file to skip");
    tap_is_int(t.refusal.reason, UPOOL_REASON_CONFIGURATION, "that is a fault");
    bench_end(&t);
    bench_start(&t, 0);
    upool_chain_add(t.chain, &raw_tens, &t.b);
    t.b.last = UPLOAD_POOL_STOP;
    tap_is_int(upool_chain_raw_end(t.chain, parse, parsed), 1, "a stop");
    tap_is_int(t.refusal.reason, UPOOL_REASON_HANDLER, "is the handler's");
    bench_end(&t);
}

int main(void)
{
    apr_initialize();
    test_raw();
    test_order();
    test_empty_chain();
    test_pieces();
    test_transform();
    test_consume();
    test_handled();
    test_skip_at_begin();
    test_skip_later();
    test_stop();
    test_tail();
    test_growth();
    test_kept_once();
    test_wrong_verdicts();
    test_interrupt_complete();
    test_words();
    test_interrupt_unopened();
    apr_terminate();
    return tap_done();
}
