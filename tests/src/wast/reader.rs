//! From a script's directives to programs.

use std::collections::{BTreeMap, HashMap};

use kiln_compiler::Error;
use wast::lexer::Lexer;
use wast::parser::{self, ParseBuffer};
use wast::token::{Id, Span};
use wast::{QuoteWat, Wast, WastArg, WastDirective, WastExecute, WastInvoke, WastRet, Wat};

use super::driver::{Action, Outcome, Step};
use super::module::{Export, Interface};
use super::pattern::{Constant, Pattern};
use super::program::{self, Instance, Program};
use super::{LeftOut, Refusal, Script, lacking, legacy};

/// Name that scripts import the host's module by.
const SPECTEST: &str = "spectest";

/// Memories that a program defines before a new one begins where it can.
const MEMORIES: usize = 6;

/// Reads a script; `name` is what backtraces call it.
///
/// # Errors
/// It is not a script, or a module of it is refused though it is valid.
pub fn read(name: &str, text: &str) -> Result<Script, String> {
    let text = &legacy::unfold(text);
    let mut lexer = Lexer::new(text);
    // The scripts about names have such characters.
    lexer.allow_confusing_unicode(true);
    let buffer = ParseBuffer::new_with_lexer(lexer).map_err(|error| error.to_string())?;
    let script: Wast<'_> = parser::parse(&buffer).map_err(|error| error.to_string())?;
    let mut reader = Reader::new(name, text)?;
    for directive in script.directives {
        let line = reader.lines.of(directive.span());
        match reader.directive(line, directive) {
            Ok(()) => {}
            Err(Stop::Lacking(proposal)) => reader.left_out.push(LeftOut { line, proposal }),
            Err(Stop::Fault(reason)) => return Err(format!("{name}:{line}: {reason}")),
        }
    }
    Ok(reader.finish())
}

/// Why a directive is not executed.
enum Stop {
    /// It concerns a proposal that is not supported.
    Lacking(String),
    /// Something is wrong with the script or with Kiln.
    Fault(String),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        lacking(&error).map_or_else(
            || Self::Fault(error.to_string()),
            |proposal| Self::Lacking(proposal.to_owned()),
        )
    }
}

impl From<wast::Error> for Stop {
    fn from(error: wast::Error) -> Self {
        Self::Fault(error.to_string())
    }
}

fn fault(reason: impl Into<String>) -> Stop {
    Stop::Fault(reason.into())
}

/// Something that a script does, by its position in the order of the script.
enum Event {
    /// An instance is part of the program from here on; by its position.
    Instance(usize),
    Step(Step),
    Registration,
}

/// A module that a script names, or why it is not there.
type Known<T> = Result<T, String>;

struct Reader<'a> {
    name: &'a str,
    lines: Lines,
    instances: Vec<Instance>,
    interfaces: Vec<Interface>,
    /// For each instance, the last event that has to do with it.
    last_uses: Vec<usize>,
    events: Vec<Event>,
    /// The instances that names stand for.
    named: HashMap<String, Known<usize>>,
    registered: HashMap<String, Known<usize>>,
    current: Option<Known<usize>>,
    definitions: HashMap<String, Known<Vec<u8>>>,
    last_definition: Option<Known<Vec<u8>>>,
    refusals: Vec<Refusal>,
    left_out: Vec<LeftOut>,
}

