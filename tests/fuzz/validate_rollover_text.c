// SPDX-License-Identifier: MIT
/* Whatever a state file says: it is refused and changes nothing, or it is written again octet for
 * octet, and no key of it came out of a hold-down that was shorter than RFC 5011 asks for. */
#include "validate/rollover.h"

#include <stdlib.h>
#include <string.h>

#define NOW_S UINT64_C(1800000000)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check_keys(const struct val_rollover *rollover)
{
    struct val_rollover_key keys[64];
    uint32_t count = val_rollover_keys(rollover, 0, keys, 64);
    for (uint32_t i = 0; i < count; i++)
        if (keys[i].since_s > NOW_S + 3600 ||
            (keys[i].state == VAL_ROLLOVER_ADDPEND &&
             keys[i].due_s - keys[i].since_s < VAL_ROLLOVER_HOLD_S))
            abort();
}

static void check(struct val_rollover *rollover, const char *text)
{
    uint64_t until_s;
    char *before = val_rollover_text(rollover);
    const char *why = val_rollover_read(rollover, text, NOW_S);
    char *after = val_rollover_text(rollover);
    if (!before || !after || (why && strcmp(before, after) != 0))
        abort();
    if (!why && val_rollover_seen_s(rollover, 0) > 0 && !strstr(text, after))
        abort(); /* the zone that is followed, as it was read: its anchors are the same */
    check_keys(rollover);
    struct val_anchors *used = val_rollover_anchors(rollover, NOW_S, &until_s);
    if (!used || val_anchors_find(used, &dns_root, NOW_S).kind != VAL_ANCHOR_POSITIVE)
        abort(); /* perhaps closed, but never forgotten */
    val_anchors_unref(used);
    free(before);
    free(after);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct val_anchors *anchors = val_anchors_new();
    if (!anchors || val_anchors_add_builtin(anchors) != DNS_OK)
        abort();
    struct val_rollover *rollover = val_rollover_new(anchors);
    char *text = malloc(len + 1);
    if (!rollover || !text)
        abort();
    memcpy(text, data, len);
    text[len] = '\0';
    check(rollover, text);
    free(text);
    val_rollover_free(rollover);
    val_anchors_unref(anchors);
    return 0;
}
