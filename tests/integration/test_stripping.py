# SPDX-License-Identifier: MIT
"""Upstreams that take DNSSEC away, or put something else in its place: with an honest one beside
them the client gets the truth, alone they get SERVFAIL with the Extended DNS Error that fits. What
they said leaves no trace in what is known of zones."""
import re
import subprocess
import unittest

from lib import Case, config_text, program, wait_for

NAME, TRUTH = "www.two.test.", "192.0.2.32"
WORLD = """
zone . alg=13 denial=nsec
zone test. alg=13 denial=nsec3
zone two.test. alg=13
www A 192.0.2.32
again A 192.0.2.33
zone three.test. alg=13
www A 192.0.2.34
zone four.test. alg=13 denial=nsec3
www A 192.0.2.35
zone five.test. alg=13
www A 192.0.2.36
zone insecure.test. unsigned
www A 192.0.2.40
"""

# what, rules of (match, lie), EDE codes when alone, words of the EDE's text
BAD = [
    ("no signatures in the answer", [({"name": NAME}, "strip=answer")], (10,), "no RRSIG"),
    ("no signatures at all", [({}, "strip")], (9, 10), "via up0"),
    ("no signatures, no EDNS", [({}, "no-edns")], (9, 10), "knows no DNSSEC"),
    ("DS without signatures", [({"type": "DS", "name": "two.test."}, "strip")], (10, 12), "via up0"),
    ("DS left out", [({"type": "DS", "name": "two.test."}, "nodata")], (12,), "via up0"),
    ("DNSKEY without signatures", [({"type": "DNSKEY", "name": "two.test."}, "strip")], (9, 10),
     "via up0"),
    ("DNSKEY left out", [({"type": "DNSKEY", "name": "two.test."}, "nodata")], (9,), "via up0"),
    ("DNSKEY changed", [({"type": "DNSKEY", "name": "two.test."}, "tamper")], (6, 9), "via up0"),
    ("NOTIMP for DS", [({"type": "DS"}, "rcode=4")], (22,), "knows no DNSSEC"),
    ("FORMERR for DNSKEY", [({"type": "DNSKEY", "name": "two.test."}, "rcode=1")], (22,),
     "knows no DNSSEC"),
    ("SERVFAIL for DS", [({"type": "DS", "name": "two.test."}, "servfail")], (22,), "via up0"),
    ("a block page", [({"name": NAME}, "unsigned-lie")], (10,), "via up0"),
    ("a block page that says so", [({"name": NAME}, "unsigned-lie"), ({"name": NAME}, "ede=17")],
     (10,), "policy (Filtered)"),
    ("an NXDOMAIN list", [({"name": NAME}, "nxdomain-unsigned")], (12,), "via up0"),
    ("an NXDOMAIN list that says so",
     [({"name": NAME}, "nxdomain-unsigned"), ({"name": NAME}, "ede=15")], (12,), "policy (Blocked)"),
]


def lie(upstream, rules):
    for match, action in rules:
        upstream.lie(action, **match)


class BesideAnHonestOne(Case):
    def test_all(self):
        """One veridoh for each: the client gets the truth, proven, whoever is asked first."""
        bad, good = self.upstream(world=self.world_of(WORLD)), self.upstream(world=self.world_of(WORLD))
        for what, rules, _, _ in BAD:
            with self.subTest(what):
                bad.be_honest()
                veri = self.veridoh(bad, good)
                lie(bad, rules)
                self.assert_secure(veri.dig(NAME), TRUTH)
                bad.be_honest() # what it said about the zone does not stick
                self.assert_secure(veri.dig("again.two.test."), "192.0.2.33")
                veri.stop()

    def test_a_liar_is_put_aside(self):
        bad, good = self.upstream(world=self.world_of(WORLD)), self.upstream(world=self.world_of(WORLD))
        veri = self.veridoh(bad, good)
        bad.lie("no-edns")
        for name in (NAME, "www.three.test.", "www.four.test.", "again.two.test."):
            self.assert_secure(veri.dig(name))
        self.assertIn("up0", veri.log())
        health = veri.dig("health.veridoh.", "TXT", "-c", "CH").text
        self.assertRegex(health, r"upstream=up0 .*quarantine_ms=[1-9]")
        bad.reset_stats()
        self.assert_secure(veri.dig("www.five.test."))
        self.assertEqual(bad.stats().questions, 0)

    def test_failing_is_not_lying(self):
        bad, good = self.upstream(world=self.world_of(WORLD)), self.upstream(world=self.world_of(WORLD))
        veri = self.veridoh(bad, good)
        bad.lie("servfail", type="DS")
        for name in (NAME, "www.three.test.", "www.four.test.", "www.five.test."):
            self.assert_secure(veri.dig(name))
        health = veri.dig("health.veridoh.", "TXT", "-c", "CH").text
        self.assertRegex(health, r"upstream=up0 .*quarantine_ms=0")

    def test_a_zone_of_two_faces_discredits_nobody(self):
        """Who serves a zone chooses what each resolver gets: one that refuses what we do not believe
        either, as soon as it may judge (CD=0), is no liar."""
        fooled, other = self.upstream(world=self.world_of(WORLD)), self.upstream(world=self.world_of(WORLD))
        veri = self.veridoh(fooled, other)
        for name in (NAME, "www.three.test.", "www.four.test.", "again.two.test."):
            fooled.lie("flip=sig", name=name, cd=1)
            fooled.lie("servfail", name=name, cd=0)
            self.assert_secure(veri.dig(name))
        self.assertEqual([r["cd"] for r in fooled.stats().of(NAME, "A")], ["1", "0"])
        health = veri.dig("health.veridoh.", "TXT", "-c", "CH").text
        self.assertRegex(health, r"upstream=up0 .* lies=0 .*quarantine_ms=0")


