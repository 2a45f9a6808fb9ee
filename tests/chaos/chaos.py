"""Whole federations of twelve merchants at four workers under hanse run and mpirun, to each of which one fault happens at an
instant drawn from a seed: a worker killed, two killed, one stopped for ten seconds, the coordinator killed, mpirun killed.

Each must end with exit code 0 and no process left behind, in the time allowed. Its audit must hold. Its model must have the
bytes of the undisturbed run's whenever every released sum is of all merchants, and otherwise be finite and near it.
Prints the counts; exit code 1 when one of them failed, with its seed and its folder, which stays.
"""

import argparse
import array
import json
import os
import random
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from federation import command_lines, lines_of, start

KINDS = ["worker-killed", "two-workers-killed", "worker-stopped", "coordinator-killed", "mpirun-killed"]
MERCHANTS = 12
WORKERS = 4
ROUNDS = 25
STOPPED_SECONDS = 10
TIME_ALLOWED = 240  # Seconds for one run, on a busy machine.
NEAR = 1.0  # Largest difference of a parameter, all of them below 3, when some merchants missed rounds.

INI = """[federation]
name = chaos
rounds = {rounds}
deadline_ms = {deadline}
[data]
path = shop.csv
merchant = shop
label = bought
numeric = visits[0..4], price[0..4]
categorical = kind{{A|B|C}}
test = column:part
[workload]
name = logistic
[privacy]
unit = none
[server]
optimizer = adam
learning_rate = 0.05
"""


def write_market(folder):
    rng = random.Random(7)
    with open(os.path.join(folder, "shop.csv"), "w") as out:
        out.write("shop,visits,price,kind,bought,part\n")
        for row in range(MERCHANTS * 20):
            visits, price, kind = 4 * rng.random(), 4 * rng.random(), rng.choice("ABC")
            bought = int(visits - price + (kind == "A") + 2 * rng.random() - 1 > 0)
            part = "test" if row // MERCHANTS % 5 == 0 else "train"
            out.write(f"shop{row % MERCHANTS + 1},{visits:.4f},{price:.4f},{kind},{bought},{part}\n")


def processes(part, program=""):
    """Processes alive whose command line has `part` in it and whose program's name begins with `program`."""
    return sorted(process for process, words in command_lines()
                  if any(part in word for word in words) and os.path.basename(words[0]).startswith(program))


def signal_all(ids, number):
    for one in ids:
        try:
            os.kill(one, number)
        except ProcessLookupError:
            pass


def models(run):
    folder = os.path.join(run, "model")
    names = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
    files = {}
    for name in names:
        if name.endswith((".npy", ".hanse")):
            with open(os.path.join(folder, name), "rb") as file:
                files[name] = file.read()
    return files


def numbers(npy):
    begin = 10 + struct.unpack("<H", npy[8:10])[0]
    values = array.array("d")
    values.frombytes(npy[begin:])
    return values


def is_near(files, reference):
    if files.keys() != reference.keys():
        return False
    for name in files:
        if name.endswith(".npy"):
            ours, theirs = numbers(files[name]), numbers(reference[name])
            if len(ours) != len(theirs) or any(not abs(a - b) <= NEAR for a, b in zip(ours, theirs)):
                return False
    return True


def every_sum_is_of_all(run):
    with open(os.path.join(run, "ledger.jsonl")) as ledger:
        for line in ledger:
            record = json.loads(line)
            if record["kind"] == "release" and record["status"] == "released":
                if record["merchants"] != f"0-{MERCHANTS - 1}":
                    return False
    return True


class Run:
    """One federation in a folder of its own."""

    def __init__(self, programs, deadline_ms):
        self.programs = os.path.abspath(programs)
        self.folder = tempfile.mkdtemp(prefix="hanse-chaos-")
        write_market(self.folder)
        self.ini = os.path.join(self.folder, "chaos.ini")
        with open(self.ini, "w") as out:
            out.write(INI.format(rounds=ROUNDS, deadline=deadline_ms))
        self.run = os.path.join(self.folder, "run")
        self.began = time.monotonic()
        self.hanse, self.output = start(self.programs, self.folder, self.ini, WORKERS, "output.dir=" + self.run)

    def at_work(self):
        """Whether coordinator and all workers have started."""
        return (len(processes(self.ini, "hanse-worker")) == WORKERS and
                len(processes(self.ini, "hanse-coordinator")) == 1)

    def rounds(self):
        return lines_of(os.path.join(self.run, "metrics.jsonl"))

    def wait(self):
        try:
            return self.hanse.wait(TIME_ALLOWED)
        except subprocess.TimeoutExpired:
            return None

    def end(self, keep):
        if self.hanse.poll() is None:
            self.hanse.kill()
            self.hanse.wait()
        signal_all(processes(self.folder), signal.SIGKILL)
        self.output.close()
        if not keep:
            shutil.rmtree(self.folder, ignore_errors=True)

    def restarts(self):
        with open(os.path.join(self.folder, "output.txt")) as file:
            return sum("continues the run" in line for line in file)


