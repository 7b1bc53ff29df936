/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/* Uploads of several requests, from creation to complete, as fronts drive them:
 * offsets, lengths, checksums, what pollers see, and who may. */
#include "resume_kit.h"

#include <openssl/evp.h>

static void test_life(rkit *t)
{
    upool_record *record;
    upool_slot_record slot;

    tap_is_int(rkit_create(t, "life", 10), 0, "an upload is created");
    tap_is_int(rkit_offset(t, "life"), 0, "of no bytes");
    rkit_status(t, "life", &record);
    tap_is_int(record->state, UPOOL_STATE_UPLOADING, "pollers see it");
    tap_is_int(record->size, 10, "its length");
    tap_is_str(record->filename, "photo.jpg", "its name");
    tap_is_str(record->content_type, "image/jpeg", "its type");
    tap_is_int(rkit_append(t, "life", 0, "hello"), 0, "five bytes come");
    tap_is_int(rkit_offset(t, "life"), 5, "and are there");
    rkit_status(t, "life", &record);
    tap_is_int(record->received, 5, "pollers see them");
    tap_ok(!upool_table_lookup(t->table, "life", &slot),
           "the slot was given back");
    tap_is_int(rkit_append(t, "life", 4, "xxxxx"), UPOOL_REASON_OFFSET,
               "an offset too low is refused");
    tap_is_int(rkit_append(t, "life", 6, "xxxx"), UPOOL_REASON_OFFSET,
               "one too high is");
    tap_is_int(rkit_append(t, "life", 5, "worlds"), UPOOL_REASON_OVERRUN,
               "and more than the length");
    tap_is_int(rkit_offset(t, "life"), 5, "which change nothing");
    tap_is_int(rkit_append(t, "life", 5, "world"), 0, "the rest comes");
    tap_is_str(rkit_content(t, "life"), "helloworld", "it is complete");
    tap_is_str(kit_status(&t->k, "life"), "done", "and done");
    tap_ok(upool_table_lookup(t->table, "life", &slot)
               && slot.state == UPOOL_SLOT_DONE,
           "the slot says so");
    tap_is_int(rkit_offset(t, "life"), 10, "its offset is its length");
    tap_is_int(rkit_append(t, "life", 10, "x"), UPOOL_REASON_COMPLETE,
               "nothing is appended to it");
}

static void test_complete_once_told(rkit *t)
{
    apr_pool_t *p = rkit_request(t);
    upool_resume_append append = UPOOL_RESUME_APPEND;
    upool_resume *resume;
    const upool_resumable *about;

    rkit_create(t, "told", 3);
    resume = rkit_open(t, "told", p);
    rkit_feed(resume, &append, "abc", 3);
    tap_ok(upool_resume_completed_now(resume), "who completed it knows");
    tap_is_str(upool_resume_record(resume)->filename, "photo.jpg",
               "and has the record");
    tap_is_int(upool_resume_record(resume)->files->nelts, 1, "with its file");
    resume = rkit_open(t, "told", p);
    tap_ok(upool_resume_is_complete(resume)
               && !upool_resume_completed_now(resume),
           "a later request knows that it is complete");
    about = upool_resume_about(resume);
    tap_is_str(about->uri, "/u", "and where it came from");
    tap_is_str(about->args, "a=1", "with the query");
    tap_is_int(upool_resume_complete(resume), 0, "completing it again is one");
    tap_ok(!upool_resume_completed_now(resume), "that does nothing");
    apr_pool_destroy(p);
}

static void test_empty(rkit *t)
{
    apr_pool_t *p = rkit_request(t);
    upool_resume *resume;

    tap_is_int(rkit_create(t, "empty", 0), 0, "an upload of length 0");
    resume = rkit_open(t, "empty", p);
    tap_ok(upool_resume_is_whole(resume), "is whole");
    tap_ok(!upool_resume_is_complete(resume), "but not complete");
    tap_is_int(upool_resume_complete(resume), 0, "until it is completed");
    tap_is_str(rkit_content(t, "empty"), "", "with an empty file");
    apr_pool_destroy(p);
}

