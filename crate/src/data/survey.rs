//! Looks at every picture of a data set and tells of all that cannot be used, not only of the first.

use std::collections::BTreeMap;
use std::path::Path;

use rayon::prelude::*;

use super::collection::Collection;
use super::labels::Labels;
use crate::error::{Error, Result};

/// Pictures that are decoded between two reports of progress.
const PART: usize = 256;

/// Width and height in pixels, and the colour type as its file has it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Shape {
    pub width: u32,
    pub height: u32,
    /// `grey`, `colour`; with `, transparent` where pixels are.
    pub colours: String,
}

/// What a data set holds.
#[derive(Debug)]
pub struct Survey {
    pub count: usize,
    /// The shapes of what could be decoded, the most frequent first.
    pub shapes: Vec<(Shape, usize)>,
    /// What cannot be used beside the most frequent shape, in the order of the names; labels last.
    pub bad: Vec<Error>,
    /// Number of pictures of each class; `None` without labels, empty if the labels are vectors.
    pub classes: Option<Vec<usize>>,
}

/// Decodes every picture; `progress` is told how many are done.
///
/// # Errors
/// [`Error::Input`] if there are no pictures at all.
pub fn survey(path: &Path, mut progress: impl FnMut(usize, usize)) -> Result<Survey> {
    let collection = Collection::open(path)?;
    let count = collection.count();
    let mut looks: Vec<Result<Shape>> = Vec::with_capacity(count);
    for start in (0..count).step_by(PART) {
        let end = (start + PART).min(count);
        let part: Vec<_> = (start..end).into_par_iter().map(|index| shape(&collection, index)).collect();
        looks.extend(part);
        progress(end, count);
    }
    let mut counts: BTreeMap<&Shape, usize> = BTreeMap::new();
    looks.iter().flatten().for_each(|shape| *counts.entry(shape).or_default() += 1);
    let mut shapes: Vec<(Shape, usize)> = counts.into_iter().map(|(shape, n)| (shape.clone(), n)).collect();
    shapes.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
    let usual = shapes.first().map(|(shape, _)| shape.clone());
    let mut bad: Vec<Error> = looks
        .into_iter()
        .enumerate()
        .filter_map(|(index, look)| match look {
            Ok(shape) => {
                misfit(&shape, usual.as_ref()?).map(|why| Error::input(collection.path_of(index), why))
            }
            Err(error) => Some(error),
        })
        .collect();
    let classes = match collection.labels() {
        Ok(Labels::None) => None,
        Ok(Labels::Classes { classes, of }) => {
            let mut counts = vec![0; classes];
            of.iter().for_each(|&class| counts[class as usize] += 1);
            Some(counts)
        }
        Ok(Labels::Vectors { .. }) => Some(Vec::new()),
        Err(error) => {
            bad.push(error);
            None
        }
    };
    Ok(Survey { count, shapes, bad, classes })
}

fn shape(collection: &Collection, index: usize) -> Result<Shape> {
    let picture = collection.picture(index)?;
    let colours = if picture.color().has_color() { "colour" } else { "grey" };
    let deep = picture.color().bits_per_pixel() / u16::from(picture.color().channel_count()) > 8;
    let deep = if deep { ", more than 8 bits" } else { "" };
    let transparent =
        picture.color().has_alpha() && picture.to_rgba8().pixels().any(|pixel| pixel.0[3] != u8::MAX);
    let transparent = if transparent { ", transparent" } else { "" };
    let colours = format!("{colours}{deep}{transparent}");
    Ok(Shape { width: picture.width(), height: picture.height(), colours })
}

/// Why a picture cannot be used with `usual` ones.
fn misfit(shape: &Shape, usual: &Shape) -> Option<String> {
    let Shape { width, height, colours } = shape;
    if colours.contains("transparent") {
        return Some("has transparent pixels; `dataset convert --background` puts it on one".into());
    }
    if colours.contains("bits") {
        return Some("has more than 8 bits a channel; `dataset convert` makes it 8".into());
    }
    if width != height {
        return Some(format!("is {width}x{height} pixels; `dataset convert --fit` makes it square"));
    }
    if (width, height) != (&usual.width, &usual.height) {
        let (w, h) = (usual.width, usual.height);
        return Some(format!(
            "is {width}x{height} where most are {w}x{h}; `dataset convert --size` resizes it"
        ));
    }
    if *colours != usual.colours {
        let other = &usual.colours;
        return Some(format!(
            "is {colours} where most are {other}; `dataset convert --colours` makes them alike"
        ));
    }
    None
}
