// SPDX-License-Identifier: MIT
#include "tests/upstream/world_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct word {
    const char *text;
    unsigned bit;
};

static const struct word ds_words[] = {
    {"none", 0},
    {"good", DS_GOOD},
    {"sha1", DS_SHA1},
    {"sha384", DS_SHA384},
    {"wrong", DS_WRONG},
    {"unknown-alg", DS_UNKNOWN_ALGORITHM},
    {"unknown-digest", DS_UNKNOWN_DIGEST},
    {NULL, 0},
};

static const struct word fault_words[] = {
    {"expired", FAULT_EXPIRED},
    {"future", FAULT_FUTURE},
    {"inverted", FAULT_INVERTED},
    {"corrupt", FAULT_CORRUPT},
    {"unsigned-data", FAULT_UNSIGNED_DATA},
    {"unsigned-keys", FAULT_UNSIGNED_KEYS},
    {"zsk-only", FAULT_ZSK_ONLY},
    {"revoked", FAULT_REVOKED},
    {"no-zone-flag", FAULT_NO_ZONE_FLAG},
    {"keytrap", FAULT_KEYTRAP},
    {"sigjam", FAULT_SIGJAM},
    {"lockcram", FAULT_LOCKCRAM},
    {"hashtrap", FAULT_HASHTRAP},
    {NULL, 0},
};

/* A comma separated list of the table's words, as a set. `list` is cut into pieces. */
static bool read_words(const struct word *words, char *list, unsigned *ret)
{
    unsigned bits = 0;
    char *rest = NULL;
    for (char *one = strtok_r(list, ",", &rest); one; one = strtok_r(NULL, ",", &rest)) {
        const struct word *word = words;
        while (word->text && strcmp(word->text, one) != 0)
            word++;
        if (!word->text)
            return false;
        bits |= word->bit;
    }
    *ret = bits;
    return true;
}

static bool read_number(const char *text, unsigned long max, unsigned long *ret)
{
    char *end;
    *ret = strtoul(text, &end, 10);
    return end != text && *end == '\0' && *ret <= max;
}

static bool read_denial(struct zone *zone, const char *value)
{
    zone->nsec3 = strcmp(value, "nsec") != 0;
    zone->opt_out = strcmp(value, "optout") == 0;
    return !zone->nsec3 || zone->opt_out || strcmp(value, "nsec3") == 0;
}

static bool read_salt(struct arena *arena, struct zone *zone, const char *value)
{
    uint8_t salt[255];
    struct dns_writer w = dns_writer_init(salt, sizeof salt);
    if (dns_hex_read(value, &w) != DNS_OK)
        return false;
    zone->salt = (struct octets){arena_copy(arena, salt, w.off), (uint16_t)w.off};
    return true;
}

static bool set_option(struct arena *arena, struct zone *zone, const char *key, char *value)
{
    unsigned long n = 0;
    if (strcmp(key, "denial") == 0)
        return read_denial(zone, value);
    if (strcmp(key, "salt") == 0)
        return read_salt(arena, zone, value);
    if (strcmp(key, "ds") == 0)
        return read_words(ds_words, value, &zone->ds);
    if (strcmp(key, "fault") == 0)
        return read_words(fault_words, value, &zone->faults);
    if (strcmp(key, "keys") == 0) {
        zone->csk = strcmp(value, "csk") == 0;
        return zone->csk || strcmp(value, "split") == 0;
    }
    if (!read_number(value, UINT32_MAX, &n))
        return false;
    if (strcmp(key, "alg") == 0)
        zone->algorithm = (uint8_t)n;
    else if (strcmp(key, "iterations") == 0)
        zone->iterations = (uint16_t)n;
    else if (strcmp(key, "ttl") == 0)
        zone->ttl_s = (uint32_t)n;
    else if (strcmp(key, "rsa") == 0 && n >= 512 && n <= 4096)
        zone->rsa_bits = (unsigned)n;
    else
        return false;
    return true;
}

static bool read_option(struct arena *arena, struct zone *zone, char *option)
{
    if (strcmp(option, "unsigned") == 0) {
        zone->is_signed = false;
        zone->ds = 0; /* ds= behind it still makes a DS that points at nothing */
        return true;
    }
    char *value = strchr(option, '=');
    if (!value)
        return false;
    *value++ = '\0';
    return set_option(arena, zone, option, value);
}

/* "NAME option…"; the word that cannot be used is left in *ret_bad. */
static bool read_zone(struct world *world, char *text, const char **ret_bad)
{
    char *rest = NULL;
    const char *name = strtok_r(text, " \t", &rest);
    struct zone *zone = arena_alloc(&world->arena, sizeof *zone);
    zone->is_signed = true;
    zone->algorithm = DNS_ALG_ECDSAP256;
    zone->rsa_bits = 2048;
    zone->ttl_s = 300;
    zone->ds = DS_GOOD;
    *ret_bad = name ? name : "a zone without a name";
    if (!name || dns_name_parse(name, &zone->name) != DNS_OK || world->zone_count == ZONES_MAX)
        return false;
    for (char *one = strtok_r(NULL, " \t", &rest); one; one = strtok_r(NULL, " \t", &rest)) {
        *ret_bad = one;
        if (!read_option(&world->arena, zone, one))
            return false;
    }
    world->zone[world->zone_count++] = zone;
    return true;
}

static enum dns_err read_record(struct world *world, const char *text)
{
    if (world->zone_count == 0)
        return DNS_E_TEXT;
    struct zone *zone = world->zone[world->zone_count - 1];
    char apex[DNS_NAME_TEXT_MAX], line[6000];
    uint8_t rdata[4096];
    struct dns_line parsed;
    struct dns_writer w = dns_writer_init(rdata, sizeof rdata);
    if (text[0] == '@') { /* the apex */
        (void)dns_name_text(&zone->name, apex);
        (void)snprintf(line, sizeof line, "%s%s", apex, text + 1);
        text = line;
    }
    enum dns_err err = dns_line_parse(text, &zone->name, zone->ttl_s, &parsed, &w);
    if (err == DNS_OK && !dns_name_within(&parsed.owner, &zone->name))
        err = DNS_E_FORM;
    if (err == DNS_OK)
        zone_add(&world->arena, zone, &parsed.owner, parsed.type, parsed.ttl_s, rdata, w.off);
    return err;
}

static bool read_line(struct world *world, char *line, char *why, size_t why_cap)
{
    line[strcspn(line, "\r\n")] = '\0';
    line += strspn(line, " \t");
    if (line[0] == '\0' || line[0] == '#')
        return true;
    if (strncmp(line, "zone ", 5) == 0) {
        const char *bad = NULL;
        bool ok = read_zone(world, line + 5, &bad);
        if (!ok)
            (void)snprintf(why, why_cap, "cannot use \"%s\"", bad);
        return ok;
    }
    enum dns_err err = read_record(world, line);
    if (err != DNS_OK)
        (void)snprintf(why, why_cap, "%s: %s", dns_err_text(err), line);
    return err == DNS_OK;
}

bool world_file_read(struct world *world, const char *path, char *error, size_t error_cap)
{
    FILE *file = fopen(path, "re");
    if (!file) {
        (void)snprintf(error, error_cap, "%s: cannot be opened", path);
        return false;
    }
    char line[4096], why[4200];
    unsigned number = 0;
    bool ok = true;
    while (ok && fgets(line, sizeof line, file)) {
        number++;
        ok = read_line(world, line, why, sizeof why);
    }
    (void)fclose(file);
    if (!ok)
        (void)snprintf(error, error_cap, "%s:%u: %s", path, number, why);
    return ok;
}