static void test_broken_off(rkit *t)
{
    apr_pool_t *p = rkit_request(t);
    upool_resume_append append = UPOOL_RESUME_APPEND;
    upool_resume *resume;
    upool_sink sink;

    rkit_create(t, "gone", 10);
    resume = rkit_open(t, "gone", p);
    append.content_length = 10;
    upool_resume_begin(resume, &append);
    upool_resume_sink(resume, &sink);
    upool_sink_feed(&sink, "abcd", 4);
    upool_sink_refuse(&sink, UPOOL_REASON_GONE, 0, NULL);
    tap_is_int(rkit_offset(t, "gone"), 4, "what came of a broken append stays");
    tap_is_int(upool_sink_feed(&sink, "x", 1), 1, "nothing comes after it");
    apr_pool_destroy(p);
    p = rkit_request(t);
    resume = rkit_open(t, "gone", p);
    append.content_length = 6;
    upool_resume_begin(resume, &append);
    upool_resume_sink(resume, &sink);
    upool_sink_feed(&sink, "ef", 2);
    upool_sink_flush(&sink);
    apr_pool_destroy(p);
    tap_is_int(rkit_offset(t, "gone"), 6, "and of one whose request ended");
    tap_is_int(rkit_append(t, "gone", 6, "ghij"), 0, "the rest follows");
    tap_is_str(rkit_content(t, "gone"), "abcdefghij", "byte for byte");
}

static apr_size_t digest(const char *name, const char *text,
                         unsigned char value[EVP_MAX_MD_SIZE])
{
    unsigned len = 0;

    EVP_Digest(text, strlen(text), value, &len, EVP_get_digestbyname(name),
               NULL);
    return len;
}

/* The checksum of want, over the bytes of text. */
static upool_reason append_checked(rkit *t, const char *id, const char *text,
                                   const char *want, int late)
{
    unsigned char value[EVP_MAX_MD_SIZE];
    apr_size_t len = digest("SHA1", want, value);
    apr_pool_t *p = rkit_request(t);
    upool_resume_append append = UPOOL_RESUME_APPEND;
    upool_resume *resume = rkit_open(t, id, p);
    upool_reason reason;
    upool_sink sink;

    append.may_be_refused = 1;
    upool_resume_begin(resume, &append);
    upool_resume_sink(resume, &sink);
    if (!late) {
        upool_resume_expect(resume, "SHA-1", value, len);
    }
    upool_sink_feed(&sink, text, strlen(text));
    upool_sink_flush(&sink);
    if (late) {
        upool_resume_expect(resume, "sha-1", value, len);
    }
    upool_sink_finish(&sink);
    reason = upool_resume_refusal(resume)->reason;
    apr_pool_destroy(p);
    return reason;
}

static void test_checksum(rkit *t)
{
    int late;

    for (late = 0; late < 2; late++) {
        const char *id = late ? "sum-late" : "sum";

        rkit_create(t, id, 6);
        tap_is_int(append_checked(t, id, "abc", "abc", late), 0,
                   "%s: a checksum that matches", id);
        tap_is_int(rkit_offset(t, id), 3, "%s: keeps the bytes", id);
        tap_is_int(append_checked(t, id, "dex", "def", late),
                   UPOOL_REASON_CHECKSUM, "%s: one that does not", id);
        tap_is_int(rkit_offset(t, id), 3, "%s: takes them back", id);
        tap_is_int(append_checked(t, id, "def", "def", late), 0,
                   "%s: and they may come again", id);
        tap_is_str(rkit_content(t, id), "abcdef", "%s: right this time", id);
    }
}

/* A client that goes away before its checksum could be checked. */
static void test_checksum_unchecked(rkit *t)
{
    apr_pool_t *p = rkit_request(t);
    upool_resume_append append = UPOOL_RESUME_APPEND;
    upool_resume *resume;
    upool_sink sink;

    rkit_create(t, "unchecked", 6);
    resume = rkit_open(t, "unchecked", p);
    append.may_be_refused = 1;
    upool_resume_begin(resume, &append);
    upool_resume_sink(resume, &sink);
    upool_sink_feed(&sink, "abc", 3);
    upool_sink_flush(&sink);
    tap_is_int(rkit_offset(t, "unchecked"), 0,
               "bytes with a checksum do not count while they come");
    apr_pool_destroy(p);
    tap_is_int(rkit_offset(t, "unchecked"), 0,
               "nor when they were never checked");
}

