//! Unpacks the runtime libraries, so that the linker finds them as they are: inflating one takes
//! longer than all the rest of linking a small program.

use std::path::{Path, PathBuf};
use std::{env, fs};

/// How names of packed libraries end: zlib streams.
const PACKED: &str = "z";

fn main() {
    let output = PathBuf::from(env::var_os("OUT_DIR").expect("cargo names the output's directory"));
    let libraries = Path::new("runtime");
    println!("cargo::rerun-if-changed={}", libraries.display());
    for entry in fs::read_dir(libraries).expect("the runtime libraries are beside this file") {
        let packed = entry.expect("the directory can be read").path();
        if packed.extension().is_none_or(|extension| extension != PACKED) {
            continue;
        }
        let bytes = fs::read(&packed).expect("a packed library can be read");
        let library = miniz_oxide::inflate::decompress_to_vec_zlib(&bytes)
            .unwrap_or_else(|error| panic!("{} is no zlib stream: {error}", packed.display()));
        let name = packed.file_stem().expect("it has a name before the extension");
        fs::write(output.join(name), library).expect("the output's directory can be written");
    }
}
