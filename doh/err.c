// SPDX-License-Identifier: MIT
#include "doh/pool.h"

const char *doh_err_text(enum doh_err err)
{
    switch (err) {
#define X(id, words, ede)                                                                          \
    case id: return words;
        DOH_ERRORS(X)
#undef X
    }
    return "unknown";
}

uint16_t doh_err_ede(enum doh_err err)
{
    switch (err) {
#define X(id, words, ede)                                                                          \
    case id: return ede;
        DOH_ERRORS(X)
#undef X
    }
    return DNS_EDE_OTHER;
}
