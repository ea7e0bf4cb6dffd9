"""Running processes and what they cost; rounds in which peers take turns."""

import os
import pathlib
import shutil
import statistics
import subprocess
import sys
from dataclasses import dataclass


@dataclass
class Cost:
    """Seconds and bytes that a process took, and what it printed."""

    processor: float
    wall: float
    memory: int
    output: bytes


class Launcher:
    """Runs processes by `launch.c`, compiled once into a scratch folder."""

    def __init__(self, scratch):
        self.program, self.report = scratch / "launch", scratch / "launched"
        compiler = shutil.which("clang") or shutil.which("cc")
        if not compiler:
            sys.exit("bench: there is no C compiler for what starts processes")
        source = pathlib.Path(__file__).with_name("launch.c")
        subprocess.run([compiler, "-O2", "-static", source, "-o", self.program], check=True)

    def execute(
        self, command, processors=None, folder=None, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE
    ):
        """Runs a command to its end. A guest of an engine reports its own times (see guest.py)."""
        command = [str(part) for part in command]
        limit = (lambda: os.sched_setaffinity(0, processors)) if processors else None
        done = subprocess.run(
            [self.program, self.report, *command],
            stdin=stdin, stdout=stdout, stderr=subprocess.PIPE, check=True, cwd=folder,
            preexec_fn=limit,
        )  # fmt: skip
        code, wall, processor, memory = map(float, self.report.read_text().split())
        if code:
            said = done.stderr.decode(errors="replace")
            raise RuntimeError(f"{command[0]} ended with {code:.0f}\n{said}")
        processor, wall = processor / 1e6, wall / 1e6
        if any(part.endswith("guest.py") for part in command):
            processor, wall = map(float, done.stderr.split(b"\n")[-2].split())
        return Cost(processor, wall, int(memory) * 1024, done.stdout)


def rounds(commands, count, action):
    """Costs of each named command over `count` rounds; who begins a round changes."""
    costs = {name: [] for name in commands}
    names = list(commands)
    for number in range(count):
        turn = number % len(names)
        for name in names[turn:] + names[:turn]:
            costs[name].append(action(commands[name]))
    return costs


def instructions(command):
    """Instructions that a command executes, counted by valgrind."""
    counter = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null"]
    done = subprocess.run([*counter, *command], capture_output=True, text=True, check=True)
    line = next(line for line in done.stderr.splitlines() if "Collected" in line)
    return int(line.rsplit(":", 1)[1])


def ratios(costs, name, base):
    """Processor time of one peer over another's: median over the rounds, and its spread as the
    distance of the quartiles over the median."""
    pairs = zip(costs[name], costs[base])
    values = sorted(ours.processor / theirs.processor for ours, theirs in pairs)
    median = statistics.median(values)
    low, _, high = statistics.quantiles(values, n=4) if len(values) > 1 else (median,) * 3
    return {"median": median, "spread": (high - low) / median}
