// SPDX-License-Identifier: MIT
/* Two octets of type, then RDATA: what prints must parse to the same octets. And the same octets as
 * a line of text: what parses must print. */
#include "dns/rdata.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void must(bool holds)
{
    if (!holds)
        abort();
}

/* SvcParams beyond what dns_svcparams_parse() takes: too many, too long, or "mandatory" ones that
 * are not there. */
static bool may_refuse(uint16_t type, enum dns_err err)
{
    return (type == DNS_TYPE_SVCB || type == DNS_TYPE_HTTPS) &&
           (err == DNS_E_FORM || err == DNS_E_SPACE || err == DNS_E_COUNT);
}

static bool go_round(uint16_t type, const uint8_t *rdata, uint32_t len)
{
    static char text[5u * 65535u];
    static uint8_t again[65535];
    struct dns_writer w = dns_writer_init(again, sizeof again);
    size_t n = dns_rdata_text(type, rdata, len, text, sizeof text);
    if (n == 0)
        return false;
    must(n == strlen(text));
    enum dns_err err = dns_rdata_parse(type, text, &dns_root, &w);
    if (may_refuse(type, err))
        return true;
    must(err == DNS_OK && w.off == len && memcmp(again, rdata, len) == 0);
    must(dns_rdata_canonical(type, again, len) == DNS_OK);
    return true;
}

static void read_typed(const uint8_t *rdata, uint32_t len)
{
    struct dns_reader r = dns_reader_init(rdata, len);
    struct dns_ds ds;
    struct dns_dnskey key;
    struct dns_rrsig sig;
    struct dns_soa soa;
    struct dns_nsec nsec;
    struct dns_nsec3 nsec3;
    /* Whether they can be read is not the question here, only that nothing else is. */
    (void)dns_ds_read(r, &ds);
    (void)dns_dnskey_read(r, &key);
    (void)dns_rrsig_read(r, &sig);
    (void)dns_soa_read(r, &soa);
    (void)dns_key_tag(rdata, len);
    if (dns_nsec_read(r, &nsec) == DNS_OK)
        (void)dns_bitmap_has(nsec.bitmap, nsec.bitmap_len, DNS_TYPE_NS);
    if (dns_nsec3_read(r, &nsec3) == DNS_OK)
        (void)dns_bitmap_has(nsec3.bitmap, nsec3.bitmap_len, 65535);
}

static void read_line(const uint8_t *data, size_t len)
{
    static uint8_t rdata[65535];
    static char line[65536];
    struct dns_writer w = dns_writer_init(rdata, sizeof rdata);
    struct dns_line parsed;
    if (len >= sizeof line)
        return;
    memcpy(line, data, len);
    line[len] = '\0';
    if (dns_line_parse(line, &dns_root, 60, &parsed, &w) == DNS_OK)
        must(go_round(parsed.type, rdata, w.off));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    read_line(data, len);
    if (len < 2 || len > 65535)
        return 0;
    uint16_t type = (uint16_t)(data[0] << 8 | data[1]);
    (void)go_round(type, data + 2, (uint32_t)len - 2);
    read_typed(data + 2, (uint32_t)len - 2);
    return 0;
}
