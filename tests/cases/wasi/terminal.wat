;;! build --dir .::/
;;! shell set -o pipefail
;;! shell case $2 in windows-*) keys='line\r\032\r' ;; *) keys='line\n\004' ;; esac
;;! shell export program=$(printf '%q ' "$@")
;;! shell { for try in {1..2400}; do [[ -e ready ]] && break; sleep 0.05; done; printf "$keys"; } |
;;! shell     script --quiet --return --command "stty -echo; $program" /dev/null | grep -o done
;;! stdout done
;; On a terminal: streams are character devices that have no position, waiting and reading end with
;; a line, or at once without blocking, and ^D or ^Z is an end. Each failed check ends the program
;; with its number.
(module
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
  (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_seek" (func $seek (param i32 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_fdstat_get" (func $fdstat (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_filestat_get" (func $filestat (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_fdstat_set_flags" (func $set_flags (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_open"
    (func $path_open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "\80\00\00\00\20\00\00\00")
  (data (i32.const 16) "\20\00\00\00\05\00\00\00")
  (data (i32.const 32) "done\n")
  (data (i32.const 48) "ready")

  (func $check (param $holds i32) (param $number i32)
    (if (i32.eqz (local.get $holds)) (then (call $proc_exit (local.get $number)))))

  ;; Waits for a descriptor or a time; gives whether the descriptor alone is ready.
  (func $ready (param $fd i32) (param $kind i32) (param $time i64) (result i32)
    (memory.fill (i32.const 512) (i32.const 0) (i32.const 96))
    (i64.store (i32.const 512) (i64.const 1))
    (i32.store (i32.const 528) (i32.const 1))
    (i64.store (i32.const 536) (local.get $time))
    (i64.store (i32.const 560) (i64.const 2))
    (i32.store8 (i32.const 568) (local.get $kind))
    (i32.store (i32.const 576) (local.get $fd))
    (call $check
      (i32.eqz (call $poll (i32.const 512) (i32.const 640) (i32.const 2) (i32.const 256)))
      (i32.const 1))
    (call $check (i32.eq (i32.load (i32.const 256)) (i32.const 1)) (i32.const 2))
    (call $check (i32.eqz (i32.load16_u (i32.const 648))) (i32.const 3))
    (i64.eq (i64.load (i32.const 640)) (i64.const 2)))

  ;; A character device without the rights to seek and to tell the position.
  (func $is_terminal (param $fd i32) (result i32)
    (call $check (i32.eqz (call $fdstat (local.get $fd) (i32.const 256))) (i32.const 4))
    (call $check (i32.eqz (call $filestat (local.get $fd) (i32.const 320))) (i32.const 5))
    (call $check (i32.eq (i32.load8_u (i32.const 336)) (i32.const 2)) (i32.const 6))
    (call $check
      (i32.ne (call $seek (local.get $fd) (i64.const 0) (i32.const 1) (i32.const 256)) (i32.const 0))
      (i32.const 7))
    (i32.and
      (i32.eq (i32.load8_u (i32.const 256)) (i32.const 2))
      (i64.eqz (i64.and (i64.load (i32.const 264)) (i64.const 0x24)))))

  (func $input (result i32)
    (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 256)))

  (func (export "_start")
    (call $check (call $is_terminal (i32.const 0)) (i32.const 10))
    (call $check (call $is_terminal (i32.const 1)) (i32.const 11))
    (call $check (call $is_terminal (i32.const 2)) (i32.const 12))
    (call $check
      (i32.eqz (call $ready (i32.const 0) (i32.const 1) (i64.const 100000000)))
      (i32.const 13))
    (call $check (i32.eqz (call $set_flags (i32.const 0) (i32.const 4))) (i32.const 14))
    (call $check (i32.eq (call $input) (i32.const 6 (; AGAIN ;))) (i32.const 15))
    (call $check (i32.eqz (call $set_flags (i32.const 0) (i32.const 0))) (i32.const 16))
    (call $check
      (i32.eqz
        (call $path_open (i32.const 3) (i32.const 0) (i32.const 48) (i32.const 5) (i32.const 1)
          (i64.const 64) (i64.const 0) (i32.const 0) (i32.const 256)))
      (i32.const 17))
    (call $check
      (call $ready (i32.const 0) (i32.const 1) (i64.const 60000000000))
      (i32.const 18))
    (call $check (i32.eqz (call $input)) (i32.const 19))
    ;; A line ends as its system has it.
    (call $check
      (i32.eq (i32.sub (i32.load (i32.const 256)) (i32.const 5)) (i32.eq (i32.load8_u (i32.const 132)) (i32.const 13)))
      (i32.const 20))
    (call $check (i32.eq (i32.load (i32.const 128)) (i32.const 0x656e696c (; line ;))) (i32.const 21))
    (call $check (i32.eqz (call $input)) (i32.const 22))
    (call $check (i32.eqz (i32.load (i32.const 256))) (i32.const 23))
    (call $check
      (call $ready (i32.const 1) (i32.const 2) (i64.const 60000000000))
      (i32.const 24))
    (call $check
      (i32.eqz (call $write (i32.const 1) (i32.const 16) (i32.const 1) (i32.const 256)))
      (i32.const 25))))
