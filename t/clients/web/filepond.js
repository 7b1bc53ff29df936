/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
import * as FilePond from "filepond";

window.FilePond = FilePond;
