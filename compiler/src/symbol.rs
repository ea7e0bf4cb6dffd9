//! What compiled code refers to, before any of it has an address.
//!
//! Code generation knows a symbol by a pair of numbers; an object knows it by its name.

use crate::program::{Export, INSTANTIATE, Spaces};
use cranelift_codegen::ir::UserExternalName;
use kiln_abi::symbol::builtin;
use kiln_abi::trap::TrapCode;
use kiln_abi::wasi;

/// A thing with an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Symbol {
    /// The code of a function with a body, by its index.
    Function(u32),
    /// Code in the convention of compiled code that calls a function of the host, by its index.
    Trampoline(u32),
    /// The program's entry point.
    Entry,
    /// Where threads begin that the program starts.
    ThreadEntry,
    /// Makes a library's instance, for C programs.
    Instantiate,
    /// What the runtime calls for that.
    InstantiateWork,
    /// What that calls, in the convention of compiled code.
    Begin,
    /// What C programs call for an export of a library, by its position.
    Export(u32),
    /// What the runtime calls for an exported function, or C programs for what else there is of an
    /// export.
    ExportSecond(u32),
    /// A call of the runtime that is not WASI.
    Builtin(Builtin),
    /// Code in the convention of compiled code that calls the runtime with its own frame pointer.
    Throw(Builtin),
    /// A WASI function, by its position in [`wasi::FUNCTIONS`].
    Wasi(u32),
    /// A piece of the program's data.
    Data(Data),
}

macro_rules! builtins {
    ($($name:ident = $symbol:ident($($parameter:ident)*) $(-> $result:ident)?;)*) => {
        /// A call of the runtime that is not WASI.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub(crate) enum Builtin { $($name,)* }

        impl Builtin {
            const ALL: &[Self] = &[$(Self::$name,)*];

            pub(crate) fn name(self) -> &'static str {
                match self { $(Self::$name => builtin::$symbol,)* }
            }

            /// What the call traps with when it does.
            pub(crate) fn trap(self) -> Option<TrapCode> {
                match self {
                    Self::MemoryCopy
                    | Self::MemoryFill
                    | Self::MemoryInit
                    | Self::AtomicWait32
                    | Self::AtomicWait64
                    | Self::AtomicNotify => Some(TrapCode::MemoryOutOfBounds),
                    Self::TableCopy | Self::TableFill | Self::TableInit => {
                        Some(TrapCode::TableOutOfBounds)
                    }
                    _ => None,
                }
            }

            /// Types of the parameters, and of the result.
            pub(crate) fn signature(self) -> (&'static [wasi::Type], Option<wasi::Type>) {
                match self {
                    $(Self::$name => (
                        &[$(wasi::Type::$parameter,)*],
                        [$(wasi::Type::$result,)?].first().copied(),
                    ),)*
                }
            }
        }
    };
}

builtins! {
    Throw = THROW(I32 I64 I32 I64);
    ThrowReference = THROW_REFERENCE(I64 I64);
    ExceptionKeep = EXCEPTION_KEEP(I64) -> I64;
    ExceptionCopy = EXCEPTION_COPY(I64 I64);
    TrapCaught = TRAP_CAUGHT();
    MemoryGrow = MEMORY_GROW(I64 I64) -> I64;
    MemoryCopy = MEMORY_COPY(I64 I64 I64 I64 I64);
    MemoryFill = MEMORY_FILL(I64 I64 I32 I64);
    MemoryInit = MEMORY_INIT(I64 I64 I64 I64 I64);
    TableGrow = TABLE_GROW(I64 I64 I64 I64) -> I64;
    TableFill = TABLE_FILL(I64 I64 I64 I64 I64);
    TableCopy = TABLE_COPY(I64 I64 I64 I64 I64);
    TableInit = TABLE_INIT(I64 I64 I64 I64 I64);
    AtomicWait32 = ATOMIC_WAIT32(I64 I64 I32 I64) -> I32;
    AtomicWait64 = ATOMIC_WAIT64(I64 I64 I64 I64) -> I32;
    AtomicNotify = ATOMIC_NOTIFY(I64 I64 I32) -> I32;
    ThreadBegin = THREAD_BEGIN(I64) -> I64;
    ThreadSpawn = THREAD_SPAWN(I64 I32) -> I32;
    LibraryInstantiate = LIBRARY_INSTANTIATE(I64) -> I32;
    LibraryBegin = LIBRARY_BEGIN();
    LibraryCall = LIBRARY_CALL(I64 I64) -> I32;
}

