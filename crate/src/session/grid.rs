//! The pictures that a run shows of itself: how many, and which real ones lie beside them (training notes, section 5).

use std::str::FromStr;

use burn::tensor::Device;

use crate::backend;
use crate::data::Dataset;
use crate::random::RandomState;

/// More pictures across or down are a mistake.
const MOST: usize = 100;

/// Pictures across and down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grid {
    pub columns: usize,
    pub rows: usize,
}

impl Grid {
    /// The official grid of pictures with `side` pixels: as many as an 8K screen shows, within bounds.
    pub fn official(side: usize) -> Self {
        let across = |pixels: usize| pixels / side.max(1);
        Self { columns: across(7680).clamp(7, 32), rows: across(4320).clamp(4, 32) }
    }

    /// The official one, where a device makes it in a moment; on the CPU 10x10.
    pub fn usual(side: usize, device: &Device) -> Self {
        if backend::is_cpu(device) { Self { columns: 10, rows: 10 } } else { Self::official(side) }
    }

    /// The real pictures, row by row, as the official code chooses them: of a fixed shuffle; with labels a row shows
    /// one of them, and the next row of the same label goes on where it ended. What runs out begins again.
    pub fn items(self, dataset: &Dataset) -> Vec<u32> {
        let mut random = RandomState::new(0);
        let mut groups = dataset.by_label();
        groups.iter_mut().for_each(|group| random.shuffle(group));
        let places = (0..self.rows).flat_map(|row| (0..self.columns).map(move |column| (row, column)));
        let item = |(row, column): (usize, usize)| {
            let group = &groups[row % groups.len()];
            group[(row / groups.len() * self.columns + column) % group.len()]
        };
        places.map(item).collect()
    }
}

impl FromStr for Grid {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = |text: &str| text.parse().ok().filter(|number| (1..=MOST).contains(number));
        let sides = text.split_once('x').and_then(|(columns, rows)| number(columns).zip(number(rows)));
        match sides {
            Some((columns, rows)) => Ok(Self { columns, rows }),
            None => Err(format!("it is not two numbers of 1 to {MOST} such as 16x8")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::PointCloud;

    #[test]
    fn sizes_are_the_official_ones() {
        let size = |side| (Grid::official(side).columns, Grid::official(side).rows);
        assert_eq!(
            [16, 32, 64, 256, 1024, 4096].map(size),
            [(32, 32), (32, 32), (32, 32), (30, 16), (7, 4), (7, 4)]
        );
        assert_eq!("16x8".parse(), Ok(Grid { columns: 16, rows: 8 }));
        for wrong in ["", "16", "0x4", "4x101", "4x-1", "axb", "4x4x4"] {
            assert!(wrong.parse::<Grid>().is_err(), "{wrong}");
        }
    }

    // From the official setup_snapshot_image_grid in numpy 2.4.6, over the labels of these data sets.
    #[test]
    fn items_are_the_official_ones() {
        let sum = |items: &[u32]| (1..).zip(items).map(|(place, item)| place * u64::from(*item)).sum::<u64>();
        // 3200 items, and 6480 places.
        let grid = Grid { columns: 90, rows: 72 };
        let unlabelled = grid.items(&Dataset::points(PointCloud::Ring8, false).unwrap());
        assert_eq!(unlabelled[..8], [536, 1716, 499, 567, 2567, 1739, 1824, 2268]);
        assert_eq!(unlabelled[6476..], [1151, 92, 2571, 1070]);
        assert_eq!(sum(&unlabelled), 33_685_953_490);
        // 8 classes of 400 items, each with nine rows.
        let labelled = grid.items(&Dataset::points(PointCloud::Ring8, true).unwrap());
        assert_eq!(labelled[..8], [132, 309, 341, 196, 246, 60, 155, 261]);
        assert_eq!(labelled[6476..], [2973, 3114, 3172, 2887]);
        assert_eq!(sum(&labelled), 34_824_774_431);
    }
}
