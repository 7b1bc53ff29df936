<?php
/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors
 *
 * The probe of t/cgi-bin/echo.pl as a PHP application. */
$body = file_get_contents('php://input');
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
if (isset($_GET['status'])) {
    http_response_code((int) $_GET['status']);
}
header('Content-Type: application/json');
echo json_encode($said, JSON_INVALID_UTF8_SUBSTITUTE);
