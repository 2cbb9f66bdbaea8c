/* SPDX-License-Identifier: MIT */
/* Domain names (RFC 1035 3.1, 4.1.4, 5.1; comparison RFC 4343; canonical order RFC 4034 6.1).
 * A struct dns_name is always a valid, uncompressed, absolute name; its case is kept as read. */
#ifndef DNS_NAME_H
#define DNS_NAME_H

#include "dns/reader.h"
#include "dns/writer.h"

#define DNS_NAME_MAX 255u
#define DNS_LABEL_MAX 63u
#define DNS_NAME_TEXT_MAX 1020u /* every octet as \DDD, dots and the final NUL included */

struct dns_name {
    uint8_t len;    /* octets in wire, 1 (the root) to 255 */
    uint8_t labels; /* without the root label, 0 to 127 */
    uint8_t wire[DNS_NAME_MAX];
};

extern const struct dns_name dns_root;

/* Reads a name, compressed or not, and moves r past it. Pointers must point strictly before the
 * place where the label sequence that holds them began, so that following them always ends; more
 * than 127 of them for one name are DNS_E_POINTER, too. After an error r has not moved. */
enum dns_err dns_name_read(struct dns_reader *r, struct dns_name *ret);

/* The same where compression is not allowed: a pointer is DNS_E_POINTER. */
enum dns_err dns_name_read_plain(struct dns_reader *r, struct dns_name *ret);

/* Reads an uncompressed name of exactly `len` octets (canonical RDATA, cache keys). */
enum dns_err dns_name_from_wire(const void *wire, size_t len, struct dns_name *ret);

/* Presentation form (RFC 1035 5.1): "\." and "\DDD" escapes; a missing final dot is added.
 * "." is the root, "" is an error. */
enum dns_err dns_name_parse(const char *text, struct dns_name *ret);

/* The same for master files: "@" is the origin, and a name without a final dot lies below it. */
enum dns_err dns_name_parse_relative(const char *text, const struct dns_name *origin,
                                     struct dns_name *ret);

/* Writes the absolute name with its final dot and a NUL; everything but letters, digits and
 * hyphen, underscore and other harmless graphic characters is escaped. Returns strlen. */
size_t dns_name_text(const struct dns_name *name, char text[static DNS_NAME_TEXT_MAX]);

void dns_write_name(struct dns_writer *w, const struct dns_name *name); /* uncompressed */

bool dns_name_equal(const struct dns_name *a, const struct dns_name *b); /* ASCII case ignored */

/* The same as an assignment, only that it leaves out what is behind the name's end. Names are some
 * 20 octets, so where every answer comes by, that is worth a call. */
void dns_name_copy(struct dns_name *ret, const struct dns_name *name);

/* Canonical order of RFC 4034 6.1: <0, 0, >0. */
int dns_name_compare(const struct dns_name *a, const struct dns_name *b);

/* `name` is `ancestor` itself or lies below it. Every name lies below the root. */
bool dns_name_within(const struct dns_name *name, const struct dns_name *ancestor);

/* How many labels the two names have in common, counted from the root. */
unsigned dns_name_common_labels(const struct dns_name *a, const struct dns_name *b);

/* The ancestor-or-self with just `labels` labels (<= name->labels). */
struct dns_name dns_name_suffix(const struct dns_name *name, unsigned labels);

/* Offset in wire of the suffix with `labels` labels (<= name->labels). */
unsigned dns_name_suffix_off(const struct dns_name *name, unsigned labels);

/* "*." before name; DNS_E_NAME_LONG when that does not fit (RFC 4592). */
enum dns_err dns_name_wildcard(const struct dns_name *name, struct dns_name *ret);
bool dns_name_is_wildcard(const struct dns_name *name); /* its leftmost label is a lone "*" */

/* DNAME substitution (RFC 6672 2.2): replaces the suffix `owner` of `name` by `target`.
 * DNS_E_FORM when name is not below owner, DNS_E_NAME_LONG when the result does not fit. */
enum dns_err dns_name_substitute(const struct dns_name *name, const struct dns_name *owner,
                                 const struct dns_name *target, struct dns_name *ret);

/* First label of `label_len` octets before `parent` (NSEC3 owner names, demo names). */
enum dns_err dns_name_prepend(const void *label, size_t label_len, const struct dns_name *parent,
                              struct dns_name *ret);

void dns_name_lower(struct dns_name *name); /* ASCII letters to lower case, in place */

#endif
