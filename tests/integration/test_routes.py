# SPDX-License-Identifier: MIT
"""Routes: to plain servers, to those of a resolv.conf, to a group of upstreams; believed or proven;
and the names that a pod's search list makes."""
import pathlib
import tempfile
import time

import shutil
import unittest

from lib import Case, config_text, upstream_config, wait_for

NAME, TRUTH = "www.two.test.", "192.0.2.32"
WORLD = """
zone . alg=13
zone test. alg=13
zone corp.test. alg=13
@ A 192.0.2.1
www A 192.0.2.2
*.wild A 192.0.2.3
zone plain.test. unsigned
www A 192.0.2.4
zone local. unsigned
zone cluster.local. unsigned
kubernetes.default.svc A 10.96.0.1
pod-0.db.default.svc A 10.0.0.7
registry A 10.0.0.8
_https._tcp.kubernetes.default.svc SRV 0 0 443 kubernetes.default.svc
zone example. unsigned
www A 192.0.2.5
"""


class Routes(Case):
    def setUp(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="veridoh-routes-"))
        self.addCleanup(shutil.rmtree, self.dir)
        self.file = self.dir / "resolv.conf"
        world = self.world_of(WORLD)
        self.public, self.inner = self.upstream(world=world), self.upstream(world=world)

    def start(self, route, *upstreams, more=""):
        return self.veridoh(self.public, *upstreams, extra=f"routes:\n  - {route}\n{more}")

    def plain(self, upstream):
        return f'"127.0.0.1:{upstream.plain_port}"'

    def asked(self, upstream, name, type_="A"):
        return [r["via"] for r in upstream.stats().of(name, type_)]

    def test_believed(self):
        veri = self.start(f"{{domains: [corp.test], servers: [{self.plain(self.inner)}]}}")
        self.assert_insecure(veri.dig("www.corp.test."), "192.0.2.2")
        self.assertEqual(self.asked(self.inner, "www.corp.test."), ["udp"])
        self.assertEqual(self.asked(self.public, "www.corp.test."), [])
        self.inner.lie("unsigned-lie", name="corp.test.")
        self.assert_insecure(veri.dig("corp.test."), "192.0.2.66")

    def test_proven(self):
        """The chain comes over both: the DS from the public side, what is below from the route."""
        veri = self.start(f"{{domains: [corp.test], servers: [{self.plain(self.inner)}], validate: on}}")
        self.assert_secure(veri.dig("www.corp.test."), "192.0.2.2")
        self.assertEqual(self.asked(self.inner, "corp.test.", "DNSKEY"), ["udp"])
        self.assertEqual(self.asked(self.inner, "corp.test.", "DS"), [])
        self.assertEqual(self.asked(self.public, "corp.test.", "DNSKEY"), [])
        self.inner.lie("unsigned-lie", name="corp.test.")
        self.assert_refused(veri.dig("corp.test."))

    def test_own_anchor(self):
        """A tree of one's own, below a root that nobody else has."""
        inner = self.upstream("--seed", "inner", world=self.world_of("zone corp.test. alg=13\nwww A 192.0.2.9\n"))
        keys = self.dir / "corp.keys"
        keys.write_text(inner_key(inner, "corp.test."))
        veri = self.start(f"{{domains: [corp.test], servers: [{self.plain(inner)}], trust-anchors: {keys}}}")
        self.assert_secure(veri.dig("www.corp.test."), "192.0.2.9")
        inner.lie("unsigned-lie", name="corp.test.")
        self.assert_refused(veri.dig("corp.test."))
        self.assertEqual([r for r in self.public.stats().seen if "corp" in r["name"]], [])

    def test_group(self):
        """Only the named upstream is asked, and it is asked nothing else."""
        entry = upstream_config(self.inner, "inner", **{"route-only": "true"})
        base = config_text(0, [self.public], self.public.dir / "root.ds",
                           "routes:\n  - {domains: [corp.test], upstreams: inner}\n")
        config = base.replace("127.0.0.1:0", "127.0.0.1:@PORT@").replace("upstreams:\n", f"upstreams:\n{entry}\n", 1)
        veri = self.veridoh(self.public, config=config)
        self.assert_secure(veri.dig("www.corp.test."), "192.0.2.2")
        self.assert_insecure(veri.dig("www.plain.test."), "192.0.2.4")
        self.assertEqual(self.asked(self.inner, "www.corp.test."), ["post"])
        self.assertEqual(self.asked(self.public, "www.corp.test."), [])
        self.assertEqual(self.asked(self.inner, "www.plain.test."), [])
        self.inner.lie("servfail")
        self.assert_refused(veri.dig("a.wild.corp.test."))
        self.assertEqual(self.asked(self.public, "a.wild.corp.test."), [])

    def test_servers_from_a_file_that_changes(self):
        self.file.write_text("# nothing yet\n")
        veri = self.start(f"{{domains: [corp.test], servers-from: {self.file}}}",
                          more="cache:\n  max-failure-ttl: 1s\n")
        self.assert_refused(veri.dig("www.corp.test."))
        self.file.write_text(f"nameserver [127.0.0.1]:{veri.port}\n"
                             f"nameserver [127.0.0.1]:{self.inner.plain_port}\n")
        wait_for(lambda: veri.dig("www.corp.test.").rcode == "NOERROR", "the new server to be asked")
        self.assertEqual(self.asked(self.public, "www.corp.test."), [])
        other = self.upstream(world=self.world_of(WORLD))
        self.file.write_text(f"nameserver [127.0.0.1]:{other.plain_port}\n")
        numbers = iter(range(1000))
        wait_for(lambda: veri.dig(f"n{next(numbers)}.wild.corp.test.") and other.stats().questions,
                 "the third server to be asked")

    def test_domains_from_a_file_that_changes(self):
        """Each worker takes and leaves domains as the file says; a domain that is left is proven."""
        def corp(n):
            return veri.dig(f"n{n}.wild.corp.test.")
        self.file.write_text("search corp.test\n")
        route = f"{{domains-from: {self.file}, servers: [{self.plain(self.inner)}]}}"
        config = config_text("@PORT@", [self.public], self.public.dir / "root.ds", f"routes:\n  - {route}\n")
        veri = self.veridoh(self.public, config=config.replace("workers: 1", "workers: 2"))
        for n in range(8):
            self.assert_insecure(corp(n), "192.0.2.3")
        self.assertEqual(self.asked(self.public, "n0.wild.corp.test."), [])
        self.file.write_text("search plain.test\n")
        numbers = iter(range(8, 100000))
        wait_for(lambda: all("ad" in corp(next(numbers)).flags for _ in range(8)), "corp.test to be proven")
        wait_for(lambda: "these domains are routed now: plain.test." in veri.log(), "the log to say so")
        self.inner.reset_stats()
        self.assert_secure(corp(next(numbers)), "192.0.2.3")
        self.assertEqual(self.inner.stats().questions, 0)
        self.assert_insecure(veri.dig("www.plain.test."), "192.0.2.4")
        self.assertEqual(self.asked(self.inner, "www.plain.test."), ["udp"])
        self.file.unlink()  # says nothing
        time.sleep(2.5)
        self.assertEqual(veri.dig("none.plain.test.").rcode, "NXDOMAIN")
        self.assertEqual(self.asked(self.inner, "none.plain.test."), ["udp"])
        self.file.write_text("search default.svc.cluster.local svc.cluster.local cluster.local\n")
        wait_for(lambda: veri.dig("kubernetes.default.svc.cluster.local.").rcode == "NOERROR", "the cluster")
        wait_for(lambda: veri.dig("registry.cluster.local.").rcode == "NOERROR", "the other worker")
        self.assertEqual(veri.dig("www.example.com.cluster.local.").rcode, "NXDOMAIN")
        self.assertEqual(self.asked(self.inner, "www.example.com.cluster.local."), [])

    def test_never_itself(self):
        """The only server of the file is veridoh: no loop, and a reason at once."""
        veri = self.start(f"{{domains: [corp.test], servers-from: {self.file}}}")
        self.file.write_text(f"nameserver [127.0.0.1]:{veri.port}\n")
        time.sleep(2.5)  # the file is looked at every two seconds, and nothing shows that it was
        begin = time.monotonic()
        self.assert_refused(veri.dig("www.corp.test."))
        self.assertLess(time.monotonic() - begin, 1.0)

    def test_negative_ttl(self):
        veri = self.start(f"{{domains: [plain.test], servers: [{self.plain(self.inner)}], max-negative-ttl: 1s}}")
        self.assertEqual(veri.dig("none.plain.test.").rcode, "NXDOMAIN")
        time.sleep(1.2)
        self.assertEqual(veri.dig("none.plain.test.").rcode, "NXDOMAIN")
        self.assertEqual(len(self.asked(self.inner, "none.plain.test.")), 2)

    def test_sidecar(self):
        """With a pod's search list nothing that the list makes of a public name reaches the public
        upstream, and what the cluster has is found."""
        self.file.write_text("search default.svc.cluster.local svc.cluster.local cluster.local\n"
                             f"nameserver [127.0.0.1]:{self.inner.plain_port}\noptions ndots:5\n")
        veri = self.start(f"{{domains-from: {self.file}, servers-from: {self.file}}}")
        for name, address in (("kubernetes.default.svc.cluster.local.", "10.96.0.1"),
                              ("pod-0.db.default.svc.cluster.local.", "10.0.0.7"),
                              ("registry.cluster.local.", "10.0.0.8")):
            self.assert_insecure(veri.dig(name), address)
        self.assertEqual(veri.dig("_https._tcp.kubernetes.default.svc.cluster.local.", "SRV").rcode, "NOERROR")
        self.public.reset_stats()
        self.inner.reset_stats()
        here = ["www.example.default.svc.cluster.local.", "www.example.svc.cluster.local.",
                "www.example.cluster.local.", "a.www.example.default.svc.cluster.local."]
        for name in here:
            for type_ in ("A", "AAAA"):
                self.assertEqual(veri.dig(name, type_).rcode, "NXDOMAIN", name)
        self.assertEqual(self.public.stats().questions, 0)
        asked = {name for name, _ in self.inner.stats().asked()}
        self.assertEqual(asked, {here[0], here[1]})  # a pod "www" of a service "example" may exist
        self.assert_insecure(veri.dig("www.example."), "192.0.2.5")


