/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "config/config.h"

#include <string.h>

#define DAY apr_time_from_sec(86400)
#define SWEEP_DEFAULT apr_time_from_sec(60)
#define FILE_MODE_DEFAULT 0600
#define GRACE_DEFAULT apr_time_from_sec(30)

extern module AP_MODULE_DECLARE_DATA upload_pool_module;

static const upool_limits unset_limits = {
    UPOOL_UNSET, UPOOL_UNSET, UPOOL_UNSET,
    UPOOL_UNSET, UPOOL_UNSET, UPOOL_UNSET,
};

void *upool_config_dir_create(apr_pool_t *p, char *dir)
{
    upool_dir_conf *conf = apr_pcalloc(p, sizeof(*conf));

    (void)dir;
    conf->on = UPOOL_UNSET;
    conf->limits = unset_limits;
    conf->local_limits = unset_limits;
    conf->expires = UPOOL_UNSET;
    conf->local_expires = UPOOL_UNSET;
    conf->lifetime = UPOOL_UNSET;
    conf->mint = UPOOL_UNSET;
    conf->serve = UPOOL_UNSET;
    conf->sync = UPOOL_UNSET;
    conf->require_multipart = UPOOL_UNSET;
    conf->interim = UPOOL_UNSET;
    conf->protocols = UPOOL_UNSET;
    conf->owner = UPOOL_UNSET;
    conf->local_owner = UPOOL_UNSET;
    conf->file_mode = UPOOL_UNSET;
    conf->file_group = UPOOL_UNSET;
    conf->quota_pool = UPOOL_UNSET;
    conf->quota_owner = UPOOL_UNSET;
    conf->spare = UPOOL_UNSET;
    conf->rate = UPOOL_UNSET;
    conf->min_rate = UPOOL_UNSET;
    conf->min_grace = UPOOL_UNSET;
    conf->local_min_rate = UPOOL_UNSET;
    conf->local_min_grace = UPOOL_UNSET;
    conf->public = UPOOL_UNSET;
    conf->park = UPOOL_UNSET;
    conf->park_over = UPOOL_UNSET;
    conf->keep = UPOOL_UNSET;
    conf->inline_size = UPOOL_UNSET;
    conf->chunked_md5 = UPOOL_UNSET;
    conf->chunked_auto = UPOOL_UNSET;
    conf->utf8_names = UPOOL_UNSET;
    conf->scan_timeout = UPOOL_UNSET;
    conf->scan_accept = UPOOL_UNSET;
    conf->local_scan_refuse = UPOOL_UNSET;
    conf->sniff = UPOOL_UNSET;
    conf->local_sniff = UPOOL_UNSET;
    conf->key_use = UPOOL_UNSET;
    conf->local_key_use = UPOOL_UNSET;
    conf->pass_as = UPOOL_UNSET;
    return conf;
}

#define MERGE(member) \
    conf->member = add->member == UPOOL_UNSET ? base->member : add->member
#define MERGE_POINTER(member) \
    conf->member = add->member ? add->member : base->member

static apr_int64_t lower(apr_int64_t a, apr_int64_t b)
{
    if (a == UPOOL_UNSET || b == UPOOL_UNSET) {
        return a == UPOOL_UNSET ? b : a;
    }
    return a < b ? a : b;
}

/* UPOOL_UNSET is below everything. */
static apr_int64_t higher(apr_int64_t a, apr_int64_t b)
{
    return a > b ? a : b;
}

/* Sets each limit of *to by pick(base's, add's). */
static void merge_limits(upool_limits *to, const upool_limits *base,
                         const upool_limits *add,
                         apr_int64_t (*pick)(apr_int64_t, apr_int64_t))
{
    to->body = pick(base->body, add->body);
    to->file = pick(base->file, add->file);
    to->parts = pick(base->parts, add->parts);
    to->field = pick(base->field, add->field);
    to->fields = pick(base->fields, add->fields);
    to->header = pick(base->header, add->header);
}

static apr_int64_t later(apr_int64_t base, apr_int64_t add)
{
    return add == UPOOL_UNSET ? base : add;
}

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

/* UPOOL_UNSET is below every mode of UploadSniff. */
static int stricter(int a, int b)
{
    return a > b ? a : b;
}

