//! Pickle's instructions, as far as the files that are read use them: a stack, marks in it, and a memo.

use std::collections::HashMap;

use super::arena::{Arena, Id, Value};
use super::cursor::Cursor;
use super::names::{Names, Role, find};
use super::{Result, problem};

/// Marks that may be open at a time; official snapshots have 15.
const MOST_MARKS: usize = 256;

/// What a pickle may do.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// Instructions; values, stack and memo cannot outgrow them.
    pub steps: usize,
    /// Whether it may refer to something outside.
    pub persistent: bool,
    /// Whether it may have Python 2's strings, which are bytes.
    pub byte_strings: bool,
}

/// Runs one pickle to its end; the cursor is then behind it.
pub fn run<'a, N: Names>(cursor: &mut Cursor<'a>, rules: Rules) -> Result<(Arena<'a, N>, Id)> {
    let mut machine = Machine {
        cursor,
        rules,
        arena: Arena::new(),
        stack: Vec::new(),
        marks: Vec::new(),
        memo: HashMap::new(),
    };
    for _ in 0..rules.steps {
        if let Some(whole) = machine.step()? {
            return Ok((machine.arena, whole));
        }
    }
    problem(format!("is no {}: it takes more than {} steps to read", N::FILE, rules.steps))
}

struct Machine<'c, 'a, N> {
    cursor: &'c mut Cursor<'a>,
    rules: Rules,
    arena: Arena<'a, N>,
    stack: Vec<Id>,
    /// Heights of the stack at the open marks.
    marks: Vec<usize>,
    memo: HashMap<u32, Id>,
}

