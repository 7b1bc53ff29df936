/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "httpd/directives.h"

#include <stddef.h>

#include "httpd/config.h"
#include "httpd/settings.h"

#define S RSRC_CONF
#define SD (RSRC_CONF | ACCESS_CONF)
#define SDH (RSRC_CONF | ACCESS_CONF | OR_OPTIONS)

#define LIMIT(member) ((void *)offsetof(upool_limits, member))
#define MEMBER(member) ((void *)offsetof(upool_dir_conf, member))

/* clang-format off */
const command_rec upool_directives[] = {
    AP_INIT_TAKE1("UploadPool", upool_set_pool, NULL, SDH,
                  "directory that uploads go to, or off"),
    AP_INIT_TAKE1("UploadPoolRoot", upool_set_root, NULL, S,
                  "directory below which .htaccess may name pools"),
    AP_INIT_TAKE1("UploadMaxSize", upool_set_size_limit, LIMIT(body), SDH,
                  "largest request body; unit B K M G T, bare number: megabytes"),
    AP_INIT_TAKE1("UploadMaxFileSize", upool_set_size_limit, LIMIT(file), SDH,
                  "largest single file; unit B K M G T, bare number: megabytes"),
    AP_INIT_TAKE1("UploadMaxParts", upool_set_count_limit, LIMIT(parts), SDH,
                  "largest number of parts in a body"),
    AP_INIT_TAKE1("UploadMaxFieldSize", upool_set_size_limit, LIMIT(field), SDH,
                  "largest value of a form field; unit B K M G T"),
    AP_INIT_TAKE1("UploadMaxFields", upool_set_size_limit, LIMIT(fields), SDH,
                  "largest sum of what is kept in memory; unit B K M G T"),
    AP_INIT_TAKE1("UploadMaxHeaderSize", upool_set_size_limit, LIMIT(header), SDH,
                  "largest header block of a part; unit B K M G T"),
    AP_INIT_TAKE1("UploadURL", upool_set_url, NULL, SDH,
                  "URL of another server that takes the uploads"),
    AP_INIT_ITERATE("UploadKey", upool_set_key, NULL, SDH,
                    "secrets of 16 bytes or more: the first signs, all verify"),
    AP_INIT_TAKE1("UploadKeyFile", upool_set_key_file, NULL, SD,
                  "file with one secret a line, or exec:program"),
    AP_INIT_TAKE1("UploadIdentifierLifetime", upool_set_time, MEMBER(lifetime), SDH,
                  "age at which a time-ordered identifier starts no new upload"),
    AP_INIT_FLAG("UploadMint", upool_set_flag, MEMBER(mint), SDH,
                 "On: POST U/new and the environment give new identifiers"),
    AP_INIT_FLAG("UploadServe", upool_set_flag, MEMBER(serve), SDH,
                 "On: GET U/file gives stored files back"),
    AP_INIT_ITERATE("UploadAllow", upool_set_extension, (void *)1, SDH,
                    "extensions that files must have, every one of theirs"),
    AP_INIT_ITERATE("UploadDeny", upool_set_extension, NULL, SDH,
                    "extensions that files must not have, none of theirs"),
    AP_INIT_TAKE_ARGV("UploadField", upool_set_field, NULL, SDH,
                      "a form field, or *: required max=N size=SIZE ext=a,b type=t/s,t/*"),
    AP_INIT_TAKE1("UploadNames", upool_set_names, NULL, SDH,
                  "ascii or utf8: what safe names keep"),
    AP_INIT_TAKE1("UploadDigestField", upool_set_digest_field, NULL, SDH,
                  "form field that announces digests of the files, or off"),
    AP_INIT_ITERATE("UploadDigest", upool_set_digest, NULL, SDH,
                    "digests to compute: md5 sha-1 sha-256 sha-512 crc32"),
    AP_INIT_TAKE1("UploadInline", upool_set_size, MEMBER(inline_size), SDH,
                  "largest file that travels in the JSON; 0: none"),
    AP_INIT_TAKE1("UploadScan", upool_set_scan, NULL, SD,
                  "clamd:unix:/path or clamd:host:port: who scans files for viruses; Off"),
    AP_INIT_TAKE1("UploadScanTimeout", upool_set_time, MEMBER(scan_timeout), SD,
                  "longest wait for each step of a scan"),
    AP_INIT_TAKE1("UploadScanFailure", upool_set_scan_failure, NULL, SDH,
                  "refuse or accept: what to do with files while the scanner is not there"),
    AP_INIT_TAKE1("UploadSniff", upool_set_sniff, NULL, SDH,
                  "On: refuse files whose first bytes are not of the declared type; report; Off"),
    AP_INIT_ITERATE("UploadHandler", upool_set_handler, NULL, SDH,
                    "upload handlers in order: accept sniff clamd digest inline spool, and those of modules"),
    AP_INIT_TAKE1("UploadPass", upool_set_pass, NULL, SDH,
                  "local URI that gets completed uploads"),
    AP_INIT_ITERATE("UploadCleanup", upool_set_cleanup, NULL, SDH,
                    "answers of the application that delete the upload: 404 4xx 500-505"),
    AP_INIT_TAKE1("UploadExpires", upool_set_expires, NULL, SDH,
                  "time without activity after which an upload is removed"),
    AP_INIT_TAKE1("UploadOwner", upool_set_owner, NULL, SDH,
                  "none, user or ip: who may touch an upload"),
    AP_INIT_ITERATE("UploadProtocol", upool_set_protocol, NULL, SDH,
                    "protocols that are open here: multipart chunked tus resumable"),
    AP_INIT_ITERATE("UploadCORS", upool_set_cors, NULL, SDH,
                    "origins whose pages may upload here: https://app.example.com, null, * or Off"),
    AP_INIT_TAKE1("UploadRequire", upool_set_require, NULL, SDH,
                  "multipart: refuse every other POST; any: let it pass"),
    AP_INIT_FLAG("UploadSync", upool_set_flag, MEMBER(sync), SD,
                 "On: an upload is done only when it is safely on disk"),
    AP_INIT_TAKE1("UploadFileMode", upool_set_file_mode, NULL, SD,
                  "octal permission bits of stored files"),
    AP_INIT_TAKE1("UploadFileGroup", upool_set_file_group, NULL, SD,
                  "group of stored files, by name or number"),
    AP_INIT_TAKE_ARGV("UploadQuota", upool_set_quota, NULL, SD,
                      "pool SIZE, owner SIZE or both: what they may hold"),
    AP_INIT_TAKE1("UploadFreeSpace", upool_set_size, MEMBER(spare), SD,
                  "bytes that uploads leave free on the pool's file system"),
    AP_INIT_TAKE1("UploadRate", upool_set_size, MEMBER(rate), SD,
                  "bytes a second for one upload; 0: any"),
    AP_INIT_TAKE1("UploadKeep", upool_set_keep, NULL, SDH,
                  "always, or claimed: delete what the application does not claim"),
    AP_INIT_TAKE1("UploadProgress", upool_set_progress, NULL, S,
                  "where progress lives: shm"),
    AP_INIT_TAKE1("UploadProgressSlots", upool_set_slots, NULL, S,
                  "number of uploads that the progress table holds"),
    AP_INIT_TAKE1("UploadReadSize", upool_set_read_size, NULL, S,
                  "bytes of one read from the client while an upload comes; 0: as httpd reads"),
    AP_INIT_TAKE1("UploadSweepInterval", upool_set_sweep, NULL, S,
                  "time between two looks for expired uploads"),
    { NULL }
};
/* clang-format on */
