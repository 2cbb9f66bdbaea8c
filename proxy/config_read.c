// SPDX-License-Identifier: MIT
/* The YAML file walked along the table of config_schema.c. Every error is reported with its place;
 * reading goes on after each, so that all come at once. */
#include "doh/pool.h"
#include "proxy/config_errors.h"
#include "proxy/config_finish.h"
#include "proxy/config_value.h"

#include <yaml.h>

#include <errno.h>
#include <libgen.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define FILE_MAX (1u << 20)

struct reading {
    char *folder; /* where relative paths start */
    char *text;   /* the whole file */
    size_t len;
    yaml_document_t document;
    struct config_errors errors;
};

static yaml_node_t *node_at(struct reading *r, int index)
{
    return yaml_document_get_node(&r->document, index);
}

static const char *scalar(const yaml_node_t *node)
{
    return node->type == YAML_SCALAR_NODE ? (const char *)node->data.scalar.value : NULL;
}

static void read_node(struct reading *r, const struct config_key *key, yaml_node_t *node,
                      void *base);

/* Grows a list by one zeroed element and returns it. */
static void *append(const struct config_key *list, void *base)
{
    char **items = (char **)((char *)base + list->offset);
    uint32_t *count = (uint32_t *)(void *)((char *)base + list->count_offset);
    char *grown = realloc(*items, (*count + 1u) * list->element_size);
    if (!grown)
        return NULL;
    *items = grown;
    void *element = grown + *count * list->element_size;
    memset(element, 0, list->element_size);
    (*count)++;
    return element;
}

/* Empties a list of its defaults, because the file has its own. */
static void reset_list(const struct config_key *list, void *base)
{
    char **items = (char **)((char *)base + list->offset);
    uint32_t *count = (uint32_t *)(void *)((char *)base + list->count_offset);
    enum config_kind kind = list->children[0].kind;
    for (uint32_t i = 0; i < *count; i++)
        if (kind == CONFIG_STRING || kind == CONFIG_PATH || kind == CONFIG_URL)
            free(((char **)(void *)*items)[i]);
    free(*items);
    *items = NULL;
    *count = 0;
}

static void default_list(const struct config_key *list, void *base, const char *folder)
{
    char expected[CONFIG_WORDS_MAX];
    for (const char *p = list->fallback; *p; p += strspn(p, " ")) {
        size_t len = strcspn(p, " ");
        char *word = strndup(p, len);
        void *at = word ? append(list, base) : NULL;
        if (at)
            (void)config_value_store(&list->children[0], word, folder, at, expected); /* as below */
        free(word);
        p += len;
    }
}

static void defaults(const struct config_key *keys, void *base, const char *folder)
{
    char expected[CONFIG_WORDS_MAX];
    for (const struct config_key *key = keys; key->name; key++) {
        if (key->kind == CONFIG_MAP)
            defaults(key->children, base, folder);
        else if (key->kind == CONFIG_LIST && key->fallback)
            default_list(key, base, folder);
        else if (key->fallback)
            (void)config_value_store(key, key->fallback, folder, (char *)base + key->offset,
                                     expected); /* the table's own texts; a unit test reads each */
    }
}

static void read_element(struct reading *r, const struct config_key *list, yaml_node_t *node,
                         void *base)
{
    void *at = append(list, base);
    if (!at) {
        config_error_at(&r->errors, node->start_mark, "%s: out of memory", list->name);
        return;
    }
    struct config_key named = list->children[0];
    if (named.kind == CONFIG_MAP)
        defaults(named.children, at, r->folder);
    named.name = list->name;
    read_node(r, &named, node, at);
}

static void read_list(struct reading *r, const struct config_key *key, yaml_node_t *node,
                      void *base)
{
    reset_list(key, base);
    if (key->or_one && node->type == YAML_SCALAR_NODE) {
        read_element(r, key, node, base);
        return;
    }
    if (node->type != YAML_SEQUENCE_NODE) {
        config_error_at(&r->errors, node->start_mark,
                        "%s: expected a list (lines that start with '-')", key->name);
        return;
    }
    for (yaml_node_item_t *item = node->data.sequence.items.start;
         item < node->data.sequence.items.top; item++)
        read_element(r, key, node_at(r, *item), base);
}

static bool seen_before(struct reading *r, yaml_node_t *map, const yaml_node_pair_t *pair,
                        const char *name)
{
    for (const yaml_node_pair_t *p = map->data.mapping.pairs.start; p < pair; p++) {
        const char *other = scalar(node_at(r, p->key));
        if (other && !strcmp(other, name))
            return true;
    }
    return false;
}

static const struct config_key *key_named(const struct config_key *keys, const char *name)
{
    for (const struct config_key *key = keys; key->name; key++)
        if (!strcmp(key->name, name))
            return key;
    return NULL;
}

