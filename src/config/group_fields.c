/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "config/group.h"

#include <string.h>
#include <apr_cstr.h>
#include <apr_lib.h>
#include <apr_strings.h>

#include "config/settings.h"
#include "parse/names.h"
#include "parse/quantity.h"

/* Single fields of the form, and the names of files: UploadField,
 * UploadDigestField, UploadNames. */

/* The largest number for max=: more files than this would be no limit at
 * all. */
#define MAX_FILES 1000000

/* The rules of base whose name add does not have, then those of add. */
static const apr_array_header_t *merge_rules(apr_pool_t *p,
                                             const apr_array_header_t *base,
                                             const apr_array_header_t *add)
{
    apr_array_header_t *merged;
    int i;
    int n;

    if (!base || !add) {
        return base ? base : add;
    }
    merged = apr_array_make(p, base->nelts + add->nelts, sizeof(upool_rule));
    for (i = 0; i < base->nelts; i++) {
        const upool_rule *rule = &APR_ARRAY_IDX(base, i, upool_rule);

        for (n = 0; n < add->nelts; n++) {
            if (!strcmp(APR_ARRAY_IDX(add, n, upool_rule).name, rule->name)) {
                break;
            }
        }
        if (n == add->nelts) {
            APR_ARRAY_PUSH(merged, upool_rule) = *rule;
        }
    }
    apr_array_cat(merged, add);
    return merged;
}

static void create(upool_dir_conf *conf)
{
    conf->utf8_names = UPOOL_UNSET;
}

static void merge(upool_dir_conf *conf, const upool_dir_conf *base,
                  const upool_dir_conf *add, apr_pool_t *p)
{
    conf->rules = merge_rules(p, base->rules, add->rules);
    conf->local_rules = merge_rules(p, base->local_rules, add->local_rules);
    UPOOL_MERGE_POINTER(digest_field);
    UPOOL_MERGE(utf8_names);
}

const upool_config_group upool_config_fields_group = {
    .create = create,
    .merge = merge,
};

/* 1 for a name that a client may be told and a log line can show. */
static int is_plain(const char *name)
{
    const char *c;

    for (c = name; *c; c++) {
        if (apr_iscntrl(*c)) {
            return 0;
        }
    }
    return *name && (apr_size_t)(c - name) <= UPOOL_RULE_NAME_MAX
           && upool_names_is_utf8(name, (apr_size_t)(c - name));
}

static int is_extension(const char *word)
{
    const char *c;

    for (c = word; apr_isalnum(*c) || *c == '_' || *c == '-'; c++) {
    }
    return c > word && !*c;
}

/* How many characters of word belong to a name as in RFC 6838 4.2. */
static apr_size_t name_length(const char *word)
{
    const char *c;

    for (c = word; apr_isalnum(*c) || (*c && strchr("!#$&-^_.+", *c)); c++) {
    }
    return (apr_size_t)(c - word);
}

/* "type/subtype", or a star for the subtype. */
static int is_type(const char *word)
{
    const char *subtype = word + name_length(word);

    if (subtype == word || *subtype != '/') {
        return 0;
    }
    subtype++;
    return !strcmp(subtype, "*")
           || (*subtype && !subtype[name_length(subtype)]);
}

/* The next word of a list with commas, in lower case; NULL after the last. */
static char *take_word(char **rest)
{
    char *word = *rest;
    char *comma = word ? strchr(word, ',') : NULL;

    if (comma) {
        *comma++ = '\0';
    }
    *rest = comma;
    return word;
}

/* NULL where a word is not valid. */
static const apr_array_header_t *split_extensions(apr_pool_t *p,
                                                  const char *text)
{
    apr_array_header_t *list = apr_array_make(p, 4, sizeof(const char *));
    char *rest = apr_pstrdup(p, text);
    char *word;

    ap_str_tolower(rest);
    while ((word = take_word(&rest)) != NULL) {
        if (*word == '.') {
            word++;
        }
        if (upool_settings_add_group(list, word, 0)) {
            continue;
        }
        if (!is_extension(word)) {
            return NULL;
        }
        APR_ARRAY_PUSH(list, const char *) = word;
    }
    return list;
}

/* 0, or -1 where a word is not valid. */
static int split_types(apr_pool_t *p, upool_rule *rule, const char *text)
{
    apr_array_header_t *types = apr_array_make(p, 4, sizeof(const char *));
    apr_array_header_t *ext = apr_array_make(p, 4, sizeof(const char *));
    char *rest = apr_pstrdup(p, text);
    char *word;

    ap_str_tolower(rest);
    while ((word = take_word(&rest)) != NULL) {
        if (upool_settings_add_group(types, word, 1)) {
            upool_settings_add_group(ext, word, 0);
            continue;
        }
        if (!is_type(word)) {
            return -1;
        }
        APR_ARRAY_PUSH(types, const char *) = word;
    }
    rule->types = types;
    rule->type_ext = ext->nelts ? ext : NULL;
    return 0;
}

