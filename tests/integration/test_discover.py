# SPDX-License-Identifier: MIT
"""Stamps as upstream syntax, and `veridoh discover`: what it prints is configuration that works, and
what cannot be proven is not printed."""
import base64
import hashlib
import pathlib
import shutil
import socket
import ssl
import subprocess
import tempfile
import threading
import unittest

from lib import Case, free_port, program, upstream_config

NAME, TRUTH = "www.two.test.", "192.0.2.32"
WORLD = """
zone . alg=13
zone test. alg=13
www.two A 192.0.2.32
zone resolver.arpa. unsigned
_dns {records}
"""


def item(octets, more=False):
    return bytes([len(octets) | (128 if more else 0)]) + octets


def stamp(octets):
    return "sdns://" + base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def doh_stamp(host, path, address=b"", hashes=(b"",)):
    return stamp(b"\2" + bytes(8) + item(address)
                 + b"".join(item(h, i + 1 < len(hashes)) for i, h in enumerate(hashes))
                 + item(host) + item(path))


def to_be_signed(pem):
    """The TBSCertificate of a certificate: the first element of its sequence."""
    der = subprocess.run(["openssl", "x509", "-in", str(pem), "-outform", "DER"], check=True,
                         capture_output=True).stdout
    inner = der[4:]
    return inner[:4 + int.from_bytes(inner[2:4], "big")]


class Stamps(Case):
    def setUp(self):
        self.up = self.upstream()

    def start(self, hashes=(b"",), prime=True):
        url = doh_stamp(b"upstream.test:%d" % self.up.port, b"/dns-query", b"127.0.0.1", hashes)
        entry = f"  - name: up\n    url: {url}\n    ca: {self.up.dir}/ca.pem"
        return self.veridoh(self.up, prime=prime, config=(
            f"listen:\n  - address: 127.0.0.1:@PORT@\nupstreams:\n{entry}\n"
            f"validation:\n  trust-anchors: {self.up.dir}/root.ds\n"))

    def test_as_url(self):
        self.assert_secure(self.start().dig(NAME), TRUTH)

    def test_hashes_are_pins(self):
        """Of the server's certificate or of its authority's; one of several will do."""
        other = hashlib.sha256(b"another").digest()
        for pem in ("server.pem", "ca.pem"):
            good = hashlib.sha256(to_be_signed(self.up.dir / pem)).digest()
            with self.subTest(pem=pem):
                self.assert_secure(self.start([other, good]).dig(NAME), TRUTH)
        veri = self.start([other], prime=False)
        self.assert_refused(veri.dig(NAME))
        self.assertIn("none of the pinned ones", veri.log())

    def test_plain_stamps_for_servers(self):
        server = stamp(b"\0" + bytes(8) + item(b"127.0.0.1:%d" % self.up.plain_port))
        veri = self.veridoh(self.up, extra=f"routes:\n  - domains: [wrongds.test]\n    servers: [\"{server}\"]\n")
        self.assert_insecure(veri.dig("www.wrongds.test."), "192.0.2.50")
        entry = upstream_config(self.up, "boot", url=f"https://localhost:{self.up.port}/dns-query",
                                addresses="[]", bootstrap=f'["{server}"]')
        done = self.check(f"{entry}\n")
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_mistakes(self):
        for url, words in ((stamp(b"\1" + bytes(8)), "protocol that is not spoken here"),
                           (stamp(b"\0" + bytes(8) + item(b"8.8.8.8")), "an upstream is asked by DoH"),
                           ("sdns://!", "not base64url"),
                           (doh_stamp(b"a.b", b"q"), "does not begin with /")):
            done = self.check(f"  - url: {url}\n    addresses: [127.0.0.1]\n")
            self.assertEqual(done.returncode, 78)
            self.assertIn(words, done.stderr)

    def check(self, upstreams):
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            file.write(f"listen:\n  - address: 127.0.0.1:5300\nupstreams:\n{upstreams}")
            file.flush()
            return subprocess.run([program("veridoh"), "check-config", file.name], text=True,
                                  capture_output=True, timeout=20, check=False)


