//! What is being linked: atoms, symbols, and the relocations between them.
//!
//! Every pass of the linker reads and changes one [`Program`]. An atom is the smallest piece that
//! is kept or dropped as a whole: a section of an ELF or COFF object, the piece between two
//! symbols of a Mach-O object that allows it, or a piece that the linker makes itself.

use super::LinkError;
use crate::{Fixup, Target};
use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

/// Number of an atom in [`Program::atoms`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct AtomId(pub(crate) u32);

/// Number of a symbol in [`Program::symbols`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct SymbolId(pub(crate) u32);

/// Number of an object in [`Program::objects`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ObjectId(pub(crate) u32);

/// The linker's own object.
pub(crate) const LINKER: ObjectId = ObjectId(0);

/// What an atom holds, and thereby which section of the image it goes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// Instructions.
    Code,
    /// Code of the linker's own that jumps to an imported function.
    Stub,
    /// Constants.
    ReadOnly,
    /// Constants with addresses in them.
    Pointers,
    /// The capability manifest.
    Manifest,
    /// Embedded files.
    Embedded,
    /// A pointer that the linker provides, constant once the image is loaded.
    Slot,
    /// Tables that name the imports. PE only.
    Imports,
    /// Tables that name the exports. PE only.
    Exports,
    /// A table that the dynamic linker reads. ELF only.
    Dynamic(DynamicTable),
    /// The table of functions and their unwind data. PE only.
    Unwind,
    /// Variables.
    Data,
    /// Variables that are zero at first.
    Zero,
    /// Variables with an address of their own; in PE, with an offset in the memory that begins in
    /// the image. Not in Mach-O.
    Placed(u64),
    /// A memory's initial contents, in whole pages. Mach-O only.
    Mapped,
    /// What the linker does not support; an error once something refers to it.
    Unsupported(&'static str),
}

/// The tables of a shared library, in order of the file. Source: System V gABI, chapter 5.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum DynamicTable {
    Symbols,
    Strings,
    Hash,
    Relocations,
    /// The one that leads to the others.
    Dynamic,
}

/// See the module's description.
#[derive(Debug)]
pub(crate) struct Atom<'a> {
    pub(crate) object: ObjectId,
    pub(crate) kind: Kind,
    /// Contents; empty where the atom is zero.
    pub(crate) data: Cow<'a, [u8]>,
    /// Bytes, also where `data` is empty.
    pub(crate) size: u64,
    /// Alignment in bytes, a power of two.
    pub(crate) align: u64,
    /// In no particular order.
    pub(crate) relocations: Vec<Relocation>,
    /// What is kept when this atom is: unwind data, associated sections.
    pub(crate) attached: Vec<AtomId>,
    /// Kept although nothing may refer to it.
    pub(crate) retained: bool,
    /// Found by [`live`](super::live).
    pub(crate) live: bool,
    /// Address in memory, given by [`layout`](super::layout).
    pub(crate) address: u64,
    /// Number of its section in the image, given by [`layout`](super::layout).
    pub(crate) section: u32,
}

/// A relocation of an atom.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Relocation {
    /// Offset in the atom.
    pub(crate) offset: u32,
    pub(crate) fixup: Fixup,
    pub(crate) symbol: SymbolId,
    /// Symbol whose address is taken off: Mach-O's differences.
    pub(crate) subtrahend: Option<SymbolId>,
    pub(crate) addend: i64,
}

/// A symbol of one object, or of all that know its name.
#[derive(Debug)]
pub(crate) struct Symbol<'a> {
    /// Empty for sections and the linker's own.
    pub(crate) name: Cow<'a, [u8]>,
    /// Where it is defined, or the first object that refers to it.
    pub(crate) object: ObjectId,
    pub(crate) definition: Definition<'a>,
}

/// What a symbol stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Definition<'a> {
    /// Nothing yet.
    Undefined,
    /// Nothing, or address 0: ELF and Mach-O weak references.
    UndefinedWeak,
    /// Another symbol, unless a definition is found: COFF weak externals.
    Alias(SymbolId),
    /// A place in an atom.
    Atom { atom: AtomId, offset: u64, weak: bool },
    /// A number.
    Absolute(u64),
    /// A variable that is zero at first; the largest definition of the name counts.
    Common { size: u64, align: u64 },
    /// A symbol of a dynamic library.
    Import { library: &'a [u8], name: ImportName<'a> },
    /// The pointer that the OS sets to the address of an imported symbol. PE only.
    ImportSlot { of: SymbolId },
    /// In a section that is not linked: a second copy, or debug information.
    Discarded,
}

/// How a dynamic library knows a symbol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ImportName<'a> {
    Name(&'a [u8]),
    Ordinal(u16),
}

