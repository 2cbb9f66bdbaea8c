// SPDX-License-Identifier: MIT
/* Whatever the file says, reading it ends, a refusal says why, and what is taken can be used. */
#include "proxy/anchors_xml.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct val_anchors *anchors = val_anchors_new();
    struct anchors_xml_error error = {0};
    char *text = malloc(len + 1);
    if (!anchors || !text)
        abort();
    memcpy(text, data, len);
    text[len] = '\0';
    if (!anchors_xml_add(anchors, "fuzz", text, len, &error) &&
        (error.text[0] == '\0' || error.line == 0))
        abort();
    for (uint32_t i = 0; i < val_anchors_count(anchors); i++) {
        struct val_anchor anchor = val_anchors_at(anchors, i);
        struct dns_ds ds;
        if (dns_ds_read(dns_reader_init(anchor.ds.data, anchor.ds.len), &ds) != DNS_OK)
            abort();
    }
    val_anchors_free(anchors);
    free(text);
    return 0;
}
