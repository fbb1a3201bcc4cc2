//! Linear maps that devices run with kernels of ours, on odd shapes, against their definitions in f64.

use burn::tensor::{DType, Device, FloatDType, Tensor, TensorData};
use r3gan::kernels::{self, Finish, TAPS};
use r3gan::linear::{LinearMap, bias, resample::Resample};
use r3gan::network::Weights;
use r3gan::random::RandomState;
use r3gan::training::{Adam, average};

use crate::compare::{FORWARD, GRADIENT, assert_close, assert_within, host};
use crate::platform::on_devices;

pub fn draw(random: &mut RandomState, length: usize) -> Vec<f32> {
    let mut values = vec![0.0; length];
    random.fill_randn(&mut values);
    values
}

pub fn tensor<const D: usize>(values: &[f32], shape: [usize; D], device: &Device) -> Tensor<D> {
    Tensor::from_data(TensorData::new(values.to_vec(), shape), device)
}

/// So many shapes that nobody chose, each side from 1 up to its most; the same ones every time.
fn any_of<const N: usize>(count: usize, most: [u32; N]) -> impl Iterator<Item = [usize; N]> {
    let mut random = RandomState::new(10);
    (0..count).map(move |_| most.map(|most| 1 + random.randint(most) as usize))
}

/// Groups, rows, terms and columns: single ones, edges beside a whole tile, whole vectors, long sums, one group and
/// several, and so many that a unit of a GPU takes more of them.
const SIZES: [[usize; 4]; 14] = [
    [1, 1, 1, 1],
    [1, 4, 8, 4],
    [2, 5, 3, 7],
    [3, 16, 9, 2],
    [1, 33, 17, 65],
    [8, 31, 144, 16],
    [1, 2, 600, 3],
    [2, 12, 8, 20],
    [1, 37, 64, 32],
    [1, 32, 5001, 16],
    [2, 3, 4100, 4],
    [3, 8, 5003, 12],
    [1, 2051, 8, 128],
    [1, 256, 1030, 256],
];

async fn narrow_products(device: &Device) {
    let mut random = RandomState::new(0);
    for [groups, rows, terms, columns] in SIZES.into_iter().chain(any_of(10, [3, 70, 200, 80])) {
        let left = draw(&mut random, groups * rows * terms);
        let right = draw(&mut random, groups * terms * columns);
        let mut expected = vec![0.0f32; groups * rows * columns];
        for (place, sum) in expected.iter_mut().enumerate() {
            let (group, row, column) = (place / (rows * columns), place / columns % rows, place % columns);
            let a = |k: usize| f64::from(left[(group * rows + row) * terms + k]);
            let b = |k: usize| f64::from(right[(group * terms + k) * columns + column]);
            *sum = (0..terms).map(|k| a(k) * b(k)).sum::<f64>() as f32;
        }
        let a = tensor(&left, [groups, rows, terms], device);
        let b = tensor(&right, [groups, terms, columns], device);
        let what = format!("{groups} x {rows} x {terms} x {columns}");
        // Lying in memory as they are, or the other way round.
        let turned = |x: &Tensor<3>| (x.clone().swap_dims(1, 2) * 1.0).swap_dims(1, 2);
        for (a, b, how) in [
            (a.clone(), b.clone(), "as they are"),
            (turned(&a), b.clone(), "left turned"),
            (a.clone(), turned(&b), "right turned"),
            (turned(&a), turned(&b), "both turned"),
        ] {
            let product = host(kernels::product(a, b)).await;
            assert_close(&format!("{what}, {how}"), &product, &expected, FORWARD);
        }
    }
}

/// Batch, height, width, channels and groups: one pixel, one channel, one group, groups of 1 to 32 channels, sides that
/// are no multiple of anything, many tiles.
const PICTURES: [([usize; 4], usize); 13] = [
    ([1, 1, 1, 1], 1),
    ([2, 3, 5, 6], 6),
    ([1, 7, 2, 6], 2),
    ([1, 5, 9, 4], 1),
    ([3, 4, 4, 8], 1),
    ([2, 5, 7, 16], 2),
    ([1, 3, 9, 48], 3),
    ([2, 4, 6, 64], 2),
    ([1, 33, 31, 16], 1),
    // More lines than parts of the weight gradient: some parts have two, some none.
    ([2, 24, 3, 128], 4),
    // Two tiles of pixels for a unit of a GPU, and two vectors of channels too, of whole groups and of a part.
    ([1, 3, 16, 48], 3),
    ([2, 32, 64, 64], 8),
    ([2, 32, 32, 128], 4),
];

