-- SPDX-License-Identifier: Apache-2.0
-- Copyright the mod_upload_pool authors
--
-- Receives uploads under mod_lua.
--
--     LuaPackagePath /srv/app/?.lua
--     <Location "/upload.lua">
--         UploadPool /var/lib/upload_pool
--         UploadKeyFile /etc/apache2/upload_pool.key
--         UploadKeep claimed
--         SetEnv UPLOADS_KEY /etc/myapp/upload_pool.key
--         SetEnv UPLOADS_DIR /srv/uploads
--         SetHandler lua-script
--     </Location>

local cjson = require "cjson"
local uploads = require "uploads"

local function receive(r)
    local env = r.subprocess_env
    local upload = uploads.receive(r, uploads.keys(env["UPLOADS_KEY"]))
    local said = { identifier = upload.identifier,
                   files = setmetatable({}, cjson.array_mt),
                   fields = setmetatable({}, cjson.array_mt) }
    for n, file in ipairs(upload.files) do
        said.files[n] = { field = file.field, filename = file.filename,
                          stored = uploads.take(r, file, env["UPLOADS_DIR"]) }
    end
    for n, field in ipairs(upload.fields) do
        said.fields[n] = { name = field.name, bytes = #field.value }
    end
    uploads.claim(r, upload)
    return said
end

function handle(r)
    local good, said = pcall(receive, r)
    if not good then
        -- What is no refusal is for the error log.
        if type(said) ~= "table" then
            r:err(said)
            said = { status = 500, text = "failed" }
        end
        r.status = said.status
        said = { error = said.text }
    end
    r.content_type = "application/json"
    r:puts(cjson.encode(said))
    return apache2.OK
end
