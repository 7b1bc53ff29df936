/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/* What a complete upload of several requests is: its digests, whatever requests
 * it came in; what its handlers saw and said; and that it completes once. */
#include "resume_kit.h"

#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>

#include <openssl/evp.h>

#include "handlers/builtin.h"
#include "store/writer.h"
#include "upload/midway.h"

static const char *const ALGORITHMS[] = { "md5", "sha-1", "sha-256", "sha-512",
                                          "crc32" };
#define ALGORITHM_COUNT 5

/* One shot, over the whole text. */
static const char *digest_of(apr_pool_t *p, const char *algorithm,
                             const char *text, apr_size_t len)
{
    upool_digester *digester = upool_digester_make(algorithm, p);
    unsigned char value[UPOOL_DIGESTER_MAX];
    char *hex = apr_pcalloc(p, 2 * UPOOL_DIGESTER_MAX + 1);
    apr_size_t n;
    apr_size_t i;

    upool_digester_begin(digester);
    upool_digester_update(digester, text, len);
    n = upool_digester_end(digester, value);
    for (i = 0; i < n; i++) {
        snprintf(hex + 2 * i, 3, "%02x", value[i]);
    }
    return hex;
}

/* Put down and taken up by another at every offset. */
static void test_midway(apr_pool_t *p)
{
    char text[300];
    int a;
    int i;

    for (i = 0; i < 300; i++) {
        text[i] = (char)(i * 7);
    }
    for (a = 0; a < ALGORITHM_COUNT; a++) {
        const char *want = digest_of(p, ALGORITHMS[a], text, 300);
        int wrong = 0;

        for (i = 0; i <= 300; i++) {
            upool_midway *first = upool_midway_make(ALGORITHMS[a], p);
            upool_midway *second = upool_midway_make(ALGORITHMS[a], p);
            unsigned char value[UPOOL_DIGESTER_MAX];
            char hex[2 * UPOOL_DIGESTER_MAX + 1] = "";
            apr_size_t n;
            apr_size_t k;

            upool_midway_update(first, text, (apr_size_t)i);
            wrong +=
                upool_midway_take_up(second, upool_midway_put_down(first, p), i)
                != 0;
            wrong += upool_midway_offset(second) != i;
            upool_midway_update(second, text + i, (apr_size_t)(300 - i));
            n = upool_midway_end(second, value);
            for (k = 0; k < n; k++) {
                snprintf(hex + 2 * k, 3, "%02x", value[k]);
            }
            wrong += strcmp(hex, want) != 0;
        }
        tap_is_int(wrong, 0, "%s: the same at every one of 301 offsets",
                   ALGORITHMS[a]);
    }
}

static void test_midway_damaged(apr_pool_t *p)
{
    upool_midway *m = upool_midway_make("sha-256", p);
    upool_midway *other = upool_midway_make("md5", p);
    const char *state;

    upool_midway_update(m, "abc", 3);
    state = upool_midway_put_down(m, p);
    tap_is_str(upool_midway_name(m), "sha-256", "its name");
    tap_is_int(upool_midway_take_up(m, state, 4), -1, "not for another offset");
    tap_is_int(upool_midway_offset(m), 0, "then it is at the beginning");
    tap_is_int(upool_midway_take_up(m, state, -1), -1, "none below 0");
    tap_is_int(upool_midway_take_up(m, state + 1, 3), -1, "not cut");
    tap_is_int(upool_midway_take_up(m, "xx", 3), -1, "no hex");
    tap_is_int(upool_midway_take_up(other, state, 3), -1,
               "not another algorithm's");
    tap_is_int(upool_midway_take_up(m, state, 3), 0, "but this");
    tap_ok(!upool_midway_make("sha-3", p), "an unknown one is not made");
}

static void set_digests(rkit *t)
{
    apr_array_header_t *names =
        apr_array_make(t->k.p, ALGORITHM_COUNT, sizeof(const char *));
    int i;

    for (i = 0; i < ALGORITHM_COUNT; i++) {
        APR_ARRAY_PUSH(names, const char *) = ALGORITHMS[i];
    }
    t->options.digests = names;
}

