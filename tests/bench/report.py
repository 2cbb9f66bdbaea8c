# SPDX-License-Identifier: MIT
"""Tables and ratios of what was measured."""
import statistics


def cell(values, form="{:.2f}"):
    """Median, and the range when there is one."""
    values = [v for v in values if v is not None]
    if not values:
        return "-"
    low, high = form.format(min(values)), form.format(max(values))
    median = form.format(statistics.median(values))
    return median if low == high else f"{median} [{low}–{high}]"


def select(rows, part, case, peer):
    return {r["round"]: r for r in rows
            if (r["part"], r["case"], r["peer"]) == (part, case, peer)}


def table(rows, part):
    out = []
    for case in dict.fromkeys(r["case"] for r in rows if r["part"] == part):
        out += [f"\n{part}: {case}", "| program | runs | k q/s | CPU µs/q | server busy | p50 µs | "
                "p99 µs | wrong or lost | AD | upstream q/q |", "|---|---|---|---|---|---|---|---|---|---|"]
        mine = [r for r in rows if (r["part"], r["case"]) == (part, case)]
        for peer in sorted({r["peer"] for r in mine}, key=lambda p: statistics.median(
                r["us"] for r in mine if r["peer"] == p)):
            got = [r for r in mine if r["peer"] == peer]

            def of(key, form="{:.2f}", scale=1.0):
                return cell([r[key] * scale for r in got], form)
            out.append(f"| {peer} | {len(got)} | {of('qps', '{:.1f}', 1e-3)} | {of('us')} | "
                       f"{of('util')} | {of('p50_us', '{:.0f}')} | {of('p99_us', '{:.0f}')} | "
                       f"{sum(r['bad'] for r in got)} | {of('ad_part')} | {of('upstream')} |")
            if "bytes" in got[0]:
                out[-1] += f" {of('bytes', '{:.0f}')} bytes an answer |"
            if "resident_mib" in got[0]:
                out[-1] += (f" {of('empty_mib', '{:.1f}')} MiB empty, {of('resident_mib', '{:.1f}')} "
                            f"full, {of('evictions', '{:.0f}')} evictions |")
            if "spread" in got[0]:
                out[-1] += f" busiest worker's part {of('spread')} |"
    return "\n".join(out)


