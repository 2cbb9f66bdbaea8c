# SPDX-License-Identifier: MIT
"""The program: mistakes in its configuration, its start, its end, and its other commands."""
import os
import pathlib
import re
import signal
import socket
import subprocess
import tempfile
import threading
import unittest

from lib import (DEADLINE_S, Case, Tcp, config_text, free_port, program, query, upstream_config,
                 wait_for)

NAME = "www.two.test."


def run(*arguments):
    return subprocess.run([program("veridoh"), *map(str, arguments)], capture_output=True, text=True,
                          timeout=20, check=False)


class Configuration(Case):
    def write(self, text):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        path = pathlib.Path(directory.name) / "veridoh.yaml"
        path.write_text(text)
        return path

    def test_every_mistake_at_once(self):
        path = self.write("listn:\n  - address: 127.0.0.1:53535\n"
                          "upstreams:\n  - url: http://plain.example/\n"
                          "log:\n  level: loud\ncache:\n  size: many\n")
        for command in (("run", "--config", path), ("check-config", path)):
            with self.subTest(command=command[0]):
                done = run(*command)
                self.assertEqual(done.returncode, 78, done.stderr)
                for line in ("1:1: error:", "4:10: error:", "6:10: error:", "8:9: error:"):
                    self.assertIn(f"{path}:{line}", done.stderr)
                self.assertIn("listen", done.stderr)

    def test_nothing_is_started(self):
        """A bad key beside a good listener: nobody listens."""
        port = free_port()
        done = run("run", "--config", self.write(f"listen:\n  - address: 127.0.0.1:{port}\nwhat: 1\n"))
        self.assertEqual(done.returncode, 78)
        with self.assertRaises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), 1)

    def test_not_yaml_and_not_there(self):
        self.assertEqual(run("check-config", self.write("listen: [\n")).returncode, 78)
        self.assertEqual(run("check-config", "/nonexistent/veridoh.yaml").returncode, 78)

    def test_shipped_one_is_fine(self):
        done = run("check-config", pathlib.Path(__file__).parents[2] / "conf" / "veridoh.yaml")
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_bad_anchors(self):
        up = self.upstream()
        anchors = self.write(". IN DS nonsense\n")
        done = run("check-config", self.write(config_text(free_port(), [up], anchors)))
        self.assertEqual(done.returncode, 78, done.stderr)
        self.assertIn(f"{anchors}:1", done.stderr)

    def test_files_of_an_upstream(self):
        """What only the use of a file shows is said with its place, too."""
        up = self.upstream()
        none = self.write("nothing\n")
        for key, line in (("ca", f"ca: {none}"),
                          ("ca", "ca: nowhere.pem"),
                          ("client-cert", f"client-cert: {none}, client-key: {none}"),
                          ("client-key", f"client-cert: {up.dir}/ca.pem, client-key: {none}")):
            path = self.write("listen: [{address: 127.0.0.1:1}]\nupstreams:\n"
                              "  - {url: https://192.0.2.1/q}\n"
                              f"  - {{url: https://192.0.2.2/q, {line}}}\n")
            shown = path.read_text().splitlines()[3]
            column = shown.index(f"{key}: ") + len(f"{key}: ") + 1
            for command in (("run", "--config"), ("check-config",), ("query", "--config")):
                with self.subTest(line=line, command=command[0]):
                    done = run(*command, path, *(["a.test"] if command[0] == "query" else []))
                    self.assertNotEqual(done.returncode, 0)
                    self.assertIn(f"{path}:4:{column}: error: upstream 192.0.2.2: ", done.stderr)

    def test_a_fault_of_what_is_read_once(self):
        text = ("listen: [{address: 127.0.0.1:1}]\n"
                "upstreams: [{url: https://192.0.2.1/q, ca: /nowhere.pem}]\n")
        done = subprocess.run([program("veridoh"), "check-config", "/dev/stdin"], text=True,
                              input=text, capture_output=True, timeout=20, check=False)
        self.assertEqual(done.returncode, 78)
        self.assertTrue(done.stderr.startswith("/dev/stdin: error: upstream 192.0.2.1: "),
                        done.stderr)
        with tempfile.TemporaryDirectory() as directory:
            pipe = pathlib.Path(directory) / "pipe"
            os.mkfifo(pipe)
            writer = threading.Thread(target=pipe.write_text, args=[text])
            writer.start()
            done = run("check-config", pipe)
            writer.join()
        self.assertEqual(done.returncode, 78)
        self.assertTrue(done.stderr.startswith(f"{pipe}: error: upstream 192.0.2.1: "), done.stderr)

    def test_port_taken(self):
        up = self.upstream()
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            done = run("run", "--config", self.write(config_text(port, [up], up.dir / "root.ds")))
        self.assertNotEqual(done.returncode, 0)
        self.assertIn(str(port), done.stderr)