/* Every way to split 130 bytes, which is more than a block, in two. */
static void test_splits(rkit *t)
{
    char text[131];
    int wrong = 0;
    int split;
    int i;

    for (i = 0; i < 130; i++) {
        text[i] = (char)('a' + i % 23);
    }
    text[130] = '\0';
    set_digests(t);
    for (split = 0; split <= 130; split++) {
        rkit_create(t, "split", 130);
        rkit_append(t, "split", 0, apr_pstrndup(t->k.p, text, (size_t)split));
        rkit_append(t, "split", split, text + split);
        for (i = 0; i < ALGORITHM_COUNT; i++) {
            const char *is = rkit_file_digest(t, "split", ALGORITHMS[i]);

            wrong +=
                !is
                || strcmp(is, digest_of(t->k.p, ALGORITHMS[i], text, 130)) != 0;
        }
    }
    tap_is_int(wrong, 0, "five digests are right, wherever it was split");
}

static upool_reason append_part(rkit *t, const char *id, apr_off_t offset,
                                const char *text)
{
    upool_resume_append append = UPOOL_RESUME_APPEND;
    apr_pool_t *p = rkit_request(t);
    upool_resume *resume = rkit_open(t, id, p);
    upool_reason reason;

    append.offset = offset;
    append.content_length = (apr_off_t)strlen(text);
    append.out_of_order = 1;
    reason = rkit_feed(resume, &append, text, strlen(text));
    apr_pool_destroy(p);
    return reason;
}

static void test_digest_ways(rkit *t)
{
    upool_writer *w = NULL;
    apr_pool_t *p = rkit_request(t);
    upool_resumable_look *a = NULL;
    upool_writer_claim claim = { -1, -1, 0, 0 };
    struct iovec piece = { (void *)"def", 3 };
    const char *want = digest_of(p, "sha-256", "abcdefghi", 9);

    rkit_create(t, "ooo", 9);
    append_part(t, "ooo", 6, "ghi");
    append_part(t, "ooo", 0, "abc");
    append_part(t, "ooo", 3, "def");
    tap_is_str(rkit_content(t, "ooo"), "abcdefghi", "out of order");
    tap_is_str(rkit_file_digest(t, "ooo", "sha-256"), want, "the digest, too");
    rkit_create(t, "half", 9);
    rkit_append(t, "half", 0, "abc");
    append_part(t, "half", 6, "ghi");
    append_part(t, "half", 3, "def");
    tap_is_str(rkit_file_digest(t, "half", "sha-256"), want,
               "begun in order, then not");
    rkit_create(t, "killed", 9);
    rkit_append(t, "killed", 0, "abc");
    /* As a process that was killed leaves it: bytes, and no state of them. */
    upool_resumable_open(&a, t->k.store, "killed", p);
    upool_writer_begin(&w, a, &claim);
    upool_writer_write(w, &piece, 1);
    apr_pool_destroy(p);
    rkit_append(t, "killed", 6, "ghi");
    tap_is_str(rkit_file_digest(t, "killed", "sha-256"),
               digest_of(t->k.p, "sha-256", "abcdefghi", 9),
               "after a kill in between");
    t->options.digests = NULL;
}

/* The file takes 4,992 bytes of 8,000, whole blocks of the digest both: no
 * space. */
static void test_short_write(rkit *t)
{
    struct rlimit limit;
    struct rlimit was;
    char *text = apr_palloc(t->k.p, 8001);
    const char *want;

    memset(text, 'q', 8000);
    text[8000] = '\0';
    want = digest_of(t->k.p, "sha-256", text, 8000);
    set_digests(t);
    rkit_create(t, "short", 8000);
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &was);
    limit = was;
    limit.rlim_cur = 4992;
    setrlimit(RLIMIT_FSIZE, &limit);
    tap_is_int(rkit_append(t, "short", 0, text), UPOOL_REASON_IO,
               "a file that takes no more");
    setrlimit(RLIMIT_FSIZE, &was);
    tap_is_int(rkit_offset(t, "short"), 4992, "keeps what it has taken");
    tap_is_int(rkit_append(t, "short", 4992, text + 4992), 0,
               "and the rest comes later");
    tap_is_str(rkit_file_digest(t, "short", "sha-256"), want,
               "the digest is right all the same");
    t->options.digests = NULL;
}

