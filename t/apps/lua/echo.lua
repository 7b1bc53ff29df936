-- SPDX-License-Identifier: Apache-2.0
-- Copyright the mod_upload_pool authors
--
-- The probe of t/cgi-bin/echo.pl for mod_lua; its JSON has what it needs.

local function quote(text)
    return '"' .. text:gsub('[%c"\\]', function(c)
        return string.format("\\u%04x", c:byte())
    end) .. '"'
end

-- Moves every file to the sibling "taken" of the pool.
local function take(r, body)
    local taken = {}
    for path in body:gmatch('"path": ?"([^"]*)"') do
        local file = io.open(path, "rb")
        local digest = r:sha1(file:read("*a"))
        file:close()
        local to = path:gsub("/[^/]*/[^/]*/([^/]*)$", "/taken/%1")
        if os.rename(path, to) then
            taken[#taken + 1] = '{"alg":"sha-1","hex":"' .. digest
                .. '","to":' .. quote(to) .. "}"
        end
    end
    return ',"taken":[' .. table.concat(taken, ",") .. "]"
end

function handle(r)
    local body = ""
    local query = "&" .. (r.args or "") .. "&"
    if r.method ~= "GET" and not query:find("&unread&") then
        body = r:requestbody() or ""
    end
    local taken = query:find("&take&") and take(r, body) or ""
    local env = {}
    for _, name in ipairs({ "UPLOAD_POOL_STATE", "UPLOAD_POOL_IDENTIFIER",
                            "UPLOAD_POOL_PATH", "UPLOAD_POOL_SIZE",
                            "UPLOAD_POOL_FILES", "UPLOAD_POOL_URL" }) do
        local value = r.subprocess_env[name]
        if value then
            env[#env + 1] = quote(name) .. ":" .. quote(value)
        end
    end
    env[#env + 1] = '"CONTENT_TYPE":'
        .. quote(r.headers_in["Content-Type"] or "")
    env[#env + 1] = '"CONTENT_LENGTH":'
        .. quote(r.headers_in["Content-Length"] or "")
    r.content_type = "application/json"
    r:puts('{"via":"mod_lua","method":' .. quote(r.method)
        .. ',"url":' .. quote(r.unparsed_uri) .. ',"length":' .. #body
        .. ',"env":{' .. table.concat(env, ",") .. '},"body":'
        .. quote(body) .. taken .. "}")
    return apache2.OK
end
