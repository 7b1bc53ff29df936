/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_CONFIG_CONFIG_H
#define UPOOL_CONFIG_CONFIG_H

/* The values of the directives.  The server's settings and those of .htaccess
 * are kept apart wherever .htaccess may only narrow: members named local_* come
 * from .htaccess, and merging never lets them widen anything.  Getters resolve
 * defaults late, so that UPOOL_UNSET survives every merge. */

#include <httpd.h>
#include <http_config.h>

#include "ident/keys.h"
#include "store/quota.h"
#include "handlers/builtin.h"
#include "upload/facts.h"
#include "upload/limits.h"
#include "upload/pace.h"
#include "upload/rules.h"

#define UPOOL_UNSET (-1)

typedef enum upool_owner_kind {
    UPOOL_OWNER_NONE = 0,
    UPOOL_OWNER_USER, /* bound to the authenticated user, if any */
    UPOOL_OWNER_IP
} upool_owner_kind;

typedef enum upool_keep_kind {
    UPOOL_KEEP_ALWAYS = 0,
    UPOOL_KEEP_CLAIMED /* only what the application says that it keeps */
} upool_keep_kind;

/* UploadPassAs: what the application reads. */
typedef enum upool_pass_kind {
    UPOOL_PASS_JSON = 0,
    UPOOL_PASS_FORM,  /* the form that it was, files and all */
    UPOOL_PASS_FIELDS /* a form with fields that tell of the files */
} upool_pass_kind;

/* UploadKeyUse: bits. */
#define UPOOL_KEYS_IDENTIFIERS 1
#define UPOOL_KEYS_HANDOFF 2

/* UploadProtocol: bits of upool_dir_conf.protocols. */
#define UPOOL_PROTOCOL_MULTIPART 1
#define UPOOL_PROTOCOL_CHUNKED 2
#define UPOOL_PROTOCOL_TUS 4
#define UPOOL_PROTOCOL_RESUMABLE 8

/* One bit per HTTP status, for UploadCleanup. */
#define UPOOL_STATUSES 600
typedef struct upool_statuses {
    unsigned char bits[UPOOL_STATUSES / 8 + 1];
} upool_statuses;

/* The most interim answers that UploadInterim allows, and the number without it
 * where no proxy stands between. */
#define UPOOL_INTERIM_MAX 5

typedef struct upool_dir_conf {
    int on;              /* UploadPool dir: 1, off: 0 */
    const char *store;   /* absolute; from .htaccess: relative */
    int store_is_local;  /* set in .htaccess */
    const char *place;   /* the section that names it: a URL, a directory */
    upool_limits limits; /* each UPOOL_UNSET, or set */
    upool_limits local_limits;
    apr_int64_t expires; /* microseconds */
    apr_int64_t local_expires;
    apr_int64_t lifetime; /* of identifiers, microseconds */
    const char *url;      /* UploadURL; "" is not possible */
    upool_keys *keys;
    int keys_are_local;
    int key_use;       /* UPOOL_KEYS_… */
    int local_key_use; /* of keys in .htaccess */
    int mint;
    int serve;
    int sync;
    int require_multipart;
    int interim;                    /* UploadInterim: so many; 0: off */
    const apr_array_header_t *cors; /* of const char *: origins; NULL: unset */
    int protocols;                  /* UPOOL_PROTOCOL_… */
    int owner;                      /* enum upool_owner_kind */
    int local_owner;                /* what .htaccess says */
    int file_mode;                  /* permission bits */
    apr_int64_t file_group;         /* of stored files and buckets */
    apr_int64_t quota_pool;         /* bytes; 0: no limit */
    apr_int64_t quota_owner;
    apr_int64_t spare;          /* UploadFreeSpace, bytes; 0: none */
    apr_int64_t rate;           /* bytes a second; 0: any */
    apr_int64_t min_rate;       /* UploadMinRate, bytes a second; 0: any */
    apr_int64_t min_grace;      /* microseconds */
    apr_int64_t local_min_rate; /* may only be stricter */
    apr_int64_t local_min_grace;
    int public;            /* UploadPoolPublic */
    int park;              /* UploadPark: 0 for Off */
    apr_int64_t park_over; /* bytes; UPOOL_UNSET: not Always */
    int keep;              /* enum upool_keep_kind */
    apr_int64_t inline_size;
    const apr_array_header_t *allow; /* of const char *, lower case */
    const apr_array_header_t *local_allow;
    const apr_array_header_t *deny;
    const apr_array_header_t *local_deny;
    const apr_array_header_t *digests;
    const char *digest_field;        /* UploadDigestField; "" for off */
    const apr_array_header_t *rules; /* of upool_rule, one for a name */
    const apr_array_header_t *local_rules;
    int chunked_md5;  /* UploadChunkedMd5: U/complete needs one */
    int chunked_auto; /* UploadChunkedAuto: the last byte completes */
    int utf8_names;
    const apr_array_header_t *handlers; /* of const char *, names in order */
    const apr_array_header_t *local_handlers;
    const upool_clamd_address *scan; /* NULL: unset; without first: Off */
    apr_int64_t scan_timeout;        /* microseconds */
    int scan_accept;                 /* UploadScanFailure accept */
    int local_scan_refuse;           /* what .htaccess may say of it */
    int sniff;                       /* enum upool_sniff_mode */
    int local_sniff;
    const char *pass;
    int pass_as;                     /* enum upool_pass_kind */
    const char *file_field;          /* UploadFileField */
    const apr_array_header_t *facts; /* UploadPassField: upool_facts_pair */
    const upool_statuses *cleanup;
} upool_dir_conf;

