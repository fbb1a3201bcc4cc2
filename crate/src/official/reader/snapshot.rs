//! A whole snapshot: the dictionary that the official training loop writes.

use super::globals::{Arena, Side};
use super::module::{Allowance, MOST_ENTRIES, MOST_TENSORS, Module, module};
use super::optimizer::{Optimizer, optimizer};
use crate::pickle::{self, Cursor, Id, Problem, Result, Rules, problem, run};

/// The longest official snapshot, of FFHQ-256, takes 65,506 steps.
const RULES: Rules = Rules { steps: 1 << 20, persistent: false, byte_strings: false };

/// A file that was read as a pickle; its parts are looked at when they are asked for.
#[derive(Debug)]
pub struct Snapshot<'a> {
    arena: Arena<'a>,
    whole: Id,
    bytes: usize,
}

impl<'a> Snapshot<'a> {
    pub fn read(bytes: &'a [u8]) -> Result<Self> {
        if !pickle::is_one(bytes) {
            return problem("is not a pickle");
        }
        let mut cursor = Cursor::new(bytes);
        let (arena, whole) = run(&mut cursor, RULES)?;
        if cursor.remaining() > 0 {
            return problem(format!("is damaged: {} bytes follow its end", cursor.remaining()));
        }
        match arena.entries(whole) {
            Some(entries) if entries.len() <= MOST_ENTRIES => {}
            _ => {
                return problem("is a pickle, but not of a training run: it holds no dictionary of networks");
            }
        }
        Ok(Self { arena, whole, bytes: bytes.len() })
    }

    /// The network under `key` (`G`, `D` or `G_ema`), if there is one.
    pub fn module(&self, key: &str, side: Side) -> Result<Option<Module<'a>>> {
        self.entry(key).map(|id| module(&self.arena, id, side, &mut self.allowance())).transpose()
    }

    /// The optimizer under `key` (`G_opt_state` or `D_opt_state`), if there is one.
    pub fn optimizer(&self, key: &str) -> Result<Option<Optimizer<'a>>> {
        self.entry(key).map(|id| optimizer(&self.arena, id, &mut self.allowance())).transpose()
    }

    /// Real images that the critic had seen, if the file says so.
    pub fn images(&self) -> Result<Option<u64>> {
        let counted = |id| {
            let count = self.arena.count(id);
            count.ok_or_else(|| Problem("has a cur_nimg that is not a whole, positive number".into()))
        };
        self.entry("cur_nimg").map(counted).transpose()
    }

    /// Number of values that were made to read it.
    pub fn values(&self) -> usize {
        self.arena.len()
    }

    fn entry(&self, key: &str) -> Option<Id> {
        let entries = self.arena.entries(self.whole)?;
        self.arena.entry(entries, key).filter(|id| !self.arena.is_none(*id))
    }

    fn allowance(&self) -> Allowance {
        Allowance { tensors: MOST_TENSORS, bytes: self.bytes }
    }
}