static const char *set_max(const cmd_parms *cmd, upool_rule *rule,
                           const char *arg)
{
    long long max = 0;

    if (upool_quantity_decimal(arg + 4, &max) || max > MAX_FILES) {
        return upool_settings_refuse(cmd, arg,
                                     "is no number of files up to 1000000");
    }
    rule->max = max;
    return NULL;
}

static const char *set_size(const cmd_parms *cmd, upool_rule *rule,
                            const char *arg)
{
    long long size = 0;

    if (upool_quantity_size(arg + 5, &size) || !size) {
        return upool_settings_refuse(
            cmd, arg,
            "is no size above 0: a number with B, K, M, G"
            " or T; a bare number is megabytes");
    }
    rule->size = size;
    return NULL;
}

static const char *set_option(const cmd_parms *cmd, upool_rule *rule,
                              const char *arg)
{
    if (!ap_cstr_casecmp(arg, "required")) {
        rule->required = 1;
        return strcmp(rule->name, "*")
                   ? NULL
                   : upool_settings_refuse(cmd, arg,
                                           "needs the name of a field");
    }
    if (!ap_cstr_casecmpn(arg, "max=", 4)) {
        return set_max(cmd, rule, arg);
    }
    if (!ap_cstr_casecmpn(arg, "size=", 5)) {
        return set_size(cmd, rule, arg);
    }
    if (!ap_cstr_casecmpn(arg, "ext=", 4)) {
        rule->ext = split_extensions(cmd->pool, arg + 4);
        return rule->ext ? NULL
                         : upool_settings_refuse(cmd, arg,
                                                 "is no list of extensions such"
                                                 " as ext=jpg,png");
    }
    if (!ap_cstr_casecmpn(arg, "type=", 5)) {
        return split_types(cmd->pool, rule, arg + 5) ? upool_settings_refuse(
                   cmd, arg,
                   "is no list of types or groups such as"
                   " type=image/*,text/plain or type=images,documents")
                                                     : NULL;
    }
    return upool_settings_refuse(
        cmd, arg, "is none of required, max=, size=, ext=, type=");
}

static int is_listed(const apr_array_header_t *list, const char *name)
{
    int i;

    for (i = 0; list && i < list->nelts; i++) {
        if (!strcmp(APR_ARRAY_IDX(list, i, upool_rule).name, name)) {
            return 1;
        }
    }
    return 0;
}

const char *upool_set_field(cmd_parms *cmd, void *conf_, int argc,
                            char *const argv[])
{
    upool_dir_conf *conf = conf_;
    const apr_array_header_t **list =
        upool_settings_is_local(cmd) ? &conf->local_rules : &conf->rules;
    upool_rule rule = { NULL, 0,   UPOOL_UNLIMITED, UPOOL_UNLIMITED, NULL,
                        NULL, NULL };
    apr_array_header_t *grown;
    int i;

    if (argc < 1 || !is_plain(argv[0])) {
        return apr_pstrcat(cmd->pool, cmd->cmd->name,
                           " takes the name of a form field, 64 bytes of UTF-8"
                           " at most, or *, and what holds for it",
                           NULL);
    }
    rule.name = argv[0];
    if (is_listed(*list, rule.name)) {
        return upool_settings_refuse(cmd, rule.name, "has a rule already");
    }
    for (i = 1; i < argc; i++) {
        const char *error = set_option(cmd, &rule, argv[i]);

        if (error) {
            return error;
        }
    }
    grown = *list ? apr_array_copy(cmd->pool, *list)
                  : apr_array_make(cmd->pool, 4, sizeof(upool_rule));
    APR_ARRAY_PUSH(grown, upool_rule) = rule;
    *list = grown;
    return NULL;
}

const char *upool_set_digest_field(cmd_parms *cmd, void *conf_, const char *arg)
{
    upool_dir_conf *conf = conf_;

    if (!is_plain(arg)) {
        return upool_settings_refuse(cmd, arg, "is no name of a form field");
    }
    conf->digest_field = ap_cstr_casecmp(arg, "off") ? arg : "";
    return NULL;
}

const char *upool_set_names(cmd_parms *cmd, void *conf_, const char *arg)
{
    upool_dir_conf *conf = conf_;

    conf->utf8_names = !ap_cstr_casecmp(arg, "utf8");
    return conf->utf8_names || !ap_cstr_casecmp(arg, "ascii")
               ? NULL
               : upool_settings_refuse(cmd, arg, "is neither ascii nor utf8");
}
