/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "ident/ident.h"

#include <stdio.h>

#include "tool/text.h"
#include "tool/output.h"
#include "tool/tool.h"

/* mint and verify: identifiers alone, without a pool. */

static int mint_one(char text[UPOOL_IDENT_TEXT_MAX + 1], const upool_tool *tool)
{
    char id[UPOOL_IDENT_MAX + 1];

    return !upool_ident_mint(id, apr_time_now())
           && !upool_ident_sign(text, id, tool->keys);
}

upool_exit upool_tool_mint(upool_tool *tool)
{
    json_t *list = json_array();
    int i;

    for (i = 0; i < tool->count; i++) {
        char text[UPOOL_IDENT_TEXT_MAX + 1];

        if (!mint_one(text, tool)) {
            json_decref(list);
            upool_tool_complain("no randomness to be had");
            return UPOOL_EXIT_CANNOT;
        }
        if (!tool->json) {
            puts(text);
        }
        else if (json_array_append_new(list, json_string(text))) {
            break;
        }
    }
    if (tool->json && i == tool->count) {
        return upool_tool_print(json_pack("{s:o}", "identifiers", list));
    }
    json_decref(list);
    return tool->json ? upool_tool_print(NULL) : UPOOL_EXIT_GOOD;
}

static const char *verdict_text(upool_ident_verdict verdict)
{
    switch (verdict) {
    case UPOOL_IDENT_GOOD:
        return "good";
    case UPOOL_IDENT_MALFORMED:
        return "malformed";
    case UPOOL_IDENT_UNSIGNED:
        return "unsigned";
    case UPOOL_IDENT_FORGED:
        return "forged";
    case UPOOL_IDENT_UNEXPECTED:
        break;
    }
    return "signed, but there is no key";
}

upool_exit upool_tool_verify(upool_tool *tool)
{
    char id[UPOOL_IDENT_MAX + 1];
    upool_ident_verdict verdict =
        upool_ident_check(tool->args[0], tool->keys, id);
    apr_time_t made = verdict ? 0 : upool_ident_time(id);
    upool_exit ends = UPOOL_EXIT_GOOD;

    if (tool->json) {
        ends = upool_tool_print(json_pack(
            "{s:o, s:s, s:o}", "identifier",
            verdict ? json_null() : json_string(id), "verdict",
            verdict_text(verdict), "made",
            made ? json_string(upool_text_time(made, tool->p)) : json_null()));
    }
    else if (made) {
        printf("%s, made %s\n", verdict_text(verdict),
               upool_text_time(made, tool->p));
    }
    else {
        puts(verdict_text(verdict));
    }
    return ends ? ends : verdict ? UPOOL_EXIT_WRONG : UPOOL_EXIT_GOOD;
}
