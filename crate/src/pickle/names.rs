//! The names that a kind of pickle may import, as tags. No module is loaded and no function is called.

use std::fmt::Debug;

use super::{Problem, shown};

/// One of the names that a kind of pickle may import; a file that asks for any other is refused.
pub trait Names: Copy + Debug {
    /// What such a file is called, behind "no": "is no R3GAN snapshot".
    const FILE: &'static str;

    /// The tag of `module.name`.
    fn find(module: &str, name: &str) -> Option<Self>;

    fn role(self) -> Role;
}

/// What may be done with a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// A class: objects are made of it without arguments, and have a state.
    Class,
    /// A function that stands for a value, or for an object that then has a state.
    Function { stateful: bool },
    /// A dictionary by another name.
    Dictionary,
    /// Nothing: it stands for itself.
    Constant,
}

impl Role {
    /// Whether what comes of it is given a state.
    pub fn has_state(self) -> bool {
        matches!(self, Self::Class | Self::Function { stateful: true })
    }
}

pub fn find<N: Names>(module: &str, name: &str) -> super::Result<N> {
    N::find(module, name).ok_or_else(|| {
        let (module, name) = (shown(module), shown(name));
        let file = N::FILE;
        Problem(format!(
            "is no {file}: it asks for Python's {module}.{name}, which none has (nothing was run)"
        ))
    })
}
