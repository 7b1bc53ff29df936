-- SPDX-License-Identifier: Apache-2.0
-- Copyright the mod_upload_pool authors
--
-- An input filter that hands on what it reads.

function filter(r)
    coroutine.yield()
    while bucket do
        coroutine.yield(bucket)
    end
end
