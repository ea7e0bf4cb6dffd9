//! Small programs make small executables: what a program does not ask for is not in it.
//!
//! Requires the corpus. The limits stand in `sizes.toml`.

use std::collections::BTreeMap;

use kiln_targets::target;
use kiln_tests::{corpus, kiln};

#[test]
fn hello_is_small_on_every_target() {
    let limits = std::fs::read_to_string(kiln_tests::project().join("tests/sizes.toml")).unwrap();
    let limits: BTreeMap<String, u64> = toml::from_str(&limits).unwrap();
    let module = corpus::folder().join("bench/hello.wasm");
    for target in target::ALL {
        let scratch = kiln_tests::scratch().unwrap();
        let program = kiln::build(scratch.path(), &module, target, &[])
            .unwrap_or_else(|failed| panic!("{target}: {failed:?}"));
        let size = program.metadata().unwrap().len();
        let limit = limits[target.name];
        assert!(size <= limit, "{target}: {size} bytes, and the limit is {limit}");
    }
}
