/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/* The names on disk: which are ours, and that ours do not repeat. */
#include "store/layout.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <apr_general.h>

#include "store/record.h"
#include "tap.h"

#define HEX32 "0123456789abcdef0123456789abcdef"

static const struct {
    const char *name;
    upool_entry entry;
} ENTRIES[] = {
    { "metadata.json", UPOOL_ENTRY_METADATA },
    { "attempt.json", UPOOL_ENTRY_ATTEMPT },
    { "metadata.new", UPOOL_ENTRY_TEMPORARY },
    { "attempt.new", UPOOL_ENTRY_TEMPORARY },
    { "resumable.json", UPOOL_ENTRY_RESUMABLE },
    { "resumable.new", UPOOL_ENTRY_TEMPORARY },
    { "yield", UPOOL_ENTRY_TEMPORARY },
    { "run", UPOOL_ENTRY_ANSWER },
    { "answer.json", UPOOL_ENTRY_ANSWER },
    { "answer.new", UPOOL_ENTRY_TEMPORARY },
    { "runs", UPOOL_ENTRY_FOREIGN },
    { "lock", UPOOL_ENTRY_LOCK },
    { "0-" HEX32 ".bin", UPOOL_ENTRY_DATA },
    { "7-" HEX32 ".bin", UPOOL_ENTRY_DATA },
    { "10-" HEX32 ".bin", UPOOL_ENTRY_DATA },
    { "999999999-" HEX32 ".bin", UPOOL_ENTRY_DATA },
    { "", UPOOL_ENTRY_FOREIGN },
    { ".", UPOOL_ENTRY_FOREIGN },
    { "..", UPOOL_ENTRY_FOREIGN },
    { "Metadata.json", UPOOL_ENTRY_FOREIGN },
    { "metadata.json~", UPOOL_ENTRY_FOREIGN },
    { "metadata.jso", UPOOL_ENTRY_FOREIGN },
    { "locks", UPOOL_ENTRY_FOREIGN },
    { "data.bin", UPOOL_ENTRY_FOREIGN },
    { "-" HEX32 ".bin", UPOOL_ENTRY_FOREIGN },
    { "00-" HEX32 ".bin", UPOOL_ENTRY_FOREIGN },
    { "01-" HEX32 ".bin", UPOOL_ENTRY_FOREIGN },
    { "+1-" HEX32 ".bin", UPOOL_ENTRY_FOREIGN },
    { " 1-" HEX32 ".bin", UPOOL_ENTRY_FOREIGN },
    { "1000000000-" HEX32 ".bin", UPOOL_ENTRY_FOREIGN },
    { "0-" HEX32 "0.bin", UPOOL_ENTRY_FOREIGN },
    { "0-0123456789abcdef.bin", UPOOL_ENTRY_FOREIGN },
    { "0-0123456789ABCDEF0123456789abcdef.bin", UPOOL_ENTRY_FOREIGN },
    { "0-0123456789abcdeg0123456789abcdef.bin", UPOOL_ENTRY_FOREIGN },
    { "0-" HEX32, UPOOL_ENTRY_FOREIGN },
    { "0-" HEX32 ".bi", UPOOL_ENTRY_FOREIGN },
    { "0-" HEX32 ".bin.php", UPOOL_ENTRY_FOREIGN },
    { "0-" HEX32 ".bin/", UPOOL_ENTRY_FOREIGN },
    { "0-" HEX32 ".bin\n", UPOOL_ENTRY_FOREIGN },
    { "./0-" HEX32 ".bin", UPOOL_ENTRY_FOREIGN },
    { "../0-" HEX32 ".bin", UPOOL_ENTRY_FOREIGN },
    { "0" HEX32 ".bin", UPOOL_ENTRY_FOREIGN },
    { "0-", UPOOL_ENTRY_FOREIGN },
    { "0", UPOOL_ENTRY_FOREIGN },
};

static void test_entries(void)
{
    size_t i;

    for (i = 0; i < sizeof(ENTRIES) / sizeof(*ENTRIES); i++) {
        tap_is_int(upool_layout_entry(ENTRIES[i].name), ENTRIES[i].entry,
                   "entry %d", (int)i);
    }
    tap_ok(!upool_layout_is_data(NULL) && !upool_layout_is_bucket(NULL),
           "no name at all");
}

