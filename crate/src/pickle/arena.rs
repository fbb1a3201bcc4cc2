//! The values of a pickle. They refer to each other by number, so shared and even circular ones cost nothing.

/// The number of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Id(u32);

#[derive(Clone, Debug)]
pub enum Value<'a, N> {
    None,
    Bool(bool),
    Int(i64),
    /// A whole number of more than eight bytes, lowest first.
    Long(&'a [u8]),
    Float(f64),
    Text(&'a str),
    Bytes(&'a [u8]),
    Global(N),
    Tuple(Vec<Id>),
    List(Vec<Id>),
    /// Nothing that is read depends on what a set holds.
    Set,
    /// As they were set; of equal keys the last one counts.
    Dict(Vec<(Id, Id)>),
    /// What a class or a function gives for the tuple of arguments; both are looked at when the value is needed.
    Made {
        by: N,
        arguments: Id,
        state: Option<Id>,
    },
    /// What another program is asked to look up, by this value.
    Persistent(Id),
}

/// All values of a pickle, and which of them is the whole.
#[derive(Clone, Debug)]
pub struct Arena<'a, N> {
    values: Vec<Value<'a, N>>,
}

impl<'a, N> Arena<'a, N> {
    pub fn new() -> Self {
        Self { values: Vec::new() }
    }

    /// There are fewer values than steps, and steps are limited far below 2^32.
    pub fn add(&mut self, value: Value<'a, N>) -> Id {
        self.values.push(value);
        Id((self.values.len() - 1) as u32)
    }

    pub fn get(&self, id: Id) -> &Value<'a, N> {
        &self.values[id.0 as usize]
    }

    pub fn get_mut(&mut self, id: Id) -> &mut Value<'a, N> {
        &mut self.values[id.0 as usize]
    }

    pub fn len(&self) -> usize {
        self.values.len()
    }

    pub fn text(&self, id: Id) -> Option<&'a str> {
        match self.get(id) {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// A whole number that is not negative; True and False are numbers in Python, but not here.
    pub fn count(&self, id: Id) -> Option<u64> {
        match self.get(id) {
            Value::Int(number) => u64::try_from(*number).ok(),
            _ => None,
        }
    }

    /// A number of either kind.
    pub fn number(&self, id: Id) -> Option<f64> {
        match self.get(id) {
            Value::Int(number) => Some(*number as f64),
            Value::Float(number) => Some(*number),
            _ => None,
        }
    }

    pub fn tuple(&self, id: Id) -> Option<&[Id]> {
        match self.get(id) {
            Value::Tuple(items) => Some(items),
            _ => None,
        }
    }

    pub fn list(&self, id: Id) -> Option<&[Id]> {
        match self.get(id) {
            Value::List(items) => Some(items),
            _ => None,
        }
    }

    pub fn entries(&self, id: Id) -> Option<&[(Id, Id)]> {
        match self.get(id) {
            Value::Dict(entries) => Some(entries),
            _ => None,
        }
    }

    /// What a dictionary has under a key of text.
    pub fn entry(&self, entries: &[(Id, Id)], key: &str) -> Option<Id> {
        entries.iter().rev().find(|(k, _)| self.text(*k) == Some(key)).map(|(_, value)| *value)
    }

    pub fn is_none(&self, id: Id) -> bool {
        matches!(self.get(id), Value::None)
    }
}
