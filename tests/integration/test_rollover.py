# SPDX-License-Identifier: MIT
"""Rollovers as RFC 6781 4 has them, by a real signer, while questions flow and caches are warm: not
one valid answer is refused, and a key that was withdrawn is believed no longer than its records may
be remembered."""
import collections
import concurrent.futures
import threading
import time
import unittest

from lib import Case, ask_udp, query
from rollover import AUTOMATIC, PROPAGATION_S, TTL_S, Knot, Relay, Resolver, signer_tags
from opinions import TYPES, read_outcome

PACE_S = 0.02      # between two questions
FORGOTTEN_S = 2 * TTL_S + 2  # two caches, which round
AD_ASKED = 0x0120
ZONES = {
    "zsk.": AUTOMATIC + "    zsk-lifetime: 8\n",
    "ksk.": AUTOMATIC + "    ksk-lifetime: 10\n",
    "csk.": AUTOMATIC + "    single-type-signing: on\n    ksk-lifetime: 10\n",
    "alg.": AUTOMATIC + "    algorithm: rsasha256\n",
    "urgent-zsk.": AUTOMATIC,
    "urgent-ksk.": AUTOMATIC,
    "off.": AUTOMATIC,
    "dds.": "    manual: on\n",
}


class Client(threading.Thread):
    """Asks about every zone in turn: a name that is always the same, one that is new each time and
    comes of a wildcard, a type that is not there."""

    def __init__(self, port, zones):
        super().__init__()
        self.port, self.zones = port, list(zones)
        self.seen = collections.defaultdict(list)  # zone -> [(when asked, question, Outcome)]
        self.ended = False

    def ask(self, name, type_):
        got = ask_udp(self.port, query(name, TYPES[type_], flags=AD_ASKED, do=False), 6)
        return got and read_outcome(got)

    def run(self):
        number = 0
        while not self.ended:
            zone = self.zones[number % len(self.zones)]
            kind = number // len(self.zones) % 3
            name = f"n{number}.{zone}" if kind == 1 else f"www.{zone}"
            asked = time.monotonic()
            self.seen[zone].append((asked, name, self.ask(name, "MX" if kind == 2 else "A")))
            number += 1
            time.sleep(PACE_S)

    def stop(self):
        self.ended = True
        self.join()


class Old:
    """What may be kept of a zone, and the keys that signed it."""

    def __init__(self, knot, zone):
        self.knot, self.zone = knot, zone
        self.keys = knot.seen(zone, "DNSKEY")
        self.key = min(signer_tags(self.keys, "DNSKEY"))
        self.keep_answer()

    def keep_answer(self):
        self.answer = self.knot.seen(f"stale.{self.zone}", "A")
        self.data_key = min(signer_tags(self.answer, "A"))