/// The sum over taps and inputs: `part(output, input, weight)` for every triple of places that meet.
fn meet([b, h, w, c]: [usize; 4], groups: usize, mut part: impl FnMut(usize, usize, usize)) {
    let width = c / groups;
    for output in 0..b * h * w * c {
        let (row, column, channel) = (output / (w * c) % h, output / c % w, output % c);
        for tap in 0..TAPS {
            let (r, q) = (row + tap / 3, column + tap % 3);
            if (1..=h).contains(&r) && (1..=w).contains(&q) {
                for i in 0..width {
                    let pixel = (output / (h * w * c) * h + r - 1) * w + q - 1;
                    part(output, pixel * c + channel / width * width + i, (channel * width + i) * TAPS + tap);
                }
            }
        }
    }
}

/// Numbers as a format holds them.
async fn rounded(values: &[f32], dtype: DType, device: &Device) -> Vec<f32> {
    host(tensor(values, [values.len()], device).cast(dtype)).await
}

/// Both directions and the weight's gradient of one convolution in `dtype`, against the naive sums of the rounded numbers.
async fn grouped_convolution(
    random: &mut RandomState,
    (shape, groups): ([usize; 4], usize),
    (dtype, tolerances): (DType, [f32; 2]),
    device: &Device,
) {
    let [count, channels] = [shape.iter().product(), shape[3]];
    let map = LinearMap::Grouped { channels, groups };
    let x = rounded(&draw(random, count), dtype, device).await;
    let delta = rounded(&draw(random, count), dtype, device).await;
    let weight = rounded(&draw(random, channels * (channels / groups) * TAPS), dtype, device).await;
    let mut sums = [vec![0.0f64; count], vec![0.0; count], vec![0.0; weight.len()]];
    let product = |a: f32, b: f32| f64::from(a) * f64::from(b);
    meet(shape, groups, |output, input, at| {
        sums[0][output] += product(x[input], weight[at]);
        sums[1][input] += product(delta[output], weight[at]);
        sums[2][at] += product(delta[output], x[input]);
    });
    let expected = sums.map(|sums| sums.into_iter().map(|sum| sum as f32).collect::<Vec<_>>());
    let what = format!("{shape:?} in {groups}, {dtype:?}");
    let w = tensor(&weight, [weight.len()], device).cast(dtype);
    let (x, delta) = (tensor(&x, shape, device).cast(dtype), tensor(&delta, shape, device).cast(dtype));
    let [forward, gradient] = tolerances;
    // The same pictures, lying in memory with the channels first.
    let turned = |x: &Tensor<4>| (x.clone().swap_dims(1, 3) * 1.0).swap_dims(1, 3);
    for (x, delta) in [(turned(&x), turned(&delta)), (x, delta)] {
        let y = host(map.apply(x.clone(), &w, None, Finish::Nothing).0).await;
        assert_close(&format!("{what}, forward"), &y, &expected[0], forward);
        let back = host(map.adjoint(delta.clone(), &w, None, Finish::Nothing)).await;
        assert_close(&format!("{what}, adjoint"), &back, &expected[1], forward);
        let weight = host(map.weight_gradient(x, delta, None)).await;
        assert_close(&format!("{what}, weight"), &weight, &expected[2], gradient);
    }
}

async fn grouped_convolutions(device: &Device) {
    let mut random = RandomState::new(1);
    let any = any_of(12, [3, 12, 12, 4, 6]).map(|[batch, height, width, groups, logarithm]| {
        ([batch, height, width, groups << (logarithm - 1)], groups)
    });
    for picture in PICTURES.into_iter().chain(any) {
        grouped_convolution(&mut random, picture, (DType::F32, [FORWARD, GRADIENT]), device).await;
    }
}

/// Matrix units take groups of 16 and 32 channels in rows of whole tiles, one or two of them abreast, with fewer rows
/// than a strip has, as many, and more; other pictures are for the kernels that f32 has.
const HALVES: [([usize; 4], usize); 7] = [
    ([1, 3, 16, 48], 3),
    ([2, 8, 32, 32], 1),
    ([1, 17, 48, 64], 2),
    ([2, 19, 64, 32], 2),
    ([3, 16, 16, 96], 3),
    ([1, 5, 16, 24], 3),
    ([2, 4, 8, 32], 2),
];

/// Sums are f32 on GPUs; Burn's own operations, on the CPU, round them too.
async fn grouped_convolutions_in_half_precision(device: &Device) {
    let mut random = RandomState::new(7);
    for (format, dtype, unit) in
        [(FloatDType::F16, DType::F16, 1.0 / 2048.0), (FloatDType::BF16, DType::BF16, 1.0 / 256.0)]
    {
        if !device.supports_dtype(format) {
            continue;
        }
        let tolerance = unit * if r3gan::backend::is_cpu(device) { 16.0 } else { 1.0 };
        for picture in HALVES {
            grouped_convolution(&mut random, picture, (dtype, [tolerance; 2]), device).await;
        }
    }
}

