//! Symbol resolution: every name gets one definition, and archive members come in when needed.
//!
//! Guarantees that of several definitions a strong one wins over a common one over a weak one,
//! that two strong ones are an error, and that the outcome depends on the order of the inputs
//! alone.

use super::LinkError;
use super::input;
use super::program::{Atom, Definition, ImportName, Kind, ObjectId, Program, Symbol, SymbolId};
use crate::{ObjectFormat, macho};
use object::coff::ImportFile;
use object::read::archive::ArchiveFile;
use object::read::{FileKind, Object, ObjectSymbol};
use std::borrow::Cow;
use std::collections::HashMap;

/// What a PE import's pointer is named by: PE Format, "Import Library Format".
const IMPORT_SLOT_PREFIX: &[u8] = b"__imp_";

/// Makes `name`, as `object` knows it, one with what the other objects know by that name.
pub(crate) fn declare<'a>(
    program: &mut Program<'a>,
    name: &'a [u8],
    object: ObjectId,
    definition: Definition<'a>,
) -> Result<SymbolId, LinkError> {
    let Some(&id) = program.globals.get(name) else {
        let id = program.add_symbol(Symbol { name: Cow::Borrowed(name), object, definition });
        program.globals.insert(name, id);
        return Ok(id);
    };
    let symbol = &mut program.symbols[id.0 as usize];
    match prefer(symbol.definition, definition) {
        Some(definition) => {
            let taken = definition != symbol.definition;
            symbol.definition = definition;
            if taken {
                symbol.object = object;
            }
            Ok(id)
        }
        None => Err(LinkError::Duplicate {
            symbol: String::from_utf8_lossy(name).into_owned(),
            first: program.objects[program.symbol(id).object.0 as usize].clone(),
            second: program.objects[object.0 as usize].clone(),
        }),
    }
}

/// Which of two definitions of a name counts; `None` if both claim to be the only one.
fn prefer<'a>(old: Definition<'a>, new: Definition<'a>) -> Option<Definition<'a>> {
    use Definition::{
        Alias, Atom, Common, Discarded, Import, ImportSlot, Undefined, UndefinedWeak,
    };
    Some(match (old, new) {
        (UndefinedWeak, Undefined) => Undefined,
        (_, Undefined | UndefinedWeak | Discarded) => old,
        (Undefined | UndefinedWeak | Discarded | Alias(_), _) => new,
        (_, Alias(_)) => old,
        (Common { size: a, align: b }, Common { size: c, align: d }) => {
            Common { size: a.max(c), align: b.max(d) }
        }
        (_, Atom { weak: true, .. }) => old,
        (Atom { weak: true, .. }, _) => new,
        (_, Common { .. }) => old,
        (Common { .. } | Import { .. } | ImportSlot { .. }, _) => new,
        (_, Import { .. } | ImportSlot { .. }) => old,
        _ => return None,
    })
}

/// Reads the members of `archive` that define what the program lacks, again and again until
/// nothing more is found.
pub(crate) fn pull_members<'a>(
    program: &mut Program<'a>,
    archive: &'a [u8],
) -> Result<(), LinkError> {
    let mut members = read_archive(program, archive)?;
    let mut definers = HashMap::new();
    for (index, member) in members.iter_mut().enumerate() {
        for symbol in std::mem::take(&mut member.defined) {
            definers.entry(symbol).or_insert(index);
        }
    }
    let mut pulled = vec![false; members.len()];
    loop {
        let before = program.objects.len();
        let mut next = 0;
        while next < program.symbols.len() {
            let symbol = &program.symbols[next];
            next += 1;
            if symbol.definition != Definition::Undefined {
                continue;
            }
            if let Some(&index) = definers.get(&*symbol.name)
                && !std::mem::replace(&mut pulled[index], true)
            {
                members[index].read(program)?;
            }
        }
        // A member may have made a strong reference of a weak one that was passed already.
        if program.objects.len() == before {
            return Ok(());
        }
    }
}

/// A member of an archive.
struct Member<'a> {
    name: String,
    content: Content<'a>,
    /// Names of the symbols that it defines.
    defined: Vec<Cow<'a, [u8]>>,
}

