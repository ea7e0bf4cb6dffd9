//! Scripts of the specification's test suite (`.wast`) as programs that check themselves.
//!
//! For each module of a script there is one program: the module itself, and for each assertion a
//! function that calls an export with the assertion's arguments and compares the results bit for
//! bit. `_start` calls these functions in their order. An assertion that fails executes
//! `unreachable`, and the backtrace names the script and line, since these functions are named so.
//! A trap ends a program, so each assertion of one gets a program of its own, which first does what
//! the script did before.
//!
//! Directives that say what a module must be refused for are not read. Whatever else cannot be
//! expressed in one module is listed in [`Script::left_out`].
//!
//! Source: the reference interpreter's README, "Scripts".

mod module;
mod pattern;

use std::collections::HashMap;

use crate::execute::Executed;
use module::Module;
use pattern::{Constant, Pattern};
use wasmparser::ValType;
use wast::lexer::Lexer;
use wast::parser::{self, ParseBuffer};
use wast::token::{Id, Span};
use wast::{QuoteWat, Wast, WastArg, WastDirective, WastExecute, WastInvoke, WastRet};

/// What a script asks for.
#[derive(Debug)]
pub struct Script {
    /// In the order of the script.
    pub programs: Vec<Program>,
    /// Directives that no program executes.
    pub left_out: Vec<LeftOut>,
}

/// A module that checks itself.
#[derive(Debug)]
pub struct Program {
    /// Line of the module, or of the assertion of a trap.
    pub line: usize,
    /// The module; `_start` executes the assertions.
    pub wasm: Vec<u8>,
    /// How it must end.
    pub expected: Expected,
}

/// How a program must end.
#[derive(Debug, PartialEq, Eq)]
pub enum Expected {
    /// With exit code 0.
    Success,
    /// With a trap of this text, or of one that says more or less.
    Trap(String),
}

impl Expected {
    /// Compares with what a program did.
    ///
    /// # Errors
    /// It did something else.
    pub fn compare(&self, executed: &Executed) -> Result<(), String> {
        let said = String::from_utf8_lossy(&executed.stderr);
        let met = match self {
            Self::Success => executed.code == 0,
            Self::Trap(text) => {
                // Scripts leave the ends of messages open: "uninitialized element 2".
                let message = said.lines().next().and_then(|line| line.strip_prefix(TRAP_PREFIX));
                executed.code == EXIT_TRAP
                    && message.is_some_and(|message| {
                        message.starts_with(text.as_str()) || text.starts_with(message)
                    })
            }
        };
        if met {
            Ok(())
        } else {
            Err(format!("{self:?} expected, exit code {}\n{said}", executed.code))
        }
    }
}

/// Exit code of a program that trapped.
const EXIT_TRAP: i32 = 134;

/// What stands before a trap's text on standard error.
const TRAP_PREFIX: &str = "kiln: trap: ";

/// A directive that no program executes.
#[derive(Debug)]
pub struct LeftOut {
    /// Its line.
    pub line: usize,
    /// Why.
    pub reason: String,
}

/// Reads a script; `name` is what backtraces call it.
///
/// # Errors
/// It is not a script, or a module of it is invalid.
pub fn read(name: &str, text: &str) -> Result<Script, wast::Error> {
    let mut lexer = Lexer::new(text);
    // The scripts about names have such characters.
    lexer.allow_confusing_unicode(true);
    let buffer = ParseBuffer::new_with_lexer(lexer)?;
    let script: Wast<'_> = parser::parse(&buffer)?;
    let mut reader = Reader {
        name,
        lines: Lines::new(text),
        subjects: Vec::new(),
        named: HashMap::new(),
        current: None,
        left_out: Vec::new(),
    };
    for directive in script.directives {
        reader.directive(directive)?;
    }
    let programs = reader.subjects.iter().flat_map(|subject| subject.programs(name)).collect();
    Ok(Script { programs, left_out: reader.left_out })
}

/// What an assertion executes.
#[derive(Debug)]
enum Action {
    /// Calls the function of that index.
    Call(u32, Vec<Constant>),
    /// Reads the global of that index.
    Get(u32),
}

/// What must come of it.
#[derive(Debug)]
enum Outcome {
    /// Anything but a trap.
    Any,
    Return(Vec<Pattern>),
    Trap(String),
}

/// An assertion, or an action without one.
#[derive(Debug)]
struct Step {
    line: usize,
    action: Action,
    /// Types of what the action leaves.
    results: Vec<ValType>,
    outcome: Outcome,
}

/// A module and the steps that concern it.
struct Subject {
    line: usize,
    module: Module,
    steps: Vec<Step>,
    /// Why the module's state is not known any more, so that no further step can be taken.
    lost: Option<&'static str>,
}

impl Subject {
    fn programs(&self, name: &str) -> Vec<Program> {
        let is_trap = |step: &&Step| matches!(step.outcome, Outcome::Trap(_));
        let returning: Vec<&Step> = self.steps.iter().filter(|step| !is_trap(step)).collect();
        let mut programs = vec![Program {
            line: self.line,
            wasm: self.module.with_steps(name, &returning),
            expected: Expected::Success,
        }];
        for (position, step) in self.steps.iter().enumerate() {
            if let Outcome::Trap(message) = &step.outcome {
                let before = self.steps[..position].iter().filter(|step| !is_trap(step));
                let steps: Vec<&Step> = before.chain([step]).collect();
                programs.push(Program {
                    line: step.line,
                    wasm: self.module.with_steps(name, &steps),
                    expected: Expected::Trap(message.clone()),
                });
            }
        }
        programs
    }
}

