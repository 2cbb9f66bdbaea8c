// SPDX-License-Identifier: MIT
#include "doh/spread.h"

#include <libpsl.h>
#include <string.h>

#define LABELS_MAX 8u /* the longest rule of the list has five */

/* --- registrable domains --------------------------------------------------------------------- */

/* The list's rules are dotted text: a label with a dot in it, or in no known character set, is not
 * to be mistaken for some of that. */
static bool is_hostlike(const uint8_t *label)
{
    for (unsigned i = 1; i <= label[0]; i++) {
        uint8_t c = label[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!letter && !(c >= '0' && c <= '9') && c != '-' && c != '_')
            return false;
    }
    return true;
}

/* The last labels as the list has them: "example.co.uk". */
static unsigned hostlike_tail(const struct dns_name *name, char text[static DNS_NAME_TEXT_MAX])
{
    unsigned labels = 0;
    while (labels < name->labels && labels < LABELS_MAX &&
           is_hostlike(name->wire + dns_name_suffix_off(name, labels + 1)))
        labels++;
    struct dns_name tail = dns_name_suffix(name, labels);
    dns_name_lower(&tail);
    text[dns_name_text(&tail, text) - 1] = '\0'; /* without its final dot */
    return labels;
}

static unsigned labels_of(const char *domain)
{
    unsigned labels = 1;
    while ((domain = strchr(domain, '.')) != NULL) {
        domain++;
        labels++;
    }
    return labels;
}

/* Where the list cannot be asked. */
static unsigned guessed_labels(const struct dns_name *name)
{
    if (name->labels < 3)
        return name->labels;
    unsigned last = name->wire[dns_name_suffix_off(name, 1)];
    unsigned before = name->wire[dns_name_suffix_off(name, 2)];
    return last == 2 && before <= 3 ? 3 : 2;
}

static unsigned registrable_labels(const struct dns_name *name)
{
    char text[DNS_NAME_TEXT_MAX];
    const psl_ctx_t *list = psl_builtin(); /* NULL where the library was built without */
    unsigned known = hostlike_tail(name, text);
    const char *domain = list && known > 0 ? psl_registrable_domain(list, text) : NULL;
    if (domain)
        return labels_of(domain);
    return list && known == name->labels ? known
                                         : guessed_labels(name); /* itself a suffix, or odd */
}

/* --- numbers --------------------------------------------------------------------------------- */

/* FNV-1a, whose upper bits are poor, and a finalizer for that. Who can foresee the numbers gains
 * nothing. */
static uint64_t hash_octets(const uint8_t *octets, size_t len)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < len; i++)
        h = (h ^ octets[i]) * UINT64_C(0x100000001b3);
    return h;
}

static uint64_t mix(uint64_t h)
{
    h = (h ^ (h >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    h = (h ^ (h >> 27)) * UINT64_C(0x94d049bb133111eb);
    return h ^ (h >> 31);
}

uint64_t doh_spread_hash(const struct dns_name *name)
{
    struct dns_name domain = dns_name_suffix(name, registrable_labels(name));
    dns_name_lower(&domain);
    return mix(hash_octets(domain.wire, domain.len));
}

uint64_t doh_spread_weight(uint64_t hash, uint64_t identity)
{
    return mix(hash ^ identity);
}

uint64_t doh_spread_identity(const char *text)
{
    return hash_octets((const uint8_t *)text, strlen(text));
}
