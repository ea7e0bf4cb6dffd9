//! Attacks on the resolution of paths from beside the program, on every target.
//!
//! `wasi-attacks.toml` lists what a program does over and over while a thread of the test moves
//! what its paths lead through. An attack counts only where it was met: some step must have had
//! more than one outcome.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use kiln_targets::{Target, target};
use kiln_tests::execute::Execution;
use kiln_tests::fixture::Fixture;
use kiln_tests::script::{self, Replies, Script};
use kiln_tests::step::Step;
use kiln_tests::{kiln, trial};
use libtest_mimic::Failed;
use serde::Deserialize;

/// For how long an attack goes on at least.
const DURATION: Duration = Duration::from_secs(2);
/// How often one execution makes the steps.
const ROUNDS: usize = 300;

/// `wasi-attacks.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    fixture: Fixture,
    attacks: Vec<Attack>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Attack {
    name: String,
    steps: String,
    moves: Vec<[String; 2]>,
    /// Systems where there can be no such attack, with the reason.
    #[serde(default)]
    except: BTreeMap<String, String>,
}

impl Attack {
    fn run(&self, fixture: &Fixture, target: &'static Target) -> Result<(), Failed> {
        let scratch = kiln_tests::scratch()?;
        let module = scratch.path().join("program.wat");
        fs::write(&module, script::program())?;
        let world = scratch.path().join("world");
        fixture.make(&world)?;
        let before = fixture.untouchable(&world)?;
        let program = kiln::build(scratch.path(), &module, target, &fixture.flags(&world))?;

        let over = AtomicBool::new(false);
        let outcomes = thread::scope(|scope| {
            let attacker = scope.spawn(|| {
                while !over.load(Ordering::Relaxed) {
                    self.strike(&world)?;
                }
                Ok::<(), std::io::Error>(())
            });
            let outcomes = self.withstand(&program, &world, target);
            over.store(true, Ordering::Relaxed);
            attacker.join().expect("the attacker does not panic")?;
            outcomes
        })?;
        if outcomes.iter().all(|outcomes| outcomes.len() < 2) {
            return Err("no step met an attack".into());
        }
        let differences = before.differences(&fixture.untouchable(&world)?);
        if differences.is_empty() { Ok(()) } else { Err(differences.join("\n").into()) }
    }

    /// Makes all moves once.
    fn strike(&self, world: &Path) -> std::io::Result<()> {
        self.moves.iter().try_for_each(|[from, to]| fs::rename(world.join(from), world.join(to)))
    }

    /// Executes the program until the time is over; for each step, the outcomes that it had.
    fn withstand(
        &self,
        program: &Path,
        world: &Path,
        target: &'static Target,
    ) -> Result<Vec<BTreeSet<&'static str>>, Failed> {
        let steps = Step::parse_all(&self.steps);
        let mut script = Script::default();
        for _ in 0..ROUNDS {
            steps.iter().for_each(|step| step.write(&mut script));
        }
        let mut outcomes = vec![BTreeSet::new(); steps.len()];
        let start = Instant::now();
        while start.elapsed() < DURATION {
            let execution = Execution {
                target,
                program,
                args: &[],
                folder: world,
                environment: &[],
                stdin: script.bytes(),
            };
            let executed = execution.run()?;
            let mut replies = Replies(&executed.stdout);
            for _ in 0..ROUNDS {
                for (step, outcomes) in steps.iter().zip(&mut outcomes) {
                    outcomes.insert(step.check(&mut replies, target)?);
                }
            }
            if executed.code != 0 || !executed.stderr.is_empty() {
                let said = String::from_utf8_lossy(&executed.stderr);
                return Err(format!("exit code {}\n{said}", executed.code).into());
            }
        }
        Ok(outcomes)
    }
}

fn main() {
    let File { fixture, attacks } =
        toml::from_str(include_str!("../wasi-attacks.toml")).expect("wasi-attacks.toml");
    let fixture = Arc::new(fixture);
    let mut trials = Vec::new();
    for attack in attacks {
        let attack = Arc::new(attack);
        for target in target::ALL {
            let system = target.name.split('-').next().expect("a target has a system");
            if attack.except.contains_key(system) {
                continue;
            }
            let (run, fixture) = (Arc::clone(&attack), Arc::clone(&fixture));
            let name = format!("wasi-attacks::{}", attack.name.replace(' ', "-"));
            trials.push(trial::on_target(&name, target, move || run.run(&fixture, target)));
        }
        #[cfg(target_os = "linux")]
        if !attack.except.contains_key("linux") {
            let (run, fixture) = (Arc::clone(&attack), Arc::clone(&fixture));
            let name = format!("wasi-attacks::{}", attack.name.replace(' ', "-"));
            trials.push(trial::without_openat2(&name, move |host| run.run(&fixture, host)));
        }
    }
    trial::conclude(trials)
}
