<?php
/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors
 *
 * Receives uploads: takes the files, and answers with what it got.
 *
 *     <Location "/upload.php">
 *         UploadPool /var/lib/upload_pool
 *         UploadKeyFile /etc/apache2/upload_pool.key
 *         UploadKeep claimed
 *         SetEnv UPLOADS_KEY /etc/myapp/upload_pool.key
 *         SetEnv UPLOADS_DIR /srv/uploads
 *     </Location> */
require __DIR__ . '/uploads.php';

header('Content-Type: application/json');
try {
    $upload = upload_receive(upload_keys($_SERVER['UPLOADS_KEY']));
    $answer = ['identifier' => $upload['identifier'],
        'files' => [], 'fields' => []];
    foreach ($upload['files'] as $file) {
        $answer['files'][] = ['field' => $file['field'],
            'filename' => $file['filename'],
            'stored' => upload_take($file, $_SERVER['UPLOADS_DIR'])];
    }
    foreach ($upload['fields'] as $field) {
        $answer['fields'][] = ['name' => $field['name'],
            'bytes' => strlen($field['value'])];
    }
    upload_claim($upload);
} catch (UploadRefused $refused) {
    http_response_code($refused->getCode());
    $answer = ['error' => $refused->getMessage()];
}
echo json_encode($answer, JSON_INVALID_UTF8_SUBSTITUTE);