/* --- Handlers ------------------------------------------------------------ */

typedef struct observer {
    char seen[64];
    apr_size_t len;
    int files;
    int completed;
    int interrupted;
    upload_pool_verdict verdict; /* at file_complete */
    int status;
    upool_resume_need need;
    int keeps;   /* somewhere else */
    int renames; /* the file */
    int spools;
} observer;

static upload_pool_verdict see_file(upload_pool_instance *self,
                                    upload_pool_file *file)
{
    observer *o = self->data;

    o->files += strcmp(file->safe_filename, "photo.jpg") == 0
                && strcmp(file->content_type, "image/jpeg") == 0;
    o->len = 0;
    return UPLOAD_POOL_GO_ON;
}

static upload_pool_verdict see_data(upload_pool_instance *self,
                                    upload_pool_file *file, const char **data,
                                    apr_size_t *len, apr_off_t offset)
{
    observer *o = self->data;

    (void)file;
    if ((apr_size_t)offset == o->len && o->len + *len < sizeof(o->seen)) {
        memcpy(o->seen + o->len, *data, *len);
        o->len += *len;
        o->seen[o->len] = '\0';
    }
    return UPLOAD_POOL_GO_ON;
}

static upload_pool_verdict see_end(upload_pool_instance *self,
                                   upload_pool_file *file, apr_off_t size,
                                   upload_pool_kept *kept)
{
    observer *o = self->data;

    (void)size;
    self->status = o->status;
    if (o->renames) {
        file->filename = "b.png";
        file->safe_filename = "b.png";
        file->content_type = "image/png";
    }
    if (o->keeps) {
        kept->location = "elsewhere";
    }
    return o->verdict;
}

static upload_pool_verdict see_complete(upload_pool_instance *self)
{
    observer *o = self->data;

    o->completed++;
    return UPLOAD_POOL_GO_ON;
}

static void see_interrupted(upload_pool_instance *self, upload_pool_file *file)
{
    observer *o = self->data;

    o->interrupted += !file;
}

static const upload_pool_handler observe = {
    UPLOAD_POOL_HANDLER_STUFF("observe"), .new_file = see_file,
    .receive_data_chunk = see_data,       .file_complete = see_end,
    .upload_complete = see_complete,      .upload_interrupted = see_interrupted,
};

static upool_resume_need add_observer(void *user,
                                      const upool_handler_site *site)
{
    observer *o = user;

    upool_chain_add(site->chain, &observe, o);
    if (o->spools) {
        upool_chain_add(site->chain, &upool_spool_handler,
                        upool_spool_make(site->bucket, site->refusal, site->p));
    }
    return o->need;
}

static void set_observer(rkit *t, observer *o, upool_resume_need need)
{
    memset(o, 0, sizeof(*o));
    o->need = need;
    t->options.add_handlers = o ? add_observer : NULL;
    t->options.user = o;
}

static upool_reason upload(rkit *t, const char *id)
{
    upool_reason reason = rkit_create(t, id, 6);

    reason = reason ? reason : rkit_append(t, id, 0, "abc");
    return reason ? reason : rkit_append(t, id, 3, "def");
}

static void test_guard(rkit *t)
{
    observer o;

    set_observer(t, &o, UPOOL_RESUME_NEED_ALL);
    tap_is_int(upload(t, "guard"), 0, "a guard");
    tap_is_str(o.seen, "abcdef", "sees all of the file, at its end");
    tap_is_int(o.files, 1, "as one file");
    tap_is_int(o.completed, 1, "of one upload");
    tap_is_str(rkit_content(t, "guard"), "abcdef", "which stays as it was");
    set_observer(t, &o, UPOOL_RESUME_NEED_NAME);
    upload(t, "name");
    tap_is_int((int)o.len, 0, "who needs no bytes gets none");
    tap_is_str(rkit_content(t, "name"), "abcdef",
               "it is complete all the same");
    set_observer(t, &o, UPOOL_RESUME_NEED_HEAD);
    upload(t, "head");
    tap_is_str(o.seen, "abcdef", "who needs the beginning gets it");
}

