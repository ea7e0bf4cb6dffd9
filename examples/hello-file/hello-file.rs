//! Writes `./hello.txt`, reads it back and prints what it holds.

use std::fs;
use std::io;

const PATH: &str = "./hello.txt";

fn main() -> io::Result<()> {
    fs::write(PATH, "Hello from a file!\n")?;
    print!("{}", fs::read_to_string(PATH)?);
    Ok(())
}
