//! Clouds of points in the plane as pictures.

use super::Picture;

const PAPER: [u8; 3] = [250, 250, 248];
const FRAME: [u8; 3] = [205, 205, 200];
const REAL: [u8; 3] = [126, 158, 130];
const FAKE: [u8; 3] = [38, 82, 200];
/// What a point covers of what is under it, so that dense places look dense.
const INK: f32 = 0.55;
/// The picture shows a little more than the box from -1 to 1.
const REACH: f32 = 1.12;

/// Real points (grey green) under fake ones (blue), `[n, 2]` each, with the box from -1 to 1 as a frame.
///
/// The second coordinate points up. Points beyond the picture or not finite are left out.
pub fn scatter(real: &[f32], fake: &[f32], side: usize) -> Picture {
    let side = side.clamp(16, 8192);
    let mut picture = Picture { width: side, height: side, rgb: PAPER.repeat(side * side) };
    let [low, high] = [-1.0, 1.0].map(|edge| place(edge, side).round() as usize);
    for i in low..=high {
        for (x, y) in [(i, low), (i, high), (low, i), (high, i)] {
            blend(&mut picture, x, y, FRAME, 1.0);
        }
    }
    let radius = (side as f32 / 340.0).max(0.8);
    for (points, colour) in [(real, REAL), (fake, FAKE)] {
        for &[x, y] in points.as_chunks::<2>().0 {
            if x.abs() < REACH && y.abs() < REACH {
                disc(&mut picture, place(x, side), place(-y, side), radius, colour);
            }
        }
    }
    picture
}

/// The pixel of a coordinate.
fn place(value: f32, side: usize) -> f32 {
    (value / REACH + 1.0) / 2.0 * (side - 1) as f32
}

fn disc(picture: &mut Picture, x: f32, y: f32, radius: f32, colour: [u8; 3]) {
    let last = picture.width - 1;
    let around = |centre: f32| {
        let first = (centre - radius - 1.0).max(0.0) as usize;
        first..=((centre + radius + 1.0) as usize).min(last)
    };
    for row in around(y) {
        for column in around(x) {
            let distance = (column as f32 - x).hypot(row as f32 - y);
            let cover = (radius + 0.5 - distance).clamp(0.0, 1.0);
            blend(picture, column, row, colour, cover * INK);
        }
    }
}

fn blend(picture: &mut Picture, x: usize, y: usize, colour: [u8; 3], cover: f32) {
    let start = (y * picture.width + x) * 3;
    for (under, over) in picture.rgb[start..start + 3].iter_mut().zip(colour) {
        let mixed = f32::from(*under) + (f32::from(over) - f32::from(*under)) * cover;
        *under = mixed.round() as u8;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_land_where_they_belong_and_strays_are_left_out() {
        let side = 200;
        let picture = scatter(&[], &[0.5, 0.5, f32::NAN, 0.0, 9.0, 9.0], side);
        let at = |x: f32, y: f32| {
            let (x, y) = (place(x, side).round() as usize, place(-y, side).round() as usize);
            &picture.rgb[(y * side + x) * 3..][..3]
        };
        assert!(at(0.5, 0.5)[2] > at(0.5, 0.5)[0] + 40, "blue, in the upper right");
        assert_eq!(at(-0.5, -0.5), PAPER);
        assert_eq!(at(-1.0, 0.0), FRAME);
    }
}
