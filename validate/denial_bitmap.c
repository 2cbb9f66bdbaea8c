// SPDX-License-Identifier: MIT
#include "validate/denial_bitmap.h"

bool val_bitmap_has(struct val_bitmap map, uint16_t type)
{
    return dns_bitmap_has(map.data, map.len, type);
}

bool val_bitmap_parent_side(struct val_bitmap map)
{
    return val_bitmap_has(map, DNS_TYPE_NS) && !val_bitmap_has(map, DNS_TYPE_SOA);
}

/* The types that stand at names with nothing to answer ANY with (RFC 9824 3.1 for the last). */
static bool says_nothing(uint16_t type)
{
    return type == DNS_TYPE_RRSIG || type == DNS_TYPE_NSEC || type == DNS_TYPE_NXNAME;
}

/* Walks the windows (RFC 4034 4.1.2), which the reader of the record has checked. */
static bool has_answer_to_any(struct val_bitmap map)
{
    struct dns_reader r = dns_reader_init(map.data, map.len);
    while (dns_reader_left(&r) > 0) {
        unsigned window = dns_read_u8(&r);
        unsigned octets = dns_read_u8(&r);
        for (unsigned bit = 0; bit < octets * 8; bit++) {
            uint16_t type = (uint16_t)(window << 8 | bit);
            if (val_bitmap_has(map, type) && !says_nothing(type))
                return true;
        }
        (void)dns_read_bytes(&r, octets); /* an error ends the loop */
    }
    return false;
}

bool val_bitmap_nonexistent(struct val_bitmap map)
{
    return val_bitmap_has(map, DNS_TYPE_NXNAME) && !has_answer_to_any(map);
}

bool val_bitmap_denies(struct val_bitmap map, uint16_t qtype, bool root)
{
    if (qtype == DNS_TYPE_ANY)
        return !has_answer_to_any(map);
    if (val_bitmap_has(map, qtype) || val_bitmap_has(map, DNS_TYPE_CNAME))
        return false;
    /* RFC 4035 5.2: DS is the parent's to deny; the root has none above it. */
    if (qtype == DNS_TYPE_DS)
        return root || !val_bitmap_has(map, DNS_TYPE_SOA);
    return !val_bitmap_parent_side(map);
}

enum val_no_ds val_bitmap_no_ds(struct val_bitmap map)
{
    if (val_bitmap_has(map, DNS_TYPE_SOA))
        return VAL_NO_DS_WRONG_SIDE;
    if (val_bitmap_has(map, DNS_TYPE_DS))
        return VAL_NO_DS_UNPROVEN;
    return val_bitmap_has(map, DNS_TYPE_NS) ? VAL_NO_DS_CUT : VAL_NO_DS_NOT_A_CUT;
}
