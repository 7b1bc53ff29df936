/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "config/reach.h"

#include <errno.h>
#include <grp.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <apr_strings.h>
#include <httpd.h>
#include <unixd.h>

#define GROUPS_MAX 256

uid_t upool_reach_user(void)
{
    return geteuid() == 0 ? ap_unixd_config.user_id : geteuid();
}

static int is_in_group(gid_t group)
{
    gid_t groups[GROUPS_MAX];
    int count = GROUPS_MAX;
    int i;

    if (geteuid() != 0) {
        count = getgroups(GROUPS_MAX, groups);
    }
    else if (!ap_unixd_config.user_name
             || getgrouplist(ap_unixd_config.user_name,
                             ap_unixd_config.group_id, groups, &count)
                    < 0) {
        return group == ap_unixd_config.group_id;
    }
    for (i = 0; i < count; i++) {
        if (groups[i] == group) {
            return 1;
        }
    }
    return group == (geteuid() == 0 ? ap_unixd_config.group_id : getegid());
}

/* bit is given as for others: S_IXOTH or S_IROTH. */
static int has_bit(const struct stat *st, mode_t bit)
{
    if (upool_reach_user() == 0) {
        return 1;
    }
    if (st->st_uid == upool_reach_user()) {
        return (st->st_mode & bit << 6) != 0;
    }
    return (st->st_mode & (is_in_group(st->st_gid) ? bit << 3 : bit)) != 0;
}

int upool_reach_may_list(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && has_bit(&st, S_IROTH);
}

const char *upool_reach_obstacle(const char *path, apr_pool_t *p)
{
    const char *slash = path;

    while ((slash = strchr(slash + 1, '/')) != NULL) {
        const char *above = apr_pstrmemdup(p, path, (apr_size_t)(slash - path));
        struct stat st;

        if (stat(above, &st)) {
            return apr_psprintf(p, "%s: %s", above, strerror(errno));
        }
        if (!S_ISDIR(st.st_mode)) {
            return apr_pstrcat(p, above, " is not a directory", NULL);
        }
        if (!has_bit(&st, S_IXOTH)) {
            return apr_psprintf(p,
                                "the user that the server runs as may not enter"
                                " %s: chmod o+x %s, or put the pool elsewhere",
                                above, above);
        }
    }
    return NULL;
}
