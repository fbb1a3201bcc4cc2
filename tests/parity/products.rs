//! Narrow matrix products, which GPUs run with a kernel of ours, against sums in f64.

use burn::tensor::{Device, Tensor, TensorData};
use r3gan::kernels;
use r3gan::random::RandomState;

use crate::compare::{FORWARD, assert_close, host};
use crate::platform::on_devices;

/// Groups, rows, terms and columns: single ones, edges beside a whole tile, one group and several.
const SIZES: [[usize; 4]; 7] = [
    [1, 1, 1, 1],
    [1, 4, 8, 4],
    [2, 5, 3, 7],
    [3, 16, 9, 2],
    [1, 33, 17, 65],
    [8, 31, 144, 16],
    [1, 2, 600, 3],
];

async fn narrow_products(device: &Device) {
    let mut random = RandomState::new(0);
    let mut draw = |length: usize| -> Vec<f32> {
        let mut values = vec![0.0; length];
        random.fill_randn(&mut values);
        values
    };
    for [groups, rows, terms, columns] in SIZES {
        let (left, right) = (draw(groups * rows * terms), draw(groups * terms * columns));
        let mut expected = vec![0.0f32; groups * rows * columns];
        for (place, sum) in expected.iter_mut().enumerate() {
            let (group, row, column) = (place / (rows * columns), place / columns % rows, place % columns);
            let a = |k: usize| f64::from(left[(group * rows + row) * terms + k]);
            let b = |k: usize| f64::from(right[(group * terms + k) * columns + column]);
            *sum = (0..terms).map(|k| a(k) * b(k)).sum::<f64>() as f32;
        }
        let tensor = |values: &[f32], shape: [usize; 3]| {
            Tensor::<3>::from_data(TensorData::new(values.to_vec(), shape), device)
        };
        let (a, b) = (tensor(&left, [groups, rows, terms]), tensor(&right, [groups, terms, columns]));
        let what = format!("{groups} x {rows} x {terms} x {columns}");
        let product = host(kernels::product(a.clone(), b.clone())).await;
        assert_close(&what, &product, &expected, FORWARD);
        // The same operands, lying in memory the other way round.
        let turned = |x: Tensor<3>| (x.swap_dims(1, 2) * 1.0).swap_dims(1, 2);
        let product = host(kernels::product(turned(a), turned(b))).await;
        assert_close(&format!("{what}, turned"), &product, &expected, FORWARD);
    }
}

on_devices! { narrow_products }
