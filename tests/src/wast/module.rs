//! What a module of a script exports, with types that mean the same in any module.

use std::collections::HashMap;
use std::sync::Arc;

use wasmparser::types::{CoreTypeId, EntityType, TypesRef};
use wasmparser::{
    AbstractHeapType, CompositeInnerType, HeapType, Parser, Payload, ValType, Validator,
    WasmFeatures,
};

/// A type.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Type {
    Number(ValType),
    Reference { nullable: bool, heap: Heap },
}

/// What a reference refers to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Heap {
    Abstract(AbstractHeapType),
    Function(Arc<FunctionType>),
}

/// A function type.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct FunctionType {
    pub(super) parameters: Vec<Type>,
    pub(super) results: Vec<Type>,
}

/// What actions can name.
#[derive(Debug, Clone)]
pub(super) enum Export {
    Function(Arc<FunctionType>),
    Global { ty: Type, mutable: bool },
}

/// What is to be known of a valid module.
#[derive(Debug, Default, Clone)]
pub(super) struct Interface {
    pub(super) exports: HashMap<String, Export>,
    /// The module names that it imports from; with it, whether something is imported that holds
    /// state: a table or a memory.
    pub(super) imports: Vec<(String, bool)>,
    /// Number of memories that it defines.
    pub(super) memories: usize,
}

impl Interface {
    pub(super) fn read(wasm: &[u8]) -> wasmparser::Result<Self> {
        let types = Validator::new_with_features(WasmFeatures::all()).validate_all(wasm)?;
        let mut interface = Self::default();
        for payload in Parser::new(0).parse_all(wasm) {
            match payload? {
                Payload::ImportSection(imports) => {
                    for import in imports.into_imports() {
                        let import = import?;
                        let holds_state = matches!(
                            import.ty,
                            wasmparser::TypeRef::Memory(_) | wasmparser::TypeRef::Table(_)
                        );
                        interface.imports.push((import.module.to_owned(), holds_state));
                    }
                }
                Payload::MemorySection(memories) => interface.memories = memories.count() as usize,
                Payload::ExportSection(exports) => {
                    for export in exports {
                        let export = export?;
                        let entity = types.as_ref().entity_type_from_export(&export);
                        let entity = entity.and_then(|entity| read(types.as_ref(), &entity));
                        interface
                            .exports
                            .extend(entity.map(|entity| (export.name.to_owned(), entity)));
                    }
                }
                _ => {}
            }
        }
        Ok(interface)
    }
}

fn read(types: TypesRef<'_>, entity: &EntityType) -> Option<Export> {
    match entity {
        EntityType::Func(id) | EntityType::FuncExact(id) => {
            Some(Export::Function(function_type(types, *id)?))
        }
        EntityType::Global(global) => {
            let ty = value_type(types, global.content_type)?;
            Some(Export::Global { ty, mutable: global.mutable })
        }
        _ => None,
    }
}

/// `None` for a type that is not one of functions.
fn function_type(types: TypesRef<'_>, id: CoreTypeId) -> Option<Arc<FunctionType>> {
    let CompositeInnerType::Func(ty) = &types[id].composite_type.inner else { return None };
    let list = |list: &[ValType]| -> Option<Vec<Type>> {
        list.iter().map(|&ty| value_type(types, ty)).collect()
    };
    Some(Arc::new(FunctionType { parameters: list(ty.params())?, results: list(ty.results())? }))
}

fn value_type(types: TypesRef<'_>, ty: ValType) -> Option<Type> {
    let ValType::Ref(reference) = ty else { return Some(Type::Number(ty)) };
    let heap = match reference.heap_type() {
        HeapType::Abstract { ty, .. } => Heap::Abstract(ty),
        HeapType::Concrete(index) | HeapType::Exact(index) => {
            Heap::Function(function_type(types, index.as_core_type_id()?)?)
        }
    };
    Some(Type::Reference { nullable: reference.is_nullable(), heap })
}
