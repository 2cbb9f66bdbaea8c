// SPDX-License-Identifier: MIT
#include "dns/message.h"

#include "load.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RANDOM_LABEL_LEN 12u

static bool write_question(const char *name, const char *type, const struct load_options *options,
                           struct load_question *ret)
{
    struct dns_question q = {.class_ = DNS_CLASS_IN};
    char padded[300];
    (void)snprintf(padded, sizeof padded, "%s%s", options->random_label ? "xxxxxxxxxxxx." : "",
                   name);
    if (dns_name_parse(padded, &q.name) != DNS_OK || dns_type_parse(type, &q.type) != DNS_OK)
        return false;
    const struct dns_opt_out opt = {.udp_size = 4096, .dnssec_ok = true};
    uint16_t flags = options->checking_disabled ? DNS_FLAG_RD | DNS_FLAG_CD : DNS_FLAG_RD;
    struct dns_msg_out out;
    dns_msg_out_init(&out, ret->wire, sizeof ret->wire, 0, flags);
    dns_msg_out_question(&out, &q);
    if (options->dnssec_ok)
        dns_msg_out_opt(&out, &opt);
    uint32_t len = dns_msg_out_finish(&out);
    ret->len = (uint16_t)len;
    return len > 0;
}

bool load_questions_read(const char *path, const struct load_options *options,
                         struct load_questions *ret)
{
    FILE *file = fopen(path, "r");
    char line[320];
    char name[256];
    char type[32];
    size_t cap = 0;
    *ret = (struct load_questions){.random = load_now_ns(), .random_label = options->random_label};
    while (file && fgets(line, sizeof line, file)) {
        if (ret->count == cap) {
            cap = cap > 0 ? cap * 2 : 1024;
            struct load_question *more = realloc(ret->item, cap * sizeof *more);
            if (!more)
                break;
            ret->item = more;
        }
        if (sscanf(line, "%255s %31s", name, type) == 2 &&
            write_question(name, type, options, &ret->item[ret->count]))
            ret->count++;
    }
    if (file)
        (void)fclose(file); /* was only read */
    return ret->count > 0;
}

/* A xorshift: good enough for labels that no cache has. */
static void write_random_label(struct load_questions *q, uint8_t *to)
{
    q->random ^= q->random << 13;
    q->random ^= q->random >> 7;
    q->random ^= q->random << 17;
    for (unsigned i = 0; i < RANDOM_LABEL_LEN; i++)
        to[i] = (uint8_t)('a' + (q->random >> (5 * i) & 31) % 26);
}

uint16_t load_questions_next(struct load_questions *q, uint16_t id, uint8_t *to)
{
    const struct load_question *item = &q->item[q->next];
    q->next = q->next + 1 < q->count ? q->next + 1 : 0;
    memcpy(to, item->wire, item->len);
    to[0] = (uint8_t)(id >> 8);
    to[1] = (uint8_t)id;
    if (q->random_label)
        write_random_label(q, to + DNS_HEADER_LEN + 1);
    return item->len;
}