static void test_buckets(void)
{
    char name[70];
    char one[2] = { 0 };
    int bad = 0;
    int i;

    for (i = 1; i < 256; i++) {
        int good;

        one[0] = (char)i;
        good = (i >= '0' && i <= '9') || (i >= 'A' && i <= 'Z')
               || (i >= 'a' && i <= 'z') || i == '-';
        bad += upool_layout_is_bucket(one) != good;
    }
    tap_is_int(bad, 0, "each byte alone");
    memset(name, 'a', sizeof(name));
    for (i = 0; i < 69; i++) {
        name[i] = '\0';
        bad += upool_layout_is_bucket(name) != (i >= 1 && i <= 64);
        name[i] = 'a';
    }
    tap_is_int(bad, 0, "each length up to 68");
}

/* The random part alone: names of other numbers do not collide either. */
typedef char drawn[33];

static int compare(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(drawn));
}

/* T3: nobody guesses a name, and none comes twice. */
static void test_names(apr_pool_t *p)
{
    enum { COUNT = 1000000 };
    drawn *names = malloc(COUNT * sizeof(*names));
    apr_pool_t *scratch;
    const char *name;
    int bad = 0;
    int i;

    apr_pool_create(&scratch, p);
    for (i = 0; i < COUNT; i++) {
        bad += upool_layout_name(&name, i % 3, scratch) != APR_SUCCESS;
        bad += !upool_layout_is_data(name);
        memcpy(names[i], name + 2, sizeof(drawn) - 1);
        names[i][sizeof(drawn) - 1] = '\0';
        apr_pool_clear(scratch);
    }
    tap_is_int(bad, 0, "every name made is a name known");
    qsort(names, COUNT, sizeof(*names), compare);
    for (i = 1; i < COUNT; i++) {
        bad += memcmp(names[i - 1], names[i], sizeof(drawn)) == 0;
    }
    tap_is_int(bad, 0, "no two of a million are the same");
    free(names);
    tap_is_int(upool_layout_name(&name, -1, p), APR_EINVAL, "-1");
    tap_is_int(upool_layout_name(&name, INT_MAX, p), APR_EINVAL, "too many");
    tap_is_int(upool_layout_name(&name, 999999999, p), APR_SUCCESS, "just so");
    tap_ok(upool_layout_is_data(name), "and known");
}

static void test_states(apr_pool_t *p)
{
    const upool_record *record = upool_record_make(p, "x");

    tap_is_str(upool_state_name(UPOOL_STATE_STARTING), "starting", "starting");
    tap_is_str(upool_state_name(UPOOL_STATE_UPLOADING), "uploading",
               "uploading");
    tap_is_str(upool_state_name(UPOOL_STATE_DONE), "done", "done");
    tap_is_str(upool_state_name(UPOOL_STATE_ERROR), "error", "error");
    tap_ok(record->state == UPOOL_STATE_STARTING && record->size == -1
               && record->files->nelts == 0 && !*record->filename
               && !*record->content_type && !record->owner,
           "an empty record");
}

static void test_owner(void)
{
    tap_ok(upool_record_is_open_to(NULL, NULL), "nobody's: to nobody");
    tap_ok(upool_record_is_open_to(NULL, "a"), "nobody's: to anybody");
    tap_ok(upool_record_is_open_to("", "a"), "nobody's, as a slot says it");
    tap_ok(upool_record_is_open_to("a", "a"), "to its owner");
    tap_ok(!upool_record_is_open_to("a", "ab"), "not to another");
    tap_ok(!upool_record_is_open_to("a", ""), "not to an empty name");
    tap_ok(!upool_record_is_open_to("a", NULL), "not to nobody");
}

int main(void)
{
    apr_pool_t *p;

    apr_initialize();
    apr_pool_create(&p, NULL);
    test_owner();
    test_entries();
    test_buckets();
    test_names(p);
    test_states(p);
    apr_pool_destroy(p);
    apr_terminate();
    return tap_done();
}
