// SPDX-License-Identifier: MIT
#include "proxy/config_errors.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define LINE_MAX_LEN 160u

/* The source line with a caret below. */
static void show_line(const struct config_errors *errors, size_t line, size_t column)
{
    const char *p = errors->text;
    const char *end = errors->text + errors->len;
    for (size_t i = 0; i < line && p; i++) {
        p = memchr(p, '\n', (size_t)(end - p));
        p = p ? p + 1 : NULL;
    }
    if (!p || p >= end)
        return;
    const char *stop = memchr(p, '\n', (size_t)(end - p));
    size_t len = (size_t)((stop ? stop : end) - p);
    if (len > LINE_MAX_LEN || memchr(p, '\0', len))
        return;
    (void)fprintf(errors->out, "    %.*s\n    %*s^\n", (int)len, p, (int)column, "");
}

static void say(struct config_errors *errors, yaml_mark_t mark, const char *format, va_list args)
{
    (void)fprintf(errors->out, "%s:%zu:%zu: error: ", errors->path, mark.line + 1, mark.column + 1);
    (void)vfprintf(errors->out, format, args);
    (void)fputc('\n', errors->out);
    show_line(errors, mark.line, mark.column);
    errors->count++;
}

void config_error_at(struct config_errors *errors, yaml_mark_t mark, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    say(errors, mark, format, args);
    va_end(args);
}

/* --- places by name -------------------------------------------------------------------------- */

static yaml_node_t *value_of(yaml_document_t *document, const yaml_node_t *map, const char *key,
                             size_t len)
{
    if (map->type != YAML_MAPPING_NODE)
        return NULL;
    for (const yaml_node_pair_t *p = map->data.mapping.pairs.start; p < map->data.mapping.pairs.top;
         p++) {
        const yaml_node_t *name = yaml_document_get_node(document, p->key);
        if (name->type == YAML_SCALAR_NODE && name->data.scalar.length == len &&
            memcmp(name->data.scalar.value, key, len) == 0)
            return yaml_document_get_node(document, p->value);
    }
    return NULL;
}

static yaml_node_t *element_of(yaml_document_t *document, yaml_node_t *list, unsigned long index)
{
    if (list->type != YAML_SEQUENCE_NODE)
        return NULL; /* perhaps the only one, without brackets: its place is known */
    yaml_node_item_t *item = list->data.sequence.items.start;
    unsigned long count = (unsigned long)(list->data.sequence.items.top - item);
    return index < count ? yaml_document_get_node(document, item[index]) : NULL;
}

static yaml_mark_t mark_of(yaml_document_t *document, const char *where)
{
    yaml_node_t *node = document ? yaml_document_get_root_node(document) : NULL;
    yaml_mark_t mark = {0};
    while (node) {
        mark = node->start_mark;
        if (*where == '[') {
            char *end;
            node = element_of(document, node, strtoul(where + 1, &end, 10));
            where = end + 1; /* behind the bracket */
            continue;
        }
        where += *where == '.';
        size_t len = strcspn(where, ".[");
        node = len > 0 ? value_of(document, node, where, len) : NULL;
        where += len;
    }
    return mark;
}

void config_error_of(struct config_errors *errors, const char *where, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    say(errors, mark_of(errors->document, where), format, args);
    va_end(args);
}
