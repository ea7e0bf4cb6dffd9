"""What scripts/bench does: see there."""

import argparse
import os
import pathlib
import statistics
import sys
import tempfile

import host
import measure
import peers
import report
import synthetic

SECTIONS = ("run", "start", "compile", "host")
# A module of each size that toolchains make; the last three are compiled once, by Kiln alone.
MODULES = {"hello": "bench/hello.wasm", "lua": "bench/lua.wasm", "sqlite": "bench/sqlite.wasm",
           "go-gofmt": "programs/go-gofmt.wasm"}  # fmt: skip
LARGE = {
    "one body of 760 KB": lambda: synthetic.long_body(760_000),
    "600,000 functions": lambda: synthetic.many_functions(600_000),
}


def arguments():
    parser = argparse.ArgumentParser(prog="scripts/bench", description="Measures Kiln against its peers.")
    parser.add_argument("sections", nargs="*", help=f"of {', '.join(SECTIONS)}; all by default")
    parser.add_argument("--only", help="programs whose names hold one of these words, by commas")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--peers", default="native,wasmtime", help="without them, Kiln alone")
    parser.add_argument("--option", action="append", default=[], help="passed to `kiln build`")
    parser.add_argument("--against", help="another `kiln` to compare with, as a peer")
    parser.add_argument("--instructions", action="store_true", help="count them, with valgrind: slow")
    parser.add_argument("--large", action="store_true", help="also compile modules of extreme size")
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("bench-results"))
    options = parser.parse_args()
    unknown = set(options.sections) - set(SECTIONS)
    if unknown:
        parser.error(f"there is no section {', '.join(sorted(unknown))}")
    return options


def machine():
    with open("/proc/cpuinfo") as file:
        model = next(line.split(":")[1].strip() for line in file if line.startswith("model name"))
    return f"{model}, {os.cpu_count()} processors"


def run(options, made, launcher):
    """Processor time of every program of the corpus that computes something."""
    rows = {}
    words = options.only.split(",") if options.only else [""]
    for program in peers.corpus():
        name = program["name"]
        if program["group"] == "startup" or not any(word in name for word in words):
            continue
        commands = {peer.name: [*peer.build(program), *program["args"]] for peer in made}
        costs = measure.rounds(commands, options.rounds, launcher.execute)
        outputs = {peer: cost.output for peer, all_ in costs.items() for cost in all_}
        if len(set(outputs.values())) != 1:
            sys.exit(f"bench: {name}: outputs differ: {outputs}")
        row = {
            "seconds": {peer: min(cost.processor for cost in all_) for peer, all_ in costs.items()},
            "memory": {peer: max(cost.memory for cost in all_) for peer, all_ in costs.items()},
            "ratios": {},
        }
        base = "native" if "native" in costs else "against" if "against" in costs else None
        for peer in costs:
            if base and peer != base:
                row["ratios"][peer] = measure.ratios(costs, peer, base)
        if options.instructions:
            counted = {peer: commands[peer] for peer in commands if peer != "wasmtime"}
            row["instructions"] = {peer: measure.instructions(counted[peer]) for peer in counted}
        rows[name] = row
        shown = " ".join(f"{peer} {ratio['median']:.3f}" for peer, ratio in row["ratios"].items())
        print(f"{name:12} {row['seconds']['kiln']:.3f} s  {shown}", flush=True)
    return rows


def start(options, made, launcher, scratch):
    """Wall time of programs that only greet, with a C program linked statically beside them, and of
    one that does nothing but have a large data segment."""
    commands = {}
    for program in peers.corpus():
        if program["group"] != "startup":
            continue
        name = program["name"]
        for peer in made:
            if peer.name == "kiln":
                commands[f"{name}, Kiln"] = peer.build(program)
            elif peer.name == "native":
                commands[f"{name}, static C"] = peer.build(program, static=True)
    path = scratch / "data.wasm"
    path.write_bytes(synthetic.data_segment(60 << 20))
    commands["60 MB of data, Kiln"] = made[0].build({"name": "data", "wasm": path})
    rows = {}
    taken = measure.rounds(commands, 100 * options.rounds, launcher.execute)
    for label, costs in taken.items():
        rows[label] = {
            "least": min(cost.wall for cost in costs),
            "median": statistics.median(cost.wall for cost in costs),
            "memory": max(cost.memory for cost in costs),
            "file": os.path.getsize(commands[label][0]),
        }
    return rows


def compile_(options, made, launcher, scratch):
    """Time and memory that compiling takes, on one processor and on two."""
    rows = []
    output = scratch / "compiled"
    modules = {name: peers.CORPUS / path for name, path in MODULES.items()}
    kiln = made[0]
    wasmtime = next((peer for peer in made if peer.name == "wasmtime"), None)
    threads = [count for count in (1, 2) if count <= os.cpu_count()]

    def add(module, path, compilers, count, rounds):
        processors = set(sorted(os.sched_getaffinity(0))[:count])
        action = lambda command: launcher.execute(command, processors)  # noqa: E731
        for compiler, costs in measure.rounds(compilers, rounds, action).items():
            best = min(costs, key=lambda cost: cost.wall)
            launcher.execute(compilers[compiler])
            rows.append({
                "module": module, "compiler": compiler, "threads": count, "wall": best.wall,
                "processor": best.processor, "memory": best.memory, "file": os.path.getsize(output),
                "source": os.path.getsize(path),
            })  # fmt: skip
            print(f"{module:20} {compiler:9} {count} threads {best.wall:8.3f} s", flush=True)

    def of_kiln(path):
        options_ = ["--quiet", "--dir", ".", *options.option]
        return [kiln.compiler, "build", *options_, path, "-o", output]

    for module, path in modules.items():
        compilers = {"kiln": of_kiln(path)}
        if wasmtime:
            compilers["wasmtime"] = wasmtime.command("compile", path, output)
        for count in threads:
            add(module, path, compilers, count, min(3, options.rounds))
    for module, make in LARGE.items() if options.large else ():
        path = scratch / "large.wasm"
        path.write_bytes(make())
        add(module, path, {"kiln": of_kiln(path)}, threads[-1], 1)
    return rows


def main():
    options = arguments()
    sections = options.sections or SECTIONS
    with tempfile.TemporaryDirectory(prefix="kiln-bench-") as folder:
        scratch = pathlib.Path(folder)
        made, missing = peers.available(scratch, options)
        for name, why in missing.items():
            print(f"bench: no {name}: {why}", file=sys.stderr)
        launcher = measure.Launcher(scratch)
        results = {"machine": machine(), "rounds": options.rounds, "missing": missing}
        if "run" in sections:
            results["run"] = run(options, made, launcher)
        if "start" in sections:
            results["start"] = start(options, made, launcher, scratch)
        if "compile" in sections:
            results["compile"] = compile_(options, made, launcher, scratch)
        if "host" in sections:
            results["host"] = host.section(options, made[0].compiler, launcher, scratch)
    report.write(results, options.out)
    print(f"\n{report.markdown(results)}")


main()
