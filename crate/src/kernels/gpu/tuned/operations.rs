//! The operations whose kernels may be chosen by measuring: which kernels can compute them, on what, and their names.

use std::fmt::{Display, Formatter, Result};

use burn::tensor::{DType, Device, Distribution, Tensor};

use super::{CONVOLUTIONS, Choices, PRODUCTS, Tunable, Work};
use crate::kernels::gpu::LANES;
use crate::kernels::gpu::choice::{Capacity, Convolution, Convolve, Layout, Multiply, Product};
use crate::kernels::{self, Finish};

impl Tunable for Multiply {
    fn choices() -> &'static Choices<Self> {
        &PRODUCTS
    }

    fn kernels(&self, _: Capacity) -> Vec<Product> {
        let mut kernels = vec![Product::Library];
        if self.is_f32() {
            kernels.push(Product::Scalars);
        }
        if self.by_rows() {
            let most = if (self.columns / LANES).is_multiple_of(2) { 2 } else { 1 };
            kernels.extend((1..=most).map(|vectors| Product::Rows { vectors }));
        }
        if self.by_columns() {
            let most = if self.halves() { 2 } else { 1 };
            kernels.extend((1..=most).map(|vectors| Product::Columns { vectors }));
        }
        kernels
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
        // Scattered is what has no whole vectors along either axis: of a whole width, a matrix that was turned.
        let side = |height, width: usize, layout| {
            let whole = width.is_multiple_of(LANES);
            if layout == Layout::Columns || layout == Layout::Scattered && whole {
                random([groups, width, height], format, device).swap_dims(1, 2)
            } else {
                random([groups, height, width], format, device)
            }
        };
        let bias = self.finishes.then(|| random([1, 1, 1, columns], format, device));
        (side(rows, terms, self.left), side(terms, columns, self.right), bias)
    }
}

impl Tunable for Convolve {
    fn choices() -> &'static Choices<Self> {
        &CONVOLUTIONS
    }

    fn kernels(&self, capacity: Capacity) -> Vec<Convolution> {
        let (across, vectors) = self.across();
        let most = |side: usize| if side.is_multiple_of(2) { 2 } else { 1 };
        let most_tiles = if self.is_whole() { most(across) } else { 1 };
        let tiles =
            (1..=most_tiles).flat_map(|tiles| (1..=most(vectors)).map(move |vectors| (tiles, vectors)));
        let strips = capacity.matrix_units.then_some(Convolution::Strips);
        tiles.map(|(tiles, vectors)| Convolution::Tiles { tiles, vectors }).chain(strips).collect()
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

impl Display for Multiply {
    fn fmt(&self, f: &mut Formatter) -> Result {
        let Self { format, groups, rows, terms, columns, left, right, finishes } = self;
        let finished = if *finishes { ", finished" } else { "" };
        let (format, many) =
            (format.name(), if *groups > 1 { format!("{groups} x ") } else { String::new() });
        write!(f, "{format} {many}[{rows}, {terms}] {left} times [{terms}, {columns}] {right}{finished}")
    }
}

impl Display for Layout {
    fn fmt(&self, f: &mut Formatter) -> Result {
        f.write_str(match self {
            Self::Rows => "by rows",
            Self::Columns => "by columns",
            Self::Scattered => "scattered",
        })
    }
}

impl Display for Product {
    fn fmt(&self, f: &mut Formatter) -> Result {
        match self {
            Self::Rows { vectors } => write!(f, "rows of {vectors}"),
            Self::Columns { vectors } => write!(f, "columns of {vectors}"),
            Self::Scalars => f.write_str("scalars"),
            Self::Library => f.write_str("library"),
        }
    }
}

impl Display for Convolve {
    fn fmt(&self, f: &mut Formatter) -> Result {
        let Self { format, batch, height, width, channels, groups, finishes } = self;
        let finished = if *finishes { ", finished" } else { "" };
        // A file may hold anything.
        let (format, side) = (format.name(), channels.checked_div(*groups).unwrap_or(0));
        write!(f, "{format} 3x3 in groups of {side} over [{batch}, {height}, {width}, {channels}]{finished}")
    }
}

impl Display for Convolution {
    fn fmt(&self, f: &mut Formatter) -> Result {
        match self {
            Self::Tiles { tiles, vectors } => write!(f, "tiles of {tiles} by {vectors}"),
            Self::Strips => f.write_str("strips"),
        }
    }
}

#[cfg(all(test, feature = "native"))]
mod tests {
    use std::sync::{Mutex, PoisonError};

    use super::*;
    use crate::backend;
    use crate::kernels::gpu::choice::Operation;
    use crate::kernels::gpu::tuned::{Measured, questions};

    const LARGE: Capacity = Capacity { full: 1 << 12, enough: 1 << 15, matrix_units: false };

    fn multiply([rows, terms, columns]: [usize; 3], [left, right]: [Layout; 2], format: DType) -> Multiply {
        Multiply { format, groups: 1, rows, terms, columns, left, right, finishes: false }
    }

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
            assert_eq!(Measured::current().len(), usize::from(index > 0), "only the table's needs no word");
            let found = values(work());
            // In the order of all numbers NaN is the largest.
            let differences = found.iter().zip(expected).map(|(a, b)| (a - b).abs());
            let worst = differences.max_by(f32::total_cmp).unwrap_or(0.0);
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
            // From three channels, with a weight that was turned.
            (DType::F32, 1, [24, 3, 64], [Scattered, Scattered], true),
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
    fn the_tables_choice_is_offered() {
        use Layout::{Columns, Rows, Scattered};
        for layouts in [[Rows, Rows], [Rows, Columns], [Columns, Rows], [Scattered, Scattered]] {
            for [rows, terms, columns] in [[8192, 128, 256], [64, 300, 16], [16, 768, 1536], [5, 3, 7]] {
                for (format, matrix_units) in [(DType::F32, false), (DType::F32, true), (DType::BF16, true)] {
                    let case = multiply([rows, terms, columns], layouts, format);
                    let capacity = Capacity { matrix_units, ..LARGE };
                    let fixed = case.fixed(capacity);
                    assert!(case.kernels(capacity).contains(&fixed), "{case}: {fixed}");
                }
            }
        }
        for (width, channels, groups) in [(32, 128, 8), (4, 512, 32), (32, 32, 8), (5, 128, 8)] {
            for matrix_units in [false, true] {
                let case = Convolve {
                    format: DType::F32,
                    batch: 32,
                    height: 32,
                    width,
                    channels,
                    groups,
                    finishes: true,
                };
                let capacity = Capacity { matrix_units, ..LARGE };
                let fixed = case.fixed(capacity);
                assert!(case.kernels(capacity).contains(&fixed), "{case}: {fixed}");
            }
        }
    }

    #[test]
    fn no_kernel_is_offered_what_it_cannot_read() {
        let odd = multiply([30, 6, 10], [Layout::Scattered; 2], DType::F32);
        assert_eq!(odd.kernels(LARGE), [Product::Library, Product::Scalars]);
        let half = multiply([32, 8, 8], [Layout::Columns, Layout::Rows], DType::F16);
        assert_eq!(half.kernels(LARGE), [Product::Library]);
        let narrow = multiply([32, 8, 4], [Layout::Rows, Layout::Rows], DType::F32);
        assert!(!narrow.kernels(LARGE).contains(&Product::Rows { vectors: 2 }));
    }
}
