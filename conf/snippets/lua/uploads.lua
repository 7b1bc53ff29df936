-- SPDX-License-Identifier: Apache-2.0
-- Copyright the mod_upload_pool authors
--
-- Uploads that mod_upload_pool has taken, for mod_lua with Lua 5.3 or later;
-- with cjson and luaossl (Debian: lua-cjson, lua-luaossl). Nothing in a body is
-- believed before its signature is. What is refused is raised as a table with
-- the status to answer with.

local cjson = require "cjson"
local hmac = require "openssl.hmac"
local rand = require "openssl.rand"

local uploads = {}

-- Bytes of JSON: UploadMaxFields, and UploadInline as base64.
local MOST = 64 << 20

local function refuse(status, text)
    error({ status = status, text = text })
end

-- What is the server's fault: the client is told no path, the log is.
local function trouble(text, path, reason)
    io.stderr:write(path, ": ", reason, "\n")
    refuse(500, text)
end

local REMEDY = 'not readable for this user: have httpd say "UploadFileGroup'
    .. ' GROUP" and "UploadFileMode 0640", and give that group the pool (chgrp'
    .. " GROUP, chmod 710)"
local ENOENT = 2

-- The secrets of the server's UploadKeyFile, one a line, without its comments.
-- The file has to be readable for the server's user, and for nobody else.
function uploads.keys(path)
    local keys = {}
    local file, reason = io.open(path, "rb")
    if not file then
        trouble("the key cannot be read", path, reason)
    end
    for line in file:lines() do
        local key = line:match("^%s*(.-)%s*$")
        if key ~= "" and key:sub(1, 1) ~= "#" then
            keys[#keys + 1] = key
        end
    end
    file:close()
    return #keys > 0 and keys
        or trouble("the key cannot be read", path, "no key in it")
end

local function hex(bytes)
    return (bytes:gsub(".", function(c)
        return string.format("%02x", c:byte())
    end))
end

-- Takes the same time wherever the two differ.
local function same(one, two)
    local difference = #one ~ #two
    for n = 1, math.min(#one, #two) do
        difference = difference | (one:byte(n) ~ two:byte(n))
    end
    return difference == 0
end

-- Over the bytes as they came: JSON that was decoded and encoded again is
-- another text.
local function is_signed(body, signature, keys)
    local good = false
    for _, key in ipairs(keys) do
        local digest = hmac.new(key, "sha256"):final(body)
        good = same("sha256=" .. hex(digest), signature) or good
    end
    return good
end

-- Gone is final for a client: what only cannot be read is not gone.
local function must_be_there(file)
    local source, _, code = io.open(file.path or "", "rb")
    if not source and code ~= ENOENT then
        trouble("the file cannot be read", file.path or "", REMEDY)
    end
    local size = source and source:seek("end")
    if source then
        source:close()
    end
    if size ~= file.size then
        refuse(410, "the file is gone")
    end
end

-- The upload with that identifier in the directory pool, for an application
-- that was told its identifier alone: as receive() gives it, without fields;
-- nil where there is no such upload that is done. The name is checked first,
-- because it becomes part of a path.
function uploads.find(pool, identifier)
    if #identifier > 64 or not identifier:match("^[%w-]+$") then
        return nil
    end
    local bucket = pool .. "/" .. identifier
    local source, _, code = io.open(bucket .. "/metadata.json", "rb")
    if not source then
        if code ~= ENOENT then
            trouble("the upload cannot be read", bucket, REMEDY)
        end
        return nil
    end
    local upload = cjson.decode(source:read("a"))
    source:close()
    if upload.state ~= "done" then
        return nil
    end
    for _, file in ipairs(upload.files) do
        file.path = bucket .. "/" .. file.stored:match("[^/]*$")
        must_be_there(file)
    end
    return upload
end

-- The upload of a request: the object of the JSON, with the values of its
-- fields decoded.
function uploads.receive(r, keys)
    if r.method ~= "POST" then
        refuse(405, "only POST")
    end
    local signature = r.headers_in["X-Upload-Signature"]
    if not signature then
        refuse(403, "not signed")
    end
    local length = tonumber(r.headers_in["Content-Length"]) or 0
    if length > MOST then
        refuse(413, "too much JSON")
    end
    local body = r:requestbody() or ""
    if not is_signed(body, signature, keys) then
        refuse(403, "wrong signature")
    end
    local upload = cjson.decode(body)
    -- A signed body stays signed: it may not pass for another upload's.
    if upload.state ~= "done" or #upload.identifier > 64
        or not upload.identifier:match("^[%w-]+$")
        or upload.identifier ~= r.headers_in["X-Upload-Identifier"] then
        refuse(403, "another upload")
    end
    for _, field in ipairs(upload.fields) do
        if field.encoding == "base64" then
            field.value = r:base64_decode(field.value)
        end
    end
    for _, file in ipairs(upload.files) do
        if not file.content then
            must_be_there(file)
        end
    end
    return upload
end

local function write(path, bytes)
    local out = io.open(path, "wb") or refuse(500, "cannot write")
    local good = out:write(bytes)
    if not out:close() or not good then
        refuse(500, "cannot write")
    end
end

local function copy(from, to)
    local source = io.open(from, "rb") or refuse(410, "the file is gone")
    local target = io.open(to, "wb") or refuse(500, "cannot write")
    local good = true
    for piece in function() return source:read(65536) end do
        good = target:write(piece) and good
    end
    source:close()
    if not target:close() or not good then
        refuse(500, "cannot write")
    end
end

-- A rename fails where the file is to go to another file system.
function uploads.move(from, to)
    if not os.rename(from, to) then
        copy(from, to)
        os.remove(from)
    end
end

-- Moves a file to DIRECTORY/RANDOM/NAME and returns that path. Two files never
-- meet, whatever their clients call them.
function uploads.take(r, file, directory)
    local random = file.content and hex(rand.bytes(8))
        or file.path:match("([^/]*)%.[^./]*$")
    local target = directory .. "/" .. random .. "/" .. file["safe-filename"]
    r:mkdir(directory .. "/" .. random)
    if file.content then
        write(target .. ".part", r:base64_decode(file.content))
    else
        uploads.move(file.path, target .. ".part")
    end
    -- Complete, or not there under its name.
    if not os.rename(target .. ".part", target) then
        trouble("cannot store", target, "cannot be renamed")
    end
    return target
end

-- With "UploadKeep claimed": the upload was received; else it is deleted, also
-- when the script fails.
function uploads.claim(r, upload)
    r.headers_out["X-Upload-Claim"] = upload.identifier
end

return uploads
