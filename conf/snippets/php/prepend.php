<?php
/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors
 *
 * For scripts of your own that know $_FILES and $_POST alone, where no byte of a
 * file shall pass through PHP. It cannot serve an application that moves files
 * by move_uploaded_file() or asks is_uploaded_file(), as WordPress, MediaWiki,
 * Nextcloud and nearly all others do, nor one whose pages send unsigned
 * identifiers: give those "UploadPassAs form", and not this file.
 *
 * Required at the top of a script, or before all of them by
 *
 *     php_value auto_prepend_file /srv/app/prepend.php
 *
 * A script that is no upload's is left as it is; one that is, and is not
 * signed, ends here. What differs from PHP's own uploads:
 *
 * - move_uploaded_file() and is_uploaded_file() know only PHP's own: use
 *   upload_move($_FILES['photo']['tmp_name'], $to).
 * - A file input that was left empty is not in $_FILES, unless it is named
 *   here: then it has UPLOAD_ERR_NO_FILE, as ever.
 *   SetEnv UPLOADS_INPUTS "photo documents"
 *
 * With "UploadKeep claimed" what the script leaves is deleted after it, as PHP
 * does with its temporary files; without, by UploadExpires. */
require_once __DIR__ . '/uploads.php';

/* PHP's own reading of "a[b][]=…" makes the same arrays of the names here. */
function upload_tree(array $names): array
{
    $query = [];
    foreach (array_values($names) as $n => $name) {
        $query[] = urlencode($name) . "=$n";
    }
    parse_str(implode('&', $query), $tree);
    return $tree;
}

/* The tree with every number in it replaced by $of(number). */
function upload_leaves(array $tree, callable $of): array
{
    array_walk_recursive($tree, function (&$leaf) use ($of) {
        $leaf = $of((int) $leaf);
    });
    return $tree;
}

/* As $_POST has them. */
function upload_post(array $upload): array
{
    $tree = upload_tree(array_column($upload['fields'], 'name'));
    return upload_leaves($tree, function ($n) use ($upload) {
        return $upload['fields'][$n]['value'];
    });
}

/* One entry of $_FILES, before it is turned into one array for each key. */
function upload_entry(array $file): array
{
    if (isset($file['content'])) {
        $file['path'] = tempnam(sys_get_temp_dir(), 'upload');
        file_put_contents($file['path'], base64_decode($file['content'], true));
        register_shutdown_function(function () use ($file) {
            @unlink($file['path']);
        });
    }
    $name = strtr($file['filename'], '\\', '/');
    return ['name' => basename($name), 'full_path' => $file['filename'],
        'type' => $file['content-type'] ?? '', 'tmp_name' => $file['path'],
        'error' => UPLOAD_ERR_OK, 'size' => $file['size']];
}

/* As $_FILES has them: photo; documents[] as arrays of each key; nested. */
function upload_files(array $upload, array $inputs = []): array
{
    $none = ['name' => '', 'full_path' => '', 'type' => '', 'tmp_name' => '',
        'error' => UPLOAD_ERR_NO_FILE, 'size' => 0];
    $entries = array_map('upload_entry', $upload['files']);
    $files = array_fill_keys($inputs, $none);
    $tree = upload_tree(array_column($upload['files'], 'field'));
    foreach ($tree as $input => $branch) {
        foreach (array_keys($none) as $key) {
            $of = function ($n) use ($entries, $key) {
                return $entries[$n][$key];
            };
            $files[$input][$key] = is_array($branch)
                ? upload_leaves($branch, $of) : $of((int) $branch);
        }
    }
    return $files;
}

if (isset($_SERVER['HTTP_X_UPLOAD_SIGNATURE'])
    || isset($_SERVER['HTTP_X_UPLOAD_STATE'])
) {
    try {
        $upload = upload_receive(upload_keys($_SERVER['UPLOADS_KEY']));
        $_POST = upload_post($upload);
        $_REQUEST = $_POST + $_REQUEST;
        $_FILES = upload_files($upload, preg_split('/\s+/',
            $_SERVER['UPLOADS_INPUTS'] ?? '', -1, PREG_SPLIT_NO_EMPTY));
        unset($upload);
    } catch (UploadRefused $refused) {
        http_response_code($refused->getCode());
        exit($refused->getMessage());
    }
}