struct Reader<'a> {
    name: &'a str,
    lines: Lines,
    subjects: Vec<Subject>,
    /// Positions in `subjects`; `None` for a module that is left out.
    named: HashMap<String, Option<usize>>,
    current: Option<usize>,
    left_out: Vec<LeftOut>,
}

impl Reader<'_> {
    fn directive(&mut self, directive: WastDirective<'_>) -> Result<(), wast::Error> {
        let span = directive.span();
        let done = match directive {
            WastDirective::Module(module) => self.module(module)?,
            WastDirective::Invoke(invoke) => self.invoke(&invoke, Outcome::Any),
            WastDirective::AssertReturn { exec, results, .. } => {
                match results.iter().map(expected_result).collect::<Result<_, _>>() {
                    Ok(results) => self.execute(&exec, Outcome::Return(results)),
                    // What it does counts for the steps after it.
                    Err(reason) => self.execute(&exec, Outcome::Any).and(Err(reason)),
                }
            }
            WastDirective::AssertTrap { exec, message, .. } => {
                self.execute(&exec, Outcome::Trap(message.to_owned()))
            }
            WastDirective::AssertExhaustion { call, message, .. } => {
                self.invoke(&call, Outcome::Trap(message.to_owned()))
            }
            WastDirective::AssertMalformed { .. }
            | WastDirective::AssertMalformedCustom { .. }
            | WastDirective::AssertInvalid { .. }
            | WastDirective::AssertInvalidCustom { .. } => Ok(()),
            WastDirective::Register { module, .. } => {
                if let Ok(subject) = self.subject(module) {
                    subject.lost = Some("other modules may have changed its module");
                }
                Err("it needs more than one module".to_owned())
            }
            _ => Err("it needs more than one module".to_owned()),
        };
        if let Err(reason) = done {
            self.left_out.push(LeftOut { line: self.lines.of(span), reason });
        }
        Ok(())
    }

    /// Makes a module the current one; the inner error says why it is left out.
    fn module(&mut self, mut module: QuoteWat<'_>) -> Result<Result<(), String>, wast::Error> {
        let (id, span) = (module.name(), module.span());
        let wasm = module.encode()?;
        let parsed = Module::parse(&wasm)
            .map_err(|error| wast::Error::new(span, format!("{}: {error}", self.name)))?;
        let (position, done) = if parsed.has_imports() {
            (None, Err("its module has imports".to_owned()))
        } else {
            let line = self.lines.of(span);
            self.subjects.push(Subject { line, module: parsed, steps: Vec::new(), lost: None });
            (Some(self.subjects.len() - 1), Ok(()))
        };
        self.current = position;
        if let Some(id) = id {
            self.named.insert(id.name().to_owned(), position);
        }
        Ok(done)
    }

    /// The module that a directive concerns.
    fn subject(&mut self, id: Option<Id<'_>>) -> Result<&mut Subject, String> {
        let position = match id {
            Some(id) => self.named.get(id.name()).copied().flatten(),
            None => self.current,
        };
        let subject = &mut self.subjects[position.ok_or("its module is left out")?];
        match subject.lost {
            Some(reason) => Err(reason.to_owned()),
            None => Ok(subject),
        }
    }

    fn execute(&mut self, execute: &WastExecute<'_>, outcome: Outcome) -> Result<(), String> {
        match execute {
            WastExecute::Invoke(invoke) => self.invoke(invoke, outcome),
            WastExecute::Get { span, module, global } => {
                let line = self.lines.of(*span);
                let subject = self.subject(*module)?;
                let (index, ty) = subject.module.global(global)?;
                let action = Action::Get(index);
                subject.steps.push(Step { line, action, results: vec![ty], outcome });
                Ok(())
            }
            WastExecute::Wat(_) => Err("instantiating a module must fail".to_owned()),
        }
    }

    fn invoke(&mut self, invoke: &WastInvoke<'_>, outcome: Outcome) -> Result<(), String> {
        let line = self.lines.of(invoke.span);
        let subject = self.subject(invoke.module)?;
        let arguments = invoke.args.iter().map(argument).collect::<Result<_, _>>();
        let arguments =
            arguments.inspect_err(|_| subject.lost = Some("a step before is left out"))?;
        let (index, results) = subject.module.function(invoke.name)?;
        let action = Action::Call(index, arguments);
        subject.steps.push(Step { line, action, results, outcome });
        Ok(())
    }
}

fn argument(argument: &WastArg<'_>) -> Result<Constant, String> {
    match argument {
        WastArg::Core(argument) => Constant::try_from(argument),
        _ => Err("an argument is a component's".to_owned()),
    }
}

fn expected_result(result: &WastRet<'_>) -> Result<Pattern, String> {
    match result {
        WastRet::Core(result) => Pattern::try_from(result),
        _ => Err("a result is a component's".to_owned()),
    }
}

/// Where the lines of a text begin.
struct Lines(Vec<usize>);

impl Lines {
    fn new(text: &str) -> Self {
        let after_newlines = text.match_indices('\n').map(|(at, _)| at + 1);
        Self(std::iter::once(0).chain(after_newlines).collect())
    }

    /// The line of a place, counted from 1.
    fn of(&self, span: Span) -> usize {
        self.0.partition_point(|&start| start <= span.offset())
    }
}
