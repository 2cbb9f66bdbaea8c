# SPDX-License-Identifier: MIT
"""Signatures that verified once are not checked again: the denials that come with every absent name
of a zone cost their check once."""
import re
import subprocess
import unittest

from lib import Case, program


class Memo(Case):
    def counts(self, veri):
        """(checked, remembered) so far."""
        done = subprocess.run([program("veridoh"), "health", "--config", veri.dir / "veridoh.yaml"],
                              capture_output=True, text=True, timeout=20, check=True)
        found = re.search(r"signatures=(\d+) remembered=(\d+)", done.stdout)
        return int(found.group(1)), int(found.group(2))

    def absent(self, veri, name):
        before = self.counts(veri)
        answer = veri.dig(name)
        self.assertEqual(answer.rcode, "NXDOMAIN", answer)
        after = self.counts(veri)
        return after[0] - before[0], after[1] - before[1]

    def test_denials_are_checked_once(self):
        veri = self.veridoh(self.upstream())
        checked, remembered = self.absent(veri, "nope1.optout.example.")
        self.assertGreaterEqual(checked, 3)
        for i in range(2, 12):  # every NSEC3 of this small zone has been seen by then
            self.absent(veri, f"nope{i}.optout.example.")
        checked, remembered = self.absent(veri, "nope99.optout.example.")
        self.assertEqual(checked, 0)
        self.assertGreaterEqual(remembered, 2)

    def test_a_changed_denial_is_checked(self):
        up = self.upstream()
        veri = self.veridoh(up)
        for i in range(12):
            self.absent(veri, f"nope{i}.optout.example.")
        up.lie("swap", name="*.optout.example.")
        answer = veri.dig("nope98.optout.example.")
        self.assert_refused(answer)


if __name__ == "__main__":
    unittest.main()