static void read_pair(struct reading *r, const struct config_key *map, yaml_node_t *node,
                      const yaml_node_pair_t *pair, void *base)
{
    const yaml_node_t *name_node = node_at(r, pair->key);
    const char *name = scalar(name_node);
    const char *where = map->name[0] ? map->name : "the file";
    if (!name) {
        config_error_at(&r->errors, name_node->start_mark, "a key of %s is not a plain word",
                        where);
        return;
    }
    if (seen_before(r, node, pair, name)) {
        config_error_at(&r->errors, name_node->start_mark, "key '%s' is given twice in %s", name,
                        where);
        return;
    }
    const struct config_key *key = key_named(map->children, name);
    if (!key) {
        const struct config_key *nearest = config_nearest(map->children, name);
        config_error_at(&r->errors, name_node->start_mark, "unknown key '%s' in %s%s%s%s", name,
                        where, nearest ? "; did you mean '" : "", nearest ? nearest->name : "",
                        nearest ? "'?" : "");
        return;
    }
    read_node(r, key, node_at(r, pair->value),
              key->kind == CONFIG_MAP || key->kind == CONFIG_LIST ? base
                                                                  : (char *)base + key->offset);
}

static void read_map(struct reading *r, const struct config_key *key, yaml_node_t *node, void *base)
{
    if (node->type != YAML_MAPPING_NODE) {
        config_error_at(&r->errors, node->start_mark, "%s: expected keys with values (key: value)",
                        key->name[0] ? key->name : "the file");
        return;
    }
    for (yaml_node_pair_t *pair = node->data.mapping.pairs.start;
         pair < node->data.mapping.pairs.top; pair++)
        read_pair(r, key, node, pair, base);
    for (const struct config_key *child = key->children; child->name; child++) {
        if (!child->required)
            continue;
        bool given = false;
        for (yaml_node_pair_t *pair = node->data.mapping.pairs.start;
             pair < node->data.mapping.pairs.top; pair++) {
            const char *name = scalar(node_at(r, pair->key));
            given = given || (name && !strcmp(name, child->name));
        }
        if (!given)
            config_error_at(&r->errors, node->start_mark, "%s%skey '%s' is missing: %s", key->name,
                            key->name[0] ? ": " : "", child->name, config_kind_text(child));
    }
}

static void read_node(struct reading *r, const struct config_key *key, yaml_node_t *node,
                      void *base)
{
    if (key->kind == CONFIG_MAP) {
        read_map(r, key, node, base);
        return;
    }
    if (key->kind == CONFIG_LIST) {
        read_list(r, key, node, base);
        return;
    }
    const char *text = scalar(node);
    if (!text || strlen(text) != node->data.scalar.length) {
        config_error_at(&r->errors, node->start_mark, "%s: expected %s", key->name,
                        config_kind_text(key));
        return;
    }
    char expected[CONFIG_WORDS_MAX];
    if (!config_value_store(key, text, r->folder, base, expected))
        config_error_at(&r->errors, node->start_mark, "%s: '%s' is not %s", key->name, text,
                        expected);
}

static bool load_file(struct reading *r)
{
    FILE *f = fopen(r->errors.path, "rb");
    if (!f) {
        (void)fprintf(r->errors.out, "%s: error: %s\n", r->errors.path, strerror(errno));
        return false;
    }
    r->text = malloc(FILE_MAX + 1u);
    r->len = r->text ? fread(r->text, 1, FILE_MAX + 1u, f) : 0;
    bool broken = !r->text || ferror(f);
    (void)fclose(f); /* only read from */
    if (broken || r->len > FILE_MAX) {
        (void)fprintf(r->errors.out, "%s: error: %s\n", r->errors.path,
                      broken ? "cannot be read" : "larger than 1 MiB");
        return false;
    }
    r->text[r->len] = '\0';
    r->errors.text = r->text;
    r->errors.len = r->len;
    return true;
}

static void parser_error(struct reading *r, const yaml_parser_t *parser)
{
    yaml_mark_t mark = parser->problem_mark;
    if (parser->error == YAML_READER_ERROR) { /* has an offset only: count the lines up to it */
        mark = (yaml_mark_t){0};
        for (size_t i = 0; i < parser->problem_offset && i < r->len; i++) {
            mark.column = r->text[i] == '\n' ? 0 : mark.column + 1;
            mark.line += r->text[i] == '\n';
        }
    }
    config_error_at(&r->errors, mark, "not valid YAML: %s%s%s",
                    parser->problem ? parser->problem : "cannot be read",
                    parser->context ? ", " : "", parser->context ? parser->context : "");
    if (mark.line < r->len && strchr(r->text, '[') && parser->problem &&
        strstr(parser->problem, "expected"))
        (void)fprintf(r->errors.out,
                      "    (an IPv6 address with a port is written \"[::1]:53\", quoted)\n");
}

