# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
"""Uploads that mod_upload_pool has taken, for Python 3.7 or later.

    upload = receive(environ, keys("/etc/myapp/upload_pool.key"))
    for file in upload["files"]:
        take(file, "/srv/uploads")

Nothing in a body is believed before its signature is; without a key only where
the server's environment says that it is the module's word.
"""

import base64
import errno
import hashlib
import hmac
import json
import os
import re
import secrets
import shutil
import sys

REMEDY = ("not readable for this user: have httpd say \"UploadFileGroup GROUP\""
          " and \"UploadFileMode 0640\", and give that group the pool (chgrp"
          " GROUP, chmod 710)")
MOST = 64 << 20  # bytes of JSON: UploadMaxFields, and UploadInline as base64


class Refused(Exception):
    """Has the HTTP status to answer with."""

    def __init__(self, status, text):
        super().__init__(text)
        self.status = status


def keys(path):
    """The secrets of the server's UploadKeyFile, one a line, without its
    comments. The file has to be readable for the application, and for nobody
    else."""
    try:
        with open(path, "rb") as file:
            lines = [line.strip() for line in file]
    except OSError as error:
        raise trouble("the key cannot be read", path, error.strerror)
    found = [line for line in lines if line and not line.startswith(b"#")]
    if not found:
        raise trouble("the key cannot be read", path, "no key in it")
    return found


def trouble(text, path, reason):
    """What is the server's fault: the client is told no path, the log is."""
    print("%s: %s" % (path, reason), file=sys.stderr)
    return Refused(500, text)


def keys_of(environ):
    """The keys of the file that UPLOADS_KEY names, which "SetEnv" sets under
    mod_wsgi, and behind a proxy the environment of the process; None without."""
    path = environ.get("UPLOADS_KEY") or os.environ.get("UPLOADS_KEY")
    return keys(path) if path else None


def is_upload(environ):
    """Does the request say that the module has taken it, and told it as JSON?
    Whether that is so, receive() finds out."""
    return ("HTTP_X_UPLOAD_STATE" in environ
            and environ.get("CONTENT_TYPE") == "application/json")


def directory_of(environ):
    """Where the application keeps its files: UPLOADS_DIR, as above."""
    return environ.get("UPLOADS_DIR") or os.environ["UPLOADS_DIR"]


def is_signed(body, signature, secrets_):
    """Over the bytes as they came: JSON that was decoded and encoded again is
    another text. The comparison takes the same time wherever they differ."""
    good = False
    for secret in secrets_:
        expected = "sha256=" + hmac.new(secret, body, hashlib.sha256).hexdigest()
        good |= hmac.compare_digest(expected.encode(), signature)
    return good


def believe(environ, body, secrets_):
    """Refuses what is not the module's word. Headers anybody can send who gets
    past httpd; what stands in the environment without HTTP_ is the server's."""
    signature = environ.get("HTTP_X_UPLOAD_SIGNATURE", "")
    if secrets_ is None:
        if environ.get("UPLOAD_POOL_STATE") != "done":
            print("uploads: behind a proxy an upload needs a key: UploadKeyFile"
                  " in httpd (with \"UploadKeyUse handoff\", where forms bring"
                  " no identifier), and UPLOADS_KEY here", file=sys.stderr)
            raise Refused(403, "not signed")
    elif not signature:
        raise Refused(403, "not signed")
    elif not is_signed(body, signature.encode("latin-1"), secrets_):
        raise Refused(403, "wrong signature")


def receive(environ, secrets_, read=None):
    """The upload of a WSGI request: the object of the JSON, with the values of
    its fields decoded (bytes where they are not UTF-8). read: what reads so many
    bytes of the body, where a framework has an opinion on who does."""
    if environ["REQUEST_METHOD"] != "POST":
        raise Refused(405, "only POST")
    length = int(environ.get("CONTENT_LENGTH") or 0)
    if length > MOST:
        raise Refused(413, "too much JSON")
    body = (read or environ["wsgi.input"].read)(length)
    believe(environ, body, secrets_)
    upload = json.loads(body)
    # A signed body stays signed: it may not pass for another upload's.
    if (upload["state"] != "done"
            or not re.fullmatch("[A-Za-z0-9-]{1,64}", upload["identifier"])
            or upload["identifier"] != environ.get("HTTP_X_UPLOAD_IDENTIFIER")):
        raise Refused(403, "another upload")
    for field in upload["fields"]:
        if field.get("encoding") == "base64":
            field["value"] = base64.b64decode(field["value"])
    for file in upload["files"]:
        if "content" in file:
            file["content"] = base64.b64decode(file["content"])
        else:
            must_be_there(file)
    return upload


def must_be_there(file):
    """Gone is final for a client: what only cannot be read is not gone."""
    path = file.get("path") or ""
    try:
        size = os.path.getsize(path)
    except OSError as error:
        if error.errno in (errno.EACCES, errno.EPERM):
            raise trouble("the file cannot be read", path, REMEDY)
        size = None
    if size != file["size"]:
        raise Refused(410, "the file is gone")
    if not os.access(path, os.R_OK):
        raise trouble("the file cannot be read", path, REMEDY)


def find(pool, identifier):
    """The upload with that identifier in the directory POOL, for an application
    that was told its identifier alone: as receive() gives it, without fields.
    None where there is no such upload that is done. The name is checked first,
    because it becomes part of a path."""
    if not re.fullmatch("[A-Za-z0-9-]{1,64}", identifier):
        return None
    bucket = os.path.join(pool, identifier)
    try:
        with open(os.path.join(bucket, "metadata.json"), "rb") as file:
            upload = json.load(file)
    except OSError as error:
        if error.errno in (errno.EACCES, errno.EPERM):
            raise trouble("the upload cannot be read", bucket, REMEDY)
        return None
    if upload["state"] != "done":
        return None
    for file in upload["files"]:
        file["path"] = os.path.join(bucket, os.path.basename(file["stored"]))
        must_be_there(file)
    return upload


def take(file, directory):
    """Moves a file to DIRECTORY/RANDOM/NAME and returns that path. Two files
    never meet, whatever their clients call them."""
    if "content" in file:
        random = secrets.token_hex(8)
    else:
        random = os.path.splitext(os.path.basename(file["path"]))[0]
    target = os.path.join(directory, random, file["safe-filename"])
    os.makedirs(os.path.dirname(target), mode=0o750, exist_ok=True)
    if "content" in file:
        with open(target + ".part", "wb") as out:
            out.write(file["content"])
    else:
        move(file["path"], target + ".part")
    # Complete, or not there under its name.
    os.rename(target + ".part", target)
    return target


def move(source, target):
    """A rename fails where the file is to go to another file system, or the
    application is another user than httpd."""
    try:
        os.rename(source, target)
        return
    except OSError:
        shutil.copyfile(source, target)
    try:
        os.unlink(source)
    except OSError:
        pass


def claim(upload):
    """A header of the answer. With "UploadKeep claimed": the upload was
    received; else it is deleted, also when the application dies."""
    return ("X-Upload-Claim", upload["identifier"])
