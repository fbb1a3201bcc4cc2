//! Choices that were measured on a device, for exact sizes, in place of the table's ([`super::choice`]).
//!
//! They are of one device, as is a process: adopted when it is opened, or while `r3gan bench --tune` tries all kernels.

#[cfg(not(target_family = "wasm"))]
pub mod file;

use std::collections::HashMap;
use std::fmt::Display;
use std::hash::Hash;
use std::sync::{LazyLock, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use burn::tensor::{DType, Device, Distribution, Tensor};
use serde::{Deserialize, Serialize};

use super::choice::{Capacity, Convolution, Convolve, Layout, Multiply, Operation, Product};
use crate::kernels::{self, Finish};

/// One launch of a kernel, and an entry of what it computed.
pub type Work = Box<dyn Fn() -> Tensor<1>>;

static PRODUCTS: Choices<Multiply> = Choices::new();
static CONVOLUTIONS: Choices<Convolve> = Choices::new();

/// An operation whose kernel may be chosen by measuring.
pub trait Tunable:
    Operation<Kernel: Copy + Display + PartialEq + Send + Sync> + Clone + Display + Eq + Hash
{
    fn choices() -> &'static Choices<Self>;
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
        // Nothing is ever measured in a page.
        if cfg!(target_family = "wasm") {
            return fixed;
        }
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

impl Tunable for Multiply {
    fn choices() -> &'static Choices<Self> {
        &PRODUCTS
    }

    fn work(&self, device: &Device) -> Work {
        let (left, right, bias) = self.operands(device);
        Box::new(move || {
            first(kernels::finished_product(left.clone(), right.clone(), finish(bias.as_ref())).0)
        })
    }
}

impl Multiply {
    /// Left, right, and what finishes the result.
    fn operands(&self, device: &Device) -> (Tensor<3>, Tensor<3>, Option<Tensor<4>>) {
        let Self { format, groups, rows, terms, columns, .. } = *self;
        let side = |height, width, layout| match layout {
            Layout::Columns => random([groups, width, height], format, device).swap_dims(1, 2),
            Layout::Rows | Layout::Scattered => random([groups, height, width], format, device),
        };
        let bias = self.finishes.then(|| random([1, 1, 1, columns], format, device));
        (side(rows, terms, self.left), side(terms, columns, self.right), bias)
    }
}

impl Tunable for Convolve {
    fn choices() -> &'static Choices<Self> {
        &CONVOLUTIONS
    }

    fn work(&self, device: &Device) -> Work {
        let (x, kernel, bias) = self.operands(device);
        Box::new(move || first(kernels::grouped(x.clone(), kernel.clone(), finish(bias.as_ref())).0))
    }
}

impl Convolve {
    /// Pictures, the kernel, and what finishes the result.
    fn operands(&self, device: &Device) -> (Tensor<4>, Tensor<4>, Option<Tensor<4>>) {
        let Self { format, batch, height, width, channels, groups, .. } = *self;
        let side = channels / groups;
        let x = random([batch, height, width, channels], format, device);
        let kernel = random([groups, kernels::TAPS, side, side], format, device);
        (x, kernel, self.finishes.then(|| random([1, 1, 1, channels], format, device)))
    }
}

fn finish(bias: Option<&Tensor<4>>) -> Finish<'static> {
    bias.map_or(Finish::Nothing, |bias| Finish::Activate { bias: bias.clone() })
}

fn first<const D: usize>(y: Tensor<D>) -> Tensor<1> {
    y.flatten::<1>(0, D - 1).narrow(0, 0, 1)
}

fn random<const D: usize>(shape: [usize; D], format: DType, device: &Device) -> Tensor<D> {
    Tensor::<D>::random(shape, Distribution::Normal(0.0, 1.0), device).cast(format)
}

