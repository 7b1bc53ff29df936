/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "upload/refusal.h"

#include <errno.h>

typedef struct refusal_row {
    int status;
    const char *text;
} refusal_row;

/* clang-format off */
static const refusal_row rows[UPOOL_REASON_COUNT] = {
    [UPOOL_REASON_NONE]             = { 200, "" },
    [UPOOL_REASON_BODY_TOO_LARGE]   = { 413, "Upload is too large" },
    [UPOOL_REASON_FILE_TOO_LARGE]   = { 413, "A file of the upload is too large" },
    [UPOOL_REASON_TOO_MANY_PARTS]   = { 413, "Upload has too many parts" },
    [UPOOL_REASON_FIELD_TOO_LARGE]  = { 413, "A form field is too large" },
    [UPOOL_REASON_FIELDS_TOO_LARGE] = { 413, "The form fields are too large" },
    [UPOOL_REASON_HEADER_TOO_LARGE] = { 413, "A part's headers are too large" },
    [UPOOL_REASON_BOUNDARY]         = { 400, "Upload request is malformed (boundary error)" },
    [UPOOL_REASON_NO_DELIMITER]     = { 400, "Upload request is malformed (no delimiter)" },
    [UPOOL_REASON_DELIMITER]        = { 400, "Upload request is malformed (bad delimiter)" },
    [UPOOL_REASON_TRUNCATED]        = { 400, "Upload request is malformed (missing end of upload marker)" },
    [UPOOL_REASON_HEADER]           = { 400, "Upload request is malformed (bad part header)" },
    [UPOOL_REASON_PADDING]          = { 400, "Upload request is malformed (too much text around the parts)" },
    [UPOOL_REASON_LENGTH]           = { 400, "Upload request is malformed (bad Content-Length)" },
    [UPOOL_REASON_INCOMPLETE]       = { 400, "Upload is shorter than announced" },
    [UPOOL_REASON_CONTENT_CODING]   = { 415, "Content-Encoding is not supported" },
    [UPOOL_REASON_PART_CODING]      = { 415, "Content-Transfer-Encoding of a part is not supported" },
    [UPOOL_REASON_EXTENSION]        = { 415, "Files of this type are not accepted" },
    [UPOOL_REASON_NOT_AN_UPLOAD]    = { 415, "Request is not a file upload" },
    [UPOOL_REASON_IDENT_MALFORMED]  = { 400, "Malformed upload identifier" },
    [UPOOL_REASON_IDENT_DOUBLED]    = { 400, "Upload identifier is given more than once" },
    [UPOOL_REASON_IDENT_REFUSED]    = { 403, "Provided upload identifier was invalid" },
    [UPOOL_REASON_OWNER]            = { 403, "Provided upload identifier was invalid" },
    [UPOOL_REASON_BUSY]             = { 409, "An upload with this identifier is in progress" },
    [UPOOL_REASON_EXPIRED]          = { 410, "Upload identifier has expired" },
    [UPOOL_REASON_CLEARED]          = { 409, "Upload was cleared" },
    [UPOOL_REASON_POOL]             = { 500, "Upload server error" },
    [UPOOL_REASON_CONFIGURATION]    = { 500, "Upload server error" },
    [UPOOL_REASON_IO]               = { 500, "Upload server error" },
    [UPOOL_REASON_FULL]             = { 507, "Not enough space to store the upload" },
    [UPOOL_REASON_MEMORY]           = { 500, "Upload server error" },
    [UPOOL_REASON_TIMEOUT]          = { 408, "Upload timed out" },
    [UPOOL_REASON_GONE]             = { 400, "Network error, cannot read upload" },
    [UPOOL_REASON_SERVER_LIMIT]     = { 400, "Upload was refused by the server" },
    [UPOOL_REASON_INTERRUPTED]      = { 500, "Upload was interrupted" },
    [UPOOL_REASON_HANDLER]          = { 403, "Upload was refused" },
    [UPOOL_REASON_CALLBACK]         = { 400, "Malformed callback name" },
    [UPOOL_REASON_QUOTA]            = { 507, "Upload quota is used up" },
    [UPOOL_REASON_FIELD_MISSING]    = { 400, "A required form field is missing" },
    [UPOOL_REASON_FIELD_FILES]      = { 413, "A form field has too many files" },
    [UPOOL_REASON_FIELD_TYPE]       = { 415, "Files of this type are not accepted" },
    [UPOOL_REASON_DIGEST]           = { 400, "Digest of the upload does not match" },
    [UPOOL_REASON_DIGEST_SYNTAX]    = { 400, "Digest of the upload is malformed" },
    [UPOOL_REASON_FILE_DIGEST]      = { 400, "Digest of a file does not match" },
    [UPOOL_REASON_FILE_DIGEST_SYNTAX] = { 400, "Digest of a file is malformed" },
    [UPOOL_REASON_VIRUS]            = { 422, "Upload refused: virus found" },
    [UPOOL_REASON_SCANNER]          = { 503, "Upload could not be scanned" },
    [UPOOL_REASON_SNIFFED]          = { 415, "Content of a file does not match its type" },
    [UPOOL_REASON_CHUNK_SIZE]       = { 400, "File size doesn't match headers" },
    [UPOOL_REASON_CHUNK_FILES]      = { 400, "More than one chunk file was submitted" },
    [UPOOL_REASON_CHUNK_NONE]       = { 400, "No chunk file was submitted" },
    [UPOOL_REASON_CHUNK_HEADER]     = { 400, "Error in request headers" },
    [UPOOL_REASON_FIELDS]           = { 400, "Form fields are malformed" },
    [UPOOL_REASON_TOO_SLOW]         = { 408, "Upload is too slow" },
    [UPOOL_REASON_NOT_FOUND]        = { 404, "There is no such upload" },
    [UPOOL_REASON_OFFSET]           = { 409, "Offsets do not match" },
    [UPOOL_REASON_COMPLETE]         = { 409, "Upload is complete already" },
    [UPOOL_REASON_UPLOAD_LENGTH]    = { 400, "Length of the upload does not match" },
    [UPOOL_REASON_OVERRUN]          = { 413, "Upload is longer than announced" },
    [UPOOL_REASON_CHECKSUM]         = { 400, "Checksum does not match" },
    [UPOOL_REASON_TAKEN]            = { 409, "Upload was taken over by a newer request" },
    [UPOOL_REASON_NOT_WHOLE]        = { 409, "Upload is not complete yet" },
    [UPOOL_REASON_UPLOAD_HEADER]    = { 400, "Header fields of the upload are missing or malformed" },
    [UPOOL_REASON_VERSION]          = { 412, "Version of the upload protocol is not supported" },
    [UPOOL_REASON_FINAL]            = { 403, "Upload is made of others and takes no bytes" },
    [UPOOL_REASON_WATCHERS]         = { 503, "Too many watch uploads already" },
    [UPOOL_REASON_PIECE]            = { 415, "This is a piece of a file, in a way that is not known or not open here: send the file whole" },
    [UPOOL_REASON_IDENT_MISSING]    = { 403, "Upload identifier is missing: uploads here need one that the application has signed" },
    [UPOOL_REASON_PROTOCOL]         = { 415, "Uploads by this protocol are not taken here" },
    [UPOOL_REASON_OTHER_CONTENT]    = { 409, "Upload identifier is that of a complete upload with other content" },
};
/* clang-format on */

