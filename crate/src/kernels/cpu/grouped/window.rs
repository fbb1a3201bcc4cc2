//! A task's part of one group's picture, copied to where it stays in the cache.

/// Pixels that a task handles at a time, about: the copy of one group then fits the cache.
const TASK_PIXELS: usize = 256;

/// Rows of one group with a border of one pixel.
pub(super) struct Window<const W: usize> {
    pub rows: usize,
    pub width: usize,
    pub values: Vec<[f32; W]>,
}

impl<const W: usize> Window<W> {
    pub fn new(rows: usize, width: usize) -> Self {
        Self { rows, width, values: vec![[0.0; W]; (rows + 2) * (width + 2)] }
    }

    /// Copies the rows from `first_row` on of a picture `[height, width, channels]`, zero outside.
    pub fn load(
        &mut self,
        picture: &[f32],
        [height, width, channels]: [usize; 3],
        first_row: usize,
        group: usize,
    ) {
        for (index, line) in self.values.chunks_exact_mut(width + 2).enumerate() {
            // The border's columns were zero from the start and are never written.
            let line = &mut line[1..=width];
            match (first_row + index).checked_sub(1).filter(|row| *row < height) {
                None => line.fill([0.0; W]),
                Some(row) => {
                    let source = &picture[row * width * channels..(row + 1) * width * channels];
                    for (value, pixel) in line.iter_mut().zip(source.chunks_exact(channels)) {
                        value.copy_from_slice(&pixel[group * W..(group + 1) * W]);
                    }
                }
            }
        }
    }

    /// `N` neighbouring pixels of a row, in the coordinates with the border.
    #[inline(always)]
    pub fn pixels<const N: usize>(&self, row: usize, column: usize) -> &[[f32; W]; N] {
        let start = row * (self.width + 2) + column;
        self.values[start..].first_chunk().expect("the tile lies in the window")
    }
}

/// The largest divisor of the height that keeps a task near [`TASK_PIXELS`].
pub(super) fn rows_per_task(height: usize, width: usize) -> usize {
    let most = (TASK_PIXELS / width).max(1);
    (1..=height.min(most)).rev().find(|rows| height.is_multiple_of(*rows)).unwrap_or(1)
}
