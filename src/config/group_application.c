/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "config/group.h"

#include <string.h>
#include <apr_cstr.h>
#include <apr_lib.h>
#include <apr_strings.h>

#include "config/settings.h"
#include "parse/names.h"

/* What the application is given, and what its answer means: UploadPass,
 * UploadPassAs, UploadPassField, UploadFileField, UploadCleanup, UploadKeep,
 * UploadServe. */

static void create(upool_dir_conf *conf)
{
    conf->pass_as = UPOOL_UNSET;
    conf->keep = UPOOL_UNSET;
    conf->serve = UPOOL_UNSET;
}

static void merge(upool_dir_conf *conf, const upool_dir_conf *base,
                  const upool_dir_conf *add, apr_pool_t *p)
{
    (void)p;
    UPOOL_MERGE_POINTER(pass);
    UPOOL_MERGE(pass_as);
    UPOOL_MERGE_POINTER(facts);
    UPOOL_MERGE_POINTER(file_field);
    UPOOL_MERGE_POINTER(cleanup);
    UPOOL_MERGE(keep);
    UPOOL_MERGE(serve);
}

const upool_config_group upool_config_application_group = {
    .create = create,
    .merge = merge,
};

const char *upool_set_pass(cmd_parms *cmd, void *conf_, const char *arg)
{
    upool_dir_conf *conf = conf_;

    if (*arg != '/') {
        return upool_settings_complain(cmd,
                                       "takes a local URI that begins with /");
    }
    conf->pass = arg;
    return NULL;
}

const char *upool_set_pass_as(cmd_parms *cmd, void *conf_, const char *arg)
{
    static const upool_settings_named kinds[] = { { "json", UPOOL_PASS_JSON },
                                                  { "form", UPOOL_PASS_FORM },
                                                  { "fields",
                                                    UPOOL_PASS_FIELDS } };
    upool_dir_conf *conf = conf_;
    int kind = upool_settings_word(arg, kinds, 3);

    if (kind == UPOOL_UNSET) {
        return upool_settings_complain(cmd, "must be json, form or fields");
    }
    conf->pass_as = kind;
    return NULL;
}

upool_pass_kind upool_config_pass_as(const upool_dir_conf *conf)
{
    return conf->pass_as == UPOOL_UNSET ? UPOOL_PASS_JSON
                                        : (upool_pass_kind)conf->pass_as;
}

/* The fields of one section add up, and replace those of the sections around
 * it. */
const char *upool_set_pass_field(cmd_parms *cmd, void *conf_, const char *name,
                                 const char *value)
{
    upool_dir_conf *conf = conf_;
    apr_array_header_t *pairs =
        conf->facts ? apr_array_copy(cmd->pool, conf->facts)
                    : apr_array_make(cmd->pool, 4, sizeof(upool_facts_pair));
    upool_facts_pair *pair = apr_array_push(pairs);
    const char *wrong = upool_facts_check(name, cmd->temp_pool);

    if (!wrong && !upool_names_is_utf8(name, strlen(name))) {
        wrong = "is not UTF-8";
    }
    if (wrong) {
        return upool_settings_refuse(cmd, name, wrong);
    }
    wrong = upool_facts_check(value, cmd->temp_pool);
    if (wrong) {
        return upool_settings_refuse(cmd, value, wrong);
    }
    pair->name = name;
    pair->value = value;
    conf->facts = pairs;
    return NULL;
}

const apr_array_header_t *upool_config_facts(const upool_dir_conf *conf,
                                             apr_pool_t *p)
{
    return conf->facts ? conf->facts
                       : apr_array_make(p, 1, sizeof(upool_facts_pair));
}

const char *upool_set_file_field(cmd_parms *cmd, void *conf_, const char *arg)
{
    upool_dir_conf *conf = conf_;

    if (!*arg) {
        return upool_settings_complain(cmd, "takes a name that is not empty");
    }
    if (!upool_names_is_utf8(arg, strlen(arg))) {
        return upool_settings_refuse(cmd, arg, "is not UTF-8");
    }
    conf->file_field = arg;
    return NULL;
}

const char *upool_config_file_field(const upool_dir_conf *conf)
{
    return conf->file_field ? conf->file_field : "file";
}

static int parse_status(const char *text, apr_size_t len, int *status)
{
    if (len != 3 || !apr_isdigit(text[0]) || !apr_isdigit(text[1])
        || !apr_isdigit(text[2])) {
        return 0;
    }
    *status = (text[0] - '0') * 100 + (text[1] - '0') * 10 + (text[2] - '0');
    return *status >= 100 && *status < UPOOL_STATUSES;
}

/* "404", "500-505" or "4xx". */
static int parse_range(const char *arg, int *first, int *last)
{
    if (arg[0] >= '1' && arg[0] <= '5' && !ap_cstr_casecmp(arg + 1, "xx")) {
        *first = (arg[0] - '0') * 100;
        *last = *first + 99;
        return 1;
    }
    if (strlen(arg) == 7 && arg[3] == '-') {
        return parse_status(arg, 3, first) && parse_status(arg + 4, 3, last)
               && *first <= *last;
    }
    if (!parse_status(arg, strlen(arg), first)) {
        return 0;
    }
    *last = *first;
    return 1;
}

const char *upool_set_cleanup(cmd_parms *cmd, void *conf_, const char *arg)
{
    upool_dir_conf *conf = conf_;
    upool_statuses *set;
    int first = 0;
    int last = 0;

    if (!parse_range(arg, &first, &last)) {
        return upool_settings_refuse(
            cmd, arg, "is no status such as 404, 4xx or 500-505");
    }
    set = apr_pcalloc(cmd->pool, sizeof(*set));
    if (conf->cleanup) {
        *set = *conf->cleanup;
    }
    for (; first <= last; first++) {
        set->bits[first / 8] =
            (unsigned char)(set->bits[first / 8] | 1 << (first % 8));
    }
    conf->cleanup = set;
    return NULL;
}

int upool_config_cleans(const upool_dir_conf *conf, int status)
{
    return conf->cleanup && status > 0 && status < UPOOL_STATUSES
           && (conf->cleanup->bits[status / 8] >> (status % 8) & 1);
}

const char *upool_set_keep(cmd_parms *cmd, void *conf_, const char *arg)
{
    static const upool_settings_named kinds[] = {
        { "always", UPOOL_KEEP_ALWAYS }, { "claimed", UPOOL_KEEP_CLAIMED }
    };
    upool_dir_conf *conf = conf_;
    int kind = upool_settings_word(arg, kinds, 2);

    if (kind == UPOOL_UNSET) {
        return upool_settings_complain(cmd, "must be always or claimed");
    }
    conf->keep = kind;
    return NULL;
}
