# SPDX-License-Identifier: MIT
"""Failures are remembered for a while (RFC 9520), as what they were."""
import re

from lib import Case, ask_udp, dig, header, query

NAME = "www.two.test."
REMEMBERED = "cache:\n  failure-ttl: 60s\n"
SERVFAIL = 2


class Failures(Case):
    def counted(self, veri):
        text = dig(veri.port, "health.veridoh.", "TXT", "-c", "CH").text
        return {what: int(re.search(rf"\b{what}=(\d+)", text).group(1))
                for what in ("bogus", "indeterminate")}

    def ask_ten(self, up, veri):
        """The same refusal each time, for one question upstream and its second tries."""
        up.reset_stats()
        before = veri.dig(NAME)
        self.assert_refused(before)
        asked = up.stats().questions
        for _ in range(8):
            self.assertEqual(header(ask_udp(veri.port, query(NAME)))[2], SERVFAIL)
        self.assertEqual(veri.dig(NAME).ede, before.ede)
        self.assertEqual(up.stats().questions, asked)

    def test_bogus_stays_bogus(self):
        up = self.upstream()
        veri = self.veridoh(up, extra=REMEMBERED)
        up.lie("flip=sig", name=NAME)
        self.ask_ten(up, veri)
        self.assertEqual(self.counted(veri), {"bogus": 10, "indeterminate": 0})
        self.assertEqual(veri.log().count("bogus:"), 1, veri.log())

    def test_failed_stays_failed(self):
        up = self.upstream()
        veri = self.veridoh(up, extra=REMEMBERED)
        up.lie("servfail", name=NAME)
        self.ask_ten(up, veri)
        self.assertEqual(self.counted(veri), {"bogus": 0, "indeterminate": 10})