class Alone(Case):
    def test_all(self):
        bad = self.upstream(world=self.world_of(WORLD))
        for what, rules, codes, words in BAD:
            with self.subTest(what):
                bad.be_honest()
                veri = self.veridoh(bad)
                lie(bad, rules)
                answer = veri.dig(NAME)
                self.assert_refused(answer, *codes)
                self.assertIn(words, answer.ede[0][1])
                self.assertLessEqual(len(answer.ede[0][1]), 120)
                if answer.ede[0][0] != 22: # what was wrong, not what was out of reach
                    wait_for(lambda: re.search("bogus: .* via up0", veri.log()), "the log")
                    self.assertNotIn("two.test", veri.log())
                veri.stop()

    def test_policy_for_unsigned_names_is_passed_on(self):
        """What is proven to be unsigned may be changed by anybody; that it was is said."""
        up = self.upstream(world=self.world_of(WORLD))
        veri = self.veridoh(up)
        up.lie("unsigned-lie", name="www.insecure.test.", type="A")
        up.lie("ede=17", name="www.insecure.test.", type="A")
        for _ in range(2): # asked, and from the cache
            answer = veri.dig("www.insecure.test.")
            self.assert_insecure(answer, "192.0.2.66")
            self.assertEqual(answer.ede, [(17, "house rules")])

    def test_stripped_the_first_time_only(self):
        """DNSKEY and DS from a cache that is behind: asked for once more, fresh, before bogus."""
        up = self.upstream(world=self.world_of(WORLD))
        for type_, action in (("DNSKEY", "tamper"), ("DNSKEY", "strip"), ("DNSKEY", "nodata"),
                              ("DS", "tamper"), ("DS", "strip"), ("DS", "nodata")):
            with self.subTest(type=type_, action=action):
                up.be_honest()
                veri = self.veridoh(up)
                up.reset_stats()
                up.lie(action, type=type_, name="two.test.", count=1)
                self.assert_secure(veri.dig(NAME), TRUTH)
                seen = up.stats().of("two.test.", type_)
                self.assertEqual([r["fresh"] for r in seen], ["0", "1"])
                self.assertEqual(len(up.stats().of(NAME, "A")), 1)
                veri.stop()


class Explained(Case):
    def explain(self, *upstreams):
        path = upstreams[0].dir / "explain.yaml"
        path.write_text(config_text(1, upstreams, upstreams[0].dir / "root.ds"))
        done = subprocess.run([program("veridoh"), "explain", "--config", path, NAME],
                              capture_output=True, text=True, timeout=20, check=False)
        return done.returncode, done.stdout

    def test_who_was_not_believed(self):
        bad, good = self.upstream(world=self.world_of(WORLD)), self.upstream(world=self.world_of(WORLD))
        bad.lie("strip")
        status, text = self.explain(bad, good)
        self.assertEqual(status, 0, text)
        lines = [line for line in text.splitlines() if "not believed" in line]
        self.assertEqual(len(lines), 2, text) # first, and once more there
        for line in lines:
            self.assertRegex(line, "^  not believed: up0: it has no RRSIG")
        self.assertIn("answered by up1", text)

    def test_who_is_not_asked_again(self):
        bad, good = self.upstream(world=self.world_of(WORLD)), self.upstream(world=self.world_of(WORLD))
        bad.lie("no-edns")
        status, text = self.explain(bad, good)
        self.assertEqual(status, 0, text)
        lines = [line for line in text.splitlines() if "not believed" in line]
        self.assertEqual(len(lines), 1, text)
        self.assertRegex(lines[0], "^  not believed: up0: .*; it knows no DNSSEC$")


class Deep(Case):
    def test_far_below_an_unsigned_cut(self):
        up = self.upstream(world=self.world_of(WORLD))
        veri = self.veridoh(up)
        deep = ".".join(f"l{n}" for n in range(25)) + ".insecure.test."
        up.reset_stats()
        answer = veri.dig(deep)
        self.assertEqual((answer.rcode, "ad" in answer.flags), ("NXDOMAIN", False), answer)
        self.assertLessEqual(up.stats().questions, 12)

    def test_far_below_a_signed_one(self):
        """NXDOMAIN of 25 labels is proven without a walk; unsigned data there is refused cheaply."""
        up = self.upstream(world=self.world_of(WORLD))
        veri = self.veridoh(up)
        deep = ".".join(f"l{n}" for n in range(25)) + ".two.test."
        up.reset_stats()
        answer = veri.dig(deep)
        self.assertEqual((answer.rcode, "ad" in answer.flags), ("NXDOMAIN", True), answer)
        self.assertLessEqual(up.stats().questions, 12)
        veri = self.veridoh(up, extra="cache:\n  aggressive-nsec: false\n")
        other = "x." + ".".join(f"m{n}" for n in range(25)) + ".two.test."
        up.lie("unsigned-lie", name=other, type="A")
        up.reset_stats()
        self.assert_refused(veri.dig(other))
        self.assertLessEqual(up.stats().questions, 40)


if __name__ == "__main__":
    unittest.main()
