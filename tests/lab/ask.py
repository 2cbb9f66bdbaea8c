# SPDX-License-Identifier: MIT
"""The ways to ask: real clients, and what each says in one common form.

Every way takes a Question and gives a Reply; fields that the client does not tell are None."""
import re
import subprocess
from dataclasses import dataclass, field

ADDRESS = {"4": "127.0.0.1", "6": "::1"}
LIMIT_S = 20
RECORD = re.compile(r"^(\S+)\s+(\d+)\s+IN\s+(\S+)\s+(.*)$")


@dataclass
class Question:
    name: str
    type: str
    options: list = field(default_factory=list)  # as dig spells them: +dnssec
    transport: str = "udp4"


@dataclass
class Reply:
    rcode: str = None    # NOERROR …; TIMEOUT when nothing came
    flags: set = None    # of: ad, tc, sig (there is an RRSIG)
    ede: set = None      # codes
    data: list = None    # RDATA of the answer section, sorted, RRSIGs left out
    verdict: str = None  # secure, insecure, bogus
    said: str = ""       # everything, for the report of a failure


def run(command, **more):
    try:
        done = subprocess.run(command, capture_output=True, text=True, errors="replace",
                              stdin=subprocess.DEVNULL, timeout=LIMIT_S, check=False, **more)
        return done.returncode, done.stdout + done.stderr
    except subprocess.TimeoutExpired:
        return None, "(no end within %d s)" % LIMIT_S


def section(text, title):
    """The (owner, ttl, type, rdata) of the records printed under this title."""
    records, within = [], False
    for line in text.splitlines():
        if line.startswith(";;"):
            within = line.startswith(";; " + title)
        record = RECORD.match(line)
        if within and record:
            records.append(record.groups())
    return records


def read_message(text, tells_ede=True):
    """dig, kdig and drill print a message alike."""
    rcode = re.search(r"(?:status|rcode): (\w+)", text)
    bits = re.search(r"^;; [Ff]lags: ([a-z ]*)", text, re.M)
    answer, authority = section(text, "ANSWER"), section(text, "AUTHORITY")
    flags = set(bits.group(1).split()) & {"ad", "tc"} if bits else set()
    if any(kind == "RRSIG" for _, _, kind, _ in answer + authority):
        flags.add("sig")
    return Reply(rcode=rcode.group(1) if rcode else "TIMEOUT", flags=flags, said=text,
                 ede=set(re.findall(r"EDE: (\d+)", text)) if tells_ede else None,
                 data=sorted(re.sub(r"\s+", "_", d.strip())
                             for _, _, kind, d in answer if kind != "RRSIG"))


def transport_options(question, tcp):
    kind, family = question.transport[:3], question.transport[3:]
    return "@" + ADDRESS[family], [tcp] if kind == "tcp" else []


def dig(question, _):
    server, tcp = transport_options(question, "+tcp")
    return read_message(run(["dig", "+tries=1", "+time=6", server, *tcp, *question.options,
                             question.name, question.type])[1])


def kdig(question, _):
    server, tcp = transport_options(question, "+tcp")
    return read_message(run(["kdig", "+retry=0", "+time=6", "+edns", "+adflag", server, *tcp,
                             *question.options, question.name, question.type])[1])


def drill(question, _):
    options = {"+dnssec": ["-D", "-b", "1232"]}
    mapped = ["-o", "AD"] + [word for option in question.options for word in options[option]]
    server, tcp = transport_options(question, "-t")
    text = run(["drill", *tcp, *mapped, server, question.name, question.type])[1]
    return read_message(text, tells_ede=False)


def delv(question, lab):
    """Validates by itself what it gets with CD=1: the proofs have to come through whole."""
    server, tcp = transport_options(question, "+tcp")
    text = run(["delv", "-a", str(lab.dir / "delv.keys"), "+root=.", server, *tcp, question.name,
                question.type])[1]
    verdicts = (("; unsigned answer", "insecure"), ("; negative response, unsigned", "insecure"),
                ("fully validated", "secure"), ("resolution failed", "bogus"))
    verdict = next((v for words, v in verdicts if words in text), "nothing")
    return Reply(verdict=verdict, said=text)


def getent(question, _):
    """An ordinary program's look-up, through the C library and /etc/resolv.conf."""
    base = {"A": "ahostsv4", "AAAA": "ahostsv6"}[question.type]
    text = run(["getent", base, question.name])[1]
    return Reply(data=sorted({line.split()[0] for line in text.splitlines()}), said=text)


def explain(question, lab):
    status, text = run([lab.veridoh, "explain", "--config", str(lab.dir / "veridoh.yaml"),
                        question.name, question.type])
    verdict = {0: "secure", 1: "bogus", 2: "insecure", 3: "nothing"}.get(status, f"exit {status}")
    return Reply(verdict=verdict, said=text)


def query(question, lab):
    status, text = run([lab.veridoh, "query", "--config", str(lab.dir / "veridoh.yaml"),
                        question.name, question.type])
    rcode = {0: None, 1: "SERVFAIL"}.get(status, f"exit {status}")
    return Reply(rcode=rcode, said=text)


WAYS = {f.__name__: f for f in (dig, kdig, drill, delv, getent, explain, query)}