#[cfg(all(test, feature = "native"))]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::backend;

    /// Every device that has kernels to choose from.
    fn gpus() -> Vec<Device> {
        let names = ["wgpu"].into_iter().chain(cfg!(feature = "cuda").then_some("cuda"));
        names.map(|name| backend::open(name).expect("a GPU, or a driver that imitates one")).collect()
    }

    fn values<const D: usize>(x: Tensor<D>) -> Vec<f32> {
        let data = pollster::block_on(x.cast(DType::F32).into_data_async()).expect("values");
        data.try_to_vec().expect("f32")
    }

    fn on_cpu<const D: usize>(x: &Tensor<D>) -> Tensor<D> {
        let cpu = backend::open("cpu").expect("the CPU");
        let data = pollster::block_on(x.clone().cast(DType::F32).into_data_async()).expect("values");
        Tensor::from_data(data, &cpu)
    }

    /// Every kernel that is offered for an operation computes what the CPU does.
    fn check<const D: usize>(is_f32: bool, expected: &[f32], work: impl Fn() -> Tensor<D>) {
        // Whoever asks begins anew, so one test at a time.
        static ASKING: Mutex<()> = Mutex::new(());
        let _alone = ASKING.lock().unwrap_or_else(PoisonError::into_inner);
        let (asked, _) = questions(&work);
        let [question] = &asked[..] else { panic!("{} operations came up, not one", asked.len()) };
        let operation = question.operation();
        let largest = expected.iter().fold(0.0, |most: f32, value| most.max(value.abs()));
        let allowed = largest * if is_f32 { 1e-5 } else { 4e-3 };
        for (index, kernel) in question.kernels().iter().enumerate() {
            question.answer(index);
            let found = values(work());
            let worst = found.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(
                found.len() == expected.len() && worst <= allowed,
                "{operation}, {kernel}: {worst:e} off"
            );
        }
        question.answer(0);
    }

    #[test]
    fn all_kernels_of_a_product_agree() {
        use Layout::{Columns, Rows, Scattered};
        let is_f32 = |format| format == DType::F32;
        for (format, groups, [rows, terms, columns], [left, right], finishes) in [
            (DType::F32, 1, [72, 24, 40], [Rows, Rows], true),
            (DType::F32, 1, [19, 260, 8], [Rows, Columns], true),
            (DType::F32, 3, [12, 8, 36], [Rows, Rows], false),
            (DType::F32, 1, [24, 300, 16], [Columns, Rows], false),
            (DType::F32, 2, [12, 516, 20], [Columns, Rows], false),
            (DType::F32, 1, [5, 3, 7], [Scattered, Scattered], true),
            (DType::F16, 1, [20, 32, 24], [Rows, Columns], true),
            (DType::F16, 1, [33, 16, 8], [Rows, Rows], false),
        ] {
            for device in gpus() {
                let case = Multiply { format, groups, rows, terms, columns, left, right, finishes };
                let (left, right, bias) = case.operands(&device);
                let product = on_cpu(&left).matmul(on_cpu(&right)).reshape([groups, rows, 1, columns]);
                let bias_on_cpu = bias.as_ref().map(on_cpu);
                let expected = kernels::finished(product, finish(bias_on_cpu.as_ref())).0;
                check(is_f32(format), &values(expected), || {
                    kernels::finished_product(left.clone(), right.clone(), finish(bias.as_ref())).0
                });
            }
        }
    }

    #[test]
    fn all_kernels_of_a_convolution_agree() {
        for (format, [batch, height, width, channels], groups, finishes) in [
            (DType::F32, [2, 3, 8, 32], 2, true),
            (DType::F32, [1, 5, 16, 8], 1, true),
            (DType::F32, [1, 3, 7, 16], 2, false),
            (DType::F16, [2, 4, 16, 32], 2, true),
        ] {
            for device in gpus() {
                let case = Convolve { format, batch, height, width, channels, groups, finishes };
                let (x, kernel, bias) = case.operands(&device);
                let bias_on_cpu = bias.as_ref().map(on_cpu);
                let expected = kernels::grouped(on_cpu(&x), on_cpu(&kernel), finish(bias_on_cpu.as_ref())).0;
                check(format == DType::F32, &values(expected), || {
                    kernels::grouped(x.clone(), kernel.clone(), finish(bias.as_ref())).0
                });
            }
        }
    }

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
