<?php
/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors
 *
 * A script as there are many. Two lines are new: the first one, and
 * upload_move() where move_uploaded_file() was. */
require __DIR__ . '/prepend.php';

foreach ($_FILES as $input => $file) {
    if ($file['error'] === UPLOAD_ERR_OK) {
        $name = bin2hex(random_bytes(8));
        upload_move($file['tmp_name'], $_SERVER['UPLOADS_DIR'] . "/$name");
        $_FILES[$input]['stored'] = $_SERVER['UPLOADS_DIR'] . "/$name";
    }
}
header('Content-Type: application/json');
echo json_encode(['files' => $_FILES, 'post' => $_POST],
    JSON_INVALID_UTF8_SUBSTITUTE);
