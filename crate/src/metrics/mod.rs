//! Metrics of generated pictures: FID, KID, precision and recall, and the inception score.
//!
//! Definitions follow the official code's (training notes, section 8). Statistics are in f64. The extractor is a file
//! that the user gives; it runs on any device. Nothing here is needed to train.

mod account;
pub mod evaluator;
pub mod extractor;
mod frechet;
mod inception_score;
mod kernel_distance;
mod manifold;
mod metric;
mod moments;
mod reals;

pub use evaluator::{Evaluator, Fakes, Progress, Score};
pub use extractor::{Backbone, Extractor};
pub use frechet::frechet_distance;
pub use inception_score::inception_score;
pub use kernel_distance::kernel_distance;
pub use manifold::precision_recall;
pub use metric::{Measure, Metric};
pub use moments::Moments;