/// The filter of an axis, and of both the outer product.
const FILTER: [f64; 4] = [0.125, 0.375, 0.375, 0.125];

async fn resampling_and_its_adjoint(device: &Device) {
    let mut random = RandomState::new(2);
    let any = any_of(8, [3, 9, 9, 24]).map(|[b, h, w, c]| [b, 2 * h, 2 * w, c]);
    let chosen = [[1, 2, 2, 1], [2, 4, 6, 3], [1, 10, 2, 8], [3, 8, 8, 16], [1, 2, 14, 5]];
    for [b, h, w, c] in chosen.into_iter().chain(any) {
        let (fine, coarse) = ([b, h, w, c], [b, h / 2, w / 2, c]);
        let x = draw(&mut random, b * h * w * c);
        let y = draw(&mut random, x.len() / 4);
        let (mut halved, mut doubled) = (vec![0.0f64; y.len()], vec![0.0f64; x.len()]);
        for (output, sum) in halved.iter_mut().enumerate() {
            let (row, column) = (output / (w / 2 * c) % (h / 2) * 2, output / c % (w / 2) * 2);
            for (down, vertical) in FILTER.into_iter().enumerate() {
                for (right, horizontal) in FILTER.into_iter().enumerate() {
                    let (r, q) = (row + down, column + right);
                    if (1..=h).contains(&r) && (1..=w).contains(&q) {
                        let picture = output / (h / 2 * (w / 2) * c);
                        let input = ((picture * h + r - 1) * w + q - 1) * c + output % c;
                        *sum += vertical * horizontal * f64::from(x[input]);
                        doubled[input] += 4.0 * vertical * horizontal * f64::from(y[output]);
                    }
                }
            }
        }
        let rounded =
            |sums: &[f64], factor: f64| sums.iter().map(|v| (v * factor) as f32).collect::<Vec<_>>();
        let (x, y) = (tensor(&x, fine, device), tensor(&y, coarse, device));
        for (what, found, expected) in [
            ("halved", Resample::Down.apply(x.clone()), rounded(&halved, 1.0)),
            ("doubled", Resample::Up.apply(y.clone()), rounded(&doubled, 1.0)),
            ("adjoint of halving", Resample::Down.adjoint(y), rounded(&doubled, 0.25)),
            ("adjoint of doubling", Resample::Up.adjoint(x), rounded(&halved, 4.0)),
        ] {
            assert_close(&format!("{fine:?}, {what}"), &host(found).await, &expected, FORWARD);
        }
    }
}

/// Rows shorter than one that a texture is copied from, as long, and longer; values at the ends and beyond them.
async fn pixels_of_samples(device: &Device) {
    let mut random = RandomState::new(5);
    for [b, h, w] in [[1, 1, 1], [3, 4, 4], [2, 3, 64], [1, 2, 65]] {
        let mut x = draw(&mut random, b * h * w * 3);
        x[..3].copy_from_slice(&[-1.0, 0.0, 1.0]);
        let samples = tensor(&x, [b, h, w, 3], device);
        // Lying in memory with the channels first, too.
        let turned = (samples.clone().swap_dims(1, 3) * 1.0).swap_dims(1, 3);
        for samples in [samples, turned] {
            let words = kernels::rgba(samples);
            let row = words.dims()[2];
            assert_eq!(row, w.next_multiple_of(64));
            let words = words.into_data_async().await.expect("a device that can be read");
            let bytes: Vec<u8> =
                words.try_to_vec::<u32>().expect("words").into_iter().flat_map(u32::to_le_bytes).collect();
            let found: Vec<u8> = bytes.chunks(row * 4).flat_map(|line| &line[..w * 4]).copied().collect();
            assert_eq!(found, r3gan::pictures::to_rgba(&x), "{b} x {h} x {w}");
        }
    }
}

