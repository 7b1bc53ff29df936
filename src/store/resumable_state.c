/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "store/resumable_state.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "store/descriptor.h"
#include "store/directory.h"
#include "store/document.h"
#include "store/filesystem.h"
#include "store/layout.h"
#include "store/region.h"

/* The request that makes an upload out of others holds no lock on it at
 * moments; after this time that request counts as dead. */
#define GRACE apr_time_from_sec(10)

/* Times are to the microsecond, and the code that sets one makes sure that it
 * differs from the complete upload's. */
int upool_resumable_state_is_past(const upool_resumable *about,
                                  const upool_record *complete)
{
    return complete && complete->created == about->created;
}

static void add_activity(upool_resumable_state *found, const struct stat *st)
{
    apr_time_t mtime = upool_directory_mtime(st);

    if (mtime > found->activity) {
        found->activity = mtime;
    }
}

static apr_status_t look_at_file(upool_resumable_state *found, int directory)
{
    struct stat st;
    apr_status_t rv =
        upool_filesystem_look(&st, directory, found->about->file.stored);

    if (rv) {
        return rv == ENOENT ? APR_EGENERAL : rv;
    }
    if (!S_ISREG(st.st_mode)) {
        return APR_EGENERAL;
    }
    found->size = st.st_size;
    add_activity(found, &st);
    if (fstatat(directory, UPOOL_LAYOUT_RESUMABLE, &st, AT_SYMLINK_NOFOLLOW)
        == 0) {
        add_activity(found, &st);
    }
    return APR_SUCCESS;
}

apr_status_t upool_resumable_state_look(upool_resumable_state *found,
                                        int directory, const char *id,
                                        const upool_record *complete,
                                        apr_pool_t *p)
{
    apr_status_t rv;

    found->about = NULL;
    found->size = 0;
    found->activity = 0;
    rv = upool_document_load_resumable(&found->about, directory, id, p);
    if (rv) {
        return rv;
    }
    if (upool_resumable_state_is_past(found->about, complete)) {
        return APR_ENOENT;
    }
    return look_at_file(found, directory);
}

static apr_off_t least(apr_off_t a, apr_off_t b)
{
    return a < b ? a : b;
}

apr_off_t upool_resumable_state_offset(const upool_resumable *about,
                                       apr_off_t size)
{
    apr_off_t offset = about->ranges      ? upool_ranges_gap(about->ranges, 0)
                       : about->good >= 0 ? about->good
                                          : size;

    /* Bytes that the document tells of, but the file does not have, were lost
     * with the power. */
    offset = least(offset, size);
    return about->length < 0 ? offset : least(offset, about->length);
}

int upool_resumable_state_waits(const upool_resumable *about, apr_off_t size)
{
    return upool_resumable_is_part(about) && about->length >= 0
           && upool_resumable_state_offset(about, size) == about->length;
}

apr_off_t upool_resumable_state_held(const upool_resumable *about,
                                     apr_off_t size)
{
    return about->ranges ? upool_ranges_sum(about->ranges)
                         : upool_resumable_state_offset(about, size);
}

apr_status_t upool_resumable_state_writer(int directory, const char *stored)
{
    static const upool_range all = UPOOL_REGION_ALL;
    apr_status_t rv;
    int fd;

    rv = upool_fd_open(&fd, directory, stored, O_RDONLY | O_NONBLOCK, 0);
    if (rv) {
        return rv == ENOENT ? APR_SUCCESS : rv;
    }
    rv = upool_region_look(fd, &all);
    upool_fd_close(&fd);
    return rv;
}

static int is_made_of_others(const upool_resumable *about)
{
    return about->concat && strncmp(about->concat, "final", 5) == 0;
}

apr_status_t upool_resumable_state_judge(const upool_resumable_state *found,
                                         int directory, apr_time_t deadline)
{
    apr_time_t now = apr_time_now();

    /* No other request can go on with it. */
    if (is_made_of_others(found->about) && deadline < now - GRACE) {
        deadline = now - GRACE;
    }
    return found->activity > deadline
                   || upool_resumable_state_waits(found->about, found->size)
               ? APR_EBUSY
               : upool_resumable_state_writer(directory,
                                              found->about->file.stored);
}
