;;! build --cpu v8.1
;;! env QEMU_CPU=cortex-a53
;;! stderr kiln: the program was built for processors with a feature that this one lacks: `LSE`
;;! exit 125
;;! only linux-arm64 -- the emulator can be told which processor to be
;; What code was compiled for is looked for before any of it runs.
(module (func (export "_start") unreachable))
