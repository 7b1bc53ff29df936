/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/* upload-pool.js as a module: one file cannot be a script and export. */
import "./upload-pool.js";
export const { upload, mint, limits, objection, pending, forget,
               UploadError } = globalThis.UploadPool;
