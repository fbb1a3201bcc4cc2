//! Samples as pixels, for textures.

use burn::tensor::{DType, Shape};
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::ops::numeric::empty_device_contiguous_dtype;
use burn_cubecl::tensor::CubeTensor;
use cubecl::prelude::*;

use super::launched;
use crate::kernels::cpu::ROW;

/// `x [b, h, w, 3]` as RGBA, 8 bits each: `[b, h, row]` words, a row being as long as whole [`ROW`] are.
pub fn rgba(x: CubeTensor) -> CubeTensor {
    let x = into_contiguous(x);
    let [batch, height, width, _] = x.meta.shape().dims();
    let shape = Shape::new([batch, height, width.next_multiple_of(ROW)]);
    let y = empty_device_contiguous_dtype(x.client.clone(), x.device.clone(), shape, DType::U32);
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
