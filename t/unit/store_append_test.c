/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/* An upload of several requests on the disk: what is there after every way that
 * an append can end, who may write at the same time, and who has to stop. */
#include "store/writer.h"

#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>

#include "store/quota.h"
#include "store_kit.h"

static apr_status_t create(kit *k, const char *id, apr_off_t length)
{
    upool_record *previous = NULL;
    const char *why = NULL;
    apr_pool_t *p;
    apr_status_t rv;

    apr_pool_create(&p, k->p);
    rv = upool_resumable_create(k->store, kit_resumable(p, id, length), 0,
                                UPOOL_REPLACES_ANY, p, &previous, &why);
    apr_pool_destroy(p);
    return rv;
}

static apr_pool_t *request(const kit *k)
{
    apr_pool_t *p;

    apr_pool_create(&p, k->p);
    return p;
}

static upool_resumable_look *open_append(kit *k, const char *id, apr_pool_t *p)
{
    upool_resumable_look *a = NULL;

    return upool_resumable_open(&a, k->store, id, p) ? NULL : a;
}

static apr_status_t begin(upool_writer **w, upool_resumable_look *a,
                          apr_off_t start, int provisional)
{
    upool_writer_claim claim = { 0, -1, 0, 0 };

    claim.start = start;
    claim.provisional = provisional;
    return upool_writer_begin(w, a, &claim);
}

static apr_status_t begin_part(upool_writer **w, upool_resumable_look *a,
                               apr_off_t start, apr_off_t end)
{
    upool_writer_claim claim = { 0, -1, 1, 0 };

    claim.start = start;
    claim.end = end;
    return upool_writer_begin(w, a, &claim);
}

static apr_status_t put(upool_writer *w, const char *text)
{
    struct iovec piece = { (void *)text, strlen(text) };

    return upool_writer_write(w, &piece, 1);
}

static apr_off_t offset(kit *k, const char *id)
{
    apr_pool_t *p = request(k);
    const upool_resumable_look *a = open_append(k, id, p);
    apr_off_t at = a ? upool_resumable_offset(a) : -1;

    apr_pool_destroy(p);
    return at;
}

static const char *bytes(kit *k, const char *id)
{
    const char *name = kit_data_name(k, id);

    return name ? kit_read_file(k, kit_in(k, id, name)) : NULL;
}

/* One whole append. */
static apr_status_t append(kit *k, const char *id, apr_off_t start,
                           const char *text)
{
    upool_writer *w = NULL;
    apr_pool_t *p = request(k);
    upool_resumable_look *a = open_append(k, id, p);
    apr_status_t rv = a ? begin(&w, a, start, 0) : APR_ENOENT;

    rv = rv ? rv : put(w, text);
    rv = rv ? rv : upool_writer_keep(w, NULL);
    apr_pool_destroy(p);
    return rv;
}

static apr_status_t part(kit *k, const char *id, apr_off_t start,
                         const char *text)
{
    upool_writer *w = NULL;
    apr_pool_t *p = request(k);
    upool_resumable_look *a = open_append(k, id, p);
    apr_status_t rv =
        a ? begin_part(&w, a, start, start + (apr_off_t)strlen(text))
          : APR_ENOENT;

    rv = rv ? rv : put(w, text);
    rv = rv ? rv : upool_writer_keep(w, NULL);
    apr_pool_destroy(p);
    return rv;
}

static apr_status_t complete(kit *k, const char *id)
{
    upool_writer *w = NULL;
    apr_pool_t *p = request(k);
    upool_resumable_look *a = open_append(k, id, p);
    upool_bucket *bucket = NULL;
    apr_status_t rv = a ? upool_writer_complete(&w, a, &bucket, p) : APR_ENOENT;

    if (!rv) {
        const upool_resumable *about = upool_resumable_about(a);
        upool_record *record =
            kit_record(p, id, UPOOL_STATE_DONE, about->created);

        kit_add_file(record, p, about->file.stored, about->length);
        rv = upool_bucket_commit(bucket, record);
        upool_bucket_end(bucket);
        upool_writer_release(w);
    }
    apr_pool_destroy(p);
    return rv;
}

