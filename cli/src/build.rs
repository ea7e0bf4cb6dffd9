//! `kiln build`: one module in, an executable or object per target out.
//!
//! The module is read and parsed once; targets are compiled and linked in parallel and held in
//! memory; then all files are written. When one target fails, none is written.

use std::path::PathBuf;

use kiln_targets::resources::Icon;

use crate::args::Emit;
use crate::error::Error;
use crate::header::Header;
use crate::oci::Image;
use crate::options::Build;
use crate::output::{self, Output};
use crate::pipeline::{self, Pipeline};
use crate::product::Product;
use crate::progress::Display;
use crate::{embed, icon, report};

/// Builds what `options` ask for.
pub(crate) fn build(options: &Build) -> Result<(), Error> {
    let path = &options.input;
    let files = pipeline::read(path, &options.libraries)?;
    let outputs = options.outputs();
    for file in &files {
        output::check(&file.path, &outputs)?;
    }
    let embedded = embed::section(&options.embeds, options.time)?;
    let mut resources = options.resources.clone();
    let icon = icon::read(options.icon.as_ref(), &options.products)?;
    resources.extend(icon.iter().flat_map(Icon::resources));
    pipeline::set_threads(options.settings.jobs, &files, &options.products)?;
    let modules = pipeline::parse(&files)?;
    let program = pipeline::link(&files, &modules, options.emit)?;

    let display = Display::new(options.settings.quiet);
    let pipeline = Pipeline {
        path,
        name: &options.name,
        program: &program,
        settings: &options.settings,
        resources: &resources,
        embedded: &embedded,
        emit: options.emit,
    };
    let mut executables = pipeline.products(&options.products, &display)?;
    if options.emit == Emit::Oci {
        executables = vec![image(options, &executables)?];
    }
    if options.emit.is_library() {
        executables.push(Header::new(&options.name, &program).text().into_bytes());
    }
    let products = options.products.len();
    let is_executable = matches!(options.emit, Emit::Exe | Emit::Cdylib);
    let outputs: Vec<Output> = outputs
        .into_iter()
        .zip(executables)
        .enumerate()
        .map(|(index, (path, bytes))| Output {
            path,
            bytes,
            executable: is_executable && index < products,
        })
        .collect();
    output::write(&outputs)?;
    for (index, output) in outputs.iter().enumerate() {
        let product = options.products.get(index).filter(|_| options.emit != Emit::Oci);
        report::artifact(product.map(Product::name), &output.path, &output.bytes);
    }
    display.wrote(&summary(&outputs, options.output.as_ref()));
    Ok(())
}

/// The image that holds `executables`.
fn image(options: &Build, executables: &[Vec<u8>]) -> Result<Vec<u8>, Error> {
    let image = Image { name: &options.name, tag: &options.tag, time: options.time };
    let targets: Vec<_> = options.products.iter().flat_map(Product::targets).copied().collect();
    image
        .write(&targets, executables)
        .map_err(|source| Error::Write { path: options.name.clone().into(), source })
}

fn summary(outputs: &[Output], directory: Option<&PathBuf>) -> String {
    match (outputs, directory) {
        ([output], _) => output.path.display().to_string(),
        (_, Some(directory)) => format!("{} files to {}", outputs.len(), directory.display()),
        (_, None) => format!("{} files", outputs.len()),
    }
}
