# SPDX-License-Identifier: MIT
"""What is measured. Each part takes a Run and adds rows to it: one row a run of the generator.

Peers alternate within a round, so that noise of the machine hits all alike, and ratios are taken
within a round."""
import json
import os
import re
import subprocess
import time
from contextlib import contextmanager

import lab as labs

FILL_S = 60


@contextmanager
def started(run, peer):
    ok = run.lab.start_peer(peer)
    try:
        yield ok
    finally:
        run.lab.stop_peer()


def fill(lab, names, count, *options):
    """Twice: what was lost the first time is asked again."""
    for _ in range(2):
        lab.load(names, "-n", count, "-w", 64, "-l", FILL_S, *options)


def hits(run):
    """UDP cache hits: closed loop for the rate, open loop at 20 000 a second for the latency."""
    lab = run.lab
    names = lab.names("mixed", 1000)
    lab.fill_upstream("mixed", 1000)
    for turn in run.rounds():
        alone = lab.load(names, "-e", "-w", 128, "-l", 1)
        run.add("hits", "1000 names", labs.peers.GENERATOR, turn, labs.bare_row(alone["qps"]))
        for peer in run.peers(but=["unbound-unvalidated", "https_dns_proxy"]):
            with started(run, peer) as ok:
                if not ok:
                    continue
                fill(lab, names, 2000)
                run.add("hits", "1000 names", peer, turn,
                        lab.measure(names, "-w", 128, "-l", 2))
                run.add("hits", "20 000/s", peer, turn,
                        lab.measure(names, "-r", 20000, "-l", 1))
                if peer.name == "veridoh":
                    fill(lab, names, 2000, "-D")
                    run.add("hits", "1000 names, DO", peer, turn,
                            lab.measure(names, "-w", 128, "-l", 1, "-D"))


def many(run):
    """UDP cache hits among 100 000 and 1 000 000 names, against the 1000 of the same process. They
    are asked for in an order that has nothing to do with the one they came in, and so lie in memory
    in."""
    lab = run.lab
    few = lab.names("many", 1000)
    sizes = [100000, 1000000]
    for peer in run.peers(only=["veridoh", "before", "unbound"]):
        with started(run, peer) as ok:
            if not ok:
                continue
            fill(lab, few, 2000)
            for size in sizes[:1] if peer.name == "unbound" else sizes:
                for _ in range(2):
                    lab.load(lab.names("many", size), "-n", size, "-w", 128, "-l", FILL_S)
                names = lab.names("shuffled", size)
                for turn in run.rounds():
                    run.add("many", f"1000 names among {size}", peer, turn,
                            lab.measure(few, "-w", 128, "-l", 1))
                    run.add("many", f"{size} names", peer, turn,
                            lab.measure(names, "-w", 128, "-l", 2))


def tcp(run):
    """TCP, pipelined: 4 connections, 200 questions outstanding."""
    lab = run.lab
    names = lab.names("mixed", 1000)
    lab.fill_upstream("mixed", 1000)
    for turn in run.rounds():
        for peer in run.peers(but=["bare", "unbound-unvalidated", "dnsmasq", "smartdns",
                                   "https_dns_proxy"]):
            with started(run, peer) as ok:
                if ok:
                    fill(lab, names, 2000)
                    run.add("tcp", "1000 names", peer, turn,
                            lab.measure(names, "-t", "-k", 4, "-w", 200, "-l", 2))


MISSES = ["plain", "p256", "rsa", "ed25519", "wild", "wildnsec3", "nxdomain"]
PROVEN = ["nxdomain", "nxnsec3", "wild", "wildnsec3"]
MISS_COUNT = 6000


OPENSSL = {"p256": "ecdsap256", "rsa": "rsa2048", "ed25519": "ed25519"}


def bare_checks(run, turn):
    """What openssl's own loop takes for one signature check, with the key kept."""
    for kind, algorithm in OPENSSL.items():
        done = subprocess.run(["taskset", "-c", labs.PEER_CPU, "openssl", "speed", "-mr",
                               "-seconds", "1", algorithm], capture_output=True, text=True, check=False)
        found = re.search(r"^\+F.*:([0-9.]+)$", done.stdout, re.M)
        if found:
            run.add("miss", f"bare check, {kind}", labs.peers.OPENSSL, turn,
                    labs.bare_row(float(found[1])))


