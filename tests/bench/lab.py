# SPDX-License-Identifier: MIT
"""The processes around what is measured: authoritative server, upstream resolvers, generator."""
import json
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "lab"))
import peers  # noqa: E402
import servers  # noqa: E402
import world  # noqa: E402
import zones  # noqa: E402

PEER_CPU, OTHERS_CPU = "1", "0"
INSTRUCTIONS = Path(__file__).resolve().parent / "instructions.md"
NEAR, FAR = "127.0.0.1", "198.18.0.2"  # the upstream, without and with a round trip in between

UPSTREAM = """
server:
  chroot: ""
  username: ""
  directory: "{dir}"
  pidfile: ""
  use-syslog: no
  num-threads: 1
  module-config: "iterator"
  do-not-query-localhost: no
  do-ip6: no
  root-hints: "{dir}/root.hints"
  qname-minimisation: no
  access-control: 0.0.0.0/0 allow
  local-zone: "many.plain.se." redirect
  local-data: "many.plain.se. 86400 A 192.0.2.9"
  msg-cache-size: 256m
  rrset-cache-size: 256m
  outgoing-range: 4096
  num-queries-per-thread: 4096
  so-rcvbuf: 4m
  so-sndbuf: 4m
  tls-service-key: "{dir}/server.key"
  tls-service-pem: "{dir}/server.pem"
  tls-port: {dot}
  tls-additional-port: 853
  https-port: {doh}
  http-max-streams: 1000
  http-query-buffer-size: 64m
  http-response-buffer-size: 64m
  incoming-num-tcp: 200
  interface: 0.0.0.0@853
  interface: 0.0.0.0@{plain}
  interface: 0.0.0.0@{dot}
  interface: 0.0.0.0@{doh}
remote-control:
  control-enable: yes
  control-interface: {dir}/control
"""

NAMED = """
tls t {{ key-file "{dir}/server.key"; cert-file "{dir}/server.pem"; }};
http h {{ endpoints {{ "/dns-query"; }}; streams-per-connection 1000; }};
options {{
  directory "{dir}"; pid-file none; session-keyfile none; lock-file none;
  recursion yes; dnssec-validation no; empty-zones-enable no; minimal-responses yes;
  qname-minimization off; max-cache-size 512m; recursive-clients 20000;
  allow-query {{ any; }}; allow-recursion {{ any; }};
  listen-on {{ none; }}; listen-on-v6 {{ none; }};
  listen-on port {doh} tls t http h {{ 127.0.0.1; }};
}};
zone "." {{ type hint; file "{dir}/root.hints"; }};
logging {{ category default {{ null; }}; }};
controls {{ }};
"""


# unbound takes no early data; before it, nginx does.
FRONT = """
daemon off; master_process off; pid {dir}/front.pid; error_log stderr error;
events {{ worker_connections 512; }}
http {{
  access_log off;
  client_body_temp_path {dir}/b; proxy_temp_path {dir}/p; fastcgi_temp_path {dir}/f;
  uwsgi_temp_path {dir}/u; scgi_temp_path {dir}/s;
  upstream behind {{ server 127.0.0.1:{doh}; keepalive 8; }}
  server {{
    listen 0.0.0.0:{front} ssl http2;
    ssl_protocols TLSv1.3;
    ssl_early_data on;
    ssl_certificate {dir}/server.pem; ssl_certificate_key {dir}/server.key;
    location /dns-query {{ grpc_pass grpcs://behind; }}
  }}
}}
"""


def bare_row(rate):
    """What is said of something that is only repeated on one core, `rate` times a second."""
    return {"qps": rate, "us": 1e6 / rate, "util": 1, "p50_us": 0, "p99_us": 0, "bad": 0,
            "ad_part": 0, "upstream": 0, "seconds": 1}


OUTERMOST = ("run", "clone", "start_thread")  # never return, so all that they call is theirs


def read_callgrind(directory, pattern):
    """All instructions of a dump; and (instructions, function, library) of what each function
    does itself, dearest first."""
    file = next(directory.glob(pattern))
    done = subprocess.run(["callgrind_annotate", "--threshold=100", "--auto=no", str(file)],
                          capture_output=True, text=True, check=True)
    total, functions = 0, []
    for line in done.stdout.splitlines():
        found = re.match(r"\s*([\d,]+) \([^)]*\)\s+\S+?:(\S+)(?: \[(?:.*/)?(\S+)\])?", line)
        if line.endswith("PROGRAM TOTALS"):
            total = int(line.split()[0].replace(",", ""))
        name = re.sub(r"\.(lto_priv|constprop|part|isra|cold).*", "", found[2]) if found else ""
        if name and name not in OUTERMOST:
            functions.append((int(found[1].replace(",", "")), name, found[3] or "?"))
    return total, functions


def write_instructions(cases):
    """`cases`: (words, questions, instructions, functions)."""
    text = ["# Instructions a question", "", "Written by `tests/bench/run instructions`: what "
            "callgrind counts. The kernel's part is not in it.", "",
            "| question | instructions | of them in |", "|---|---|---|"]
    for words, questions, total, functions in cases:
        parts = {}
        for cost, _, library in functions:
            parts[library] = parts.get(library, 0) + cost
        split = [f"{library} {cost / questions:.0f}" for library, cost in
                 sorted(parts.items(), key=lambda item: -item[1]) if cost / questions >= 1]
        text.append(f"| {words} | {total / questions:.0f} | {', '.join(split)} |")
    for words, questions, _, functions in cases:
        text += ["", f"{words}: the dearest functions, without what they call", "",
                 "| instructions | function | in |", "|---|---|---|"]
        text += [f"| {cost / questions:.0f} | {name} | {library} |"
                 for cost, name, library in functions[:25]]
    INSTRUCTIONS.write_text("\n".join(text) + "\n")
    print("\n".join(text))


