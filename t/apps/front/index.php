<?php
/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors
 *
 * A front controller, in the manner of many: it finds out from the URL what is
 * meant, and knows PHP's uploads and nothing else. FILES is where they go. */
session_start();
$token = $_SESSION['token'] = $_SESSION['token'] ?? bin2hex(random_bytes(16));
$route = preg_replace('#^/index\.php#', '',
    parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH));

function answer($status, $what)
{
    http_response_code($status);
    header('Content-Type: application/json');
    echo json_encode($what);
    exit;
}

if ($route === '/apps/files/') {
    ?>
<!DOCTYPE html>
<title>Files</title>
<form method="post" action="/apps/files/upload" enctype="multipart/form-data">
    <input type="hidden" name="token" value="<?= $token ?>">
    <input type="hidden" name="MAX_FILE_SIZE" value="1000000">
    <input name="about[title]">
    <input type="file" name="files[]">
    <input type="file" name="files[]">
    <input type="file" name="files[]">
    <input type="submit" name="send" value="Send">
</form>
    <?php
    exit;
}
if ($route !== '/apps/files/upload') {
    answer(404, array('error' => $route));
}
if (!hash_equals($token, $_POST['token'] ?? '')) {
    answer(403, array('error' => 'forged'));
}
$taken = array();
foreach ($_FILES['files']['error'] as $n => $error) {
    $file = array('error' => $error);
    foreach (array('name', 'full_path', 'type', 'size') as $what) {
        $file[$what] = $_FILES['files'][$what][$n];
    }
    $to = getenv('FILES') . '/' . bin2hex(random_bytes(8));
    if ($error === UPLOAD_ERR_OK
        && move_uploaded_file($_FILES['files']['tmp_name'][$n], $to)) {
        $file['stored'] = $to;
    }
    $taken[] = $file;
}
answer(200, array('fields' => $_POST, 'files' => $taken));
