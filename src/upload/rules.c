/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "upload/rules.h"

#include <string.h>
#include <apr_hash.h>
#include <apr_strings.h>

#include "upload/extensions.h"
#include "upload/limits.h"

#define LISTS 2

/* The files and fields that have come under one name. */
typedef struct seen_field {
    apr_int64_t begun; /* files */
    apr_int64_t kept;  /* of them */
    int has_text;
} seen_field;

struct upool_rules {
    upool_rule_lists lists;
    upool_refusal *refusal;
    apr_pool_t *p;
    apr_hash_t *seen; /* name -> seen_field; names with a rule only */
    /* of the file that has begun */
    const upool_rule *current[LISTS];
    seen_field *current_field;
};

upool_rules *upool_rules_make(const upool_rule_lists *lists,
                              upool_refusal *refusal, apr_pool_t *p)
{
    upool_rules *rules;

    if (!lists->list[0] && !lists->list[1]) {
        return NULL;
    }
    rules = apr_pcalloc(p, sizeof(*rules));
    rules->lists = *lists;
    rules->refusal = refusal;
    rules->p = p;
    rules->seen = apr_hash_make(p);
    return rules;
}

/* A refusal by a field's own rule names the field, as the configuration does.
 * A refusal by "*" names none: the name would be the client's text. */
static int refuse(upool_rules *rules, const upool_rule *rule,
                  upool_reason reason, const char *detail, const char *format)
{
    *rules->refusal = upool_refusal_make(reason, 0, detail);
    if (strcmp(rule->name, "*") != 0) {
        rules->refusal->text =
            apr_pstrcat(rules->p, "Form field ", rule->name, " ", format, NULL);
    }
    return 1;
}

/* The rule for a field, that of its name before that of "*". */
static const upool_rule *find(const apr_array_header_t *list, const char *name)
{
    const upool_rule *any = NULL;
    int i;

    for (i = 0; list && i < list->nelts; i++) {
        const upool_rule *rule = &APR_ARRAY_IDX(list, i, upool_rule);

        if (!strcmp(rule->name, name)) {
            return rule;
        }
        if (!strcmp(rule->name, "*")) {
            any = rule;
        }
    }
    return any;
}

static seen_field *field_of(upool_rules *rules, const char *name)
{
    seen_field *seen = apr_hash_get(rules->seen, name, APR_HASH_KEY_STRING);

    if (!seen) {
        seen = apr_pcalloc(rules->p, sizeof(*seen));
        apr_hash_set(rules->seen, name, APR_HASH_KEY_STRING, seen);
    }
    return seen;
}

static int is_type(const char *listed, const char *type)
{
    apr_size_t len = strlen(listed);

    return listed[len - 1] == '*' ? !strncmp(listed, type, len - 1)
                                  : !strcmp(listed, type);
}

static int is_listed(const apr_array_header_t *types, const char *type)
{
    int i;

    for (i = 0; i < types->nelts; i++) {
        if (is_type(APR_ARRAY_IDX(types, i, const char *), type)) {
            return 1;
        }
    }
    return 0;
}

/* A part without a type is what nobody knows; of a group its name tells. */
static int type_is_good(const upool_rule *rule, const upload_pool_file *file)
{
    static const char unknown[] = "application/octet-stream";
    const char *type = file->content_type ? file->content_type : unknown;
    upool_extension_lists ext = { { NULL, NULL }, { NULL, NULL } };

    if (is_listed(rule->types, type)) {
        return 1;
    }
    ext.allow[0] = rule->type_ext;
    return rule->type_ext && !strcmp(type, unknown)
           && upool_extensions_may_pass(&ext, file->filename,
                                        file->safe_filename);
}

static int judge_file(upool_rules *rules, const upool_rule *rule,
                      const upload_pool_file *file)
{
    upool_extension_lists ext = { { NULL, NULL }, { NULL, NULL } };

    if (rules->current_field->begun > rule->max) {
        return refuse(rules, rule, UPOOL_REASON_FIELD_FILES,
                      strcmp(rule->name, "*") != 0 ? NULL : file->field,
                      rule->max ? "has too many files" : "takes no file");
    }
    ext.allow[0] = rule->ext;
    if (!upool_extensions_may_pass(&ext, file->filename, file->safe_filename)) {
        return refuse(rules, rule, UPOOL_REASON_EXTENSION, file->safe_filename,
                      "does not take files of this type");
    }
    if (rule->types && !type_is_good(rule, file)) {
        return refuse(rules, rule, UPOOL_REASON_FIELD_TYPE,
                      file->content_type ? file->content_type : "no type",
                      "does not take files of this type");
    }
    return 0;
}

int upool_rules_file_begin(upool_rules *rules, const upload_pool_file *file)
{
    int i;

    rules->current_field = NULL;
    for (i = 0; i < LISTS; i++) {
        rules->current[i] = find(rules->lists.list[i], file->field);
        if (rules->current[i] && !rules->current_field) {
            rules->current_field = field_of(rules, file->field);
            rules->current_field->begun++;
        }
        if (rules->current[i] && judge_file(rules, rules->current[i], file)) {
            return 1;
        }
    }
    return 0;
}

int upool_rules_file_size(upool_rules *rules, apr_off_t size)
{
    int i;

    for (i = 0; i < LISTS; i++) {
        if (rules->current[i] && size > rules->current[i]->size) {
            return refuse(rules, rules->current[i], UPOOL_REASON_FILE_TOO_LARGE,
                          NULL, "has a file that is too large");
        }
    }
    return 0;
}

void upool_rules_file_kept(upool_rules *rules)
{
    if (rules->current_field) {
        rules->current_field->kept++;
    }
}

void upool_rules_text(upool_rules *rules, const char *name, apr_size_t len)
{
    if (len
        && (find(rules->lists.list[0], name)
            || find(rules->lists.list[1], name))) {
        field_of(rules, name)->has_text = 1;
    }
}

/* Where a rule speaks of files, text under that name is not what was asked
 * for. */
static int wants_file(const upool_rule *rule)
{
    return rule->ext || rule->types || rule->size != UPOOL_UNLIMITED
           || (rule->max && rule->max != UPOOL_UNLIMITED);
}

static int is_missing(upool_rules *rules, const upool_rule *rule)
{
    const seen_field *seen =
        apr_hash_get(rules->seen, rule->name, APR_HASH_KEY_STRING);

    return !seen || (!seen->kept && (wants_file(rule) || !seen->has_text));
}

int upool_rules_end(upool_rules *rules)
{
    int i;
    int n;

    for (i = 0; i < LISTS; i++) {
        const apr_array_header_t *list = rules->lists.list[i];

        for (n = 0; list && n < list->nelts; n++) {
            const upool_rule *rule = &APR_ARRAY_IDX(list, n, upool_rule);

            if (rule->required && is_missing(rules, rule)) {
                return refuse(rules, rule, UPOOL_REASON_FIELD_MISSING, NULL,
                              "is required");
            }
        }
    }
    return 0;
}