class Discover(Case):
    def setUp(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="veridoh-discover-"))
        self.addCleanup(shutil.rmtree, self.dir)
        self.port = free_port()

    def start(self, *records, target="upstream.test."):
        """An upstream that designates itself, or what the records say."""
        text = records or [f"SVCB 1 {target} alpn=h2 port={self.port} dohpath=/dns-query{{?dns}}"]
        world = self.world_of(WORLD.format(records="\n_dns ".join(text)))
        self.up = self.upstream("--port", self.port, world=world)

    def discover(self, *options, ca=True, address=None):
        address = address or f"127.0.0.1:{self.up.plain_port}"
        return subprocess.run([program("veridoh"), "discover",
                               *(["--ca", self.up.dir / "ca.pem"] if ca else []), *options, address],
                              text=True, capture_output=True, timeout=30, check=False)

    def assert_works(self, done):
        """What it printed is the upstreams part of a configuration that answers."""
        self.assertEqual(done.returncode, 0, done.stderr)
        veri = self.veridoh(self.up, config=(
            "listen:\n  - address: 127.0.0.1:@PORT@\n" + done.stdout
            + f"validation:\n  trust-anchors: {self.up.dir}/root.ds\n"))
        self.assert_secure(veri.dig(NAME), TRUTH)

    def test_verified(self):
        self.start()
        done = self.discover()
        self.assertIn(f"url: https://upstream.test:{self.port}/dns-query{{?dns}}", done.stdout)
        self.assertIn("verified: its certificate names that address", done.stdout)
        self.assert_works(done)

    def test_authorities_that_cannot_be_read(self):
        """Which is no fault of the resolver: it is not even asked."""
        self.start()
        empty = self.dir / "empty.pem"
        empty.write_text("nothing\n")
        for path, why in (("/nonexistent.pem", "No such file"), (empty, "no certificate in it")):
            with self.subTest(path=path):
                done = self.discover("--ca", path, ca=False, address="127.0.0.1:1")
                self.assertEqual((done.returncode, done.stdout), (64, ""))
                self.assertEqual(done.stderr.splitlines()[0], f"veridoh: --ca {path}: {why}"
                                 + (" or directory" if "file" in why else ""))

    def test_certificate_for_the_address_alone(self):
        """RFC 9462 4.2 asks for no more; the URL then has the address."""
        self.start(target="another.test.")
        done = self.discover()
        self.assertIn(f"url: https://127.0.0.1:{self.port}/dns-query{{?dns}}", done.stdout)
        self.assert_works(done)

    def test_certificate_for_another_address(self):
        """Asked at 127.0.0.2, it points to a server that is 127.0.0.1: nothing shows that the two
        are one, so nothing is printed."""
        self.start(f"SVCB 1 upstream.test. alpn=h2 port={self.port} ipv4hint=127.0.0.1 "
                   "dohpath=/dns-query{?dns}")
        relay = Relay(self.up.plain_port)
        self.addCleanup(relay.close)
        done = self.discover(address=f"127.0.0.2:{relay.port}")
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("not for the address of the resolver", done.stderr)

    def test_unknown_authority(self):
        self.start()
        done = self.discover(ca=False)
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("its certificate is refused", done.stderr)

    def test_nobody_is_there(self):
        self.start(f"SVCB 1 upstream.test. alpn=h2 port={free_port()} dohpath=/dns-query{{?dns}}")
        done = self.discover()
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("no connection", done.stderr)

    def test_others_are_left_out(self):
        """DoT, DoQ, HTTP/3 alone, no path, a mandatory key of the future; then one that will do."""
        rest = f"port={self.port} dohpath=/dns-query{{?dns}}"
        self.start("SVCB 1 dot.test. alpn=dot", f"SVCB 2 h3.test. alpn=h3 {rest}",
                   f"SVCB 3 nopath.test. alpn=h2 port={self.port}",
                   f"SVCB 4 future.test. mandatory=key667 alpn=h2 {rest} key667=x",
                   f"SVCB 5 upstream.test. alpn=h2,h3 {rest}")
        done = self.discover()
        self.assertEqual(done.stdout.count("- name:"), 1)
        self.assert_works(done)

    def test_none_designated(self):
        self.start("TXT nothing")
        done = self.discover()
        self.assertEqual((done.returncode, done.stdout), (3, ""))

    def test_silence(self):
        self.start()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.bind(("127.0.0.1", 0))
            threading.Timer(0.1, s.close).start()
            done = self.discover(address=f"127.0.0.1:{s.getsockname()[1]}")
        self.assertEqual(done.returncode, 69)

    def test_opportunistic(self):
        """Only at a private address; and the server says itself who signed its certificate."""
        with SelfSigned(self.dir) as server:
            self.start(f"SVCB 1 upstream.test. alpn=h2 port={server.port} dohpath=/dns-query{{?dns}}")
            kept = self.dir / "kept.pem"
            done = self.discover("--opportunistic", kept, ca=False)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn("NOT verified", done.stdout)
            self.assertIn(f"ca: {kept}", done.stdout)
            self.assertEqual(kept.read_text(), (self.dir / "cert.pem").read_text())
            self.assertEqual(self.discover(ca=False).returncode, 1)
        done = self.discover("--opportunistic", self.dir / "no.pem", address="192.0.2.1")
        self.assertEqual(done.returncode, 64)

    def test_no_http2(self):
        with SelfSigned(self.dir, "http/1.1") as server:
            self.start(f"SVCB 1 upstream.test. alpn=h2 port={server.port} dohpath=/dns-query{{?dns}}")
            done = self.discover("--ca", self.dir / "cert.pem", ca=False)
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("does not agree to HTTP/2", done.stderr)

    def test_opportunistic_needs_an_authority(self):
        self.start()
        kept = self.dir / "kept.pem"
        done = self.discover("--opportunistic", kept, ca=False)
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("does not send the certificate of its authority", done.stderr)
        self.assertFalse(kept.exists())

    def test_opportunistic_needs_the_same_address(self):
        self.start(f"SVCB 1 upstream.test. alpn=h2 port={self.port} ipv4hint=127.0.0.3 "
                   "dohpath=/dns-query{?dns}")
        done = self.discover("--opportunistic", self.dir / "kept.pem", ca=False)
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("must be at the same address", done.stderr)


