/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "upload/resume_own.h"

#include <errno.h>
#include <string.h>

#include <apr_strings.h>

#include "parse/names.h"
#include "upload/file.h"

/* Valid UTF-8, in p. */
static const char *repair(apr_pool_t *p, const char *text)
{
    apr_size_t len = strlen(text);
    char *out = apr_palloc(p, 3 * len + 1);

    upool_names_repair(out, text, len);
    return out;
}

static const char *repair_or_null(apr_pool_t *p, const char *text)
{
    return text ? repair(p, text) : NULL;
}

static void add_fields(upool_resumable *about, const apr_array_header_t *fields)
{
    int i;

    for (i = 0; i < fields->nelts; i++) {
        const upool_field *from = &APR_ARRAY_IDX(fields, i, upool_field);
        upool_resumable_field *field = apr_array_push(about->fields);

        field->name = from->name;
        field->value = from->value;
        field->len = from->len;
    }
}

static apr_int64_t weigh_fields(const upool_resumable *about)
{
    apr_int64_t total = 0;
    int i;

    for (i = 0; i < about->fields->nelts; i++) {
        const upool_resumable_field *field =
            &APR_ARRAY_IDX(about->fields, i, upool_resumable_field);

        total += (apr_int64_t)(strlen(field->name) + field->len);
    }
    return total;
}

/* Each request reads the fields anew, and may add to them. */
static apr_status_t change_fields(void *user, upool_resumable *about)
{
    add_fields(about, user);
    return weigh_fields(about) > UPOOL_KEPT_MAX ? E2BIG : APR_SUCCESS;
}

/* A size that would never be granted is refused now; but room that is not
 * reserved can be taken by others before bytes come.  What is there counts from
 * now on. */
static int ask_quota(upool_resume *resume)
{
    apr_off_t written = upool_resume_held(resume);
    apr_off_t length = upool_resume_length(resume);
    int refused;

    if (!upool_resume_open_quota(resume)) {
        return 0;
    }
    refused = upool_resume_reserve(resume, length < written ? written : length);
    upool_resume_settle_quota(resume);
    return refused;
}

int upool_resume_keep_fields(upool_resume *resume,
                             const apr_array_header_t *fields)
{
    apr_status_t rv =
        upool_resumable_update(resume->look, change_fields, (void *)fields);

    if (rv == E2BIG) {
        return upool_resume_turn_down(resume, UPOOL_REASON_FIELDS_TOO_LARGE, 0,
                                      NULL);
    }
    return rv ? upool_resume_turn_down_for(resume, rv,
                                           "the fields cannot be written down")
              : ask_quota(resume);
}

static upool_resumable *describe_start(const upool_resume_options *options,
                                       const upool_resume_start *start,
                                       apr_pool_t *p)
{
    upool_resumable *about = upool_resumable_make(p, options->identifier);

    about->protocol = start->protocol;
    about->owner = options->owner;
    about->created = options->now();
    about->length = start->length;
    about->uri = repair(p, start->uri ? start->uri : "");
    about->args = repair_or_null(p, start->args);
    about->metadata = repair_or_null(p, start->metadata);
    about->concat = repair_or_null(p, start->concat);
    about->file = start->file.params ? start->file
                                     : upool_file_of_head(NULL, NULL, NULL, p);
    if (!about->file.field) {
        about->file.field =
            options->file_field ? repair(p, options->file_field) : "file";
    }
    upool_file_make_safe(&about->file, options->utf8_names, p);
    if (start->fields) {
        add_fields(about, start->fields);
    }
    return about;
}

/* What a file is called, and what kind it says that it is. */
static int judge_file(upool_resume *resume, const upool_file *file)
{
    resume->rules =
        upool_rules_make(&resume->options.rules, &resume->refusal, resume->p);
    if (!upool_extensions_may_pass(&resume->options.accept, file->filename,
                                   file->safe_filename)) {
        return upool_resume_turn_down(resume, UPOOL_REASON_EXTENSION, 0, NULL);
    }
    return resume->rules
           && upool_rules_file_begin(resume->rules,
                                     upool_file_show(file, -1, resume->p));
}