static void test_in_order(kit *k)
{
    upool_writer *w = NULL;
    apr_pool_t *p = request(k);
    upool_resumable_look *a;

    tap_is_int(create(k, "one", 6), 0, "made");
    tap_is_int(create(k, "one", 6), APR_EBUSY, "once");
    tap_is_int(append(k, "one", 0, "abc"), 0, "three bytes");
    tap_is_int(append(k, "one", 2, "x"), APR_EMISMATCH, "not before the end");
    tap_is_int(append(k, "one", 4, "x"), APR_EMISMATCH, "nor behind it");
    a = open_append(k, "one", p);
    tap_is_int(begin(&w, a, -1, 0), 0, "the end, wherever it is");
    tap_is_int(upool_writer_offset(w), 3, "is told");
    put(w, "de");
    tap_is_int(upool_writer_offset(w), 5, "and moves");
    tap_is_int(upool_writer_keep(w, NULL), 0, "kept");
    tap_is_int(upool_resumable_held(a), 5, "it holds as much");
    tap_ok(upool_resumable_activity(a) > apr_time_now() - apr_time_from_sec(60)
               && upool_resumable_activity(a) <= apr_time_now() + 100000,
           "and was active a moment ago");
    tap_is_int(complete(k, "one"), APR_EINCOMPLETE, "not to be completed yet");
    tap_is_int(append(k, "one", 5, "f"), 0, "the last byte");
    tap_is_int(complete(k, "one"), 0, "completed");
    tap_is_int(complete(k, "one"), APR_EOF, "once");
    tap_is_int(append(k, "one", 6, "x"), APR_EOF, "then nothing follows");
    a = open_append(k, "one", p);
    tap_ok(upool_resumable_record(a) != NULL, "it is found complete");
    tap_is_int(upool_resumable_offset(a), 6, "with its length");
    tap_is_str(bytes(k, "one"), "abcdef", "and its bytes");
    tap_is_int(offset(k, "none"), -1, "another is not found");
    apr_pool_destroy(p);
}

static void test_provisional(kit *k)
{
    upool_writer *w = NULL;
    apr_pool_t *p = request(k);
    upool_resumable_look *a;

    create(k, "prov", 9);
    append(k, "prov", 0, "abc");
    a = open_append(k, "prov", p);
    begin(&w, a, 3, 1);
    put(w, "xyz");
    tap_is_int(offset(k, "prov"), 3, "others see what can be trusted");
    upool_writer_take_back(w);
    tap_is_str(bytes(k, "prov"), "abc", "taken back");
    begin(&w, a, 3, 1);
    put(w, "def");
    tap_is_int(upool_writer_keep(w, NULL), 0, "or kept");
    tap_is_int(offset(k, "prov"), 6, "then it counts");
    begin(&w, a, 6, 1);
    put(w, "xx");
    apr_pool_destroy(p);
    tap_is_int(offset(k, "prov"), 6, "with the request it goes");
    tap_is_str(bytes(k, "prov"), "abcdef", "from the file, too");
    tap_is_int(append(k, "prov", 6, "ghi"), 0, "the rest");
    tap_is_str(bytes(k, "prov"), "abcdefghi", "follows");
}

/* R1: No offset is ahead of the file. */
/* More than the next one will write, and nobody to take it back. */
static void test_killed_tail(kit *k)
{
    upool_writer *w = NULL;
    pid_t pid;
    int status;

    create(k, "tail", 9);
    append(k, "tail", 0, "abc");
    pid = fork();
    if (pid == 0) {
        upool_resumable_look *a = open_append(k, "tail", k->p);

        begin(&w, a, 3, 1);
        put(w, "xyzxyz");
        kill(getpid(), SIGKILL);
    }
    waitpid(pid, &status, 0);
    tap_is_int(offset(k, "tail"), 3, "what was never checked does not count");
    tap_is_int(append(k, "tail", 3, "de"), 0, "fewer bytes come in its place");
    tap_is_int(offset(k, "tail"), 5, "and they alone count");
    tap_is_str(bytes(k, "tail"), "abcde", "nothing is left of the others");
}

static apr_status_t set_length(void *user, upool_resumable *about)
{
    const apr_off_t *length = user;

    if (*length < 0) {
        return APR_EINVAL;
    }
    about->length = *length;
    return APR_SUCCESS;
}

