//! The matrices of [`Transforms`], in f64 (augmentation notes, sections 3 and 5).

use super::Transforms;

type Plane = [[f64; 3]; 3];
type Colour = [[f64; 4]; 4];

/// From a place in the result to one in the picture, for pictures of `side` pixels: the two rows that matter.
///
/// Places are in pixels from the centre, x to the right and y downwards. A shift to the right by t asks for what
/// lies t to the left, hence the inverses.
pub fn geometry(transforms: &Transforms, side: usize) -> [[f64; 3]; 2] {
    let t = transforms;
    let pixels = |part: f32| f64::from(part * side as f32);
    let whole = |part: f32| f64::from((part * side as f32).round_ties_even());
    let (quarter_sine, quarter_cosine) =
        [(0.0, 1.0), (1.0, 0.0), (0.0, -1.0), (-1.0, 0.0)][usize::from(t.turns % 4)];
    let (scale, aspect) = (f64::from(t.scale), f64::from(t.aspect));
    let steps = [
        stretch(if t.flip { -1.0 } else { 1.0 }, 1.0),
        turn(quarter_sine, quarter_cosine),
        shift(-whole(t.shift[0]), -whole(t.shift[1])),
        stretch(1.0 / scale, 1.0 / scale),
        rotation(t.rotation[0]),
        stretch(1.0 / aspect, aspect),
        rotation(t.rotation[1]),
        shift(-pixels(t.fine_shift[0]), -pixels(t.fine_shift[1])),
    ];
    let [right, down, _] = steps.iter().fold(stretch(1.0, 1.0), |done, step| multiply(&done, step));
    [right, down]
}

/// What happens to the colour of every pixel: `mix` is `[channels in, channels out]`.
pub struct ColourMap {
    pub mix: Vec<f64>,
    pub offset: Vec<f64>,
}

/// The colour map for pictures of 3 channels, or of 1, which take the mean over the three rows.
pub fn colour(transforms: &Transforms, channels: usize) -> ColourMap {
    let matrix = homogeneous(transforms);
    if channels == 1 {
        let mean = |column: usize| matrix[..3].iter().map(|row| row[column]).sum::<f64>() / 3.0;
        return ColourMap { mix: vec![mean(0) + mean(1) + mean(2)], offset: vec![mean(3)] };
    }
    let mix = (0..3).flat_map(|from| matrix[..3].iter().map(move |row| row[from]));
    ColourMap { mix: mix.collect(), offset: matrix[..3].iter().map(|row| row[3]).collect() }
}

/// Brightness, contrast, luma flip, hue, saturation, each multiplied on the left.
fn homogeneous(t: &Transforms) -> Colour {
    // The luma axis.
    let axis = [1.0, 1.0, 1.0, 0.0].map(|v: f64| v / 3f64.sqrt());
    let along = |i: usize, j: usize| axis[i] * axis[j];
    let one = |i: usize, j: usize| f64::from(u8::from(i == j));

    let brightness = f64::from(t.brightness);
    let contrast = f64::from(t.contrast);
    let flip = f64::from(u8::from(t.luma_flip));
    let saturation = f64::from(t.saturation);
    let (sine, cosine) = f64::from(t.hue).sin_cos();
    let (third, a) = ((1.0 - cosine) / 3.0, sine / 3f64.sqrt());
    let hue = [
        [third + cosine, third - a, third + a, 0.0],
        [third + a, third + cosine, third - a, 0.0],
        [third - a, third + a, third + cosine, 0.0],
        [0.0, 0.0, 0.0, 1.0],
    ];
    let steps: [Colour; 5] = [
        matrix(|i, j| one(i, j) + if i < 3 && j == 3 { brightness } else { 0.0 }),
        matrix(|i, j| one(i, j) * if i < 3 { contrast } else { 1.0 }),
        matrix(|i, j| one(i, j) - 2.0 * flip * along(i, j)),
        hue,
        matrix(|i, j| along(i, j) + saturation * (one(i, j) - along(i, j))),
    ];
    steps.iter().fold(matrix(one), |done, step| multiply(step, &done))
}

fn matrix<const N: usize>(entry: impl Fn(usize, usize) -> f64) -> [[f64; N]; N] {
    std::array::from_fn(|i| std::array::from_fn(|j| entry(i, j)))
}

fn multiply<const N: usize>(left: &[[f64; N]; N], right: &[[f64; N]; N]) -> [[f64; N]; N] {
    matrix(|i, j| (0..N).map(|k| left[i][k] * right[k][j]).sum())
}

fn stretch(x: f64, y: f64) -> Plane {
    [[x, 0.0, 0.0], [0.0, y, 0.0], [0.0, 0.0, 1.0]]
}

fn shift(x: f64, y: f64) -> Plane {
    [[1.0, 0.0, x], [0.0, 1.0, y], [0.0, 0.0, 1.0]]
}

fn rotation(radians: f32) -> Plane {
    let (sine, cosine) = f64::from(radians).sin_cos();
    turn(sine, cosine)
}

fn turn(sine: f64, cosine: f64) -> Plane {
    [[cosine, -sine, 0.0], [sine, cosine, 0.0], [0.0, 0.0, 1.0]]
}