static void test_refused(rkit *t)
{
    observer o;
    upool_record *record;

    set_observer(t, &o, UPOOL_RESUME_NEED_ALL);
    o.verdict = UPLOAD_POOL_STOP;
    o.status = 422;
    tap_is_int(upload(t, "no"), UPOOL_REASON_HANDLER, "a guard says no");
    tap_is_int(o.interrupted, 1, "and is told that it is over");
    rkit_status(t, "no", &record);
    tap_is_int(record->state, UPOOL_STATE_ERROR, "then it is an error");
    tap_ok(!kit_data_name(&t->k, "no"), "without a file");
    tap_is_int(rkit_append(t, "no", 6, ""), UPOOL_REASON_NOT_FOUND,
               "which nobody can go on with");
    set_observer(t, &o, UPOOL_RESUME_NEED_ALL);
    o.verdict = UPLOAD_POOL_STOP;
    o.status = 503;
    tap_is_int(upload(t, "later"), UPOOL_REASON_HANDLER, "not at this moment");
    tap_is_int(rkit_offset(t, "later"), 6, "leaves it as it is");
    tap_is_str(kit_status(&t->k, "later"), "uploading", "not complete");
    o.verdict = UPLOAD_POOL_GO_ON;
    tap_is_int(rkit_append(t, "later", 6, ""), 0, "an append of nothing");
    tap_is_str(rkit_content(t, "later"), "abcdef", "completes it then");
}

static void test_changing(rkit *t)
{
    observer o;
    upool_record *record = NULL;
    const upool_file *file;

    set_observer(t, &o, UPOOL_RESUME_NEED_ALL);
    t->options.may_change = 1;
    o.spools = 1;
    tap_is_int(upload(t, "spool"), 0, "through the whole chain");
    tap_is_str(rkit_content(t, "spool"), "abcdef", "the file is stored anew");
    tap_is_int(kit_count(kit_in(&t->k, "spool", NULL)), 3, "and not twice");
    o.keeps = 1;
    tap_is_int(upload(t, "moved"), 0, "kept elsewhere");
    upool_bucket_complete(&record, t->k.store, "moved", t->k.p);
    tap_ok(!APR_ARRAY_IDX(record->files, 0, upool_file).stored,
           "is not kept here");
    tap_ok(!kit_data_name(&t->k, "moved"), "nor left here");
    tap_is_int(rkit_append(t, "moved", 6, ""), UPOOL_REASON_COMPLETE,
               "and it is complete");
    o.keeps = 0;
    o.renames = 1;
    tap_is_int(upload(t, "renamed"), 0, "a handler that changes its name");
    upool_bucket_complete(&record, t->k.store, "renamed", t->k.p);
    file = &APR_ARRAY_IDX(record->files, 0, upool_file);
    tap_is_str(file->filename, "b.png", "is heard, as in one request");
    tap_is_str(file->safe_filename, "b.png", "for the safe name too");
    tap_is_str(file->content_type, "image/png", "and the type");
    tap_is_str(file->field, "file", "the rest stays");
    tap_is_str(record->filename, "b.png", "the upload goes by that name");
    o.renames = 0;
    o.verdict = UPLOAD_POOL_SKIP_FILE;
    tap_is_int(upload(t, "skip"), 0, "a file that nobody wants");
    tap_is_str(kit_status(&t->k, "skip"), "done", "is an upload without one");
    tap_ok(!kit_data_name(&t->k, "skip"), "nothing is left");
    t->options.may_change = 0;
    t->options.add_handlers = NULL;
}

/* --- Rules --------------------------------------------------------------- */

