//! A data set as it is found, before its pictures are asked to be alike.

use std::path::{Path, PathBuf};

use image::{DynamicImage, GrayImage, RgbImage};

use super::dataset::{Dataset, Kind, Values};
use super::labels::Labels;
use super::open::{self, OpenOptions, open};
use super::picture;
use super::store::Store;
use crate::error::{Error, Result};

/// Pictures of any size and colour, with the labels that lie beside them.
pub struct Collection {
    path: PathBuf,
    pictures: Pictures,
}

enum Pictures {
    /// Files of a folder or a zip.
    Files(Store),
    /// IDX or CIFAR-10: alike by their format.
    Alike { dataset: Dataset, side: usize, grey: bool },
}

impl Collection {
    /// Opens what [`open`](super::open()) opens, but for points.
    ///
    /// # Errors
    /// [`Error::Input`] if there are no pictures.
    pub fn open(path: &Path) -> Result<Self> {
        let pictures = match open::store(path)? {
            Some(store) => Pictures::Files(store),
            None => {
                let options = OpenOptions { labels: true, labels_required: false, ..OpenOptions::default() };
                let dataset = open(path, &options)?;
                let Kind::Images { side, channels } = dataset.kind() else {
                    return Err(Error::input(
                        path,
                        "holds points; only pictures can be checked and converted",
                    ));
                };
                Pictures::Alike { dataset, side, grey: channels == 1 }
            }
        };
        Ok(Self { path: path.into(), pictures })
    }

    pub fn count(&self) -> usize {
        match &self.pictures {
            Pictures::Files(store) => store.count(),
            Pictures::Alike { dataset, .. } => dataset.len(),
        }
    }

    /// How to call a picture in an error.
    pub fn path_of(&self, index: usize) -> PathBuf {
        match &self.pictures {
            Pictures::Files(store) => store.picture_path(index),
            Pictures::Alike { .. } => self.path.join(format!("picture {index}")),
        }
    }

    /// A picture as its file has it.
    ///
    /// # Errors
    /// [`Error::Input`] naming the file.
    pub fn picture(&self, index: usize) -> Result<DynamicImage> {
        match &self.pictures {
            Pictures::Files(store) => {
                let refused = |reason| Error::input(store.picture_path(index), reason);
                picture::load(&store.picture(index)?).map_err(refused)
            }
            Pictures::Alike { dataset, side, grey } => {
                let Values::Pixels(rgb) = dataset.batch(&[index as u32])?.values else {
                    return Err(Error::input(&self.path, "holds no pictures"));
                };
                let side = *side as u32;
                let picture = match grey {
                    true => {
                        GrayImage::from_raw(side, side, rgb.into_iter().step_by(3).collect()).map(Into::into)
                    }
                    false => RgbImage::from_raw(side, side, rgb).map(Into::into),
                };
                Ok(picture.expect("a batch has side x side pixels"))
            }
        }
    }

    /// The labels that lie beside the pictures, if any.
    ///
    /// # Errors
    /// [`Error::Input`] naming the `dataset.json` that cannot be used.
    pub fn labels(&self) -> Result<Labels> {
        match &self.pictures {
            Pictures::Files(store) => match store.labels()? {
                Some(json) => Labels::from_json(&json, store.names())
                    .map_err(|reason| Error::input(store.labels_path(), reason)),
                None => Ok(Labels::None),
            },
            Pictures::Alike { dataset, .. } => Ok(dataset.labels().clone()),
        }
    }

    /// The outermost folder of every picture as its class, in the order of the folders' names.
    ///
    /// # Errors
    /// [`Error::Input`] if a picture lies in none.
    pub fn folders(&self) -> Result<(Labels, Vec<String>)> {
        let Pictures::Files(store) = &self.pictures else {
            return Err(Error::input(&self.path, "has no folders that could be classes"));
        };
        let mut names: Vec<String> = Vec::new();
        let mut of = Vec::new();
        // Sorted by name, so a folder's pictures follow one another, but for "a-b/" between "a" and "a/".
        for (index, name) in store.names().enumerate() {
            let Some((folder, _)) = name.split_once('/') else {
                let reason = "lies in no folder; with --labels folders every picture has to";
                return Err(Error::input(store.picture_path(index), reason));
            };
            let class = names.iter().position(|known| known == folder).unwrap_or_else(|| {
                names.push(folder.to_owned());
                names.len() - 1
            });
            of.push(class as u32);
        }
        let mut order: Vec<usize> = (0..names.len()).collect();
        order.sort_by(|&a, &b| names[a].cmp(&names[b]));
        let rank = |class: u32| order.iter().position(|&c| c == class as usize).unwrap_or_default() as u32;
        let of = of.into_iter().map(rank).collect();
        names.sort();
        Ok((Labels::classes(of), names))
    }
}
