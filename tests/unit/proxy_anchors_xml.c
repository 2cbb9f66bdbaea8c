// SPDX-License-Identifier: MIT
#include "proxy/anchors_xml.h"
#include "tests/test.h"
#include "tests/unit/validate_records.h"

#define DIGEST "E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D"
#define OPEN "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<TrustAnchor id=\"X\" source=\"y\">\n"
#define ZONE OPEN "<Zone>.</Zone>\n"
#define CLOSE "</TrustAnchor>\n"
#define KEY(attributes, tag, more)                                                                 \
    "<KeyDigest id=\"a\" " attributes ">\n<KeyTag>" tag "</KeyTag><Algorithm>8</Algorithm>"        \
    "<DigestType>2</DigestType><Digest>" DIGEST "</Digest>" more "</KeyDigest>\n"
#define FROM "validFrom=\"2017-02-02T00:00:00+00:00\""

/* RFC 9718 2.1: the file of 2024-07-18, in its structure: three keys, the first one's days over. */
static const char iana[] = ZONE
    "<KeyDigest id=\"Kjqmt7v\" validFrom=\"2010-07-15T00:00:00+00:00\" "
    "validUntil=\"2019-01-11T00:00:00+00:00\">\n"
    "<KeyTag>19036</KeyTag>\n<Algorithm>8</Algorithm>\n<DigestType>2</DigestType>\n"
    "<Digest>49AAC11D7B6F6446702E54A1607371607A1A41855200FD2CE1CDDE32F24E8FB5</Digest>\n"
    "</KeyDigest>\n"
    "<KeyDigest id=\"Klajeyz\" " FROM ">\n<KeyTag>20326</KeyTag>\n<Algorithm>8</Algorithm>\n"
    "<DigestType>2</DigestType>\n<Digest>" DIGEST "</Digest>\n"
    "<PublicKey>AwEAAaz/tAm8yTn4Mfeh5eyI96WSVexTBAvkMgJzkKTOiW1vkIbzxeF3+/4RgWOq7HrxRixHlFlExOLAJr5"
    "emLvN7SWXgnLh4+B5xQlNVz8Og8kvArMtNROxVQuCaSnIDdD5LKyWbRd2n9WGe2R8PzgCmr3EgVLrjyBxWezF0jLHwVN8"
    "efS3rCj/EWgvIWgb9tarpVUDK/b58Da+sqqls3eNbuv7pr+eoZG+SrDK6nWeL3c6H5Apxz7LjVc1uTIdsIXxuOLYA4/il"
    "BmSVIzuDWfdRUfhHdY6+cn8HFRm+2hM8AnXGXws9555KrUB5qihylGa8subX2Nn6UwNR1AkUTV74bU=</PublicKey>\n"
    "<Flags>257</Flags>\n</KeyDigest>\n"
    "<KeyDigest id=\"Kmyv6jo\" validFrom=\"2024-07-18T00:00:00+00:00\">\n<KeyTag>38696</KeyTag>"
    "<Algorithm>8</Algorithm><DigestType>2</DigestType>"
    "<Digest>683D2D0ACB8C9B712A1948B27F741219298D0A450D612C483AF444A4C0FB2B16</Digest>"
    "</KeyDigest>\n" CLOSE;