def strike(run, kind, rng):
    """The fault; whether it met anybody."""
    workers = processes(run.ini, "hanse-worker")
    if kind == "coordinator-killed":
        victims = processes(run.ini, "hanse-coordinator")
    elif kind == "mpirun-killed":
        victims = processes(run.ini, "mpirun")
    else:
        victims = rng.sample(workers, min(len(workers), 2 if kind == "two-workers-killed" else 1))
    if kind == "worker-stopped":
        signal_all(victims, signal.SIGSTOP)
        time.sleep(STOPPED_SECONDS)
        signal_all(victims, signal.SIGCONT)
    else:
        signal_all(victims, signal.SIGKILL)
    return bool(victims)


def one(programs, kind, seed, duration, reference, keep):
    """What became of one run: a dictionary of counts, and why it failed or an empty text."""
    rng = random.Random(f"{kind} {seed}")
    # Those whose workers die wait for the dead; the others must have time to come back.
    run = Run(programs, 2500 if "workers-killed" in kind or kind == "worker-killed" else 40000)
    counts = {"runs": 1}
    try:
        while not run.at_work() and run.hanse.poll() is None:
            time.sleep(0.01)
        # By progress, so that a busy machine does not make all faults come late or early: within a round, or at the start.
        rounds = rng.randrange(ROUNDS)
        while run.rounds() < rounds and run.hanse.poll() is None:
            time.sleep(0.005)
        time.sleep(rng.random() * duration / (ROUNDS if rounds > 0 else 4))
        counts["struck"] = int(strike(run, kind, rng))
        code = run.wait()
        counts["restarts"] = run.restarts()
        if code is None:
            return counts, f"still there after {TIME_ALLOWED} s"
        if code != 0:
            return counts, f"exit code {code}"
        counts["finished"] = 1
        if run.rounds() != ROUNDS:
            return counts, f"{run.rounds()} lines of metrics instead of {ROUNDS}"
        left = processes(run.folder)
        if left:
            return counts, f"{len(left)} processes left behind"
        audit = subprocess.run([os.path.join(run.programs, "hanse"), "audit", run.run], capture_output=True)
        if audit.returncode != 0:
            return counts, f"audit gave {audit.returncode}: " + audit.stdout.decode()[-500:]
        counts["audited"] = 1
        files = models(run.run)
        if files == reference:
            counts["same bytes"] = 1
        elif every_sum_is_of_all(run.run):
            return counts, "all merchants were in every sum, and the model is another"
        elif not is_near(files, reference):
            return counts, "a model that is not near the undisturbed one"
        else:
            counts["near"] = 1
        counts["good"] = 1
        return counts, ""
    finally:
        run.end(keep or not counts.get("good"))
        if keep or not counts.get("good"):
            print(f"  kept {run.folder}")


def undisturbed(programs):
    run = Run(programs, 40000)
    while not run.at_work() and run.hanse.poll() is None:
        time.sleep(0.01)
    began = time.monotonic()
    code = run.wait()
    duration = time.monotonic() - began
    files = models(run.run)
    run.end(keep=code != 0)
    if code != 0 or not files:
        sys.exit(f"the undisturbed run ended with {code}: see {run.folder}/output.txt")
    return duration, files


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--programs", required=True, help="the folder of hanse")
    parser.add_argument("--seeds", type=int, default=3, help="runs of each kind (3)")
    parser.add_argument("--first", type=int, default=1, help="the first seed")
    parser.add_argument("--kind", action="append", choices=KINDS)
    parser.add_argument("--keep", action="store_true", help="keep all folders")
    options = parser.parse_args()

    duration, reference = undisturbed(options.programs)
    print(f"undisturbed: {duration:.1f} s from the start of the ranks", flush=True)
    failed = 0
    for kind in options.kind or KINDS:
        total = {}
        began = time.monotonic()
        for seed in range(options.first, options.first + options.seeds):
            counts, why = one(options.programs, kind, seed, duration, reference, options.keep)
            for name, count in counts.items():
                total[name] = total.get(name, 0) + count
            if why:
                failed += 1
                print(f"  FAILED {kind} seed {seed}: {why}", flush=True)
        told = ", ".join(f"{total.get(name, 0)} {name}" for name in
                         ["struck", "finished", "audited", "same bytes", "near", "restarts"])
        print(f"{kind}: {total.get('good', 0)} of {total['runs']} good ({told}), "
              f"{time.monotonic() - began:.0f} s", flush=True)
    print("every run ended well" if failed == 0 else f"{failed} runs FAILED")
    return 0 if failed == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
