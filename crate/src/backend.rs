//! The one file that names a backend: devices by name, and our kernels per backend.

use burn::backend::ops::FloatTensorOps as _;
use burn::backend::tensor::{FloatTensor, IntTensor};
use burn::backend::{Backend, Flex, backend_extension};
use burn::tensor::{Device, FloatDType, TensorData};
#[cfg(feature = "webgpu")]
use {
    burn::tensor::{Int, Tensor},
    cubecl::wgpu::{AutoCompiler, WgpuResource, WgpuServer},
    wasm_bindgen::JsValue,
};

use crate::error::{Error, Result};
use crate::kernels::{AdamStep, Finishing, NEGATIVE_SLOPE, Parameters, Scaling, cpu, warp};

/// A finished feature map, and slopes where they were to be recorded; see [`crate::kernels::Finish`].
pub type FinishedOn<B> = (FloatTensor<B>, Option<IntTensor<B>>);

/// Operations that a backend runs with a kernel of ours.
#[backend_extension(Flex, Cube: cfg(feature = "gpu"))]
pub trait Kernels: Backend {
    /// See [`crate::kernels::finished_product`].
    fn product(
        left: FloatTensor<Self>,
        right: FloatTensor<Self>,
        #[extension_type] finish: Finishing<Self>,
    ) -> (FloatTensor<Self>, Option<IntTensor<Self>>);
    /// `left [1, m, k]` times `panels [p, k, n / p]`, as `kernels::packed` made them, finished: `[1, m, n]`.
    fn product_of_panels(
        left: FloatTensor<Self>,
        panels: FloatTensor<Self>,
        #[extension_type] finish: Finishing<Self>,
    ) -> (FloatTensor<Self>, Option<IntTensor<Self>>);
    /// See [`crate::kernels::taps_first`].
    fn taps_first(weight: FloatTensor<Self>, adjoint: bool) -> FloatTensor<Self>;
    /// See [`crate::kernels::grouped`].
    fn grouped(
        x: FloatTensor<Self>,
        kernel: FloatTensor<Self>,
        #[extension_type] finish: Finishing<Self>,
    ) -> (FloatTensor<Self>, Option<IntTensor<Self>>);
    /// See [`crate::kernels::finished`].
    fn finish(
        x: FloatTensor<Self>,
        #[extension_type] finish: Finishing<Self>,
    ) -> (FloatTensor<Self>, Option<IntTensor<Self>>);
    /// See [`crate::kernels::grouped_weight_gradient`].
    fn grouped_weight_gradient(
        x: FloatTensor<Self>,
        delta: FloatTensor<Self>,
        groups: usize,
    ) -> FloatTensor<Self>;
    /// See [`crate::kernels::resample`].
    fn resample(x: FloatTensor<Self>, up: bool, factor: f32) -> FloatTensor<Self>;
    /// See [`crate::kernels::adam`].
    fn adam(
        #[extension_type] weights: Parameters<Self>,
        #[extension_type] moments: Parameters<Self>,
        #[extension_type] gradients: Parameters<Self>,
        step: AdamStep,
    ) -> (Vec<FloatTensor<Self>>, Vec<FloatTensor<Self>>);
    /// See [`crate::kernels::average`].
    fn average(
        #[extension_type] averages: Parameters<Self>,
        #[extension_type] weights: Parameters<Self>,
        decay: f64,
    ) -> Vec<FloatTensor<Self>>;
    /// See [`crate::kernels::rgba`].
    fn rgba(x: FloatTensor<Self>) -> IntTensor<Self>;
    /// See [`crate::kernels::expand`].
    fn expand(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        #[extension_type] finish: Finishing<Self>,
    ) -> (FloatTensor<Self>, Option<IntTensor<Self>>);
    /// See [`crate::kernels::contract`].
    fn contract(x: FloatTensor<Self>, weight: FloatTensor<Self>) -> FloatTensor<Self>;
    /// See [`crate::kernels::basis_weight_gradient`].
    fn basis_weight_gradient(vector: FloatTensor<Self>, picture: FloatTensor<Self>) -> FloatTensor<Self>;
    /// See [`crate::kernels::channel_sums`].
    fn channel_sums(x: FloatTensor<Self>, #[extension_type] scale: Scaling<Self>) -> FloatTensor<Self>;
    /// See [`crate::kernels::warp`].
    fn warp(x: FloatTensor<Self>, geometry: FloatTensor<Self>) -> FloatTensor<Self>;
    /// See [`crate::kernels::warp_adjoint`].
    fn warp_adjoint(delta: FloatTensor<Self>, geometry: FloatTensor<Self>) -> FloatTensor<Self>;
}

/// All GPUs, whatever reaches them.
#[cfg(feature = "gpu")]
pub type Gpu = burn::backend::Cube;

#[cfg(feature = "gpu")]
impl Kernels for Gpu {
    fn product(
        left: FloatTensor<Self>,
        right: FloatTensor<Self>,
        finish: Finishing<Self>,
    ) -> FinishedOn<Self> {
        use crate::kernels::gpu::{self, Product};
        let [groups, rows, _] = left.meta.shape().dims();
        let [_, _, columns] = right.meta.shape().dims();
        let finishes = !matches!(finish, Finishing::Nothing);
        let product = match gpu::product_kernel(&left, &right, finishes) {
            Product::Rows { vectors } if groups == 1 => {
                return gpu::finished_product(left, right, finish, vectors);
            }
            Product::Rows { vectors } => gpu::finished_product(left, right, Finishing::Nothing, vectors).0,
            Product::Library => gpu::library_product(left, right),
            kernel => {
                let parts = gpu::product(left, right, kernel);
                let [count, ..]: [usize; 4] = parts.meta.shape().dims();
                let whole = if count > 1 { Self::float_sum_dim(parts, 0) } else { parts };
                Self::float_reshape(whole, [groups, rows, columns].into())
            }
        };
        gpu::finish(product, finish)
    }

