<?php
/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors
 *
 * A page as any PHP book has it: it knows $_FILES, and nothing of
 * mod_upload_pool. */
if ($_SERVER['REQUEST_METHOD'] !== 'POST') {
    ?>
<!DOCTYPE html>
<html lang="en">
<title>Unchanged PHP</title>
<form method="post" enctype="multipart/form-data">
    <p><label>Title <input name="title" value="Holiday"></label></p>
    <p><label>File <input type="file" name="file"></label></p>
    <p><button name="send">Send</button></p>
</form>
    <?php
    exit;
}
$files = array();
foreach ($_FILES as $input => $file) {
    $files[] = array('input' => $input, 'name' => $file['name'],
        'type' => $file['type'], 'size' => $file['size'],
        'error' => $file['error'],
        'sha-256' => is_uploaded_file($file['tmp_name'])
            ? hash_file('sha256', $file['tmp_name']) : null);
}
header('Content-Type: application/json');
echo json_encode(array('$_POST' => $_POST, '$_FILES' => $files));