void *upool_config_dir_merge(apr_pool_t *p, void *base_conf, void *add_conf)
{
    const upool_dir_conf *base = base_conf;
    const upool_dir_conf *add = add_conf;
    upool_dir_conf *conf = apr_palloc(p, sizeof(*conf));

    *conf = *base;
    if (add->on != UPOOL_UNSET) {
        conf->on = add->on;
        conf->store = add->store;
        conf->store_is_local = add->store_is_local;
        conf->place = add->place;
    }
    if (add->keys) {
        conf->keys = add->keys;
        conf->keys_are_local = add->keys_are_local;
    }
    merge_limits(&conf->limits, &base->limits, &add->limits, later);
    merge_limits(&conf->local_limits, &base->local_limits, &add->local_limits,
                 lower);
    MERGE(expires);
    conf->local_expires = lower(base->local_expires, add->local_expires);
    MERGE(lifetime);
    MERGE_POINTER(url);
    MERGE(mint);
    MERGE(serve);
    MERGE(sync);
    MERGE(require_multipart);
    MERGE(interim);
    MERGE(protocols);
    MERGE_POINTER(cors);
    MERGE(owner);
    /* A section that follows .htaccess has the last word. */
    conf->local_owner =
        add->owner == UPOOL_UNSET && add->local_owner == UPOOL_UNSET
            ? base->local_owner
            : add->local_owner;
    MERGE(file_mode);
    MERGE(file_group);
    MERGE(quota_pool);
    MERGE(quota_owner);
    MERGE(spare);
    MERGE(rate);
    MERGE(min_rate);
    MERGE(min_grace);
    conf->local_min_rate = higher(base->local_min_rate, add->local_min_rate);
    conf->local_min_grace = lower(base->local_min_grace, add->local_min_grace);
    MERGE(public);
    /* One directive sets both. */
    conf->park_over =
        add->park == UPOOL_UNSET ? base->park_over : add->park_over;
    MERGE(park);
    MERGE(keep);
    MERGE(inline_size);
    MERGE_POINTER(allow);
    MERGE_POINTER(local_allow);
    MERGE_POINTER(deny);
    MERGE_POINTER(local_deny);
    MERGE_POINTER(digests);
    MERGE_POINTER(digest_field);
    conf->rules = merge_rules(p, base->rules, add->rules);
    conf->local_rules = merge_rules(p, base->local_rules, add->local_rules);
    MERGE(chunked_md5);
    MERGE(chunked_auto);
    MERGE(utf8_names);
    MERGE_POINTER(handlers);
    MERGE_POINTER(local_handlers);
    MERGE_POINTER(scan);
    MERGE(scan_timeout);
    MERGE(scan_accept);
    MERGE(local_scan_refuse);
    MERGE(sniff);
    conf->local_sniff = stricter(base->local_sniff, add->local_sniff);
    MERGE(key_use);
    MERGE(local_key_use);
    MERGE_POINTER(pass);
    MERGE(pass_as);
    MERGE_POINTER(file_field);
    MERGE_POINTER(facts);
    MERGE_POINTER(cleanup);
    return conf;
}

void *upool_config_server_create(apr_pool_t *p, server_rec *s)
{
    upool_server_conf *conf = apr_pcalloc(p, sizeof(*conf));

    (void)s;
    conf->slots = UPOOL_UNSET;
    conf->watchers = UPOOL_UNSET;
    conf->holders = UPOOL_UNSET;
    conf->sweep_interval = UPOOL_UNSET;
    conf->read_size = UPOOL_UNSET;
    conf->loaded = apr_time_now();
    return conf;
}

void *upool_config_server_merge(apr_pool_t *p, void *base_conf, void *add_conf)
{
    const upool_server_conf *base = base_conf;
    const upool_server_conf *add = add_conf;
    upool_server_conf *conf = apr_palloc(p, sizeof(*conf));

    MERGE_POINTER(root);
    conf->root_quota = add->root ? add->root_quota : base->root_quota;
    MERGE_POINTER(root_said);
    MERGE(slots);
    MERGE(watchers);
    MERGE(holders);
    MERGE(sweep_interval);
    MERGE(read_size);
    MERGE_POINTER(shared);
    MERGE_POINTER(places);
    MERGE_POINTER(mentions);
    conf->loaded = add->loaded;
    /* A virtual host inherits it from the main server, which reports it
     * once. */
    conf->park_always = add->park_always;
    return conf;
}

const upool_dir_conf *upool_config_of(const request_rec *r)
{
    return ap_get_module_config(r->per_dir_config, &upload_pool_module);
}

const upool_server_conf *upool_config_server(const server_rec *s)
{
    return ap_get_module_config(s->module_config, &upload_pool_module);
}

upool_limits upool_config_limits(const upool_dir_conf *conf)
{
    static const upool_limits defaults = UPOOL_LIMITS_DEFAULT;
    upool_limits set;
    upool_limits limits;

    merge_limits(&set, &defaults, &conf->limits, later);
    merge_limits(&limits, &set, &conf->local_limits, lower);
    return limits;
}

apr_interval_time_t upool_config_expires(const upool_dir_conf *conf)
{
    return lower(conf->expires == UPOOL_UNSET ? DAY : conf->expires,
                 conf->local_expires);
}

apr_interval_time_t upool_config_lifetime(const upool_dir_conf *conf)
{
    return conf->lifetime == UPOOL_UNSET ? DAY : conf->lifetime;
}

static apr_int64_t bytes_or_none(apr_int64_t value)
{
    return value == UPOOL_UNSET ? 0 : value;
}

