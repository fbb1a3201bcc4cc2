//! Official snapshots: looked at, sampled from, imported, and trained further.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use safetensors::tensor::Dtype;
use serde_json::Value;

use crate::inputs;
use crate::scene::Scene;
use crate::weights::Weights;

/// A snapshot that the official code wrote, and what its gen_images made of it.
struct Official {
    name: String,
    folder: PathBuf,
    meta: Value,
}

impl Official {
    /// Those of every fixture that has some.
    fn all() -> Vec<Self> {
        let ours = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures");
        let roots = std::env::var_os("R3GAN_FIXTURES").map(PathBuf::from).into_iter().chain([ours]);
        let (mut all, mut seen) = (Vec::new(), HashSet::new());
        for entry in roots.flat_map(|root| std::fs::read_dir(root).expect("fixtures")) {
            let folder = entry.expect("an entry").path();
            if !seen.insert(folder.file_name().map(ToOwned::to_owned)) {
                continue;
            }
            let Ok(meta) = std::fs::read(folder.join("meta.json")) else { continue };
            let meta: Value = serde_json::from_slice(&meta).expect("JSON");
            for (name, meta) in meta["snapshots"].as_object().into_iter().flatten() {
                all.push(Self { name: name.clone(), folder: folder.clone(), meta: meta.clone() });
            }
        }
        assert!(!all.is_empty(), "no fixture has snapshots");
        all
    }

    fn read(&self, end: &str) -> Vec<u8> {
        let path = self.folder.join(format!("{}.{end}", self.name));
        std::fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
    }

    fn numbers(&self, key: &str) -> Vec<Option<u64>> {
        self.meta[key].as_array().expect("a list").iter().map(Value::as_u64).collect()
    }

    /// Whether all of it was computed in f32, so that pictures are the same to the level.
    fn is_exact(&self) -> bool {
        !self.meta["stage_dtypes"].to_string().contains("bfloat16")
    }

    fn side(&self) -> u64 {
        self.meta["config"]["G"]["img_resolution"].as_u64().expect("a resolution")
    }

    fn classes(&self) -> u64 {
        self.meta["config"]["G"]["c_dim"].as_u64().expect("a number of classes")
    }

    fn images(&self) -> u64 {
        self.meta["cur_nimg"].as_u64().expect("a number of images")
    }
}

/// The pixels of a picture that was made.
fn pixels(scene: &Scene, name: &str) -> Vec<u8> {
    image::load_from_memory(&scene.read(name)).expect("a picture").into_rgb8().into_raw()
}

#[test]
fn a_snapshot_makes_the_same_pictures_as_officially() {
    for official in Official::all() {
        let scene = Scene::new();
        scene.write("network.pkl", official.read("pkl"));
        let imported = scene.r3gan("import network.pkl --out made/model.safetensors").done();
        let told = format!(
            "wrote made/model.safetensors: the averaged generator, custom, {0}x{0} ",
            official.side()
        );
        assert!(imported.stdout.starts_with(&told) && imported.stderr.is_empty(), "{imported:?}");
        scene.r3gan("import network.pkl --out half.safetensors --half").done();
        assert!(scene.read("half.safetensors").len() < scene.read("made/model.safetensors").len() * 2 / 3);

        let header = Weights::parse(&scene.read("made/model.safetensors")).header;
        assert_eq!((&header["kind"], &header["images"]), (&"model".into(), &official.images().into()));
        let formats = header["official_precision"]["generator"].as_array().expect("formats").iter();
        let formats = formats.map(|format| format!("torch.{}", format.as_str().expect("a name")));
        let expected = official.meta["stage_dtypes"]["G"].as_array().expect("formats").iter();
        assert!(formats.eq(expected.map(|format| format.as_str().expect("a name").to_owned())), "{header}");

        let expected = Weights::parse(&official.read("expected.safetensors"));
        let (dtype, shape, theirs) = &expected.tensors["gen_images_uint8_hwc"];
        assert_eq!(*dtype, Dtype::U8);
        let mut theirs = theirs.chunks_exact(shape[1..].iter().product());
        let seeds: Vec<u64> = official.numbers("seeds").into_iter().flatten().collect();
        let list = seeds.iter().map(u64::to_string).collect::<Vec<_>>().join(",");
        for class in official.numbers("classes") {
            let class = class.map_or(String::new(), |class| format!("--class {class}"));
            for (network, out) in [("network.pkl", "a"), ("made/model.safetensors", "b")] {
                let line =
                    format!("sample --network {network} --seeds {list} {class} --out {out} --device cpu");
                scene.r3gan(&line).done();
            }
            for seed in &seeds {
                let [direct, imported] =
                    ["a", "b"].map(|out| pixels(&scene, &format!("{out}/seed{seed:04}.png")));
                assert_eq!(direct, imported, "a snapshot and the model of it are the same");
                let official_pixels = theirs.next().expect("a picture for every class and seed");
                assert!(
                    !official.is_exact() || direct == official_pixels,
                    "seed {seed} of {}",
                    official.name
                );
            }
        }
    }
}

