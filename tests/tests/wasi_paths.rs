//! What a program may not do with paths and descriptors, on every target.
//!
//! Scenes stand in `wasi/*.toml`: steps that one program makes in turn in a folder of its own, with
//! the outcome of each. Whatever lies outside the granted directories must be the same afterwards,
//! times and permissions included, and what lies in those that the fixture calls unchanged.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use kiln_targets::{Target, target};
use kiln_tests::execute::Execution;
use kiln_tests::fixture::Fixture;
use kiln_tests::script::{self, Replies, Script};
use kiln_tests::step::Step;
use kiln_tests::{kiln, trial};
use libtest_mimic::Failed;
use serde::Deserialize;

/// A file of scenes.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    fixture: Fixture,
    scenes: Vec<Scene>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Scene {
    name: String,
    steps: String,
    /// Links of this scene alone: their texts, by their paths.
    #[serde(default)]
    links: BTreeMap<String, String>,
    /// Systems where the scene cannot be played, with the reason.
    #[serde(default)]
    except: BTreeMap<String, String>,
}

impl Scene {
    fn run(&self, fixture: &Fixture, target: &'static Target) -> Result<(), Failed> {
        let scratch = kiln_tests::scratch()?;
        let module = scratch.path().join("program.wat");
        fs::write(&module, script::program())?;
        let world = scratch.path().join("world");
        let mut fixture = fixture.clone();
        fixture.links.extend(self.links.clone());
        fixture.make(&world)?;
        let before = fixture.untouchable(&world)?;

        let steps = Step::parse_all(&self.steps);
        let mut script = Script::default();
        steps.iter().for_each(|step| step.write(&mut script));
        let program = kiln::build(scratch.path(), &module, target, &fixture.flags(&world))?;
        let execution = Execution {
            target,
            program: &program,
            args: &[],
            folder: &world,
            environment: &[],
            stdin: script.bytes(),
        };
        let executed = execution.run()?;

        let mut failures = Vec::new();
        let mut replies = Replies(&executed.stdout);
        for step in &steps {
            if let Err(failure) = step.check(&mut replies, target) {
                failures.push(failure);
            }
        }
        let said = String::from_utf8_lossy(&executed.stderr);
        if executed.code != 0 || !said.is_empty() {
            failures.push(format!("exit code {}\n{said}", executed.code));
        }
        failures.extend(before.differences(&fixture.untouchable(&world)?));
        if failures.is_empty() { Ok(()) } else { Err(failures.join("\n").into()) }
    }
}

fn main() {
    let mut trials = Vec::new();
    for path in kiln_tests::files(&kiln_tests::project().join("tests/wasi"), "toml") {
        let name = path.file_stem().expect("a file has a name").display().to_string();
        let File { fixture, scenes } = read(&path);
        let fixture = Arc::new(fixture);
        for scene in scenes {
            let scene = Arc::new(scene);
            for target in target::ALL {
                let system = target.name.split('-').next().expect("a target has a system");
                if scene.except.contains_key(system) {
                    continue;
                }
                let (run, fixture) = (Arc::clone(&scene), Arc::clone(&fixture));
                let name = format!("wasi::{name}/{}", scene.name.replace(' ', "-"));
                trials.push(trial::on_target(&name, target, move || run.run(&fixture, target)));
            }
            #[cfg(target_os = "linux")]
            if !scene.except.contains_key("linux") {
                let (run, fixture) = (Arc::clone(&scene), Arc::clone(&fixture));
                let name = format!("wasi::{name}/{}", scene.name.replace(' ', "-"));
                trials.push(trial::without_openat2(&name, move |host| run.run(&fixture, host)));
            }
        }
    }
    trial::conclude(trials)
}

fn read(path: &Path) -> File {
    let text = fs::read_to_string(path).expect("a file of scenes can be read");
    toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
