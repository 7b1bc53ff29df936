/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
import jQuery from "jquery";
import "blueimp-file-upload/js/jquery.fileupload.js";
import Dropzone from "dropzone";
import Flow from "@flowjs/flow.js";
import Resumable from "resumablejs";
import Uploader from "simple-uploader.js";
import qq from "fine-uploader/lib/core";

Dropzone.autoDiscover = false;
window.chunks = { jQuery, Dropzone, Flow, Resumable, Uploader, qq };