    fn product_of_panels(_: FloatTensor<Self>, _: FloatTensor<Self>, _: Finishing<Self>) -> FinishedOn<Self> {
        unreachable!("packed makes one panel for a GPU")
    }

    fn taps_first(weight: FloatTensor<Self>, adjoint: bool) -> FloatTensor<Self> {
        crate::kernels::gpu::taps_first(weight, adjoint)
    }

    fn grouped(x: FloatTensor<Self>, kernel: FloatTensor<Self>, finish: Finishing<Self>) -> FinishedOn<Self> {
        crate::kernels::gpu::grouped(x, kernel, finish)
    }

    fn finish(x: FloatTensor<Self>, finish: Finishing<Self>) -> FinishedOn<Self> {
        crate::kernels::gpu::finish(x, finish)
    }

    fn grouped_weight_gradient(
        x: FloatTensor<Self>,
        delta: FloatTensor<Self>,
        groups: usize,
    ) -> FloatTensor<Self> {
        crate::kernels::gpu::grouped_weight_gradient(x, delta, groups)
    }

    fn resample(x: FloatTensor<Self>, up: bool, factor: f32) -> FloatTensor<Self> {
        crate::kernels::gpu::resample(x, up, factor)
    }

    fn adam(
        weights: Parameters<Self>,
        moments: Parameters<Self>,
        gradients: Parameters<Self>,
        step: AdamStep,
    ) -> (Vec<FloatTensor<Self>>, Vec<FloatTensor<Self>>) {
        crate::kernels::gpu::adam(weights.0, moments.0, gradients.0, step)
    }

    fn average(averages: Parameters<Self>, weights: Parameters<Self>, decay: f64) -> Vec<FloatTensor<Self>> {
        crate::kernels::gpu::average(averages.0, weights.0, decay)
    }

    fn rgba(x: FloatTensor<Self>) -> IntTensor<Self> {
        crate::kernels::gpu::rgba(x)
    }

    fn expand(x: FloatTensor<Self>, weight: FloatTensor<Self>, finish: Finishing<Self>) -> FinishedOn<Self> {
        crate::kernels::gpu::expand(x, weight, finish)
    }

    fn contract(x: FloatTensor<Self>, weight: FloatTensor<Self>) -> FloatTensor<Self> {
        crate::kernels::gpu::contract(x, weight)
    }

    fn basis_weight_gradient(vector: FloatTensor<Self>, picture: FloatTensor<Self>) -> FloatTensor<Self> {
        crate::kernels::gpu::basis_weight_gradient(vector, picture)
    }

    fn channel_sums(x: FloatTensor<Self>, scale: Scaling<Self>) -> FloatTensor<Self> {
        crate::kernels::gpu::channel_sums(x, scale.samples())
    }

