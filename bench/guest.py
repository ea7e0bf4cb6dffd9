"""Compiles or runs a module with wasmtime: PACKAGES compile WASM OUTPUT | PACKAGES run FILE ARGS…

The last line on standard error is the processor time and the wall time, in seconds, of just that.
"""

import sys
import time

sys.path.insert(0, sys.argv[1])

import wasmtime  # noqa: E402, the package lies where the first argument says


def timed(action):
    processor, wall = time.process_time(), time.perf_counter()
    action()
    print(time.process_time() - processor, time.perf_counter() - wall, file=sys.stderr)


def compile_module(engine, source, output):
    with open(source, "rb") as file:
        wasm = file.read()
    made = []
    timed(lambda: made.append(wasmtime.Module(engine, wasm).serialize()))
    with open(output, "wb") as file:
        file.write(made[0])


def run_module(engine, path, arguments):
    store = wasmtime.Store(engine)
    wasi = wasmtime.WasiConfig()
    wasi.argv = arguments
    wasi.inherit_stdout()
    wasi.inherit_stderr()
    store.set_wasi(wasi)
    linker = wasmtime.Linker(engine)
    linker.define_wasi()
    module = wasmtime.Module.deserialize_file(engine, path)
    instance = linker.instantiate(store, module)
    start = instance.exports(store)["_start"]

    def guest():
        try:
            start(store)
        except wasmtime.ExitTrap as exit_:
            if exit_.code:
                raise

    timed(guest)


def main():
    verb, path, *rest = sys.argv[2:]
    engine = wasmtime.Engine()
    if verb == "compile":
        compile_module(engine, path, rest[0])
    else:
        run_module(engine, path, [path, *rest])


main()