#[test]
fn a_snapshot_is_described() {
    for official in Official::all() {
        let scene = Scene::new();
        scene.write("network.pkl", official.read("pkl"));
        let told = scene.r3gan("info network.pkl").done().stdout;
        let images = format!("images seen  {}", official.images());
        for part in
            ["official snapshot", "preset       custom", &images, "trained in   float32", "embed", "critic\n"]
        {
            let needs = part != "embed" || official.classes() > 0;
            assert!(!needs || told.contains(part), "{part}: {told}");
        }
        let json: Value =
            serde_json::from_str(&scene.r3gan("info network.pkl --json").done().stdout).expect("JSON");
        assert_eq!((&json["official"], &json["images"]), (&true.into(), &official.images().into()));
        assert!(json["critic"]["total"].as_u64() > Some(1000), "{json}");
    }
}

/// The run goes on from the snapshot's images and steps, on whichever data it is given; from then on it knows them.
#[test]
fn a_run_goes_on_from_a_snapshot() {
    for official in Official::all().into_iter().filter(|official| official.classes() == 0) {
        let scene = Scene::new();
        scene.write("network.pkl", official.read("pkl"));
        for shade in 0..8 {
            scene.write(&format!("data/{shade}.png"), inputs::shaded_png(official.side() as u32, 30 * shade));
        }
        let import = "import network.pkl --out start.safetensors --full --preset cifar10 --batch 4 --seed 5";
        let imported = scene.r3gan(import).done();
        let told = "it goes on with the schedules of cifar10, batch 4 and seed 5";
        assert!(imported.stdout.contains(told), "{imported:?}");
        let start = Weights::parse(&scene.read("start.safetensors"));
        assert_eq!(start.header["data"]["fingerprint"], Value::Null);
        let info = scene.r3gan("info start.safetensors").done().stdout;
        assert!(info.contains("data         not known at sample 0"), "{info}");

        let train = "train --data data --out run --resume start.safetensors --kimg 1 --tick 1 --device cpu";
        let trained = scene.r3gan(train).done();
        let resumed = format!("resumed start.safetensors at {} images", official.images());
        assert!(trained.stdout.contains(&resumed), "{trained:?}");
        let end = Weights::parse(&scene.read("run/checkpoint-000001.safetensors"));
        let iterations = (1000 - official.images()).div_ceil(4);
        for steps in ["generator_steps", "critic_steps"] {
            let before = start.header[steps].as_u64().expect("a number");
            assert_eq!(end.header[steps], before + iterations, "{steps}");
        }
        assert_eq!(end.header["images"], official.images() + 4 * iterations);
        assert_eq!(end.header["config"]["preset"], "cifar10");
        assert!(end.header["data"]["fingerprint"].is_string());
        for kept in ["licence", "official_precision"] {
            assert_eq!(end.header[kept], start.header[kept], "{kept} of what it came from");
        }
        // Every image since then is in the statistics.
        let first: Value =
            serde_json::from_str(scene.text("run/stats.jsonl").lines().next().expect("a line"))
                .expect("a JSON object");
        assert_eq!(first["Loss/D/loss"]["num"].as_u64(), Some(4 * iterations));

        let other = "train --data data --mirror --out run --resume auto --kimg 2 --device cpu";
        let refused = scene.r3gan(other);
        assert!(refused.stderr.contains("was trained on other data"), "{refused:?}");
    }
}
