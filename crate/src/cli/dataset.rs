//! `r3gan dataset`: what a data set holds, what is wrong with it, and the zip that training reads fastest.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::checkpoint::{check_writable, write_atomic};
use crate::data::{
    Colours, Conversion, Converted, Fit, LabelsFrom, OpenOptions, Survey, convert, open, survey,
};
use crate::pictures;
use crate::{Error, Result};
use clap::{Args, Subcommand};
use serde_json::json;

use super::{count, exit, not_over, progress};

const EXAMPLES: &str = "\
Examples:
  r3gan dataset check photos/
  r3gan dataset convert photos/ --out photos-64.zip --size 64 --fit crop
  r3gan dataset convert emoji/ --out emoji.zip --size 32 --background white --labels folders
  r3gan dataset convert train-images-idx3-ubyte.gz --out mnist-32.zip --size 32 --fit pad
  r3gan dataset show photos-64.zip --out sheet.png";

/// Check, convert and look at data sets.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Dataset {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    Check(Check),
    Convert(Convert),
    Show(Show),
}

/// Decode every picture, name every file that cannot be used, count the classes.
///
/// Ends with 3 if something cannot be used.
#[derive(Args)]
struct Check {
    /// Folder or zip of pictures, IDX file, CIFAR-10 archive or batch, or a folder of those
    data: PathBuf,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Make the zip that this command and the official code read: PNGs of one size, numbered, and a dataset.json.
///
/// Scaling is Lanczos's. What fills the frame of a padded picture, and shows through a transparent one, is --background.
#[derive(Args)]
struct Convert {
    /// Folder or zip of pictures, IDX file, CIFAR-10 archive or batch, or a folder of those
    data: PathBuf,
    /// The zip to write
    #[arg(long, value_name = "ZIP")]
    out: PathBuf,
    /// Pixels a side [default: those of the first picture]
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = clap::value_parser!(u32).range(1..=4096))]
    size: Option<u32>,
    /// What to do with pictures that are not square; a small one is padded without being scaled
    #[arg(long, value_enum)]
    fit: Option<Fit>,
    /// Make all pictures grey, or all of them colour [default: as the first]
    #[arg(long, value_enum)]
    colours: Option<Colours>,
    /// white, black or #rrggbb
    #[arg(long, value_name = "COLOUR", value_parser = colour)]
    background: Option<[u8; 3]>,
    /// Where the labels come from: what lies beside the pictures, the outermost folder of each, nowhere
    #[arg(long, value_enum, default_value = "source")]
    labels: LabelsFrom,
    /// The first so many pictures [default: all]
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = clap::value_parser!(u64).range(1..))]
    max_images: Option<u64>,
    /// Leave out pictures that cannot be used, and name them, instead of ending at the first
    #[arg(long)]
    skip_bad: bool,
}

/// Write some pictures as one PNG: a contact sheet. With labels, a row shows one class.
#[derive(Args)]
struct Show {
    /// Folder or zip of pictures, IDX file, CIFAR-10 archive or batch, or a folder of those
    data: PathBuf,
    /// The PNG to write
    #[arg(long, value_name = "PNG")]
    out: PathBuf,
    /// Pictures across
    #[arg(long, value_name = "N", default_value = "16", allow_negative_numbers = true, value_parser = count)]
    columns: usize,
    /// Rows of pictures
    #[arg(long, value_name = "N", default_value = "10", allow_negative_numbers = true, value_parser = count)]
    rows: usize,
    /// Which pictures are taken
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u32,
}

impl Dataset {
    pub fn run(self) -> Result<ExitCode> {
        match self.task {
            Task::Check(check) => check.run(),
            Task::Convert(convert) => convert.run().map(|()| ExitCode::SUCCESS),
            Task::Show(show) => show.run().map(|()| ExitCode::SUCCESS),
        }
    }
}

impl Check {
    fn run(self) -> Result<ExitCode> {
        let found = with_progress("pictures checked", |tell| survey(&self.data, tell))?;
        exit::say(&if self.json { self.object(&found) } else { self.text(&found) })?;
        found.bad.iter().for_each(|error| exit::complain(&error.to_string()));
        Ok(found.bad.first().map_or(ExitCode::SUCCESS, |error| ExitCode::from(exit::code(error))))
    }

    fn object(&self, found: &Survey) -> String {
        let shapes: Vec<_> = found
            .shapes
            .iter()
            .map(|(shape, count)| {
                json!({ "width": shape.width, "height": shape.height, "colours": shape.colours, "count": count })
            })
            .collect();
        let bad: Vec<String> = found.bad.iter().map(ToString::to_string).collect();
        let data = self.data.display().to_string();
        json!({ "data": data, "count": found.count, "shapes": shapes, "classes": found.classes, "bad": bad })
            .to_string()
    }

