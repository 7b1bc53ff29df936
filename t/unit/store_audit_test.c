/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/* What an audit calls a problem, and what it does not. */
#include "store/audit.h"

#include <sys/file.h>

#include "store_kit.h"

#define ORPHAN "9-00000000000000000000000000000000.bin"
#define WHEN apr_time_from_sec(1000)

static const char *notes_of(const apr_array_header_t *notes, apr_pool_t *p)
{
    const char *all = "";
    int i;

    for (i = 0; i < notes->nelts; i++) {
        const upool_audit_note *n = &APR_ARRAY_IDX(notes, i, upool_audit_note);

        all = apr_pstrcat(p, all, all[0] ? "; " : "", n->name, ": ", n->text,
                          NULL);
    }
    return all;
}

static upool_audit look(kit *k, const char *id)
{
    upool_audit audit;

    memset(&audit, 0, sizeof(audit));
    tap_is_int(upool_audit_look(&audit, k->store, id, k->p), 0, "%s: looked at",
               id);
    return audit;
}

/* The problems of a bucket are exactly expected. */
static void problems(kit *k, const char *id, const char *expected)
{
    upool_audit audit = look(k, id);

    tap_is_str(audit.problems ? notes_of(audit.problems, k->p) : "not looked",
               expected, "%s: its problems", id);
}

static void test_whole(kit *k)
{
    const char *name = kit_upload(k, "whole", "content", WHEN, k->p);
    upool_audit audit = look(k, "whole");

    tap_is_int(audit.problems->nelts, 0, "a whole bucket has no problem");
    tap_is_int(audit.remarks->nelts, 0, "and earns no remark");
    tap_ok(audit.complete && !audit.about && !audit.is_written, "it is done");
    tap_is_int(audit.files, 1, "one file");
    tap_is_int(audit.bytes, 7, "of seven bytes");
    unlink(kit_in(k, "whole", name));
    audit = look(k, "whole");
    tap_is_int(audit.problems->nelts, 0, "moved away: no problem");
    tap_is_str(notes_of(audit.remarks, k->p),
               apr_pstrcat(k->p, name, ": was moved away", NULL),
               "but a remark");
}

static void test_names(kit *k)
{
    upool_audit audit;

    tap_is_int(upool_audit_look(&audit, k->store, "nobody", k->p), APR_ENOENT,
               "no such bucket");
    tap_is_int(upool_audit_look(&audit, k->store, "..", k->p), APR_EINVAL,
               "no bucket has such a name");
    kit_write_file(kit_in(k, "file", NULL), "x");
    tap_is_int(upool_audit_look(&audit, k->store, "file", k->p), APR_ENOTDIR,
               "a file is none");
    tap_is_int(upool_audit_changed(k->store, "file"), 0, "nor does it change");
    tap_is_int(symlink("whole", kit_in(k, "link", NULL)), 0, "a link");
    tap_is_int(upool_audit_look(&audit, k->store, "link", k->p), APR_ENOTDIR,
               "is none either");
    tap_is_int(upool_audit_changed(k->store, "link"), 0, "nor does it change");
    tap_is_int(upool_audit_changed(k->store, "../pool"), 0, "nor does a path");
    tap_ok(upool_audit_changed(k->store, "whole") > WHEN, "a bucket has");
    unlink(kit_in(k, "file", NULL));
    unlink(kit_in(k, "link", NULL));
}

static void test_damage(kit *k)
{
    const char *name = kit_upload(k, "short", "content", WHEN, k->p);
    upool_audit audit;

    kit_write_file(kit_in(k, "short", name), "con");
    problems(
        k, "short",
        apr_pstrcat(k->p, name, ": is of 3 bytes, not the recorded 7", NULL));
    kit_upload(k, "broken", "content", WHEN, k->p);
    kit_write_file(kit_in(k, "broken", "metadata.json"), "{\"version\":1}");
    name = kit_data_name(k, "broken");
    problems(k, "broken",
             apr_pstrcat(k->p, "metadata.json: is damaged; ", name,
                         ": is named by no record; the sweep removes it when"
                         " it expires",
                         NULL));
    kit_upload(k, "orphan", "content", WHEN, k->p);
    kit_write_file(kit_in(k, "orphan", ORPHAN), "rest");
    audit = look(k, "orphan");
    tap_is_int(audit.orphans, 1, "an orphan");
    tap_is_int(audit.orphan_bytes, 4, "of four bytes");
    tap_is_int(audit.files, 2, "of two files");
    kit_upload(k, "attempt", "content", WHEN, k->p);
    kit_write_file(kit_in(k, "attempt", "attempt.json"), "[");
    problems(k, "attempt", "attempt.json: is damaged");
    kit_upload(k, "resumable", "content", WHEN, k->p);
    kit_write_file(kit_in(k, "resumable", "resumable.json"), "[]");
    problems(k, "resumable", "resumable.json: is damaged");
    kit_upload(k, "answer", "content", WHEN, k->p);
    kit_write_file(kit_in(k, "answer", "answer.json"), "{}");
    problems(k, "answer", "answer.json: is damaged");
}

