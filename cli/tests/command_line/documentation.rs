//! What the README says of the command line is what the command line says of itself.

use std::collections::BTreeMap;

use crate::scratch::Scratch;

const README: &str = include_str!("../../../README.md");

/// Numbers that lines of a table begin with.
fn codes<'a>(lines: impl Iterator<Item = &'a str>) -> Vec<u8> {
    lines
        .filter_map(|line| line.trim_start_matches(['|', ' ']).split_whitespace().next())
        .filter_map(|word| word.parse().ok())
        .collect()
}

#[test]
fn exit_codes() {
    let help = Scratch::new().kiln(&["--help"]).stdout;
    let (_, table) = help.split_once("Exit codes:").expect("the help has a table");
    let (_, section) = README.split_once("## Exit codes").expect("the README has a section");
    let readme = codes(section.lines().filter(|line| line.starts_with("| ")));
    assert_eq!(readme, codes(table.lines()));
    assert!(readme.len() > 5, "{readme:?}");
}

#[test]
fn targets() {
    let table = Scratch::new().kiln(&["targets"]).stdout;
    for name in table.lines().skip(1).filter_map(|line| line.split_whitespace().next()) {
        assert!(README.contains(&format!("| {name} |")), "the README lacks {name}");
    }
}

/// Every option in a command that the README shows is one of that command's.
#[test]
fn options() {
    let mut help = BTreeMap::new();
    let scratch = Scratch::new();
    let mut count = 0;
    for command in README.lines().filter_map(|line| line.strip_prefix("    kiln ")) {
        let mut words = command.split_whitespace();
        let verb = words.next().expect("a command has a verb");
        let known = help.entry(verb).or_insert_with(|| {
            let outcome = scratch.kiln(&[verb, "--help"]);
            outcome.is_success();
            outcome.stdout
        });
        // A wide gap divides a command from what is said of it; `--` from the program's own.
        let typed = command.split("   ").next().unwrap_or_default();
        let own = typed.split(" -- ").next().unwrap_or_default().split_whitespace();
        for option in own.filter(|word| word.starts_with("--") && word.len() > 2) {
            let name = option.split('=').next().unwrap_or_default();
            let is_known = known
                .split_whitespace()
                .any(|word| word.trim_end_matches(',').split(['[', '=']).next() == Some(name));
            assert!(is_known, "the README has `kiln {command}`, but {verb} has no {name}");
            count += 1;
        }
    }
    assert!(count > 10, "{count} options");
}
