/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "config/settings.h"

#include <string.h>
#include <apr_cstr.h>
#include <apr_strings.h>

#include "config/config.h"
#include "parse/names.h"

/* What the application is given: UploadPassAs, UploadPassField,
 * UploadFileField, UploadKeyUse. */

typedef struct word {
    const char *text;
    int value;
} word;

/* The value of the word arg among count words; UPOOL_UNSET when it is none of
 * them. */
static int find_word(const char *arg, const word *words, apr_size_t count)
{
    apr_size_t i;

    for (i = 0; i < count; i++) {
        if (!apr_cstr_casecmp(arg, words[i].text)) {
            return words[i].value;
        }
    }
    return UPOOL_UNSET;
}

const char *upool_set_pass_as(cmd_parms *cmd, void *conf_, const char *arg)
{
    static const word kinds[] = { { "json", UPOOL_PASS_JSON },
                                  { "form", UPOOL_PASS_FORM },
                                  { "fields", UPOOL_PASS_FIELDS } };
    upool_dir_conf *conf = conf_;
    int kind = find_word(arg, kinds, 3);

    if (kind == UPOOL_UNSET) {
        return upool_settings_complain(cmd, "must be json, form or fields");
    }
    conf->pass_as = kind;
    return NULL;
}

const char *upool_set_key_use(cmd_parms *cmd, void *conf_, const char *arg)
{
    static const word uses[] = { { "identifiers", UPOOL_KEYS_IDENTIFIERS },
                                 { "handoff", UPOOL_KEYS_HANDOFF },
                                 { "both", UPOOL_KEYS_IDENTIFIERS
                                               | UPOOL_KEYS_HANDOFF } };
    upool_dir_conf *conf = conf_;
    int use = find_word(arg, uses, 3);

    if (use == UPOOL_UNSET) {
        return upool_settings_complain(cmd,
                                       "must be identifiers, handoff or both");
    }
    if (upool_settings_is_local(cmd)) {
        conf->local_key_use = use;
    }
    else {
        conf->key_use = use;
    }
    return NULL;
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
