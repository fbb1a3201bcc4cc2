//! `r3gan info`: what a model, a checkpoint or an official snapshot is.

use std::path::PathBuf;

use crate::checkpoint::container::Container;
use crate::checkpoint::header::{Kind, KindHeader};
use crate::checkpoint::training::decode_checkpoint;
use crate::checkpoint::{DataState, Model, ModelHeader, read};
use crate::config::TrainingConfig;
use crate::network::Network;
use crate::official::Snapshot;
use crate::training::NumberFormat;
use crate::{Error, Result, backend};
use clap::Args;
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::exit;

const EXAMPLES: &str = "\
Examples:
  r3gan info model.safetensors
  r3gan info checkpoint.safetensors --json
  r3gan info network-snapshot-000250000.pkl";

/// Tell what a model, a checkpoint or an official snapshot is: configuration, parameters per layer, images seen, hash.
///
/// All weights are read and checked on the way; of a snapshot, those of the averaged generator.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Info {
    /// Model, checkpoint or official .pkl
    file: PathBuf,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Report {
    file: String,
    bytes: usize,
    sha256: String,
    /// Whether it is a snapshot of the official code, not a file of ours.
    official: bool,
    #[serde(flatten)]
    header: ModelHeader,
    /// All that decides a run; only a checkpoint has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    training: Option<TrainingConfig>,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<DataState>,
    generator: Parameters,
    #[serde(skip_serializing_if = "Option::is_none")]
    critic: Option<Parameters>,
}

#[derive(Serialize)]
struct Parameters {
    total: usize,
    layers: Vec<Parameter>,
}

#[derive(Serialize)]
struct Parameter {
    name: String,
    shape: Vec<usize>,
    count: usize,
}

impl From<&Network> for Parameters {
    fn from(network: &Network) -> Self {
        let layers = network.parameters.iter().map(|p| Parameter {
            name: p.name.clone(),
            shape: p.shape.clone(),
            count: p.len(),
        });
        Self { total: network.parameter_count(), layers: layers.collect() }
    }
}

impl Info {
    pub fn run(self) -> Result<()> {
        let report = self.report()?;
        let failed = |e: String| Error::input(&self.file, format!("cannot be described ({e})"));
        exit::say(&if self.json {
            serde_json::to_string(&report).map_err(|e| failed(e.to_string()))?
        } else {
            report.text().map_err(|e| failed(e.to_string()))?
        })
    }

    fn report(&self) -> Result<Report> {
        let bytes = read(&self.file)?;
        let cpu = backend::open("cpu")?;
        let official = Snapshot::is_one(&bytes);
        let (model, training, data, critic) = if official {
            let snapshot = Snapshot::read(&bytes, &self.file)?;
            (Model::import(&snapshot, &cpu)?, None, None, snapshot.critic()?.as_ref().map(Parameters::from))
        } else {
            let kind = KindHeader::of(&Container::parse(&bytes, &self.file)?, &self.file)?;
            let model = Model::decode(&bytes, &self.file, &cpu)?;
            match kind {
                Kind::Model => (model, None, None, None),
                Kind::Checkpoint => {
                    let (trainer, data) = decode_checkpoint(&bytes, &self.file, &cpu)?;
                    (model, Some(trainer.config), Some(data), Some(Parameters::from(&trainer.critic)))
                }
            }
        };
        Ok(Report {
            file: self.file.display().to_string(),
            bytes: bytes.len(),
            sha256: Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect(),
            official,
            generator: Parameters::from(&model.generator),
            header: model.header,
            training,
            data,
            critic,
        })
    }
}

impl Report {
    fn text(&self) -> std::result::Result<String, toml::ser::Error> {
        let header = &self.header;
        let kind = match header.kind {
            _ if self.official => "official snapshot: `r3gan import` makes a model or a checkpoint of it",
            Kind::Model => "model: a generator to sample from",
            Kind::Checkpoint => "checkpoint: everything to continue a run",
        };
        let [height, width, channels] = header.network.sample_shape();
        let labels = match header.network.classes {
            0 => "unconditional".to_owned(),
            classes => format!("{classes} classes"),
        };
        let mut rows = vec![
            ("file", self.file.clone()),
            ("kind", kind.to_owned()),
            ("bytes", self.bytes.to_string()),
            ("sha256", self.sha256.clone()),
            ("preset", header.preset.clone()),
            (
                "images seen",
                if self.official && header.images == 0 {
                    "not known".into()
                } else {
                    header.images.to_string()
                },
            ),
            ("precision", format!("{:?}", header.precision).to_lowercase()),
            ("samples", format!("{height} x {width} x {channels}, {labels}")),
            ("licence", header.licence.clone()),
        ];
        if let Some(precision) = &header.official_precision {
            let formats =
                |formats: &[NumberFormat]| formats.iter().map(|f| f.name()).collect::<Vec<_>>().join(" ");
            rows.push(("trained in", formats(&precision.generator)));
        }
        if let Some(data) = &self.data {
            let fingerprint = data.fingerprint.as_deref().unwrap_or("not known");
            rows.push(("data", format!("{fingerprint} at sample {}", data.position)));
        }
        let rows = rows.iter().map(|(name, value)| format!("{name:<12} {value}"));
        let configuration = match &self.training {
            Some(training) => toml::to_string(training)?,
            None => toml::to_string(&header.network)?,
        };
        let mut text = rows.collect::<Vec<_>>().join("\n");
        text += &format!("\n\nconfiguration\n{}", indented(&configuration));
        text += &format!("\ngenerator\n{}", self.generator.text());
        if let Some(critic) = &self.critic {
            text += &format!("\n\ncritic\n{}", critic.text());
        }
        Ok(text)
    }
}

impl Parameters {
    fn text(&self) -> String {
        let wide = self.layers.iter().map(|p| p.name.len()).max().unwrap_or(0);
        let line =
            |name: &str, shape: String, count: usize| format!("  {name:<wide$}  {shape:<20} {count:>12}");
        let layers = self.layers.iter().map(|p| line(&p.name, format!("{:?}", p.shape), p.count));
        layers.chain([line("total", String::new(), self.total)]).collect::<Vec<_>>().join("\n")
    }
}

fn indented(text: &str) -> String {
    let lines = text.lines().filter(|line| !line.is_empty());
    lines.map(|line| format!("  {line}\n")).collect()
}
