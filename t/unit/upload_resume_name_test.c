/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/* Uploads of several requests whose name comes after their creation, or never;
 * and offsets that no file has. */
#include "resume_kit.h"

static const char *const allowed[] = { "txt" };

static upool_reason create_unnamed(rkit *t, const char *id, const char *concat)
{
    upool_resume_start start = rkit_what(t, 5);
    apr_pool_t *p = rkit_request(t);
    upool_reason reason;

    rkit_name(t, id);
    start.file = upool_file_of_head(NULL, NULL, NULL, p);
    start.concat = concat;
    start.name_follows = 1;
    reason = upool_resume_refusal(upool_resume_create(&t->options, &start, p))
                 ->reason;
    apr_pool_destroy(p);
    return reason;
}

static upool_reason set_name(rkit *t, const char *id, const char *name)
{
    apr_pool_t *p = rkit_request(t);
    upool_resume *resume = rkit_open(t, id, p);
    int bad = upool_resume_set_name(resume, name);
    upool_reason reason = upool_resume_refusal(resume)->reason;

    tap_is_int(bad, reason != UPOOL_REASON_NONE, "%s: refused or not", name);
    apr_pool_destroy(p);
    return reason;
}

static void test_name_follows(rkit *t)
{
    upool_record *record;

    tap_is_int(create_unnamed(t, "later", NULL), 0,
               "one whose name follows is not asked for it");
    tap_is_int(set_name(t, "later", "a.exe"), UPOOL_REASON_EXTENSION,
               "then it is");
    tap_is_int(set_name(t, "later", ""), UPOOL_REASON_EXTENSION,
               "and no name is none that is allowed");
    rkit_status(t, "later", &record);
    tap_is_str(record->filename, "", "nothing of that is kept");
    tap_is_int(set_name(t, "later", "G r\xff.txt"), 0, "a good one");
    tap_is_int(set_name(t, "later", "b.exe"), 0, "no other is looked at");
    rkit_status(t, "later", &record);
    tap_is_str(record->filename, "G r\xef\xbf\xbd.txt",
               "the first good one stays, as valid UTF-8");
    rkit_append(t, "later", 0, "hello");
    rkit_status(t, "later", &record);
    tap_is_str(record->filename, "G r\xef\xbf\xbd.txt", "to the end");
}

static void test_never_named(rkit *t)
{
    tap_is_int(create_unnamed(t, "part", "partial"), 0,
               "a part of another has no name");
    tap_is_int(rkit_append(t, "part", 0, "hel"), 0, "and takes its bytes");
}

static void test_far_offsets(rkit *t)
{
    static const apr_off_t far[] = { 6, APR_INT64_MAX - 5, APR_INT64_MAX - 1,
                                     APR_INT64_MAX };
    apr_size_t i;

    create_unnamed(t, "far", "partial");
    for (i = 0; i < sizeof(far) / sizeof(far[0]); i++) {
        tap_is_int(rkit_append(t, "far", far[i], "hello"), UPOOL_REASON_OFFSET,
                   "offset %" APR_OFF_T_FMT " is not where it is", far[i]);
    }
    tap_is_int(rkit_offset(t, "far"), 0, "nothing was taken");
}

int main(void)
{
    apr_array_header_t *list;
    rkit t;

    rkit_start(&t);
    list = apr_array_make(t.k.p, 1, sizeof(const char *));
    APR_ARRAY_PUSH(list, const char *) = allowed[0];
    t.options.accept.allow[0] = list;
    test_name_follows(&t);
    test_never_named(&t);
    test_far_offsets(&t);
    return rkit_done(&t);
}