/// A piece of the program's data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Data {
    /// The array of [`kiln_abi::program::Memory`].
    Memories,
    /// The array of [`kiln_abi::table::Table`].
    Tables,
    /// 16 bytes for each global.
    Globals,
    /// The array of [`kiln_abi::table::Element`] behind function references; a null entry ends it.
    References,
    /// The array of [`kiln_abi::program::DataSegment`].
    Segments,
    /// The array of [`kiln_abi::table::ElementSegment`].
    ElementSegments,
    /// The entries of a table, by its index.
    TableElements(u32),
    /// The bytes of a data segment, by its index.
    SegmentBytes(u32),
    /// The entries of an element segment, by its index.
    SegmentElements(u32),
    /// The [`kiln_abi::thread::Threads`] record.
    Threads,
    /// What each thread has of its own, as it is at first.
    Template,
}

impl Data {
    const UNIQUE: [Self; 8] = [
        Self::Memories,
        Self::Tables,
        Self::Globals,
        Self::References,
        Self::Segments,
        Self::ElementSegments,
        Self::Threads,
        Self::Template,
    ];
}

/// Size of a global's slot in bytes.
pub(crate) const GLOBAL_SIZE: u64 = 16;

impl Symbol {
    pub(crate) fn encode(self) -> UserExternalName {
        let (namespace, index) = match self {
            Self::Function(index) => (0, index),
            Self::Trampoline(index) => (1, index),
            Self::Entry => (2, 0),
            Self::ThreadEntry => (10, 0),
            Self::Instantiate => (11, 0),
            Self::InstantiateWork => (11, 1),
            Self::Begin => (11, 2),
            Self::Export(position) => (12, position),
            Self::ExportSecond(position) => (13, position),
            Self::Builtin(builtin) => (3, builtin as u32),
            Self::Wasi(index) => (4, index),
            Self::Throw(builtin) => (9, builtin as u32),
            Self::Data(Data::TableElements(index)) => (6, index),
            Self::Data(Data::SegmentBytes(index)) => (7, index),
            Self::Data(Data::SegmentElements(index)) => (8, index),
            Self::Data(data) => {
                let index = Data::UNIQUE.iter().position(|unique| *unique == data);
                (5, index.expect("every other piece is listed") as u32)
            }
        };
        UserExternalName::new(namespace, index)
    }

    /// The inverse of [`Symbol::encode`].
    pub(crate) fn decode(name: &UserExternalName) -> Self {
        let index = name.index;
        match name.namespace {
            0 => Self::Function(index),
            1 => Self::Trampoline(index),
            2 => Self::Entry,
            3 => Self::Builtin(Builtin::ALL[index as usize]),
            4 => Self::Wasi(index),
            5 => Self::Data(Data::UNIQUE[index as usize]),
            6 => Self::Data(Data::TableElements(index)),
            7 => Self::Data(Data::SegmentBytes(index)),
            8 => Self::Data(Data::SegmentElements(index)),
            9 => Self::Throw(Builtin::ALL[index as usize]),
            10 => Self::ThreadEntry,
            11 if index == 0 => Self::Instantiate,
            11 if index == 1 => Self::InstantiateWork,
            11 => Self::Begin,
            12 => Self::Export(index),
            13 => Self::ExportSecond(index),
            other => unreachable!("no symbol has namespace {other}"),
        }
    }

    /// The symbol's name in an object. Functions have the name they have in wasm; since it may
    /// be anything, such symbols are local to the object.
    pub(crate) fn name(self, spaces: &Spaces<'_>) -> String {
        match self {
            Self::Function(index) => spaces.function_name(index),
            Self::Trampoline(index) => format!("{}.trampoline", spaces.function_name(index)),
            Self::Entry => kiln_abi::symbol::ENTRY.to_owned(),
            Self::ThreadEntry => "kiln_thread_entry".to_owned(),
            Self::Instantiate => INSTANTIATE.to_owned(),
            Self::InstantiateWork => "kiln_instantiate_work".to_owned(),
            Self::Begin => "kiln_begin".to_owned(),
            Self::Export(position) => Export::symbols(position as usize)[0].clone(),
            Self::ExportSecond(position) => Export::symbols(position as usize)[1].clone(),
            Self::Builtin(builtin) => builtin.name().to_owned(),
            Self::Throw(builtin) => format!("{}.trampoline", builtin.name()),
            Self::Wasi(index) => wasi::FUNCTIONS[index as usize].symbol.to_owned(),
            Self::Data(data) => match data {
                Data::Memories => "kiln_memories".to_owned(),
                Data::Tables => "kiln_tables".to_owned(),
                Data::Globals => "kiln_globals".to_owned(),
                Data::References => "kiln_references".to_owned(),
                Data::Segments => "kiln_data_segments".to_owned(),
                Data::ElementSegments => "kiln_element_segments".to_owned(),
                Data::TableElements(index) => format!("kiln_table_{index}"),
                Data::SegmentBytes(index) => format!("kiln_data_{index}"),
                Data::SegmentElements(index) => format!("kiln_elements_{index}"),
                Data::Threads => "kiln_threads".to_owned(),
                Data::Template => "kiln_thread_template".to_owned(),
            },
        }
    }
}