class Ratios:
    """Each ratio is taken within a round; then median and range over the rounds."""

    def __init__(self, rows):
        self.rows = rows
        self.lines = []
        self.results = []

    def values(self, part, case, peer, key):
        return {n: r[key] for n, r in select(self.rows, part, case, peer).items()}

    def best(self, part, case, key, but=("veridoh", "bare", "before", "openssl", "generator"), low=True):
        """The peer whose median is best."""
        names = {r["peer"] for r in self.rows if (r["part"], r["case"]) == (part, case)} - set(but)
        ranked = sorted(names, key=lambda p: statistics.median(
            self.values(part, case, p, key).values()), reverse=not low)
        return ranked[0] if ranked else None

    def add(self, what, above, below, goal, at_most):
        """`above` and `below`: by round."""
        ratios = [above[n] / below[n] for n in sorted(above.keys() & below.keys()) if below[n] > 0]
        if not ratios:
            return
        median = statistics.median(ratios)
        met = median <= goal if at_most else median >= goal
        sign, goal = "≤" if at_most else "≥", round(goal, 2)
        self.results.append({"what": what, "median": median, "min": min(ratios),
                             "max": max(ratios), "goal": f"{sign} {goal}", "met": met})
        self.lines.append(f"| {what} | {cell(ratios)} | {sign} {goal} | {'yes' if met else 'NO'} |")

    def against(self, what, part, case, key, peer, goal, at_most=True):
        if peer:
            self.add(f"{what} ÷ {peer}", self.values(part, case, "veridoh", key),
                     self.values(part, case, peer, key), goal, at_most)

    def hits(self):
        part, case = "hits", "1000 names"
        self.against("UDP hits/s", part, case, "qps", "bare", 0.92, at_most=False)
        self.against("UDP hits: CPU a question", part, case, "us", "bare", 1 / 0.92)
        best = self.best(part, case, "us")
        ours, floor = (self.values(part, case, p, "us") for p in ("veridoh", "bare"))
        if best:
            theirs = self.values(part, case, best, "us")
            both = ours.keys() & floor.keys() & theirs.keys()
            self.add(f"UDP hits: CPU above the bare responder's ÷ {best}'s",
                     {n: ours[n] - floor[n] for n in both},
                     {n: theirs[n] - floor[n] for n in both}, 0.35, True)
        self.add("generator's own ceiling ÷ veridoh's hits/s", self.values(part, case, "generator", "qps"),
                 self.values(part, case, "veridoh", "qps"), 1.1, False)
        self.against("UDP hits/s", part, case, "qps", self.best(part, case, "qps", low=False), 1.15,
                     at_most=False)
        self.against("UDP hits/s", part, case, "qps", "knot-resolver", 1.7, at_most=False)

    def many(self):
        for size, goal in (("100000", 0.95), ("1000000", 0.85)):
            few, all_ = f"1000 names among {size}", f"{size} names"
            self.add(f"UDP hits/s with {size} names ÷ 1000 names",
                     self.values("many", all_, "veridoh", "qps"),
                     self.values("many", few, "veridoh", "qps"), goal, False)
            self.add(f"the same as hits a CPU second, {size} names",
                     self.values("many", few, "veridoh", "us"),
                     self.values("many", all_, "veridoh", "us"), goal, False)

    def tcp(self):
        self.against("TCP pipelined: CPU a hit", "tcp", "1000 names", "us",
                     self.best("tcp", "1000 names", "us"), 0.6)

    def miss(self):
        self.against("unvalidated miss over DoH: CPU", "miss", "plain", "us", "dnsdist", 0.7)
        self.against("unvalidated miss over DoH: CPU", "miss", "plain", "us", "https_dns_proxy", 0.5)
        for kind, goal in (("p256", 0.7), ("rsa", 0.6), ("ed25519", 0.45)):
            self.against(f"secure miss, {kind}: CPU", "miss", kind, "us", "unbound", goal)
            bare = self.values("miss", f"bare check, {kind}", "openssl", "us")
            for words, case, less in (
                    ("one of an unsigned zone", kind, "plain"),
                    ("the same with CD=1", kind, f"{kind}, CD=1"),
                    ("the same with CD=1, no client asleep", f"{kind}, awake", f"{kind}, CD=1, awake")):
                above = self.difference("miss", case, less, "us")
                self.add(f"secure miss, {kind}: CPU above {words} ÷ OpenSSL's bare check", above, bare, 1.1, True)
        for kind in ("nxdomain", "nxnsec3", "wild", "wildnsec3"):
            self.add(f"{kind} miss, proven before: CPU µs above the same with CD=1",
                     self.difference("miss", f"{kind}, asked", f"{kind}, CD=1", "us"),
                     {n: 1 for n in range(99)}, 5, True)

    def difference(self, part, case, less, key):
        above, below = (self.values(part, c, "veridoh", key) for c in (case, less))
        return {n: above[n] - below[n] for n in above.keys() & below.keys()}

    def cold(self):
        for case in dict.fromkeys(r["case"] for r in self.rows if r["part"] == "cold"):
            if case.endswith("warm zone"):
                self.against(f"next answer, {case}: upstream questions", "cold", case, "upstream",
                             "unbound", 1)
                continue
            goal = {"open": 55, "early data": 105}.get(case.split(", ")[1], 155)
            self.add(f"first answer, {case}: ms", {n: v * 1000 for n, v in self.values(
                "cold", case, "veridoh", "seconds").items()}, {n: 1 for n in range(99)}, goal, True)
            self.against(f"first answer, {case}: upstream questions", "cold", case, "upstream",
                         "unbound", 1.4)

    def flood(self):
        self.add("p99 of hits in a flood of random names ÷ alone",
                 self.values("flood", "hits in a flood", "veridoh", "p99_us"),
                 self.values("flood", "hits alone", "veridoh", "p99_us"), 2, True)

    def memory(self):
        best = self.best("memory", "signed answers", "bytes")
        if any(r["part"] == "memory" for r in self.rows):
            self.against("bytes for each signed answer", "memory", "signed answers", "bytes", best, 0.5)

    def bound(self):
        for mib in (16, 32):
            rows = select(self.rows, "bound", f"{mib} MiB", "veridoh")
            self.add(f"resident memory with a cache of {mib} MiB, more than an empty process: ÷ {mib} MiB",
                     {n: r["resident_mib"] - r["empty_mib"] for n, r in rows.items()},
                     {n: mib for n in rows}, 1.1, True)

    def workers(self):
        for case in ("60 000/s, one socket", "saturated"):
            one, two = (self.values("workers", f"{n} workers, {case}", "veridoh", "us")
                        for n in (1, 2))
            self.add(f"2 workers ÷ 1, hits a CPU second each, times 2; {case}",
                     {n: 2 * v for n, v in one.items()}, two, 1.8, False)
        self.add("busiest of 2 workers: its part", self.values(
            "workers", "2 workers, 60 000/s, one socket", "veridoh", "spread"),
            {n: 1 for n in range(99)}, 0.6, True)

    def all(self):
        for part in (self.hits, self.many, self.tcp, self.miss, self.cold, self.flood, self.memory,
                     self.bound, self.workers):
            part()
        return "\n".join(["| ratio | median [min–max] | goal | met |", "|---|---|---|---|",
                          *self.lines])
