//! Choices that were measured on a device, for exact sizes, in place of the table's ([`super::choice`]).
//!
//! They are of one device, as is a process: adopted when it is opened, or while `r3gan bench --tune` tries all kernels.

pub mod file;
mod operations;

use std::collections::HashMap;
use std::fmt::Display;
use std::hash::Hash;
use std::sync::{LazyLock, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};

use super::choice::{Capacity, Convolution, Convolve, Multiply, Operation, Product};

/// One launch of a kernel, and an entry of what it computed.
pub type Work = Box<dyn Fn() -> Tensor<1>>;

static PRODUCTS: Choices<Multiply> = Choices::new();
static CONVOLUTIONS: Choices<Convolve> = Choices::new();

/// An operation whose kernel may be chosen by measuring.
pub trait Tunable:
    Operation<Kernel: Copy + Display + PartialEq + Send + Sync> + Clone + Display + Eq + Hash
{
    fn choices() -> &'static Choices<Self>;
    /// All that can compute it, the table's choice among them.
    fn kernels(&self, capacity: Capacity) -> Vec<Self::Kernel>;
    /// The same operation, on random entries.
    fn work(&self, device: &Device) -> Work;
}

/// What was measured of operations, and which of them came up while someone watched.
pub struct Choices<O: Tunable>(LazyLock<RwLock<State<O>>>);

struct State<O: Tunable> {
    measured: HashMap<O, O::Kernel>,
    /// With the kernels that can compute them, the table's choice first.
    seen: Option<HashMap<O, Vec<O::Kernel>>>,
}

impl<O: Tunable> Choices<O> {
    const fn new() -> Self {
        Self(LazyLock::new(|| RwLock::new(State { measured: HashMap::new(), seen: None })))
    }

    fn read(&self) -> RwLockReadGuard<'_, State<O>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, State<O>> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// The kernel that was measured to be the fastest, if it is one for this operation, else the table's choice.
    fn choose(&self, operation: O, capacity: Capacity) -> O::Kernel {
        let fixed = operation.fixed(capacity);
        let (measured, is_new) = {
            let state = self.read();
            let is_new = state.seen.as_ref().is_some_and(|seen| !seen.contains_key(&operation));
            (state.measured.get(&operation).copied(), is_new)
        };
        if measured.is_none() && !is_new {
            return fixed;
        }
        let mut kernels = operation.kernels(capacity);
        let chosen = measured.filter(|kernel| kernels.contains(kernel)).unwrap_or(fixed);
        if is_new && let Some(seen) = &mut self.write().seen {
            kernels.sort_by_key(|kernel| *kernel != fixed);
            seen.insert(operation, kernels);
        }
        chosen
    }

    fn adopt(&self, measured: impl IntoIterator<Item = (O, O::Kernel)>) {
        self.write().measured.extend(measured);
    }

    /// Of what was measured, in an order that does not change from file to file.
    fn measured(&self) -> Vec<(O, O::Kernel)> {
        let mut measured: Vec<_> =
            self.read().measured.iter().map(|(o, kernel)| (o.clone(), *kernel)).collect();
        measured.sort_by_cached_key(|(operation, _)| operation.to_string());
        measured
    }
}

/// Which kernel computes this on a device with such a capacity.
pub fn chosen<O: Tunable + 'static>(operation: O, capacity: Capacity) -> O::Kernel {
    O::choices().choose(operation, capacity)
}

/// All that was measured on a device.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    products: Vec<(Multiply, Product)>,
    convolutions: Vec<(Convolve, Convolution)>,
}

impl Measured {
    /// What holds now.
    pub fn current() -> Self {
        Self { products: PRODUCTS.measured(), convolutions: CONVOLUTIONS.measured() }
    }

    /// Lets this hold from now on, beside what held before.
    pub fn adopt(self) {
        PRODUCTS.adopt(self.products);
        CONVOLUTIONS.adopt(self.convolutions);
    }

    /// How many sizes have a choice of their own.
    pub fn len(&self) -> usize {
        self.products.len() + self.convolutions.len()
    }
}

/// An operation that came up, and the kernels that can compute it.
pub trait Question {
    fn operation(&self) -> String;
    /// The table's choice first.
    fn kernels(&self) -> Vec<String>;
    /// Lets the kernel of this index compute it from now on.
    fn answer(&self, kernel: usize);
    fn work(&self, device: &Device) -> Work;
}

struct Seen<O: Tunable> {
    operation: O,
    kernels: Vec<O::Kernel>,
}

impl<O: Tunable + 'static> Question for Seen<O> {
    fn operation(&self) -> String {
        self.operation.to_string()
    }

    fn kernels(&self) -> Vec<String> {
        self.kernels.iter().map(ToString::to_string).collect()
    }

    fn answer(&self, kernel: usize) {
        let measured = &mut O::choices().write().measured;
        match kernel {
            0 => measured.remove(&self.operation),
            _ => measured.insert(self.operation.clone(), self.kernels[kernel]),
        };
    }

    fn work(&self, device: &Device) -> Work {
        self.operation.work(device)
    }
}

/// The operations that come up in `work` and that more than one kernel can compute.
pub fn questions<T>(work: impl FnOnce() -> T) -> (Vec<Box<dyn Question>>, T) {
    watch::<Multiply>();
    watch::<Convolve>();
    let result = work();
    let questions = seen::<Multiply>().chain(seen::<Convolve>()).collect();
    (questions, result)
}

fn watch<O: Tunable + 'static>() {
    O::choices().write().seen = Some(HashMap::new());
}

fn seen<O: Tunable + 'static>() -> impl Iterator<Item = Box<dyn Question>> {
    let seen = O::choices().write().seen.take().unwrap_or_default();
    let mut seen: Vec<_> = seen.into_iter().filter(|(_, kernels)| kernels.len() > 1).collect();
    seen.sort_by_cached_key(|(operation, _)| operation.to_string());
    seen.into_iter().map(|(operation, kernels)| Box::new(Seen { operation, kernels }) as Box<dyn Question>)
}

#[cfg(test)]
mod tests {
    use burn::tensor::DType;

    use super::super::choice::Layout;
    use super::*;

    #[test]
    fn a_choice_is_for_its_sizes_and_only_if_the_kernel_can() {
        let choices = Choices::<Multiply>::new();
        let capacity = Capacity { full: 1 << 12, enough: 1 << 15, matrix_units: false };
        let case = |rows| Multiply {
            format: DType::F32,
            groups: 1,
            rows,
            terms: 64,
            columns: 64,
            left: Layout::Rows,
            right: Layout::Rows,
            finishes: false,
        };
        let [fixed, other] = [Product::Rows { vectors: 1 }, Product::Library];
        // Columns cannot read it, and no kernel has tiles of 9.
        let wrong = [Product::Columns { vectors: 1 }, Product::Rows { vectors: 9 }];
        choices.adopt([(case(32), other), (case(48), wrong[0]), (case(56), wrong[1])]);
        let chosen = [32, 40, 48, 56].map(|rows| choices.choose(case(rows), capacity));
        assert_eq!(chosen, [other, fixed, fixed, fixed]);
    }
}