class Rollover(Case):
    def setUp(self):
        self.knot = Knot(ZONES)
        self.addCleanup(self.knot.stop)
        for zone in ZONES:
            self.knot.set_ds(zone, *self.ds_lines(zone))
        automatic = [zone for zone in ZONES if AUTOMATIC in ZONES[zone]]
        self.until(lambda: all(self.knot.has_confirmed(z) for z in automatic), "the first keys")
        self.relay = Relay(self.knot.port)
        self.addCleanup(self.relay.stop)
        self.resolver = Resolver(self.knot.policies, self.relay)
        self.addCleanup(self.resolver.stop)
        (self.resolver.dir / "root.ds").write_text(self.knot.keymgr(".", "ds"))
        self.veri = self.veridoh(self.resolver, prime=False)
        self.client = Client(self.veri.port, ZONES)
        self.until(lambda: all(self.is_secure(z) for z in ZONES), "every zone to be secure")
        self.old = {zone: Old(self.knot, zone) for zone in ZONES}
        self.insecure = None  # when off. may be without AD
        self.number, self.began = 0, time.monotonic()
        self.client.start()
        self.addCleanup(self.client.stop)

    def until(self, condition, what, limit_s=60):
        end = time.monotonic() + limit_s
        while time.monotonic() < end:
            if condition():
                return time.monotonic()
            time.sleep(0.05)
        raise AssertionError(f"waited in vain for {what}\n{self.knot.log()[-3000:]}")

    def is_secure(self, zone):
        got = self.client.ask(f"www.{zone}", "A")
        return got and got.rcode == "NOERROR" and got.ad

    def rest(self, seconds=TTL_S + PROPAGATION_S):
        """Time passes for whoever remembers records."""
        time.sleep(seconds)

    # --- the manual zone: double-DS (RFC 6781 4.1.2) ---

    def ds_lines(self, zone, key=None):
        return [line for line in self.knot.keymgr(zone, "ds", *([key] if key else [])).splitlines()
                if line.split()[4] == "2"]

    def roll_double_ds(self):
        old_ds = self.ds_lines("dds.")
        old = str(self.old["dds."].key)
        new = self.knot.keymgr("dds.", "generate", "ksk=yes", "publish=+1y", "ready=+1y",
                               "active=+1y").split()[0]
        self.knot.set_ds("dds.", *old_ds, *self.ds_lines("dds.", new))
        self.rest()
        now = int(time.time())
        self.knot.keymgr("dds.", "set", new, f"publish={now}", f"ready={now}", f"active={now}")
        self.knot.keymgr("dds.", "set", old, f"retire={now}", f"remove={now}")
        self.knot.command("zone-sign", "dds.")
        self.until(lambda: self.old["dds."].key not in self.knot.keys("dds."), "the swap")
        self.rest()
        self.knot.set_ds("dds.", *self.ds_lines("dds.", new))

    # --- going insecure and back (RFC 6781 4.4 the other way) ---

    def go_insecure_and_back(self):
        self.insecure = [time.monotonic(), float("inf")]
        self.knot.set_ds("off.")
        self.rest()
        self.until(lambda: not self.client.ask("www.off.", "A").ad, "off. to be insecure")
        self.knot.change("off.", None)
        self.until(lambda: not self.knot.keys("off."), "off. to be unsigned")
        self.rest()
        for key in self.knot.keymgr("off.", "list").splitlines():
            self.knot.keymgr("off.", "delete", key.split()[0])
        self.knot.change("off.", AUTOMATIC)
        self.until(lambda: self.knot.ds("off."), "a DS of off.")
        self.must_distrust(time.monotonic(), lambda: self.stale_verdict("off."),
                           "a key of off. from before")
        self.insecure[1] = time.monotonic()

    # --- keys that were withdrawn ---

    def stale_verdict(self, zone):
        """On an answer that an attacker kept from the beginning."""
        self.relay.repeat[f"stale.{zone}", TYPES["A"]] = self.old[zone].answer
        return self.client.ask(f"stale.{zone}", "A").rcode

    def new_verdict(self, zone):
        """On a name that no cache has heard of."""
        self.number += 1
        return self.client.ask(f"v{self.number}.{zone}", "A").rcode

    def must_distrust(self, began, verdict, what):
        """From `began` on the key is gone: soon the verdict is SERVFAIL, and stays so."""
        asked = time.monotonic()
        while verdict() != "SERVFAIL":
            self.assertLess(asked - began, FORGOTTEN_S, f"{what} is still believed")
            time.sleep(0.05)
            asked = time.monotonic()
        self.rest(TTL_S + 0.5)
        self.assertEqual(verdict(), "SERVFAIL", what)

    def withdraw_data_key(self, zone):
        """Its signatures are good as long as the key is published."""
        old = self.old[zone]
        while True:
            old.keep_answer()
            said = self.stale_verdict(zone)
            if old.data_key in self.knot.keys(zone):
                break
        self.assertEqual(said, "NOERROR", f"{zone}'s key is still there")
        began = self.until(lambda: old.data_key not in self.knot.keys(zone),
                           f"{zone}'s key to be withdrawn")
        self.must_distrust(began, lambda: self.stale_verdict(zone), f"{zone}'s old data key")

    def await_new_key(self, zone):
        self.until(lambda: self.old[zone].key not in self.knot.keys(zone) | self.knot.ds(zone),
                   f"{zone}'s key to be withdrawn")

    def await_new_keys(self, zone):
        self.await_new_key(zone)
        self.must_distrust(time.monotonic(), lambda: self.stale_verdict(zone),
                           f"{zone}'s old data key")

    def change_algorithm(self):
        self.knot.change("alg.", AUTOMATIC + "    algorithm: ecdsap256sha256\n")
        self.await_new_keys("alg.")

    def replace_data_key(self):
        self.knot.command("zone-key-rollover", "urgent-zsk.", "zsk")
        self.withdraw_data_key("urgent-zsk.")

    def replace_key(self):
        self.knot.command("zone-key-rollover", "urgent-ksk.", "ksk")
        self.await_new_key("urgent-ksk.")

    def replay_old_keys(self, zone):
        """The whole old DNSKEY set, by the old key alone, which no DS names any more."""
        self.relay.repeat[zone, TYPES["DNSKEY"]] = self.old[zone].keys
        self.must_distrust(time.monotonic(), lambda: self.new_verdict(zone), f"{zone}'s old key")

    # --- the test ---

    def at_once(self, *scenarios):
        with concurrent.futures.ThreadPoolExecutor(len(scenarios)) as pool:
            for done in [pool.submit(scenario) for scenario in scenarios]:
                done.result()

    def check_seen(self):
        for zone, seen in self.client.seen.items():
            self.assertGreater(len(seen), 30, zone)
            for asked, name, got in seen:
                free = zone == "off." and self.insecure[0] <= asked <= self.insecure[1]
                self.assertTrue(got and got.rcode == "NOERROR" and (got.ad or free),
                                f"{name}, {asked - self.began:.1f} s after the beginning: {got}\n"
                                f"{self.veri.log()[-3000:]}")

    def test_rollovers(self):
        self.at_once(lambda: self.withdraw_data_key("zsk."), lambda: self.await_new_key("ksk."),
                     lambda: self.await_new_keys("csk."), self.change_algorithm,
                     self.replace_data_key, self.replace_key, self.go_insecure_and_back,
                     self.roll_double_ds)
        self.rest()
        self.client.stop()
        self.check_seen()
        self.at_once(*[lambda z=zone: self.replay_old_keys(z)
                       for zone in ("ksk.", "csk.", "alg.", "urgent-ksk.", "dds.")])


if __name__ == "__main__":
    unittest.main()