    fn warp(_: FloatTensor<Self>, _: FloatTensor<Self>) -> FloatTensor<Self> {
        unreachable!("has_warp says that only the CPU has this kernel")
    }

    fn warp_adjoint(_: FloatTensor<Self>, _: FloatTensor<Self>) -> FloatTensor<Self> {
        unreachable!("has_warp says that only the CPU has this kernel")
    }
}

impl Kernels for Flex {
    fn product(
        left: FloatTensor<Self>,
        right: FloatTensor<Self>,
        finish: Finishing<Self>,
    ) -> FinishedOn<Self> {
        let [groups, rows, depth] = left.layout().shape().dims();
        let [_, _, columns] = right.layout().shape().dims();
        let turned = right.clone().transpose(1, 2);
        let weight = match groups {
            1 if !left.is_contiguous() => None,
            1 if right.is_contiguous() => Some(cpu::Right::Rows(values(&right))),
            1 if turned.is_contiguous() => Some(cpu::Right::Columns(values(&turned))),
            _ => None,
        };
        let Some(weight) = weight else {
            // As a weight's gradient is summed over pixels. Natively the `gemm` crate is quicker, by its wider vectors.
            let of_pixels = left.clone().transpose(1, 2);
            let summed = groups == 1 && of_pixels.is_contiguous() && right.is_contiguous();
            let y = if cfg!(target_family = "wasm") && summed {
                let y = cpu::outer(values(&of_pixels), values(&right), [depth, rows, columns]);
                FloatTensor::<Self>::from_data(TensorData::new(y, [1, rows, columns]))
            } else {
                Self::float_matmul(left, right)
            };
            return Self::finish(y, finish);
        };
        product(&left, weight, [rows, depth, columns], finish)
    }

    fn product_of_panels(
        left: FloatTensor<Self>,
        panels: FloatTensor<Self>,
        finish: Finishing<Self>,
    ) -> FinishedOn<Self> {
        let (left, panels) = (contiguous(left), contiguous(panels));
        let [_, rows, _] = left.layout().shape().dims();
        let [count, depth, wide] = panels.layout().shape().dims();
        product(&left, cpu::Right::Panels(values(&panels)), [rows, depth, count * wide], finish)
    }

    fn taps_first(weight: FloatTensor<Self>, adjoint: bool) -> FloatTensor<Self> {
        let weight = contiguous(weight);
        let [groups, width, ..]: [usize; 4] = weight.layout().shape().dims();
        let kernel = cpu::taps_first(values(&weight), width, adjoint);
        FloatTensor::<Self>::from_data(TensorData::new(kernel, [groups, cpu::TAPS, width, width]))
    }

    fn grouped(x: FloatTensor<Self>, kernel: FloatTensor<Self>, finish: Finishing<Self>) -> FinishedOn<Self> {
        let (x, kernel) = (contiguous(x), contiguous(kernel));
        let shape: [usize; 4] = x.layout().shape().dims();
        let [groups, ..]: [usize; 4] = kernel.layout().shape().dims();
        let (y, slopes) = finishing(finish, shape, |record, finish| {
            cpu::grouped(values(&x), shape, values(&kernel), groups, record, finish)
        });
        (FloatTensor::<Self>::from_data(TensorData::new(y, shape)), slopes)
    }

    fn finish(x: FloatTensor<Self>, finish: Finishing<Self>) -> FinishedOn<Self> {
        if matches!(finish, Finishing::Nothing) {
            return (x, None);
        }
        let mut x = contiguous(x);
        let shape = x.layout().shape().dims();
        let ((), slopes) =
            finishing(finish, shape, |record, finish| cpu::finish(values_mut(&mut x), record, finish));
        (x, slopes)
    }

    fn grouped_weight_gradient(
        x: FloatTensor<Self>,
        delta: FloatTensor<Self>,
        groups: usize,
    ) -> FloatTensor<Self> {
        let (x, delta) = (contiguous(x), contiguous(delta));
        let gradient = cpu::weight_gradient(values(&x), values(&delta), x.layout().shape().dims(), groups);
        let count = gradient.len();
        FloatTensor::<Self>::from_data(TensorData::new(gradient, [count]))
    }