impl<'a> ImportName<'a> {
    pub(crate) fn as_name(self) -> Option<&'a [u8]> {
        match self {
            Self::Name(name) => Some(name),
            Self::Ordinal(_) => None,
        }
    }
}

/// See the module's description.
#[derive(Debug)]
pub(crate) struct Program<'a> {
    pub(crate) target: &'a Target,
    /// Names of the objects, for messages.
    pub(crate) objects: Vec<String>,
    pub(crate) atoms: Vec<Atom<'a>>,
    pub(crate) symbols: Vec<Symbol<'a>>,
    /// Symbols that all objects know.
    pub(crate) globals: HashMap<&'a [u8], SymbolId>,
    /// Names of the ELF section groups read so far.
    pub(crate) groups: HashSet<&'a [u8]>,
}

impl<'a> Program<'a> {
    /// A program of nothing but the linker's own object, [`LINKER`].
    pub(crate) fn new(target: &'a Target) -> Self {
        Self {
            target,
            objects: vec!["the linker".to_owned()],
            atoms: vec![],
            symbols: vec![],
            globals: HashMap::new(),
            groups: HashSet::new(),
        }
    }

    pub(crate) fn atom(&self, id: AtomId) -> &Atom<'a> {
        &self.atoms[id.0 as usize]
    }

    pub(crate) fn atom_mut(&mut self, id: AtomId) -> &mut Atom<'a> {
        &mut self.atoms[id.0 as usize]
    }

    pub(crate) fn symbol(&self, id: SymbolId) -> &Symbol<'a> {
        &self.symbols[id.0 as usize]
    }

    pub(crate) fn add_atom(&mut self, atom: Atom<'a>) -> AtomId {
        self.atoms.push(atom);
        AtomId(u32::try_from(self.atoms.len() - 1).expect("fewer than 2^32 atoms"))
    }

    pub(crate) fn add_symbol(&mut self, symbol: Symbol<'a>) -> SymbolId {
        self.symbols.push(symbol);
        SymbolId(u32::try_from(self.symbols.len() - 1).expect("fewer than 2^32 symbols"))
    }

    /// Adds a live atom of the linker's own and a symbol at its start.
    pub(crate) fn add_own(
        &mut self,
        kind: Kind,
        align: u64,
        data: impl Into<Cow<'a, [u8]>>,
        relocations: Vec<Relocation>,
    ) -> (AtomId, SymbolId) {
        let data = data.into();
        let atom = self.add_atom(Atom {
            object: LINKER,
            kind,
            size: data.len() as u64,
            data,
            align,
            relocations,
            attached: vec![],
            retained: true,
            live: true,
            address: 0,
            section: 0,
        });
        let definition = Definition::Atom { atom, offset: 0, weak: false };
        let name = Cow::Borrowed(&b""[..]);
        let symbol = self.add_symbol(Symbol { name, object: LINKER, definition });
        (atom, symbol)
    }

    /// The symbol that `id` stands for, aliases followed.
    pub(crate) fn resolve(&self, mut id: SymbolId) -> SymbolId {
        // Aliases can form a circle only in a malformed object; as many steps as there are
        // symbols leave any other chain.
        for _ in 0..self.symbols.len() {
            match self.symbol(id).definition {
                Definition::Alias(other) => id = other,
                _ => break,
            }
        }
        id
    }

    /// What `id` stands for, aliases followed.
    pub(crate) fn definition(&self, id: SymbolId) -> Definition<'a> {
        self.symbol(self.resolve(id)).definition
    }

    /// The atom that defines `id`, if one does.
    pub(crate) fn defining_atom(&self, id: SymbolId) -> Option<AtomId> {
        match self.definition(id) {
            Definition::Atom { atom, .. } => Some(atom),
            _ => None,
        }
    }

    /// The symbol's address in the image; 0 for a weak reference to nothing.
    pub(crate) fn address(&self, id: SymbolId) -> Result<u64, LinkError> {
        match self.definition(id) {
            Definition::Atom { atom, offset, .. } => Ok(self.atom(atom).address + offset),
            Definition::Absolute(value) => Ok(value),
            Definition::UndefinedWeak => Ok(0),
            _ => Err(LinkError::Undefined(vec![self.describe(id)])),
        }
    }

    /// The symbol's name, for messages.
    pub(crate) fn name(&self, id: SymbolId) -> String {
        match &*self.symbol(id).name {
            [] => "a section".to_owned(),
            name => String::from_utf8_lossy(name).into_owned(),
        }
    }

    /// `symbol (referred to by object)`.
    pub(crate) fn describe(&self, id: SymbolId) -> String {
        let object = self.symbol(id).object.0 as usize;
        format!("{} (referred to by {})", self.name(id), self.objects[object])
    }

    /// Name of the object that `atom` is from.
    pub(crate) fn object_name(&self, atom: &Atom<'_>) -> String {
        self.objects[atom.object.0 as usize].clone()
    }
}
