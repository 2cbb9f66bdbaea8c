# SPDX-License-Identifier: MIT
"""Trust anchors from files, followed over time (RFC 5011), negative ones (RFC 7646), and what the
world is told of them (RFC 8145, RFC 8509)."""
import pathlib
import re
import shutil
import tempfile

from lib import Case, config_text, program, wait_for
from test_clock import MovedTime
from test_process import run

NAME = "www.two.test."
DAY_S = 86400
WORLD = """
zone . alg=13 denial=nsec ttl=3600 keys=split{root}
zone test. alg=13 denial=nsec
zone two.test. alg=13 denial=nsec
www A 192.0.2.32
root-key-sentinel-is-ta-{tag} A 192.0.2.1
root-key-sentinel-not-ta-{tag} A 192.0.2.2
root-key-sentinel-is-ta-00001 A 192.0.2.3
root-key-sentinel-not-ta-00001 A 192.0.2.4
zone insecure.test. unsigned
zone island.insecure.test. alg=13 denial=nsec
www A 192.0.2.50
"""


class Anchors(Case):
    def upstream_of(self, root="", records="", tag="00000", seed="one"):
        text = WORLD.format(root=root, tag=tag)
        if records:
            text = text.replace("zone test.", records + "\nzone test.", 1)
        return self.upstream("--seed", seed, world=self.world_of(text))

    def directory(self):
        path = pathlib.Path(tempfile.mkdtemp(prefix="veridoh-state-"))
        self.addCleanup(shutil.rmtree, path, ignore_errors=True)
        return path

    def start(self, up, validation="", state=None, **more):
        text = config_text("@PORT@", [up], up.dir / "root.ds", f"validation:\n{validation}"
                           if "trust-anchors" in validation else
                           f"validation:\n  trust-anchors: {up.dir}/root.ds\n{validation}")
        if state:
            text = text.replace("workers: 1", f"workers: 2\n  state-directory: {state}")
        return self.veridoh(up, config=text, **more)

    def kept(self, state):
        path = state / "anchors"
        return path.read_text() if path.exists() else ""

    def record(self, up, name, type_):
        """RDATA as fake-upstream serves it."""
        import subprocess
        out = subprocess.run(["dig", "@127.0.0.1", "-p", str(up.plain_port), "+short", name, type_],
                             capture_output=True, text=True, timeout=20, check=True).stdout
        return out.splitlines()

    # --- files ---

    def test_root_anchors_xml(self):
        """RFC 9718: read, and dates honoured; a mistake is named with its line."""
        up = self.upstream_of()
        tag, algorithm, kind, digest = (up.dir / "root.ds").read_text().split("DS")[1].split(None, 3)
        key = (f'<KeyDigest id="a" validFrom="{{}}" validUntil="{{}}">\n<KeyTag>{tag}</KeyTag>'
               f"<Algorithm>{algorithm}</Algorithm><DigestType>{kind}</DigestType>"
               f"<Digest>{digest.replace(' ', '').strip()}</Digest></KeyDigest>\n")
        whole = '<?xml version="1.0"?>\n<TrustAnchor id="i" source="s">\n<Zone>.</Zone>\n{}</TrustAnchor>\n'
        now = key.format("2020-01-01T00:00:00+00:00", "2100-01-01T00:00:00+00:00")
        path = self.world_of(whole.format(now))
        veri = self.start(up, f"  trust-anchors: {path}\n")
        self.assert_secure(veri.dig(NAME))
        config = self.world_of((veri.dir / "veridoh.yaml").read_text())
        for text, words in (
                (key.format("2020-01-01T00:00:00Z", "2021-01-01T00:00:00Z"), f"{path}:4:1: error: .*validUntil"),
                (key.format("2099-01-01T00:00:00Z", "2100-01-01T00:00:00Z"), f"{path}:4:1: error: .*validFrom"),
                (key.format("soon", "later"), f"{path}:4:1: error: validFrom"),
                ("", f"{path}: has no trust anchor")):
            with self.subTest(words=words):
                path.write_text(whole.format(text))
                done = run("check-config", config)
                self.assertEqual(done.returncode, 78, done.stderr)
                self.assertRegex(done.stderr, words)

    def test_several_files_and_an_island(self):
        """An anchor below an unsigned parent, and below a negative anchor, wins."""
        up = self.upstream_of()
        ds = self.record(up, "island.insecure.test.", "DNSKEY")
        island = self.world_of("".join(f"island.insecure.test. IN DNSKEY {line}\n" for line in ds
                                       if line.startswith("257")))
        both = f"  trust-anchors: [{up.dir}/root.ds, {island}]\n"
        veri = self.start(up)
        self.assert_insecure(veri.dig("www.island.insecure.test."), "192.0.2.50")
        veri = self.start(up, both)
        self.assert_secure(veri.dig("www.island.insecure.test."), "192.0.2.50")
        self.assert_secure(veri.dig(NAME))
        veri = self.start(up, both + "  negative-trust-anchors: [{domain: insecure.test}]\n")
        self.assert_secure(veri.dig("www.island.insecure.test."), "192.0.2.50")

    # --- negative ones ---

    def test_negative_anchors_end_by_themselves(self):
        """RFC 7646: EDE 33 with the reason while it lasts, also from the cache, and not a second
        longer."""
        up = self.upstream_of()
        up.lie("flip=sig", name="*.two.test.")
        moved = MovedTime()
        self.addCleanup(moved.close)
        veri = self.start(up, "  negative-trust-anchors:\n    - domain: two.test\n"
                              "      until: 2099-01-01\n      reason: they know\n", env=moved.env())
        for _ in range(2):
            answer = veri.dig(NAME)
            self.assert_insecure(answer, "192.0.2.32")
            self.assertEqual(answer.ede[0][0], 33, answer)
            self.assertIn("they know", answer.ede[0][1], answer)
        # eighty years on every signature has expired: what was insecure is refused from then on
        moved.move(80 * 366 * DAY_S)
        self.assertEqual(veri.dig(NAME).rcode, "SERVFAIL")

    # --- RFC 5011 ---

    def test_the_state_is_kept_and_taken_up(self):
        up = self.upstream_of()
        state = self.directory()
        veri = self.start(up, state=state)
        wait_for(lambda: "key valid" in self.kept(state), "the root's key to be kept")
        self.assertIn(" was start, is valid", veri.log())
        self.assertEqual(veri.stop(), 0)
        first = self.kept(state)
        veri = self.start(up, state=state, prime=False)
        self.assert_secure(veri.dig(NAME))
        self.assertNotIn("state refused", veri.log())
        self.assertEqual(veri.stop(), 0)
        keys = [line for line in first.splitlines() if line.startswith("key")]
        self.assertEqual([l for l in self.kept(state).splitlines() if l.startswith("key")], keys)

    def test_state_that_cannot_be_is_refused_and_said(self):
        up = self.upstream_of()
        state = self.directory()
        veri = self.start(up, state=state)
        wait_for(lambda: "key valid" in self.kept(state), "the root's key to be kept")
        self.assertEqual(veri.stop(), 0)
        good = self.kept(state)
        for bad in (good[:-10], good.replace("valid", "VALID"), good.replace("anchors 1", "anchors 9"),
                    "", "x" * 3000000, good.replace("key valid", "key valid 0")):
            with self.subTest(bad=bad[:30]):
                (state / "anchors").write_text(bad)
                veri = self.start(up, state=state)
                self.assertRegex(veri.log(), r"state refused: .*/anchors: .*going on")
                self.assert_secure(veri.dig(NAME))
                self.assertEqual(veri.stop(), 0)

    def test_without_a_state_directory(self):
        """A container: said, and the configured anchors are what there is."""
        up = self.upstream_of()
        veri = self.start(up)
        self.assertIn("no state directory", veri.log())
        self.assert_secure(veri.dig(NAME))
        veri = self.start(up, state="/nonexistent/veridoh")
        self.assertRegex(veri.log(), "state directory /nonexistent/veridoh: No such file or directory")
        self.assert_secure(veri.dig(NAME))

    def test_a_key_that_nobody_configured_is_trusted_after_its_hold_down(self):
        """The root of another seed is published in this one's key set, and after thirty days it
        alone signs: the program has followed, over restarts."""
        second = self.upstream_of(seed="two")
        key = next(k for k in self.record(second, ".", "DNSKEY") if k.startswith("257"))
        first = self.upstream_of(records=f"@ DNSKEY {key}")
        anchors = self.world_of((first.dir / "root.ds").read_text())
        state, moved = self.directory(), MovedTime()
        self.addCleanup(moved.close)

        def start(up, days):
            moved.move(days * DAY_S)
            now = int(__import__("time").time())
            up.command(f"now {now + days * DAY_S}")
            return self.start(up, f"  trust-anchors: {anchors}\n", state=state, env=moved.env(),
                              prime=False)
        veri = start(first, 0)
        wait_for(lambda: "key addpend" in self.kept(state), "the new key to be seen")
        self.assertEqual(veri.stop(), 0)
        veri = start(first, 29)
        self.assert_secure(veri.dig(NAME))
        self.assertEqual(veri.stop(), 0)
        self.assertIn("key addpend", self.kept(state))
        veri = start(first, 31)
        wait_for(lambda: "was addpend, is valid" in veri.log(), "the new key to be trusted")
        wait_for(lambda: self.kept(state).count("key valid") == 2, "that to be kept")
        self.assertEqual(veri.stop(), 0)
        veri = start(second, 32)
        wait_for(lambda: "was valid, is missing" in veri.log(), "the old key to be missed")
        self.assert_secure(veri.dig(NAME))
        self.assertEqual(veri.stop(), 0)
        (state / "anchors").unlink()  # without what was learnt the second root is a stranger
        veri = start(second, 33)
        self.assert_refused(veri.dig(NAME))

    def test_the_only_key_is_revoked(self):
        """RFC 5011 2.1: at once, by its own signature; then nothing is believed, and nothing is
        insecure either."""
        good = self.upstream_of()
        revoked = self.upstream_of(root=" fault=revoked")
        anchors = self.world_of((good.dir / "root.ds").read_text())
        state = self.directory()
        veri = self.start(revoked, f"  trust-anchors: {anchors}\n", state=state, prime=False)
        wait_for(lambda: "no key is left" in veri.log(), "the revocation to be seen")
        self.assertIn("was start, is revoked", veri.log())
        answer = veri.dig(NAME)
        self.assert_refused(answer, 9, 6)
        self.assertEqual(veri.stop(), 0)
        self.assertIn("key revoked", self.kept(state))
        veri = self.start(good, f"  trust-anchors: {anchors}\n", state=state)
        self.assert_refused(veri.dig(NAME), 9)  # for good, though its DS is configured
        self.assert_refused(veri.dig("www.insecure.test."), 9)

    def test_behind_a_revocation_answers_are_kept(self):
        """The flush puts an end to what was begun before it, and to nothing that begins later."""
        good, revoked = self.upstream_of(), self.upstream_of(root=" fault=revoked")
        name = "www.island.insecure.test."
        island = self.world_of("".join(
            f"island.insecure.test. IN DNSKEY {line}\n"
            for line in self.record(good, "island.insecure.test.", "DNSKEY")
            if line.startswith("257")))
        veri = self.start(revoked, f"  trust-anchors: [{good.dir}/root.ds, {island}]\n",
                          state=self.directory(), prime=False)
        wait_for(lambda: "no key is left" in veri.log(), "the revocation to be seen")
        self.assert_secure(veri.dig(name), "192.0.2.50")
        revoked.reset_stats()
        self.assert_secure(veri.dig(name), "192.0.2.50")
        self.assertEqual(revoked.stats().of(name, "A"), [])
        self.assert_refused(veri.dig(NAME), 9)

    def test_off(self):
        up = self.upstream_of()
        state = self.directory()
        veri = self.start(up, "  rollover: false\n", state=state)
        self.assert_secure(veri.dig(NAME))
        self.assertEqual(veri.stop(), 0)
        self.assertEqual(self.kept(state), "")

    # --- what the world is told ---

    def tag(self, up):
        return int((up.dir / "root.ds").read_text().split("DS")[1].split()[0])

    def test_key_tags_are_signalled(self):
        """RFC 8145 5: _ta-XXXX beside the question for the root's keys, and not when switched off."""
        up = self.upstream_of()
        name = f"_ta-{self.tag(up):04x}."
        self.start(up)
        wait_for(lambda: any(n == name for n, _ in up.stats().asked()), "the key tag to be told")
        self.assertEqual([t for n, t in up.stats().asked() if n == name], ["NULL"])
        up.reset_stats()
        self.start(up, "  signal-key-tags: false\n")
        self.assertFalse([n for n, _ in up.stats().asked() if n.startswith("_ta")])

    def test_sentinel(self):
        """RFC 8509 3.2, all four names; and none of it for CD=1, other types, or switched off."""
        tag = f"{self.tag(self.upstream_of()):05d}"
        up = self.upstream_of(tag=tag)
        veri = self.start(up)
        for label, ok in ((f"is-ta-{tag}", True), (f"not-ta-{tag}", False),
                          ("is-ta-00001", False), ("not-ta-00001", True)):
            name = f"root-key-sentinel-{label}.two.test."
            for attempt in range(2):  # the second from the cache
                with self.subTest(label=label, attempt=attempt):
                    answer = veri.dig(name)
                    self.assertEqual(answer.rcode, "NOERROR" if ok else "SERVFAIL", answer)
            self.assertEqual(veri.dig(name, "A", "+cdflag").rcode, "NOERROR")
            self.assertEqual(veri.dig(name, "TXT").rcode, "NOERROR")
        veri = self.start(up, "  sentinel: false\n")
        self.assertEqual(veri.dig(f"root-key-sentinel-not-ta-{tag}.two.test.").rcode, "NOERROR")


if __name__ == "__main__":
    import unittest
    unittest.main()