    fn resample(x: FloatTensor<Self>, up: bool, factor: f32) -> FloatTensor<Self> {
        let x = contiguous(x);
        let [batch, height, width, channels] = x.layout().shape().dims();
        let y = cpu::resample(values(&x), [batch, height, width, channels], up, factor);
        let [height, width] = [height, width].map(|side| if up { 2 * side } else { side / 2 });
        FloatTensor::<Self>::from_data(TensorData::new(y, [batch, height, width, channels]))
    }

    fn adam(
        weights: Parameters<Self>,
        moments: Parameters<Self>,
        gradients: Parameters<Self>,
        step: AdamStep,
    ) -> (Vec<FloatTensor<Self>>, Vec<FloatTensor<Self>>) {
        let tensors = weights.0.into_iter().zip(moments.0).zip(gradients.0);
        let stepped = |((weight, moment), gradient)| {
            let [mut weight, mut moment, gradient] = [weight, moment, gradient].map(contiguous);
            cpu::adam::adam(values_mut(&mut weight), values_mut(&mut moment), values(&gradient), step);
            (weight, moment)
        };
        tensors.map(stepped).unzip()
    }

    fn average(averages: Parameters<Self>, weights: Parameters<Self>, decay: f64) -> Vec<FloatTensor<Self>> {
        let moved = |(average, weight)| {
            let [mut average, weight] = [average, weight].map(contiguous);
            cpu::adam::average(values_mut(&mut average), values(&weight), decay as f32, (1.0 - decay) as f32);
            average
        };
        averages.0.into_iter().zip(weights.0).map(moved).collect()
    }

    fn rgba(x: FloatTensor<Self>) -> IntTensor<Self> {
        let x = contiguous(x);
        let [batch, height, width, _]: [usize; 4] = x.layout().shape().dims();
        let row = width.next_multiple_of(cpu::ROW);
        let words = cpu::rgba(values(&x), width, row);
        IntTensor::<Self>::from_data(TensorData::new(words, [batch, height, row]))
    }

    fn expand(_: FloatTensor<Self>, _: FloatTensor<Self>, _: Finishing<Self>) -> FinishedOn<Self> {
        unreachable!("has_bases says that only GPUs have this kernel")
    }

    fn contract(_: FloatTensor<Self>, _: FloatTensor<Self>) -> FloatTensor<Self> {
        unreachable!("has_bases says that only GPUs have this kernel")
    }

    fn basis_weight_gradient(_: FloatTensor<Self>, _: FloatTensor<Self>) -> FloatTensor<Self> {
        unreachable!("has_bases says that only GPUs have this kernel")
    }

    fn channel_sums(x: FloatTensor<Self>, scale: Scaling<Self>) -> FloatTensor<Self> {
        let x = contiguous(x);
        let shape: [usize; 4] = x.layout().shape().dims();
        let scale = scale.samples().map(contiguous);
        let sums = cpu::channel_sums(values(&x), shape, scale.as_ref().map(values));
        FloatTensor::<Self>::from_data(TensorData::new(sums, [shape[3]]))
    }

    fn warp(x: FloatTensor<Self>, geometry: FloatTensor<Self>) -> FloatTensor<Self> {
        warped(x, geometry, warp::apply)
    }

