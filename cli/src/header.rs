//! The C header of a library: what its module exports, as C declares it.
//!
//! A C name is the library's, what is done, and the export's name, with underscores between them.
//! Letters, digits and underscores stand for themselves, except `Z`, which begins an escape: `Z` and
//! two hexadecimal digits stand for any other byte. So two names are never the same, and those that C
//! allows stay as they are unless they hold a `Z`.

use std::fmt::Write as _;

use kiln_abi::library::{ALREADY_INSTANTIATED, EXITED, NOT_INSTANTIATED, OK, START_FAILED};
use kiln_abi::symbol::{LIBRARY_EXIT_CODE, LIBRARY_MESSAGE};
use kiln_abi::trap::TrapCode;
use kiln_compiler::{Export, ExportItem, INSTANTIATE, Number, Program};
use kiln_targets::link;

/// A library's interface in C.
#[derive(Debug)]
pub(crate) struct Header<'a> {
    /// What its C names begin with.
    prefix: String,
    exports: &'a [Export<'a>],
}

/// What C programs can do with an export: the function's part of its name, the symbol behind it, and
/// its declaration around that name.
struct Function {
    name: String,
    symbol: String,
    result: &'static str,
    parameters: String,
}

impl<'a> Header<'a> {
    /// The interface of the library `program`, which is known as `name`.
    pub(crate) fn new(name: &str, program: &'a Program<'a>) -> Self {
        let mut prefix = identifier(name);
        if prefix.starts_with(|c: char| c.is_ascii_digit()) {
            prefix = format!("Z{:02X}{}", prefix.as_bytes()[0], &prefix[1..]);
        }
        Self { prefix, exports: program.exports() }
    }

    /// What the linker exports.
    pub(crate) fn symbols(&self) -> Vec<link::Export> {
        let own = self.own_functions();
        let functions = (0..).zip(self.exports).flat_map(|(at, export)| self.functions(at, export));
        own.into_iter()
            .chain(functions)
            .map(|function| link::Export { name: function.name, symbol: function.symbol })
            .collect()
    }

    /// What every library has.
    fn own_functions(&self) -> [Function; 3] {
        [
            ("instantiate", INSTANTIATE, "int", "void"),
            ("message", LIBRARY_MESSAGE, "const char *", "int code"),
            ("exit_code", LIBRARY_EXIT_CODE, "uint32_t", "void"),
        ]
        .map(|(name, symbol, result, parameters)| Function {
            name: format!("{}_{name}", self.prefix),
            symbol: symbol.to_owned(),
            result,
            parameters: parameters.to_owned(),
        })
    }

    fn functions(&self, position: usize, export: &Export<'_>) -> Vec<Function> {
        let [first, second] = Export::symbols(position);
        let function = |verb: &str, symbol: String, result, parameters: String| Function {
            name: format!("{}_{verb}_{}", self.prefix, identifier(export.name)),
            symbol,
            result,
            parameters,
        };
        let void = || "void".to_owned();
        match &export.item {
            ExportItem::Function { parameters, results, .. } => {
                vec![function("call", first, "int", declare(parameters, results))]
            }
            ExportItem::Memory { .. } => vec![
                function("memory", first, "uint8_t *", void()),
                function("size", second, "uint64_t", void()),
            ],
            ExportItem::Global { ty, mutable, .. } => {
                let mut both = vec![function("get", first, c_type(*ty), void())];
                if *mutable {
                    both.push(function("set", second, "void", format!("{} value", c_type(*ty))));
                }
                both
            }
            ExportItem::LeftOut => vec![],
        }
    }

    /// The header's text.
    pub(crate) fn text(&self) -> String {
        let prefix = &self.prefix;
        let mut text = INTRODUCTION.replace("NAME", prefix);
        let mut line = |line: String| {
            text.push_str(&line);
            text.push('\n');
        };
        for (name, code) in self.codes() {
            line(format!("  {prefix}_{name} = {code},"));
        }
        line("};\n".to_owned());
        let comments = [
            "/* Makes the instance: once in a process, before anything else. */",
            "/* What a code means, in words. */",
            "/* What the module said when it last ended itself. */",
        ];
        for (function, comment) in self.own_functions().iter().zip(comments) {
            line(format!("{comment}\n{}\n", function.declaration()));
        }
        for (position, export) in self.exports.iter().enumerate() {
            let what = comment(&format!("{}: {}", export.name, export.description));
            let functions = self.functions(position, export);
            let left_out =
                if functions.is_empty() { "; left out, as C has no type for it" } else { "" };
            line(format!("/* {what}{left_out} */"));
            functions.iter().for_each(|function| line(function.declaration()));
            line(String::new());
        }
        line(CONCLUSION.to_owned());
        text
    }

