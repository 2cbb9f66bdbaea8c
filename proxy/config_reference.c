// SPDX-License-Identifier: MIT
/* The reference of every key, from the reader's own table: plain text, the manual's section
 * (mdoc), and a JSON Schema for editors. */
#include "proxy/config_reference.h"

#include "proxy/config_value.h"

#include <inttypes.h>
#include <string.h>

static void plain_keys(FILE *out, const struct config_key *keys, const char *prefix)
{
    for (const struct config_key *key = keys; key->name; key++) {
        char path[128];
        (void)snprintf(path, sizeof path, "%s%s%s", prefix, *prefix ? "." : "", key->name);
        (void)fprintf(out, "%s: %s", path, config_kind_text(key));
        for (int i = 0; key->kind == CONFIG_WORD && key->words[i]; i++)
            (void)fprintf(out, "%s%s", i ? ", " : ": ", key->words[i]);
        if (key->fallback)
            (void)fprintf(out, "; default %s", key->fallback);
        (void)fprintf(out, "%s\n    %s\n", key->required ? "; required" : "", key->doc);
        if (key->kind == CONFIG_MAP)
            plain_keys(out, key->children, path);
        else if (key->kind == CONFIG_LIST && key->children[0].kind == CONFIG_MAP) {
            (void)strncat(path, "[]", sizeof path - strlen(path) - 1);
            plain_keys(out, key->children[0].children, path);
        }
    }
}

void config_reference(FILE *out)
{
    plain_keys(out, config_root.children, "");
}

/* One sentence a line, as mdoc wants it. */
static void mdoc_text(FILE *out, const char *text)
{
    for (const char *p = text; *p; p++) {
        (void)fputc(*p == ' ' && p > text && p[-1] == '.' ? '\n' : *p, out);
    }
    (void)fputc('\n', out);
}

static void mdoc_keys(FILE *out, const struct config_key *keys, const char *prefix)
{
    for (const struct config_key *key = keys; key->name; key++) {
        char path[128];
        (void)snprintf(path, sizeof path, "%s%s%s", prefix, *prefix ? "." : "", key->name);
        bool nested = key->kind == CONFIG_LIST && key->children[0].kind == CONFIG_MAP;
        (void)fprintf(out, ".It Cm %s\n", path);
        mdoc_text(out, key->doc);
        if (key->kind != CONFIG_MAP) {
            (void)fprintf(out, "It is %s", config_kind_text(key));
            for (int i = 0; key->kind == CONFIG_WORD && key->words[i]; i++)
                (void)fprintf(out, "%s%s", i ? ", " : ": ", key->words[i]);
            if (key->fallback)
                (void)fprintf(out, "; default %s", key->fallback);
            (void)fprintf(out, "%s.\n", key->required ? "; required" : "");
        }
        if (key->kind == CONFIG_MAP || nested)
            mdoc_keys(out, nested ? key->children[0].children : key->children, path);
    }
}

void config_reference_mdoc(FILE *out)
{
    (void)fprintf(out, ".Bl -tag -width Ds\n");
    mdoc_keys(out, config_root.children, "");
    (void)fprintf(out, ".El\n");
}

static void json_string(FILE *out, const char *text)
{
    (void)fputc('"', out);
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            (void)fputc('\\', out);
        (void)fputc(*text, out);
    }
    (void)fputc('"', out);
}

static void json_object(FILE *out, const struct config_key *keys);

static void json_key(FILE *out, const struct config_key *key)
{
    (void)fprintf(out, "{");
    if (key->doc) {
        (void)fprintf(out, "\"description\": ");
        json_string(out, key->doc);
        (void)fprintf(out, ", ");
    }
    switch (key->kind) {
    case CONFIG_MAP: json_object(out, key->children); break;
    case CONFIG_LIST:
        (void)fprintf(out, "\"type\": %s, \"items\": ",
                      key->or_one ? "[\"array\", \"string\"]" : "\"array\"");
        json_key(out, &key->children[0]);
        break;
    case CONFIG_BOOL: (void)fprintf(out, "\"type\": \"boolean\""); break;
    case CONFIG_COUNT:
        (void)fprintf(out, "\"type\": %s, \"minimum\": %" PRIu64 ", \"maximum\": %" PRIu64,
                      key->words ? "[\"integer\", \"string\"]" : "\"integer\"", key->min, key->max);
        break;
    case CONFIG_WORD:
        (void)fprintf(out, "\"enum\": [");
        for (int i = 0; key->words[i]; i++) {
            (void)fprintf(out, "%s", i ? ", " : "");
            json_string(out, key->words[i]);
        }
        (void)fprintf(out, "]");
        break;
    default: (void)fprintf(out, "\"type\": \"string\""); break;
    }
    (void)fprintf(out, "}");
}

/* The body of an object's schema, without its braces. */
static void json_object(FILE *out, const struct config_key *keys)
{
    (void)fprintf(out, "\"type\": \"object\", \"additionalProperties\": false, \"properties\": {");
    for (const struct config_key *key = keys; key->name; key++) {
        (void)fprintf(out, "%s\n", key == keys ? "" : ",");
        json_string(out, key->name);
        (void)fprintf(out, ": ");
        json_key(out, key);
    }
    (void)fprintf(out, "}");
    uint32_t required = 0;
    for (const struct config_key *key = keys; key->name; key++) {
        if (!key->required)
            continue;
        (void)fprintf(out, "%s", required++ ? ", " : ", \"required\": [");
        json_string(out, key->name);
    }
    if (required > 0)
        (void)fprintf(out, "]");
}

void config_reference_json(FILE *out)
{
    (void)fprintf(out, "{\"$schema\": \"https://json-schema.org/draft/2020-12/schema\", ");
    json_object(out, config_root.children);
    (void)fprintf(out, "}\n");
}