def miss(run):
    """Misses over each one's encrypted upstream, which has every name cached; the chain is warm."""
    lab = run.lab
    for kind in dict.fromkeys(MISSES + PROVEN):
        lab.fill_upstream(kind, MISS_COUNT)
    for turn in run.rounds():
        bare_checks(run, turn)
        for peer in run.peers(but=["bare", "dnsmasq"]):
            for kind in MISSES if peer.validates else MISSES[:1]:
                if not one_miss(run, peer, turn, kind, kind):
                    break
        proof_alone(run, turn)


def one_miss(run, peer, turn, kind, case, *options):
    lab = run.lab
    with started(run, peer) as ok:
        if ok:
            lab.load(lab.names(kind, 1), "-n", 1, "-w", 1, "-D", *options)
            run.add("miss", case, peer, turn, lab.measure(
                lab.names(kind, MISS_COUNT), "-n", MISS_COUNT, "-w", 100, "-k", 4, "-l", 8, "-D",
                *options))
    return ok


def proof_alone(run, turn):
    """The same misses with and without a proof (CD=1), message for message alike; again with a
    client that never sleeps, for one that waits for proofs has to be woken for each. Denials and
    wildcards were proven before, with other names; they are asked for each time all the same."""
    run.lab.gaps = False
    try:
        for peer in run.peers(only=["veridoh", "before"]):
            for kind in [*OPENSSL, *PROVEN]:
                one_miss(run, peer, turn, kind, f"{kind}, CD=1", "-C")
            for kind in OPENSSL:
                one_miss(run, peer, turn, kind, f"{kind}, awake", "-a")
                one_miss(run, peer, turn, kind, f"{kind}, CD=1, awake", "-C", "-a")
            for kind in PROVEN:
                one_miss(run, peer, turn, kind, f"{kind}, asked")
    finally:
        run.lab.gaps = True


WAYS = {"open": {}, "closed": {},
        "resumed": {"idle-timeout": "1s"},
        "early data": {"idle-timeout": "1s", "early-data": True}}


def cold(run):
    """The first answer of an empty cache, the upstream 50 ms away, every packet delayed. The last
    two of WAYS, for veridoh only: a connection was there, and was closed for want of questions."""
    lab = run.lab
    for kind in [*labs.zones.COLD.values(), *labs.zones.WARM.values()]:
        subprocess.run(["dig", "+cd", "+dnssec", "@127.0.0.1", "-p", str(labs.peers.PLAIN),
                        *kind.split()], capture_output=True, check=False)
    lab.start("wire", [str(lab.build / "bench-wire"), "50"])
    lab.start_front()
    time.sleep(0.5)
    lab.upstream = labs.FAR
    try:
        for turn in run.rounds(most=2):
            for peer in run.peers(only=["veridoh", "unbound", "knot-resolver", "pdns-recursor"]):
                for case in labs.zones.COLD:
                    for way in WAYS if peer.name == "veridoh" else ("open", "closed"):
                        first_answers(run, peer, turn, case, way)
    finally:
        lab.upstream, lab.doh_port, lab.transport = labs.NEAR, labs.peers.DOH, {}
        lab.stop("front")
        lab.stop("wire")


def first_answers(run, peer, turn, case, way):
    """Not closed: an insecure name under another TLD was asked before, so that the connection stands,
    or did. When it stands the zone is asked once more, being warm."""
    lab = run.lab
    lab.transport = WAYS[way]
    lab.doh_port = labs.peers.DOH_FRONT if way == "early data" else labs.peers.DOH
    lab.cpu = labs.PEER_CPU
    lab.start("peer", peer.write(lab))
    lab.cpu = labs.OTHERS_CPU
    lab.pid = lab.running["peer"].pid
    try:
        wait_for_socket()
        if way != "closed":
            subprocess.run(["dig", "+cd", "+tries=1", "@127.0.0.1", "-p", str(labs.peers.PORT),
                            "www.plain.se"], capture_output=True, check=False)
            time.sleep(0.6 if way == "open" else 2)
        run.add("cold", f"{case}, {way}", peer, turn, one_answer(lab, labs.zones.COLD[case]))
        if way == "open":
            time.sleep(0.3)  # what was asked ahead and not needed may still be on its way
            run.add("cold", f"{case}, warm zone", peer, turn, one_answer(lab, labs.zones.WARM[case]))
    finally:
        lab.stop_peer()


