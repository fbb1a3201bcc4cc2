//! From modules inside modules to a flat list of parameters by name.

use std::collections::HashSet;

use super::globals::{Arena, Class, Global, Precision, Side, Value};
use super::tensor::{Tensor, tensor};
use crate::pickle::{Id, Problem, Result, problem, shown};

/// Modules of a network, and how deep they lie in each other; the largest official one has under 200, 8 deep.
const MOST_MODULES: usize = 2048;
const DEEPEST: usize = 16;
/// Tensors of a network or an optimizer; the largest official ones have 82 and 152.
pub const MOST_TENSORS: usize = 4096;
/// Entries of a dictionary that is looked through.
pub const MOST_ENTRIES: usize = 1024;
const LONGEST_KEY: usize = 64;

/// A network of a snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Module<'a> {
    pub side: Side,
    /// By published name, in the order in which the optimizer numbers them.
    pub parameters: Vec<(String, Tensor<'a>)>,
    pub buffers: Vec<(String, Tensor<'a>)>,
    /// What each stage computes in, in the order of the stages.
    pub precision: Vec<Precision>,
    /// What the network says about itself, where it does.
    pub z_dim: Option<u64>,
    pub c_dim: Option<u64>,
    pub img_resolution: Option<u64>,
}

/// How many tensors and bytes may still be taken: together no more than the file has.
pub struct Allowance {
    pub tensors: usize,
    pub bytes: usize,
}

impl Allowance {
    pub fn take<'a>(&mut self, arena: &Arena<'a>, id: Id) -> Result<Tensor<'a>> {
        let tensor = tensor(arena, id)?;
        let left = (self.tensors.checked_sub(1)).zip(self.bytes.checked_sub(tensor.bytes.len()));
        match left {
            Some((tensors, bytes)) => (self.tensors, self.bytes) = (tensors, bytes),
            None => return problem("is no R3GAN snapshot: its tensors are more than the file has room for"),
        }
        Ok(tensor)
    }
}

/// A module on the way through the tree.
struct Open {
    id: Id,
    /// Its name and a full stop, or nothing for the whole.
    path: String,
    depth: usize,
}

/// A whole network, which must be of `side`.
pub fn module<'a>(arena: &Arena<'a>, root: Id, side: Side, allowance: &mut Allowance) -> Result<Module<'a>> {
    if !matches!(arena.get(root), Value::Made { by: Global::Class(Class::Network(found)), .. } if *found == side)
    {
        return problem(format!("has something else where its {side:?} should be"));
    }
    let state = state(arena, root)?;
    let count = |name: &str| arena.entry(state, name).and_then(|id| arena.count(id));
    let mut found = Module {
        side,
        parameters: Vec::new(),
        buffers: Vec::new(),
        precision: Vec::new(),
        z_dim: count("z_dim"),
        c_dim: count("c_dim"),
        img_resolution: count("img_resolution"),
    };
    let mut open = vec![Open { id: root, path: String::new(), depth: 0 }];
    let mut modules = 1;
    while let Some(next) = open.pop() {
        let state = self::state(arena, next.id)?;
        if let Some(id) = arena.entry(state, "DataType") {
            match arena.get(id) {
                Value::Global(Global::Precision(precision)) => found.precision.push(*precision),
                _ => return problem("has a stage in an unknown number format"),
            }
        }
        for (key, into) in [("_parameters", &mut found.parameters), ("_buffers", &mut found.buffers)] {
            for (name, id) in named(arena, state, key, &next.path)? {
                into.push((name, allowance.take(arena, id)?));
            }
        }
        let children = named(arena, state, "_modules", &next.path)?;
        modules += children.len();
        if modules > MOST_MODULES || (next.depth == DEEPEST && !children.is_empty()) {
            return problem("is no R3GAN snapshot: it has too many modules, or too many inside each other");
        }
        let children = children.into_iter().rev();
        open.extend(children.map(|(name, id)| Open { id, path: name + ".", depth: next.depth + 1 }));
    }
    let mut names = HashSet::new();
    let mut all = found.parameters.iter().chain(&found.buffers);
    match all.find(|(name, _)| !names.insert(name.as_str())) {
        Some((twice, _)) => problem(format!("is damaged: it has two tensors called {}", shown(twice))),
        None => Ok(found),
    }
}

fn state<'s>(arena: &'s Arena, id: Id) -> Result<&'s [(Id, Id)]> {
    let state = match arena.get(id) {
        Value::Made { by: Global::Class(_), state: Some(state), .. } => arena.entries(*state),
        _ => None,
    };
    state
        .filter(|entries| entries.len() <= MOST_ENTRIES)
        .ok_or_else(|| Problem("has something else where a module should be".into()))
}

/// What a module has under `key`, by full name; entries that are None are left out.
fn named(arena: &Arena, state: &[(Id, Id)], key: &str, path: &str) -> Result<Vec<(String, Id)>> {
    let entries = arena.entry(state, key).and_then(|id| arena.entries(id));
    let Some(entries) = entries.filter(|entries| entries.len() <= MOST_ENTRIES) else {
        return problem(format!("has a module without {key}"));
    };
    let mut found = Vec::new();
    for (name, id) in entries.iter().filter(|(_, id)| !arena.is_none(*id)) {
        match arena.text(*name).filter(|name| name.len() <= LONGEST_KEY) {
            Some(name) => found.push((format!("{path}{name}"), *id)),
            None => return problem(format!("has a module whose {key} have no usable names")),
        }
    }
    Ok(found)
}
