# SPDX-License-Identifier: MIT
"""The seed's story: a resolver lies about a signed name. The client gets SERVFAIL with a reason,
nothing of the lie is kept, and an honest resolver's answer is believed."""
import unittest

from lib import Case

NAME = "www.two.test."
TRUTH = "192.0.2.32"

# what the rogue does, EDE codes that say it well
LIES = [
    ("unsigned-lie", (10,)),
    ("strip", (10,)),
    ("strip=answer", (10,)),
    ("sibling=nsec.test.", (6, 9, 10)),
    ("sibling=other.example.", (6, 9, 10)),
    ("tamper", (6,)),
    ("flip=sig", (6,)),
    ("flip=rdata", (6,)),
    ("expire", (7,)),
    ("future", (8,)),
    ("inverted", (25,)),
    ("replay", (7,)),
    ("nodata", (12, 10, 6)),
    ("nxdomain-unsigned", (12, 10, 6)),
]


class OnlyTheRogue(Case):
    def test_every_lie_is_refused_and_forgotten(self):
        up = self.upstream()
        for lie, ede in LIES:
            with self.subTest(lie=lie):
                veri = self.veridoh(up, extra="cache:\n  failure-ttl: 1s\n  max-failure-ttl: 1s\n")
                up.lie(lie, name=NAME, type="A")
                for _ in range(2):
                    answer = veri.dig(NAME)
                    self.assert_refused(answer)
                    self.assertTrue(answer.ede, answer)
                self.assertIn(veri_first_ede(answer, ede), (*ede, 13), answer)
                up.be_honest()
                self.assert_secure_soon(veri)

    def assert_secure_soon(self, veri):
        """The failure itself is kept for a second (RFC 9520); the lie is not."""
        from lib import wait_for
        answer = wait_for(lambda: (a := veri.dig(NAME)).rcode == "NOERROR" and a, "the truth")
        self.assert_secure(answer, TRUTH)

    def test_lies_about_keys(self):
        up = self.upstream()
        for type_ in ("DS", "DNSKEY"):
            for lie in ("unsigned-lie", "strip", "tamper", "nodata", "nxdomain-unsigned", "servfail",
                        "flip=sig", "expire"):
                with self.subTest(type=type_, lie=lie):
                    veri = self.veridoh(up)
                    up.lie(lie, name="two.test.", type=type_)
                    self.assert_refused(veri.dig(NAME))
                    up.be_honest()

    def test_lies_about_denials(self):
        up = self.upstream()
        for zone in ("nsec", "nsec3"):
            for lie in ("strip", "strip=nsec", "strip=authority", "expire", "swap"):
                for name in (f"none.{zone}.test.", f"x.wild.{zone}.test."):
                    if "wild" in name and lie in ("swap",):
                        continue
                    with self.subTest(name=name, lie=lie):
                        veri = self.veridoh(up)
                        up.lie(lie, name=name)
                        self.assert_refused(veri.dig(name))
                        up.be_honest()

    def test_spoiled_soa(self):
        """The denial stands without it; what is not proven is not shown."""
        up = self.upstream()
        veri = self.veridoh(up)
        up.lie("flip=sig", name="none.nsec.test.")  # the first signature is the SOA's
        answer = veri.dig("none.nsec.test.")
        self.assertEqual(answer.rcode, "NXDOMAIN", answer)
        self.assertNotIn("SOA", {r[2] for r in answer.authority})

    def test_unsigned_proof_of_no_ds(self):
        """A lie that a signed zone is unsigned: DS denied without signatures, data stripped."""
        up = self.upstream()
        veri = self.veridoh(up)
        up.lie("nodata", name="two.test.", type="DS")
        up.lie("unsigned-lie", name=NAME, type="A")
        self.assert_refused(veri.dig(NAME))

    def test_records_that_nobody_asked_for(self):
        up = self.upstream()
        veri = self.veridoh(up)
        up.lie("extra", name=NAME)
        answer = veri.dig(NAME)
        self.assert_secure(answer, TRUTH)
        self.assertNotIn("extra.invalid.", answer.text)
        self.assertNotEqual(veri.dig("extra.invalid.").rcode, "NOERROR")


def veri_first_ede(answer, wanted):
    """The code that says it, wherever it stands among the answer's EDEs."""
    codes = [code for code, _ in answer.ede]
    return next((code for code in codes if code in wanted), codes[0])


class HonestBesideRogue(Case):
    def test_the_other_operator_is_believed(self):
        for lie, _ in LIES:
            with self.subTest(lie=lie):
                rogue, honest = self.upstream(), self.upstream()
                veri = self.veridoh(rogue, honest)
                rogue.lie(lie, name=NAME, type="A")
                self.assert_secure(veri.dig(NAME), TRUTH)
                self.assertTrue(rogue.stats().of(NAME, "A"), "the rogue was not asked first")
                self.assertTrue(honest.stats().of(NAME, "A"))

    def test_a_rogue_with_a_root_of_its_own(self):
        """Consistent from the root down, by keys that nobody trusts."""
        honest, rogue = self.upstream(), self.upstream("--seed", "another")
        veri = self.veridoh(rogue, honest, anchors=honest.dir / "root.ds")
        self.assert_secure(veri.dig(NAME), TRUTH)

    def test_story(self):
        """Rogue alone: SERVFAIL, EDE. Its twin in front of an honest one: AD."""
        rogue, honest = self.upstream(), self.upstream()
        rogue.lie("unsigned-lie", name=NAME, type="A", rdata="203.0.113.66")
        alone = self.veridoh(rogue)
        answer = alone.dig(NAME)
        self.assert_refused(answer, 10)
        self.assertNotIn("203.0.113.66", answer.text)
        self.assert_secure(self.veridoh(honest).dig(NAME), TRUTH)


if __name__ == "__main__":
    unittest.main()
