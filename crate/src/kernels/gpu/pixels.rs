//! Samples as pixels, for textures.

use burn::tensor::DType;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::tensor::CubeTensor;
use cubecl::prelude::*;

use super::{empty_of, launched};
use crate::kernels::cpu::ROW;

/// `x [b, h, w, 3]` as RGBA, 8 bits each: `[b, h, row]` words, a row being as long as whole [`ROW`] are.
pub fn rgba(x: CubeTensor) -> CubeTensor {
    let x = into_contiguous(x);
    let [batch, height, width, _] = x.meta.shape().dims();
    let y = empty_of(&x, [batch, height, width.next_multiple_of(ROW)], DType::U32);
    let (count, dim) = launched([&x, &y], batch * height * width);
    let client = x.client.clone();
    pack::launch(&client, count, dim, x.into_tensor_arg(), y.clone().into_tensor_arg());
    y
}

/// As [`crate::pictures::to_rgba`] does.
#[cube(launch)]
fn pack(x: &Tensor<f32>, y: &mut Tensor<u32>) {
    let pixel = ABSOLUTE_POS;
    let (width, row) = (x.shape(2), y.shape(2));
    if pixel >= x.len() / 3 {
        terminate!();
    }
    let mut word = 0xff00_0000u32;
    #[unroll]
    for channel in 0..3 {
        let level = clamp(x[pixel * 3 + channel] * 127.5 + 128.0, 0.0, 255.0);
        word |= u32::cast_from(level) << (channel * 8) as u32;
    }
    y[pixel / width * row + pixel % width] = word;
}
