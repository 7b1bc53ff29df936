<?php
/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors
 *
 * Uploads that mod_upload_pool has taken, for PHP 7.4 or later; upload.php
 * shows the use. Nothing in a body is believed before its signature is. */

/* The code is the HTTP status to answer with. */
final class UploadRefused extends RuntimeException
{
}

/* The secrets of the server's UploadKeyFile, one a line, without its comments;
 * the file has to be readable for PHP, and for nobody else. */
function upload_keys(string $file): array
{
    $keys = preg_grep('/^[^#]/', array_map('trim', @file($file) ?: []));
    if (!$keys) {
        throw upload_trouble('the key cannot be read', $file,
            is_readable($file) ? 'no key in it' : 'not readable for this user');
    }
    return $keys;
}

/* What is the server's fault: the client is told no path, the log is. */
function upload_trouble(string $text, string $path, string $why): UploadRefused
{
    error_log("$path: $why");
    return new UploadRefused($text, 500);
}

const UPLOAD_REMEDY = 'not readable for this user: have httpd say'
    . ' "UploadFileGroup GROUP" and "UploadFileMode 0640", and give that group'
    . ' the pool (chgrp GROUP, chmod 710)';

/* Over the bytes as they came: JSON that was decoded and encoded again is
 * another text. hash_equals() takes the same time wherever they differ. */
function upload_is_signed(string $body, string $signature, array $keys): bool
{
    $good = false;
    foreach ($keys as $key) {
        $expected = 'sha256=' . hash_hmac('sha256', $body, $key);
        $good = hash_equals($expected, $signature) || $good;
    }
    return $good;
}

/* The upload of this request: the object of the JSON, with the values of its
 * fields decoded. Throws UploadRefused when this is none. */
function upload_receive(array $keys): array
{
    if ($_SERVER['REQUEST_METHOD'] !== 'POST') {
        throw new UploadRefused('only POST', 405);
    }
    $signature = $_SERVER['HTTP_X_UPLOAD_SIGNATURE'] ?? '';
    if ($signature === '') {
        throw new UploadRefused('not signed', 403);
    }
    $body = file_get_contents('php://input');
    if (!upload_is_signed($body, $signature, $keys)) {
        throw new UploadRefused('wrong signature', 403);
    }
    $upload = json_decode($body, true, 64, JSON_THROW_ON_ERROR);
    /* A signed body stays signed: it may not pass for another upload's. */
    if ($upload['state'] !== 'done'
        || !preg_match('/\A[A-Za-z0-9-]{1,64}\z/', $upload['identifier'])
        || $upload['identifier'] !== ($_SERVER['HTTP_X_UPLOAD_IDENTIFIER'] ?? '')
    ) {
        throw new UploadRefused('another upload', 403);
    }
    foreach ($upload['fields'] as &$field) {
        if (($field['encoding'] ?? '') === 'base64') {
            $field['value'] = base64_decode($field['value'], true);
        }
    }
    unset($field);
    foreach ($upload['files'] as $file) {
        upload_must_be_there($file);
    }
    return $upload;
}

/* Gone is final for a client: what only cannot be read is not gone. PHP does
 * not say why it cannot look at a file, but who may enter its directory sees
 * whether the file is there. */
function upload_must_be_there(array $file): void
{
    $path = $file['path'] ?? '';
    if (isset($file['content'])
        || is_readable($path) && filesize($path) === $file['size']
    ) {
        return;
    }
    $bucket = dirname($path);
    if (is_dir($bucket) && !is_executable($bucket)
        || is_dir(dirname($bucket)) && !is_executable(dirname($bucket))
        || is_file($path) && !is_readable($path)
    ) {
        throw upload_trouble('the file cannot be read', $path, UPLOAD_REMEDY);
    }
    throw new UploadRefused('the file is gone', 410);
}

/* The upload with that identifier in the directory $pool, for an application
 * that was told its identifier alone: as upload_receive() gives it, without
 * fields. Null where there is no such upload that is done. The name is checked
 * first, because it becomes part of a path. */
function upload_find(string $pool, string $identifier): ?array
{
    if (!preg_match('/\A[A-Za-z0-9-]{1,64}\z/', $identifier)) {
        return null;
    }
    $bucket = "$pool/$identifier";
    $text = @file_get_contents("$bucket/metadata.json");
    if ($text === false) {
        if (!is_executable($pool)
            || is_dir($bucket) && !is_executable($bucket)
            || is_file("$bucket/metadata.json")
        ) {
            throw upload_trouble('the upload cannot be read', $bucket,
                UPLOAD_REMEDY);
        }
        return null;
    }
    $upload = json_decode($text, true, 64, JSON_THROW_ON_ERROR);
    if ($upload['state'] !== 'done') {
        return null;
    }
    foreach ($upload['files'] as &$file) {
        $file['path'] = "$bucket/" . basename($file['stored']);
        upload_must_be_there($file);
    }
    unset($file);
    return $upload;
}

/* Moves a file to DIRECTORY/RANDOM/NAME and returns that path. Two files never
 * meet, whatever their clients call them. Keep DIRECTORY away from what the
 * server shows: a name may end in ".php". */
function upload_take(array $file, string $directory): string
{
    $random = isset($file['content']) ? bin2hex(random_bytes(8))
        : basename($file['path'], '.bin');
    $target = "$directory/$random/" . $file['safe-filename'];
    if (!is_dir(dirname($target)) && !mkdir(dirname($target), 0750)) {
        throw upload_trouble('cannot store', $directory, 'cannot be written to');
    }
    if (isset($file['content'])) {
        $moved = file_put_contents("$target.part",
            base64_decode($file['content'], true)) === $file['size'];
    } else {
        $moved = upload_move($file['path'], "$target.part");
    }
    /* Complete, or not there under its name. */
    if (!$moved || !rename("$target.part", $target)) {
        throw upload_trouble('cannot store', $directory, 'cannot be written to');
    }
    return $target;
}

/* In place of move_uploaded_file(). A rename fails where the file is to go to
 * another file system, or PHP is another user than httpd. */
function upload_move(string $from, string $to): bool
{
    return @rename($from, $to) || (copy($from, $to) && (@unlink($from) || true));
}

/* With "UploadKeep claimed": the upload was received; else it is deleted, also
 * when the script dies before this line. */
function upload_claim(array $upload): void
{
    header('X-Upload-Claim: ' . $upload['identifier']);
}