/// Lengths beside a whole work group, and more work groups than one dimension has.
async fn steps_of_adam(device: &Device) {
    let mut random = RandomState::new(4);
    for length in [1, 63, 65, 4_300_000] {
        let weight: Vec<f32> = (0..length).map(|i| (i % 1000) as f32 * 1e-3 - 0.5).collect();
        let gradient: Vec<f32> =
            draw(&mut random, length.min(1000)).into_iter().cycle().take(length).collect();
        let mut weights = vec![tensor(&weight, [length], device)];
        let mut adam = Adam::new(&weights);
        for (rate, beta2) in [(0.1, 0.9), (0.05, 0.99)] {
            adam.step(&mut weights, vec![tensor(&gradient, [length], device)], rate, beta2);
        }
        let stepped = |(w, g): (&f32, &f32)| {
            let (mut w, g, mut v) = (f64::from(*w), f64::from(*g), 0.0);
            for (t, rate, beta2) in [(1, 0.1, 0.9), (2, 0.05, 0.99f64)] {
                v = beta2 * v + (1.0 - beta2) * g * g;
                w -= rate * g / ((v / (1.0 - beta2.powi(t))).sqrt() + 1e-8);
            }
            w as f32
        };
        let expected: Vec<f32> = weight.iter().zip(&gradient).map(stepped).collect();
        assert_close(&format!("{length} weights"), &host(weights.remove(0)).await, &expected, FORWARD);
    }
}

/// Both sides of the half-life at which the reference's interpolation changes its form.
async fn averages(device: &Device) {
    let mut random = RandomState::new(5);
    for (length, decay) in [(1, 0.0), (65, 0.3), (63, 0.5), (4_300_000, 0.999)] {
        let repeated = |random: &mut RandomState| -> Vec<f32> {
            draw(random, length.min(1000)).into_iter().cycle().take(length).collect()
        };
        let (average, weight) = (repeated(&mut random), repeated(&mut random));
        let moved = |(a, w): (&f32, &f32)| (f64::from(*a) * decay + f64::from(*w) * (1.0 - decay)) as f32;
        let expected: Vec<f32> = average.iter().zip(&weight).map(moved).collect();
        let mut averages = vec![tensor(&average, [length], device)];
        average::update(&mut averages, &vec![tensor(&weight, [length], device)], decay);
        assert_close(&format!("{length} averages"), &host(averages.remove(0)).await, &expected, FORWARD);
    }
}

/// Lengths on both sides of work groups and of a slice's alignment, and more than a launch takes.
const LENGTHS: [usize; 20] = [1, 63, 64, 65, 3, 128, 1, 1000, 7, 192, 256, 2, 31, 64, 100, 5, 1, 640, 9, 77];

/// A network whose weights others hold too, all of them or one: they keep their values, and the updates have theirs.
async fn updates_of_what_others_hold(device: &Device) {
    let mut random = RandomState::new(7);
    let mut network = || LENGTHS.map(|length| draw(&mut random, length));
    let mut expected = network();
    // Far from zero, beside which epsilon is nothing.
    let gradients = network().map(|values| values.iter().map(|g| g + g.signum()).collect::<Vec<f32>>());
    let tensors = |values: &[Vec<f32>]| -> Weights {
        values.iter().map(|values| tensor(values, [values.len()], device)).collect()
    };
    let mut weights = tensors(&expected);
    let mut averages = weights.clone();
    let mut adam = Adam::new(&weights);
    let mut expected_averages = expected.clone();
    let mut held: Vec<(Weights, Vec<Vec<f32>>)> = Vec::new();
    for step in 0..4 {
        held.push(match step {
            0 | 2 => (weights.clone(), expected.to_vec()),
            1 => (averages[3..5].to_vec(), expected_averages[3..5].to_vec()),
            _ => (
                vec![weights[9].clone(), averages[0].clone()],
                vec![expected[9].clone(), expected_averages[0].clone()],
            ),
        });
        // A step that forgets: the second moment is the gradient's square, the update its sign.
        adam.step(&mut weights, tensors(&gradients), 0.125, 0.0);
        average::update(&mut averages, &weights, 0.75);
        for ((weight, gradient), average) in expected.iter_mut().zip(&gradients).zip(&mut expected_averages) {
            for ((weight, gradient), average) in weight.iter_mut().zip(gradient).zip(average) {
                *weight -= 0.125 * gradient.signum();
                *average += (*weight - *average) * 0.25;
            }
        }
    }
    held.push((weights, expected.to_vec()));
    held.push((averages, expected_averages.to_vec()));
    held.push((adam.second_moments, gradients.map(|values| values.iter().map(|g| g * g).collect()).to_vec()));
    for (place, (tensors, expected)) in held.into_iter().enumerate() {
        for (tensor, expected) in tensors.into_iter().zip(expected) {
            assert_within(&format!("what is held, {place}"), &host(tensor).await, &expected, FORWARD);
        }
    }
}

