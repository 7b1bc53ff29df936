/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "config/group.h"

#include <string.h>
#include <apr_cstr.h>

#include "config/settings.h"
#include "parse/origin.h"

/* The protocols: UploadProtocol, UploadRequire, UploadInterim, UploadCORS,
 * UploadChunkedMd5, UploadChunkedAuto. */

static void create(upool_dir_conf *conf)
{
    conf->protocols = UPOOL_UNSET;
    conf->require_multipart = UPOOL_UNSET;
    conf->interim = UPOOL_UNSET;
    conf->chunked_md5 = UPOOL_UNSET;
    conf->chunked_auto = UPOOL_UNSET;
}

static void merge(upool_dir_conf *conf, const upool_dir_conf *base,
                  const upool_dir_conf *add, apr_pool_t *p)
{
    (void)p;
    UPOOL_MERGE(protocols);
    UPOOL_MERGE(require_multipart);
    UPOOL_MERGE(interim);
    UPOOL_MERGE_POINTER(cors);
    UPOOL_MERGE(chunked_md5);
    UPOOL_MERGE(chunked_auto);
}

const upool_config_group upool_config_protocols_group = {
    .create = create,
    .merge = merge,
};

/* The words of one section add up; together they replace those of the sections
 * around it. */
const char *upool_set_protocol(cmd_parms *cmd, void *conf_, const char *arg)
{
    static const upool_settings_named known[] = {
        { "multipart", UPOOL_PROTOCOL_MULTIPART },
        { "chunked", UPOOL_PROTOCOL_CHUNKED },
        { "tus", UPOOL_PROTOCOL_TUS },
        { "resumable", UPOOL_PROTOCOL_RESUMABLE }
    };
    upool_dir_conf *conf = conf_;
    int bit = upool_settings_word(arg, known, 4);

    if (bit == UPOOL_UNSET) {
        return upool_settings_refuse(
            cmd, arg, "is none of multipart chunked tus resumable");
    }
    conf->protocols =
        bit | (conf->protocols == UPOOL_UNSET ? 0 : conf->protocols);
    return NULL;
}

int upool_config_speaks(const upool_dir_conf *conf, int protocol)
{
    int open = conf->protocols == UPOOL_UNSET ? UPOOL_PROTOCOL_MULTIPART
                                              : conf->protocols;

    return (open & protocol) != 0;
}

const char *upool_set_require(cmd_parms *cmd, void *conf_, const char *arg)
{
    upool_dir_conf *conf = conf_;

    if (!ap_cstr_casecmp(arg, "multipart")) {
        conf->require_multipart = 1;
    }
    else if (!ap_cstr_casecmp(arg, "any")) {
        /* .htaccess can only make it stricter. */
        if (!upool_settings_is_local(cmd)) {
            conf->require_multipart = 0;
        }
    }
    else {
        return upool_settings_complain(cmd, "must be multipart or any");
    }
    return NULL;
}

const char *upool_set_interim(cmd_parms *cmd, void *conf_, const char *arg)
{
    upool_dir_conf *conf = conf_;

    if (!ap_cstr_casecmp(arg, "off")) {
        conf->interim = 0;
    }
    else if (arg[0] >= '1' && arg[0] <= '0' + UPOOL_INTERIM_MAX && !arg[1]) {
        conf->interim = arg[0] - '0';
    }
    else {
        return upool_settings_complain(
            cmd, "must be off or a number from 1 to 5: proxies break off"
                 " requests with more interim answers");
    }
    return NULL;
}

/* The origins of one section add up, and replace those of the sections around
 * it; so does an empty list (Off). */
const char *upool_set_cors(cmd_parms *cmd, void *conf_, const char *arg)
{
    upool_dir_conf *conf = conf_;

    if (!ap_cstr_casecmp(arg, "off")) {
        conf->cors = apr_array_make(cmd->pool, 1, sizeof(const char *));
        return NULL;
    }
    if (strcmp(arg, "*") != 0 && strcmp(arg, "null") != 0
        && !upool_origin_is_valid(arg)) {
        return upool_settings_refuse(
            cmd, arg,
            "is neither *, null nor an origin as browsers send it:"
            " https://app.example.com or with a port that is not"
            " the usual one, in lower case and without a path");
    }
    upool_settings_push(cmd->pool, &conf->cors, arg);
    return NULL;
}