static void test_planted(kit *k)
{
    const char *secret = kit_path(k, "secret");

    kit_write_file(secret, "secret");
    kit_upload(k, "planted", "content", WHEN, k->p);
    tap_is_int(symlink(secret, kit_in(k, "planted", ORPHAN)), 0, "a link");
    problems(k, "planted", ORPHAN ": is not a regular file");
    unlink(kit_in(k, "planted", ORPHAN));
    tap_is_int(mkfifo(kit_in(k, "planted", "attempt.json"), 0600), 0, "a FIFO");
    problems(k, "planted",
             "attempt.json: is not a regular file; "
             "attempt.json: is damaged");
    unlink(kit_in(k, "planted", "attempt.json"));
    tap_is_int(mkdir(kit_in(k, "planted", "\033[2J"), 0700), 0, "a directory");
    problems(k, "planted",
             "\033[2J: is nothing that a bucket can hold; the sweep leaves it"
             " alone");
    rmdir(kit_in(k, "planted", "\033[2J"));
    tap_is_int(chmod(kit_in(k, "planted", NULL), 0720), 0, "a group");
    problems(k, "planted", ": others than its owner can write to it");
    chmod(kit_in(k, "planted", NULL), 0700);
    problems(k, "planted", "");
}

/* What a writer has on the disk is in order, whatever it looks like. */
static void test_writer(kit *k)
{
    upool_bucket *bucket;
    upool_spool *spool;
    upool_audit audit;
    apr_status_t rv;
    apr_pool_t *p;

    apr_pool_create(&p, k->p);
    bucket = kit_begin(k, "busy", p, &rv);
    tap_is_int(upool_spool_create(&spool, bucket, 0), 0, "a writer");
    kit_write(spool, "some", 4);
    audit = look(k, "busy");
    tap_ok(audit.is_written, "is seen");
    tap_is_int(audit.problems->nelts, 0, "his file is no orphan");
    tap_is_int(audit.bytes, 4, "and its bytes are counted");
    apr_pool_destroy(p);
    mkdir(kit_in(k, "busy", NULL), 0700);
    audit = look(k, "busy");
    tap_is_str(notes_of(audit.remarks, k->p), ": is empty", "an empty bucket");
}

typedef struct seen {
    int may_be;
    int others;
    int stop_after;
} seen;

static apr_status_t visit(void *baton, const char *name, int may_be)
{
    seen *s = baton;

    tap_ok(strcmp(name, ".quota") != 0, "the room's own file is not shown");
    s->may_be += may_be != 0;
    s->others += !may_be;
    return --s->stop_after ? APR_SUCCESS : APR_EGENERAL;
}

static void test_walk(kit *k)
{
    seen s = { 0, 0, -1 };
    int names = kit_count(k->dir);

    kit_write_file(kit_in(k, ".quota", NULL), "");
    kit_write_file(kit_in(k, "lost+found", NULL), "");
    tap_is_int(upool_audit_each(k->store, visit, &s), 0, "a walk");
    tap_is_int(s.may_be, names, "shows every bucket");
    tap_is_int(s.others, 1, "and what is none");
    s.stop_after = 2;
    s.may_be = 0;
    s.others = 0;
    tap_is_int(upool_audit_each(k->store, visit, &s), APR_EGENERAL,
               "a visit ends it");
    tap_is_int(s.may_be + s.others, 2, "at once");
}

int main(void)
{
    kit k;

    kit_start(&k);
    test_whole(&k);
    test_names(&k);
    test_damage(&k);
    test_planted(&k);
    test_writer(&k);
    test_walk(&k);
    return kit_done(&k);
}