impl<'a, N: Names> Machine<'_, 'a, N> {
    /// One instruction; the last one gives the whole value.
    fn step(&mut self) -> Result<Option<Id>> {
        let start = self.cursor.at();
        match self.cursor.u8()? {
            0x80 => self.protocol()?,
            0x95 => self.frame()?,
            b'.' => return self.pop().map(Some),
            b'(' => self.mark()?,
            b'0' => drop(self.pop()?),
            b'1' => drop(self.pop_to_mark()?),

            b'N' => self.push(Value::None),
            0x88 => self.push(Value::Bool(true)),
            0x89 => self.push(Value::Bool(false)),
            b'J' => self.push_with(|c| Ok(Value::Int(c.i32()?.into())))?,
            b'K' => self.push_with(|c| Ok(Value::Int(c.u8()?.into())))?,
            b'M' => self.push_with(|c| Ok(Value::Int(c.u16()?.into())))?,
            0x8a => self.push_with(long)?,
            b'G' => self.push_with(|c| Ok(Value::Float(c.f64()?)))?,

            0x8c => self.push_with(|c| text(c, Cursor::u8))?,
            b'X' => self.push_with(|c| text(c, Cursor::u32))?,
            0x8d => self.push_with(|c| text(c, Cursor::u64))?,
            b'C' => self.push_with(|c| bytes(c, Cursor::u8))?,
            b'U' if self.rules.byte_strings => self.push_with(|c| bytes(c, Cursor::u8))?,
            b'T' if self.rules.byte_strings => self.push_with(|c| bytes(c, Cursor::u32))?,
            b'B' => self.push_with(|c| bytes(c, Cursor::u32))?,
            0x8e => self.push_with(|c| bytes(c, Cursor::u64))?,

            b'}' => self.push(Value::Dict(Vec::new())),
            b']' => self.push(Value::List(Vec::new())),
            0x8f => self.push(Value::Set),
            b')' => self.push(Value::Tuple(Vec::new())),
            0x85 => self.tuple(1)?,
            0x86 => self.tuple(2)?,
            0x87 => self.tuple(3)?,
            b't' => {
                let items = self.pop_to_mark()?;
                self.push(Value::Tuple(items));
            }
            b'a' => {
                let item = self.pop()?;
                self.list()?.push(item);
            }
            b'e' => {
                let items = self.pop_to_mark()?;
                self.list()?.extend(items);
            }
            b's' => {
                let (value, key) = (self.pop()?, self.pop()?);
                self.dict()?.push((key, value));
            }
            b'u' => {
                let items = self.pop_to_mark()?;
                let (pairs, rest) = items.as_chunks::<2>();
                if !rest.is_empty() {
                    return problem(format!("is damaged: a key at byte {start} has no value"));
                }
                self.dict()?.extend(pairs.iter().map(|[key, value]| (*key, *value)));
            }
            0x90 => {
                self.pop_to_mark()?;
                if !matches!(self.top()?, Value::Set) {
                    return self.misplaced("a set");
                }
            }

            b'q' => {
                let place = self.cursor.u8()?;
                self.memorize(place.into())?;
            }
            b'r' => {
                let place = self.cursor.u32()?;
                self.memorize(place)?;
            }
            0x94 => self.memorize(self.memo.len() as u32)?,
            b'h' => {
                let place = self.cursor.u8()?;
                self.recall(place.into())?;
            }
            b'j' => {
                let place = self.cursor.u32()?;
                self.recall(place)?;
            }

            b'c' => {
                let (module, name) = (self.cursor.line()?, self.cursor.line()?);
                self.push(Value::Global(find(module, name)?));
            }
            0x93 => {
                let (name, module) = (self.pop()?, self.pop()?);
                let (Some(module), Some(name)) = (self.arena.text(module), self.arena.text(name)) else {
                    return self.misplaced("the name of a class");
                };
                self.push(Value::Global(find(module, name)?));
            }
            0x81 => self.new_object()?,
            b'R' => self.reduce()?,
            b'b' => self.build()?,
            b'Q' if self.rules.persistent => {
                let name = self.pop()?;
                self.push(Value::Persistent(name));
            }
            other => {
                return problem(format!(
                    "is damaged or no {}: byte {start} is {other:#04x}, which is no instruction that one has",
                    N::FILE
                ));
            }
        }
        Ok(None)
    }

    fn protocol(&mut self) -> Result<()> {
        match self.cursor.u8()? {
            2..=5 => Ok(()),
            other => problem(format!("is written in protocol {other} of pickle; 2 to 5 are known")),
        }
    }

    /// A frame only says that its bytes are there.
    fn frame(&mut self) -> Result<()> {
        let length = self.cursor.u64()?;
        self.cursor.clone().take(length).map(drop)
    }

    fn push(&mut self, value: Value<'a, N>) {
        let id = self.arena.add(value);
        self.stack.push(id);
    }

    fn push_with(&mut self, read: impl FnOnce(&mut Cursor<'a>) -> Result<Value<'a, N>>) -> Result<()> {
        let value = read(self.cursor)?;
        self.push(value);
        Ok(())
    }

    /// Takes the value on top, but none from below the last mark.
    fn pop(&mut self) -> Result<Id> {
        let floor = self.marks.last().copied().unwrap_or(0);
        match self.stack.pop() {
            Some(id) if self.stack.len() >= floor => Ok(id),
            _ => self.misplaced("a value"),
        }
    }

    fn top(&mut self) -> Result<&mut Value<'a, N>> {
        let floor = self.marks.last().copied().unwrap_or(0);
        match self.stack.last() {
            Some(id) if self.stack.len() > floor => Ok(self.arena.get_mut(*id)),
            _ => self.misplaced("a value"),
        }
    }

    fn mark(&mut self) -> Result<()> {
        if self.marks.len() == MOST_MARKS {
            return problem(format!("is no {}: it is nested more than {MOST_MARKS} deep", N::FILE));
        }
        self.marks.push(self.stack.len());
        Ok(())
    }

    fn pop_to_mark(&mut self) -> Result<Vec<Id>> {
        match self.marks.pop() {
            Some(floor) => Ok(self.stack.split_off(floor)),
            None => self.misplaced("a mark"),
        }
    }

    fn tuple(&mut self, length: usize) -> Result<()> {
        let mut items = vec![self.pop()?];
        for _ in 1..length {
            items.push(self.pop()?);
        }
        items.reverse();
        self.push(Value::Tuple(items));
        Ok(())
    }

    fn list(&mut self) -> Result<&mut Vec<Id>> {
        let at = self.cursor.at();
        match self.top()? {
            Value::List(items) => Ok(items),
            _ => misplaced::<N, _>("a list", at),
        }
    }

    fn dict(&mut self) -> Result<&mut Vec<(Id, Id)>> {
        let at = self.cursor.at();
        match self.top()? {
            Value::Dict(entries) => Ok(entries),
            _ => misplaced::<N, _>("a dictionary", at),
        }
    }

    fn memorize(&mut self, place: u32) -> Result<()> {
        let id = self.pop()?;
        self.stack.push(id);
        self.memo.insert(place, id);
        Ok(())
    }

    fn recall(&mut self, place: u32) -> Result<()> {
        match self.memo.get(&place) {
            Some(id) => self.stack.push(*id),
            None => return problem(format!("is damaged: it recalls value {place} before there is one")),
        }
        Ok(())
    }

    /// An object of a class; its state comes later.
    fn new_object(&mut self) -> Result<()> {
        let (arguments, class) = (self.pop()?, self.pop()?);
        match (self.arena.get(class), self.arena.get(arguments)) {
            (Value::Global(by), Value::Tuple(items)) if by.role() == Role::Class && items.is_empty() => {
                self.push(Value::Made { by: *by, arguments, state: None });
                Ok(())
            }
            _ => self.misplaced("a class without arguments"),
        }
    }

    /// A function with its arguments; only a tag of both is kept.
    fn reduce(&mut self) -> Result<()> {
        let (arguments, function) = (self.pop()?, self.pop()?);
        let value = match (self.arena.get(function), self.arena.get(arguments)) {
            (Value::Global(by), Value::Tuple(items)) => match by.role() {
                Role::Function { .. } => Value::Made { by: *by, arguments, state: None },
                Role::Dictionary if items.is_empty() => Value::Dict(Vec::new()),
                _ => return self.misplaced("a function with its arguments"),
            },
            _ => return self.misplaced("a function with its arguments"),
        };
        self.push(value);
        Ok(())
    }

    fn build(&mut self) -> Result<()> {
        let given = self.pop()?;
        let at = self.cursor.at();
        match self.top()? {
            Value::Made { by, state: state @ None, .. } if by.role().has_state() => {
                *state = Some(given);
                Ok(())
            }
            // A dictionary by another name may carry notes of its own, which nothing here reads.
            Value::Dict(_) => Ok(()),
            _ => misplaced::<N, _>("an object and its state", at),
        }
    }

    fn misplaced<T>(&self, what: &str) -> Result<T> {
        misplaced::<N, T>(what, self.cursor.at())
    }
}

