/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_CONFIG_REACH_H
#define UPOOL_CONFIG_REACH_H

/* Whether the user that httpd's children run as can get to a directory.  The
 * configuration is read as root, who can get anywhere, so every component of
 * the path is checked against that user's permissions. */

#include <sys/types.h>

#include <apr_pools.h>

/* The user that writes into pools: httpd's User where httpd is started as root,
 * else whoever started it.  From check_config on. */
uid_t upool_reach_user(void);

/* The first component of the absolute path, itself excluded, that is missing or
 * that the server's user may not enter, as a sentence in p; NULL: the way is
 * open, or permissions alone do not tell (access control lists).  Main process,
 * while the configuration is read. */
const char *upool_reach_obstacle(const char *path, apr_pool_t *p);

/* 1 when that user may list the directory path, by its permissions. */
int upool_reach_may_list(const char *path);

#endif