static void test_length_later(rkit *t)
{
    apr_pool_t *p = rkit_request(t);
    upool_resume *resume;

    rkit_create(t, "defer", -1);
    tap_is_int(rkit_append(t, "defer", 0, "abc"), 0, "bytes without a length");
    tap_is_str(kit_status(&t->k, "defer"), "uploading", "complete nothing");
    resume = rkit_open(t, "defer", p);
    tap_is_int(upool_resume_set_length(resume, 2), 1, "less than is there");
    tap_is_int(upool_resume_refusal(resume)->reason, UPOOL_REASON_UPLOAD_LENGTH,
               "cannot be its length");
    resume = rkit_open(t, "defer", p);
    tap_is_int(upool_resume_set_length(resume, 5), 0, "more can");
    tap_is_int(upool_resume_set_length(resume, 5), 0, "and again the same");
    tap_is_int(upool_resume_set_metadata(resume, "a\n1"), 0, "metadata");
    tap_is_str(upool_resume_about(resume)->metadata, "a\n1", "written down");
    tap_is_int(upool_resume_set_length(resume, 6), 1, "but no other");
    tap_is_int(rkit_append(t, "defer", 3, "de"), 0, "the rest comes");
    tap_is_str(rkit_content(t, "defer"), "abcde", "and completes it");
    apr_pool_destroy(p);
}

/* Requests that were begun before another one said the length. */
static void test_length_raced(rkit *t)
{
    apr_pool_t *p = rkit_request(t);
    upool_resume *first, *same, *other, *late;

    rkit_create(t, "raced", -1);
    first = rkit_open(t, "raced", p);
    same = rkit_open(t, "raced", p);
    other = rkit_open(t, "raced", p);
    late = rkit_open(t, "raced", p);
    tap_is_int(upool_resume_set_length(first, 5), 0, "one of four says it");
    tap_is_int(upool_resume_set_length(same, 5), 0, "the second agrees");
    tap_is_int(upool_resume_length(same), 5, "and knows it");
    tap_is_int(upool_resume_set_length(other, 6), 1, "the third does not");
    tap_is_int(upool_resume_refusal(other)->reason, UPOOL_REASON_UPLOAD_LENGTH,
               "and is told so");
    tap_is_int(rkit_append(t, "raced", 0, "abcde"), 0, "the bytes come");
    tap_is_str(rkit_content(t, "raced"), "abcde", "as many as were said first");
    tap_is_int(upool_resume_set_length(late, 5), 1, "too late for the fourth");
    tap_is_int(upool_resume_refusal(late)->reason, UPOOL_REASON_COMPLETE,
               "which is told that it is complete");
    apr_pool_destroy(p);
}

static void test_last(rkit *t)
{
    apr_pool_t *p = rkit_request(t);
    upool_resume_append append = UPOOL_RESUME_APPEND;
    upool_resume *resume;

    rkit_create(t, "last", -1);
    rkit_append(t, "last", 0, "abc");
    append.last = 1;
    append.offset = 3;
    resume = rkit_open(t, "last", p);
    tap_is_int(rkit_feed(resume, &append, "d", 1), 0,
               "the last append says the length");
    tap_is_str(rkit_content(t, "last"), "abcd", "and completes it");
    rkit_create(t, "last2", 9);
    resume = rkit_open(t, "last2", p);
    append.offset = 0;
    append.content_length = 1;
    tap_is_int(rkit_feed(resume, &append, "d", 1), UPOOL_REASON_UPLOAD_LENGTH,
               "which must not be another than was said");
    apr_pool_destroy(p);
}

static void test_stay_open(rkit *t)
{
    apr_pool_t *p = rkit_request(t);
    upool_resume_append append = UPOOL_RESUME_APPEND;
    upool_resume *resume;

    rkit_create(t, "stay", 3);
    resume = rkit_open(t, "stay", p);
    append.stay_open = 1;
    rkit_feed(resume, &append, "abc", 3);
    tap_ok(upool_resume_is_whole(resume) && !upool_resume_is_complete(resume),
           "all of it is there, and it is not complete");
    tap_is_int(upool_resume_check(resume, "md5",
                                  "900150983cd24fb0d6963f7d28e1"
                                  "7f73"),
               1, "a wrong digest of the whole");
    resume = rkit_open(t, "stay", p);
    tap_is_int(upool_resume_check(resume, "MD5",
                                  "900150983CD24FB0D6963F7D28E1"
                                  "7F72"),
               0, "and the right one, in capitals");
    tap_is_int(upool_resume_complete(resume), 0, "it completes");
    tap_is_str(rkit_content(t, "stay"), "abc", "with its bytes");
    rkit_create(t, "taken", 3);
    resume = rkit_open(t, "taken", p);
    rkit_feed(resume, &append, "abc", 3);
    upool_resume_abandon(rkit_open(t, "taken", p), UPOOL_ABANDON_ANY);
    tap_is_int(upool_resume_complete(resume), 1,
               "another request has taken it back");
    tap_is_int(upool_resume_refusal(resume)->reason, UPOOL_REASON_CLEARED,
               "before it was completed, and it was cleared");
    apr_pool_destroy(p);
}

