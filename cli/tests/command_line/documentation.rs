//! What the README says of the command line is what the command line says of itself.

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

#[test]
fn options() {
    let help = Scratch::new().kiln(&["build", "--help"]).stdout;
    for option in ["--target", "--emit", "--dir", "--env", "--inherit-env", "--memory checked"] {
        assert!(README.contains(option), "the README lacks {option}");
        let flag = option.split_whitespace().next().unwrap();
        assert!(help.contains(flag), "the help lacks {flag}");
    }
}
