//! The tables by which the loader finds exports: PE Format, "The .edata Section".

use crate::Fixup;
use crate::link::program::{Kind, Program, Relocation, SymbolId};
use object::pe::ImageExportDirectory;
use object::pod::bytes_of;
use object::{LittleEndian as LE, U16, U32};
use std::mem::{offset_of, size_of};

/// Writes the tables of what the DLL `name` exports, the directory first.
pub(super) fn write_tables(program: &mut Program<'_>, name: &str, exports: &[(&str, SymbolId)]) {
    // The loader searches the names.
    let mut sorted = exports.to_vec();
    sorted.sort_unstable_by_key(|export| export.0);
    let contents = bytes_of(&directory(sorted.len())).to_vec();
    let (directory, _) = program.add_own(Kind::Exports, 4, contents, vec![]);
    let own_name = text(program, name);
    let functions: Vec<SymbolId> = sorted.iter().map(|export| export.1).collect();
    let functions = pointers(program, &functions);
    let names: Vec<SymbolId> = sorted.iter().map(|export| text(program, export.0)).collect();
    let names = pointers(program, &names);
    let ordinals: Vec<u8> = (0..sorted.len() as u16).flat_map(u16::to_le_bytes).collect();
    let (_, ordinals) = program.add_own(Kind::Exports, 2, ordinals, vec![]);
    program.atom_mut(directory).relocations = vec![
        image_relative(offset_of!(ImageExportDirectory, name), own_name),
        image_relative(offset_of!(ImageExportDirectory, address_of_functions), functions),
        image_relative(offset_of!(ImageExportDirectory, address_of_names), names),
        image_relative(offset_of!(ImageExportDirectory, address_of_name_ordinals), ordinals),
    ];
}

/// The directory of so many exports, without the places of the other tables.
fn directory(count: usize) -> ImageExportDirectory {
    let (count, zero) = (U32::new(LE, count as u32), U32::new(LE, 0));
    ImageExportDirectory {
        characteristics: zero,
        time_date_stamp: zero,
        major_version: U16::new(LE, 0),
        minor_version: U16::new(LE, 0),
        name: zero,
        base: U32::new(LE, 1),
        number_of_functions: count,
        number_of_names: count,
        address_of_functions: zero,
        address_of_names: zero,
        address_of_name_ordinals: zero,
    }
}

/// A table of places.
fn pointers(program: &mut Program<'_>, symbols: &[SymbolId]) -> SymbolId {
    const SIZE: usize = size_of::<u32>();
    let relocations =
        (0..).zip(symbols).map(|(index, &symbol)| image_relative(index * SIZE, symbol));
    let relocations = relocations.collect();
    program.add_own(Kind::Exports, 4, vec![0; symbols.len() * SIZE], relocations).1
}

fn text(program: &mut Program<'_>, text: &str) -> SymbolId {
    program.add_own(Kind::Exports, 1, [text.as_bytes(), b"\0"].concat(), vec![]).1
}

fn image_relative(offset: usize, symbol: SymbolId) -> Relocation {
    let offset = offset as u32;
    Relocation { offset, fixup: Fixup::ImageRelative32, symbol, subtrahend: None, addend: 0 }
}
