//! Which sections are linked, as what, and how they are cut into atoms.

use super::{Reader, starts_atom};
use crate::link::LinkError;
use crate::link::program::{Atom, AtomId, Kind};
use crate::{ObjectFormat, arch};
use kiln_abi::symbol::{MAPPED_SECTION, PLACED_SECTION_PREFIX};
use object::read::{
    Object, ObjectComdat, ObjectSection, ObjectSymbol, RelocationTarget, SectionKind,
};
use object::{ComdatKind, FileFlags, SectionFlags, SectionIndex, SymbolFlags, elf, macho, pe};
use std::borrow::Cow;
use std::collections::HashMap;

/// Constructors run in hosted programs only: nothing here would call them.
const CONSTRUCTORS: &str = "a table of constructors";

impl<'a> Reader<'_, 'a, '_> {
    /// Finds the sections of which an object read earlier holds a copy.
    pub(super) fn choose_copies(&mut self) -> Result<(), LinkError> {
        match self.program.target.format {
            ObjectFormat::Elf => self.choose_elf_groups(),
            ObjectFormat::MachO => Ok(()),
            ObjectFormat::Coff => self.choose_coff_copies(),
        }
    }

    /// System V gABI, "Section Groups": of the groups of one name the first counts.
    fn choose_elf_groups(&mut self) -> Result<(), LinkError> {
        for group in self.file.comdats() {
            if group.kind() != ComdatKind::Any {
                continue;
            }
            let name = group.name_bytes().map_err(|error| self.malformed(&error))?;
            if !self.program.groups.insert(name) {
                self.discarded.extend(group.sections());
            }
        }
        Ok(())
    }

    /// PE Format, "COMDAT Sections": the first symbol of such a section after the section's own
    /// names it; of the sections of one name the first counts.
    fn choose_coff_copies(&mut self) -> Result<(), LinkError> {
        let mut unnamed = HashMap::new();
        let mut associated = Vec::new();
        for symbol in self.file.symbols() {
            let Some(section) = symbol.section_index() else { continue };
            if let SymbolFlags::CoffSection { selection, associative_section, .. } = symbol.flags()
            {
                if let Some(leader) = associative_section {
                    associated.push((section, leader));
                } else if selection != pe::ComdatSelection(0) {
                    unnamed.insert(section, selection);
                }
                continue;
            }
            let Some(selection) = unnamed.remove(&section) else { continue };
            let name = symbol.name_bytes().map_err(|error| self.malformed(&error))?;
            let known = self.program.globals.get(name);
            let copied = known.is_some_and(|&id| self.program.defining_atom(id).is_some());
            if copied && symbol.is_global() && selection != pe::IMAGE_COMDAT_SELECT_NODUPLICATES {
                self.discarded.insert(section);
            }
        }
        for (section, leader) in associated {
            if self.discarded.contains(&leader) {
                self.discarded.insert(section);
            }
            self.associations.push((leader, section));
        }
        Ok(())
    }

    pub(super) fn read_sections(&mut self) -> Result<(), LinkError> {
        let cuts = self.cuts();
        for section in self.file.sections() {
            let index = section.index();
            if self.discarded.contains(&index) {
                continue;
            }
            let Some(kind) = self.classify(&section)? else { continue };
            let starts = match kind {
                Kind::Unwind => self.unwind_starts(&section),
                _ => cuts.get(&index).cloned().unwrap_or_else(|| vec![0]),
            };
            let pieces = self.cut(&section, kind, &starts)?;
            if self.pieces.len() <= index.0 {
                self.pieces.resize(index.0 + 1, Vec::new());
            }
            self.pieces[index.0] = pieces;
        }
        for (leader, section) in std::mem::take(&mut self.associations) {
            // The unwind table's records are attached one by one.
            let attached: Vec<AtomId> = self
                .pieces(section)
                .iter()
                .map(|piece| piece.1)
                .filter(|&id| self.program.atom(id).kind != Kind::Unwind)
                .collect();
            if let &[(_, leader), ..] = self.pieces(leader) {
                self.program.atom_mut(leader).attached.extend(attached);
            }
        }
        Ok(())
    }

