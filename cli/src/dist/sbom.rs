//! The software bill of materials: what lies in the executables of a release.
//!
//! CycloneDX 1.6 (ECMA-424). The program depends on its module and on Kiln's runtime, and that on
//! the crates in its lock file.

use serde::Deserialize;
use serde_cyclonedx::cyclonedx::v_1_6::{
    Component, ComponentBuilder, CycloneDxBuilder, Dependency, DependencyBuilder, Hash, HashAlg,
    LicenseChoice, LicenseChoiceUrl, LicenseChoiceUrlVariant1ItemLicenseBuilder, MetadataBuilder,
    MetadataTools, MetadataToolsVariant0Builder,
};

use super::checksums::sha256;
use super::release::Release;
use crate::embed;
use crate::pipeline::File;

/// What the prebuilt runtime libraries were built with.
const RUNTIME_LOCK: &str = include_str!("../../../runtime-support/Cargo.lock");
const RUNTIME: &str = "kiln-runtime";

#[derive(Debug, Deserialize)]
struct Lock {
    package: Vec<Package>,
}

#[derive(Debug, Deserialize)]
struct Package {
    name: String,
    version: String,
    /// Absent for what lies in Kiln's own repository.
    source: Option<String>,
    #[serde(default)]
    dependencies: Vec<String>,
}

/// The bill of materials of `release`, as JSON.
pub(super) fn write(release: &Release<'_>) -> Vec<u8> {
    let lock: Lock = toml::from_str(RUNTIME_LOCK).expect("the lock file is TOML");
    let program = program(release);
    let contents = contents(release);
    let runtime_reference = |name: &str| {
        let package = lock.package.iter().find(|package| package.name == name);
        package.map(reference).unwrap_or_default()
    };
    let mut dependencies = vec![depends(
        &bom_reference(&program),
        contents.iter().map(bom_reference).chain([runtime_reference(RUNTIME)]).collect(),
    )];
    let mut components = contents;
    for package in &lock.package {
        components.push(runtime_crate(package));
        let needs = package.dependencies.iter().map(|name| runtime_reference(name)).collect();
        dependencies.push(depends(&reference(package), needs));
    }
    let identity =
        format!("{} {} {}", release.name, release.version, sha256(&release.module().bytes));
    let metadata = MetadataBuilder::default()
        .timestamp(release.time.to_rfc3339())
        .tools(tools())
        .component(program)
        .build();
    let document = CycloneDxBuilder::default()
        .schema("http://cyclonedx.org/schema/bom-1.6.schema.json")
        .bom_format("CycloneDX")
        .spec_version("1.6")
        .serial_number(format!("urn:uuid:{}", uuid(&sha256(identity.as_bytes()))))
        .version(1)
        .metadata(metadata.expect("no field is required"))
        .components(components)
        .dependencies(dependencies)
        .build()
        .expect("all required fields are given");
    let mut text = serde_json::to_vec_pretty(&document).expect("the document has only string keys");
    text.push(b'\n');
    text
}

fn component(kind: &str, name: &str, reference: &str) -> ComponentBuilder {
    let mut builder = ComponentBuilder::default();
    builder.type_(kind).name(name).bom_ref(reference);
    builder
}

fn build(builder: &ComponentBuilder) -> Component {
    builder.build().expect("a component needs no more than its type and name")
}

fn program(release: &Release<'_>) -> Component {
    let reference = format!("{}@{}", release.name, release.version);
    build(component("application", release.name, &reference).version(release.version))
}

/// What an executable holds besides the runtime: the module, those that it is linked with,
/// embedded files, and the icon as the manifest describes it.
fn contents(release: &Release<'_>) -> Vec<Component> {
    let name = release.path.file_name().unwrap_or(release.path.as_os_str()).to_string_lossy();
    let hashes = |bytes: &[u8]| vec![Hash { alg: HashAlg::Sha256, content: sha256(bytes) }];
    let module = |name: &str, reference: &str, bytes: &[u8]| {
        build(
            component("file", name, reference).mime_type("application/wasm").hashes(hashes(bytes)),
        )
    };
    let main = module(&name, &format!("module:{name}"), &release.module().bytes);
    let linked = |file: &File| module(&file.name, &format!("link:{}", file.name), &file.bytes);
    let mut contents = vec![main];
    contents.extend(release.libraries().iter().map(linked));
    if let Some(trees) = embed::trees(release.embedded) {
        let names: Vec<String> = trees.iter().map(ToString::to_string).collect();
        let mut files = component("data", "embedded files", "embedded");
        files.description(names.join("; ")).hashes(hashes(release.embedded));
        contents.push(build(&files));
    }
    if let Some(icon) = release.icon {
        let mut file = component("data", "icon", "icon");
        file.mime_type("image/vnd.microsoft.icon").hashes(hashes(&icon.to_file()));
        contents.push(build(&file));
    }
    contents
}

/// A crate that is part of the runtime on some target.
fn runtime_crate(package: &Package) -> Component {
    let mut builder = component("library", &package.name, &reference(package));
    builder.version(package.version.as_str());
    match package.source {
        Some(_) => builder.purl(reference(package)),
        None => builder.licenses(own_license()),
    };
    build(&builder)
}

/// By what other components refer to a crate: its package URL.
fn reference(package: &Package) -> String {
    format!("pkg:cargo/{}@{}", package.name, package.version)
}

fn own_license() -> LicenseChoice {
    let expression = LicenseChoiceUrlVariant1ItemLicenseBuilder::default()
        .expression(env!("CARGO_PKG_LICENSE"))
        .build()
        .expect("the expression is all that is required");
    LicenseChoiceUrl::Variant1(vec![expression])
}

fn tools() -> MetadataTools {
    let kiln = build(
        component("application", "kiln", "kiln")
            .version(env!("CARGO_PKG_VERSION"))
            .licenses(own_license()),
    );
    let tools = MetadataToolsVariant0Builder::default().components(vec![kiln]).build();
    MetadataTools::Variant0(tools.expect("no field is required"))
}

fn bom_reference(component: &Component) -> String {
    component.bom_ref.clone().unwrap_or_default()
}

fn depends(on_behalf: &str, needs: Vec<String>) -> Dependency {
    DependencyBuilder::default()
        .ref_(on_behalf)
        .depends_on(needs)
        .build()
        .expect("the reference is all that is required")
}

/// RFC 9562, version 8: made of a digest.
fn uuid(digest: &str) -> String {
    let (a, b, c) = (&digest[..8], &digest[8..12], &digest[13..16]);
    format!("{a}-{b}-8{c}-8{}-{}", &digest[17..20], &digest[20..32])
}
