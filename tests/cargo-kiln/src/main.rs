//! Counts the words of standard input, writes them to a file in `out`, and exits with how many there
//! are that the argument does not name.

use std::collections::HashMap;
use std::io::Read as _;
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text).expect("standard input is text");
    let mut counts: HashMap<&str, u32> = HashMap::new();
    for word in text.split_whitespace() {
        *counts.entry(word).or_default() += 1;
    }
    let without = std::env::args().nth(1).unwrap_or_default();
    counts.remove(without.as_str());
    let mut words: Vec<_> = counts.into_iter().collect();
    words.sort();
    let lines: String = words.iter().map(|(word, count)| format!("{word} {count}\n")).collect();
    std::fs::write("out/words.txt", &lines).expect("the directory is granted");
    println!("{} words", words.len());
    ExitCode::from(u8::try_from(words.len()).unwrap_or(u8::MAX))
}
