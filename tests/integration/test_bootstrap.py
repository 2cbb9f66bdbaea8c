# SPDX-License-Identifier: MIT
"""Where an upstream's addresses come from: its bootstrap servers, the last start, the system's
resolv.conf; and which of those is asked when."""
import pathlib
import shutil
import socket
import tempfile
import time
import unittest

from lib import Case, wait_for

NAME, TRUTH = "www.two.test.", "192.0.2.32"
HOST = "doh.boot.test"
WORLD = """
zone . alg=13
zone test. alg=13
www.two A 192.0.2.32
doh.boot A 127.0.0.1
"""


class Bootstrap(Case):
    def setUp(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="veridoh-bootstrap-"))
        self.addCleanup(shutil.rmtree, self.dir)
        self.file = self.dir / "resolv.conf"
        self.file.write_text("")
        self.up = self.upstream("--name", HOST, world=self.world_of(WORLD))
        self.plain = self.upstream(world=self.world_of(WORLD))

    def start(self, bootstrap="", state=False, prime=False):
        url = f"https://{HOST}:{self.up.port}/dns-query"
        more = f", bootstrap: [{bootstrap}]" if bootstrap else ""
        return self.veridoh(self.up, prime=prime, config=(
            "listen:\n  - address: 127.0.0.1:@PORT@\n"
            f"upstreams:\n  - {{name: up, url: \"{url}\", ca: {self.up.dir}/ca.pem{more}}}\n"
            f"validation:\n  trust-anchors: {self.up.dir}/root.ds\n"
            f"transport:\n  resolv-conf: {self.file}\n"
            + (f"process:\n  state-directory: {self.dir}\n" if state else "")))

    def server(self, upstream):
        return f'"127.0.0.1:{upstream.plain_port}"'

    def asked(self):
        return {name for name, _ in self.plain.stats().asked()}

    def test_named_servers(self):
        self.assert_secure(self.start(self.server(self.plain)).dig(NAME), TRUTH)
        self.assertEqual(self.asked(), {HOST + "."})  # that name and nothing else

    def test_an_address_does_not_wait_for_the_other_family(self):
        self.plain.lie("drop", type="AAAA")
        begin = time.monotonic()
        self.assert_secure(self.start(self.server(self.plain)).dig(NAME), TRUTH)
        self.assertLess(time.monotonic() - begin, 2.0)

    def test_the_last_start_is_remembered(self):
        """With the bootstrap server gone, the address of the last time will do."""
        veri = self.start(self.server(self.plain), state=True)
        self.assert_secure(veri.dig(NAME), TRUTH)
        self.assertEqual(veri.stop(), 0)
        self.assertIn(f"{HOST} 127.0.0.1", (self.dir / "upstream-addresses").read_text())
        self.plain.reset_stats()
        self.plain.lie("drop")
        self.assert_secure(self.start(self.server(self.plain), state=True).dig(NAME), TRUTH)
        self.assertEqual(self.asked(), set())

    def test_remembered_addresses_may_be_wrong(self):
        (self.dir / "upstream-addresses").write_text(f"{HOST} 127.0.0.3\n")
        veri = self.start(self.server(self.plain), state=True)
        self.assert_secure(veri.dig(NAME), TRUTH)
        self.assertIn(f"{HOST} 127.0.0.1", (self.dir / "upstream-addresses").read_text())

    def test_resolv_conf_without_ourselves(self):
        veri = self.start()
        self.assert_refused(veri.dig(NAME))
        self.file.write_text(f"nameserver [127.0.0.1]:{veri.port}\n"
                             f"nameserver [127.0.0.1]:{self.plain.plain_port}\n")
        wait_for(lambda: veri.dig(NAME).rcode == "NOERROR", "the address to be found")
        self.assertEqual(self.asked(), {HOST + "."})

    def test_a_server_that_lies(self):
        """What it says leads nowhere; the next one is asked first the next time."""
        liar = self.upstream(world=self.world_of("zone . alg=13\ndoh.boot.test A 127.0.0.3\n"))
        veri = self.start(f"{self.server(liar)}, {self.server(self.plain)}")
        wait_for(lambda: veri.dig(NAME).rcode == "NOERROR", "the other server to be believed")

    def test_a_server_that_is_dead(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as hole:
            hole.bind(("127.0.0.1", 0))
            dead = f'"127.0.0.1:{hole.getsockname()[1]}"'
            begin = time.monotonic()
            self.assert_secure(self.start(f"{dead}, {self.server(self.plain)}").dig(NAME), TRUTH)
            self.assertLess(time.monotonic() - begin, 3.0)


if __name__ == "__main__":
    unittest.main()
