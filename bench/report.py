"""Results as a table for people, as JSON for programs, and as a chart for the README."""

import json
import math

LABELS = {"kiln": "Kiln", "against": "other Kiln", "wasmtime": "wasmtime", "native": "clang -O3"}


def geometric_mean(values):
    values = list(values)
    return math.exp(sum(map(math.log, values)) / len(values)) if values else math.nan


def means(results):
    """For each peer, the geometric mean of its ratios to native."""
    peers = sorted({peer for row in results["run"].values() for peer in row["ratios"]})
    return {
        peer: geometric_mean(
            row["ratios"][peer]["median"] for row in results["run"].values() if peer in row["ratios"]
        )
        for peer in peers
    }


def rule(widths):
    return "|" + "|".join("-" * (width + 2) for width in widths) + "|"


def table(head, rows):
    """A table of Markdown whose columns are even in a terminal, too."""
    cells = [head, *rows]
    widths = [max(len(row[column]) for row in cells) for column in range(len(head))]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths)) + " |"
        for row in cells
    ]
    return "\n".join([lines[0], rule(widths), *lines[1:]]) + "\n"


def percent(spread):
    return f"±{spread * 50:.1f}%"


def run_table(results):
    peers = list(means(results))
    head = ["program", "native s", *(f"{LABELS[peer]}" for peer in peers), "spread"]
    if any("instructions" in row for row in results["run"].values()):
        head.append("instructions")
    rows = []
    for name, row in results["run"].items():
        ratios = [f"{row['ratios'][peer]['median']:.3f}" if peer in row["ratios"] else "-" for peer in peers]
        spread = max((ratio["spread"] for ratio in row["ratios"].values()), default=0)
        native = f"{row['seconds']['native']:.3f}" if "native" in row["seconds"] else "-"
        cells = [name, native, *ratios, percent(spread)]
        if "instructions" in row:
            cells.append(f"{row['instructions']['kiln'] / row['instructions']['native']:.3f}")
        rows.append(cells + [""] * (len(head) - len(cells)))
    mean = [f"{value:.3f}" for value in means(results).values()]
    rows.append(["geometric mean", "", *mean, *[""] * (len(head) - 2 - len(mean))])
    return table(head, rows)


def start_table(results):
    head = ["program", "least ms", "median ms", "peak memory", "file"]
    rows = [
        [name, f"{row['least'] * 1e3:.3f}", f"{row['median'] * 1e3:.3f}", size(row["memory"]), size(row["file"])]
        for name, row in results["start"].items()
    ]
    return table(head, rows)


def compile_table(results):
    head = ["module", "compiler", "threads", "wall s", "processor s", "peak memory", "output"]
    rows = [
        [row["module"], LABELS[row["compiler"]], str(row["threads"]), f"{row['wall']:.3f}",
         f"{row['processor']:.3f}", size(row["memory"]), size(row["file"])]
        for row in results["compile"]
    ]  # fmt: skip
    return table(head, rows)


def host_table(results):
    head = ["what", "native s", "Kiln", "spread"]
    rows = [
        [name, f"{row['seconds']['native']:.3f}", f"{row['ratio']['median']:.3f}", percent(row["ratio"]["spread"])]
        for name, row in results["host"].items()
    ]
    return table(head, rows)


def size(count):
    for unit in ("B", "KB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if count >= 100 or unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"


def markdown(results):
    """All tables, each with what it says."""
    parts = [f"# Benchmarks\n\nMade by `scripts/bench` on {results['machine']}.\n"]
    parts += [f"{LABELS[name]} is missing: {why}.\n" for name, why in results["missing"].items()]
    if results.get("run"):
        parts.append(
            "## Running\n\nProcessor time over that of the same C source compiled by clang -O3 for"
            f" the same instruction set: the median of {results['rounds']} interleaved rounds, with half the"
            " distance of the quartiles. For wasmtime the guest's run alone is counted, after"
            " compiling.\n\n" + run_table(results)
        )
    if results.get("start"):
        parts.append(
            "## Starting\n\nFrom spawning a process to its end.\n\n" + start_table(results)
        )
    if results.get("compile"):
        parts.append(
            "## Compiling\n\nFrom a module to an executable file, process and linking included;"
            " for wasmtime, its compiler alone, and memory with the Python that it runs in.\n\n"
            + compile_table(results)
        )
    if results.get("host"):
        parts.append(
            "## The host\n\nProcessor time, the system's included, of what a program asks of its host, over that"
            " of a C program that makes the same calls (`bench/host`), compiled by clang -O2.\n\n"
            + host_table(results)
        )
    return "\n".join(parts)


def chart(results):
    """Bars of each program's time over native, for Kiln and, where measured, wasmtime."""
    shown = [peer for peer in ("kiln", "wasmtime") if peer in means(results)]
    colors = {"kiln": "#c2410c", "wasmtime": "#a8a29e"}
    rows = [
        *((name, {peer: row["ratios"][peer]["median"] for peer in shown if peer in row["ratios"]})
          for name, row in results["run"].items()),
        ("geometric mean", means(results)),
    ]  # fmt: skip
    left, right, top, step, limit = 118, 640, 44, 26, 3.0
    scale = (right - left) / limit
    height = top + step * len(rows) + 16
    text = 'font-family="system-ui, sans-serif" font-size="12" fill="#78716c"'
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {right + 50} {height}" {text}>',
        f'<text x="{left}" y="16">time over clang -O3: less is better</text>',
    ]
    for position, peer in enumerate(shown):
        x = left + 250 + 80 * position
        out.append(f'<rect x="{x}" y="7" width="10" height="10" fill="{colors[peer]}"/>')
        out.append(f'<text x="{x + 15}" y="16">{LABELS[peer]}</text>')
    for tick in (0, 1, 2, 3):
        x = left + tick * scale
        out.append(f'<path d="M{x:.1f} {top - 8}V{height - 12}" stroke="#d6d3d1"/>')
        out.append(f'<text x="{x:.1f}" y="{top - 12}" text-anchor="middle">{tick}</text>')
    for position, (name, ratios) in enumerate(rows):
        y = top + position * step
        weight = ' font-weight="bold"' if name == "geometric mean" else ""
        out.append(f'<text x="{left - 8}" y="{y + 14}" text-anchor="end"{weight}>{name}</text>')
        for line, peer in enumerate(peer for peer in shown if peer in ratios):
            ratio = ratios[peer]
            width = min(ratio, limit) * scale
            bar = f'x="{left}" y="{y + 10 * line}" width="{width:.1f}" height="9"'
            out.append(f'<rect {bar} fill="{colors[peer]}"/>')
            label = f'x="{left + width + 4:.1f}" y="{y + 10 * line + 8}" font-size="9"'
            out.append(f"<text {label}>{ratio:.2f}</text>")
    return "\n".join([*out, "</svg>"]) + "\n"


def write(results, folder):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "results.json").write_text(json.dumps(results, indent=1) + "\n")
    (folder / "results.md").write_text(markdown(results))
    if results.get("run") and "kiln" in means(results):
        (folder / "results.svg").write_text(chart(results))
