<?php
/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors
 *
 * The probe of t/cgi-bin/echo.pl as a PHP application. */
if (isset($_GET['unread'])) {
    $body = '';
} elseif (isset($_GET['part'])) {
    $body = file_get_contents('php://input', false, null, 0,
        (int) $_GET['part']);
} else {
    $body = file_get_contents('php://input');
}
$env = array();
foreach ($_SERVER as $name => $value) {
    if (is_string($value)) {
        $env[$name] = $value;
    }
}
$said = array('via' => 'php-' . PHP_SAPI, 'method' => $_SERVER['REQUEST_METHOD'],
    'url' => $_SERVER['REQUEST_URI'], 'length' => strlen($body), 'env' => $env,
    'files' => count($_FILES), 'post' => count($_POST));
if (preg_match('//u', $body)) {
    $said['body'] = $body;
} else {
    $said['body_base64'] = base64_encode($body);
}
/* Moves every file to the sibling "taken" of the pool. */
if (isset($_GET['take'])) {
    $said['taken'] = array();
    $upload = json_decode($body, true);
    foreach ($upload['files'] as $file) {
        $digest = hash_file('sha256', $file['path']);
        $to = dirname($file['path'], 3) . '/taken/' . basename($file['path']);
        if (rename($file['path'], $to)) {
            $said['taken'][] = array('alg' => 'sha-256', 'hex' => $digest,
                'to' => $to);
        }
    }
}
if (isset($_GET['claim'])) {
    header('X-Upload-Claim: ' . $_SERVER['UPLOAD_POOL_IDENTIFIER']);
}
if (isset($_GET['fatal'])) {
    ini_set('display_errors', '0');
    no_such_function();
}
if (isset($_GET['status'])) {
    http_response_code((int) $_GET['status']);
}
header('Content-Type: application/json');
echo json_encode($said, JSON_INVALID_UTF8_SUBSTITUTE);
