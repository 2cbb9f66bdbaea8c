/* SPDX-License-Identifier: MIT */
/* Signatures that verified before. That one does, over these octets and by this key, is true for
 * good: times, labels, signer and key are judged anew each time, only the arithmetic is spared. So
 * denials of one zone, which come with every name that it lacks, cost their check once.
 *
 * Failures are not remembered: they are rare, counted by the budget, and somebody else's choice. */
#ifndef VALIDATE_MEMO_H
#define VALIDATE_MEMO_H

#include "validate/zone.h"

/* Half of a SHA-256 over a secret, the key, the signature and what it signs. Whoever cannot compute
 * it cannot look for two of them that are equal either. */
struct val_memo_tag {
    uint64_t word[2];
};

struct val_memo {
    bool (*find)(void *arg, const struct val_memo_tag *tag);
    void (*learn)(void *arg, const struct val_memo_tag *tag);
    void *arg;
    uint8_t secret[16];
};

void val_memo_key_id(uint8_t algorithm, const uint8_t *key, size_t len, uint8_t ret[static 16]);
struct val_memo_tag val_memo_tag(const struct val_memo *memo, const struct val_key *key,
                                 const uint8_t *data, size_t len, const uint8_t *sig,
                                 size_t sig_len);

#endif