    fn warp_adjoint(delta: FloatTensor<Self>, geometry: FloatTensor<Self>) -> FloatTensor<Self> {
        warped(delta, geometry, warp::adjoint)
    }
}

/// `left [1, rows, depth]` times a right side, finished.
fn product(
    left: &FloatTensor<Flex>,
    right: cpu::Right,
    [rows, depth, columns]: [usize; 3],
    finish: Finishing<Flex>,
) -> FinishedOn<Flex> {
    let (y, slopes) = finishing(finish, [1, rows, 1, columns], |record, finish| {
        cpu::product(values(left), right, [rows, depth, columns], record, finish)
    });
    (FloatTensor::<Flex>::from_data(TensorData::new(y, [1, rows, columns])), slopes)
}

fn warped(
    x: FloatTensor<Flex>,
    geometry: FloatTensor<Flex>,
    kernel: fn(&[f32], cpu::Shape, &[f32]) -> Vec<f32>,
) -> FloatTensor<Flex> {
    let (x, geometry) = (contiguous(x), contiguous(geometry));
    let shape: [usize; 4] = x.layout().shape().dims();
    FloatTensor::<Flex>::from_data(TensorData::new(kernel(values(&x), shape, values(&geometry)), shape))
}

/// Taken by value, so that a tensor that no one else holds is changed in place.
fn contiguous(x: FloatTensor<Flex>) -> FloatTensor<Flex> {
    x.to_contiguous()
}

/// Runs a kernel that finishes a feature map of this shape: it gets the words for slopes to record, none if there are
/// none to, and the parts of the finish.
fn finishing<T>(
    finish: Finishing<Flex>,
    shape: [usize; 4],
    kernel: impl FnOnce(&mut [u32], cpu::Finish) -> T,
) -> (T, Option<IntTensor<Flex>>) {
    let records = matches!(finish, Finishing::Record { .. });
    let (bias, slopes, other) = match finish {
        Finishing::Nothing => (None, None, None),
        Finishing::Add { other } => (None, None, Some(contiguous(other))),
        Finishing::Activate { bias } | Finishing::Record { bias } => (Some(contiguous(bias)), None, None),
        Finishing::Replay { bias, slopes } => (Some(contiguous(bias)), Some(slopes), None),
        Finishing::Slopes { slopes } => (None, Some(slopes), None),
    };
    let entries = shape.iter().product::<usize>();
    let activation = match &slopes {
        Some(slopes) => cpu::Activation::Slopes(slopes.as_slice().expect("slopes are never sliced")),
        None if bias.is_some() => cpu::Activation::LeakyRelu,
        None => cpu::Activation::Nothing,
    };
    let bias = bias.as_ref().map(|bias| {
        let [samples, _, _, channels] = bias.layout().shape().dims();
        cpu::Bias { values: values(bias), channels, entries: entries / samples.max(1) }
    });
    let mut words = vec![0; if records { entries.div_ceil(cpu::WORD) } else { 0 }];
    let other = other.as_ref().map(values);
    let result = kernel(&mut words, cpu::Finish { bias, activation, other, slope: NEGATIVE_SLOPE as f32 });
    let count = words.len();
    (result, records.then(|| IntTensor::<Flex>::from_data(TensorData::new(words, [count]))))
}

fn values(x: &FloatTensor<Flex>) -> &[f32] {
    x.as_slice().expect("the tensor was made contiguous")
}

/// Copied first if someone else still holds it.
fn values_mut(x: &mut FloatTensor<Flex>) -> &mut [f32] {
    let (start, end) = x.layout().contiguous_offsets().expect("the tensor was made contiguous");
    &mut x.storage_mut()[start..end]
}

/// Whether tensors live in the host's memory and are computed by its cores.
pub fn is_cpu(device: &Device) -> bool {
    *device == Device::flex()
}

/// What kind of processor a device is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceClass {
    /// The host's cores.
    Cpu,
    Gpu,
    /// A driver that imitates a GPU on the host's cores (lavapipe): correct, and slow.
    Software,
}

/// One device of this machine.
#[derive(Debug)]
pub struct DeviceReport {
    /// What `--device` takes.
    pub name: String,
    /// What the device calls itself; why it cannot be opened, if it cannot.
    pub adapter: Result<String>,
    pub class: DeviceClass,
    /// Number formats that it computes in.
    pub dtypes: Vec<&'static str>,
    /// Bytes of memory, where the system says.
    pub memory: Option<u64>,
}

/// Opens a device by name: `auto`, `cpu`, `wgpu`, `vulkan` or `cuda`, the GPUs with an optional `:N`.
///
/// # Errors
/// [`Error::Setting`] for a name that is none, [`Error::Device`] for a device that is not there.
pub fn open(name: &str) -> Result<Device> {
    let name = resolve(name)?;
    if name == CPU {
        return Ok(Device::flex());
    }
    #[cfg(feature = "native")]
    return gpu::open(&name);
    #[cfg(not(feature = "native"))]
    Err(not_built(&name))
}

/// Opens a device in a page: `webgpu` or `cpu`. Once for each module, since WebGPU is set up once.
///
/// # Errors
/// [`Error::Setting`] for another name, [`Error::Device`] where the browser has no WebGPU.
#[cfg(feature = "web")]
pub async fn open_async(name: &str) -> Result<Device> {
    match name {
        CPU => Ok(Device::flex()),
        #[cfg(not(feature = "webgpu"))]
        "webgpu" => Err(Error::device(name, "is not in this module, which is for the CPU; choose cpu")),
        #[cfg(feature = "webgpu")]
        "webgpu" => Device::wgpu_options()
            .init_async()
            .await
            .map_err(|e| Error::device(name, format!("cannot be opened ({e}); choose cpu"))),
        _ => Err(Error::setting("device", format!("there is no device '{name}'; choose webgpu or cpu"))),
    }
}