static void test_rules(rkit *t)
{
    apr_array_header_t *list = apr_array_make(t->k.p, 2, sizeof(upool_rule));
    apr_array_header_t *types = apr_array_make(t->k.p, 1, sizeof(char *));
    upool_rule *rule = apr_array_push(list);

    memset(rule, 0, sizeof(*rule));
    rule->name = "file";
    rule->max = UPOOL_UNLIMITED;
    rule->size = 5;
    t->options.rules.list[0] = list;
    tap_is_int(rkit_create(t, "rule", 6), UPOOL_REASON_FILE_TOO_LARGE,
               "a rule on the file's size, by the length");
    rkit_create(t, "rule", -1);
    rkit_append(t, "rule", 0, "abc");
    tap_is_int(rkit_append(t, "rule", 3, "def"), UPOOL_REASON_FILE_TOO_LARGE,
               "and by what comes");
    APR_ARRAY_PUSH(types, const char *) = "text/";
    rule->types = types;
    tap_is_int(rkit_create(t, "rule2", 3), UPOOL_REASON_FIELD_TYPE,
               "on its type");
    rule->types = NULL;
    rule = apr_array_push(list);
    memset(rule, 0, sizeof(*rule));
    rule->name = "title";
    rule->max = UPOOL_UNLIMITED;
    rule->size = UPOOL_UNLIMITED;
    rule->required = 1;
    rkit_create(t, "rule3", 3);
    tap_is_int(rkit_append(t, "rule3", 0, "abc"), UPOOL_REASON_FIELD_MISSING,
               "and on a field that must be there at the end");
    t->options.rules.list[0] = NULL;
}

static void test_accept(rkit *t)
{
    apr_array_header_t *deny = apr_array_make(t->k.p, 1, sizeof(char *));

    APR_ARRAY_PUSH(deny, const char *) = "jpg";
    t->options.accept.deny[0] = deny;
    tap_is_int(rkit_create(t, "deny", 3), UPOOL_REASON_EXTENSION,
               "an extension that is denied");
    tap_ok(!kit_exists(kit_in(&t->k, "deny", NULL)), "leaves nothing");
    t->options.accept.deny[0] = NULL;
}

/* --- Quota --------------------------------------------------------------- */

/* What other tests have left counts, too. */
static void empty(rkit *t)
{
    kit_wipe(kit_path(&t->k, "pool"));
    mkdir(kit_path(&t->k, "pool"), 0700);
    kit_open(&t->k);
    t->options.store = t->k.store;
}

static void test_quota(rkit *t)
{
    empty(t);
    t->options.quota.pool = 1000000;
    tap_is_int(rkit_create(t, "quota", 1000001), UPOOL_REASON_QUOTA,
               "more than the quota is refused at once");
    tap_ok(!kit_exists(kit_in(&t->k, "quota", NULL)), "and leaves nothing");
    tap_is_int(rkit_create(t, "quota", 6), 0, "less is not");
    tap_is_int(rkit_append(t, "quota", 0, "abc"), 0, "it comes");
    tap_is_int(rkit_append(t, "quota", 3, "def"), 0, "and completes");
    rkit_create(t, "quota2", -1);
    t->options.quota.pool = 4;
    tap_is_int(rkit_append(t, "quota2", 0, "abcdefgh"), UPOOL_REASON_QUOTA,
               "of an unknown length, by what comes");
    memset(&t->options.quota, 0, sizeof(t->options.quota));
}

/* Fields take room, wherever they are kept. */
static void test_quota_of_fields(rkit *t)
{
    upool_resume_start start = rkit_what(t, 1);
    apr_pool_t *p = rkit_request(t);
    apr_array_header_t *fields = apr_array_make(p, 1, sizeof(upool_field));
    upool_field *field = apr_array_push(fields);
    upool_resume *resume;

    empty(t);
    field->name = "f";
    field->len = 100000;
    field->value = memset(apr_pcalloc(p, field->len + 1), 'v', field->len);
    t->options.quota.pool = 100000;
    rkit_name(t, "much");
    start.fields = fields;
    resume = upool_resume_create(&t->options, &start, p);
    tap_is_int(upool_resume_refusal(resume)->reason, UPOOL_REASON_QUOTA,
               "fields of more than the quota are refused");
    tap_ok(!kit_exists(kit_in(&t->k, "much", NULL)), "and leave nothing");
    start.fields = NULL;
    resume = upool_resume_create(&t->options, &start, p);
    tap_is_int(upool_resume_refusal(resume)->reason, 0, "without them");
    upool_resume_keep_fields(resume, fields);
    tap_is_int(upool_resume_refusal(resume)->reason, UPOOL_REASON_QUOTA,
               "nor do they come later");
    t->options.quota.pool = 200000;
    tap_is_int(rkit_append(t, "much", 0, "a"), 0, "with room for them");
    tap_is_int(rkit_create(t, "more", 99000), UPOOL_REASON_QUOTA,
               "they count when the upload is complete");
    memset(&t->options.quota, 0, sizeof(t->options.quota));
    apr_pool_destroy(p);
}