    fn text(&self, found: &Survey) -> String {
        let mut rows = vec![("pictures", format!("{} in {}", found.count, self.data.display()))];
        for (shape, count) in found.shapes.iter().take(8) {
            rows.push(("shape", format!("{}x{}, {}: {count}", shape.width, shape.height, shape.colours)));
        }
        if found.shapes.len() > 8 {
            rows.push(("shape", format!("and {} more", found.shapes.len() - 8)));
        }
        rows.push(match &found.classes {
            None => ("labels", "none".into()),
            Some(counts) if counts.is_empty() => ("labels", "vectors".into()),
            Some(counts) => ("labels", class_counts(counts)),
        });
        rows.push((
            "cannot be used",
            match found.bad.len() {
                0 => "nothing".into(),
                bad => format!("{bad}, named below"),
            },
        ));
        rows.iter().map(|(name, value)| format!("{name:16}{value}")).collect::<Vec<_>>().join("\n")
    }
}

/// `3 classes: 0 (12), 1 (4), 2 (9)`; many classes as their extremes.
fn class_counts(counts: &[usize]) -> String {
    let classes = format!("{} classes", counts.len());
    if counts.len() <= 32 {
        let each: Vec<String> =
            counts.iter().enumerate().map(|(class, n)| format!("{class} ({n})")).collect();
        return format!("{classes}: {}", each.join(", "));
    }
    let least = counts.iter().min().copied().unwrap_or_default();
    let most = counts.iter().max().copied().unwrap_or_default();
    format!("{classes} of {least} to {most} pictures")
}

impl Convert {
    fn run(self) -> Result<()> {
        if self.out.extension().is_none_or(|end| !end.eq_ignore_ascii_case("zip")) {
            return Err(Error::setting("--out", "names a zip, for example pictures.zip"));
        }
        not_over(&self.data, &self.out)?;
        check_writable(&self.out)?;
        let conversion = Conversion {
            size: self.size,
            fit: self.fit,
            colours: self.colours,
            background: self.background,
            labels: self.labels,
            most: self.max_images.map(|most| usize::try_from(most).unwrap_or(usize::MAX)),
            skip_bad: self.skip_bad,
        };
        let done =
            with_progress("pictures converted", |tell| convert(&self.data, &self.out, &conversion, tell))?;
        done.skipped.iter().for_each(|error| exit::warn(&format!("left out: {error}")));
        exit::say(&summary(&done, &self.out))
    }
}

fn summary(done: &Converted, out: &Path) -> String {
    let Converted { count, side, classes, .. } = done;
    let colours = if done.colours == Colours::Grey { "grey" } else { "colour" };
    let labels = match (*classes, done.class_names.as_slice()) {
        (0, _) => "no labels".to_owned(),
        (_, []) => format!("labels of length {classes}"),
        (_, names) => format!("{classes} classes ({})", names.join(", ")),
    };
    let left =
        if done.skipped.is_empty() { String::new() } else { format!(", {} left out", done.skipped.len()) };
    format!("{}: {count} pictures of {side}x{side}, {colours}, {labels}{left}", out.display())
}

impl Show {
    fn run(self) -> Result<()> {
        not_over(&self.data, &self.out)?;
        check_writable(&self.out)?;
        let options = OpenOptions { labels: true, labels_required: false, ..OpenOptions::default() };
        let dataset = open(&self.data, &options)?;
        let sheet = pictures::contact_sheet(&dataset, self.columns, self.rows, self.seed)?;
        write_atomic(&self.out, &pictures::encode_png(&sheet)?)?;
        exit::say(&format!("{}: {}x{} pixels", self.out.display(), sheet.width, sheet.height))
    }
}

/// Runs long work under a bar, which is gone when it ends.
fn with_progress<T>(
    what: &'static str,
    work: impl FnOnce(&mut dyn FnMut(usize, usize)) -> Result<T>,
) -> Result<T> {
    let bar = progress(0, what);
    let done = work(&mut |done, all| {
        bar.set_length(all as u64);
        bar.set_position(done as u64);
    });
    bar.finish_and_clear();
    done
}

fn colour(text: &str) -> std::result::Result<[u8; 3], String> {
    let wrong = || "it is not white, black or #rrggbb".to_owned();
    match text {
        "white" => return Ok([u8::MAX; 3]),
        "black" => return Ok([0; 3]),
        _ => {}
    }
    let digits =
        text.strip_prefix('#').filter(|digits| digits.len() == 6 && digits.is_ascii()).ok_or_else(wrong)?;
    let value = u32::from_str_radix(digits, 16).map_err(|_| wrong())?;
    let [_, r, g, b] = value.to_be_bytes();
    Ok([r, g, b])
}