static void test_update(kit *k)
{
    apr_pool_t *p = request(k);
    upool_resumable_look *a;
    apr_off_t length = 5;

    create(k, "upd", -1);
    a = open_append(k, "upd", p);
    tap_is_int(upool_resumable_update(a, set_length, &length), 0, "changed");
    tap_is_int(upool_resumable_about(open_append(k, "upd", p))->length, 5,
               "for everybody");
    length = -1;
    tap_is_int(upool_resumable_update(a, set_length, &length), APR_EINVAL,
               "or not");
    append(k, "upd", 0, "abcde");
    complete(k, "upd");
    length = 6;
    tap_is_int(upool_resumable_update(a, set_length, &length), APR_EOF,
               "not when it is complete");
    apr_pool_destroy(p);
}

static void test_midstates(kit *k)
{
    upool_writer *w = NULL;
    apr_pool_t *p = request(k);
    apr_array_header_t *list = apr_array_make(p, 1, sizeof(upool_midstate));
    upool_midstate *m = apr_array_push(list);
    upool_resumable_look *a;

    m->algorithm = "md5";
    m->offset = 3;
    m->state = "abcdef";
    create(k, "mid", 9);
    a = open_append(k, "mid", p);
    begin(&w, a, 0, 0);
    put(w, "abc");
    tap_is_int(upool_writer_keep(w, list), 0, "a digest is put down");
    a = open_append(k, "mid", p);
    tap_is_int(upool_resumable_about(a)->midstates->nelts, 1, "and found");
    append(k, "mid", 3, "def");
    a = open_append(k, "mid", p);
    tap_is_int(upool_resumable_about(a)->midstates->nelts, 1,
               "after an append without one, too");
    tap_ok(truncate(kit_in(k, "mid", kit_data_name(k, "mid")), 2) == 0,
           "the file loses bytes");
    tap_is_int(append(k, "mid", 2, "c"), 0, "which come again");
    a = open_append(k, "mid", p);
    tap_is_int(upool_resumable_about(a)->midstates->nelts, 0,
               "then the digest of what was there is gone");
    apr_pool_destroy(p);
}

static void test_parts(kit *k)
{
    tap_is_int(create(k, "parts", 9), 0, "an upload in parts");
    tap_is_int(part(k, "parts", 6, "ghi"), 0, "the last one first");
    tap_is_int(offset(k, "parts"), 0, "nothing is there in order");
    tap_is_int(part(k, "parts", 0, "abc"), 0, "the first one");
    tap_is_int(offset(k, "parts"), 3, "is");
    tap_is_int(complete(k, "parts"), APR_EINCOMPLETE, "one is missing");
    tap_is_int(part(k, "parts", 2, "Xde"), 0, "one that overlaps");
    tap_is_int(part(k, "parts", 4, "YfZ"), 0, "and another");
    tap_is_str(bytes(k, "parts"), "abcdefghi", "change nothing that was there");
    tap_is_int(part(k, "parts", 8, "xy"), APR_EINVAL, "none behind the length");
    tap_is_int(complete(k, "parts"), 0, "then it can be completed");
}

static void test_broken_part(kit *k)
{
    upool_writer *w = NULL;
    apr_pool_t *p = request(k);
    upool_resumable_look *a;

    create(k, "brk", 6);
    a = open_append(k, "brk", p);
    begin_part(&w, a, 0, 6);
    put(w, "abc");
    tap_is_int(upool_writer_keep(w, NULL), 0, "a part that broke off");
    tap_is_int(upool_resumable_held(a), 3, "is there as far as it came");
    tap_is_int(complete(k, "brk"), APR_EINCOMPLETE, "which is not all");
    begin_part(&w, a, 3, 6);
    put(w, "def");
    upool_writer_take_back(w);
    tap_is_int(offset(k, "brk"), 3, "one that is taken back is not there");
    apr_pool_destroy(p);
}

static void test_order_then_parts(kit *k)
{
    create(k, "mix", 9);
    append(k, "mix", 0, "abc");
    tap_is_int(part(k, "mix", 6, "ghi"), 0, "a part, after bytes in order");
    tap_is_int(offset(k, "mix"), 3, "which count as a part");
    tap_is_int(append(k, "mix", 3, "def"), 0, "in order again");
    tap_is_int(offset(k, "mix"), 9, "up to the next gap");
    tap_is_str(bytes(k, "mix"), "abcdefghi", "all is there");
}