static upool_reason create_over(rkit *t, apr_time_t replaces)
{
    apr_pool_t *p = rkit_request(t);
    upool_resume_start start = rkit_what(t, 3);
    upool_reason reason;

    start.replaces = replaces;
    reason = upool_resume_refusal(upool_resume_create(&t->options, &start, p))
                 ->reason;
    apr_pool_destroy(p);
    return reason;
}

/* Of two creations at once the slower has seen nothing, or what was there
 * before: what the other has completed since it must not replace. */
static void test_overtaken(rkit *t)
{
    apr_pool_t *p = rkit_request(t);
    upool_resume *found;
    apr_time_t seen;

    rkit_name(t, "taken-over");
    seen = upool_resume_replaces(NULL, UPOOL_REASON_NOT_FOUND);
    tap_is_int(rkit_create(t, "taken-over", 3), 0, "the faster creation");
    tap_is_int(create_over(t, seen), UPOOL_REASON_BUSY,
               "the slower one, while it comes");
    tap_is_int(rkit_append(t, "taken-over", 0, "abc"), 0, "complete");
    rkit_name(t, "taken-over");
    tap_is_int(create_over(t, seen), UPOOL_REASON_BUSY,
               "the slower one, when it is complete");
    tap_is_str(rkit_content(t, "taken-over"), "abc", "which stays");
    found = upool_resume_open(&t->options, p);
    seen = upool_resume_replaces(found, UPOOL_REASON_NONE);
    tap_is_int(create_over(t, seen + 1), UPOOL_REASON_BUSY,
               "nor does one go that took the place of what was seen");
    tap_is_int(create_over(t, seen), 0, "what was seen may be replaced");
    tap_is_int(upool_resume_replaces(NULL, UPOOL_REASON_EXPIRED),
               UPOOL_REPLACES_ANY, "and what has expired");
    apr_pool_destroy(p);
}

/* The identifier of a complete upload is used again, in vain. */
static void test_in_vain(rkit *t)
{
    apr_pool_t *p = rkit_request(t);

    tap_is_int(rkit_create(t, "vain", 3), 0, "an upload");
    tap_is_int(rkit_append(t, "vain", 0, "abc"), 0, "complete");
    t->options.quota.pool = 1000;
    tap_is_int(rkit_create(t, "vain", 1000), UPOOL_REASON_QUOTA,
               "no room for another in its place");
    memset(&t->options.quota, 0, sizeof(t->options.quota));
    tap_is_str(rkit_content(t, "vain"), "abc", "so it stays");
    tap_is_int(rkit_create(t, "vain", 5), 0, "one that is begun");
    tap_is_int(rkit_append(t, "vain", 0, "xy"), 0, "gets bytes");
    tap_is_int(
        upool_resume_abandon(rkit_open(t, "vain", p), UPOOL_ABANDON_EMPTY), 1,
        "which nobody takes for nothing");
    tap_is_int(upool_resume_abandon(rkit_open(t, "vain", p), UPOOL_ABANDON_ANY),
               0, "and is taken back");
    tap_is_int(kit_count(kit_in(&t->k, "vain", NULL)), 2,
               "leaves the file and what is known of it");
    tap_is_str(rkit_content(t, "vain"), "abc", "as they were");
    tap_is_int(rkit_create(t, "vain", 4), 0, "another in its place");
    tap_is_int(rkit_append(t, "vain", 0, "abcd"), 0, "takes it");
    tap_is_str(rkit_content(t, "vain"), "abcd", "when it is complete");
    apr_pool_destroy(p);
}

/* --- Sure ---------------------------------------------------------------- */

static apr_interval_time_t ahead;

static apr_time_t later(void)
{
    return apr_time_now() + ahead;
}