static void iana_s_file_gives_its_keys_and_dates(void **state)
{
    (void)state;
    struct val_anchors *anchors = val_anchors_new();
    struct anchors_xml_error error;
    uint64_t until_s;
    if (!anchors_xml_add(anchors, "root-anchors.xml", iana, strlen(iana), &error))
        fail_msg("%u:%u: %s", error.line, error.column, error.text);
    assert_int_equal(val_anchors_count(anchors), 3);
    struct val_anchor old = val_anchors_at(anchors, 0);
    assert_int_equal(old.from_s, 1279152000);
    assert_int_equal(old.until_s, 1547164800);
    assert_string_equal(old.source, "root-anchors.xml:4");
    assert_int_equal(val_anchors_at(anchors, 1).until_s, VAL_ANCHOR_ALWAYS);
    static const struct {
        uint64_t now_s;
        bool ksk2010, ksk2017, ksk2024;
    } days[] = {
        {1279152000 - 1, 0, 0, 0}, {1279152000, 1, 0, 0},     {1500000000, 1, 1, 0},
        {1547164800, 0, 1, 0},     {1721260800 - 1, 0, 1, 0}, {1721260800, 0, 1, 1},
        {1800000000, 0, 1, 1},
    };
    for (size_t i = 0; i < COUNT(days); i++) {
        struct val_anchors *used = val_anchors_in_use(anchors, days[i].now_s, &until_s);
        assert_int_equal(val_anchors_has_tag(used, &dns_root, 19036), days[i].ksk2010);
        assert_int_equal(val_anchors_has_tag(used, &dns_root, 20326), days[i].ksk2017);
        assert_int_equal(val_anchors_has_tag(used, &dns_root, 38696), days[i].ksk2024);
        val_anchors_unref(used);
    }
    val_anchors_free(anchors);
}

static const struct {
    const char *what, *text;
    bool ok;
    unsigned line; /* of the mistake; 0: not looked at */
    uint32_t count;
} files[] = {
    {"one key", ZONE KEY(FROM, "20326", "") CLOSE, true, 0, 1},
    {"blanks around values", ZONE KEY(FROM, " \n20326 ", "") CLOSE, true, 0, 1},
    {"no key", ZONE CLOSE, true, 0, 0},
    {"what is not known is left alone",
     ZONE KEY(FROM, "20326", "<New a='b'><X/>t</New>") "<Other/>" CLOSE, true, 0, 1},
    {"a comment", ZONE "<!-- " FROM " -->" KEY(FROM, "20326", "") CLOSE, true, 0, 1},
    {"Z and an offset",
     ZONE KEY("validFrom=\"2017-02-02T00:00:00Z\" validUntil=\"2027-02-02T00:00:00-05:30\"",
              "20326", "") CLOSE,
     true, 0, 1},
    {"a digest type that is not known here",
     ZONE "<KeyDigest " FROM "><KeyTag>1</KeyTag><Algorithm>8"
          "</Algorithm><DigestType>9</DigestType><Digest>00</Digest></KeyDigest>" CLOSE,
     true, 0, 0},
    {"empty", "", false, 1, 0},
    {"cut off", ZONE KEY(FROM, "20326", ""), false, 0, 0},
    {"another element", "<Root/>", false, 1, 0},
    {"a document type",
     "<?xml version=\"1.0\"?>\n<!DOCTYPE TrustAnchor>\n<TrustAnchor><Zone>.</Zone></TrustAnchor>",
     false, 2, 0},
    {"an entity of its own",
     "<!DOCTYPE a [<!ENTITY z \".\">]>\n<TrustAnchor><Zone>&z;</Zone>" CLOSE, false, 1, 0},
    {"a bomb",
     "<!DOCTYPE a [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b "
     "\"&a;&a;&a;&a;\">]>\n<TrustAnchor>&b;" CLOSE,
     false, 1, 0},
    {"an entity of nobody's", OPEN "<Zone>&dot;</Zone>" CLOSE, false, 3, 0},
    {"no zone", OPEN KEY(FROM, "20326", "") CLOSE, false, 3, 0},
    {"a zone that is no name", OPEN "<Zone>a..b</Zone>" CLOSE, false, 3, 0},
    {"two zones", ZONE "<Zone>a.</Zone>" CLOSE, false, 4, 0},
    {"an element in a value", OPEN "<Zone>.<b/></Zone>" CLOSE, false, 3, 0},
    {"no validFrom", ZONE KEY("", "20326", "") CLOSE, false, 4, 0},
    {"validFrom is no time", ZONE KEY("validFrom=\"yesterday\"", "20326", "") CLOSE, false, 4, 0},
    {"validFrom without a zone", ZONE KEY("validFrom=\"2017-02-02T00:00:00\"", "20326", "") CLOSE,
     false, 4, 0},
    {"validFrom in month 13", ZONE KEY("validFrom=\"2017-13-02T00:00:00Z\"", "20326", "") CLOSE,
     false, 4, 0},
    {"a tag too large", ZONE KEY(FROM, "65536", "") CLOSE, false, 5, 0},
    {"a tag that is no number", ZONE KEY(FROM, "-1", "") CLOSE, false, 5, 0},
    {"a tag twice", ZONE KEY(FROM, "1", "<KeyTag>2</KeyTag>") CLOSE, false, 5, 0},
    {"another key's PublicKey", ZONE KEY(FROM, "20326", "<PublicKey>AwEAAQ==</PublicKey>") CLOSE,
     false, 5, 0},
    {"PublicKey is no base64", ZONE KEY(FROM, "20326", "<PublicKey>*</PublicKey>") CLOSE, false, 5,
     0},
    {"a digest too short",
     ZONE "<KeyDigest " FROM "><KeyTag>1</KeyTag><Algorithm>8</Algorithm><DigestType>2"
          "</DigestType><Digest>00</Digest></KeyDigest>" CLOSE,
     false, 4, 0},
    {"a digest of letters",
     ZONE "<KeyDigest " FROM "><KeyTag>1</KeyTag><Algorithm>8</Algorithm><DigestType>2"
          "</DigestType><Digest>xx</Digest></KeyDigest>" CLOSE,
     false, 4, 0},
    {"no digest",
     ZONE "<KeyDigest " FROM "><KeyTag>1</KeyTag><Algorithm>8</Algorithm><DigestType>2"
          "</DigestType></KeyDigest>" CLOSE,
     false, 4, 0},
};