/// Batch, height, width and channels: one of each, whole vectors and none, pixels beside what a unit reads at a time, one
/// part and several, samples that a part ends within.
const MAPS: [[usize; 4]; 8] = [
    [1, 1, 1, 1],
    [37, 1, 1, 12],
    [600, 1, 1, 128],
    [3, 5, 7, 6],
    [2, 4, 4, 20],
    [1, 32, 32, 16],
    [5, 17, 29, 3],
    [7, 16, 16, 64],
];

async fn gradients_of_biases(device: &Device) {
    let mut random = RandomState::new(8);
    for [b, h, w, c] in MAPS.into_iter().chain(any_of(8, [20, 12, 12, 70])) {
        let (delta, scale) = (draw(&mut random, b * h * w * c), draw(&mut random, b));
        let (mut plain, mut scaled) = (vec![0.0f64; c], vec![0.0f64; c]);
        for (at, value) in delta.iter().enumerate() {
            plain[at % c] += f64::from(*value);
            scaled[at % c] += f64::from(*value) * f64::from(scale[at / (h * w * c)]);
        }
        let [plain, scaled] =
            [plain, scaled].map(|sums| sums.iter().map(|sum| *sum as f32).collect::<Vec<_>>());
        let delta = tensor(&delta, [b, h, w, c], device);
        let scale = tensor(&scale, [b, 1, 1, 1], device);
        // The same maps, lying in memory with the channels first.
        let turned = (delta.clone().swap_dims(1, 3) * 1.0).swap_dims(1, 3);
        for delta in [delta, turned] {
            let found = host(bias::gradient(delta.clone(), None)).await;
            assert_close(&format!("{b} x {h} x {w} x {c}"), &found, &plain, GRADIENT);
            let found = host(bias::gradient(delta, Some(&scale))).await;
            assert_close(&format!("{b} x {h} x {w} x {c}, scaled"), &found, &scaled, GRADIENT);
        }
    }
}

/// Both directions of a basis and the gradient of its patterns; finishes of both are in `finishes.rs`.
async fn bases(device: &Device) {
    let mut random = RandomState::new(9);
    for [b, c] in [[1, 1], [2, 8], [3, 5], [17, 12], [64, 128]].into_iter().chain(any_of(5, [20, 90])) {
        let (vector, picture) = (draw(&mut random, b * c), draw(&mut random, b * 16 * c));
        let weight = draw(&mut random, c * 16);
        let (mut expanded, mut contracted) = (vec![0.0f32; b * 16 * c], vec![0.0f64; b * c]);
        let mut sums = vec![0.0f64; c * 16];
        for at in 0..b * 16 * c {
            let (sample, place, channel) = (at / (16 * c), at / c % 16, at % c);
            let (from, pattern) = (sample * c + channel, channel * 16 + place);
            expanded[at] = vector[from] * weight[pattern];
            contracted[from] += f64::from(picture[at]) * f64::from(weight[pattern]);
            sums[pattern] += f64::from(picture[at]) * f64::from(vector[from]);
        }
        let [contracted, sums] = [contracted, sums].map(|s| s.iter().map(|v| *v as f32).collect::<Vec<_>>());
        let weight = tensor(&weight, [c * 16], device);
        let (vector, picture) =
            (tensor(&vector, [b, 1, 1, c], device), tensor(&picture, [b, 4, 4, c], device));
        // The same pictures, lying in memory with the channels first.
        let turned = (picture.clone().swap_dims(1, 3) * 1.0).swap_dims(1, 3);
        let (up, down) = (LinearMap::ExpandBasis { channels: c }, LinearMap::ContractBasis { channels: c });
        let nothing = || Finish::Nothing;
        for picture in [picture, turned] {
            for (what, found, expected) in [
                ("expanded", up.apply(vector.clone(), &weight, None, nothing()).0, &expanded),
                ("contracted", down.apply(picture.clone(), &weight, None, nothing()).0, &contracted),
                ("adjoint of expanding", up.adjoint(picture.clone(), &weight, None, nothing()), &contracted),
                ("adjoint of contracting", down.adjoint(vector.clone(), &weight, None, nothing()), &expanded),
            ] {
                assert_close(&format!("{b} x {c}, {what}"), &host(found).await, expected, FORWARD);
            }
            for gradient in [
                up.weight_gradient(vector.clone(), picture.clone(), None),
                down.weight_gradient(picture.clone(), vector.clone(), None),
            ] {
                assert_close(&format!("{b} x {c}, patterns"), &host(gradient).await, &sums, GRADIENT);
            }
        }
    }
}

on_devices! {
    bases, gradients_of_biases, updates_of_what_others_hold, steps_of_adam, averages, narrow_products, grouped_convolutions,
    grouped_convolutions_in_half_precision, resampling_and_its_adjoint, pixels_of_samples,
}