    /// Offsets at which the sections of a Mach-O object may be cut.
    fn cuts(&self) -> HashMap<SectionIndex, Vec<u64>> {
        let mut cuts = HashMap::<SectionIndex, Vec<u64>>::new();
        let divisible = matches!(self.file.flags(), FileFlags::MachO { flags }
            if flags.contains(macho::MH_SUBSECTIONS_VIA_SYMBOLS));
        if !divisible {
            return cuts;
        }
        for symbol in self.file.symbols().filter(|symbol| starts_atom(symbol.flags())) {
            if let Some(index) = symbol.section_index()
                && let Ok(section) = self.file.section_by_index(index)
            {
                let offset = symbol.address().wrapping_sub(section.address());
                cuts.entry(index).or_insert_with(|| vec![0]).push(offset);
            }
        }
        for starts in cuts.values_mut() {
            starts.sort_unstable();
            starts.dedup();
        }
        cuts
    }

    /// Offsets of the records of a `.pdata` section; only the first where all of them are of one
    /// section, so that the code of a whole module costs one atom.
    fn unwind_starts(&self, section: &object::Section<'a, '_>) -> Vec<u64> {
        let record = arch::unwind_record_size(self.program.target.arch);
        let mut functions = section.relocations().filter(|(offset, _)| offset % record == 0);
        let of = |target| match target {
            RelocationTarget::Symbol(index) => {
                self.file.symbol_by_index(index).ok().and_then(|symbol| symbol.section_index())
            }
            _ => None,
        };
        let first = functions.next().and_then(|(_, relocation)| of(relocation.target()));
        if first.is_some() && functions.all(|(_, relocation)| of(relocation.target()) == first) {
            return vec![0];
        }
        (0..section.size() / record).map(|index| index * record).collect()
    }

    /// Makes the atoms of `section` that begin at `starts`.
    fn cut(
        &mut self,
        section: &object::Section<'a, '_>,
        kind: Kind,
        starts: &[u64],
    ) -> Result<Vec<(u64, AtomId)>, LinkError> {
        let size = section.size();
        let zero = kind == Kind::Zero;
        let data = if zero { Ok(&[][..]) } else { section.data() };
        let data = data.map_err(|error| self.malformed(&error))?;
        // Zeros are data where the image cannot leave them out.
        let empty = data.is_empty() && !zero && size != 0;
        if size > u64::from(u32::MAX) || (!zero && !empty && data.len() as u64 != size) {
            return Err(self.malformed(&"a section's size is wrong"));
        }
        let align = section.align().max(1);
        if align > self.program.target.page_size {
            let what = format!("a section aligned to {align} bytes");
            return Err(LinkError::Unsupported { object: self.name.to_owned(), what });
        }
        // Code reads a memory image by its address alone: no relocation leads to it.
        let retained = is_retained(section.flags()) || matches!(kind, Kind::Placed(_));
        let ends = starts.iter().skip(1).copied().chain([size]);
        let mut pieces = Vec::with_capacity(starts.len());
        for (&start, end) in starts.iter().zip(ends) {
            if end < start || end > size {
                return Err(self.malformed(&"a symbol lies outside its section"));
            }
            let piece = if zero || empty { &[][..] } else { &data[start as usize..end as usize] };
            let at = if start == 0 { align } else { align.min(1 << start.trailing_zeros()) };
            let atom = self.program.add_atom(Atom {
                object: self.object,
                kind,
                data: Cow::Borrowed(piece),
                size: end - start,
                align: at,
                relocations: Vec::new(),
                attached: Vec::new(),
                retained,
                live: false,
                address: 0,
                section: 0,
            });
            pieces.push((start, atom));
        }
        Ok(pieces)
    }

    /// What `section` becomes in the image; `None` when it is not linked.
    fn classify(&self, section: &object::Section<'a, '_>) -> Result<Option<Kind>, LinkError> {
        let name = section.name_bytes().map_err(|error| self.malformed(&error))?;
        let segment = section.segment_name_bytes().map_err(|error| self.malformed(&error))?;
        let digits = name.strip_prefix(PLACED_SECTION_PREFIX.as_bytes());
        let special = match (self.program.target.format, digits) {
            (ObjectFormat::MachO, _) => classify_macho(segment.unwrap_or_default(), name, section),
            (_, Some(digits)) => Special::Placed(digits),
            (ObjectFormat::Elf, None) => classify_elf(name, section.flags()),
            (ObjectFormat::Coff, None) => classify_coff(name),
        };
        match special {
            Special::Drop => return Ok(None),
            Special::Refuse(what) => {
                return Err(LinkError::Unsupported {
                    object: self.name.to_owned(),
                    what: what.to_owned(),
                });
            }
            Special::Keep(kind) => return Ok(Some(kind)),
            Special::Placed(digits) => return self.placed(digits, section).map(Some),
            Special::None => {}
        }
        Ok(match section.kind() {
            SectionKind::Text => Some(Kind::Code),
            SectionKind::Data => Some(Kind::Data),
            SectionKind::ReadOnlyData
            | SectionKind::ReadOnlyDataWithRel
            | SectionKind::ReadOnlyString => Some(Kind::ReadOnly),
            SectionKind::UninitializedData => Some(Kind::Zero),
            SectionKind::Tls | SectionKind::UninitializedTls | SectionKind::TlsVariables => {
                Some(Kind::Unsupported("a thread-local variable"))
            }
            _ => None,
        })
    }

