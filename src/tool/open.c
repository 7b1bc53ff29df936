/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#define _DEFAULT_SOURCE /* initgroups() */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <apr_file_info.h>
#include <apr_file_io.h>
#include <apr_strings.h>

#include "ident/keyfile.h"
#include "tool/text.h"
#include "tool/output.h"
#include "tool/tool.h"

static upool_exit open_keys(apr_file_t **file, const upool_tool *tool)
{
    apr_status_t rv;
    apr_finfo_t info;

    if (strcmp(tool->keyfile, "-") == 0) {
        rv = apr_file_open_stdin(file, tool->p);
    }
    else {
        rv = apr_file_open(file, tool->keyfile, APR_FOPEN_READ, 0, tool->p);
    }
    if (rv) {
        upool_tool_complain_of(upool_text_shown(tool->keyfile, tool->p), rv,
                               tool->p);
        return UPOOL_EXIT_CANNOT;
    }
    if (strcmp(tool->keyfile, "-") != 0
        && !apr_file_info_get(&info, APR_FINFO_PROT, *file)
        && (info.protection & APR_FPROT_WREAD)) {
        upool_tool_complain("everybody on this machine can read %s",
                            upool_text_shown(tool->keyfile, tool->p));
    }
    return UPOOL_EXIT_GOOD;
}

upool_exit upool_tool_read_keys(upool_tool *tool)
{
    apr_size_t shortest;
    const char *error;
    apr_file_t *file;

    if (open_keys(&file, tool)) {
        return UPOOL_EXIT_CANNOT;
    }
    tool->keys = upool_keys_make(tool->p);
    error = tool->keys ? upool_keyfile_read(tool->keys, file, &shortest)
                       : "cannot be used: OpenSSL has no HMAC-SHA256";
    apr_file_close(file);
    if (error) {
        upool_tool_complain("the key file %s", error);
        return UPOOL_EXIT_CANNOT;
    }
    return UPOOL_EXIT_GOOD;
}

/* Gives up root for good: groups first, while root may still set them. */
static int become(uid_t uid, gid_t gid, const char *name)
{
    int rc = name ? initgroups(name, gid) : setgroups(1, &gid);

    if (rc < 0 || setgid(gid) < 0 || setuid(uid) < 0) {
        return -1;
    }
    /* If the system lets us become root again, we never gave it up. */
    return uid && setuid(0) == 0 ? -1 : 0;
}

static upool_exit become_user(const upool_tool *tool)
{
    const struct passwd *user = getpwnam(tool->user);

    if (!user) {
        upool_tool_complain("there is no user %s",
                            upool_text_shown(tool->user, tool->p));
        return UPOOL_EXIT_CANNOT;
    }
    if (geteuid() == user->pw_uid) {
        return UPOOL_EXIT_GOOD;
    }
    if (become(user->pw_uid, user->pw_gid, user->pw_name) < 0) {
        upool_tool_complain_of("--user", apr_get_os_error(), tool->p);
        return UPOOL_EXIT_CANNOT;
    }
    return UPOOL_EXIT_GOOD;
}

/* The owner is checked again when the pool is opened; if another one owns it by
 * then, that is refused. */
static upool_exit become_owner(const upool_tool *tool)
{
    const struct passwd *user;
    struct stat st;
    int rc;

    if (geteuid() != 0 || lstat(tool->dir, &st) < 0 || !S_ISDIR(st.st_mode)
        || st.st_uid == 0) {
        return UPOOL_EXIT_GOOD;
    }
    user = getpwuid(st.st_uid);
    rc = user ? become(user->pw_uid, user->pw_gid, user->pw_name)
              : become(st.st_uid, st.st_gid, NULL);
    if (rc < 0) {
        upool_tool_complain_of("becoming the pool's owner", apr_get_os_error(),
                               tool->p);
        return UPOOL_EXIT_CANNOT;
    }
    return UPOOL_EXIT_GOOD;
}

upool_exit upool_tool_open(upool_tool *tool)
{
    upool_store_options options = { 0600, 0 };
    const char *why = "directory cannot be opened";
    char *path = NULL;
    apr_status_t rv;

    rv = apr_filepath_merge(&path, NULL, tool->dir, APR_FILEPATH_NOTRELATIVE,
                            tool->p);
    if (rv) {
        upool_tool_complain_of(upool_text_shown(tool->dir, tool->p), rv,
                               tool->p);
        return UPOOL_EXIT_CANNOT;
    }
    tool->dir = path;
    if (tool->user ? become_user(tool) : become_owner(tool)) {
        return UPOOL_EXIT_CANNOT;
    }
    rv = upool_store_open(&tool->store, path, NULL, &options, tool->p, &why);
    if (rv) {
        upool_tool_complain("%s: %s", upool_text_shown(path, tool->p), why);
        return UPOOL_EXIT_CANNOT;
    }
    tool->dir = upool_store_path(tool->store);
    return UPOOL_EXIT_GOOD;
}
