//! Archives: `.tar.gz`, and `.zip` for Windows. The same entries give the same bytes everywhere.
//!
//! Sources: POSIX `pax` (ustar), RFC 1952 (gzip), PKWARE's APPNOTE (zip).

use std::io::{self, Cursor, Read as _, Write as _};

use flate2::read::GzDecoder;
use flate2::{Compression, GzBuilder};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, System, ZipArchive, ZipWriter};

use super::release::Time;

const EXECUTABLE_MODE: u32 = 0o755;
const FILE_MODE: u32 = 0o644;

/// RFC 1952: the operating system is not known.
const UNKNOWN_SYSTEM: u8 = 255;

/// A file in an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Its path with `/`.
    pub(crate) path: String,
    pub(crate) bytes: Vec<u8>,
    pub(crate) executable: bool,
}

impl Entry {
    fn mode(&self) -> u32 {
        if self.executable { EXECUTABLE_MODE } else { FILE_MODE }
    }
}

/// A compressed tar archive of `entries`, in a folder of that name.
pub(super) fn tar_gz(folder: &str, entries: &[Entry], time: Time) -> io::Result<Vec<u8>> {
    gzip(&tar(&format!("{folder}/"), entries, time)?)
}

/// `bytes` compressed.
pub(crate) fn gzip(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let header = GzBuilder::new().operating_system(UNKNOWN_SYSTEM);
    let mut gzip = header.write(Vec::new(), Compression::best());
    gzip.write_all(bytes)?;
    gzip.finish()
}

/// A tar archive of `entries`, whose paths begin with `prefix`.
pub(crate) fn tar(prefix: &str, entries: &[Entry], time: Time) -> io::Result<Vec<u8>> {
    let mut tar = tar::Builder::new(Vec::new());
    for entry in entries {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(tar::EntryType::Regular);
        header.set_size(entry.bytes.len() as u64);
        header.set_mode(entry.mode());
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(time.seconds());
        tar.append_data(&mut header, format!("{prefix}{}", entry.path), &*entry.bytes)?;
    }
    tar.into_inner()
}

/// A zip archive of `entries`, in a folder of that name.
pub(super) fn zip(folder: &str, entries: &[Entry], time: Time) -> io::Result<Vec<u8>> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default()
        .system(System::Unix)
        .compression_method(CompressionMethod::Deflated)
        .last_modified_time(date_time(time));
    for entry in entries {
        let options = options.unix_permissions(entry.mode());
        zip.start_file(format!("{folder}/{}", entry.path), options)?;
        zip.write_all(&entry.bytes)?;
    }
    Ok(zip.finish()?.into_inner())
}

/// The format counts from 1980 on.
fn date_time(time: Time) -> DateTime {
    let at = time.date_time();
    let year = u16::try_from(at.year()).unwrap_or_default();
    let (hour, minute, second) = at.to_hms();
    DateTime::from_date_and_time(year, at.month().into(), at.day(), hour, minute, second)
        .unwrap_or_default()
}

/// The entries of an archive, without the folder that they lie in.
pub(crate) fn read(name: &str, bytes: &[u8]) -> io::Result<Vec<Entry>> {
    if name.ends_with(".zip") { read_zip(bytes) } else { read_tar_gz(bytes) }
}

fn read_tar_gz(bytes: &[u8]) -> io::Result<Vec<Entry>> {
    let mut entries = Vec::new();
    for file in tar::Archive::new(GzDecoder::new(bytes)).entries()? {
        let mut file = file?;
        let path = String::from_utf8_lossy(&file.path_bytes()).into_owned();
        let executable = file.header().mode()? & 0o111 != 0;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        entries.push(Entry { path: inner(&path), bytes, executable });
    }
    Ok(entries)
}

fn read_zip(bytes: &[u8]) -> io::Result<Vec<Entry>> {
    let mut zip = ZipArchive::new(Cursor::new(bytes))?;
    let mut entries = Vec::new();
    for index in 0..zip.len() {
        let mut file = zip.by_index(index)?;
        let path = inner(&file.name()?);
        let executable = file.unix_mode().is_some_and(|mode| mode & 0o111 != 0);
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        entries.push(Entry { path, bytes, executable });
    }
    Ok(entries)
}

fn inner(path: &str) -> String {
    path.split_once('/').map_or(path, |(_, inner)| inner).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn archives_are_read_as_they_were_written() {
        let long = format!("docs/{}.md", "long".repeat(40));
        let entries = [("app", true), ("README.md", false), (long.as_str(), false)].map(
            |(path, executable)| Entry {
                path: path.to_owned(),
                bytes: path.repeat(1000).into_bytes(),
                executable,
            },
        );
        let time = Time::new(1_600_000_000).unwrap();
        let tar = tar_gz("app-1", &entries, time).unwrap();
        assert_eq!(read("a.tar.gz", &tar).unwrap(), entries);
        let zip = zip("app-1", &entries, time).unwrap();
        assert_eq!(read("a.zip", &zip).unwrap(), entries);
        let mut archive = ZipArchive::new(Cursor::new(zip)).unwrap();
        let file = archive.by_index(0).unwrap();
        assert_eq!(file.name().unwrap(), "app-1/app");
        assert_eq!(file.last_modified().unwrap().year(), 2020);
    }

    #[test]
    fn times_before_those_of_the_format_are_its_first() {
        assert_eq!(date_time(Time::new(0).unwrap()).year(), 1980);
    }
}
