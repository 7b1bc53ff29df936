<?php
/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors
 *
 * What PHP reads from the form of this request. */
function plain($value)
{
    if (is_array($value)) {
        $plain = array();
        foreach ($value as $name => $one) {
            $plain[] = array(plain((string) $name), plain($one));
        }
        return $plain;
    }
    return is_string($value) ? utf8($value) : $value;
}

/* Bytes as Latin-1, so that none is lost. */
function utf8($bytes)
{
    return preg_replace_callback('/[\x80-\xff]/', function ($byte) {
        return chr(0xc0 | ord($byte[0]) >> 6) . chr(0x80 | ord($byte[0]) & 63);
    }, $bytes);
}

function digest($path)
{
    if (is_array($path)) {
        return array_map('digest', $path);
    }
    return $path === '' ? '' : hash_file('sha256', $path);
}

$files = $_FILES;
foreach ($files as $name => $file) {
    $files[$name]['tmp_name'] = digest($file['tmp_name']);
}
header('Content-Type: application/json');
echo json_encode(array('post' => plain($_POST), 'files' => plain($files)));