/* Before anything is made: refusals for what the creating request says. */
static int judge_start(upool_resume *resume, const upool_resumable *about,
                       int name_follows)
{
    if (!name_follows && judge_file(resume, &about->file)) {
        return 1;
    }
    if (weigh_fields(about) > UPOOL_KEPT_MAX) {
        return upool_resume_turn_down(resume, UPOOL_REASON_FIELDS_TOO_LARGE, 0,
                                      NULL);
    }
    return about->length >= 0 && upool_resume_judge_size(resume, about->length);
}

/* A client that sends the name with each append may send it twice at once. */
static apr_status_t change_name(void *user, upool_resumable *about)
{
    const upool_file *file = user;

    if (!*about->file.filename) {
        about->file.filename = file->filename;
        about->file.safe_filename = file->safe_filename;
    }
    return APR_SUCCESS;
}

int upool_resume_set_name(upool_resume *resume, const char *filename)
{
    upool_file file = upool_resumable_about(resume->look)->file;
    apr_status_t rv;

    if (*file.filename) {
        return 0;
    }
    upool_file_set_name(&file, filename, resume->p);
    upool_file_make_safe(&file, resume->options.utf8_names, resume->p);
    if (judge_file(resume, &file)) {
        return 1;
    }
    rv = *file.filename
             ? upool_resumable_update(resume->look, change_name, &file)
             : APR_SUCCESS;
    if (rv) {
        return upool_resume_turn_down_for(resume, rv,
                                          "resumable.json cannot be written");
    }
    upool_resume_describe(resume);
    return 0;
}

apr_time_t upool_resume_replaces(const upool_resume *found, upool_reason reason)
{
    if (found && upool_resume_is_complete(found)) {
        return upool_resume_record(found)->created;
    }
    return found || reason == UPOOL_REASON_NOT_FOUND ? UPOOL_REPLACES_NONE
                                                     : UPOOL_REPLACES_ANY;
}

static int make_upload(upool_resume *resume, upool_resumable *about,
                       apr_time_t replaces)
{
    const upool_resume_options *o = &resume->options;
    upool_record *previous = NULL;
    const char *why = NULL;
    apr_status_t rv = upool_resumable_create(
        o->store, about, o->minted, replaces, resume->p, &previous, &why);

    if (rv) {
        return upool_resume_turn_down_for(resume, rv, why);
    }
    return 0;
}

/* Somebody else's complete upload must not be replaced; nor one whose owner is
 * unknown. */
static int is_strangers(upool_resume *resume)
{
    const upool_resume_options *o = &resume->options;
    upool_record *there = NULL;
    apr_status_t rv = o->minted ? APR_ENOENT
                                : upool_bucket_status(&there, o->store,
                                                      o->identifier, resume->p);

    if (rv) {
        return rv != ENOENT
               && upool_resume_turn_down_for(resume, rv,
                                             "the upload cannot be looked at");
    }
    return !upool_record_is_open_to(there->owner, o->owner)
           && (!o->expires || there->updated + o->expires >= o->now())
           && upool_resume_turn_down(resume, UPOOL_REASON_OWNER, 0,
                                     "owned by another user");
}

/* Nobody was told of an upload that was made but could not be found. */
static void undo(upool_resume *resume, const upool_resumable *made)
{
    const upool_resume_options *o = &resume->options;

    if (!resume->look
        && upool_resumable_open(&resume->look, o->store, o->identifier,
                                resume->p)) {
        return;
    }
    if (upool_resumable_about(resume->look)->created == made->created) {
        upool_resume_abandon(resume, UPOOL_ABANDON_EMPTY);
    }
}

upool_resume *upool_resume_create(const upool_resume_options *options,
                                  const upool_resume_start *start,
                                  apr_pool_t *p)
{
    upool_resume *resume = upool_resume_make(options, p);
    upool_resumable *about = describe_start(options, start, p);

    if (is_strangers(resume) || judge_start(resume, about, start->name_follows)
        || make_upload(resume, about, start->replaces)) {
        return resume;
    }
    if (upool_resume_find(resume) || ask_quota(resume)) {
        undo(resume, about);
    }
    return resume;
}