    /// Reads the address of a placed section from its name.
    fn placed(&self, digits: &[u8], section: &object::Section<'a, '_>) -> Result<Kind, LinkError> {
        let refuse = |reason: &str| LinkError::Placement {
            object: self.name.to_owned(),
            reason: reason.to_owned(),
        };
        let page = self.program.target.page_size;
        let digits = std::str::from_utf8(digits).ok().filter(|digits| digits.len() == 16);
        let address = digits.and_then(|digits| u64::from_str_radix(digits, 16).ok());
        let address = address.ok_or_else(|| refuse("at an address that is no number"))?;
        if address.checked_add(section.size()).is_none() {
            return Err(refuse("beyond the end of all addresses"));
        }
        if !address.is_multiple_of(page) || !section.size().is_multiple_of(page) {
            return Err(refuse("that does not start and end with a page"));
        }
        Ok(Kind::Placed(address))
    }
}

/// What a section's name says beyond its kind.
enum Special<'n> {
    None,
    Drop,
    Refuse(&'static str),
    Keep(Kind),
    Placed(&'n [u8]),
}

fn classify_elf(name: &[u8], flags: SectionFlags) -> Special<'_> {
    let SectionFlags::Elf { sh_type, .. } = flags else { return Special::None };
    match sh_type {
        elf::SHT_INIT_ARRAY | elf::SHT_FINI_ARRAY | elf::SHT_PREINIT_ARRAY => {
            Special::Refuse(CONSTRUCTORS)
        }
        // Writable only for a loader that moves the image, which none does here.
        _ if name.starts_with(b".data.rel.ro") => Special::Keep(Kind::Pointers),
        // Nothing in an executable unwinds by tables: traps walk the frame pointers.
        _ if name == b".eh_frame" => Special::Drop,
        _ => Special::None,
    }
}

fn classify_macho<'n>(
    segment: &[u8],
    name: &'n [u8],
    section: &object::Section<'_, '_>,
) -> Special<'n> {
    let SectionFlags::MachO { flags, .. } = section.flags() else { return Special::None };
    match (segment, flags.typ()) {
        (_, macho::S_MOD_INIT_FUNC_POINTERS | macho::S_INIT_FUNC_OFFSETS) => {
            Special::Refuse(CONSTRUCTORS)
        }
        // `__LD` is for the linker alone, compact unwind tables among it.
        (b"__LD" | b"__LLVM", _) => Special::Drop,
        _ if name == b"__eh_frame" => Special::Drop,
        (b"__DATA", _) if name == b"__const" => Special::Keep(Kind::Pointers),
        (b"__DATA", _) if name == MAPPED_SECTION.as_bytes() => Special::Keep(Kind::Mapped),
        _ => Special::None,
    }
}

fn classify_coff(name: &[u8]) -> Special<'_> {
    let base = name.split(|&byte| byte == b'$').next().unwrap_or_default();
    match base {
        b".pdata" => Special::Keep(Kind::Unwind),
        b".CRT" | b".ctors" | b".dtors" => Special::Refuse(CONSTRUCTORS),
        b".tls" => Special::Keep(Kind::Unsupported("a thread-local variable")),
        _ => Special::None,
    }
}

/// Whether a section is kept although nothing refers to it.
fn is_retained(flags: SectionFlags) -> bool {
    match flags {
        SectionFlags::Elf { sh_flags, .. } => sh_flags.contains(elf::SHF_GNU_RETAIN),
        SectionFlags::MachO { flags, .. } => flags.contains(macho::S_ATTR_NO_DEAD_STRIP),
        _ => false,
    }
}
