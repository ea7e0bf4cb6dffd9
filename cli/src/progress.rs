//! How far compiling got, on standard error: a bar per target on a terminal, one line per
//! finished target elsewhere, nothing when that is asked for.

use std::io::{IsTerminal as _, stderr};
use std::time::{Duration, Instant};

use indicatif::{DecimalBytes, MultiProgress, ProgressBar, ProgressStyle};
use kiln_targets::Target;

use crate::report;

/// The display of one run, shared by its targets.
#[derive(Debug)]
pub(crate) struct Display {
    /// On a terminal only.
    bars: Option<MultiProgress>,
    /// Whether finished targets and written files get a line.
    lines: bool,
}

impl Display {
    /// For `kiln build`.
    pub(crate) fn new(quiet: bool) -> Self {
        Self { lines: !quiet, ..Self::transient(quiet) }
    }

    /// For `kiln run`: a bar that vanishes, so that the program has standard error to itself.
    pub(crate) fn transient(quiet: bool) -> Self {
        let quiet = quiet || report::is_json();
        let bars = (!quiet && stderr().is_terminal()).then(MultiProgress::new);
        Self { bars, lines: false }
    }

    /// Begins a target with that many functions to compile.
    pub(crate) fn begin(&self, target: &'static Target, functions: usize) -> TargetProgress<'_> {
        let bar = self.bars.as_ref().map_or_else(ProgressBar::hidden, |bars| {
            let style = "{prefix:<14} {wide_bar} {human_pos}/{human_len} functions";
            let style = ProgressStyle::with_template(style).expect("the template is well-formed");
            bars.add(ProgressBar::new(functions as u64).with_style(style).with_prefix(target.name))
        });
        TargetProgress { display: self, target, bar, began: Instant::now() }
    }

    /// Tells which files were written.
    pub(crate) fn wrote(&self, what: &str) {
        self.line(&format!("wrote {what}"));
    }

    fn line(&self, text: &str) {
        if !self.lines {
            return;
        }
        match &self.bars {
            Some(bars) => bars.suspend(|| report::note(text)),
            None => report::note(text),
        }
    }
}

/// The progress of one target.
#[derive(Debug)]
pub(crate) struct TargetProgress<'a> {
    display: &'a Display,
    target: &'static Target,
    bar: ProgressBar,
    began: Instant,
}

impl TargetProgress<'_> {
    /// Ends the target, whose output has that many bytes.
    pub(crate) fn finish(self, bytes: usize) {
        self.bar.finish_and_clear();
        let size = DecimalBytes(bytes as u64).to_string();
        let seconds = self.began.elapsed().max(Duration::from_millis(10)).as_secs_f64();
        self.display.line(&format!("{:<14} {size:>10}  {seconds:.2} s", self.target.name));
    }
}

impl kiln_compiler::Progress for TargetProgress<'_> {
    fn function_done(&self) {
        self.bar.inc(1);
    }
}

impl Drop for TargetProgress<'_> {
    /// Leaves the terminal clean when the target failed.
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
