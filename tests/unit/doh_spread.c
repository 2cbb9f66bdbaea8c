// SPDX-License-Identifier: MIT
/* Which names count as one for `choice: spread`: the cases of publicsuffix.org's own tests that
 * concern how rules are applied, and names that could be mistaken for others. */
#include "doh/spread.h"
#include "tests/test.h"

struct spread_case {
    const char *what, *name, *together, *apart; /* with the one, not with the other */
};
static const struct spread_case cases[] = {
    {"a plain rule", "a.b.example.com", "example.com", "other.com"},
    {"letters' case", "A.Example.CO.uk", "example.co.uk", "other.co.uk"},
    {"a rule of two labels", "a.example.co.uk", "b.example.co.uk", "other.co.uk"},
    {"four letters before two", "a.example.gouv.fr", "example.gouv.fr", "other.gouv.fr"},
    {"no rule of two labels", "a.abc.de", "b.abc.de", "abd.de"},
    {"a private rule", "www.alice.github.io", "alice.github.io", "bob.github.io"},
    {"a longer private rule", "x.bucket.s3.dualstack.eu-west-1.amazonaws.com",
     "bucket.s3.dualstack.eu-west-1.amazonaws.com", "other.s3.dualstack.eu-west-1.amazonaws.com"},
    {"a wildcard", "www.example.x.kawasaki.jp", "example.x.kawasaki.jp", "other.x.kawasaki.jp"},
    {"what a wildcard covers", "x.kawasaki.jp", "x.kawasaki.jp", "a.x.kawasaki.jp"},
    {"a wildcard's exception", "www.city.kawasaki.jp", "city.kawasaki.jp", "town.kawasaki.jp"},
    {"a TLD that nobody knows", "a.b.host.lan", "host.lan", "other.lan"},
    {"a TLD that nobody knows, of two letters", "a.b.host.zz", "host.zz", "a.other.zz"},
    {"a suffix itself", "co.uk", "CO.UK", "uk"},
    {"a private suffix itself", "github.io", "github.io", "alice.github.io"},
    {"a long suffix itself", "s3.dualstack.eu-west-1.amazonaws.com",
     "S3.dualstack.eu-west-1.amazonaws.com", "eu-west-1.amazonaws.com"},
    {"a TLD", "com", "COM", "example.com"},
    {"a rule in Chinese letters", "www.example.xn--55qx5d.cn", "example.xn--55qx5d.cn",
     "other.xn--55qx5d.cn"},
    {"underscores", "_dmarc.example.co.uk", "example.co.uk", "other.co.uk"},
    {"odd labels further left", "Caf\\195\\169\\.1._ipp._tcp.example.gouv.fr", "example.gouv.fr",
     "other.gouv.fr"},
    {"many labels", "a.b.c.d.e.f.g.h.i.j.k.example.co.uk", "k.example.co.uk", "k.co.uk"},
    {"a dot in a label", "a.example\\.co.uk", "example\\.co.uk", "a.example.co.uk"},
    {"a dot in the domain's label", "a.ex\\.ample.co.uk", "ex\\.ample.co.uk", "a.ample.co.uk"},
    {"odd octets", "a.\\000\\255.com", "\\000\\255.com", "\\000\\254.com"},
    {"the root", ".", ".", "com"},
};

static uint64_t hash_of(const char *text)
{
    struct dns_name name;
    assert_int_equal(dns_name_parse(text, &name), DNS_OK);
    return doh_spread_hash(&name);
}

static void what_is_one_domain(void **state)
{
    (void)state;
    for (unsigned i = 0; i < COUNT(cases); i++) {
        const struct spread_case *c = &cases[i];
        print_message("%s: %s\n", c->what, c->name);
        assert_true(hash_of(c->name) == hash_of(c->together));
        assert_true(hash_of(c->name) != hash_of(c->apart));
    }
}

/* 127 labels, and labels of 63 octets: no more is looked up than the last few. */
static void the_longest_names(void **state)
{
    (void)state;
    char deep[256], wide[256];
    for (unsigned i = 0; i < 120; i++)
        memcpy(deep + 2 * i, "a.", 2);
    memcpy(deep + 240, "example.co.uk", 14);
    assert_true(hash_of(deep) == hash_of("example.co.uk"));
    memset(wide, 'x', sizeof wide);
    for (unsigned i = 63; i < 240; i += 64)
        wide[i] = '.';
    memcpy(wide + 192, "example.co.uk", 14);
    assert_true(hash_of(wide) == hash_of("example.co.uk"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_one_domain),
        cmocka_unit_test(the_longest_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