/// The `GPUBuffer` of a page that a GPU's tensor lies in, and the byte that it begins at. What was asked for before is
/// in it for work that is submitted at once: the tensor's memory goes to others later.
///
/// # Errors
/// [`Error::DeviceLost`] where the tensor could not be computed, or lies on the CPU.
#[cfg(feature = "webgpu")]
pub fn webgpu_buffer(tensor: Tensor<3, Int>) -> Result<(JsValue, u64)> {
    let name = format!("{:?}", tensor.device());
    let lost = |reason: String| Error::device_lost(name.as_str(), reason);
    let tensor = tensor.try_into_primitive::<burn::backend::Cube>().map_err(|e| lost(format!("{e:?}")))?;
    let managed = tensor.client.get_resource::<WgpuServer<AutoCompiler>>(tensor.handle);
    let managed = managed.map_err(|e| lost(e.to_string()))?;
    tensor.client.flush().map_err(|e| lost(e.to_string()))?;
    let WgpuResource { buffer, offset, .. } = managed.resource();
    let buffer = buffer.as_webgpu().ok_or_else(|| lost("it is no buffer of WebGPU".into()))?;
    Ok((buffer.into(), *offset))
}

/// The name of the device that `name` stands for: `auto` is CUDA if it is there, else a real GPU over
/// Vulkan, else the CPU. Other names are only checked for their form.
pub fn resolve(name: &str) -> Result<String> {
    let name = name.to_ascii_lowercase();
    let (api, index) = name.split_once(':').unwrap_or((&name, "0"));
    match api {
        "auto" if name == api => {}
        CPU if name == api => return Ok(name),
        "wgpu" | "vulkan" | "cuda" if index.parse::<u16>().is_ok() => return Ok(name),
        _ => {
            let reason = "choose auto, cpu, wgpu, vulkan or cuda, the last three with :N for the N-th of \
                          several; `r3gan doctor` lists what is here";
            return Err(Error::setting("--device", format!("there is no device '{name}'; {reason}")));
        }
    }
    #[cfg(feature = "native")]
    if let Some(name) = gpu::best() {
        return Ok(name);
    }
    Ok(CPU.into())
}

/// All devices of this machine that this build can use, the CPU first. Opens each of them.
pub fn devices() -> Vec<DeviceReport> {
    let cpu = DeviceReport {
        name: CPU.into(),
        adapter: Ok(host_line("/proc/cpuinfo", "model name").unwrap_or(std::env::consts::ARCH.into())),
        class: DeviceClass::Cpu,
        dtypes: dtypes(&Device::flex()),
        memory: kibibytes("MemTotal"),
    };
    #[cfg(feature = "native")]
    return std::iter::once(cpu).chain(gpu::reports()).collect();
    #[cfg(not(feature = "native"))]
    vec![cpu]
}

/// Bytes that a device has free; `None` where the system does not say.
pub fn free_memory(device: &Device) -> Option<u64> {
    if is_cpu(device) { free_host_memory() } else { None }
}

/// Bytes that the allocator of a GPU has reserved; it keeps them, so that this is its peak so far. `None` on the CPU,
/// and where a device does not say.
#[cfg(not(target_family = "wasm"))]
pub fn reserved_memory(device: &Device) -> Option<u64> {
    if is_cpu(device) { None } else { device.memory_pool_usage().map(|usage| usage.bytes_reserved) }
}

#[cfg(not(target_family = "wasm"))]
fn free_host_memory() -> Option<u64> {
    kibibytes("MemAvailable")
}

/// A module's memory ends at 4 GiB, and the browser may end it sooner.
#[cfg(target_family = "wasm")]
fn free_host_memory() -> Option<u64> {
    const PAGE: u64 = 1 << 16;
    Some((1 << 32) - core::arch::wasm32::memory_size::<0>() as u64 * PAGE)
}

/// A line of `/proc/meminfo`, in bytes.
fn kibibytes(key: &str) -> Option<u64> {
    let line = host_line("/proc/meminfo", key)?;
    line.trim_end_matches("kB").trim().parse::<u64>().ok().map(|kib| kib << 10)
}

const CPU: &str = "cpu";

#[cfg(not(feature = "native"))]
fn not_built(name: &str) -> Error {
    Error::device(name, "this build runs on the CPU alone; install r3gan with its default features")
}