class Stop(Case):
    def test_signals(self):
        up = self.upstream()
        for how in (signal.SIGTERM, signal.SIGINT):
            with self.subTest(signal=how):
                veri = self.veridoh(up)
                self.assert_secure(veri.dig(NAME))
                self.assertEqual(veri.stop(how), 0, veri.last_log)

    def test_with_questions_in_flight(self):
        up = self.upstream()
        veri = self.veridoh(up)
        up.lie("drop", name="*.two.test.")
        tcp = Tcp(veri.port)
        self.addCleanup(tcp.close)
        tcp.send(*(query(f"n{i}.two.test.", ident=i) for i in range(20)))
        wait_for(lambda: up.stats().of("n19.two.test.", "A"), "the questions to be asked")
        self.assertEqual(veri.stop(), 0, veri.last_log)

    def test_without_any_upstream(self):
        up = self.upstream()
        text = config_text("@PORT@", [up], up.dir / "root.ds")
        (copy := self.world_of((up.dir / "root.ds").read_text()))
        ca = self.world_of((up.dir / "ca.pem").read_text())
        text = text.replace(str(up.dir / "root.ds"), str(copy)).replace(str(up.dir / "ca.pem"), str(ca))
        up.stop()
        veri = self.veridoh(config=text, anchors=copy, prime=False)
        self.assert_refused(veri.dig(NAME))
        self.assert_answer(veri.dig("localhost."), "127.0.0.1")
        self.assertEqual(veri.stop(), 0, veri.last_log)

    def test_several_workers(self):
        up = self.upstream()
        config = config_text("@PORT@", [up], up.dir / "root.ds").replace("workers: 1", "workers: 3")
        veri = self.veridoh(up, config=config)
        for i in range(12):
            self.assert_secure(veri.dig(f"x{i}.wild.nsec.test."), "192.0.2.22")
        report = run("health", "--config", veri.dir / "veridoh.yaml").stdout
        self.assertIn("workers=3\nquestions=13 ", report)  # and this one
        self.assertGreaterEqual(int(re.search("\nsecure=([0-9]+) ", report)[1]), 12)
        self.assertRegex(report, "\nupstreams_seen_by_worker=[123]\n")
        self.assertEqual(veri.stop(), 0, veri.last_log)


