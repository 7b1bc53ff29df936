/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
import * as tus from "tus-js-client";

window.tus = tus;