impl<'a> Reader<'a> {
    fn new(name: &'a str, text: &str) -> Result<Self, String> {
        let mut reader = Self {
            name,
            lines: Lines::new(text),
            instances: Vec::new(),
            interfaces: Vec::new(),
            last_uses: Vec::new(),
            events: Vec::new(),
            named: HashMap::new(),
            registered: HashMap::new(),
            current: None,
            definitions: HashMap::new(),
            last_definition: None,
            refusals: Vec::new(),
            left_out: Vec::new(),
        };
        let buffer = ParseBuffer::new(include_str!("spectest.wat"));
        let wasm = buffer.and_then(|buffer| parser::parse::<Wat<'_>>(&buffer)?.encode());
        let wasm = wasm.map_err(|error| error.to_string())?;
        let interface = Interface::read(&wasm).map_err(|error| error.to_string())?;
        reader.add(
            Instance { name: SPECTEST.to_owned(), wasm, providers: BTreeMap::new() },
            interface,
        );
        reader.registered.insert(SPECTEST.to_owned(), Ok(0));
        Ok(reader)
    }

    fn add(&mut self, instance: Instance, interface: Interface) -> usize {
        self.instances.push(instance);
        self.interfaces.push(interface);
        self.last_uses.push(0);
        self.instances.len() - 1
    }

    fn directive(&mut self, line: usize, directive: WastDirective<'_>) -> Result<(), Stop> {
        match directive {
            WastDirective::Module(mut module) => {
                let name = module.name().map(|id| id.name().to_owned());
                let made = self.wasm(&mut module).and_then(|wasm| self.instantiate(line, wasm));
                self.make_current(name, made)
            }
            WastDirective::ModuleDefinition(mut module) => {
                let name = module.name().map(|id| id.name().to_owned());
                let wasm = self.wasm(&mut module);
                let known = known(&wasm)?;
                self.definitions.extend(name.map(|name| (name, known.clone())));
                self.last_definition = Some(known);
                wasm.map(|_| self.events.push(Event::Registration))
            }
            WastDirective::ModuleInstance { instance, module, .. } => {
                let definition = match module {
                    Some(id) => self.definitions.get(id.name()).cloned(),
                    None => self.last_definition.clone(),
                };
                let wasm = definition.ok_or_else(|| fault("there is no such definition"))?;
                let made =
                    wasm.map_err(Stop::Lacking).and_then(|wasm| self.instantiate(line, wasm));
                self.make_current(instance.map(|id| id.name().to_owned()), made)
            }
            WastDirective::Register { name, module, .. } => {
                let instance = self.instance(module);
                self.registered.insert(name.to_owned(), known(&instance)?);
                instance.map(|_| self.events.push(Event::Registration))
            }
            WastDirective::Invoke(invoke) => self.invoke(line, &invoke, Outcome::Any),
            WastDirective::AssertReturn { exec, results, .. } => {
                match results.iter().map(expected_result).collect::<Result<_, _>>() {
                    Ok(results) => self.execute(line, exec, Outcome::Return(results)),
                    // What it does counts for the steps after it.
                    Err(stop) => self.execute(line, exec, Outcome::Any).and(Err(stop)),
                }
            }
            WastDirective::AssertTrap { exec, message, .. } => {
                self.execute(line, exec, Outcome::Trap(message.to_owned()))
            }
            WastDirective::AssertExhaustion { call, message, .. } => {
                self.invoke(line, &call, Outcome::Trap(message.to_owned()))
            }
            WastDirective::AssertException { exec, .. } => {
                self.execute(line, exec, Outcome::Exception)
            }
            WastDirective::AssertUnlinkable { module, message, .. } => {
                self.unlinkable(line, module, message)
            }
            WastDirective::AssertMalformed { module, .. }
            | WastDirective::AssertMalformedCustom { module, .. }
            | WastDirective::AssertInvalid { module, .. }
            | WastDirective::AssertInvalidCustom { module, .. } => self.refused(line, module),
            WastDirective::AssertSuspension { .. } => Err(Stop::Lacking("stack-switching".into())),
            WastDirective::Thread(_) | WastDirective::Wait { .. } => {
                Err(fault("threads of scripts are not known here"))
            }
        }
    }

    /// The bytes of a module that must be valid.
    fn wasm(&self, module: &mut QuoteWat<'_>) -> Result<Vec<u8>, Stop> {
        let wasm = module.encode()?;
        kiln_compiler::parse(&wasm)?;
        Ok(wasm)
    }

    fn make_current(
        &mut self,
        name: Option<String>,
        made: Result<usize, Stop>,
    ) -> Result<(), Stop> {
        let known = known(&made)?;
        self.named.extend(name.map(|name| (name, known.clone())));
        self.current = Some(known);
        made.map(|_| ())
    }

    /// What provides an instance's imports.
    fn providers(&self, interface: &Interface) -> Result<BTreeMap<String, String>, Stop> {
        let mut providers = BTreeMap::new();
        for (from, _) in &interface.imports {
            if let Some(instance) = self.registered.get(from) {
                let instance =
                    *instance.as_ref().map_err(|lacking| Stop::Lacking(lacking.clone()))?;
                providers.insert(from.clone(), self.instances[instance].name.clone());
            }
        }
        Ok(providers)
    }

    /// Adds an instance; it comes about when the program comes to it.
    fn instantiate(&mut self, line: usize, wasm: Vec<u8>) -> Result<usize, Stop> {
        self.instantiate_with(line, wasm, Outcome::Any)
    }

    fn instantiate_with(
        &mut self,
        line: usize,
        wasm: Vec<u8>,
        outcome: Outcome,
    ) -> Result<usize, Stop> {
        let interface = Interface::read(&wasm).map_err(|error| fault(error.to_string()))?;
        let providers = self.providers(&interface)?;
        let name = format!("{}, line {line}", self.instances.len());
        let at = self.events.len();
        for provider in providers.values() {
            // What is stateless of the host's module is the same in every program.
            let shared = provider != SPECTEST
                || interface.imports.iter().any(|(from, state)| from == SPECTEST && *state);
            if let Some(position) = self.position(provider).filter(|_| shared) {
                self.last_uses[position] = at + 1;
            }
        }
        let instance = self.add(Instance { name: name.clone(), wasm, providers }, interface);
        self.last_uses[instance] = at + 1;
        self.events.push(Event::Instance(instance));
        let action = Action::Instantiate(name);
        self.events.push(Event::Step(Step { line, action, outcome }));
        Ok(instance)
    }

    fn position(&self, name: &str) -> Option<usize> {
        self.instances.iter().position(|instance| instance.name == name)
    }

    /// The instance that a directive concerns.
    fn instance(&mut self, id: Option<Id<'_>>) -> Result<usize, Stop> {
        let instance = match id {
            Some(id) => self.named.get(id.name()),
            None => self.current.as_ref(),
        };
        let instance = instance.ok_or_else(|| fault("there is no such instance"))?;
        let instance = *instance.as_ref().map_err(|lacking| Stop::Lacking(lacking.clone()))?;
        self.last_uses[instance] = self.events.len();
        Ok(instance)
    }

    fn execute(
        &mut self,
        line: usize,
        execute: WastExecute<'_>,
        outcome: Outcome,
    ) -> Result<(), Stop> {
        match execute {
            WastExecute::Invoke(invoke) => self.invoke(line, &invoke, outcome),
            WastExecute::Get { module, global, .. } => {
                let instance = self.instance(module)?;
                match self.interfaces[instance].exports.get(global).cloned() {
                    Some(Export::Global { ty, mutable }) => {
                        let (name, export) = (self.instances[instance].name.clone(), global.into());
                        let action = Action::Get { instance: name, export, ty, mutable };
                        self.events.push(Event::Step(Step { line, action, outcome }));
                        Ok(())
                    }
                    _ => Err(fault(format!("no global is exported as {global:?}"))),
                }
            }
            WastExecute::Wat(module) => {
                let wasm = self.wasm(&mut QuoteWat::Wat(module))?;
                self.instantiate_with(line, wasm, outcome).map(|_| ())
            }
        }
    }

    fn invoke(
        &mut self,
        line: usize,
        invoke: &WastInvoke<'_>,
        outcome: Outcome,
    ) -> Result<(), Stop> {
        let instance = self.instance(invoke.module)?;
        let arguments = invoke.args.iter().map(argument).collect::<Result<_, _>>()?;
        match self.interfaces[instance].exports.get(invoke.name).cloned() {
            Some(Export::Function(ty)) => {
                let (name, export) = (self.instances[instance].name.clone(), invoke.name.into());
                let action = Action::Call { instance: name, export, ty, arguments };
                self.events.push(Event::Step(Step { line, action, outcome }));
                Ok(())
            }
            _ => Err(fault(format!("no function is exported as {:?}", invoke.name))),
        }
    }

    /// Links a module that must not link, with those that it imports from and theirs.
    fn unlinkable(&mut self, line: usize, module: Wat<'_>, message: &str) -> Result<(), Stop> {
        let wasm = self.wasm(&mut QuoteWat::Wat(module))?;
        let interface = Interface::read(&wasm).map_err(|error| fault(error.to_string()))?;
        let providers = self.providers(&interface)?;
        let instance = Instance { name: "unlinkable".to_owned(), wasm, providers };
        let mut needed: Vec<&Instance> = vec![&instance];
        let mut next = 0;
        while let Some(instance) = needed.get(next).copied() {
            for provider in instance.providers.values() {
                if !needed.iter().any(|known| known.name == *provider) {
                    needed.extend(self.position(provider).map(|at| &self.instances[at]));
                }
            }
            next += 1;
        }
        needed.sort_by_key(|instance| self.position(&instance.name).unwrap_or(usize::MAX));
        let said = program::with_sources(&needed, |sources| {
            kiln_compiler::link(sources).map(|_| ()).map_err(|(_, error)| error)
        });
        let error = said.err().filter(|error| match error {
            Error::UnknownImports(_) => message.starts_with("unknown import"),
            Error::IncompatibleImports(_) => message.starts_with("incompatible import type"),
            _ => false,
        });
        self.refusals.push(Refusal { line, error: error.map(|error| error.to_string()) });
        Ok(())
    }

    /// Parses a module that must be refused.
    fn refused(&mut self, line: usize, mut module: QuoteWat<'_>) -> Result<(), Stop> {
        let error = match module.encode() {
            Err(error) => Some(error.to_string()),
            Ok(wasm) => match kiln_compiler::parse(&wasm) {
                Ok(_) => None,
                Err(error) => match lacking(&error) {
                    // The specification knows more than Kiln, and may refuse it for another reason.
                    Some("gc") => return Err(Stop::Lacking("gc".to_owned())),
                    _ => Some(error.to_string()),
                },
            },
        };
        self.refusals.push(Refusal { line, error });
        Ok(())
    }

    /// Divides the events into programs.
    fn finish(self) -> Script {
        let mut programs = Vec::new();
        let mut program = self.program();
        let (mut memories, mut needed_until) = (0, self.last_uses[0]);
        for (at, event) in self.events.into_iter().enumerate() {
            if memories >= MEMORIES && at > needed_until {
                let next = Program {
                    script: program.script.clone(),
                    instances: vec![program.instances[0].clone()],
                    ..Program::default()
                };
                programs.push(std::mem::replace(&mut program, next));
                memories = 0;
            }
            match event {
                Event::Instance(instance) => {
                    memories += self.interfaces[instance].memories;
                    needed_until = needed_until.max(self.last_uses[instance]);
                    program.instances.push(self.instances[instance].clone());
                }
                Event::Step(step) => program.steps.push(step),
                Event::Registration => program.registrations += 1,
            }
        }
        programs.push(program);
        programs.retain(|program| program.directives() > 0);
        Script { programs, refusals: self.refusals, left_out: self.left_out }
    }

    /// A program with the host's module alone.
    fn program(&self) -> Program {
        Program {
            script: self.name.to_owned(),
            instances: vec![self.instances[0].clone()],
            ..Program::default()
        }
    }
}

/// What is known of something that was made; a fault is passed on.
fn known<T: Clone>(made: &Result<T, Stop>) -> Result<Known<T>, Stop> {
    match made {
        Ok(made) => Ok(Ok(made.clone())),
        Err(Stop::Lacking(proposal)) => Ok(Err(proposal.clone())),
        Err(Stop::Fault(reason)) => Err(Stop::Fault(reason.clone())),
    }
}

fn argument(argument: &WastArg<'_>) -> Result<Constant, Stop> {
    match argument {
        WastArg::Core(argument) => Constant::try_from(argument).map_err(Stop::Lacking),
        _ => Err(fault("an argument is a component's")),
    }
}

fn expected_result(result: &WastRet<'_>) -> Result<Pattern, Stop> {
    match result {
        WastRet::Core(result) => Pattern::try_from(result).map_err(Stop::Lacking),
        _ => Err(fault("a result is a component's")),
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