enum Content<'a> {
    Object(&'a [u8]),
    Import(ImportFile<'a>),
}

impl<'a> Member<'a> {
    fn read(&self, program: &mut Program<'a>) -> Result<(), LinkError> {
        match &self.content {
            Content::Object(data) => input::read(program, &self.name, data),
            Content::Import(import) => self.declare_import(program, import),
        }
    }

    /// Declares what a member of an import library stands for: the function, and the pointer to
    /// it where an object refers to that.
    fn declare_import(
        &self,
        program: &mut Program<'a>,
        import: &ImportFile<'a>,
    ) -> Result<(), LinkError> {
        program.objects.push(self.name.clone());
        let object = ObjectId(u32::try_from(program.objects.len() - 1).expect("few objects"));
        let name = match import.import() {
            object::coff::ImportName::Name(name) => ImportName::Name(name),
            object::coff::ImportName::Ordinal(ordinal) => ImportName::Ordinal(ordinal),
        };
        let definition = Definition::Import { library: import.dll(), name };
        let function = declare(program, import.symbol(), object, definition)?;
        let slot = [IMPORT_SLOT_PREFIX, import.symbol()].concat();
        if let Some((&slot, _)) = program.globals.get_key_value(&*slot) {
            declare(program, slot, object, Definition::ImportSlot { of: function })?;
        }
        Ok(())
    }
}

fn read_archive<'a>(
    program: &Program<'_>,
    archive: &'a [u8],
) -> Result<Vec<Member<'a>>, LinkError> {
    let malformed = |error: object::Error| input::malformed("the runtime archive", &error);
    let file = ArchiveFile::parse(archive).map_err(malformed)?;
    let mut members = Vec::new();
    for member in file.members() {
        let member = member.map_err(malformed)?;
        let name = String::from_utf8_lossy(member.name()).into_owned();
        let data = member.data(archive).map_err(malformed)?;
        members.push(match FileKind::parse(data) {
            Ok(FileKind::CoffImport) => read_import(name, data)?,
            _ => read_member(program, name, data)?,
        });
    }
    Ok(members)
}

fn read_import(name: String, data: &[u8]) -> Result<Member<'_>, LinkError> {
    let import = ImportFile::parse(data).map_err(|error| input::malformed(&name, &error))?;
    let slot = [IMPORT_SLOT_PREFIX, import.symbol()].concat();
    let defined = vec![Cow::Borrowed(import.symbol()), Cow::Owned(slot)];
    Ok(Member { name, content: Content::Import(import), defined })
}

fn read_member<'a>(
    program: &Program<'_>,
    name: String,
    data: &'a [u8],
) -> Result<Member<'a>, LinkError> {
    let file = input::parse(program, &name, data)?;
    let mut defined = Vec::new();
    for symbol in file.symbols() {
        if symbol.is_global() && (symbol.is_definition() || symbol.is_common()) {
            let symbol = symbol.name_bytes().map_err(|error| input::malformed(&name, &error))?;
            defined.push(Cow::Borrowed(symbol));
        }
    }
    Ok(Member { name, content: Content::Object(data), defined })
}

/// Binds what is still undefined to the system's library, where the target has one that every
/// executable is linked with.
pub(crate) fn bind_system_library(program: &mut Program<'_>) {
    if program.target.format != ObjectFormat::MachO {
        return;
    }
    for symbol in &mut program.symbols {
        if matches!(symbol.definition, Definition::Undefined)
            && let Some(name) = macho::libsystem_symbol(&symbol.name)
        {
            let name = ImportName::Name(name.as_bytes());
            symbol.definition = Definition::Import { library: macho::LIBSYSTEM.as_bytes(), name };
        }
    }
}

/// Gives the common symbols that no object defines a place of their own.
pub(crate) fn allocate_commons(program: &mut Program<'_>) {
    for index in 0..program.symbols.len() {
        let Symbol { object, definition, .. } = program.symbols[index];
        let Definition::Common { size, align } = definition else { continue };
        let atom = program.add_atom(Atom {
            object,
            kind: Kind::Zero,
            data: Cow::Borrowed(&[]),
            size,
            align,
            relocations: Vec::new(),
            attached: Vec::new(),
            retained: false,
            live: false,
            address: 0,
            section: 0,
        });
        program.symbols[index].definition = Definition::Atom { atom, offset: 0, weak: false };
    }
}
