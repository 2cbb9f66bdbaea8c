# SPDX-License-Identifier: MIT
"""What a service manager, a shell and users of other forwarders expect of the daemon: standard
descriptors, signals, notices, the unit, the state directory, and ./run."""
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import unittest

from lib import DEADLINE_S, Case, config_text, free_port, program, wait_for

ROOT = pathlib.Path(__file__).resolve().parents[2]
NAME = "www.two.test."


class Service(Case):
    def folder(self):
        path = pathlib.Path(tempfile.mkdtemp(prefix="veridoh-service-"))
        self.addCleanup(shutil.rmtree, path)
        return path


class Standard(Service):
    def test_closed(self):
        """`2>&-`: no socket of ours becomes stderr, and what is known is saved at the end."""
        up = self.upstream()
        for closed in ("2>&-", "0<&- 1>&- 2>&-"):
            with self.subTest(closed=closed):
                state, port = self.folder(), free_port()
                config = state / "veridoh.yaml"
                config.write_text(config_text(port, [up], up.dir / "root.ds").replace(
                    "process:\n", f"process:\n  state-directory: {state}\n"))
                child = subprocess.Popen(["sh", "-c", f'exec "$0" run --config "$1" {closed}',
                                          program("veridoh"), config])
                self.addCleanup(child.kill)
                wait_for(lambda: self.answers(child, port), "an answer")
                for fd in range(3 if "1>" in closed else 2, 3):
                    self.assertEqual(os.readlink(f"/proc/{child.pid}/fd/{fd}"), "/dev/null")
                child.terminate()
                self.assertEqual(child.wait(DEADLINE_S), 0)
                self.assertTrue((state / "answers.snapshot").exists())

    def answers(self, child, port):
        self.assertIsNone(child.poll())
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            return False
        return True

    def test_closed_for_other_commands(self):
        up = self.upstream()
        config = self.folder() / "veridoh.yaml"
        config.write_text(config_text(free_port(), [up], up.dir / "root.ds"))
        done = subprocess.run(["sh", "-c", 'exec "$0" query --config "$1" "$2" 2>&-',
                               program("veridoh"), config, NAME], capture_output=True, text=True,
                              timeout=20, check=False)
        self.assertEqual(done.returncode, 0)
        self.assertIn("192.0.2.32", done.stdout)


class Signals(Service):
    def test_those_that_end_nothing(self):
        veri = self.veridoh(self.upstream())
        for number, words in ((signal.SIGUSR1, "SIGUSR1 does nothing; `veridoh health` shows"),
                              (signal.SIGUSR2, "SIGUSR2 does nothing"),
                              (signal.SIGHUP, "SIGHUP: the configuration is not read again")):
            with self.subTest(signal=number.name):
                veri.child.send_signal(number)
                wait_for(lambda: veri.child.poll() is not None or words in veri.log(), words)
                veri.must_live()
        veri.child.send_signal(signal.SIGPIPE)
        self.assert_secure(veri.dig(NAME))

    def test_the_manual_names_them(self):
        manual = (ROOT / "conf" / "veridoh.1").read_text()
        section = manual.split(".Sh SIGNALS\n")[1].split(".Sh ")[0]
        for name in ("SIGTERM", "SIGINT", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGPIPE"):
            self.assertIn(name, section)


class Systemd(Service):
    unit = ROOT / "conf" / "veridoh.service"

    def test_ready_when_it_listens(self):
        """READY=1 comes once, and by then questions are taken; the unit waits for it."""
        at = self.folder() / "notify"
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notices:
            notices.bind(str(at))
            notices.settimeout(DEADLINE_S)
            veri = self.veridoh(self.upstream(), env={"NOTIFY_SOCKET": str(at)})
            self.assertEqual(notices.recv(100), b"READY=1")
            self.assertEqual(veri.stop(), 0)
            self.assertEqual(notices.recv(100), b"STOPPING=1")
        self.assertIn("\nType=notify\n", self.unit.read_text())

    def test_descriptors_are_granted(self):
        """One value, soft and hard limit at once, and far from scarce."""
        lines = self.unit.read_text().splitlines()
        granted = [line for line in lines if line.startswith("LimitNOFILE=")]
        self.assertEqual(len(granted), 1)
        self.assertGreaterEqual(int(granted[0].split("=")[1]), 65536)

    @unittest.skipUnless(shutil.which("systemd-analyze"), "no systemd")
    def test_the_unit_is_understood(self):
        unit = self.folder() / "veridoh.service"
        unit.write_text("".join(
            line for line in self.unit.read_text().replace("/usr/sbin/veridoh", program("veridoh"))
            .splitlines(keepends=True) if not line.startswith("Documentation=")))
        done = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True,
                              timeout=60, check=False)
        self.assertEqual((done.returncode, done.stdout + done.stderr), (0, ""))


class StateDirectory(Service):
    def config_of(self, directory):
        up = self.upstream()
        text = config_text("@PORT@", [up], up.dir / "root.ds")
        return up, text.replace("process:\n", f"process:\n  state-directory: {directory}\n")

    def test_what_is_not_there_is_said_once(self):
        missing = self.folder() / "missing"
        up, config = self.config_of(missing)
        veri = self.veridoh(up, config=config)
        self.assertEqual(veri.stop(), 0)
        said = [line for line in veri.last_log.splitlines() if str(missing) in line]
        self.assertEqual(len(said), 1, veri.last_log)
        self.assertRegex(said[0], "warning: state directory .*: No such file or directory; "
                                  "nothing is kept until a restart finds it")

    def test_check_config(self):
        folder = self.folder()
        (folder / "file").write_text("")
        for directory, words in ((folder / "missing", "No such file or directory"),
                                 (folder / "file", "Not a directory"), (folder, None)):
            with self.subTest(words=words):
                path = folder / "veridoh.yaml"
                path.write_text(self.config_of(directory)[1].replace("@PORT@", "5300"))
                done = subprocess.run([program("veridoh"), "check-config", path], text=True,
                                      capture_output=True, timeout=20, check=False)
                self.assertEqual(done.returncode, 0)
                self.assertEqual(done.stderr, words and
                                 f"{path}: warning: process.state-directory: {directory}: {words}; "
                                 "nothing is kept\n" or "")


class Run(Service):
    def test_the_first_build_is_said(self):
        """./run --version: what it says goes to stderr, and only when there is something to build."""
        place = self.folder()
        shutil.copy(ROOT / "run", place)
        (place / "deps.sh").write_text(
            'need() { :; }\nbuild() { mkdir -p "build/$1"; printf "#!/bin/sh\\necho built\\n" '
            '>"build/$1/veridoh"; chmod +x "build/$1/veridoh"; }\n')
        for words in ("Building veridoh first: ", ""):
            done = subprocess.run([place / "run", "--version"], capture_output=True, text=True,
                                  timeout=20, check=False)
            self.assertEqual((done.returncode, done.stdout), (0, "built\n"), done.stderr)
            self.assertTrue(done.stderr.startswith(words) and bool(done.stderr) == bool(words),
                            done.stderr)


if __name__ == "__main__":
    unittest.main()