static void test_parts_beside(kit *k)
{
    upool_writer *v = NULL;
    upool_writer *w = NULL;
    upool_writer *x = NULL;
    apr_pool_t *p = request(k);
    upool_resumable_look *a;
    upool_resumable_look *b;
    upool_resumable_look *c;
    upool_record *record = NULL;

    create(k, "side", 6);
    a = open_append(k, "side", p);
    b = open_append(k, "side", p);
    c = open_append(k, "side", p);
    tap_is_int(begin_part(&w, a, 0, 3), 0, "one part");
    tap_is_int(begin_part(&v, b, 3, 6), 0, "beside another");
    put(v, "def");
    put(w, "abc");
    tap_is_int(begin_part(&x, c, 2, 4), APR_EBUSY,
               "one that overlaps has to wait, and not for ever");
    tap_is_int(upool_writer_keep(w, NULL), 0, "each");
    upool_bucket_status(&record, k->store, "side", p);
    tap_is_int(record->received, 3, "counts when it has ended");
    tap_is_int(upool_writer_keep(v, NULL), 0, "on its own");
    tap_is_int(offset(k, "side"), 6, "and both are there");
    apr_pool_destroy(p);
}

/* --- Who has to stop ----------------------------------------------------- */

typedef struct other {
    kit *k;
    const char *id;
    apr_pool_t *p;
    upool_writer *writer;
    int asked;
} other;

/* Looks up as a writer does, until somebody asks. */
static void *stop_when_asked(void *data)
{
    other *o = data;
    int i;

    for (i = 0; i < 500; i++) {
        apr_status_t rv = upool_writer_look_up(o->writer);

        if (rv) {
            o->asked = rv == APR_EBUSY ? 1 : 2;
            break;
        }
        apr_sleep(10000);
    }
    upool_writer_keep(o->writer, NULL);
    return NULL;
}

static void start_writer(other *o, pthread_t *thread, kit *k, const char *id)
{
    o->k = k;
    o->id = id;
    o->asked = 0;
    o->p = request(k);
    begin(&o->writer, open_append(k, id, o->p), -1, 0);
    put(o->writer, "abc");
    pthread_create(thread, NULL, stop_when_asked, o);
}

static void test_takeover(kit *k)
{
    upool_writer *w = NULL;
    apr_pool_t *p = request(k);
    upool_resumable_look *a;
    pthread_t thread;
    other o;

    create(k, "take", 9);
    start_writer(&o, &thread, k, "take");
    a = open_append(k, "take", p);
    tap_is_int(begin(&w, a, 3, 0), 0, "a newcomer gets the end");
    pthread_join(thread, NULL);
    tap_is_int(o.asked, 1, "for the writer was asked to stop");
    tap_ok(!kit_exists(kit_in(k, "take", "yield")), "nobody asks any more");
    put(w, "def");
    upool_writer_keep(w, NULL);
    apr_pool_destroy(o.p);
    start_writer(&o, &thread, k, "take");
    a = open_append(k, "take", p);
    tap_is_int(upool_resumable_settle(a), 0, "who only asks for the offset");
    pthread_join(thread, NULL);
    tap_is_int(o.asked, 1, "ends the writer, too");
    tap_is_int(upool_resumable_offset(a), 9, "and gets the one that stays");
    apr_pool_destroy(o.p);
    apr_pool_destroy(p);
}

static void test_stubborn(kit *k)
{
    upool_writer *v = NULL;
    upool_writer *w = NULL;
    apr_pool_t *p = request(k);
    upool_resumable_look *a;
    upool_resumable_look *b;

    create(k, "stub", 9);
    a = open_append(k, "stub", p);
    begin(&w, a, 0, 0);
    b = open_append(k, "stub", p);
    tap_is_int(begin(&v, b, 0, 0), APR_EBUSY,
               "a writer that does not stop stays");
    tap_is_int(upool_resumable_settle(b), APR_EBUSY, "for who asks, too");
    tap_ok(!kit_exists(kit_in(k, "stub", "yield")), "who gives up says so");
    apr_pool_destroy(p);
}