def one_answer(lab, question):
    path = lab.dir / "names.cold"
    path.write_text(question + "\n")
    return lab.measure(str(path), "-n", 1, "-w", 1, "-k", 1, "-l", 5, "-D")


def wait_for_socket():
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        done = subprocess.run(["ss", "-lunH", f"sport = :{labs.peers.PORT}"], capture_output=True,
                              text=True, check=False)
        if done.stdout.strip():
            return
        time.sleep(0.01)


def flood(run):
    """Hits at 5000 a second, and at the eight of a house, alone and while another client asks for
    random names of a signed zone, 64 at a time, as fast as they are answered. The cache has its
    default size."""
    lab = run.lab
    names = lab.names("mixed", 1000)
    lab.fill_upstream("mixed", 1000)
    lab.cache_mib = 64
    try:
        for turn in run.rounds():
            for peer in run.peers(only=["veridoh", "before", "unbound"]):
                with started(run, peer) as ok:
                    if ok:
                        fill(lab, names, 2000)
                        hits_in_flood(run, peer, turn, names, "hits", (5000, 2))
                        hits_in_flood(run, peer, turn, names, "rare hits", (8, 12))
    finally:
        lab.cache_mib = 1024


def hits_in_flood(run, peer, turn, names, what, pace):
    lab = run.lab
    rate, seconds = pace
    how = ("-r", rate, "-l", seconds)
    run.add("flood", f"{what} alone", peer, turn, lab.measure(names, *how))
    command = lab.load_command(lab.names("p256", 100), "-x", "-w", 64, "-k", 4, "-l", seconds + 2)
    other = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    time.sleep(0.5)
    run.add("flood", f"{what} in a flood", peer, turn, lab.measure(names, *how))
    other.wait(20)


def memory(run):
    """Resident memory for each signed answer kept: 1000 names, then 50 000, with a cache too small
    for large pages: one of those more or less is 43 octets an answer. Without knot-resolver, whose
    data base is a file of its full size from the beginning."""
    lab = run.lab
    kind, count = "p256", 50000
    lab.fill_upstream(kind, count)
    lab.cache_mib = 128
    try:
        for peer in run.peers(but=["bare", "unbound-unvalidated", "dnsdist", "dnsmasq", "smartdns",
                                   "knot-resolver", "https_dns_proxy"]):
            with started(run, peer) as ok:
                if ok:
                    memory_of_each(run, peer, kind, count)
    finally:
        lab.cache_mib = 1024


def memory_of_each(run, peer, kind, count):
    lab = run.lab
    fill(lab, lab.names(kind, 1000), 1000, "-D")
    before = lab.memory_kib()
    fill(lab, lab.names(kind, count), count, "-D")
    row = lab.measure(lab.names(kind, count), "-n", count, "-w", 64, "-l", FILL_S, "-D")
    row["bytes"] = (lab.memory_kib() - before) * 1024 / (count - 1000)
    run.add("memory", "signed answers", peer, 0, row)


def bound(run):
    """Whether the process keeps to what is configured: resident memory after two and more times as
    many answers as there is room for, of 60 to 900 octets, beside a process that has none."""
    lab = run.lab
    count = 200000
    names = lab.names("sizes", count)
    lab.fill_upstream("sizes", count)
    veridoh = labs.peers.PEERS["veridoh"]
    try:
        for mib in (16, 32):
            lab.cache_mib = mib
            with started(run, veridoh) as ok:
                if not ok:
                    continue
                empty = lab.memory_kib()
                row = lab.measure(names, "-n", count, "-w", 64, "-l", FILL_S, "-D")
                row["empty_mib"], row["resident_mib"] = empty / 1024, lab.memory_kib() / 1024
                row["evictions"] = evictions(lab)
                run.add("bound", f"{mib} MiB", veridoh, 0, row)
    finally:
        lab.cache_mib = 1024


def evictions(lab):
    """By veridoh's own account, so that it is seen to have been full."""
    said = subprocess.run(["dig", "+short", "@127.0.0.1", "-p", str(labs.peers.PORT), "CH", "TXT",
                           "health.veridoh."], capture_output=True, text=True, check=False).stdout
    return int(re.search(r"cache_evictions=(\d+)", said)[1])


