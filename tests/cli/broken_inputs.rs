//! A table of broken inputs over the whole command line. Each ends with the right exit code and one sentence
//! that names the file or the flag, and leaves nothing behind.

mod cifar;
mod data;
mod dataset;
mod metrics;
mod official;
mod places;
mod settings;
mod weights;

use std::collections::BTreeMap;

use crate::scene::Scene;

/// A flag or a setting that cannot be used.
const USAGE: i32 = 2;
/// A file that is not what it should be.
const INPUT: i32 = 3;
/// A file that cannot be written.
const OUTPUT: i32 = 4;
/// A device that is not there.
const DEVICE: i32 = 5;

/// One broken input.
struct Row {
    name: &'static str,
    prepare: fn(&Scene),
    line: &'static str,
    code: i32,
    /// What the sentence must contain: whose fault it is, and what is wrong.
    says: &'static str,
    /// Whole files that may stay, because the command had to start before it could know; `*` ends a beginning.
    leaves: &'static [&'static str],
}

fn row(name: &'static str, prepare: fn(&Scene), line: &'static str, code: i32, says: &'static str) -> Row {
    Row { name, prepare, line, code, says, leaves: &[] }
}

impl Row {
    fn leaving(self, leaves: &'static [&'static str]) -> Self {
        Self { leaves, ..self }
    }

    /// What is wrong with the way the command ended.
    fn faults(&self) -> Vec<String> {
        let scene = Scene::new();
        (self.prepare)(&scene);
        let before = scene.files();
        let ended = scene.r3gan(self.line);
        let mut faults = Vec::new();
        let mut demand = |is_so: bool, fault: String| {
            if !is_so {
                faults.push(format!("{}: {fault}", self.name));
            }
        };
        let (code, stderr) = (ended.status.code(), ended.stderr.trim_end());
        demand(code == Some(self.code), format!("ended with {code:?}, not {}: {stderr}", self.code));
        let is_sentence = stderr.starts_with("error: ") && !stderr.contains('\n');
        demand(is_sentence, format!("is not one sentence: {stderr}"));
        demand(stderr.contains(self.says), format!("does not say '{}': {stderr}", self.says));
        let panicked = [&ended.stdout, &ended.stderr].iter().any(|text| text.contains("panicked"));
        demand(!panicked, format!("panicked: {stderr}"));
        for fault in self.changes(&before, &scene.files()) {
            demand(false, fault);
        }
        faults
    }

    /// Files that are new without permission, are gone, or are no longer the same.
    fn changes(&self, before: &BTreeMap<String, Vec<u8>>, after: &BTreeMap<String, Vec<u8>>) -> Vec<String> {
        let new = after.keys().filter(|name| !before.contains_key(*name));
        let may_stay = |name: &str, leave: &str| match leave.strip_suffix('*') {
            Some(beginning) => name.starts_with(beginning),
            None => name == leave,
        };
        let new = new.filter(|name| !self.leaves.iter().any(|leave| may_stay(name, leave)));
        let touched = before.iter().filter(|(name, bytes)| after.get(*name) != Some(*bytes));
        let new = new.map(|name| format!("left {name} behind"));
        new.chain(touched.map(|(name, _)| format!("changed {name}"))).collect()
    }
}

/// All faults of a table at once, so that one run shows them all.
fn check(table: &[Row]) {
    let faults: Vec<_> = table.iter().flat_map(Row::faults).collect();
    assert!(faults.is_empty(), "{} rows, {} faults:\n{}", table.len(), faults.len(), faults.join("\n"));
}
