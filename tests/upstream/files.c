// SPDX-License-Identifier: MIT
#include "tests/upstream/files.h"

#include "tests/upstream/keys.h"

#include <stdio.h>
#include <unistd.h>

enum { PATH_LEN = 4096, TEXT_LEN = 4096 };

static FILE *open_in(const char *dir, const char *file)
{
    char path[PATH_LEN];
    (void)snprintf(path, sizeof path, "%s/%s", dir, file);
    return fopen(path, "we");
}

static void print_record(FILE *out, const struct dns_name *owner, const char *type, uint16_t number,
                         struct octets rdata)
{
    char name[DNS_NAME_TEXT_MAX], text[TEXT_LEN];
    (void)dns_name_text(owner, name);
    if (dns_rdata_text(number, rdata.data, rdata.len, text, sizeof text) > 0)
        (void)fprintf(out, "%s IN %s %s\n", name, type, text);
}

static void print_zone(FILE *ds, FILE *keys, struct arena *scratch, const struct zone *zone)
{
    const struct zone_key *key = &zone->key[0];
    print_record(ds, &zone->name, "DS", DNS_TYPE_DS, key_ds(scratch, &zone->name, key, DS_GOOD));
    print_record(keys, &zone->name, "DNSKEY", DNS_TYPE_DNSKEY, key->dnskey);
}

bool files_write_anchors(const struct world *world, const char *dir)
{
    struct arena scratch = {0};
    FILE *ds = open_in(dir, "root.ds"), *keys = open_in(dir, "root.key");
    for (unsigned i = 0; ds && keys && i < world->zone_count; i++)
        if (!world->zone[i]->parent && world->zone[i]->is_signed)
            print_zone(ds, keys, &scratch, world->zone[i]);
    arena_free(&scratch);
    bool ok = ds && keys;
    if (ds)
        ok = fclose(ds) == 0 && ok;
    if (keys)
        ok = fclose(keys) == 0 && ok;
    return ok;
}

bool files_write_ready(const char *dir, uint16_t port, uint16_t control_port, uint16_t plain_port)
{
    char from[PATH_LEN], to[PATH_LEN];
    (void)snprintf(from, sizeof from, "%s/ready.new", dir);
    (void)snprintf(to, sizeof to, "%s/ready", dir);
    FILE *out = fopen(from, "we");
    if (!out)
        return false;
    (void)fprintf(out, "port=%u\ncontrol_port=%u\nplain_port=%u\npid=%d\n", port, control_port,
                  plain_port, (int)getpid());
    return fclose(out) == 0 && rename(from, to) == 0;
}
