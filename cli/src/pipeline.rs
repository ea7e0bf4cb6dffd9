//! From a module to the bytes of an executable or object for one target.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use kiln_compiler::{Module, Program, Progress, Source};
use kiln_targets::link::{self, Input};
use kiln_targets::resources::Resource;
use kiln_targets::{Target, universal};
use rayon::prelude::*;

use crate::args::Emit;
use crate::error::Error;
use crate::header::Header;
use crate::input;
use crate::options::{Library, Settings};
use crate::product::Product;
use crate::progress::Display;

/// Bytes of wasm, counted for each target, that one thread compiles in a few milliseconds.
const WORK_OF_ONE_THREAD: usize = 8 << 10;

/// What is the same for every target of a run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pipeline<'a> {
    /// The module's path, for messages.
    pub(crate) path: &'a Path,
    /// The program's name.
    pub(crate) name: &'a str,
    pub(crate) program: &'a Program<'a>,
    pub(crate) settings: &'a Settings,
    /// What Windows shows of the program.
    pub(crate) resources: &'a [Resource],
    /// The section of embedded files; empty without any.
    pub(crate) embedded: &'a [u8],
    pub(crate) emit: Emit,
}

impl Pipeline<'_> {
    /// Compiles all products.
    pub(crate) fn products(
        &self,
        products: &[Product],
        display: &Display,
    ) -> Result<Vec<Vec<u8>>, Error> {
        let targets: Vec<_> = products.iter().flat_map(Product::targets).copied().collect();
        let mut outputs = self.outputs(&targets, display)?.into_iter();
        let mut next = || outputs.next().expect("every target has an output");
        let combine = |product: &Product| match product {
            Product::Single(_) => Ok(next()),
            Product::Universal => {
                let images = [next(), next()];
                let [target, _] = universal::TARGETS;
                universal::combine([&images[0], &images[1]])
                    .map_err(|source| Error::Link { target, source })
            }
        };
        products.iter().map(combine).collect()
    }

    /// Compiles for all targets together, then makes their outputs in parallel. Of these, the first
    /// failure in the order of targets is the one reported, so that the message is the same in
    /// every run.
    pub(crate) fn outputs(
        &self,
        targets: &[&'static Target],
        display: &Display,
    ) -> Result<Vec<Vec<u8>>, Error> {
        let functions = self.program.function_count();
        let progress: Vec<_> =
            targets.iter().map(|target| display.begin(target, functions)).collect();
        let wanted: Vec<(_, &dyn Progress)> =
            targets.iter().copied().zip(progress.iter().map(|progress| progress as _)).collect();
        let codes = kiln_compiler::compile_all(self.program, &wanted, &self.settings.compile)
            .map_err(|(target, source)| compile_error(self.path, target, source))?;
        let outputs: Vec<Result<Vec<u8>, Error>> = targets
            .into_par_iter()
            .zip(codes)
            .zip(progress)
            .map(|((target, code), progress)| {
                let object =
                    code.object().map_err(|source| compile_error(self.path, target, source))?;
                let bytes = match self.emit {
                    Emit::Obj => object,
                    _ => self.link(target, &object)?,
                };
                progress.finish(bytes.len());
                Ok(bytes)
            })
            .collect();
        outputs.into_iter().collect()
    }

    fn link(&self, target: &'static Target, object: &[u8]) -> Result<Vec<u8>, Error> {
        let exports = Header::new(self.name, self.program).symbols();
        let (before, behind) = target.shared_library;
        let file_name = format!("{before}{}{behind}", self.name);
        let input = Input {
            objects: &[(self.name, object)],
            manifest: &self.settings.policy.manifest(),
            embedded: self.embedded,
            stack_size: self.settings.compile.stack_size,
            identifier: self.name,
            resources: self.resources,
            library: self.emit.is_library().then_some(link::Library {
                file_name: &file_name,
                exports: &exports,
                shared: self.emit == Emit::Cdylib,
            }),
        };
        link::link(target, &input).map_err(|source| Error::Link { target, source })
    }
}

/// A module that was read.
#[derive(Debug)]
pub(crate) struct File {
    pub(crate) path: PathBuf,
    /// What other modules import it as; empty for the main module.
    pub(crate) name: String,
    /// As it was read, binary or text.
    pub(crate) bytes: Vec<u8>,
    /// The binary format of text; none where it was read as such.
    assembled: Option<Vec<u8>>,
}

/// Reads the modules to link with, then the main module at `path`.
pub(crate) fn read(path: &Path, libraries: &[Library]) -> Result<Vec<File>, Error> {
    let mut files = Vec::new();
    for library in libraries {
        files.push(File::read(&library.path, &library.name)?);
    }
    files.push(File::read(path, "")?);
    Ok(files)
}

impl File {
    fn read(path: &Path, name: &str) -> Result<Self, Error> {
        let bytes = input::read(path)?;
        let assembled = match input::binary(path, &bytes)? {
            Cow::Borrowed(_) => None,
            Cow::Owned(binary) => Some(binary),
        };
        Ok(Self { path: path.to_owned(), name: name.to_owned(), bytes, assembled })
    }

    /// The module in the binary format.
    fn wasm(&self) -> &[u8] {
        self.assembled.as_ref().unwrap_or(&self.bytes)
    }
}

/// Parses modules that are to be linked.
pub(crate) fn parse(files: &[File]) -> Result<Vec<Module<'_>>, Error> {
    let modules: Vec<&[u8]> = files.iter().map(File::wasm).collect();
    kiln_compiler::parse_all(&modules).map_err(|error| module_error(files, error))
}

/// Links modules: each with those before it by their names, and with what the host provides.
pub(crate) fn link<'a>(
    files: &'a [File],
    modules: &'a [Module<'a>],
    emit: Emit,
) -> Result<Program<'a>, Error> {
    let sources: Vec<Source<'a>> = (0..)
        .zip(files.iter().zip(modules))
        .map(|(position, (file, module))| Source {
            name: &file.name,
            module,
            providers: (0..position).map(|before| (&*files[before].name, before)).collect(),
            lazy: false,
        })
        .collect();
    let link = if emit.is_library() { kiln_compiler::link_library } else { kiln_compiler::link };
    link(&sources).map_err(|error| module_error(files, error))
}

fn module_error(files: &[File], (position, source): (usize, kiln_compiler::Error)) -> Error {
    Error::Module { path: files[position].path.clone(), source }
}

/// Most errors are the module's own; only the code generator's are a target's.
fn compile_error(path: &Path, target: &'static Target, source: kiln_compiler::Error) -> Error {
    match source {
        kiln_compiler::Error::Codegen { .. } => Error::Codegen { target, source },
        _ => Error::Module { path: path.to_owned(), source },
    }
}

/// Sets the number of threads for everything that runs in parallel, parsing included; `None` is
/// one per processor, or one where modules are so small that starting others takes longer than
/// what they would do. This thread is one of them, so that one alone starts no other.
pub(crate) fn set_threads(
    jobs: Option<usize>,
    files: &[File],
    products: &[Product],
) -> Result<(), Error> {
    let targets: usize = products.iter().map(|product| product.targets().len()).sum();
    let work = targets * files.iter().map(|file| file.wasm().len()).sum::<usize>();
    let one_per_processor = 0;
    let threads = jobs.unwrap_or(if work < WORK_OF_ONE_THREAD { 1 } else { one_per_processor });
    rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .use_current_thread()
        .build_global()
        .map_err(Error::Threads)
}