/* Anchors and aliases make shared and circular nodes, which nothing here has a use for. */
static bool refuse_aliases(struct reading *r)
{
    yaml_parser_t parser;
    if (!yaml_parser_initialize(&parser))
        return false;
    yaml_parser_set_input_string(&parser, (const unsigned char *)r->text, r->len);
    unsigned before = r->errors.count;
    for (bool end = false; !end && r->errors.count == before;) {
        yaml_event_t event;
        if (!yaml_parser_parse(&parser, &event)) {
            parser_error(r, &parser);
            break;
        }
        const yaml_char_t *anchor =
            event.type == YAML_ALIAS_EVENT            ? event.data.alias.anchor
            : event.type == YAML_SCALAR_EVENT         ? event.data.scalar.anchor
            : event.type == YAML_MAPPING_START_EVENT  ? event.data.mapping_start.anchor
            : event.type == YAML_SEQUENCE_START_EVENT ? event.data.sequence_start.anchor
                                                      : NULL;
        if (anchor)
            config_error_at(&r->errors, event.start_mark,
                            "anchors and aliases (& and *) are not taken here");
        end = event.type == YAML_STREAM_END_EVENT;
        yaml_event_delete(&event);
    }
    yaml_parser_delete(&parser);
    return r->errors.count == before;
}

static bool second_document(yaml_parser_t *parser, yaml_mark_t *ret)
{
    yaml_document_t next;
    if (!yaml_parser_load(parser, &next))
        return false;
    const yaml_node_t *root = yaml_document_get_root_node(&next);
    if (root)
        *ret = root->start_mark;
    yaml_document_delete(&next);
    return root != NULL;
}

/* The document stays for the places of errors that are found later. */
static void read_document(struct reading *r, struct config_draft *draft)
{
    yaml_parser_t parser;
    if (!yaml_parser_initialize(&parser)) {
        config_error_at(&r->errors, (yaml_mark_t){0}, "out of memory");
        return;
    }
    yaml_parser_set_input_string(&parser, (const unsigned char *)r->text, r->len);
    if (!yaml_parser_load(&parser, &r->document)) {
        parser_error(r, &parser);
        yaml_parser_delete(&parser);
        return;
    }
    r->errors.document = &r->document;
    yaml_node_t *root = yaml_document_get_root_node(&r->document);
    yaml_mark_t second;
    if (!root)
        config_error_at(&r->errors, (yaml_mark_t){0},
                        "the file is empty: 'listen' and 'upstreams' are needed");
    else
        read_node(r, &config_root, root, draft);
    if (root && second_document(&parser, &second))
        config_error_at(&r->errors, second, "a second document (---) in one file is not taken");
    yaml_parser_delete(&parser);
}

/* What came from a pipe is gone; who opens it again would wait for another. */
static bool can_be_read_again(const char *path)
{
    struct stat about;
    return stat(path, &about) == 0 && S_ISREG(about.st_mode);
}

/* The places of a file that was read before. */
static bool load_document(struct reading *r)
{
    yaml_parser_t parser;
    if (!can_be_read_again(r->errors.path) || !load_file(r) || !yaml_parser_initialize(&parser))
        return false;
    yaml_parser_set_input_string(&parser, (const unsigned char *)r->text, r->len);
    if (yaml_parser_load(&parser, &r->document))
        r->errors.document = &r->document;
    yaml_parser_delete(&parser);
    return r->errors.document && yaml_document_get_root_node(&r->document);
}

void config_say_fault(const char *path, const struct doh_fault *fault, FILE *errors)
{
    struct reading r = {.errors = {.path = path, .out = errors}};
    char where[64];
    (void)snprintf(where, sizeof where, "upstreams[%u].%s", fault->upstream,
                   fault->key ? fault->key : "");
    if (fault->key && load_document(&r))
        config_error_of(&r.errors, where, "%s", fault->text);
    else /* of no key, or without its place */
        (void)fprintf(errors, "%s: error: %s\n", path, fault->text);
    if (r.errors.document)
        yaml_document_delete(r.errors.document);
    free(r.text);
}

static char *folder_of(const char *path)
{
    char *copy = strdup(path);
    char *folder = copy ? strdup(dirname(copy)) : NULL;
    free(copy);
    return folder;
}

struct config *config_read(const char *path, FILE *errors)
{
    struct reading r = {.folder = folder_of(path), .errors = {.path = path, .out = errors}};
    struct config_draft *draft = calloc(1, sizeof *draft);
    struct config *config = NULL;
    if (!r.folder || !draft || !load_file(&r))
        goto out;
    defaults(config_root.children, draft, r.folder);
    if (refuse_aliases(&r))
        read_document(&r, draft);
    if (r.errors.count == 0)
        config = config_finish(draft, &r.errors);
out:
    if (r.errors.document)
        yaml_document_delete(r.errors.document);
    config_draft_free(draft);
    free(r.folder);
    free(r.text);
    return config;
}
