# SPDX-License-Identifier: MIT
"""The ladder: an answer that is not believed is asked for again with CD=0 at the same upstream,
then at another operator's; only then is it refused."""
import re
import subprocess
import unittest

from lib import Case, program

NAME = "www.two.test."
TRUTH = "192.0.2.32"


class Ladder(Case):
    def test_stripped_only_with_cd(self):
        """Resolvers exist that give signatures only when they validate themselves."""
        up = self.upstream()
        veri = self.veridoh(up)
        up.lie("strip", name=NAME, cd=1)
        self.assert_secure(veri.dig(NAME), TRUTH)
        again = up.stats().of(NAME, "A")
        self.assertEqual([r["cd"] for r in again], ["1", "0"])
        self.assertEqual(again[1]["fresh"], "1")

    def test_stripped_once(self):
        up = self.upstream()
        veri = self.veridoh(up)
        up.lie("strip", name=NAME, count=1)
        self.assert_secure(veri.dig(NAME), TRUTH)

    def signatures(self, failures_allowed):
        """Checked for one question whose answer is forged wherever it is asked for."""
        liars = self.upstream(), self.upstream()
        veri = self.veridoh(*liars, extra=f"validation:\n  trust-anchors: {liars[0].dir}/root.ds\n"
                            f"  budget:\n    failed-signatures: {failures_allowed}\n")
        before = self.checked(veri)
        for up in liars:
            up.lie("flip=sig", name=NAME)
        self.assert_refused(veri.dig(NAME), 6)
        return self.checked(veri) - before

    def checked(self, veri):
        done = subprocess.run([program("veridoh"), "health", "--config", veri.dir / "veridoh.yaml"],
                              capture_output=True, text=True, timeout=20, check=True)
        return int(re.search(r"\bsignatures=(\d+)", done.stdout).group(1))

    def test_all_tries_have_one_budget(self):
        """Here, here again, elsewhere: what the first try has spent is spent for the others."""
        self.assertLess(self.signatures(2), self.signatures(6))

    def test_first_upstream_strips(self):
        liar, honest = self.upstream(), self.upstream()
        veri = self.veridoh(liar, honest)
        liar.lie("strip", name="*.two.test.")
        self.assert_secure(veri.dig(NAME), TRUTH)
        self.assertEqual(len(liar.stats().of(NAME, "A")), 2)
        self.assertEqual(len(honest.stats().of(NAME, "A")), 1)

    def test_first_upstream_strips_everything(self):
        liar, honest = self.upstream(), self.upstream()
        veri = self.veridoh(liar, honest)
        liar.lie("strip")
        for name, truth in ((NAME, TRUTH), ("www.nsec.test.", "192.0.2.21")):
            self.assert_secure(veri.dig(name), truth)

    def test_the_ladder_ends(self):
        """All lie: one refusal, and a bounded number of questions."""
        ups = [self.upstream(), self.upstream()]
        veri = self.veridoh(*ups)
        for up in ups:
            up.reset_stats()
            up.lie("strip", name=NAME)
        self.assert_refused(veri.dig(NAME), 10)
        self.assertLessEqual(sum(len(up.stats().of(NAME, "A")) for up in ups), 4)

    def test_bogus_zone_is_asked_elsewhere_but_once(self):
        """The zone itself is broken: nobody can help, and nobody is asked for ever."""
        ups = [self.upstream(), self.upstream()]
        veri = self.veridoh(*ups)
        self.assert_refused(veri.dig("www.expired.test."), 7)
        asked = sum(len(up.stats().of("www.expired.test.", "A")) for up in ups)
        self.assertLessEqual(asked, 4)


if __name__ == "__main__":
    unittest.main()