fn dtypes(device: &Device) -> Vec<&'static str> {
    let known = [("f32", FloatDType::F32), ("f16", FloatDType::F16), ("bf16", FloatDType::BF16)];
    known.into_iter().filter(|(_, dtype)| device.supports_dtype(*dtype)).map(|(name, _)| name).collect()
}

/// The value of the first `key: value` line of a file that Linux makes up.
#[cfg(not(target_family = "wasm"))]
fn host_line(path: &str, key: &str) -> Option<String> {
    let text = std::fs::read_to_string(path).ok()?;
    let line = text.lines().find(|line| line.starts_with(key))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

/// A browser has no such files.
#[cfg(target_family = "wasm")]
fn host_line(_: &str, _: &str) -> Option<String> {
    None
}

/// GPUs. They are listed before one is opened, since Burn panics where an adapter is missing.
#[cfg(feature = "native")]
mod gpu {
    use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
    #[cfg(feature = "cuda")]
    use std::sync::OnceLock;

    use burn::backend::{CubeDevice, DispatchDevice, WgpuBackend, WgpuDeviceKind};
    use burn::tensor::{Device, DeviceType};

    use super::{DeviceClass, DeviceReport, dtypes};
    use crate::error::{Error, Result};

    /// The interfaces to GPUs that are compiled in.
    const APIS: &[&str] =
        if cfg!(feature = "cuda") { &["cuda", "vulkan", "wgpu"] } else { &["vulkan", "wgpu"] };

    /// The devices behind an interface, the fastest kind first.
    fn list(api: &str) -> Vec<Device> {
        let kind = match api {
            #[cfg(feature = "cuda")]
            "cuda" => DeviceType::Cuda,
            "vulkan" | "wgpu" => DeviceType::Wgpu,
            _ => return Vec::new(),
        };
        let mut devices = guarded(|| Device::enumerate(kind).into_vec()).unwrap_or_default();
        if api == "vulkan" {
            devices = devices.into_iter().filter_map(on_vulkan).collect();
        }
        devices.sort_by_key(rank);
        devices
    }

    /// The same adapter, on Vulkan or not at all; `wgpu` leaves the choice of the interface to the system.
    fn on_vulkan(device: Device) -> Option<Device> {
        match device.as_dispatch() {
            DispatchDevice::Cube(CubeDevice::Wgpu(adapter)) => {
                Some(Device::new(adapter.clone().on(WgpuBackend::Vulkan)))
            }
            _ => None,
        }
    }

    /// Discrete, integrated, virtual, other, software.
    fn rank(device: &Device) -> usize {
        match device.as_dispatch() {
            DispatchDevice::Cube(CubeDevice::Wgpu(wgpu)) => match wgpu.kind {
                WgpuDeviceKind::DiscreteGpu(_) => 0,
                WgpuDeviceKind::IntegratedGpu(_) => 1,
                WgpuDeviceKind::VirtualGpu(_) => 2,
                WgpuDeviceKind::Cpu => 4,
                _ => 3,
            },
            _ => 0,
        }
    }

    fn class(device: &Device) -> DeviceClass {
        if rank(device) == 4 { DeviceClass::Software } else { DeviceClass::Gpu }
    }

    /// What `auto` takes, if a real GPU is there.
    pub(super) fn best() -> Option<String> {
        ["cuda", "vulkan"]
            .into_iter()
            .find(|api| list(api).first().is_some_and(|d| rank(d) < 2) && compiles(api).is_ok())
            .map(Into::into)
    }

    /// Whether kernels can be compiled for an interface. CUDA's compiler is a part of its toolkit, not of the driver, and
    /// Burn panics without it, or at the first kernel that needs a header.
    fn compiles(api: &str) -> std::result::Result<(), String> {
        #[cfg(feature = "cuda")]
        if api == "cuda" {
            static TRIED: OnceLock<std::result::Result<(), String>> = OnceLock::new();
            return TRIED.get_or_init(|| guarded(compile_for_cuda).and_then(|tried| tried)).clone();
        }
        let _ = api;
        Ok(())
    }

    /// Compiles an empty program with the header that brings most others.
    #[cfg(feature = "cuda")]
    fn compile_for_cuda() -> std::result::Result<(), String> {
        use cudarc::nvrtc::{CompileError, CompileOptions, compile_ptx_with_opts};
        let folder = cubecl::cuda::install::cuda_path().ok_or("there is no /usr/local/cuda")?.join("include");
        let options =
            CompileOptions { include_paths: vec![folder.display().to_string()], ..Default::default() };
        match compile_ptx_with_opts("#include <mma.h>\n", options) {
            Ok(_) => Ok(()),
            Err(CompileError::CompileError { log, .. }) => {
                let log = log.to_string_lossy();
                Err(log.lines().next().unwrap_or("it says nothing").to_owned())
            }
            Err(e) => Err(e.to_string()),
        }
    }

    pub(super) fn open(name: &str) -> Result<Device> {
        let (api, index) = name.split_once(':').unwrap_or((name, "0"));
        if !APIS.contains(&api) {
            let reason = "this build has no CUDA; build with `--features cuda`, or choose vulkan";
            return Err(Error::device(name, reason));
        }
        let mut devices = list(api);
        let count = devices.len();
        let index = index.parse().unwrap_or(usize::MAX);
        if index >= count {
            let reason = match (count, api) {
                (0, "cuda") => {
                    "no NVIDIA driver with a GPU was found; install the driver, or choose cpu".into()
                }
                (0, _) => {
                    "no adapter was found; install the GPU's driver or `mesa-vulkan-drivers`, or choose \
                           cpu"
                    .into()
                }
                (1, _) => format!("there is only one, which is {api}:0"),
                _ => format!("there are {count}, from {api}:0 to {api}:{}", count - 1),
            };
            return Err(Error::device(name, reason));
        }
        let device = devices.swap_remove(index);
        identify(name, &device).map(|_| device)
    }

    pub(super) fn reports() -> Vec<DeviceReport> {
        let numbered = APIS.iter().flat_map(|api| {
            let name = move |i| if i == 0 { (*api).to_owned() } else { format!("{api}:{i}") };
            list(api).into_iter().enumerate().map(move |(i, device)| (name(i), device))
        });
        let report = |(name, device): (String, Device)| {
            let adapter = identify(&name, &device);
            let dtypes = if adapter.is_ok() { dtypes(&device) } else { Vec::new() };
            DeviceReport { name, adapter, class: class(&device), dtypes, memory: None }
        };
        numbered.map(report).collect()
    }

    /// Opens the device and asks for its name.
    fn identify(name: &str, device: &Device) -> Result<String> {
        compiles(name.split(':').next().unwrap_or(name)).map_err(|e| {
            let advice = "install the CUDA toolkit, with its libnvrtc.so where LD_LIBRARY_PATH leads and its folder \
                          in CUDA_PATH, or choose vulkan";
            let reason = e.split(" - ").next().unwrap_or_default();
            Error::device(name, format!("CUDA's compiler (NVRTC) cannot be used ({reason}); {advice}"))
        })?;
        let identity = guarded(|| device.identity());
        let identity = identity.map_err(|e| Error::device(name, format!("cannot be opened ({e})")))?;
        Ok(identity.map_or_else(|| format!("{device:?}"), |identity| identity.name))
    }

    /// The result of `work`, or the message of its panic: Burn has no other way to say that a driver failed.
    fn guarded<T>(work: impl FnOnce() -> T) -> std::result::Result<T, String> {
        let hook = take_hook();
        set_hook(Box::new(|_| {}));
        let outcome = catch_unwind(AssertUnwindSafe(work));
        set_hook(hook);
        outcome.map_err(|panic| {
            let message = panic.downcast_ref::<String>().map(String::as_str);
            let message = message.or_else(|| panic.downcast_ref::<&str>().copied());
            message.and_then(|text| text.lines().next()).unwrap_or("the driver failed").to_owned()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_checked_before_devices_are() {
        assert_eq!(resolve("CPU").unwrap(), "cpu");
        assert_eq!(resolve("vulkan:1").unwrap(), "vulkan:1");
        for broken in ["", "gpu", "cpu:0", "auto:1", "cuda:", "cuda:x", "cuda:-1", "vulkan:1:2", "cuda:99999"]
        {
            let error = resolve(broken).unwrap_err().to_string();
            assert!(error.starts_with("--device: there is no device"), "{error}");
        }
        assert!(is_cpu(&open("cpu").unwrap()));
        assert!(matches!(open("cuda:999").unwrap_err(), Error::Device { .. }));
    }
}