static void test_whose(rkit *t)
{
    t->options.owner = "ann";
    tap_is_int(rkit_create(t, "anns", 3), 0, "an upload of one user");
    t->options.owner = "bob";
    tap_is_int(rkit_append(t, "anns", 0, "abc"), UPOOL_REASON_OWNER,
               "is not another's to append to");
    tap_is_int(rkit_create(t, "anns", 3), UPOOL_REASON_OWNER,
               "nor to create anew");
    t->options.owner = "ann";
    tap_is_int(rkit_create(t, "anns", 3), UPOOL_REASON_BUSY,
               "nor the same user's, while it is on its way");
    rkit_append(t, "anns", 0, "abc");
    t->options.owner = "bob";
    tap_is_int(rkit_create(t, "anns", 3), UPOOL_REASON_OWNER,
               "and complete it still is not another's");
    t->options.owner = "ann";
    tap_is_int(rkit_create(t, "anns", 3), 0, "but its own may replace it");
    tap_is_str(rkit_content(t, "anns"), "abc", "the old one stays");
    rkit_append(t, "anns", 0, "xyz");
    tap_is_str(rkit_content(t, "anns"), "xyz", "until the new one is complete");
    t->options.owner = NULL;
}

static void test_limits(rkit *t)
{
    upool_limits limits = t->options.limits;

    t->options.limits.file = 4;
    tap_is_int(rkit_create(t, "big", 5), UPOOL_REASON_FILE_TOO_LARGE,
               "too long by its length");
    tap_ok(!kit_exists(kit_in(&t->k, "big", NULL)), "leaves nothing");
    rkit_create(t, "big", -1);
    tap_is_int(rkit_append(t, "big", 0, "abc"), 0, "a length unknown");
    tap_is_int(rkit_append(t, "big", 3, "de"), UPOOL_REASON_FILE_TOO_LARGE,
               "is judged by what comes");
    t->options.limits = limits;
    t->options.limits.body = 4;
    tap_is_int(rkit_append(t, "big", 3, "de"), UPOOL_REASON_BODY_TOO_LARGE,
               "by either limit");
    t->options.limits = limits;
}

static void test_discard(rkit *t)
{
    apr_pool_t *p = rkit_request(t);
    upool_resume *resume;
    upool_record *record;

    rkit_create(t, "drop", 3);
    resume = rkit_open(t, "drop", p);
    tap_is_int(upool_resume_discard(resume, UPOOL_REASON_NONE), 0,
               "discarded without a trace");
    tap_ok(!kit_exists(kit_in(&t->k, "drop", NULL)), "nothing is left");
    tap_is_int(rkit_append(t, "drop", 0, "abc"), UPOOL_REASON_NOT_FOUND,
               "nor found");
    rkit_create(t, "drop", 3);
    resume = rkit_open(t, "drop", p);
    tap_is_int(upool_resume_discard(resume, UPOOL_REASON_OVERRUN), 0,
               "discarded for a reason");
    rkit_status(t, "drop", &record);
    tap_is_str(record->error, "Upload is longer than announced",
               "pollers see it");
    tap_is_int(rkit_append(t, "drop", 0, "abc"), UPOOL_REASON_NOT_FOUND,
               "and it is not found either");
    apr_pool_destroy(p);
}

static void test_expired(rkit *t)
{
    rkit_create(t, "old", 3);
    t->options.expires = 1;
    apr_sleep(2000);
    tap_is_int(rkit_append(t, "old", 0, "abc"), UPOOL_REASON_EXPIRED,
               "an expired upload says so");
    t->options.expires = apr_time_from_sec(3600);
    tap_is_int(rkit_create(t, "old", 3), UPOOL_REASON_BUSY,
               "one that is not is in the way");
    t->k.options.expires = 1;
    rkit_reopen(t);
    tap_is_int(rkit_create(t, "old", 4), 0, "an expired one is not");
    t->k.options.expires = 0;
    rkit_reopen(t);
    tap_is_int(kit_count(kit_in(&t->k, "old", NULL)), 2,
               "and nothing of it is left");
}

