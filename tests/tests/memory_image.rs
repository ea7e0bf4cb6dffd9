//! A large data segment becomes linear memory without being copied: `memory/image.wat`.
//!
//! Nothing that a program can see says whether it was. But what was copied is memory of the process's
//! own, which Linux tells apart from pages of the file; wine and the Mach-O loader leave the
//! difference to Linux.

use std::fs;
use std::path::Path;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use kiln_targets::{Target, target};
use kiln_tests::execute::{Executed, Execution};
use kiln_tests::{kiln, large_data, trial};
use libtest_mimic::Failed;

/// How often the runner looks at a process that waits half a second.
const INTERVAL: Duration = Duration::from_millis(50);

/// How a build comes by its memory.
#[derive(Debug, Clone, Copy)]
struct Way {
    name: &'static str,
    flags: &'static [&'static str],
    /// Changes the executable, so that the segment has to be copied.
    spoil: Option<fn(&mut Vec<u8>)>,
}

const MAPPED: Way = Way { name: "mapped", flags: &[], spoil: None };
const CHECKED: Way = Way { name: "checked", flags: &["--memory", "checked"], spoil: None };

/// Has the image reach beyond its last section, where the runtime wants to reserve the memory's rest.
/// PE Format, "Optional Header Windows-Specific Fields".
const NO_ROOM_BEHIND: Way = Way {
    name: "no-room-behind-the-image",
    flags: &[],
    spoil: Some(|bytes| {
        const HEADERS: usize = 0x3c;
        const SIZE_OF_IMAGE: usize = 4 + 20 + 56;
        let word = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().expect("4 bytes"));
        let at = word(HEADERS) as usize + SIZE_OF_IMAGE;
        let size = word(at) + 0x1_0000;
        bytes[at..at + 4].copy_from_slice(&size.to_le_bytes());
    }),
};

fn run(target: &'static Target, way: Way) -> Result<(), Failed> {
    let scratch = kiln_tests::scratch()?;
    let module = large_data::write(scratch.path())?;
    let flags: Vec<String> = way.flags.iter().map(|&flag| flag.to_owned()).collect();
    let program = kiln::build(scratch.path(), &module, target, &flags)?;
    let mut file = fs::read(&program)?;
    if let Some(spoil) = way.spoil {
        spoil(&mut file);
        fs::write(&program, &file)?;
    }
    let (executed, own_memory) = observe(target, &program)?;
    large_data::must_end(&executed)?;
    if !expect_copy(way, own_memory) {
        return Err(format!("{own_memory} bytes of memory are the process's own").into());
    }
    if fs::read(&program)? != file {
        return Err("the executable is another one afterwards".into());
    }
    Ok(())
}

/// Whether so much memory of its own is what a process has whose segment is copied, or is not.
fn expect_copy(way: Way, own_memory: u64) -> bool {
    (own_memory >= u64::from(large_data::LENGTH)) == way.spoil.is_some()
}

/// Runs a program; gives also the most memory of its own that a process of its name was seen with.
fn observe(target: &'static Target, program: &Path) -> Result<(Executed, u64), Failed> {
    thread::scope(|scope| {
        let (ended, end) = mpsc::channel::<()>();
        let observer = scope.spawn(move || {
            let mut most = 0;
            while end.recv_timeout(INTERVAL) == Err(RecvTimeoutError::Timeout) {
                most = most.max(own_memory(program));
            }
            most
        });
        let folder = program.parent().expect("a program lies in a folder");
        let executed = Execution::plain(target, program, folder).run();
        drop(ended);
        let most = observer.join().map_err(|_| "the observer panicked")?;
        Ok((executed?, most))
    })
}

/// Bytes of memory that are no pages of files, of the process that has most of those that were
/// started with that program's name. Source: `proc_pid_status(5)`, `RssAnon`.
fn own_memory(program: &Path) -> u64 {
    let name = program.as_os_str().as_encoded_bytes();
    let of = |process: fs::DirEntry| {
        let line = fs::read(process.path().join("cmdline")).ok()?;
        if !line.windows(name.len()).any(|part| part == name) {
            return None;
        }
        let status = fs::read_to_string(process.path().join("status")).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"))?;
        line.trim().strip_suffix(" kB")?.parse::<u64>().ok()
    };
    let processes = fs::read_dir("/proc").into_iter().flatten().filter_map(Result::ok);
    1024 * processes.filter_map(of).max().unwrap_or(0)
}

fn main() {
    let mut trials = Vec::new();
    for target in target::ALL {
        let mut ways = vec![MAPPED];
        // The code that decides is the same on both architectures; this one is not emulated.
        if *target == target::WINDOWS_AMD64 {
            ways.extend([CHECKED, NO_ROOM_BEHIND]);
        }
        for way in ways {
            let name = format!("memory_image::{}", way.name);
            trials.push(trial::on_target(&name, target, move || run(target, way)));
        }
    }
    trial::conclude(trials)
}
