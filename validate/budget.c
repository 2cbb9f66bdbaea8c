// SPDX-License-Identifier: MIT
#include "validate/budget.h"

const struct val_limits val_limits_default = {
    .crypto_units = 240,
    .failed_signatures = 6,
    .sha1_blocks = 1024,
    .fetches = 24,
    .flights = 5,
    .slice_units = 8,
    .rrsigs_per_rrset = 4,
    .keys_per_tag = 2,
    .ds_per_zone = 8,
    .keys_per_zone = 32,
    .nsec3_per_message = 8,
    .nsec_per_message = 12,
    .rrsets_per_message = 32,
    .hops = 12,
    .zones = 16,
    .labels = 20,
};

struct val_budget val_budget_init(const struct val_limits *limits)
{
    return (struct val_budget){
        .limits = *limits,
        .crypto_units = limits->crypto_units,
        .failed_signatures = limits->failed_signatures,
        .sha1_blocks = limits->sha1_blocks,
        .fetches = limits->fetches,
        .flights = limits->flights,
        .slice_units = limits->slice_units,
    };
}

bool val_budget_take(uint32_t *left, uint32_t amount)
{
    if (amount > *left)
        return false;
    *left -= amount;
    return true;
}
