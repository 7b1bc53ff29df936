/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/* Whether somebody has read the files of an upload shows, and what nobody can
 * tell counts as read. */
#include "store/unread.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <store_kit.h>

static upool_record *some_upload(kit *k, const char *id)
{
    upool_record *record = NULL;

    kit_upload(k, id, "content", 1000, k->p);
    upool_bucket_complete(&record, k->store, id, k->p);
    upool_unread_prepare(k->store, record, k->p);
    return record;
}

static const char *path_of(kit *k, const upool_record *record)
{
    return kit_in(k, record->identifier,
                  APR_ARRAY_IDX(record->files, 0, upool_file).stored);
}

/* Has this file system times of access at all? */
static int keeps_them(const char *path)
{
    struct timespec old[2] = { { 1000000000, 0 }, { 0, UTIME_OMIT } };
    struct stat st;
    char byte;
    int fd = open(path, O_RDONLY);
    int keeps = fd >= 0 && !futimens(fd, old) && read(fd, &byte, 1) == 1
                && !fstat(fd, &st) && st.st_atim.tv_sec != 1000000000;

    close(fd);
    return keeps;
}

int main(void)
{
    kit k;
    upool_record *record;
    struct stat before, after;
    const char *path;
    int keeps;

    kit_start(&k);
    record = some_upload(&k, "probe");
    keeps = keeps_them(path_of(&k, record));
    tap_ok(!upool_unread_still(k.store, record, k.p), "one that was read");

    record = some_upload(&k, "fresh");
    path = path_of(&k, record);
    stat(path, &before);
    tap_is_int(upool_unread_still(k.store, record, k.p), keeps,
               "one that nobody has read, where that can be told");
    stat(path, &after);
    tap_ok(before.st_mtim.tv_sec == after.st_mtim.tv_sec
               && before.st_mtim.tv_nsec == after.st_mtim.tv_nsec,
           "its content is as old as before");
    tap_ok(!upool_unread_still(k.store, record, k.p), "asked once");

    record = some_upload(&k, "gone");
    unlink(path_of(&k, record));
    tap_ok(!upool_unread_still(k.store, record, k.p),
           "one that was moved away");

    record = some_upload(&k, "removed");
    upool_bucket_discard(k.store, record, k.p);
    tap_ok(!upool_unread_still(k.store, record, k.p), "one that is cleared");
    return kit_done(&k);
}
