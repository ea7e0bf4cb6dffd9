//! `--emit oci`: an image that holds one executable and nothing else, for containers.
//!
//! A tar archive of an OCI image layout, with an image for each target below one index. The same
//! executables give the same bytes. Source: OCI Image Format Specification 1.1.

use std::collections::BTreeMap;
use std::io;

use kiln_targets::Target;
use kiln_targets::target::{LINUX_AMD64, LINUX_ARM64};
use serde_json::{Value, json};

use crate::dist::archive::{self, Entry};
use crate::dist::{Time, sha256};

/// The targets that images can be for.
pub(crate) const TARGETS: [&Target; 2] = [&LINUX_AMD64, &LINUX_ARM64];

const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";

/// What an image is made of.
#[derive(Debug)]
pub(crate) struct Image<'a> {
    pub(crate) name: &'a str,
    /// The tag by which tools know the image.
    pub(crate) tag: &'a str,
    pub(crate) time: Time,
}

/// Blobs by their digests.
#[derive(Debug, Default)]
struct Blobs(BTreeMap<String, Vec<u8>>);

impl Blobs {
    /// Adds a blob and describes it.
    fn add(&mut self, media_type: &str, bytes: Vec<u8>) -> Value {
        let digest = sha256(&bytes);
        let size = bytes.len();
        self.0.insert(digest.clone(), bytes);
        json!({ "mediaType": media_type, "digest": format!("sha256:{digest}"), "size": size })
    }

    fn add_json(&mut self, media_type: &str, value: &Value) -> Value {
        self.add(media_type, value.to_string().into_bytes())
    }
}

impl Image<'_> {
    /// The archive of an image with an executable for each of `targets`.
    ///
    /// # Errors
    /// The file's name does not fit into an archive.
    pub(crate) fn write(
        &self,
        targets: &[&Target],
        executables: &[Vec<u8>],
    ) -> io::Result<Vec<u8>> {
        let mut blobs = Blobs::default();
        let mut manifests = Vec::new();
        for (target, executable) in targets.iter().zip(executables) {
            manifests.push(self.add(&mut blobs, target, executable)?);
        }
        let index = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": manifests });
        let mut top = blobs.add_json(INDEX, &index);
        top["annotations"] = json!({ "org.opencontainers.image.ref.name": self.tag });
        let index = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": [top] });
        let layout = json!({ "imageLayoutVersion": "1.0.0" });

        let file = |path: String, bytes| Entry { path, bytes, executable: false };
        let mut entries = vec![
            file("oci-layout".to_owned(), layout.to_string().into_bytes()),
            file("index.json".to_owned(), index.to_string().into_bytes()),
        ];
        let blobs = blobs.0.into_iter();
        entries.extend(blobs.map(|(digest, bytes)| file(format!("blobs/sha256/{digest}"), bytes)));
        archive::tar("", &entries, self.time)
    }

    /// Adds the image for one target and describes its manifest.
    fn add(&self, blobs: &mut Blobs, target: &Target, executable: &[u8]) -> io::Result<Value> {
        let path = self.name.to_owned();
        let entry = Entry { path, bytes: executable.to_vec(), executable: true };
        let layer = archive::tar("", &[entry], self.time)?;
        let difference = format!("sha256:{}", sha256(&layer));
        let created = self.time.to_rfc3339();
        // A target is named as the specification names platforms.
        let (os, architecture) = target.name.split_once('-').unwrap_or((target.name, ""));
        let config = json!({
            "created": created,
            "architecture": architecture,
            "os": os,
            "config": { "Entrypoint": [format!("/{}", self.name)], "WorkingDir": "/" },
            "rootfs": { "type": "layers", "diff_ids": [difference] },
            "history": [{
                "created": created,
                "created_by": format!("kiln {}", env!("CARGO_PKG_VERSION")),
            }],
        });
        let config = blobs.add_json(CONFIG, &config);
        let layer = blobs.add(LAYER, archive::gzip(&layer)?);
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": config,
            "layers": [layer],
        });
        let mut manifest = blobs.add_json(MANIFEST, &manifest);
        manifest["platform"] = json!({ "os": os, "architecture": architecture });
        Ok(manifest)
    }
}