def workers(run):
    """One worker against two. With two cores the generator shares them with two workers, so what
    is compared is CPU time: at the same load, and with as much load as there is CPU left for."""
    lab = run.lab
    names = lab.names("mixed", 1000)
    lab.fill_upstream("mixed", 1000)
    veridoh = labs.peers.PEERS["veridoh"]
    cpus = labs.PEER_CPU, labs.OTHERS_CPU
    try:
        for turn in run.rounds():
            for count in (1, 2):
                lab.workers = count
                labs.PEER_CPU, labs.OTHERS_CPU = cpus if count == 1 else ("0,1", "0,1")
                with started(run, veridoh) as ok:
                    if not ok:
                        continue
                    fill(lab, names, 2000)
                    for case, options in (("60 000/s, one socket", ["-r", 60000, "-k", 1]),
                                          ("saturated", ["-w", 256])):
                        before = thread_times(lab)
                        row = lab.measure(names, *options, "-l", 2)
                        row["spread"] = busiest_part(before, thread_times(lab))
                        run.add("workers", f"{count} workers, {case}", veridoh, turn, row)
    finally:
        lab.workers = 1
        labs.PEER_CPU, labs.OTHERS_CPU = cpus


def thread_times(lab):
    return {task.name: int((task / "schedstat").read_text().split()[0])
            for task in labs.Path(f"/proc/{lab.pid}/task").iterdir()}


def busiest_part(before, after):
    """The busiest thread's part of all CPU time: 0.5 is even for two workers."""
    times = [after[thread] - before.get(thread, 0) for thread in after]
    return max(times) / max(1, sum(times))


def replay(run):
    """What prefetching, stale answers and aggressive NSEC save: tests/bench/replay."""
    out = run.lab.dir / "replay.json"
    subprocess.run([str(labs.Path(__file__).parent / "replay"), "--out", str(out)], check=True,
                   env={**os.environ, "VERIDOH_BUILD": str(run.lab.veridoh.parent)})
    run.more["replay"] = json.loads(out.read_text())


COUNTED = {  # names of a kind, how many, questions, options of the generator
    "hit": ("mixed", 1000, 4000),
    "insecure miss": ("plain", 400, 400, "-D"),
    "secure miss, P-256": ("p256", 400, 400, "-D"),
    "secure miss, RSA-2048": ("rsa", 400, 400, "-D"),
    "the same with CD=1": ("rsa", 400, 400, "-D", "-C"),
    "NXDOMAIN from proven ranges, NSEC": ("nxdomain", 400, 400, "-D"),
    "NXDOMAIN asked, proven before, NSEC": ("nxdomain", 400, 400, "-D"),
}


def instructions(run):
    """What callgrind counts for one question, the kernel's part left out: the same from run to run
    within a hundredth, on any machine of this kind, however busy. Goes to instructions.md."""
    lab = run.lab
    veridoh = labs.peers.PEERS["veridoh"]
    lab.cpu = labs.PEER_CPU
    cases = []
    for case, (kind, names, count, *options) in COUNTED.items():
        lab.fill_upstream(kind, 1000)
        lab.gaps = "asked" not in case
        out = lab.dir / "callgrind"
        for file in lab.dir.glob("callgrind*"):
            file.unlink()
        lab.start_peer(labs.peers.under_callgrind(veridoh, out))
        first = lab.names(kind, names)
        if case == "hit":
            fill(lab, first, 2 * names)
        else:
            lab.load(lab.names(kind, 1), "-n", 1, "-w", 1, "-l", 20, *options)
        control(lab, "--zero")
        row = lab.load(first, "-n", count, "-w", 32, "-k", 4, "-l", 60, *options)
        control(lab, "--dump")
        lab.stop_peer()
        total, functions = labs.read_callgrind(lab.dir, "callgrind*.1")
        cases.append((case, row["received"], total, functions))
    lab.gaps = True
    labs.write_instructions(cases)


def control(lab, what):
    subprocess.run(["callgrind_control", what, str(lab.pid)], check=True, capture_output=True)


PARTS = {f.__name__: f for f in (hits, tcp, miss, cold, flood, memory, bound, workers, many, replay,
                                 instructions)}
