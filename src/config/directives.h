/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_CONFIG_DIRECTIVES_H
#define UPOOL_CONFIG_DIRECTIVES_H

/* The table of directives.  S D H: server configuration, directory sections,
 * .htaccess (AllowOverride Options). */

#include <httpd.h>
#include <http_config.h>

extern const command_rec upool_directives[];

#endif