static void mistakes_are_named_with_their_line(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(files); i++) {
        struct val_anchors *anchors = val_anchors_new();
        struct anchors_xml_error error = {0};
        print_message("%s\n", files[i].what);
        bool ok = anchors_xml_add(anchors, "f", files[i].text, strlen(files[i].text), &error);
        if (ok != files[i].ok || (!ok && files[i].line && error.line != files[i].line))
            print_error("%u:%u: %s\n", error.line, error.column, error.text);
        assert_int_equal(ok, files[i].ok);
        if (ok)
            assert_int_equal(val_anchors_count(anchors), files[i].count);
        else if (files[i].line > 0)
            assert_int_equal(error.line, files[i].line);
        assert_true(ok || error.text[0] != '\0');
        val_anchors_free(anchors);
    }
}

static void too_large_files_and_values_are_refused(void **state)
{
    (void)state;
    static char text[ANCHORS_XML_MAX + 2];
    struct val_anchors *anchors = val_anchors_new();
    struct anchors_xml_error error;
    (void)snprintf(text, sizeof text, "%s<Zone>", OPEN);
    size_t len = strlen(text);
    memset(text + len, 'a', 4000);
    (void)snprintf(text + len + 4000, sizeof text - len - 4000, "</Zone>" CLOSE);
    assert_false(anchors_xml_add(anchors, "f", text, strlen(text), &error));
    assert_string_equal(error.text, "Zone is too long");
    memset(text, ' ', sizeof text);
    memcpy(text, ZONE CLOSE, sizeof ZONE CLOSE - 1);
    assert_true(anchors_xml_add(anchors, "f", text, ANCHORS_XML_MAX, &error));
    assert_false(anchors_xml_add(anchors, "f", text, ANCHORS_XML_MAX + 1, &error));
    val_anchors_free(anchors);
}

static void xml_is_known_by_its_first_sign(void **state)
{
    (void)state;
    assert_true(anchors_xml_is(iana));
    assert_true(anchors_xml_is(" \n<TrustAnchor/>"));
    assert_true(anchors_xml_is("\xef\xbb\xbf<?xml?>"));
    assert_false(anchors_xml_is(". IN DS 1 8 2 00"));
    assert_false(anchors_xml_is(""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(iana_s_file_gives_its_keys_and_dates),
        cmocka_unit_test(mistakes_are_named_with_their_line),
        cmocka_unit_test(too_large_files_and_values_are_refused),
        cmocka_unit_test(xml_is_known_by_its_first_sign),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
