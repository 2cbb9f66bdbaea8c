# SPDX-License-Identifier: MIT
"""veridoh before generated worlds whose truth is known, with unbound and delv as second opinions.

  python3 tests/integration/test_differential.py [--seed N] [--worlds N] [--questions N]

goes on with other worlds than those of ./check, from seed N on. A failure names its seed; the same
seed asks the same questions again."""
import argparse
import collections
import concurrent.futures
import sys
import unittest

import opinions
from generate import World, text
from lib import Case, Unbound
from truth import BOGUS, INSECURE, SECURE, Policy, Truth

SEEDS = (*range(1, 12), 15)  # of ./check
QUESTIONS, OF_DELV = 250, 8
AT_ONCE = 2    # worlds
JITTER_MS = 8  # by chance each answer comes that much later
# What one proof may cost is tested elsewhere; here chains go through a dozen zones.
GENEROUS = ("cache:\n  aggressive-nsec: {aggressive}\nvalidation:\n  trust-anchors: {anchors}\n  sha1: {sha1}\n"
            "  budget:\n    crypto-units: 20000\n    sha1-blocks: 500000\n    fetches: 300\n"
            "    flights: 40\n")


class Differential(Case):
    """compare() gives the differences in words; `counts` says how much was compared."""

    def start(self, seed, count):
        world = World(seed)
        up = self.upstream(world=self.world_of(world.text()))
        for lie in world.lies.values():
            up.command(lie.rule())
        questions = [world.question() for _ in range(count)] + list(world.lies)
        return world, up, list(dict.fromkeys(questions))

    def ask_veridoh(self, world, up, shown):
        extra = GENEROUS.format(anchors=up.dir / "root.ds", sha1=str(world.sha1).lower(),
                                aggressive=str(world.aggressive).lower())
        veri = self.veridoh(up, extra=extra)
        seen = opinions.ask_all(veri.port, shown)
        self.must_stop(veri)
        return seen

    def compare(self, seed, count, counts):
        world, up, questions = self.start(seed, count)
        shown = [(text(name), type_) for name, type_ in questions]
        wrong = []
        truth = Truth(world, Policy(sha1=world.sha1), world.aggressive)
        wanted = [truth.judge(*question) for question in questions]
        self.compare_unbound(up, world, questions, shown, wrong, counts)
        self.compare_delv(up, world, questions, shown, wrong, counts)
        for how in ("in order", "delayed"):  # the verdict is the same for any order of arrival
            if how == "delayed":
                up.command(f"rule add action=jitter={JITTER_MS}")
            for asked, right, got in zip(shown, wanted, self.ask_veridoh(world, up, shown)):
                counts["veridoh"] += right is not None
                if right is not None and got not in right:
                    wrong.append(f"veridoh, answers {how}: {asked} got {got}, true is {right}")
        self.must_stop(up)
        return [f"seed {seed}: {line}" for line in wrong]

    def compare_unbound(self, up, world, questions, shown, wrong, counts):
        truth = Truth(world, opinions.UNBOUND)
        unbound = Unbound(up)
        self.addCleanup(unbound.stop)
        for question, asked, got in zip(questions, shown, opinions.ask_all(unbound.port, shown)):
            if got is None:  # it waits lies out, and then thinks that its upstream is slow
                counts["unbound: no opinion in time"] += 1
                continue
            right = truth.judge(*question)
            same = right is None or (got.rcode, got.ad) in {(r.rcode, r.ad) for r in right}
            known = not same and opinions.is_known(opinions.UNBOUND_DIFFERS, truth, *question)
            counts[f"unbound: {known}" if known else "unbound"] += 1
            if not same and not known:
                wrong.append(f"unbound: {asked} got {got}, true is {right}")
        unbound.stop()

    def compare_delv(self, up, world, questions, shown, wrong, counts):
        truth = Truth(world, opinions.DELV)
        few = [i for i, q in enumerate(questions) if q not in world.lies][:OF_DELV]
        for i, got in zip(few, opinions.ask_delv(up, [shown[i] for i in few])):
            right = truth.judge(*questions[i])
            verdicts = {BOGUS if r.rcode == "SERVFAIL" else SECURE if r.ad else INSECURE
                        for r in right or ()}
            if got is None:
                counts["delv: no opinion in time"] += 1
                continue
            same = right is None or got in verdicts
            known = not same and opinions.is_known(opinions.DELV_DIFFERS, truth, *questions[i])
            counts[f"delv: {known}" if known else "delv"] += 1
            if not same and not known:
                wrong.append(f"delv: {shown[i]} got {got}, true is {verdicts}")

    def compare_all(self, seeds, count):
        counts = collections.Counter()
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            for wrong in pool.map(lambda seed: self.compare(seed, count, counts), seeds):
                yield wrong, counts

    def test_worlds(self):
        for wrong, counts in self.compare_all(SEEDS, QUESTIONS):
            for line in wrong:
                with self.subTest(line):
                    self.fail(line)
        self.assertGreater(counts["veridoh"], 2 * QUESTIONS * len(SEEDS) * 3 // 4, counts)
        self.assertGreater(counts["unbound"], QUESTIONS * len(SEEDS) // 2, counts)
        self.assertGreater(counts["delv"], OF_DELV * len(SEEDS) // 4, counts)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1000)
    parser.add_argument("--worlds", type=int, default=100)
    parser.add_argument("--questions", type=int, default=QUESTIONS)
    options = parser.parse_args()
    case, bad, counts = Differential(), 0, {}
    try:
        seeds = range(options.seed, options.seed + options.worlds)
        for wrong, counts in case.compare_all(seeds, options.questions):
            bad += len(wrong)
            print("".join(line + "\n" for line in wrong), end="", flush=True)
    finally:
        case.doCleanups()
    for what, number in sorted(counts.items()):
        print(f"{number:8} {what}")
    print(f"{bad} differences")
    return bad > 0


if __name__ == "__main__":
    sys.exit(main())