static void test_cleared(kit *k)
{
    upool_writer *w = NULL;
    apr_pool_t *p = request(k);
    upool_resumable_look *a;

    create(k, "clr", 9);
    a = open_append(k, "clr", p);
    begin(&w, a, 0, 0);
    put(w, "abc");
    tap_is_int(upool_writer_look_up(w), 0, "nobody wants it to stop");
    upool_bucket_remove(k->store, "clr", p);
    tap_is_int(upool_writer_look_up(w), APR_ENOENT, "a clear is noticed");
    tap_is_int(upool_writer_keep(w, NULL), APR_ENOENT, "and final");
    tap_ok(!kit_exists(kit_in(k, "clr", NULL)), "nothing comes back");
    create(k, "clr", 9);
    a = open_append(k, "clr", p);
    begin(&w, a, 0, 1);
    put(w, "abc");
    upool_bucket_remove(k->store, "clr", p);
    create(k, "clr", 8);
    tap_is_int(upool_writer_keep(w, NULL), APR_ENOENT,
               "one made anew is another's");
    tap_is_int(offset(k, "clr"), 0, "and untouched");
    apr_pool_destroy(p);
}

static void test_discard(kit *k)
{
    apr_pool_t *p = request(k);
    upool_resumable_look *a;
    upool_record *record =
        kit_record(p, "dis", UPOOL_STATE_ERROR, apr_time_now());

    create(k, "dis", 3);
    append(k, "dis", 0, "abc");
    complete(k, "dis");
    create(k, "dis", 4);
    a = open_append(k, "dis", p);
    record->error = "no";
    tap_is_int(upool_resumable_discard(a, record), 0, "discarded with a word");
    tap_is_str(kit_status(k, "dis"), "error: no", "which pollers get");
    tap_is_str(bytes(k, "dis"), "abc", "what was complete before stays");
    create(k, "dis", 4);
    tap_is_int(upool_resumable_discard(open_append(k, "dis", p), NULL), 0,
               "or without one");
    tap_is_str(kit_status(k, "dis"), "none", "then nothing stays");
    apr_pool_destroy(p);
}

/* --- Beside the other kind of upload ------------------------------------- */

static void test_beside_forms(kit *k)
{
    apr_pool_t *p = request(k);
    apr_status_t rv;
    upool_bucket *bucket;

    create(k, "form", 3);
    kit_begin(k, "form", p, &rv);
    tap_is_int(rv, APR_EBUSY, "a form does not replace one on its way");
    append(k, "form", 0, "abc");
    complete(k, "form");
    tap_ok(kit_upload(k, "form", "hello", apr_time_now(), p) != NULL,
           "but a complete one");
    tap_is_str(bytes(k, "form"), "hello", "whose file goes");
    tap_ok(!kit_exists(kit_in(k, "form", "resumable.json")),
           "with where it came from");
    create(k, "form2", 3);
    append(k, "form2", 0, "abc");
    complete(k, "form2");
    bucket = kit_begin(k, "form2", p, &rv);
    upool_bucket_fail(bucket, NULL);
    upool_bucket_end(bucket);
    tap_ok(open_append(k, "form2", p) != NULL,
           "a form that fails leaves it as it was");
    apr_pool_destroy(p);
}

static void make_old(kit *k, const char *id, const char *name)
{
    struct timespec times[2] = { { 1000000000, 0 }, { 1000000000, 0 } };

    if (utimensat(AT_FDCWD, kit_in(k, id, name), times, 0)) {
        kit_die(name);
    }
}

static void make_all_old(kit *k, const char *id)
{
    make_old(k, id, kit_data_name(k, id));
    make_old(k, id, "resumable.json");
    make_old(k, id, NULL);
}

static void sweep(kit *k)
{
    upool_sweep_result result = { 0, 0, 0 };
    apr_pool_t *p = request(k);
    upool_sweep *round;

    upool_sweep_begin(&round, k->store, p);
    while (!result.finished) {
        upool_sweep_step(round, 10, apr_time_now() - apr_time_from_sec(3600),
                         &result);
    }
    apr_pool_destroy(p);
}

