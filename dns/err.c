// SPDX-License-Identifier: MIT
#include "dns/err.h"

const char *dns_err_text(enum dns_err err)
{
#define X(id, words)                                                                               \
    case id: return words;
    switch (err) {
        DNS_ERRORS(X)
    }
#undef X
    return "unknown";
}
