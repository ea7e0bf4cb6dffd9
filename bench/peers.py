"""What is compared: executables of Kiln, of clang, and modules precompiled by wasmtime.

Peers are made in a scratch folder. One that cannot be made here is left out, and `missing` says
why; Kiln itself must be there.
"""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tomllib

HERE = pathlib.Path(__file__).resolve().parent
PROJECT = HERE.parent
CACHE = pathlib.Path(os.environ.get("KILN_CACHE", pathlib.Path.home() / ".cache/kiln")) / "bench"
CORPUS = pathlib.Path(os.environ.get("KILN_CORPUS", PROJECT.parent / "shared/corpus"))


def run(command, **settings):
    """Runs a command that must succeed and returns what it printed."""
    done = subprocess.run(command, capture_output=True, text=True, **settings)
    if done.returncode:
        raise RuntimeError(f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}".rstrip())
    return done.stdout


def corpus():
    """The programs of the corpus, as `bench.json` lists them."""
    if not CORPUS.is_dir():
        sys.exit(f"bench: the corpus is not at {CORPUS}; set KILN_CORPUS to where it is")
    return json.loads((CORPUS / "bench.json").read_text())


class Kiln:
    """Executables of this Kiln, or of another whose `kiln` is given."""

    def __init__(self, scratch, options, compiler=None):
        self.name = "against" if compiler else "kiln"
        self.scratch, self.options = scratch, options
        self.compiler = compiler or self.compile()

    @staticmethod
    def compile():
        run(["cargo", "build", "--release", "--quiet", "-p", "kiln"], cwd=PROJECT)
        metadata = run(["cargo", "metadata", "--format-version=1", "--no-deps"], cwd=PROJECT)
        return pathlib.Path(json.loads(metadata)["target_directory"]) / "release/kiln"

    def build(self, program):
        output = self.scratch / f"{program['name']}.{self.name}"
        wasm = CORPUS / program["wasm"]
        run([self.compiler, "build", "--quiet", *self.options, wasm, "-o", output])
        return [output]


class Native:
    """The program's C source compiled by clang."""

    name = "native"

    def __init__(self, scratch):
        self.scratch = scratch
        self.recipes = tomllib.loads((HERE / "native.toml").read_text())
        self.compiler = shutil.which("clang") or self.install()

    @staticmethod
    def install():
        if not shutil.which("apt-get") or os.geteuid() != 0:
            raise RuntimeError("there is no clang, and no right to install it")
        print("bench: installing clang", file=sys.stderr)
        run(["apt-get", "install", "--yes", "--quiet", "clang"])
        return shutil.which("clang")

    def crate(self, name):
        """Where cargo keeps the source of the newest version of a crate."""
        folder = CACHE / "sources"
        (folder / "src").mkdir(parents=True, exist_ok=True)
        (folder / "src/lib.rs").touch()
        crates = sorted({library["crate"] for library in self.recipes["libraries"].values()})
        needs = "".join(f'{crate} = "*"\n' for crate in crates)
        package = '[package]\nname = "sources"\nversion = "0.0.0"\nedition = "2024"\n[workspace]\n'
        (folder / "Cargo.toml").write_text(f"{package}[dependencies]\n{needs}")
        metadata = run(["cargo", "metadata", "--format-version=1"], cwd=folder)
        packages = json.loads(metadata)["packages"]
        manifest = next(found["manifest_path"] for found in packages if found["name"] == name)
        return pathlib.Path(manifest).parent

    def library(self, name):
        """The arguments that compile a library's sources along."""
        recipe = self.recipes["libraries"][name]
        root = self.crate(recipe["crate"])
        found = [path for pattern in recipe["sources"] for path in sorted(root.glob(pattern))]
        folders = [path for pattern in recipe["folders"] for path in root.glob(pattern)]
        return [
            *(f"-D{define}" for define in recipe["defines"]),
            *(f"-I{folder}" for folder in folders),
            *(path for path in found if path.name not in recipe.get("without", [])),
        ]

    def build(self, program, static=False):
        output = self.scratch / f"{program['name']}.native"
        sources = [CORPUS / source for source in program["own_sources"]]
        recipe = self.recipes["programs"].get(program["name"])
        along = self.library(recipe["use"]) if recipe else []
        flags = [*self.recipes["flags"], *(["-static"] if static else [])]
        run([self.compiler, *sources, *along, *flags, "-o", output])
        return [output]


class Wasmtime:
    """Python's package of wasmtime; what is measured is the guest's run alone."""

    name = "wasmtime"

    def __init__(self, scratch):
        self.scratch = scratch
        self.packages = CACHE / "python"
        if not (self.packages / "wasmtime").is_dir():
            print("bench: fetching wasmtime", file=sys.stderr)
            target = f"--target={self.packages}"
            run([sys.executable, "-m", "pip", "install", "--quiet", target, "wasmtime"])

    def command(self, verb, *arguments):
        return [sys.executable, HERE / "guest.py", self.packages, verb, *arguments]

    def build(self, program):
        output = self.scratch / f"{program['name']}.cwasm"
        run(self.command("compile", CORPUS / program["wasm"], output))
        return self.command("run", output)


def available(scratch, options):
    """The peers that can be made here, this Kiln first, and why the others cannot."""
    made, missing = [Kiln(scratch, options.option)], {}
    if options.against:
        made.append(Kiln(scratch, [], options.against))
    for peer in (Native, Wasmtime):
        if peer.name not in options.peers.split(","):
            continue
        try:
            made.append(peer(scratch))
        except (RuntimeError, OSError) as error:
            missing[peer.name] = str(error).splitlines()[-1]
    return made, missing