static void test_sweep(kit *k)
{
    upool_writer *w = NULL;
    apr_pool_t *p = request(k);
    upool_resumable_look *a;

    create(k, "sw-old", 9);
    append(k, "sw-old", 0, "abc");
    make_all_old(k, "sw-old");
    create(k, "sw-file", 9);
    append(k, "sw-file", 0, "abc");
    make_all_old(k, "sw-file");
    make_old(k, "sw-file", "resumable.json");
    append(k, "sw-file", 3, "d");
    create(k, "sw-held", 9);
    a = open_append(k, "sw-held", p);
    begin(&w, a, 0, 0);
    make_all_old(k, "sw-held");
    create(k, "sw-orphan", 9);
    append(k, "sw-orphan", 0, "abc");
    kit_write_file(
        kit_in(k, "sw-orphan", "1-00000000000000000000000000000000.bin"), "x");
    make_old(k, "sw-orphan", "1-00000000000000000000000000000000.bin");
    make_old(
        k, "sw-orphan",
        upool_resumable_about(open_append(k, "sw-orphan", p))->file.stored);
    sweep(k);
    tap_ok(!kit_exists(kit_in(k, "sw-old", NULL)), "the old one goes");
    tap_is_int(offset(k, "sw-file"), 4, "one that was written to stays");
    tap_is_int(put(w, "abc"), 0, "one that is written to");
    tap_is_int(upool_writer_keep(w, NULL), 0, "stays, too");
    tap_is_int(kit_count(kit_in(k, "sw-orphan", NULL)), 2,
               "a file that nothing names goes");
    tap_is_int(offset(k, "sw-orphan"), 3, "not one of an upload on its way");
    append(k, "sw-orphan", 3, "defghi");
    complete(k, "sw-orphan");
    make_old(k, "sw-orphan", "resumable.json");
    sweep(k);
    tap_is_str(kit_status(k, "sw-orphan"), "done",
               "where it came from does not make it old");
    apr_pool_destroy(p);
}

/* A part of a concatenation: that many of its nine bytes. */
static void make_part(kit *k, const char *id, const char *owner,
                      apr_time_t created, const char *text)
{
    apr_pool_t *p = request(k);
    upool_resumable *about = kit_resumable(p, id, 9);
    upool_record *previous = NULL;
    const char *why = NULL;

    about->concat = "partial";
    about->owner = owner;
    about->created = created;
    if (upool_resumable_create(k->store, about, 0, UPOOL_REPLACES_ANY, p,
                               &previous, &why)) {
        kit_die(why);
    }
    append(k, id, 0, text);
    apr_pool_destroy(p);
}

static void test_sweep_siblings(kit *k)
{
    apr_time_t now = apr_time_now();

    make_part(k, "si-whole", "ann", now, "123456789");
    make_part(k, "si-coming", "ann", now + 5, "123");
    make_part(k, "si-late", "ann", now - apr_time_from_sec(600), "123456789");
    make_part(k, "si-other", "bob", now, "123456789");
    make_part(k, "si-stuck", "bob", now, "123");
    make_all_old(k, "si-whole");
    make_all_old(k, "si-late");
    make_all_old(k, "si-other");
    make_all_old(k, "si-stuck");
    sweep(k);
    tap_is_int(offset(k, "si-whole"), 9, "a part stays while a sibling comes");
    tap_is_int(offset(k, "si-coming"), 3, "which does");
    tap_is_int(offset(k, "si-late"), -1, "not for one of another day");
    tap_is_int(offset(k, "si-other"), -1, "nor for another owner's");
    tap_is_int(offset(k, "si-stuck"), -1, "one that does not come goes");
    append(k, "si-coming", 3, "456789");
    sweep(k);
    tap_is_int(offset(k, "si-whole"), 9, "and while it has just come");
    make_all_old(k, "si-coming");
    sweep(k);
    tap_is_int(offset(k, "si-whole"), -1, "when that has expired, both go");
    tap_is_int(offset(k, "si-coming"), -1, "together");
}

static apr_status_t count(void *user, const char *data, apr_size_t len)
{
    apr_off_t *sum = user;

    (void)data;
    *sum += (apr_off_t)len;
    return *sum > 100000 ? APR_EINVAL : APR_SUCCESS;
}

