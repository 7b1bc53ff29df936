/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/* Discarding an upload takes that one and no other that has its name by now;
 * and to whom files belong. */
#include "store/removal.h"

#include <grp.h>

#include <store_kit.h>

#define NOBODY 65534

static upool_record *load(kit *k, const char *id)
{
    upool_record *record = NULL;

    upool_bucket_complete(&record, k->store, id, k->p);
    return record;
}

static void test_discard(kit *k)
{
    upool_record *old, *fresh;
    const char *name;
    apr_status_t rv;
    upool_bucket *holder;
    upool_spool *spool;

    kit_upload(k, "a", "first", 1000, k->p);
    old = load(k, "a");
    tap_is_int(upool_bucket_discard(k->store, old, k->p), 0, "discarded");
    tap_ok(!kit_exists(kit_in(k, "a", NULL)), "it is gone");
    tap_is_int(upool_bucket_discard(k->store, old, k->p), 0, "twice is fine");

    name = kit_upload(k, "a", "second", 2000, k->p);
    tap_is_int(upool_bucket_discard(k->store, old, k->p), 0, "a successor");
    fresh = load(k, "a");
    tap_ok(fresh && kit_exists(kit_in(k, "a", name)), "stays");

    holder = kit_begin(k, "a", k->p, &rv);
    upool_spool_create(&spool, holder, 0);
    kit_write(spool, "third", 5);
    tap_is_int(upool_bucket_discard(k->store, fresh, k->p), 0,
               "one that is being replaced");
    tap_ok(!kit_exists(kit_in(k, "a", name)), "loses its files");
    tap_ok(kit_exists(kit_in(k, "a", upool_spool_name(spool))),
           "the new one does not");
    old = kit_record(k->p, "a", UPOOL_STATE_DONE, 3000);
    kit_add_file(old, k->p, upool_spool_name(spool), 5);
    upool_spool_close(spool);
    tap_is_int(upool_bucket_commit(holder, old), 0, "and completes");
    upool_bucket_end(holder);
    tap_is_str(kit_status(k, "a"), "done", "as ever");

    unlink(kit_in(k, "a", upool_spool_name(spool)));
    kit_write_file(kit_in(k, "a", "foreign"), "x");
    tap_is_int(upool_bucket_discard(k->store, old, k->p), 0,
               "with its file moved away");
    tap_ok(!kit_exists(kit_in(k, "a", "metadata.json")), "the rest goes");
    tap_ok(kit_exists(kit_in(k, "a", "foreign")), "but nothing foreign");
}

static gid_t group_of(const char *path)
{
    struct stat st;

    return stat(path, &st) ? (gid_t)-1 : st.st_gid;
}

/* A group that this process may give files to, not its own if it has another.
 */
static gid_t other_group(void)
{
    gid_t groups[64];
    int count = getgroups(64, groups);
    int i;

    for (i = 0; i < count; i++) {
        if (groups[i] != getegid()) {
            return groups[i];
        }
    }
    return geteuid() ? getegid() : 12345;
}

/* As a user who is not root, in no group of root's: 1 when he cannot begin an
 * upload for group 0, and nothing is left of it. */
static int is_refused_as_nobody(kit *k)
{
    apr_status_t rv;
    int status = 0;

    if (fork() == 0) {
        if (geteuid() == 0
            && (chown(k->root, NOBODY, NOBODY) || chown(k->dir, NOBODY, NOBODY)
                || setgroups(0, NULL) || setgid(NOBODY) || setuid(NOBODY))) {
            _exit(2);
        }
        k->options.group = 0;
        kit_open(k);
        kit_begin(k, "no", k->p, &rv);
        _exit(rv == EPERM && !kit_exists(kit_in(k, "no", NULL)) ? 7 : 3);
    }
    wait(&status);
    return WIFEXITED(status) && WEXITSTATUS(status) == 7;
}

static void test_group(kit *k)
{
    gid_t group = other_group();
    const char *name;

    kit_upload(k, "before", "x", 1000, k->p);
    k->options.has_group = 1;
    k->options.group = group;
    k->options.file_mode = 0640;
    kit_open(k);
    name = kit_upload(k, "g", "content", 1000, k->p);
    tap_ok(name != NULL, "an upload for a group");
    tap_is_int(group_of(kit_in(k, "g", NULL)), group, "its bucket is theirs");
    tap_is_int(group_of(kit_in(k, "g", name)), group, "and its file");
    name = kit_upload(k, "before", "y", 2000, k->p);
    tap_is_int(group_of(kit_in(k, "before", NULL)), group,
               "a bucket from before becomes theirs");
    tap_is_int(group_of(kit_in(k, "before", name)), group, "as its file does");
    tap_ok(is_refused_as_nobody(k),
           "for a group that it is not of there is no upload and no bucket");
}

int main(void)
{
    kit k;

    kit_start(&k);
    test_discard(&k);
    test_group(&k);
    return kit_done(&k);
}