/* httpd/shared.h */
typedef struct upool_shared upool_shared;

typedef struct upool_server_conf {
    const char *root;                   /* UploadPoolRoot */
    apr_int64_t root_quota;             /* of all below it; 0: no limit */
    const ap_directive_t *root_said;    /* where both are set */
    apr_int64_t slots;                  /* UploadProgressSlots */
    apr_int64_t sweep_interval;         /* microseconds */
    apr_int64_t read_size;              /* UploadReadSize, bytes; 0: httpd's */
    upool_shared *shared;               /* UploadProgress socache; NULL: shm */
    const apr_array_header_t *places;   /* config/places.h; the server's */
    const apr_array_header_t *mentions; /* config/settings.h; the server's */
    apr_time_t loaded;                  /* when this configuration was read */
    apr_int64_t watchers;               /* UploadWatchers; UPOOL_UNSET */
    apr_int64_t holders;                /* of these, on a thread */
    const char *park_always; /* where UploadPark says so first, "file:line" */
} upool_server_conf;

#define UPOOL_SLOTS_DEFAULT 4096
#define UPOOL_SLOTS_MIN 64
#define UPOOL_SLOTS_MAX 1048576
#define UPOOL_WATCHERS_DEFAULT 100
#define UPOOL_HOLDERS_DEFAULT 10
#define UPOOL_WATCHERS_MAX 1000000
#define UPOOL_READ_SIZE_DEFAULT 65536
#define UPOOL_READ_SIZE_MIN 16384
#define UPOOL_READ_SIZE_MAX 1048576

void *upool_config_dir_create(apr_pool_t *p, char *dir);
void *upool_config_dir_merge(apr_pool_t *p, void *base, void *add);
void *upool_config_server_create(apr_pool_t *p, server_rec *s);
void *upool_config_server_merge(apr_pool_t *p, void *base, void *add);

/* The configuration that holds for r at this phase. */
const upool_dir_conf *upool_config_of(const request_rec *r);
const upool_server_conf *upool_config_server(const server_rec *s);

/* Getters: the value, or its default. */
upool_limits upool_config_limits(const upool_dir_conf *conf);
apr_interval_time_t upool_config_expires(const upool_dir_conf *conf);
apr_interval_time_t upool_config_lifetime(const upool_dir_conf *conf);
/* Where the server has set a quota for each owner, .htaccess cannot change who
 * counts as the owner: otherwise a user could be nobody, or many owners. */
upool_owner_kind upool_config_owner(const upool_dir_conf *conf);
apr_uint32_t upool_config_slots(const upool_server_conf *conf);
apr_interval_time_t upool_config_sweep_interval(const upool_server_conf *conf);
/* UploadWatchers: how many may watch, and how many of them hold a thread. */
apr_uint64_t upool_config_watchers(const upool_server_conf *conf);
apr_uint64_t upool_config_holders(const upool_server_conf *conf);
/* Bytes of one read from the socket; 0: as httpd reads. */
apr_size_t upool_config_read_size(const upool_server_conf *conf);
/* Starts the pace of UploadMinRate for an upload that begins now. */
void upool_config_pace(const upool_dir_conf *conf, upool_pace *pace,
                       apr_time_t now);
/* UploadPark. */
int upool_config_parks(const upool_dir_conf *conf);
/* UploadPark Always: the most bytes of a body that may come over HTTP/2;
 * UPOOL_UNSET: any length may. */
apr_int64_t upool_config_park_over(const upool_dir_conf *conf);
int upool_config_file_mode(const upool_dir_conf *conf);
/* The quotas; without a limit all members but the times are zero. */
upool_quota_limits upool_config_quota(const upool_dir_conf *conf,
                                      const server_rec *s, apr_pool_t *p);
/* 1 when that protocol is open. */
int upool_config_speaks(const upool_dir_conf *conf, int protocol);
/* Bytes a second, 0: any. */
apr_int64_t upool_config_rate(const upool_dir_conf *conf);
upool_extension_lists upool_config_accept(const upool_dir_conf *conf);
upool_sniff_mode upool_config_sniff(const upool_dir_conf *conf);
/* The keys that identifiers are signed with; NULL: they are not. */
const upool_keys *upool_config_ident_keys(const upool_dir_conf *conf);
/* The keys that sign what the application is handed; NULL: it is not signed. */
const upool_keys *upool_config_handoff_keys(const upool_dir_conf *conf);
upool_pass_kind upool_config_pass_as(const upool_dir_conf *conf);
/* UploadPassField, of upool_facts_pair; in p, and empty, where none is set. */
const apr_array_header_t *upool_config_facts(const upool_dir_conf *conf,
                                             apr_pool_t *p);
/* The field of a file whose client named none. */
const char *upool_config_file_field(const upool_dir_conf *conf);
/* 1 when UploadCleanup names that HTTP status. */
int upool_config_cleans(const upool_dir_conf *conf, int status);

#endif
