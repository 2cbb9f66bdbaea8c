# SPDX-License-Identifier: MIT
"""The lab's processes: knotd has the zones, unbound and named resolve over DoH without validating,
so that what is wrong in a zone reaches whoever asks them."""
import json
import subprocess
import time
from pathlib import Path

import world

HOST = "upstream.lab"  # the name in the resolvers' certificate
DOH = {"unbound": 8441, "named": 8442}

KNOT = """
server:
  rundir: {dir}/{name}
  listen: {address}@53
  udp-workers: 1
  tcp-workers: 1
  background-workers: 1
database:
  storage: {dir}/{name}
log:
  - target: stderr
    any: warning
template:
  - id: default
    storage: {dir}
    zonefile-load: whole
    zonefile-sync: -1
    semantic-checks: off
    journal-content: none
zone:
"""

UNBOUND_COMMON = """
server:
  chroot: ""
  username: ""
  directory: "{dir}"
  pidfile: ""
  use-syslog: no
  num-threads: 1
  do-not-query-localhost: no
  qname-minimisation: no
  root-hints: "{dir}/root.hints"
  local-zone: "internal." nodefault
"""

UNBOUND = UNBOUND_COMMON + """
  module-config: "iterator"
  interface: 127.0.0.1@8441
  https-port: 8441
  tls-service-key: "{dir}/server.key"
  tls-service-pem: "{dir}/server.pem"
"""

ORACLE = UNBOUND_COMMON + """
  module-config: "validator iterator"
  interface: 127.0.0.1@53
  interface: ::1@53
  trust-anchor-file: "{dir}/root.ds"
  domain-insecure: "nta.se"
  aggressive-nsec: no
  ede: yes
  val-log-level: 2
  max-udp-size: 1232
"""

NAMED = """
tls t {{ key-file "{dir}/server.key"; cert-file "{dir}/server.pem"; }};
http h {{ endpoints {{ "/dns-query"; }}; }};
options {{
  directory "{dir}"; pid-file none; session-keyfile none; lock-file none;
  recursion yes; dnssec-validation no; empty-zones-enable no; qname-minimization off;
  listen-on {{ none; }}; listen-on-v6 {{ none; }};
  listen-on port 8442 tls t http h {{ 127.0.0.1; }};
}};
zone "." {{ type hint; file "{dir}/root.hints"; }};
controls {{ }};
"""


def certificates(directory, *also):
    """ca.pem, and server.pem with server.key signed by it, for HOST and for `also`."""
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    world.run(directory, "openssl", "req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.pem",
              "-days", "30", "-subj", "/CN=the lab's CA",
              "-addext", "keyUsage=critical,keyCertSign,cRLSign")
    world.run(directory, "openssl", "req", *key, "-keyout", "server.key", "-out", "server.csr",
              "-subj", f"/CN={HOST}")
    names = ",".join([f"DNS:{HOST}", *also])
    (directory / "server.ext").write_text(f"subjectAltName={names}\nbasicConstraints=CA:FALSE\n")
    world.run(directory, "openssl", "x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey",
              "ca.key", "-CAcreateserial", "-days", "30", "-out", "server.pem",
              "-extfile", "server.ext")


def config(directory, brands):
    """veridoh's configuration with these upstreams. YAML understands JSON."""
    return json.dumps({
        "listen": [{"address": "127.0.0.1:53"}, {"address": "[::1]:53"}],
        "upstreams": [{"name": b, "url": f"https://{HOST}:{DOH[b]}/dns-query", "operator": b,
                       "addresses": ["127.0.0.1"], "ca": f"{directory}/ca.pem"} for b in brands],
        "routes": [{"domains": [world.INTERNAL], "servers": [world.CORPORATE]}],
        "validation": {"trust-anchors": f"{directory}/root.ds",
                       "negative-trust-anchors": [{"domain": "nta.se", "until": "2099-12-31",
                                                   "reason": "lab"}]},
        "log": {"level": "debug", "queries": True},
    }, indent=1) + "\n"


class Servers:
    def __init__(self, directory):
        self.dir = Path(directory)
        self.running = {}

    def start(self, name, command):
        log = open(self.dir / (name + ".log"), "ab")
        self.running[name] = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log,
                                              stderr=subprocess.STDOUT, cwd=self.dir)
        log.close()

    def stop(self, name, patience_s=10):
        """The exit status; one that does not end by SIGTERM is killed, and that shows (-9)."""
        process = self.running.pop(name)
        process.terminate()
        try:
            return process.wait(patience_s)
        except subprocess.TimeoutExpired:
            process.kill()
            return process.wait()

    def stop_all(self):
        for name in reversed(list(self.running)):
            self.stop(name)

    def log_tail(self, name, lines=15):
        text = (self.dir / (name + ".log")).read_text(errors="replace")
        return "\n".join("    " + line for line in text.splitlines()[-lines:])

    def wait_for(self, name, *dig, asks=".", limit_s=15):
        """Until a dig with these arguments gets an answer, or the process is gone."""
        command = ["dig", "+tries=1", "+time=1", *dig, asks, "SOA"]
        deadline = time.monotonic() + limit_s
        while time.monotonic() < deadline and self.running[name].poll() is None:
            answer = subprocess.run(command, capture_output=True, text=True, check=False).stdout
            if "status: NOERROR" in answer:
                return
            time.sleep(0.05)
        raise SystemExit(f"lab: {name} does not answer; its last words:\n{self.log_tail(name)}")

    def write(self, file, text, **more):
        path = self.dir / file
        path.write_text(text.format(dir=self.dir, **more))
        return str(path)

    def start_world(self):
        zones = world.build(self.dir)
        certificates(self.dir)
        self.start_knot("knotd", world.AUTHORITY, [z for z in zones if z.name != world.INTERNAL])
        self.start_knot("corporate", world.CORPORATE, [z for z in zones if z.name == world.INTERNAL])

    def start_knot(self, name, address, zones):
        (self.dir / name).mkdir()
        listing = "".join(f"  - domain: {z.origin}\n    file: {z.file}\n" for z in zones)
        config_file = self.write(name + ".conf", KNOT + listing, name=name, address=address)
        self.start(name, ["knotd", "-c", config_file])
        self.wait_for(name, "@" + address, asks=zones[0].origin)

    def start_resolvers(self):
        self.start("unbound", ["unbound", "-d", "-c", self.write("unbound.conf", UNBOUND)])
        self.start("named", ["named", "-g", "-n", "1", "-c", self.write("named.conf", NAMED)])
        for brand, port in DOH.items():
            self.wait_for(brand, "@127.0.0.1", "-p", str(port), "+https",
                          f"+tls-ca={self.dir}/ca.pem", f"+tls-hostname={HOST}")

    def start_oracle(self):
        """A validating unbound in veridoh's place: what others think of this world."""
        self.start("oracle", ["unbound", "-d", "-c", self.write("oracle.conf", ORACLE)])
        self.wait_for("oracle", "@127.0.0.1")

    def start_veridoh(self, program, brands):
        path = self.dir / "veridoh.yaml"
        path.write_text(config(self.dir, brands))
        self.start("veridoh", [program, "run", "--config", str(path)])
        self.wait_for("veridoh", "@127.0.0.1")