class Lab(servers.Servers):
    """Everything but the measured program runs on one core, that on another."""

    def __init__(self, directory, build):
        super().__init__(directory)
        self.build = build / "tests"
        self.veridoh = build / "veridoh"
        self.before = None
        self.commands = {}  # as each program was started last
        self.workers, self.cache_mib = 1, 1024
        self.gaps = True  # veridoh answers from proven ranges (RFC 8198)
        self.upstream, self.doh_port = NEAR, peers.DOH
        self.transport = {}  # veridoh's
        self.cpu = OTHERS_CPU
        self.pid = None

    def start(self, name, command):
        super().start(name, ["taskset", "-c", self.cpu, *command])

    def start_world(self):
        listing = zones.build(self.dir)
        servers.certificates(self.dir, f"IP:{NEAR}")
        shutil.rmtree(self.dir / "knotd", ignore_errors=True)
        self.start_knot("knotd", world.AUTHORITY,
                        [type("Zone", (), {"origin": o, "file": f, "name": o}) for o, f in listing])
        self.anchor_ds, key = zones.anchor(self.dir)
        fields = key.split()
        at = fields.index("DNSKEY")
        self.anchor_key = f". 3600 IN DNSKEY {' '.join(fields[at + 1:at + 4])} {''.join(fields[at + 4:])}"

    def start_upstreams(self):
        path = self.write("upstream.conf", UPSTREAM, dot=peers.DOT, doh=peers.DOH, plain=peers.PLAIN)
        self.start("upstream", ["unbound", "-d", "-c", path])
        self.start("upstream-named",
                   ["named", "-f", "-n", "1", "-c",
                    self.write("upstream-named.conf", NAMED, doh=peers.DOH_NAMED)])
        for name, port in (("upstream", peers.DOH), ("upstream-named", peers.DOH_NAMED)):
            self.wait_for(name, "@127.0.0.1", "-p", str(port), "+https",
                          f"+tls-ca={self.dir}/ca.pem", f"+tls-hostname={servers.HOST}")

    def start_front(self):
        path = self.write("front.conf", FRONT, doh=peers.DOH, front=peers.DOH_FRONT)
        self.start("front", ["nginx", "-p", str(self.dir), "-e", "stderr", "-c", str(path)])

    # --- what is measured ---

    def start_peer(self, peer):
        """Until it answers. False: it does not."""
        self.cpu, self.peer = PEER_CPU, peer
        command = peer.write(self)
        self.commands[peer.name] = " ".join(command)
        self.start("peer", command)
        self.cpu = OTHERS_CPU
        self.pid = self.running["peer"].pid  # taskset becomes the program
        deadline = time.monotonic() + 15
        while time.monotonic() < deadline and self.running["peer"].poll() is None:
            done = subprocess.run(["dig", "+tries=1", "+time=1", "+cd", "@127.0.0.1", "-p",
                                   str(peers.PORT), "www.plain.se", "A"],
                                  capture_output=True, text=True, check=False)
            if "status: NOERROR" in done.stdout:
                return True
            time.sleep(0.05)
        print(f"bench: {peer.name} does not answer; its last words:\n{self.log_tail('peer')}")
        self.stop_peer()
        return False

    def stop_peer(self):
        if "peer" in self.running:
            self.stop("peer", patience_s=4)

    def cpu_ns(self):
        total = 0
        for task in Path(f"/proc/{self.pid}/task").iterdir():
            total += int((task / "schedstat").read_text().split()[0])
        return total

    def memory_kib(self):
        text = Path(f"/proc/{self.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", text)[1])

    def upstream_count(self):
        done = subprocess.run(["unbound-control", "-c", str(self.dir / "upstream.conf"),
                               "stats_noreset"], capture_output=True, text=True, check=False)
        found = re.search(r"total\.num\.queries=(\d+)", done.stdout)
        return int(found[1]) if found else 0

    # --- the generator ---

    def names(self, kind, count):
        path = self.dir / f"names.{kind}.{count}"
        if not path.exists():
            path.write_text("\n".join(zones.NAMES[kind](count)) + "\n")
        return str(path)

    def load_command(self, names, *options, port=peers.PORT):
        return ["taskset", "-c", OTHERS_CPU, str(self.build / "bench-load"), "-p", str(port),
                "-d", names, *map(str, options)]

    def load(self, names, *options, port=peers.PORT):
        command = self.load_command(names, *options, port=port)
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
        if not done.stdout:
            raise SystemExit(f"bench: {' '.join(command)}\n{done.stderr}")
        return json.loads(done.stdout)

    def measure(self, names, *options):
        """One run of the generator, with the server's CPU time and the upstream's questions."""
        cpu, asked = self.cpu_ns(), self.upstream_count()
        row = self.load(names, *options)
        spent = self.cpu_ns() - cpu
        received = max(1, row["received"])
        row.update(us=spent / 1000 / received, util=spent / 1e9 / max(0.001, row["seconds"]),
                   upstream=(self.upstream_count() - asked) / received,
                   ad_part=row["ad"] / received,
                   bad=row["lost"] + row["servfail"] + row["refused"])
        return row

    def fill_upstream(self, kind, count):
        """So that a miss of the measured program is a hit of the upstream."""
        for form in ([], ["-D"]):
            self.load(self.names(kind, count), "-n", count, "-w", 64, "-l", 60, *form,
                      port=peers.PLAIN)