static void test_told(rkit *t)
{
    apr_pool_t *p = rkit_request(t);
    upool_resume_append append = UPOOL_RESUME_APPEND;
    upool_resume_start start = rkit_what(t, 3);
    apr_array_header_t *fields = apr_array_make(p, 2, sizeof(upool_field));
    upool_field *field = apr_array_push(fields);
    upool_field later = { "b", "2", 1 };
    const apr_array_header_t *list;
    upool_resume *resume;

    field->name = "a";
    field->value = "\xff\0x";
    field->len = 3;
    start.fields = fields;
    rkit_name(t, "fields");
    upool_resume_create(&t->options, &start, p);
    resume = rkit_open(t, "fields", p);
    tap_is_int(upool_resume_length(resume), 3, "the length is told");
    tap_is_int(upool_resume_held(resume), 0, "and what is there");
    tap_ok(upool_resume_expires(resume) > apr_time_now()
               && upool_resume_expires(resume)
                      <= apr_time_now() + t->options.expires,
           "and when it goes");
    upool_resume_add_field(resume, &later);
    rkit_feed(resume, &append, "abc", 3);
    list = upool_resume_fields(resume);
    tap_is_int(list->nelts, 2, "two fields");
    field = &APR_ARRAY_IDX(list, 0, upool_field);
    tap_ok(field->len == 3 && memcmp(field->value, "\xff\0x", 3) == 0,
           "the first as it was, byte for byte");
    tap_is_str(APR_ARRAY_IDX(list, 1, upool_field).name, "b",
               "then that of the completing request");
    tap_is_str(upool_resume_path(resume, NULL, p),
               kit_in(&t->k, "fields", NULL), "the bucket's path");
    apr_pool_destroy(p);
}

static void test_settle(rkit *t)
{
    apr_pool_t *p = rkit_request(t);
    upool_resume_append append = UPOOL_RESUME_APPEND;
    upool_resume *writer;
    upool_resume *reader;
    upool_sink sink;

    rkit_create(t, "set", 9);
    writer = rkit_open(t, "set", p);
    upool_resume_begin(writer, &append);
    upool_resume_sink(writer, &sink);
    upool_sink_feed(&sink, "abc", 3);
    upool_sink_flush(&sink);
    reader = rkit_open(t, "set", p);
    tap_is_int(upool_resume_settle(reader), 1,
               "a writer that does not look up keeps others waiting");
    tap_is_int(upool_resume_refusal(reader)->reason, UPOOL_REASON_BUSY,
               "for a while");
    kit_write_file(kit_in(&t->k, "set", "yield"), "");
    tap_is_int(upool_sink_is_unwanted(&sink), 1, "one that does, stops");
    tap_is_int(upool_resume_refusal(writer)->reason, UPOOL_REASON_TAKEN,
               "and says why");
    reader = rkit_open(t, "set", p);
    tap_is_int(upool_resume_settle(reader), 0, "then the offset is settled");
    tap_is_int(upool_resume_offset(reader), 3, "with what has come");
    apr_pool_destroy(p);
}

static apr_time_t later;

static apr_time_t tell_time(void)
{
    return apr_time_now() + later;
}

/* R4: Somebody asks for the upload between the last byte and its end. */
static void test_taken_late(rkit *t)
{
    apr_pool_t *p = rkit_request(t);
    upool_resume_append append = UPOOL_RESUME_APPEND;
    upool_resume *writer;
    upool_sink sink;

    rkit_create(t, "late", 9);
    rkit_append(t, "late", 0, "abc");
    t->options.now = tell_time;
    writer = rkit_open(t, "late", p);
    append.offset = 3;
    append.content_length = 6;
    upool_resume_begin(writer, &append);
    upool_resume_sink(writer, &sink);
    upool_sink_feed(&sink, "defghi", 6);
    kit_write_file(kit_in(&t->k, "late", "yield"), "");
    later = apr_time_from_sec(1);
    upool_sink_flush(&sink);
    tap_is_int(upool_sink_finish(&sink), 0,
               "who has all its bytes ends as if nobody had asked");
    tap_is_str(rkit_content(t, "late"), "abcdefghi", "and completes it");
    t->options.now = apr_time_now;
    apr_pool_destroy(p);
}

static void create_partial(rkit *t, const char *id, const char *text)
{
    upool_resume_start start = rkit_what(t, (apr_off_t)strlen(text));
    apr_pool_t *p = rkit_request(t);

    start.concat = "partial";
    rkit_name(t, id);
    upool_resume_create(&t->options, &start, p);
    rkit_append(t, id, 0, text);
    apr_pool_destroy(p);
}

