"""What a program asks of its host: `host/host.wat` beside the native `host/host.c`.

Both do the same: copy a gigabyte, make small writes, ask clock and random numbers, walk a directory
of 100,000 entries. Processor time counts, the system's for the process included.
"""

import pathlib
import shutil
import subprocess

import measure

HERE = pathlib.Path(__file__).resolve().parent / "host"
GIGABYTE = 1 << 30
ENTRIES = 100_000
WORK = {
    "read": "reading a file of 1 GB",
    "copy": "1 GB from pipe to pipe",
    "write": "writing 8 bytes",
    "clock": "reading the clock",
    "random": "32 random bytes",
    "walk": "walking 100,000 entries",
    "stat": "the same, with attributes",
}


def build(scratch, kiln, options):
    """The commands of both peers, without what they shall do."""
    compiler = shutil.which("clang") or shutil.which("cc")
    native, ours = scratch / "host.native", scratch / "host.kiln"
    subprocess.run([compiler, "-O2", HERE / "host.c", "-o", native], check=True)
    command = [kiln, "build", "--quiet", "--dir", ".", *options, HERE / "host.wat", "-o", ours]
    subprocess.run(command, check=True)
    return {"kiln": ours, "native": native}


def measured(launcher, scratch, program, work):
    """What a program costs that does one of these."""
    streams = {}
    if work == "read":
        streams["stdin"] = open(scratch / "gigabyte", "rb")
    if work in ("write", "clock", "random"):
        streams["stdout"] = subprocess.DEVNULL
    if work != "copy":
        return launcher.execute([program, work], folder=scratch / "many", **streams)
    source = subprocess.Popen(["head", "-c", str(GIGABYTE), "/dev/zero"], stdout=subprocess.PIPE)
    sink = subprocess.Popen(["wc", "-c"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    cost = launcher.execute([program, work], stdin=source.stdout, stdout=sink.stdin)
    source.stdout.close()
    cost.output = sink.communicate()[0]
    source.wait()
    return cost


def section(options, kiln, launcher, scratch):
    """A row for each kind of work; the ratios are of processor time."""
    programs = build(scratch, kiln, options.option)
    (scratch / "gigabyte").write_bytes(b"")
    with open(scratch / "gigabyte", "wb") as file:
        for _ in range(1024):
            file.write(bytes(1 << 20))
    (scratch / "many").mkdir()
    for number in range(ENTRIES):
        (scratch / "many" / f"entry-{number:06}").touch()
    rows = {}
    for work, label in WORK.items():
        action = lambda program: measured(launcher, scratch, program, work)  # noqa: B023, E731
        costs = measure.rounds(programs, options.rounds, action)
        outputs = {cost.output for all_ in costs.values() for cost in all_}
        if len(outputs) != 1:
            raise SystemExit(f"bench: {label}: outputs differ: {outputs}")
        rows[label] = {
            "seconds": {peer: min(cost.processor for cost in all_) for peer, all_ in costs.items()},
            "ratio": measure.ratios(costs, "kiln", "native"),
        }
        print(f"{label:26} {rows[label]['ratio']['median']:.3f}", flush=True)
    return rows