class SelfSigned:
    """Shakes hands with a certificate of its own making."""

    def __init__(self, directory, protocol="h2"):
        cert, key = directory / "cert.pem", directory / "key.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", key, "-out", cert,
                        "-days", "2", "-subj", "/CN=router", "-addext",
                        "subjectAltName=IP:127.0.0.1"], check=True, capture_output=True)
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.tls.load_cert_chain(cert, key)
        self.tls.set_alpn_protocols([protocol])

    def __enter__(self):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self.run, daemon=True).start()
        return self

    def run(self):
        while True:
            try:
                with self.tls.wrap_socket(self.socket.accept()[0], server_side=True) as one:
                    one.recv(1)
            except ssl.SSLError:
                continue
            except OSError:
                return

    def __exit__(self, *_):
        self.socket.close()


class Relay:
    """The plain server of 127.0.0.1, at 127.0.0.2."""

    def __init__(self, target):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.2", 0))
        self.port = self.socket.getsockname()[1]
        self.target = target
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as up:
            up.settimeout(5)
            up.connect(("127.0.0.1", self.target))
            try:
                while True:
                    message, peer = self.socket.recvfrom(4096)
                    up.send(message)
                    self.socket.sendto(up.recv(4096), peer)
            except OSError:
                return

    def close(self):
        self.socket.close()


if __name__ == "__main__":
    unittest.main()
