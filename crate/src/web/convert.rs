//! Between JavaScript's values and ours.

use js_sys::{Array, Float32Array, Object, Reflect, Uint8Array, Uint8ClampedArray};
use serde::Serialize;
use wasm_bindgen::{JsCast, JsValue};

use crate::data::{Batch, Values};
use crate::error::Error;
use crate::pictures;
use crate::sampling;

/// An error on its way to JavaScript: an `Error` whose name tells the kinds apart and whose message is a sentence.
#[derive(Debug)]
pub struct Failure(Error);

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self(error)
    }
}

impl From<Failure> for JsValue {
    fn from(Failure(error): Failure) -> Self {
        let name = match &error {
            Error::Input { .. } | Error::Output { .. } => "InputError",
            Error::Setting { .. } => "SettingError",
            Error::Memory { .. } => "OutOfMemoryError",
            Error::DeviceLost { .. } => "DeviceLostError",
            Error::Device { .. } => "DeviceError",
            Error::Diverged(_) => "DivergedError",
        };
        // A page has no flags.
        let message = error.to_string();
        let error = js_sys::Error::new(message.strip_prefix("--").unwrap_or(&message));
        error.set_name(name);
        error.into()
    }
}

/// A serialisable value as a plain object.
pub fn object(value: &impl Serialize) -> Result<JsValue, Failure> {
    let serializer = serde_wasm_bindgen::Serializer::json_compatible();
    value.serialize(&serializer).map_err(|e| unfit("result", &e.to_string()))
}

/// Files from an array of `{ name, bytes }`.
pub fn files(value: &JsValue) -> Result<Vec<(String, Vec<u8>)>, Failure> {
    let file = |item: JsValue| {
        let get = |key: &str| Reflect::get(&item, &key.into()).unwrap_or(JsValue::UNDEFINED);
        let name = get("name").as_string();
        let bytes = get("bytes").dyn_into::<Uint8Array>().ok();
        name.zip(bytes)
            .map(|(name, bytes)| (name, bytes.to_vec()))
            .ok_or_else(|| unfit("dataset", "files are { name, bytes } with bytes in a Uint8Array"))
    };
    match value.dyn_ref::<Array>() {
        Some(array) => array.iter().map(file).collect(),
        None => Err(unfit("dataset", "is neither the name of a point set nor an array of files")),
    }
}

/// Samples `[count, height, width, channels]` as JavaScript's `Samples`.
pub fn samples(shape: [usize; 3], values: &[f32], keep: bool) -> Object {
    let [height, width, channels] = shape;
    let count = values.len() / (height * width * channels).max(1);
    let pixels = if channels == 3 { pictures::to_rgba(values) } else { Vec::new() };
    let result = picture_set([count, height, width], &pixels);
    if keep || channels != 3 {
        set(&result, "values", Float32Array::from(values));
    }
    result
}

/// JavaScript's `Samples` of data: pixels as they are, or points.
pub fn reals(batch: Batch) -> Object {
    let Batch { count, side, values, .. } = batch;
    match values {
        Values::Pixels(rgb) => picture_set([count, side, side], &pictures::opaque(&rgb)),
        Values::Points(points) => samples([1, 1, 2], &points, true),
    }
}

/// `Samples` of RGBA pixels.
pub fn picture_set([count, height, width]: [usize; 3], pixels: &[u8]) -> Object {
    let result = Object::new();
    set(&result, "count", count as f64);
    set(&result, "width", width as f64);
    set(&result, "height", height as f64);
    set(&result, "pixels", Uint8ClampedArray::from(pixels));
    result
}

/// Labels for `count` samples: one class for all, or one each.
pub fn labels(numbers: Option<Vec<u32>>, count: usize, classes: usize) -> Result<Option<Vec<f32>>, Failure> {
    let Some(numbers) = numbers else {
        return match classes {
            0 => Ok(None),
            _ => Err(unfit(
                "class",
                &format!("is missing; this model has {classes}, from 0 to {}", classes - 1),
            )),
        };
    };
    if classes == 0 {
        return Err(unfit("class", "is given, but this model is unconditional; leave it out"));
    }
    let numbers: Vec<usize> = match numbers.as_slice() {
        [one] => vec![*one as usize; count],
        many if many.len() == count => many.iter().map(|&number| number as usize).collect(),
        many => return Err(unfit("class", &format!("gives {} numbers for {count} samples", many.len()))),
    };
    Ok(Some(sampling::one_hot(&numbers, classes)?))
}

pub fn set(object: &Object, key: &str, value: impl Into<JsValue>) {
    // A plain object takes every property.
    let _ = Reflect::set(object, &key.into(), &value.into());
}

pub fn unfit(name: &str, reason: &str) -> Failure {
    Failure(Error::setting(name, reason))
}
