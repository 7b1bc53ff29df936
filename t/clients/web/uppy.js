/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
import Uppy from "@uppy/core";
import Tus from "@uppy/tus";
import XHRUpload from "@uppy/xhr-upload";

window.uppy = { Uppy, Tus, XHRUpload };
