// SPDX-License-Identifier: MIT
/* Reading rules and finding those that match. */
#include "tests/upstream/lies.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct lie *find_lie(const char *name)
{
    const struct lie *const tables[] = {reply_lies, outcome_lies};
    for (size_t t = 0; t < sizeof tables / sizeof tables[0]; t++)
        for (const struct lie *lie = tables[t]; lie->name; lie++)
            if (strcmp(lie->name, name) == 0)
                return lie;
    return NULL;
}

static bool read_name(struct rule *rule, const char *text)
{
    rule->any_name = false;
    rule->suffix = strncmp(text, "*.", 2) == 0;
    return dns_name_parse(rule->suffix ? text + 2 : text, &rule->name) == DNS_OK;
}

static bool read_action(struct rule *rule, char *text)
{
    char *value = strchr(text, '=');
    if (value)
        *value++ = '\0';
    rule->value = value ? value : "";
    rule->lie = find_lie(text);
    return rule->lie != NULL;
}

static bool read_token(struct rule *rule, const char *key, char *value)
{
    if (strcmp(key, "name") == 0)
        return read_name(rule, value);
    if (strcmp(key, "action") == 0)
        return read_action(rule, value);
    if (strcmp(key, "type") == 0)
        return dns_type_parse(value, &rule->type) == DNS_OK;
    if (strcmp(key, "rdata") == 0) {
        rule->rdata = value;
        return true;
    }
    char *end;
    long n = strtol(value, &end, 10);
    if (end == value || *end != '\0' || n < 0 || n > INT32_MAX)
        return false;
    if (strcmp(key, "cd") == 0)
        rule->cd = (int)n;
    else if (strcmp(key, "do") == 0)
        rule->dnssec_ok = (int)n;
    else if (strcmp(key, "count") == 0)
        rule->count = (unsigned)n;
    else if (strcmp(key, "first") == 0)
        rule->first = (unsigned)n;
    else if (strcmp(key, "retry-after") == 0)
        rule->retry_after = n;
    else
        return false;
    return true;
}

bool rules_add(struct rules *rules, const char *text, const char **ret_error)
{
    *ret_error = "too many rules";
    if (rules->count == RULES_MAX)
        return false;
    struct rule *rule = &rules->rule[rules->count];
    *rule = (struct rule){
        .any_name = true,
        .cd = -1,
        .dnssec_ok = -1,
        .first = 1,
        .retry_after = -1,
    };
    *ret_error = "a rule that is too long";
    if ((size_t)snprintf(rule->text, sizeof rule->text, "%s", text) >= sizeof rule->text)
        return false;
    char *rest = NULL;
    for (char *one = strtok_r(rule->text, " ", &rest); one; one = strtok_r(NULL, " ", &rest)) {
        char *value = strchr(one, '=');
        *ret_error = "a word that is not key=value, or a value that cannot be used";
        if (!value)
            return false;
        *value++ = '\0';
        if (!read_token(rule, one, value))
            return false;
    }
    *ret_error = "a rule without action=";
    if (!rule->lie)
        return false;
    rules->count++;
    return true;
}

static bool fits(const struct rule *rule, const struct dns_msg *query)
{
    const struct dns_question *q = &query->question;
    if (!rule->any_name && !(rule->suffix ? dns_name_within(&q->name, &rule->name)
                                          : dns_name_equal(&q->name, &rule->name)))
        return false;
    if (rule->type != 0 && rule->type != q->type)
        return false;
    if (rule->cd >= 0 && (rule->cd == 1) != ((query->flags & DNS_FLAG_CD) != 0))
        return false;
    return rule->dnssec_ok < 0 || (rule->dnssec_ok == 1) == query->edns.dnssec_ok;
}

struct rule *rules_match(struct rules *rules, const struct dns_msg *query)
{
    struct rule *head = NULL, **end = &head;
    for (unsigned i = 0; i < rules->count; i++) {
        struct rule *rule = &rules->rule[i];
        if (!fits(rule, query))
            continue;
        rule->seen++;
        if (rule->seen < rule->first ||
            (rule->count > 0 && rule->seen - rule->first >= rule->count))
            continue;
        rule->next_match = NULL;
        *end = rule;
        end = &rule->next_match;
    }
    return head;
}

uint32_t rules_max_streams(const struct rules *rules)
{
    for (unsigned i = 0; i < rules->count; i++)
        if (strcmp(rules->rule[i].lie->name, "max-streams") == 0)
            return (uint32_t)strtoul(rules->rule[i].value, NULL, 10);
    return 100;
}