static void test_read_and_copy(kit *k)
{
    upool_writer *v = NULL;
    apr_pool_t *p = request(k);
    char *text = apr_palloc(p, 150001);
    apr_off_t sum = 0;
    upool_resumable_look *a;
    upool_resumable_look *b;

    memset(text, 'x', 150000);
    text[150000] = '\0';
    create(k, "from", 150000);
    append(k, "from", 0, text);
    a = open_append(k, "from", p);
    tap_is_int(upool_resumable_read(a, 10, 70000, count, &sum), 0, "read");
    tap_is_int(sum, 69990, "what was asked for");
    tap_is_int(upool_resumable_read(a, 149999, 150001, count, &sum), APR_EOF,
               "not more than there is");
    tap_is_int(upool_resumable_read(a, 0, 150000, count, &sum), APR_EINVAL,
               "and no longer than is wanted");
    create(k, "to", 300001);
    b = open_append(k, "to", p);
    begin(&v, b, 0, 0);
    put(v, "y");
    tap_is_int(upool_writer_copy(v, a, 150000), 0, "copied");
    tap_is_int(upool_writer_copy(v, a, 150000), 0, "twice");
    tap_is_int(upool_writer_keep(v, NULL), 0, "and kept");
    tap_is_int(offset(k, "to"), 300001, "behind what was there");
    begin(&v, b, -1, 0);
    tap_is_int(upool_writer_copy(v, a, 150001), APR_EOF,
               "not more than it has");
    apr_pool_destroy(p);
}

static void test_defer_and_adopt(kit *k)
{
    apr_pool_t *p = request(k);
    upool_resumable *about = kit_resumable(p, "low", 0);
    upool_bucket *bucket;
    apr_status_t rv;

    bucket = kit_begin(k, "low", p, &rv);
    tap_is_int(upool_bucket_defer(bucket, about), 0, "deferred");
    upool_bucket_end(bucket);
    tap_ok(kit_exists(kit_in(k, "low", about->file.stored)), "its file stays");
    tap_is_int(upool_bucket_adopt(&bucket, k->store, about, p,
                                  apr_time_now() + 1000000),
               0, "adopted");
    upool_bucket_end(bucket);
    tap_ok(kit_exists(kit_in(k, "low", about->file.stored)),
           "and left, its file stays");
    about->created++;
    tap_is_int(upool_bucket_adopt(&bucket, k->store, about, p,
                                  apr_time_now() + 1000000),
               APR_ENOENT, "another upload of that name is not adopted");
    apr_pool_destroy(p);
}

/* With UploadSync. */
static void test_checkpoint(kit *k)
{
    upool_writer *w = NULL;
    apr_pool_t *p;
    upool_resumable_look *a;

    k->options.sync = 1;
    kit_open(k);
    p = request(k);
    create(k, "sync", 9);
    a = open_append(k, "sync", p);
    begin(&w, a, 0, 0);
    put(w, "abc");
    tap_is_int(offset(k, "sync"), 0, "what is not synced does not count");
    tap_is_int(upool_writer_checkpoint(w), 0, "synced");
    put(w, "def");
    tap_is_int(offset(k, "sync"), 3, "it does");
    upool_writer_keep(w, NULL);
    tap_is_int(offset(k, "sync"), 6, "at the end all of it");
    apr_pool_destroy(p);
    k->options.sync = 0;
    kit_open(k);
}

static void test_quota(kit *k)
{
    upool_writer *w = NULL;
    apr_pool_t *p = request(k);
    /* Of which resumable.json takes one, and what is there of the file. */
    upool_quota_limits limits = { 101 * UPOOL_QUOTA_BLOCK, 0, 0, 0, 0 };
    upool_quota *quota;
    upool_resumable_look *a;

    create(k, "quo", 100);
    a = open_append(k, "quo", p);
    begin(&w, a, 0, 0);
    quota = upool_quota_make(k->store, "quo", NULL, &limits, p);
    upool_quota_count_from_start(quota);
    tap_is_int(upool_quota_reserve(quota, 60 * UPOOL_QUOTA_BLOCK, 0),
               UPOOL_QUOTA_GRANTED,
               "room for 60 of 100, and what is said of it");
    tap_is_int(upool_quota_reserve(
                   upool_quota_make(k->store, "other", NULL, &limits, p),
                   50 * UPOOL_QUOTA_BLOCK, 0),
               UPOOL_QUOTA_POOL, "another gets no 50, for a writer is there");
    put(w, "1234567890123456789012345678901234567890123456789012345678901");
    upool_writer_keep(w, NULL);
    upool_quota_forget(k->store, "quo", p);
    begin(&w, a, -1, 0);
    quota = upool_quota_make(k->store, "quo", NULL, &limits, p);
    upool_quota_count_from_start(quota);
    tap_is_int(upool_quota_reserve(quota, 100 * UPOOL_QUOTA_BLOCK, 61),
               UPOOL_QUOTA_GRANTED,
               "the rest is the upload's own, what is there counts once");
    tap_is_int(upool_quota_reserve(quota, 101 * UPOOL_QUOTA_BLOCK, 61),
               UPOOL_QUOTA_POOL, "but no more than the quota");
    upool_writer_keep(w, NULL);
    upool_quota_forget(k->store, "quo", p);
    apr_pool_destroy(p);
}