class Commands(Case):
    def setUp(self):
        self.up = self.upstream()
        self.veri = self.veridoh(self.up)
        self.config = self.veri.dir / "veridoh.yaml"

    def test_explain(self):
        for name, status, words in (
                (NAME, 0, ("two.test", "DNSKEY", "DS")),
                ("www.insecure.test.", 2, ("insecure",)),
                ("www.expired.test.", 1, ("expired",)),
                ("www.wrongds.test.", 1, ("wrongds.test",))):
            with self.subTest(name=name):
                done = run("explain", "--config", self.config, name)
                self.assertEqual(done.returncode, status, done.stdout + done.stderr)
                for word in words:
                    self.assertIn(word, done.stdout)

    def test_explain_without_an_answer(self):
        self.up.lie("reset")
        self.assertEqual(run("explain", "--config", self.config, NAME).returncode, 3)

    def test_query(self):
        done = run("query", "--config", self.config, NAME, "A")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("192.0.2.32", done.stdout)
        self.assertEqual(run("query", "--config", self.config, "www.expired.test.").returncode, 1)

    def test_health(self):
        kept = self.world_of(self.config.read_text())
        done = run("health", "--config", kept)
        self.assertEqual(done.returncode, 0)
        self.assertRegex(done.stdout, r"connections=up0 handshakes=1 resumed=0 early=0 reused=\d+")
        self.veri.stop()
        self.assertNotEqual(run("health", "--config", kept).returncode, 0)

    def test_health_without_an_upstream(self):
        """It lives and says so; whether it can answer is another question, with another status."""
        ready = run("health", "--ready", "--config", self.config)
        self.assertEqual((ready.returncode, ready.stdout.splitlines()[0]), (0, "ok"))
        self.up.lie("reset")
        self.assert_refused(self.veri.dig(NAME))
        for words, status in ((), 0), (("--ready",), 2):
            done = run("health", *words, "--config", self.config)
            self.assertEqual(done.returncode, status, done.stdout)
            self.assertEqual(done.stdout.splitlines()[0], "degraded: no upstream answers")
        self.up.be_honest()  # nobody asks anything until it says that it is ready
        wait_for(lambda: run("health", "--ready", "--config", self.config).returncode == 0, "ready")
        wait_for(lambda: self.veri.dig(NAME).rcode == "NOERROR", "an answer")

    def test_health_of_many_upstreams(self):
        """More than one UDP answer holds."""
        entries = "\n".join(upstream_config(self.up, f"up{i}") for i in range(32))
        veri = self.veridoh(self.up, config=(
            f"listen:\n  - address: 127.0.0.1:@PORT@\nupstreams:\n{entries}\n"
            f"validation:\n  trust-anchors: {self.up.dir}/root.ds\nprocess:\n  workers: 1\n"
            "clients:\n  tcp-connections: 16\n"))
        done = run("health", "--config", veri.dir / "veridoh.yaml")
        self.assertEqual(done.returncode, 0, done.stderr)
        for what in ("upstream", "connections", "honesty"):
            for i in range(32):
                self.assertIn(f"\n{what}=up{i} ", done.stdout)
        crowd = [socket.create_connection(("127.0.0.1", veri.port), DEADLINE_S) for _ in range(20)]
        for one in crowd:
            self.addCleanup(one.close)
        self.assertEqual(crowd[-1].recv(1), b"")  # there is room for no more
        done = run("health", "--config", veri.dir / "veridoh.yaml")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("no answer by TCP", done.stderr)
        self.assertRegex(done.stdout, r"^(ok|degraded: .*)\nuptime_s=")

    def test_answered_here(self):
        """What never leaves this machine does not leave it for these commands either."""
        asked = self.up.stats().questions
        for name, type_, data, why in (
                ("localhost", "A", "127.0.0.1", "RFC 6761"),
                ("localhost", "AAAA", "::1", "RFC 6761"),
                ("printer.local", "A", "NXDOMAIN", "6762"),
                ("4.3.2.10.in-addr.arpa", "PTR", "NXDOMAIN", "RFC 6303"),
                ("10.in-addr.arpa", "PTR", "no such record", "RFC 6303")):
            with self.subTest(name=name, type=type_):
                done = run("explain", "--config", self.config, name, type_)
                self.assertEqual(done.returncode, 2, done.stdout + done.stderr)
                self.assertIn(data, done.stdout)
                self.assertIn("answered here", done.stdout)
                self.assertIn(why, done.stdout)
        done = run("query", "--config", self.config, "localhost")
        self.assertEqual((done.returncode, done.stdout), (0, "localhost. 3600 IN A 127.0.0.1\n"))
        done = run("query", "--config", self.config, "printer.local")
        self.assertEqual((done.returncode, done.stdout), (0, ""))
        self.assertIn("NXDOMAIN", done.stderr)
        self.assertIn("answered here", done.stderr)
        self.assertEqual(self.up.stats().questions, asked)

    def test_help(self):
        for command in ("run", "check-config", "explain", "query", "health", "discover",
                        "config-reference"):
            for word in ("--help", "-h"):
                with self.subTest(command=command, word=word):
                    done = run(command, word)
                    self.assertEqual((done.returncode, done.stderr), (0, ""))
                    self.assertTrue(done.stdout.startswith(f"usage: veridoh {command}"), done.stdout)

    def test_misuse(self):
        """What was wrong, in one line, and how this command is called."""
        for words, wrong, usage in (
                (("nonsense",), "'nonsense' is not a command", "veridoh COMMAND"),
                ((), "", "veridoh COMMAND"),
                (("run", "conf.yaml"), "'conf.yaml' is not expected; --config FILE",
                 "veridoh run [--config FILE]"),
                (("run", "--nonsense"), "'--nonsense'", "veridoh run [--config FILE]"),
                (("run", "--cd"), "'--cd'", "veridoh run [--config FILE]"),
                (("run", "-x"), "'-x'", "veridoh run [--config FILE]"),
                (("run", "-dr"), "'-d'", "veridoh run [--config FILE]"),
                (("query", "--cd", "-xd"), "'-x'", "veridoh query"),
                (("query", "--cd", "-rd"), "'-r'", "veridoh query"),
                (("query", "--cd=yes"), "'--cd=yes'", "veridoh query"),
                (("run", "--config"), "'--config' needs a value", "veridoh run [--config FILE]"),
                (("check-config", "a", "b"), "'b' is not expected", "veridoh check-config FILE"),
                (("health", "x"), "'x' is not expected", "veridoh health [--config FILE]"),
                (("query",), "a name is missing", "veridoh query"),
                (("explain", "a.test", "A", "b"), "'b' is not expected", "veridoh explain"),
                (("query", "a..b"), "'a..b' is not a domain name", "veridoh query"),
                (("query", "a.test", "NO"), "'NO' is not a record type", "veridoh query"),
                (("discover",), "an address is missing", "veridoh discover"),
                (("discover", "--bad"), "'--bad'", "veridoh discover"),
                (("discover", "127.0.0.1", "b"), "'b' is not expected", "veridoh discover"),
                (("config-reference", "--bad"), "'--bad'", "veridoh config-reference"),
                (("config-reference", "--mdoc", "b"), "'b' is not expected",
                 "veridoh config-reference")):
            with self.subTest(words=words):
                done = run(*words)
                self.assertEqual((done.returncode, done.stdout), (64, ""))
                self.assertIn(f"usage: {usage}", done.stderr)
                if wrong:
                    first = done.stderr.splitlines()[0]
                    self.assertTrue(first.startswith("veridoh: "), first)
                    self.assertIn(wrong, first)


if __name__ == "__main__":
    unittest.main()
