// SPDX-License-Identifier: MIT
/* Trust anchors as zone-file lines, and the built-in ones. */
#include "validate/anchors.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The root's keys as IANA publishes them (root-anchors.xml, RFC 9718): KSK-2017 and KSK-2024. */
static const char builtin[] =
    ". IN DS 20326 8 2 E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D\n"
    ". IN DS 38696 8 2 683D2D0ACB8C9B712A1948B27F741219298D0A450D612C483AF444A4C0FB2B16\n";

/* RFC 5011 2.1: what is revoked is no anchor; nor is what may not sign a zone. */
enum dns_err val_anchor_ds_of(const struct dns_name *zone, const uint8_t *dnskey, uint32_t len,
                              struct dns_writer *w)
{
    struct dns_dnskey key;
    uint8_t digest[48];
    if (dns_dnskey_read(dns_reader_init(dnskey, len), &key) != DNS_OK || key.protocol != 3 ||
        (key.flags & DNS_KEY_ZONE) == 0 || (key.flags & DNS_KEY_REVOKE) != 0)
        return DNS_E_FORM;
    uint32_t digest_len = val_ds_digest(zone, dnskey, len, DNS_DIGEST_SHA256, digest);
    if (digest_len == 0)
        return DNS_E_FORM;
    dns_write_u16(w, dns_key_tag(dnskey, len));
    dns_write_u8(w, key.algorithm);
    dns_write_u8(w, DNS_DIGEST_SHA256);
    dns_write_bytes(w, digest, digest_len);
    return w->err;
}

/* A line without its comment; neither DS nor DNSKEY has quoted fields. NULL when out of memory. */
static char *uncomment(const char *line)
{
    return strndup(line, strcspn(line, ";#\r\n"));
}

static bool is_blank(const char *line)
{
    return line[strspn(line, " \t")] == '\0';
}

static enum dns_err record_add(struct val_anchors *anchors, const char *line, const char *source)
{
    uint8_t rdata[2048], made[64]; /* a DNSKEY of RSA-4096 has about 520 octets */
    struct dns_line record;
    struct dns_writer w = dns_writer_init(rdata, sizeof(rdata));
    enum dns_err err = dns_line_parse(line, &dns_root, 0, &record, &w);
    if (err != DNS_OK)
        return err;
    if (record.class_ != DNS_CLASS_IN ||
        (record.type != DNS_TYPE_DS && record.type != DNS_TYPE_DNSKEY))
        return DNS_E_FORM;
    struct val_anchor anchor = {record.owner, {rdata, w.off}, 0, VAL_ANCHOR_ALWAYS, source};
    struct dns_writer ds = dns_writer_init(made, sizeof(made));
    if (record.type == DNS_TYPE_DNSKEY) {
        err = val_anchor_ds_of(&record.owner, rdata, w.off, &ds);
        anchor.ds = (struct val_rdata){made, ds.off};
    }
    return err == DNS_OK ? val_anchors_add(anchors, &anchor) : err;
}

static enum dns_err line_add(struct val_anchors *anchors, const char *line, const char *source)
{
    char *bare = uncomment(line);
    if (!bare)
        return DNS_E_SPACE;
    enum dns_err err = is_blank(bare) ? DNS_OK : record_add(anchors, bare, source);
    free(bare);
    return err;
}

enum dns_err val_anchors_add_line(struct val_anchors *anchors, const char *line)
{
    return line_add(anchors, line, "a line");
}

static enum dns_err numbered_add(struct val_anchors *anchors, const char *name, unsigned number,
                                 const char *text, size_t len)
{
    enum dns_err err = DNS_E_SPACE;
    char *source = NULL;
    char *line = strndup(text, len);
    if (line && asprintf(&source, "%s:%u", name, number) > 0)
        err = line_add(anchors, line, source);
    free(source);
    free(line);
    return err;
}

enum dns_err val_anchors_add_file(struct val_anchors *anchors, const char *name, const char *text,
                                  unsigned *ret_line)
{
    for (unsigned number = 1; *text; number++) {
        size_t len = strcspn(text, "\n");
        enum dns_err err = numbered_add(anchors, name, number, text, len);
        if (err != DNS_OK) {
            *ret_line = number;
            return err;
        }
        text += len + (text[len] == '\n' ? 1 : 0);
    }
    return DNS_OK;
}

enum dns_err val_anchors_add_text(struct val_anchors *anchors, const char *text, unsigned *ret_line)
{
    return val_anchors_add_file(anchors, "line", text, ret_line);
}

enum dns_err val_anchors_add_builtin(struct val_anchors *anchors)
{
    unsigned line;
    return val_anchors_add_file(anchors, "builtin", builtin, &line);
}
