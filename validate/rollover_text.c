// SPDX-License-Identifier: MIT
/* The state of followed keys as text:
 *
 *   zone NAME BASIS SEEN DUE TTL EXPIRES
 *   key STATE SINCE DUE FLAGS ALGORITHM BASE64
 *
 * one blank between words, numbers without leading zeros, keys below their zone. What is read must
 * be octet for octet what would be written: so there is one form of each state, and nothing that a
 * half-understood line could mean. */
#include "validate/rollover_parts.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_MAX_LEN 2048u /* a name, escaped, has 1004; a key in base64 about 1500 */
#define WORDS_MAX 7u

/* --- writing --------------------------------------------------------------------------------- */

static uint32_t lines(const struct val_rollover *rollover)
{
    uint32_t count = rollover->zone_count;
    for (uint32_t i = 0; i < rollover->zone_count; i++)
        count += rollover->zone[i].key_count;
    return count;
}

static size_t write_zone(char *line, const struct rollover_zone *z)
{
    char name[DNS_NAME_TEXT_MAX];
    (void)dns_name_text(&z->name, name);
    return (size_t)snprintf(line, LINE_MAX_LEN,
                            "zone %s %s %" PRIu64 " %" PRIu64 " %" PRIu32 " %" PRIu64 "\n", name,
                            z->basis, z->seen_s, z->due_s, z->ttl_s, z->expires_s);
}

static size_t write_key(char *line, const struct rollover_key *k)
{
    char key[ROLLOVER_RDATA_MAX / 3 * 4 + 8];
    (void)dns_base64_text(k->rdata + 4, k->len - 4u, key, sizeof key); /* it fits */
    return (size_t)snprintf(line, LINE_MAX_LEN, "key %s %" PRIu64 " %" PRIu64 " %u %u %s\n",
                            val_rollover_state_text(k->state), k->since_s, k->due_s,
                            (unsigned)k->rdata[0] << 8 | k->rdata[1], k->rdata[3], key);
}

/* Every line fits into LINE_MAX_LEN, with its NUL. */
char *val_rollover_text(const struct val_rollover *rollover)
{
    char *text = malloc((size_t)lines(rollover) * LINE_MAX_LEN + 1);
    size_t len = 0;
    if (!text)
        return NULL;
    text[0] = '\0';
    for (uint32_t i = 0; i < rollover->zone_count; i++) {
        const struct rollover_zone *z = &rollover->zone[i];
        len += write_zone(text + len, z);
        for (uint32_t j = 0; j < z->key_count; j++)
            len += write_key(text + len, &z->key[j]);
    }
    return text;
}

/* --- reading --------------------------------------------------------------------------------- */

struct reading {
    struct val_rollover *into; /* a table of its own */
    uint64_t now_s;
    const char *why; /* the first failure */
};

/* Splits a line in place at single blanks. */
static unsigned split(char *line, char *word[static WORDS_MAX])
{
    unsigned count = 0;
    char *rest = line;
    for (char *at = strsep(&rest, " "); at; at = strsep(&rest, " ")) {
        if (count == WORDS_MAX)
            return 0;
        word[count++] = at;
    }
    return count;
}

