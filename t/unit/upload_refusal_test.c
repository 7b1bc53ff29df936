/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/* The table of refusals: complete, and harmless to show. */
#include "upload/refusal.h"

#include <errno.h>
#include <string.h>

#include <tap.h>
#include "upload/reasons.h"

#define LETTERS "abcdefghijklmnopqrstuvwxyz_"

static int is_plain(const char *text)
{
    for (; *text; text++) {
        if (*text < ' ' || *text > '~' || strchr("<>&\"/\\", *text)) {
            return 0;
        }
    }
    return 1;
}

static void test_row(upool_reason reason)
{
    upool_refusal r = upool_refusal_make(reason, EIO, "/srv/pool/secret");

    tap_is_int(r.reason, reason, "reason %d", reason);
    tap_ok(r.status >= 400 && r.status <= 599, "status %d is an error",
           r.status);
    tap_ok(r.text && r.text[0] && strlen(r.text) < 100, "has a text");
    tap_ok(r.text && is_plain(r.text), "plain, and no path: %s", r.text);
    tap_is_str(r.detail, "/srv/pool/secret", "the detail is apart");
    tap_is_int(r.rv, EIO, "so is the system's error");
    tap_is_int(r.reset, 0, "the connection is drained");
}

/* A reason that is added needs a name in upload/reasons.c. */
static void test_names(void)
{
    int reason, other;

    for (reason = 0; reason < UPOOL_REASON_COUNT; reason++) {
        const char *name = upool_reason_name((upool_reason)reason);

        tap_ok(name && *name && name[strspn(name, LETTERS)] == '\0',
               "reason %d has the name %s", reason, name ? name : "(none)");
        for (other = 0; name && other < reason; other++) {
            const char *its = upool_reason_name((upool_reason)other);

            if (its && strcmp(its, name) == 0) {
                break;
            }
        }
        tap_is_int(other, reason, "which is no other's");
    }
}

typedef struct expectation {
    upool_reason reason;
    int status;
} expectation;

/* Contract, section 5. */
/* clang-format off */
static const expectation contract[] = {
    { UPOOL_REASON_BODY_TOO_LARGE, 413 },   { UPOOL_REASON_FILE_TOO_LARGE, 413 },
    { UPOOL_REASON_TOO_MANY_PARTS, 413 },   { UPOOL_REASON_FIELD_TOO_LARGE, 413 },
    { UPOOL_REASON_FIELDS_TOO_LARGE, 413 }, { UPOOL_REASON_HEADER_TOO_LARGE, 413 },
    { UPOOL_REASON_BOUNDARY, 400 },         { UPOOL_REASON_NO_DELIMITER, 400 },
    { UPOOL_REASON_DELIMITER, 400 },        { UPOOL_REASON_TRUNCATED, 400 },
    { UPOOL_REASON_HEADER, 400 },           { UPOOL_REASON_INCOMPLETE, 400 },
    { UPOOL_REASON_CONTENT_CODING, 415 },   { UPOOL_REASON_PART_CODING, 415 },
    { UPOOL_REASON_EXTENSION, 415 },        { UPOOL_REASON_NOT_AN_UPLOAD, 415 },
    { UPOOL_REASON_IDENT_MALFORMED, 400 },  { UPOOL_REASON_IDENT_DOUBLED, 400 },
    { UPOOL_REASON_IDENT_REFUSED, 403 },    { UPOOL_REASON_OWNER, 403 },
    { UPOOL_REASON_BUSY, 409 },             { UPOOL_REASON_EXPIRED, 410 },
    { UPOOL_REASON_POOL, 500 },             { UPOOL_REASON_CONFIGURATION, 500 },
    { UPOOL_REASON_IO, 500 },               { UPOOL_REASON_FULL, 507 },
    { UPOOL_REASON_TIMEOUT, 408 },          { UPOOL_REASON_CALLBACK, 400 },
    { UPOOL_REASON_WATCHERS, 503 },         { UPOOL_REASON_OTHER_CONTENT, 409 },
};
/* clang-format on */

static void test_quota(void)
{
    upool_refusal said = upool_refusal_of_quota(UPOOL_QUOTA_GRANTED, EIO);

    tap_is_int(said.reason, UPOOL_REASON_NONE, "granted is no refusal");
    said = upool_refusal_of_quota(UPOOL_QUOTA_POOL, EIO);
    tap_is_int(said.reason, UPOOL_REASON_QUOTA, "the pool's quota");
    tap_is_int(said.rv, 0, "in which no call has failed");
    tap_is_str(said.detail, "quota of the pool", "which the log tells");
    said = upool_refusal_of_quota(UPOOL_QUOTA_OWNER, EIO);
    tap_is_int(said.reason, UPOOL_REASON_QUOTA, "the owner's quota");
    tap_is_str(said.detail, "quota of the owner", "is another in the log");
    said = upool_refusal_of_quota(UPOOL_QUOTA_ROOT, EIO);
    tap_is_int(said.reason, UPOOL_REASON_QUOTA,
               "that of all pools below a root");
    tap_is_str(said.detail, "quota of UploadPoolRoot", "is a third");
    said = upool_refusal_of_quota(UPOOL_QUOTA_SPARE, EIO);
    tap_is_int(said.reason, UPOOL_REASON_FULL, "what is to be left free");
    said = upool_refusal_of_quota(UPOOL_QUOTA_FAILED, ENOSPC);
    tap_is_int(said.reason, UPOOL_REASON_FULL, "a ledger on a full disk");
    tap_is_int(said.rv, ENOSPC, "with the call's error");
    said = upool_refusal_of_quota(UPOOL_QUOTA_FAILED, EIO);
    tap_is_int(said.reason, UPOOL_REASON_IO, "a ledger that is broken");
}

int main(void)
{
    upool_refusal set = UPOOL_NO_REFUSAL;
    int i;
    size_t n;

    for (i = UPOOL_REASON_NONE + 1; i < UPOOL_REASON_COUNT; i++) {
        test_row((upool_reason)i);
    }
    for (n = 0; n < sizeof(contract) / sizeof(contract[0]); n++) {
        tap_is_int(upool_refusal_make(contract[n].reason, 0, NULL).status,
                   contract[n].status, "reason %d as announced",
                   contract[n].reason);
    }
    /* Whose upload it is must not be told apart from a forged signature. */
    tap_is_str(upool_refusal_make(UPOOL_REASON_OWNER, 0, NULL).text,
               upool_refusal_make(UPOOL_REASON_IDENT_REFUSED, 0, NULL).text,
               "another owner and a bad signature look the same");
    tap_is_int(upool_refusal_set(&set, UPOOL_REASON_OFFSET, EIO, "late"), 1,
               "what is set refuses");
    tap_ok(set.reason == UPOOL_REASON_OFFSET && set.rv == EIO
               && !strcmp(set.detail, "late"),
           "with reason, error and detail");
    tap_is_int(upool_refusal_of_errno(ENOSPC), UPOOL_REASON_FULL, "disk full");
    tap_is_int(upool_refusal_of_errno(EDQUOT), UPOOL_REASON_FULL, "quota");
    tap_is_int(upool_refusal_of_errno(EIO), UPOOL_REASON_IO, "anything else");
    test_quota();
    test_names();
    return tap_done();
}