    /// The names and numbers of all codes.
    fn codes(&self) -> Vec<(String, u32)> {
        let own = [
            ("EXITED", EXITED),
            ("NOT_INSTANTIATED", NOT_INSTANTIATED),
            ("ALREADY_INSTANTIATED", ALREADY_INSTANTIATED),
            ("START_FAILED", START_FAILED),
        ];
        let traps = TrapCode::ALL.iter().map(|&code| {
            let words = code.text().to_ascii_uppercase().replace(' ', "_");
            (format!("TRAP_{words}"), code as u32)
        });
        let first = [("OK".to_owned(), OK)].into_iter();
        first.chain(traps).chain(own.map(|(name, code)| (name.to_owned(), code))).collect()
    }
}

impl Function {
    fn declaration(&self) -> String {
        let space = if self.result.ends_with('*') { "" } else { " " };
        format!("{}{space}{}({});", self.result, self.name, self.parameters)
    }
}

/// The parameters of a function in C: its own, and a pointer for each result.
fn declare(parameters: &[Number], results: &[Number]) -> String {
    if parameters.is_empty() && results.is_empty() {
        return "void".to_owned();
    }
    let parameters = parameters.iter().enumerate().map(|(at, &ty)| format!("{} p{at}", c_type(ty)));
    let results = results.iter().enumerate().map(|(at, &ty)| format!("{} *r{at}", c_type(ty)));
    parameters.chain(results).collect::<Vec<_>>().join(", ")
}

fn c_type(ty: Number) -> &'static str {
    match ty {
        Number::I32 => "uint32_t",
        Number::I64 => "uint64_t",
        Number::F32 => "float",
        Number::F64 => "double",
    }
}

/// A name as a part of a C name.
fn identifier(name: &str) -> String {
    let mut text = String::new();
    for byte in name.bytes() {
        if (byte.is_ascii_alphanumeric() && byte != b'Z') || byte == b'_' {
            text.push(byte.into());
        } else {
            write!(text, "Z{byte:02X}").expect("a string takes any text");
        }
    }
    text
}

/// Text that does not end the comment it stands in.
fn comment(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_ascii_graphic() || c == ' ' { c } else { '?' })
        .collect::<String>()
        .replace("*/", "* /")
        .replace("/*", "/ *")
}

const INTRODUCTION: &str = "\
/* Written by Kiln: a WebAssembly module as a C library.
 *
 * The module has one instance in a process. What traps, ends itself or cannot begin returns a code
 * and leaves the process alone; after a trap, further calls are possible, and find memory and globals
 * as the trap left them. Results are written when the code is NAME_OK alone.
 *
 * Threads may call at the same time: each call waits until the one before it has returned. A signal
 * handler must not call. Memory may be read and written between calls; its address stays, its size
 * may grow during a call. Calls run on a stack of the module's own; on Windows on the caller's.
 *
 * NAME_instantiate sets handlers of faults, which pass on what is not the module's own to those that
 * were there before. Who sets others later must pass on in turn, and the library must stay loaded.
 * Memory that it takes is never given back.
 */
#ifndef KILN_NAME_H
#define KILN_NAME_H

#include <stdint.h>

#ifdef __cplusplus
extern \"C\" {
#endif

/* What NAME_instantiate and every NAME_call_... return. */
enum NAME_code {
";

const CONCLUSION: &str = "\
#ifdef __cplusplus
}
#endif

#endif";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_differ_stay_different() {
        assert_eq!(identifier("malloc"), "malloc");
        assert_eq!(identifier("a-b"), "aZ2Db");
        assert_eq!(identifier("aZ2Db"), "aZ5A2Db");
        assert_eq!(identifier(""), "");
        assert_eq!(identifier("\u{e4}"), "ZC3ZA4");
    }

    #[test]
    fn a_comment_stays_one() {
        assert_eq!(comment("a*/ b /*\n"), "a* / b / *?");
    }

    #[test]
    fn results_are_pointers_behind_the_parameters() {
        assert_eq!(declare(&[], &[]), "void");
        let text = declare(&[Number::I32, Number::F64], &[Number::I64, Number::F32]);
        assert_eq!(text, "uint32_t p0, double p1, uint64_t *r0, float *r1");
    }
}
