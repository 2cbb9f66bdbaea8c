// SPDX-License-Identifier: MIT
/* Whatever a state file holds: it is refused with a reason, or its lines written again give the
 * same file. The input is tried as it is, and as a body with its right ends. */
#include "proxy/state_file.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void open_again(const char *text, size_t len, bool must_open)
{
    const char *why = NULL;
    char *body = state_text_open(text, len, "anchors", 1, &why);
    if (!body && (must_open || !why))
        abort();
    if (!body)
        return;
    char *again = state_text_close("anchors", 1, body);
    if (!again || strlen(again) != len || memcmp(again, text, len) != 0)
        abort();
    free(again);
    free(body);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    char *body = malloc(len + 2);
    if (!body)
        abort();
    memcpy(body, data, len);
    open_again(body, len, false);
    body[len] = '\0';
    size_t end = strlen(body); /* a body is a string of whole lines */
    body[end] = '\n';
    body[end + 1] = '\0';
    char *text = state_text_close("anchors", 1, body);
    if (!text)
        abort();
    open_again(text, strlen(text), true);
    free(text);
    free(body);
    return 0;
}