static upool_resume *make_final(rkit *t, const char *id, apr_pool_t *p)
{
    upool_resume_start start = rkit_what(t, -1);

    start.concat = "final;/u/p1 /u/p2";
    rkit_name(t, id);
    return upool_resume_create(&t->options, &start, p);
}

static void test_concat(rkit *t)
{
    apr_pool_t *p = rkit_request(t);
    apr_array_header_t *parts = apr_array_make(p, 3, sizeof(const char *));
    upool_resume *final;

    create_partial(t, "p1", "abc");
    create_partial(t, "p2", "defg");
    tap_is_str(kit_status(&t->k, "p1"), "uploading", "a part is not complete");
    APR_ARRAY_PUSH(parts, const char *) = "p1";
    APR_ARRAY_PUSH(parts, const char *) = "p2";
    APR_ARRAY_PUSH(parts, const char *) = "p1";
    final = make_final(t, "final", p);
    tap_is_int(upool_resume_concat(final, parts), 0, "parts become one");
    tap_is_int(upool_resume_complete(final), 0, "which is completed");
    tap_is_str(rkit_content(t, "final"), "abcdefgabc", "in their order");
    tap_is_int(rkit_offset(t, "p2"), 4, "the parts stay");
    APR_ARRAY_PUSH(parts, const char *) = "final";
    final = make_final(t, "final2", p);
    tap_is_int(upool_resume_concat(final, parts), 1, "one that is no part");
    tap_is_int(upool_resume_refusal(final)->reason, UPOOL_REASON_NOT_FOUND,
               "is not found");
    rkit_create(t, "p3", 5);
    APR_ARRAY_IDX(parts, 3, const char *) = "p3";
    final = make_final(t, "final3", p);
    upool_resume_concat(final, parts);
    tap_is_int(upool_resume_refusal(final)->reason, UPOOL_REASON_NOT_FOUND,
               "nor is an upload of its own");
    apr_pool_destroy(p);
}

/* Whether a sibling keeps a part, a sweep alone knows. */
static void test_part_waits(rkit *t)
{
    apr_pool_t *p = rkit_request(t);
    apr_array_header_t *parts = apr_array_make(p, 1, sizeof(const char *));
    upool_resume_start start = rkit_what(t, 4);
    upool_resume *part;
    upool_record *record;

    create_partial(t, "w1", "abc");
    start.concat = "partial";
    rkit_name(t, "w2");
    upool_resume_create(&t->options, &start, p);
    t->options.expires = 1;
    t->k.options.expires = 1;
    rkit_reopen(t);
    apr_sleep(2000);
    part = rkit_open(t, "w1", p);
    tap_is_int(upool_resume_refusal(part)->reason, 0,
               "a part that is whole does not expire by the clock");
    tap_ok(upool_resume_expires(part) == 0, "nor says that it did");
    rkit_status(t, "w1", &record);
    tap_ok(record->waits, "its status says that it waits");
    tap_is_int(rkit_create(t, "w1", 3), UPOOL_REASON_BUSY,
               "nobody takes its place");
    tap_is_int(upool_resume_refusal(rkit_open(t, "w2", p))->reason,
               UPOOL_REASON_EXPIRED, "one that is not whole expires");
    rkit_status(t, "w2", &record);
    tap_ok(!record->waits, "and does not wait");
    t->options.expires = apr_time_from_sec(3600);
    APR_ARRAY_PUSH(parts, const char *) = "w1";
    part = make_final(t, "w-final", p);
    t->options.expires = 1;
    tap_is_int(upool_resume_concat(part, parts), 0, "it is used as ever");
    t->options.expires = apr_time_from_sec(3600);
    part = rkit_open(t, "w1", p);
    tap_ok(upool_resume_expires(part) > apr_time_now(),
           "before that it says when it would");
    t->k.options.expires = 0;
    rkit_reopen(t);
    apr_pool_destroy(p);
}

int main(void)
{
    rkit t;

    rkit_start(&t);
    test_life(&t);
    test_complete_once_told(&t);
    test_empty(&t);
    test_broken_off(&t);
    test_checksum(&t);
    test_checksum_unchecked(&t);
    test_length_later(&t);
    test_length_raced(&t);
    test_last(&t);
    test_stay_open(&t);
    test_whose(&t);
    test_limits(&t);
    test_discard(&t);
    test_expired(&t);
    test_told(&t);
    test_settle(&t);
    test_taken_late(&t);
    test_concat(&t);
    test_part_waits(&t);
    return rkit_done(&t);
}
