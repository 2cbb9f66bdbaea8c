# SPDX-License-Identifier: MIT
"""veridoh and unbound before the same random worlds: rcode, AD and the number of records must be
equal. $VERIDOH_SEEDS says how many worlds (default 3); a failure names its seed."""
import os
import unittest

from generate import World
from lib import Case, Unbound, ask_udp, header, query

QUESTIONS = 150
AD_ASKED, AD = 0x0120, 0x0020


def seen(port, name, type_):
    """(rcode, AD, answers) as one client sees them."""
    answer = ask_udp(port, query(name, type_, flags=AD_ASKED, do=False, size=4000), 8)
    if answer is None:
        return None
    _, flags, rcode, counts = header(answer)
    return rcode, bool(flags & AD), counts[1]


class Differential(Case):
    def compare(self, seed):
        world = World(seed)
        up = self.upstream(world=self.world_of(world.text()))
        unbound = Unbound(up)
        self.addCleanup(unbound.stop)
        veri = self.veridoh(up)
        for _ in range(QUESTIONS):
            name, type_ = world.question()
            with self.subTest(seed=seed, name=name, type=type_):
                self.assertEqual(seen(veri.port, name, type_), seen(unbound.port, name, type_))

    def test_like_unbound(self):
        for seed in range(int(os.environ.get("VERIDOH_SEEDS", "3"))):
            self.compare(seed)


if __name__ == "__main__":
    unittest.main()