/* No file system has room for that, and none says so with ENOSPC. */
static void test_far(kit *k)
{
    upool_writer *w = NULL;
    upool_writer_claim claim = { APR_INT64_MAX - 2, APR_INT64_MAX - 1, 1, 0 };
    apr_pool_t *p = request(k);
    upool_resumable_look *a;

    create(k, "far", APR_INT64_MAX - 1);
    a = open_append(k, "far", p);
    tap_is_int(upool_writer_begin(&w, a, &claim), EFBIG, "too far");
    claim.start = 0;
    claim.end = 3;
    tap_is_int(upool_writer_begin(&w, a, &claim), 0, "others may come");
    apr_pool_destroy(p);
}

static void test_abandon(kit *k)
{
    apr_pool_t *p = request(k);
    upool_resumable_look *a;

    create(k, "aband", 9);
    a = open_append(k, "aband", p);
    tap_is_int(upool_resumable_abandon(a, UPOOL_ABANDON_EMPTY), 0,
               "taken back");
    tap_ok(!kit_exists(kit_in(k, "aband", NULL)), "nothing is left");
    tap_is_int(upool_resumable_abandon(a, UPOOL_ABANDON_ANY), APR_ENOENT,
               "nor to be taken back");
    create(k, "aband", 9);
    tap_is_int(upool_resumable_abandon(a, UPOOL_ABANDON_ANY), APR_ENOENT,
               "another one is not");
    tap_ok(kit_exists(kit_in(k, "aband", NULL)), "which stays");
    apr_pool_destroy(p);
}

/* A request that has made an upload looks at it as it was then, while another
 * has found it and brings its bytes. */
static void test_abandon_found(kit *k)
{
    apr_pool_t *p = request(k);
    upool_resumable_look *maker;
    upool_writer *w = NULL;

    create(k, "found", 9);
    maker = open_append(k, "found", p);
    begin(&w, open_append(k, "found", p), 0, -1);
    tap_is_int(upool_resumable_abandon(maker, UPOOL_ABANDON_UNWRITTEN), EEXIST,
               "somebody has begun to write");
    tap_is_int(upool_resumable_abandon(maker, UPOOL_ABANDON_EMPTY), EEXIST,
               "and may have been told so");
    put(w, "abc");
    upool_writer_keep(w, NULL);
    tap_is_int(upool_resumable_abandon(maker, UPOOL_ABANDON_EMPTY), EEXIST,
               "there are bytes now");
    tap_is_str(bytes(k, "found"), "abc", "which stay");
    tap_is_int(upool_resumable_abandon(maker, UPOOL_ABANDON_UNWRITTEN), 0,
               "nobody writes any more");
    tap_ok(!kit_exists(kit_in(k, "found", NULL)), "so it may go");
    apr_pool_destroy(p);
}

int main(void)
{
    kit k;

    kit_start(&k);
    test_quota(&k);
    test_abandon(&k);
    test_abandon_found(&k);
    test_far(&k);
    test_checkpoint(&k);
    test_in_order(&k);
    test_provisional(&k);
    test_killed_tail(&k);
    test_update(&k);
    test_midstates(&k);
    test_parts(&k);
    test_broken_part(&k);
    test_order_then_parts(&k);
    test_parts_beside(&k);
    test_takeover(&k);
    test_stubborn(&k);
    test_cleared(&k);
    test_discard(&k);
    test_beside_forms(&k);
    test_read_and_copy(&k);
    test_defer_and_adopt(&k);
    test_sweep(&k);
    test_sweep_siblings(&k);
    return kit_done(&k);
}
