// SPDX-License-Identifier: MIT
#include "doh/response.h"

#include <string.h>
#include <strings.h>
#include <time.h>

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t';
}

/* delta-seconds (RFC 9111 1.2.2): what is too large to hold counts as 2^31. Stops at the first
 * octet that is no digit; false without any. */
static bool read_seconds(const char *value, size_t len, size_t *ret_used, uint32_t *ret)
{
    uint32_t seconds = 0;
    size_t i = 0;
    for (; i < len && is_digit(value[i]); i++)
        seconds =
            seconds > 214748363u ? UINT32_C(1) << 31 : seconds * 10 + (uint32_t)(value[i] - '0');
    if (i == 0)
        return false;
    *ret_used = i;
    *ret = seconds;
    return true;
}

/* RFC 9111 5.1: of a list the first member counts; what is not a number is ignored. */
static void read_age(struct doh_head *head, const char *value, size_t len)
{
    size_t used;
    uint32_t age_s;
    if (head->has_age || !read_seconds(value, len, &used, &age_s))
        return;
    while (used < len && is_space(value[used]))
        used++;
    if (used < len && value[used] != ',')
        return;
    head->has_age = true;
    head->age_s = age_s;
}

/* RFC 9110 8.3.1: type and subtype without regard to case, parameters do not matter here. */
static bool is_dns_message(const char *value, size_t len)
{
    static const char want[] = "application/dns-message";
    size_t want_len = strlen(want);
    if (len < want_len || strncasecmp(value, want, want_len) != 0)
        return false;
    size_t i = want_len;
    while (i < len && is_space(value[i]))
        i++;
    return i == len || value[i] == ';';
}

static int two_digits(const char *p)
{
    return is_digit(p[0]) && is_digit(p[1]) ? (p[0] - '0') * 10 + (p[1] - '0') : -1;
}

/* "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110 5.6.7; the obsolete forms are not worth their code). */
static bool read_date(const char *value, size_t len, int64_t *ret_s)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    if (len != 29 || memcmp(value + 25, " GMT", 4) != 0 || value[3] != ',' || value[4] != ' ' ||
        value[7] != ' ' || value[11] != ' ' || value[16] != ' ' || value[19] != ':' ||
        value[22] != ':')
        return false;
    int month = 0;
    while (month < 12 && memcmp(months + (size_t)month * 3, value + 8, 3) != 0)
        month++;
    int century = two_digits(value + 12), year = two_digits(value + 14);
    struct tm tm = {
        .tm_mday = two_digits(value + 5),
        .tm_mon = month,
        .tm_year = century * 100 + year - 1900,
        .tm_hour = two_digits(value + 17),
        .tm_min = two_digits(value + 20),
        .tm_sec = two_digits(value + 23),
    };
    if (month == 12 || century < 0 || year < 0 || tm.tm_mday < 1 || tm.tm_mday > 31 ||
        tm.tm_hour < 0 || tm.tm_hour > 23 || tm.tm_min < 0 || tm.tm_min > 59 || tm.tm_sec < 0 ||
        tm.tm_sec > 60)
        return false;
    *ret_s = timegm(&tm);
    return true;
}

bool doh_retry_after(const char *value, size_t len, int64_t now_s, uint32_t *ret_s)
{
    size_t used;
    uint32_t seconds;
    int64_t until_s;
    if (read_seconds(value, len, &used, &seconds)) {
        if (used != len)
            return false;
    } else if (read_date(value, len, &until_s)) {
        int64_t wait_s = until_s - now_s;
        seconds = wait_s < 0                       ? 0
                  : wait_s > DOH_RETRY_AFTER_MAX_S ? DOH_RETRY_AFTER_MAX_S
                                                   : (uint32_t)wait_s;
    } else {
        return false;
    }
    *ret_s = seconds < DOH_RETRY_AFTER_MAX_S ? seconds : DOH_RETRY_AFTER_MAX_S;
    return true;
}

static bool named(const void *name, size_t len, const char *want)
{
    return len == strlen(want) && memcmp(name, want, len) == 0; /* RFC 9113 8.2: lower case */
}

void doh_head_field(struct doh_head *head, const void *name, size_t name_len, const void *value,
                    size_t value_len, int64_t now_s)
{
    const char *text = value;
    if (named(name, name_len, ":status")) {
        uint32_t status = 0;
        size_t used;
        /* A final status behind a 1xx begins anew (RFC 9110 15.2). */
        *head = (struct doh_head){0};
        if (value_len == 3 && read_seconds(text, value_len, &used, &status) && used == 3)
            head->status = (uint16_t)status;
    } else if (named(name, name_len, "content-type")) {
        head->is_dns = is_dns_message(text, value_len);
    } else if (named(name, name_len, "age")) {
        read_age(head, text, value_len);
    } else if (named(name, name_len, "retry-after")) {
        head->has_retry_after = doh_retry_after(text, value_len, now_s, &head->retry_after_s);
    }
}

enum doh_verdict doh_head_judge(const struct doh_head *head)
{
    switch (head->status) {
    case 200: return head->is_dns ? DOH_ANSWERED : DOH_NOT_DNS;
    case 405:
    case 415:
    case 501: return DOH_FLIP;
    case 421:
    case 425: return DOH_ELSEWHERE;
    case 429:
    case 503: return DOH_LATER;
    case 408: return DOH_BROKEN; /* too slow this time says nothing about the next */
    default: break;
    }
    return head->status >= 300 && head->status < 500 ? DOH_REFUSED : DOH_BROKEN;
}

static bool says_filtered(const uint8_t *body, const struct dns_msg *msg)
{
    struct dns_ede ede;
    if (!msg->edns.present || msg->edns.options_len == 0)
        return false;
    dns_ede_find(body, &msg->edns, &ede);
    return ede.code == DNS_EDE_BLOCKED || ede.code == DNS_EDE_CENSORED ||
           ede.code == DNS_EDE_FILTERED;
}

enum doh_body doh_body_judge_filter(const uint8_t *body, uint32_t len, uint16_t id,
                                    const struct dns_question *question, bool *ret_filtered)
{
    struct dns_rr table[DNS_RR_MAX];
    struct dns_msg msg;
    if (dns_msg_read(body, len, table, DNS_RR_MAX, &msg) != DNS_OK)
        return DOH_BODY_GARBAGE;
    if (msg.id != id || !dns_msg_answers(&msg, question))
        return DOH_BODY_GARBAGE;
    if (msg.flags & DNS_FLAG_TC)
        return DOH_BODY_TRUNCATED;
    *ret_filtered = says_filtered(body, &msg);
    return DOH_BODY_ANSWER;
}

enum doh_body doh_body_judge(const uint8_t *body, uint32_t len, uint16_t id,
                             const struct dns_question *question)
{
    bool filtered;
    return doh_body_judge_filter(body, len, id, question, &filtered);
}