/* A number that changes with each resumable.json. */
static apr_int64_t document_of(const rkit *t, const char *id)
{
    struct stat st;

    if (stat(kit_in(&t->k, id, "resumable.json"), &st)) {
        return -1;
    }
    return (apr_int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;
}

/* A client that falls silent costs the disk no more than one sync. */
static void test_idle(rkit *t)
{
    upool_resume_append append = UPOOL_RESUME_APPEND;
    apr_pool_t *p = rkit_request(t);
    upool_resume *resume;
    apr_int64_t before;
    upool_sink sink;

    t->k.options.sync = 1;
    rkit_reopen(t);
    t->options.now = later;
    rkit_create(t, "idle", 9);
    resume = rkit_open(t, "idle", p);
    tap_is_int(upool_resume_begin(resume, &append), 0, "bytes come");
    upool_resume_sink(resume, &sink);
    upool_sink_feed(&sink, "abc", 3);
    upool_sink_flush(&sink);
    before = document_of(t, "idle");
    usleep(20000);
    ahead = apr_time_from_sec(6);
    tap_is_int(upool_sink_is_unwanted(&sink), 0, "then none for a while");
    tap_ok(document_of(t, "idle") != before, "they are made sure of");
    before = document_of(t, "idle");
    usleep(20000);
    ahead = apr_time_from_sec(12);
    tap_is_int(upool_sink_is_unwanted(&sink), 0, "nor later");
    tap_ok(document_of(t, "idle") == before, "that is enough");
    apr_pool_destroy(p);
    tap_is_int(rkit_offset(t, "idle"), 3, "they are there");
    t->k.options.sync = 0;
    rkit_reopen(t);
    t->options.now = apr_time_now;
}

/* --- Once ---------------------------------------------------------------- */

typedef struct racer {
    rkit *t;
    upool_resume_options options;
    pthread_barrier_t *start;
    int now;
    int complete;
    upool_reason reason;
} racer;

static void *race(void *data)
{
    racer *r = data;
    upool_resume_append append = UPOOL_RESUME_APPEND;
    apr_pool_t *p;
    upool_resume *resume;

    apr_pool_create(&p, NULL);
    append.offset = 3;
    append.content_length = 3;
    pthread_barrier_wait(r->start);
    resume = upool_resume_open(&r->options, p);
    r->reason = rkit_feed(resume, &append, "def", 3);
    r->now = upool_resume_completed_now(resume);
    r->complete = upool_resume_is_complete(resume);
    apr_pool_destroy(p);
    return NULL;
}

/* R8: It completes once. */
static void test_races(rkit *t)
{
    int once = 0;
    int right = 0;
    int i;

    for (i = 0; i < 100; i++) {
        const char *id = apr_psprintf(t->k.p, "once-%d", i);
        pthread_barrier_t start;
        pthread_t threads[3];
        racer racers[3];
        int now = 0;
        int n;

        rkit_create(t, id, 6);
        rkit_append(t, id, 0, "abc");
        pthread_barrier_init(&start, NULL, 3);
        for (n = 0; n < 3; n++) {
            racers[n].t = t;
            racers[n].options = t->options;
            racers[n].start = &start;
            pthread_create(&threads[n], NULL, race, &racers[n]);
        }
        for (n = 0; n < 3; n++) {
            pthread_join(threads[n], NULL);
            now += racers[n].now;
        }
        pthread_barrier_destroy(&start);
        once += now == 1;
        right += strcmp(rkit_content(t, id), "abcdef") == 0;
    }
    tap_is_int(once, 100, "of three last appends at once, one completes it");
    tap_is_int(right, 100, "with its bytes once");
}

int main(void)
{
    rkit t;

    rkit_start(&t);
    test_midway(t.k.p);
    test_midway_damaged(t.k.p);
    test_splits(&t);
    test_digest_ways(&t);
    test_short_write(&t);
    test_guard(&t);
    test_refused(&t);
    test_changing(&t);
    test_rules(&t);
    test_accept(&t);
    test_races(&t);
    test_quota(&t);
    test_quota_of_fields(&t);
    test_overtaken(&t);
    test_in_vain(&t);
    test_idle(&t);
    return rkit_done(&t);
}
