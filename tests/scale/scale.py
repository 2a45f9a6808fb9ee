"""A federation of many merchants at two workers on one machine: logistic regression of 100 features, 100 rows a merchant,
masks, and noise for every customer. Prints for every rank its processor time and its memory round by round, from /proc; the
time by the clock means little on a machine that does other things. Exit code 1 when memory grows by more than a tenth behind
the first round, or the audit does not hold.

With --idle: four and sixteen ranks, of which a worker is stopped (SIGSTOP) while the others wait for it, and the share of a
core that each of these uses meanwhile; exit code 1 when one uses 5 % or more.
"""

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from federation import command_lines, lines_of, start

FEATURES = 100
ROWS = 100
BLOCK = 10  # Features that are drawn together.
TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")

INI = """[federation]
name = scale
rounds = {rounds}
deadline_ms = 3600000
restarts = 0
[data]
path = {path}
merchant = shop
customer = customer
label = bought
numeric = {numeric}
[workload]
name = logistic
[privacy]
unit = customer
epsilon = 4
delta = 1e-6
[output]
dir = run
"""


def write_workers_rows(path, merchants, rows, seed):
    """Each row has ten blocks of one list; whether it ends in a purchase is a coin about their scores."""
    draw = random.Random(seed)
    blocks = []
    for _ in range(1000):
        digits = [draw.randrange(10) for _ in range(BLOCK)]
        score = sum((place - 4.5) * digit for place, digit in enumerate(digits)) / 60
        blocks.append((",".join(map(str, digits)), score))
    with open(path, "w") as out:
        out.write("shop,customer,bought," + ",".join(f"f{i}" for i in range(FEATURES)) + "\n")
        for merchant in merchants:
            lines = []
            for row in range(rows):
                chosen = draw.choices(blocks, k=FEATURES // BLOCK)
                bought = int(sum(score for _, score in chosen) + draw.gauss(0, 1) > 0)
                lines.append(f"shop{merchant:05},c{merchant}-{row},{bought}," + ",".join(text for text, _ in chosen) + "\n")
            out.write("".join(lines))


def write_federation(folder, merchants, workers, rows, rounds):
    for worker in range(workers):
        write_workers_rows(os.path.join(folder, f"{worker + 1}.csv"), range(worker, merchants, workers), rows, worker)
    numeric = ", ".join(f"f{i}[0..9]" for i in range(FEATURES))
    ini = os.path.join(folder, "scale.ini")
    with open(ini, "w") as out:
        out.write(INI.format(rounds=rounds, path=os.path.join(folder, "{worker}.csv"), numeric=numeric))
    return ini


def ranks(ini):
    """Rank to process id, of this run."""
    found = {}
    for process, words in command_lines():
        if ini in words and os.path.basename(words[0]) in ("hanse-coordinator", "hanse-worker"):
            try:
                with open(f"/proc/{process}/environ", "rb") as file:
                    for word in file.read().split(b"\0"):
                        if word.startswith(b"OMPI_COMM_WORLD_RANK="):
                            found[int(word.split(b"=")[1])] = process
            except (OSError, ValueError):
                continue
    return dict(sorted(found.items()))


def cpu_seconds(process):
    try:
        with open(f"/proc/{process}/stat") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICKS
    except OSError:
        return None


def megabytes(process):
    try:
        with open(f"/proc/{process}/statm") as file:
            return int(file.read().split()[1]) * PAGE / 1e6
    except OSError:
        return None


def scale(options):
    folder = tempfile.mkdtemp(prefix="hanse-scale-", dir=options.folder)
    ini = write_federation(folder, options.merchants, options.workers, options.rows, options.rounds)
    print(f"{options.merchants} merchants of {options.rows} rows and {FEATURES} features at {options.workers} workers, "
          f"in {folder}", flush=True)
    began = time.monotonic()
    run, _ = start(options.programs, folder, ini, options.workers)
    metrics = os.path.join(folder, "run", "metrics.jsonl")
    ids, cpu, seen, rows = {}, {}, 0, []
    while run.poll() is None:
        if len(ids) <= options.workers:
            ids = ranks(ini)
        for rank, process in ids.items():
            cpu[rank] = cpu_seconds(process) or cpu.get(rank, 0)
        done = lines_of(metrics)
        if done > seen:
            seen = done
            rows.append((done, [megabytes(p) for p in ids.values()], [cpu[r] for r in ids], time.monotonic() - began))
            _, memory, spent, clock = rows[-1]
            print(f"round {done:3}  memory MB " + " ".join(f"{m or 0:8.1f}" for m in memory) +
                  "   processor s " + " ".join(f"{s:8.1f}" for s in spent) + f"   clock s {clock:8.1f}", flush=True)
        time.sleep(0.05)
    audit = subprocess.run([os.path.join(options.programs, "hanse"), "audit", os.path.join(folder, "run")],
                           stdout=subprocess.PIPE, text=True)
    print(audit.stdout.strip().splitlines()[-1])
    good = run.returncode == 0 and audit.returncode == 0 and len(rows) > 2
    if good:
        full = [r for r in rows[:-1] if all(r[1])]
        first, last = full[0], full[-1]
        rounds = last[0] - first[0]
        print(f"until the end of round {first[0]}: {sum(first[2]):.1f} s of processor; each round after: "
              f"{(sum(last[2]) - sum(first[2])) / rounds:.2f} s")
        for rank, (before, after) in enumerate(zip(first[1], last[1])):
            print(f"rank {rank}: {before:.1f} MB behind round {first[0]}, {after:.1f} MB behind round {last[0]}")
            good = good and after < 1.1 * before
    else:
        with open(os.path.join(folder, "output.txt")) as file:
            print(file.read()[-2000:])
    if good and not options.keep:
        shutil.rmtree(folder)
    return good


def idle(options, workers):
    folder = tempfile.mkdtemp(prefix="hanse-idle-", dir=options.folder)
    ini = write_federation(folder, 2 * workers, workers, 5, 10000)
    run, _ = start(options.programs, folder, ini, workers, "privacy.unit=none", "privacy.epsilon=", "privacy.delta=")
    try:
        metrics = os.path.join(folder, "run", "metrics.jsonl")
        while lines_of(metrics) < 2 and run.poll() is None:
            time.sleep(0.05)
        ids = ranks(ini)
        if len(ids) <= workers:
            with open(os.path.join(folder, "output.txt")) as file:
                sys.exit("the federation ended by itself:\n" + file.read())
        os.kill(ids[workers], signal.SIGSTOP)
        time.sleep(2)  # What was under way is done.
        waiting = {rank: process for rank, process in ids.items() if rank != workers}
        before = {rank: cpu_seconds(process) for rank, process in waiting.items()}
        began = time.monotonic()
        time.sleep(options.seconds)
        clock = time.monotonic() - began
        shares = {rank: 100 * (cpu_seconds(process) - before[rank]) / clock for rank, process in waiting.items()}
        os.kill(ids[workers], signal.SIGCONT)
    finally:
        if run.poll() is None:
            run.send_signal(signal.SIGTERM)
        run.wait()
    shutil.rmtree(folder)
    print(f"{workers + 1} ranks, one stopped for {clock:.0f} s: the coordinator used {shares[0]:.2f} % of a core, workers "
          f"at most {max(share for rank, share in shares.items() if rank > 0):.2f} %", flush=True)
    return max(shares.values()) < 5


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--programs", required=True)
    parser.add_argument("--merchants", type=int, default=1000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--folder", help="where the data goes; some 250 MB for 10,000 merchants")
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--idle", action="store_true")
    parser.add_argument("--seconds", type=float, default=20, help="of idleness")
    options = parser.parse_args()
    options.programs = os.path.abspath(options.programs)
    good = all([idle(options, 3), idle(options, 15)]) if options.idle else scale(options)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
