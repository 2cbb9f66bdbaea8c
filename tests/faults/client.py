# SPDX-License-Identifier: MIT
"""A client that asks at a steady rate, whatever becomes of its questions: each is new to every
cache, has one datagram and five seconds, as a stub resolver gives it."""
import collections
import random
import select
import socket
import struct
import threading
import time

import lib

PATIENCE_S = 5.0
SLOW_S = 0.15  # an answer that took longer was touched by the fault


class Asked:
    def __init__(self, number, at):
        self.number, self.at = number, at
        self.answered_at = self.rcode = self.ede = None

    @property
    def good(self):
        return self.rcode == 0

    @property
    def took(self):
        return (self.answered_at - self.at) if self.answered_at else PATIENCE_S

    @property
    def words(self):
        if self.rcode is None:
            return "silence"
        return f"rcode {self.rcode}" + (f" EDE {self.ede}" if self.ede is not None else "")


def ede_of(message):
    """The first EDE code (RFC 8914) of an answer without records but OPT; None when there is none."""
    at = message.find(b"\0\0\x29")
    if at < 0 or len(message) < at + 11:
        return None
    octets = message[at + 11:]
    while len(octets) >= 4:
        code, length = struct.unpack("!2H", octets[:4])
        if code == 15:
            return struct.unpack("!H", octets[4:6])[0]
        octets = octets[4 + length:]
    return None


class Client:
    def __init__(self, address, rate, zone="any.faults.test"):
        self.address, self.rate, self.zone = address, rate, zone
        self.asked = []
        self.tag = f"{random.getrandbits(40):x}"
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)

    def start(self):
        self.began = time.monotonic()
        self.thread.start()
        return self

    def question(self, number):
        return lib.query(f"q{self.tag}-{number}.{self.zone}", "A", ident=number & 0xffff, do=False)

    def run(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.setblocking(False)
            s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
            s.connect(self.address)
            while not self.is_over():
                now = time.monotonic()
                due = int((now - self.began) * self.rate)
                while not self.stopping.is_set() and len(self.asked) < due:
                    asked = Asked(len(self.asked), time.monotonic())
                    self.asked.append(asked)
                    self.send(s, self.question(asked.number))
                ready, _, _ = select.select([s], [], [], 0.002)
                if ready:
                    self.receive(s)

    @staticmethod
    def send(s, message):
        try:
            s.send(message)
        except OSError:
            pass  # what did not leave counts as lost

    def receive(self, s):
        for _ in range(64):
            try:
                message = s.recv(4096)
            except OSError:
                return
            ident, _, rcode, _ = lib.header(message)
            number = max((n for n in range(ident, len(self.asked), 65536)), default=None)
            if number is None or self.asked[number].answered_at:
                continue
            asked = self.asked[number]
            asked.answered_at, asked.rcode, asked.ede = time.monotonic(), rcode, ede_of(message)

    def is_over(self):
        if not self.stopping.is_set():
            return False
        last = time.monotonic() - PATIENCE_S
        return all(a.answered_at or a.at < last for a in self.asked[-int(self.rate * 6):])

    def stop(self):
        self.stopping.set()
        self.thread.join()

    def mark(self):
        return time.monotonic()

    def report(self, since):
        """What was seen from `since` on: (asked, lost, seconds to recover, the slowest, words)."""
        asked = [a for a in self.asked if a.at >= since - PATIENCE_S]
        lost = [a for a in asked if not a.good]
        touched = [a for a in asked if (not a.good or a.took > SLOW_S) and a.at + a.took >= since]
        recovered = max((min(a.at + a.took, a.at if a.good else a.at) for a in touched),
                        default=since) - since
        words = collections.Counter(a.words for a in lost)
        return Report(len(asked), len(lost), max(0.0, recovered),
                      max((a.took for a in asked), default=0.0), words)


class Report:
    def __init__(self, asked, lost, recovered, slowest, words):
        self.asked, self.lost, self.recovered = asked, lost, recovered
        self.slowest, self.words = slowest, words
