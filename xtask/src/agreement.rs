//! `cargo xtask agreement`: this crate's metrics beside two public implementations, on the same pictures and weights.

use crate::run::{captured, command, run};
use crate::{data, peers, python};
use anyhow::{Context, Result};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};

const FOLDER: &str = "target/agreement";
const SCRIPTS: &str = "xtask/agreement";

#[derive(clap::Args)]
pub struct Args {
    /// Model whose samples are measured, unconditional or with --class
    #[arg(long)]
    network: PathBuf,
    /// Class of the samples
    #[arg(long)]
    class: Option<u32>,
    /// Pictures that it learned from: what `r3gan train --data` takes
    #[arg(long)]
    data: PathBuf,
    /// Pictures a side
    #[arg(long, default_value_t = 32)]
    side: u32,
    /// Pictures of each kind
    #[arg(long, default_value_t = 1000)]
    count: u32,
    /// Compare precision and recall of VGG16's features too, with random weights
    #[arg(long)]
    vgg16: bool,
    /// A Python that has what xtask/agreement/requirements.txt lists; without it, that is installed into target
    #[arg(long)]
    python: Option<String>,
}

/// What is compared, in the order of our names: the name here, the key of torch-fidelity, that of pytorch-fid.
type Row = (&'static str, &'static str, Option<&'static str>);
const ROWS: [Row; 6] = [
    ("FID", "frechet_inception_distance", Some("fid")),
    ("IS mean", "inception_score_mean", None),
    ("IS std", "inception_score_std", None),
    ("KID", "kernel_inception_distance_mean", None),
    ("precision", "precision", None),
    ("recall", "recall", None),
];

const VGG16_ROWS: [Row; 2] =
    [("precision, VGG16", "vgg16 precision", None), ("recall, VGG16", "vgg16 recall", None)];

/// Prints a table in Markdown.
pub fn compare(args: &Args) -> Result<()> {
    let python = match &args.python {
        Some(python) => python.clone(),
        None => {
            let requirements = format!("{SCRIPTS}/requirements.txt");
            let import = "import torch_fidelity, pytorch_fid";
            python::with_packages("target/agreement-venv", import, &["-r", &requirements])?
        }
    };
    let inception = data::fetch(data::DataSet::Inception)?;
    let r3gan = peers::build("cpu")?;
    let folder = Path::new(FOLDER);
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    fs::create_dir_all(folder)?;
    let extractor = folder.join("extractor.safetensors");
    let published = inception.join("inception.safetensors");
    run(command(&python, &[&format!("{SCRIPTS}/classifier.py")]).arg(published).arg(&extractor))?;

    let (reals, fakes) = (folder.join("reals"), folder.join("fakes"));
    let (count, side) = (args.count.to_string(), args.side.to_string());
    let zip = folder.join("reals.zip");
    let mut convert = command(&r3gan, &["dataset", "convert", "--max-images", &count, "--size", &side]);
    convert.args(["--fit", "pad", "--colours", "colour", "--background", "black", "--labels", "none"]);
    run(convert.arg("--out").arg(&zip).arg(&args.data))?;
    run(command("python3", &["-m", "zipfile", "-e"]).arg(&zip).arg(&reals))?;
    let seeds = format!("0-{}", args.count.checked_sub(1).context("--count 0 leaves nothing to measure")?);
    let mut sample = command(&r3gan, &["sample", "--device", "cpu", "--seeds", &seeds, "--network"]);
    sample.arg(&args.network).arg("--out").arg(&fakes);
    if let Some(class) = args.class {
        sample.args(["--class", &class.to_string()]);
    }
    run(&mut sample)?;

    let (number, neighbours) = match args.count % 1000 {
        0 => (format!("{}k", args.count / 1000), "3"),
        _ => (count.clone(), "_3"),
    };
    let measure = |metrics: &str, extractors: &[&Path], results: &[String]| -> Result<Vec<f64>> {
        let mut ours =
            command(&r3gan, &["metrics", "--device", "cpu", "--json", "--metrics", metrics, "--fakes"]);
        ours.arg(&fakes).arg("--data").arg(&reals).arg("--extractor").args(extractors);
        let found: Value = serde_json::from_str(&captured(&mut ours)?)?;
        let number =
            |key: &String| found[key].as_f64().with_context(|| format!("r3gan gives no {key}: {found}"));
        results.iter().map(number).collect()
    };
    let pr = format!("pr{number}{neighbours}");
    let shares = ["precision", "recall"].map(|part| format!("{pr}_{part}"));
    let mut names: Vec<String> = ["fid", "is", "is", "kid"].map(|name| format!("{name}{number}")).into();
    names[1].push_str("_mean");
    names[2].push_str("_std");
    names.extend(shares.clone());
    let mut ours = measure(&format!("fid{number},kid{number},{pr},is{number}"), &[&extractor], &names)?;
    let mut rows = ROWS.to_vec();
    let mut theirs = command(&python, &[&format!("{SCRIPTS}/agreement.py"), "--reals"]);
    theirs.arg(&reals).arg("--fakes").arg(&fakes).arg("--classifier").arg(&extractor);
    theirs.arg("--inception").arg(inception.join("default_1.pt"));
    if args.vgg16 {
        let (published, vgg16) = (folder.join("vgg16.pth"), folder.join("vgg16.safetensors"));
        run(command(&python, &[&format!("{SCRIPTS}/vgg16.py"), "weights"]).arg(&published))?;
        run(command(&r3gan, &["import"]).arg(&published).arg("--out").arg(&vgg16))?;
        ours.extend(measure(&pr, &[&vgg16], &shares)?);
        rows.extend(VGG16_ROWS);
        theirs.arg("--vgg16").arg(&published);
    }
    let theirs: Value = serde_json::from_str(&captured(&mut theirs)?)?;
    print_table(&rows, &ours, &theirs)
}

fn print_table(rows: &[Row], ours: &[f64], theirs: &Value) -> Result<()> {
    println!("| | r3gan | torch-fidelity | ratio | pytorch-fid | ratio |\n|---|---|---|---|---|---|");
    for ((name, fidelity, fid), ours) in rows.iter().zip(ours) {
        let cells = |value: Option<f64>| {
            value.map_or("| | ".into(), |value| format!("| {value:.6} | {:.6} ", ours / value))
        };
        let one = cells(theirs["torch-fidelity"][fidelity].as_f64());
        let other = cells(fid.and_then(|key| theirs["pytorch-fid"][key].as_f64()));
        println!("| {name} | {ours:.6} {one}{other}|");
    }
    let by_n = &theirs["pytorch-fid"]["fid divided by n"];
    println!("\npytorch-fid's distance with covariances divided by n, as the definition has it: {by_n}");
    Ok(())
}