upool_refusal upool_refusal_make(upool_reason reason, apr_status_t rv,
                                 const char *detail)
{
    upool_refusal refusal;

    refusal.reason = reason;
    refusal.status = rows[reason].status;
    refusal.text = rows[reason].text;
    refusal.detail = detail;
    refusal.rv = rv;
    refusal.reset = 0;
    return refusal;
}

int upool_refusal_set(upool_refusal *refusal, upool_reason reason,
                      apr_status_t rv, const char *detail)
{
    *refusal = upool_refusal_make(reason, rv, detail);
    return 1;
}

upool_reason upool_refusal_of_errno(apr_status_t rv)
{
    return rv == ENOSPC || rv == EDQUOT ? UPOOL_REASON_FULL : UPOOL_REASON_IO;
}

upool_refusal upool_refusal_of_quota(upool_quota_answer answer,
                                     apr_status_t error)
{
    upool_refusal none = UPOOL_NO_REFUSAL;

    switch (answer) {
    case UPOOL_QUOTA_GRANTED:
        break;
    case UPOOL_QUOTA_POOL:
        return upool_refusal_make(UPOOL_REASON_QUOTA, 0, "quota of the pool");
    case UPOOL_QUOTA_OWNER:
        return upool_refusal_make(UPOOL_REASON_QUOTA, 0, "quota of the owner");
    case UPOOL_QUOTA_ROOT:
        return upool_refusal_make(UPOOL_REASON_QUOTA, 0,
                                  "quota of UploadPoolRoot");
    case UPOOL_QUOTA_SPARE:
        return upool_refusal_make(UPOOL_REASON_FULL, 0,
                                  "what is to be left free on the file system");
    case UPOOL_QUOTA_FAILED:
        return upool_refusal_make(upool_refusal_of_errno(error), error,
                                  "the quota's ledger in the pool");
    }
    return none;
}
