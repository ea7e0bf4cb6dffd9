//! `kiln init`: writes a `kiln.toml` in which every key is explained and commented out.

use std::path::Path;

use crate::error::Error;
use crate::output::{self, Output};
use crate::{args, config, options, report};

const TEMPLATE: &str = include_str!("kiln.toml");

/// Writes the file beside the module.
///
/// # Errors
/// There is one already, or it cannot be written.
pub(crate) fn init(typed: &args::Init) -> Result<(), Error> {
    let module = typed.module.as_deref().unwrap_or(Path::new("app.wasm"));
    let path = config::beside(module);
    if path.symlink_metadata().is_ok() {
        return Err(Error::Occupied { path, reason: "there is one already" });
    }
    // A string of JSON is one of TOML.
    let name = serde_json::Value::String(options::stem(module)).to_string();
    let bytes = TEMPLATE.replace("\"app\"", &name).into_bytes();
    output::write(&[Output { path: path.clone(), bytes, executable: false }])?;
    report::note(&format!("wrote {}", path.display()));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::TEMPLATE;
    use crate::config::Config;

    /// A line of prose starts with `# `, a key that is commented out with `#` alone.
    #[test]
    fn every_key_of_the_template_is_one() {
        let uncommented: String = TEMPLATE
            .lines()
            .map(|line| {
                line.strip_prefix('#').filter(|rest| !rest.starts_with(' ')).unwrap_or(line)
            })
            .flat_map(|line| [line, "\n"])
            .collect();
        assert!(uncommented.lines().filter(|line| line.contains(" = ")).count() > 5);
        toml::from_str::<Config>(&uncommented).unwrap();
        toml::from_str::<Config>(TEMPLATE).unwrap();
    }
}