static bool number(const char *text, uint64_t most, uint64_t *ret)
{
    uint64_t value = 0;
    if (*text == '\0')
        return false;
    for (; *text >= '0' && *text <= '9'; text++) {
        uint64_t digit = (uint64_t)(*text - '0');
        if (value > (most - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    *ret = value;
    return *text == '\0';
}

static bool state_named(const char *text, enum val_rollover_state *ret)
{
    for (int s = VAL_ROLLOVER_ADDPEND; s < VAL_ROLLOVER_STATE_COUNT; s++) {
        if (!strcmp(val_rollover_state_text((enum val_rollover_state)s), text)) {
            *ret = (enum val_rollover_state)s;
            return true;
        }
    }
    return false;
}

static bool is_future(const struct reading *r, uint64_t moment_s)
{
    return moment_s > r->now_s + VAL_ROLLOVER_HOUR_S; /* a clock may be set back a little */
}

static bool is_basis(const char *word)
{
    return strlen(word) == ROLLOVER_BASIS_LEN &&
           strspn(word, "0123456789abcdef") == ROLLOVER_BASIS_LEN;
}

static const char *read_zone(struct reading *r, char *word[static WORDS_MAX], unsigned count)
{
    struct dns_name name;
    uint64_t ttl_s;
    if (count != 7 || dns_name_parse(word[1], &name) != DNS_OK || !is_basis(word[2]))
        return "a zone line is malformed";
    if (rollover_zone_find(r->into, &name))
        return "a zone is there twice";
    struct rollover_zone *z = rollover_zone_add(r->into, &name);
    if (!z)
        return "more zones than are followed";
    memcpy(z->basis, word[2], sizeof z->basis);
    if (!number(word[3], UINT64_MAX / 2, &z->seen_s) ||
        !number(word[4], UINT64_MAX / 2, &z->due_s) || !number(word[5], UINT32_MAX, &ttl_s) ||
        !number(word[6], UINT64_MAX / 2, &z->expires_s))
        return "a zone line is malformed";
    z->ttl_s = (uint32_t)ttl_s;
    /* RFC 5011 2.3: no look is put off for more than 15 days. */
    bool late = z->due_s > r->now_s + 15 * VAL_ROLLOVER_DAY_S + VAL_ROLLOVER_HOUR_S;
    return late || is_future(r, z->seen_s) ? "it is from the future" : NULL;
}

static const char *read_rdata(char *word[static WORDS_MAX], struct rollover_key *k)
{
    uint64_t flags;
    uint64_t algorithm;
    struct dns_writer w = dns_writer_init(k->rdata, sizeof k->rdata);
    if (!number(word[4], UINT16_MAX, &flags) || !number(word[5], UINT8_MAX, &algorithm) ||
        (flags & DNS_KEY_REVOKE) != 0 || (flags & DNS_KEY_ZONE) == 0)
        return "a key line is malformed";
    dns_write_u16(&w, (uint16_t)flags);
    dns_write_u8(&w, 3);
    dns_write_u8(&w, (uint8_t)algorithm);
    if (dns_base64_read(word[6], &w) != DNS_OK || w.off <= 4)
        return "a key is malformed";
    k->len = (uint16_t)w.off;
    return NULL;
}

static bool is_there(const struct rollover_zone *z, const struct rollover_key *k)
{
    for (uint32_t i = 0; i + 1 < z->key_count; i++)
        if (z->key[i].len == k->len && memcmp(z->key[i].rdata, k->rdata, k->len) == 0)
            return true;
    return false;
}

static const char *read_key(struct reading *r, char *word[static WORDS_MAX], unsigned count)
{
    struct rollover_zone *z =
        r->into->zone_count > 0 ? &r->into->zone[r->into->zone_count - 1] : NULL;
    if (!z)
        return "a key stands before its zone";
    if (z->key_count == ROLLOVER_KEYS_MAX)
        return "more keys than are followed";
    struct rollover_key *k = &z->key[z->key_count++];
    *k = (struct rollover_key){.state = VAL_ROLLOVER_START};
    if (count != 7 || !state_named(word[1], &k->state) ||
        !number(word[2], UINT64_MAX / 2, &k->since_s) ||
        !number(word[3], UINT64_MAX / 2, &k->due_s))
        return "a key line is malformed";
    const char *why = read_rdata(word, k);
    if (why)
        return why;
    if (is_there(z, k))
        return "a key is there twice";
    if (is_future(r, k->since_s))
        return "it is from the future";
    /* RFC 5011 2.4.1: nothing shortens the hold-down. */
    bool held = k->due_s >= k->since_s + VAL_ROLLOVER_HOLD_S;
    if (k->state == VAL_ROLLOVER_ADDPEND ? !held : k->due_s != 0)
        return "a hold-down is wrong";
    return NULL;
}

static const char *read_line(struct reading *r, const char *text, size_t len)
{
    char line[LINE_MAX_LEN];
    char *word[WORDS_MAX];
    if (len >= sizeof line)
        return "a line is too long";
    memcpy(line, text, len);
    line[len] = '\0';
    unsigned count = split(line, word);
    if (count > 0 && !strcmp(word[0], "zone"))
        return read_zone(r, word, count);
    if (count > 0 && !strcmp(word[0], "key"))
        return read_key(r, word, count);
    return "a line is neither zone nor key";
}

static const char *read_all(struct reading *r, const char *text)
{
    const char *why = NULL;
    for (const char *p = text; *p && !why;) {
        const char *end = strchr(p, '\n');
        if (!end)
            return "the last line is cut off";
        why = read_line(r, p, (size_t)(end - p));
        p = end + 1;
    }
    char *again = why ? NULL : val_rollover_text(r->into);
    if (!why && !again)
        why = "out of memory";
    if (!why && strcmp(again, text) != 0)
        why = "it is not as it would be written";
    free(again);
    return why;
}

/* Zones change places, so that nothing has to be copied. What was learnt under other configured
 * anchors is not trusted now. */
static void take_over(struct val_rollover *rollover, struct val_rollover *read)
{
    for (uint32_t i = 0; i < read->zone_count; i++) {
        struct rollover_zone *z = rollover_zone_find(rollover, &read->zone[i].name);
        if (!z)
            continue;
        struct rollover_zone had = *z;
        *z = read->zone[i];
        read->zone[i] = had;
        if (strcmp(z->basis, had.basis) != 0)
            rollover_zone_forget_trust(z);
        memcpy(z->basis, had.basis, sizeof z->basis);
    }
}

const char *val_rollover_read(struct val_rollover *rollover, const char *text, uint64_t now_s)
{
    struct val_anchors *none = val_anchors_new();
    struct reading r = {.into = none ? val_rollover_new(none) : NULL, .now_s = now_s};
    const char *why = r.into ? read_all(&r, text) : "out of memory";
    if (!why)
        take_over(rollover, r.into);
    val_rollover_free(r.into);
    val_anchors_unref(none);
    return why;
}