def inner_key(upstream, zone):
    """The zone's DNSKEYs as a file of anchors."""
    from lib import dig
    rows = dig(upstream.plain_port, zone, "DNSKEY").answer
    return "".join(f"{zone} 3600 IN DNSKEY {rdata}\n" for _, _, type_, rdata in rows
                   if type_ == "DNSKEY" and rdata.startswith("257"))


class Mistakes(Case):
    def test_each_is_named(self):
        up = self.upstream()
        cases = {
            "{servers: [10.0.0.53]}": "needs 'domains' or 'domains-from'",
            "{domains: [corp.test]}": "needs 'servers', 'servers-from' or 'upstreams'",
            "{domains: [corp.test], upstreams: nobody}": "no upstream named 'nobody'",
            "{domains: [corp.test], servers: [10.0.0.53], upstreams: up0}": "not both",
            "{domains-from: /nowhere/at/all, servers: [10.0.0.53]}": "/nowhere/at/all cannot be read",
            f"{{domains: [t], servers: [10.0.0.53], validate: off, trust-anchors: {up.dir}/root.ds}}":
                "trust-anchors with 'validate: off'",
        }
        for route, words in cases.items():
            with self.subTest(route=route), self.assertRaises(AssertionError) as caught:
                self.veridoh(up, extra=f"routes:\n  - {route}\n")
            self.assertIn(words, str(caught.exception))


if __name__ == "__main__":
    unittest.main()
