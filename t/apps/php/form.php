<?php
/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors
 *
 * A page with a form that knows nothing of the module: what PHP itself has
 * read, every file with the digest of its bytes. "?move=DIRECTORY" takes the
 * files as such a page does; "?status=N" answers with that status. */
function digests($names, $paths, $errors)
{
    if (is_array($names)) {
        return array_map('digests', $names, $paths, $errors);
    }
    if ($errors !== UPLOAD_ERR_OK) {
        return null;
    }
    return is_uploaded_file($paths) ? hash_file('sha256', $paths) : 'stranger';
}

$files = array();
foreach ($_FILES as $field => $file) {
    $files[$field] = array('name' => $file['name'], 'type' => $file['type'],
        'size' => $file['size'], 'error' => $file['error'],
        'full_path' => $file['full_path'] ?? null,
        'sha256' => digests($file['name'], $file['tmp_name'], $file['error']));
    if (isset($_GET['move'])) {
        move_uploaded_file($file['tmp_name'],
            $_GET['move'] . '/' . basename($file['tmp_name']));
    }
}
if (isset($_GET['status'])) {
    http_response_code((int) $_GET['status']);
}
header('Content-Type: application/json');
echo json_encode(array('via' => 'php-' . PHP_SAPI, 'post' => (object) $_POST,
    'files' => (object) $files, 'type' => $_SERVER['CONTENT_TYPE'] ?? null,
    'method' => $_SERVER['REQUEST_METHOD'],
    'identifier' => $_SERVER['HTTP_X_UPLOAD_IDENTIFIER'] ?? null,
    'length' => $_SERVER['CONTENT_LENGTH'] ?? null),
    JSON_INVALID_UTF8_SUBSTITUTE);