upool_owner_kind upool_config_owner(const upool_dir_conf *conf)
{
    int owner = conf->owner;

    if (conf->local_owner != UPOOL_UNSET
        && bytes_or_none(conf->quota_owner) == 0) {
        owner = conf->local_owner;
    }
    return owner == UPOOL_UNSET ? UPOOL_OWNER_USER : (upool_owner_kind)owner;
}

apr_uint64_t upool_config_watchers(const upool_server_conf *conf)
{
    return conf->watchers == UPOOL_UNSET ? UPOOL_WATCHERS_DEFAULT
                                         : (apr_uint64_t)conf->watchers;
}

apr_uint64_t upool_config_holders(const upool_server_conf *conf)
{
    return conf->holders == UPOOL_UNSET ? UPOOL_HOLDERS_DEFAULT
                                        : (apr_uint64_t)conf->holders;
}

apr_uint32_t upool_config_slots(const upool_server_conf *conf)
{
    return conf->slots == UPOOL_UNSET ? UPOOL_SLOTS_DEFAULT
                                      : (apr_uint32_t)conf->slots;
}

apr_interval_time_t upool_config_sweep_interval(const upool_server_conf *conf)
{
    return conf->sweep_interval == UPOOL_UNSET ? SWEEP_DEFAULT
                                               : conf->sweep_interval;
}

apr_size_t upool_config_read_size(const upool_server_conf *conf)
{
    return conf->read_size == UPOOL_UNSET ? UPOOL_READ_SIZE_DEFAULT
                                          : (apr_size_t)conf->read_size;
}

int upool_config_speaks(const upool_dir_conf *conf, int protocol)
{
    int open = conf->protocols == UPOOL_UNSET ? UPOOL_PROTOCOL_MULTIPART
                                              : conf->protocols;

    return (open & protocol) != 0;
}

apr_int64_t upool_config_rate(const upool_dir_conf *conf)
{
    return bytes_or_none(conf->rate);
}

void upool_config_pace(const upool_dir_conf *conf, upool_pace *pace,
                       apr_time_t now)
{
    apr_int64_t rate =
        bytes_or_none(higher(conf->min_rate, conf->local_min_rate));
    apr_int64_t grace = lower(conf->min_grace, conf->local_min_grace);

    upool_pace_start(pace, rate, grace == UPOOL_UNSET ? GRACE_DEFAULT : grace,
                     now);
}

int upool_config_parks(const upool_dir_conf *conf)
{
    return conf->park != 0;
}

apr_int64_t upool_config_park_over(const upool_dir_conf *conf)
{
    return conf->park_over;
}

int upool_config_file_mode(const upool_dir_conf *conf)
{
    return conf->file_mode == UPOOL_UNSET ? FILE_MODE_DEFAULT : conf->file_mode;
}

upool_extension_lists upool_config_accept(const upool_dir_conf *conf)
{
    upool_extension_lists lists;

    lists.allow[0] = conf->allow;
    lists.allow[1] = conf->local_allow;
    lists.deny[0] = conf->deny;
    lists.deny[1] = conf->local_deny;
    return lists;
}

upool_sniff_mode upool_config_sniff(const upool_dir_conf *conf)
{
    int mode = stricter(conf->sniff, conf->local_sniff);

    return mode == UPOOL_UNSET ? UPOOL_SNIFF_OFF : (upool_sniff_mode)mode;
}

int upool_config_cleans(const upool_dir_conf *conf, int status)
{
    return conf->cleanup && status > 0 && status < UPOOL_STATUSES
           && (conf->cleanup->bits[status / 8] >> (status % 8) & 1);
}

/* A .htaccess file says what the keys in .htaccess are for, and no others: the
 * server's keys must go on guarding what they guard. */
static int uses_keys(const upool_dir_conf *conf, int use)
{
    int of = conf->keys_are_local && conf->local_key_use != UPOOL_UNSET
                 ? conf->local_key_use
                 : conf->key_use;

    return of == UPOOL_UNSET || (of & use);
}

const upool_keys *upool_config_ident_keys(const upool_dir_conf *conf)
{
    return uses_keys(conf, UPOOL_KEYS_IDENTIFIERS) ? conf->keys : NULL;
}

const upool_keys *upool_config_handoff_keys(const upool_dir_conf *conf)
{
    return uses_keys(conf, UPOOL_KEYS_HANDOFF) ? conf->keys : NULL;
}

upool_pass_kind upool_config_pass_as(const upool_dir_conf *conf)
{
    return conf->pass_as == UPOOL_UNSET ? UPOOL_PASS_JSON
                                        : (upool_pass_kind)conf->pass_as;
}

const apr_array_header_t *upool_config_facts(const upool_dir_conf *conf,
                                             apr_pool_t *p)
{
    return conf->facts ? conf->facts
                       : apr_array_make(p, 1, sizeof(upool_facts_pair));
}

const char *upool_config_file_field(const upool_dir_conf *conf)
{
    return conf->file_field ? conf->file_field : "file";
}