fn misplaced<N: Names, T>(what: &str, at: usize) -> Result<T> {
    problem(format!("is damaged or no {}: before byte {at} there should be {what}", N::FILE))
}

fn text<'a, N, L: Into<u64>>(
    cursor: &mut Cursor<'a>,
    length: impl Fn(&mut Cursor<'a>) -> Result<L>,
) -> Result<Value<'a, N>> {
    let length = length(cursor)?.into();
    cursor.text(length).map(Value::Text)
}

fn bytes<'a, N, L: Into<u64>>(
    cursor: &mut Cursor<'a>,
    length: impl Fn(&mut Cursor<'a>) -> Result<L>,
) -> Result<Value<'a, N>> {
    let length = length(cursor)?.into();
    cursor.take(length).map(Value::Bytes)
}

/// A whole number of up to 255 bytes, in two's complement.
fn long<'a, N>(cursor: &mut Cursor<'a>) -> Result<Value<'a, N>> {
    let length = cursor.u8()?;
    let bytes = cursor.take(length.into())?;
    if bytes.len() > 8 {
        return Ok(Value::Long(bytes));
    }
    let fill = if bytes.last().is_some_and(|byte| byte & 0x80 != 0) { 0xff } else { 0 };
    let mut whole = [fill; 8];
    whole[..bytes.len()].copy_from_slice(bytes);
    Ok(Value::Int(i64::from_le_bytes(whole)))
}
