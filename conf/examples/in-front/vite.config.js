// SPDX-License-Identifier: Apache-2.0
// Copyright the mod_upload_pool authors
//
// Vite's development server in front of the upload server
//
// Enough for forms and tus. Vite answers OPTIONS itself, and drops the trailers
// of a request.
export default {
    server: {
        proxy: { '/upload': 'http://127.0.0.1:8080' },
    },
};
