//! A release, from the module's bytes to the bytes of every file.
//!
//! Depends on nothing but its fields, so that making it again gives the same bytes: that is how
//! `kiln verify` works.

use std::path::Path;

use kiln_targets::resources::Icon;
use rayon::prelude::*;
use time::OffsetDateTime;

use super::archive::{self, Entry};
use super::manifest::{Archive, File};
use super::{CHECKSUMS, MANIFEST, Manifest, checksums, sbom};
use crate::args::Emit;
use crate::config::Metadata;
use crate::error::Error;
use crate::options::Settings;
use crate::pipeline::{self, Pipeline};
use crate::product::Product;
use crate::progress::Display;

/// What a release is made of.
#[derive(Debug)]
pub(crate) struct Release<'a> {
    /// The module's path, for messages and its name.
    pub(crate) path: &'a Path,
    pub(crate) name: &'a str,
    pub(crate) version: &'a str,
    pub(crate) metadata: &'a Metadata,
    pub(crate) time: Time,
    pub(crate) products: &'a [Product],
    pub(crate) settings: &'a Settings,
    /// Modules to link with, then the main one.
    pub(crate) modules: &'a [pipeline::File],
    /// The section of embedded files; empty without any.
    pub(crate) embedded: &'a [u8],
    pub(crate) icon: Option<&'a Icon>,
    /// What lies in each archive beside the executable, sorted.
    pub(crate) include: &'a [Entry],
}

/// A point in time, in whole seconds, until the end of the year 9999.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Time(OffsetDateTime);

impl Time {
    /// So many seconds after 1970.
    pub(crate) fn new(seconds: u64) -> Option<Self> {
        let seconds = i64::try_from(seconds).ok()?;
        OffsetDateTime::from_unix_timestamp(seconds).ok().map(Self)
    }

    pub(crate) fn seconds(self) -> u64 {
        self.0.unix_timestamp().unsigned_abs()
    }

    /// RFC 3339, in UTC.
    pub(crate) fn to_rfc3339(self) -> String {
        let (year, month, day) = (self.0.year(), u8::from(self.0.month()), self.0.day());
        let (hour, minute, second) = self.0.to_hms();
        format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
    }

    pub(super) fn date_time(self) -> OffsetDateTime {
        self.0
    }
}

impl Default for Time {
    /// 1980-01-01: the first that a zip archive can hold.
    fn default() -> Self {
        Self::new(315_532_800).expect("the year 1980 is before 9999")
    }
}

impl Release<'_> {
    /// Every file of the release with its name: the archives, then what describes them.
    pub(crate) fn files(&self, display: &Display) -> Result<Vec<(String, Vec<u8>)>, Error> {
        let modules = pipeline::parse(self.modules)?;
        let program = pipeline::link(self.modules, &modules, Emit::Exe)?;
        let mut resources = self.metadata.resources(self.name, self.version);
        resources.extend(self.icon.into_iter().flat_map(Icon::resources));
        let pipeline = Pipeline {
            path: self.path,
            name: self.name,
            program: &program,
            settings: self.settings,
            resources: &resources,
            embedded: self.embedded,
            emit: Emit::Exe,
        };
        let executables = pipeline.products(self.products, display)?;
        let packed: Vec<_> = self
            .products
            .par_iter()
            .zip(executables)
            .map(|(product, executable)| self.pack(product, executable))
            .collect::<Result<_, _>>()?;
        let (archives, mut files): (Vec<_>, Vec<_>) = packed.into_iter().unzip();

        let sbom = sbom::write(self);
        let sbom_name = format!("{}-{}.cdx.json", self.name, self.version);
        let manifest = Manifest::new(self, archives, File::new(&sbom_name, &sbom));
        files.push((sbom_name, sbom));
        files.push((MANIFEST.to_owned(), manifest.to_json()));
        let checksums = checksums::write(&files);
        files.push((CHECKSUMS.to_owned(), checksums.into_bytes()));
        Ok(files)
    }

    /// The main module.
    pub(super) fn module(&self) -> &pipeline::File {
        self.modules.last().expect("a release is made of a module")
    }

    /// The modules that it is linked with.
    pub(super) fn libraries(&self) -> &[pipeline::File] {
        self.modules.split_last().map_or(&[], |(_, libraries)| libraries)
    }

    /// Packs an executable, and says what was packed.
    fn pack(
        &self,
        product: &Product,
        executable: Vec<u8>,
    ) -> Result<(Archive, (String, Vec<u8>)), Error> {
        let folder = format!("{}-{}-{}", self.name, self.version, product.name());
        let path = format!("{}{}", self.name, product.executable_suffix());
        let described = File::new(&path, &executable);
        let mut entries = vec![Entry { path, bytes: executable, executable: true }];
        entries.extend_from_slice(self.include);
        // Windows opens `.zip` by itself; an executable there is one by its name.
        let (suffix, write): (_, fn(&_, &_, _) -> _) = match product.executable_suffix() {
            "" => (".tar.gz", archive::tar_gz),
            _ => (".zip", archive::zip),
        };
        let name = format!("{folder}{suffix}");
        let bytes = write(&folder, &entries, self.time)
            .map_err(|source| Error::Write { path: name.clone().into(), source })?;
        let archive = Archive {
            product: product.name().to_owned(),
            triples: product.targets().iter().map(|target| target.triple.to_owned()).collect(),
            file: File::new(&name, &bytes),
            executable: described,
        };
        Ok((archive, (name, bytes)))
    }
}
