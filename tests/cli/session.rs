//! What people do with the command line, in the order in which they do it.

use image::RgbImage;
use sha2::{Digest, Sha256};

use crate::inputs::{faces, labelled_zip};
use crate::scene::Scene;
use crate::trained::{checkpoint, conditional_model, model};
use crate::weights::{Weights, one_tensor};

fn picture(scene: &Scene, name: &str) -> RgbImage {
    image::load_from_memory(&scene.read(name)).expect("a picture").into_rgb8()
}

/// Pixel (x, y) of picture `n` in planes `[N, 3, side, side]`.
fn pixel(values: &[f32], side: usize, n: usize, [x, y]: [usize; 2]) -> [f32; 3] {
    [0, 1, 2].map(|c| values[((n * 3 + c) * side + y) * side + x])
}

#[test]
fn train_look_and_sample() {
    let scene = Scene::new();
    faces(&scene);
    let trained = scene
        .r3gan("train --data faces --out runs/faces --kimg 3 --tick 1 --snap 1 --device cpu TINY")
        .done();
    assert_eq!(trained.stdout.lines().filter(|line| line.starts_with("tick ")).count(), 4);
    assert!(
        trained.stdout.contains("finished: runs/faces; checkpoint runs/faces/checkpoint-000003.safetensors")
    );

    // Every model and grid stays, of the checkpoints the last two.
    let [four, two] = [vec!["000000", "000001", "000002", "000003"], vec!["000002", "000003"]];
    for (kind, end, numbers) in
        [("checkpoint", "safetensors", &two), ("model", "safetensors", &four), ("fakes", "png", &four)]
    {
        let names: Vec<_> = numbers.iter().map(|number| format!("{kind}-{number}.{end}")).collect();
        assert_eq!(scene.names("runs/faces", &format!("{kind}-")), names);
    }
    let log = scene.text("runs/faces/log.txt");
    assert_eq!(log.lines().count(), 4);
    for field in ["tick ", "kimg ", "time ", "sec/tick ", "sec/kimg ", "maintenance ", "cpumem ", "augment "]
    {
        assert!(log.lines().all(|line| line.contains(field)), "{field}: {log}");
    }
    assert_eq!(picture(&scene, "runs/faces/fakes-000003.png").dimensions(), (80, 80));
    assert_eq!(picture(&scene, "runs/faces/reals.png").width(), 80);
    statistics_have_the_published_names(&scene.text("runs/faces/stats.jsonl"));
    let events = scene.names("runs/faces", "events.out.tfevents.");
    assert_eq!(
        records(&scene.read(&format!("runs/faces/{}", events[0]))),
        2 + 4,
        "a header, a start and four ticks"
    );

    let model = "runs/faces/model-000003.safetensors";
    let info = scene.r3gan(&format!("info {model}")).done().stdout;
    for told in [
        "kind         model",
        "images seen  3000",
        "8 x 8 x 3, unconditional",
        "widths = [8, 8]",
        "rgb.weight",
    ] {
        assert!(info.contains(told), "{told}: {info}");
    }
    let json = scene.r3gan(&format!("info {model} --json")).done().stdout;
    let json: serde_json::Value = serde_json::from_str(&json).expect("one JSON object");
    let hash: String = Sha256::digest(scene.read(model)).iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!((&json["sha256"], &json["images"]), (&hash.into(), &3000.into()));
    let counted: usize =
        Weights::parse(&scene.read(model)).tensors.values().map(|(_, _, data)| data.len() / 4).sum();
    assert_eq!(json["generator"]["total"], counted);

    scene
        .r3gan(&format!("sample --network {model} --seeds 0,4-6 --out a --raw a.safetensors --device cpu"))
        .done();
    scene.r3gan(&format!("sample --network {model} --seeds 6,0 --batch 1 --out b --device cpu")).done();
    assert_eq!(scene.names("a", ""), ["seed0000.png", "seed0004.png", "seed0005.png", "seed0006.png"]);
    for seed in ["seed0000.png", "seed0006.png"] {
        assert_eq!(scene.read(&format!("a/{seed}")), scene.read(&format!("b/{seed}")), "a seed is a picture");
    }
    // The averaged generator of the checkpoint is the model.
    scene
        .r3gan("sample --network runs/faces/checkpoint-000003.safetensors --seeds 4 --out c --device cpu")
        .done();
    assert_eq!(scene.read("a/seed0004.png"), scene.read("c/seed0004.png"));
}

/// Whole records of an event file: a length and its checksum, as many bytes, another checksum.
fn records(mut bytes: &[u8]) -> usize {
    let mut count = 0;
    while let Some((length, rest)) = bytes.split_first_chunk() {
        bytes = &rest[4 + u64::from_le_bytes(*length) as usize + 4..];
        count += 1;
    }
    assert!(bytes.is_empty());
    count
}

fn statistics_have_the_published_names(text: &str) {
    let published = [
        "Loss/scores/real",
        "Loss/signs/real",
        "Loss/D/loss",
        "Loss/r1_penalty",
        "Loss/r2_penalty",
        "Loss/scores/fake",
        "Loss/signs/fake",
        "Loss/G/loss",
        "Progress/tick",
        "Progress/kimg",
        "Progress/lr",
        "Progress/ema_mimg",
        "Progress/beta2",
        "Progress/gamma",
        "Progress/augment",
        "Timing/total_sec",
        "Timing/total_hours",
        "Timing/total_days",
        "Timing/sec_per_tick",
        "Timing/sec_per_kimg",
        "Timing/maintenance_sec",
        "Timing/D",
        "Timing/G",
        "Resources/cpu_mem_gb",
    ];
    let lines: Vec<serde_json::Value> =
        text.lines().map(|line| serde_json::from_str(line).expect("a JSON object a line")).collect();
    assert_eq!(lines.len(), 4);
    for (line, images) in lines.iter().zip([50.0, 950.0, 1000.0, 1000.0]) {
        for name in published {
            let [num, mean, std] = ["num", "mean", "std"].map(|part| line[name][part].as_f64());
            assert!(num >= Some(1.0) && mean.is_some() && std >= Some(0.0), "{name}: {line}");
        }
        assert_eq!(line["Loss/D/loss"]["num"], images);
        assert!(line["timestamp"].as_f64().is_some_and(|seconds| seconds > 1.7e9));
    }
    assert_eq!(lines[3]["Progress/kimg"]["mean"], 3.0);
}

#[test]
fn rows_of_a_snapshot_are_classes() {
    let scene = Scene::new();
    labelled_zip(&scene);
    let run = "train --data classes.zip --cond --grid 6x4 --kimg 1 --tick 1 --device cpu --out run TINY";
    scene.r3gan(run).done();
    assert_eq!(picture(&scene, "run/fakes-000001.png").dimensions(), (48, 32));
    let reals = picture(&scene, "run/reals.png");
    let shown =
        |column: u32, row: u32| image::imageops::crop_imm(&reals, 8 * column, 8 * row, 8, 8).to_image();
    // A class has four pictures, so they begin again; its second row goes on where the first ended.
    assert_eq!((shown(4, 0), shown(5, 0)), (shown(0, 0), shown(1, 0)));
    assert_eq!((shown(0, 3), shown(2, 3)), (shown(2, 0), shown(0, 0)));
    // The first pixel tells the class: 80 times its number, and a bit.
    let class =
        |row: u32| (0..6).map(|column| shown(column, row).get_pixel(0, 0).0[0] / 80).collect::<Vec<_>>();
    assert_eq!([class(0), class(1), class(2)], [[0; 6], [1; 6], [2; 6]].map(Vec::from));
}

#[test]
fn raw_values_grids_and_given_latents() {
    let scene = Scene::new();
    scene.write("m.safetensors", model());
    let sample = "sample --network m.safetensors --device cpu";
    scene.r3gan(&format!("{sample} --seeds 0-4 --out each --raw raw.safetensors")).done();
    scene.r3gan(&format!("{sample} --seeds 0-4 --out grid --grid")).done();
    let raw = Weights::parse(&scene.read("raw.safetensors"));
    let (shape, values) = raw.f32s("images");
    assert_eq!(shape, [5, 3, 8, 8]);
    assert_eq!(scene.names("grid", ""), ["grid.png"]);
    let grid = picture(&scene, "grid/grid.png");
    assert_eq!(grid.dimensions(), (24, 16));
    for n in 0..5 {
        let single = picture(&scene, &format!("each/seed000{n}.png"));
        for (x, y, told) in single.enumerate_pixels() {
            let value = pixel(&values, 8, n, [x as usize, y as usize]);
            // gen_images: (x * 127.5 + 128).clamp(0, 255).to(uint8), which cuts the fraction off.
            assert_eq!(told.0, value.map(|v| (v * 127.5 + 128.0).clamp(0.0, 255.0) as u8));
            let (left, top) = (n as u32 % 3 * 8, n as u32 / 3 * 8);
            // save_image_grid: rint((x + 1) * 255 / 2), clipped.
            let rounded = value.map(|v| ((v + 1.0) * 127.5).round_ties_even().clamp(0.0, 255.0) as u8);
            assert_eq!(grid.get_pixel(left + x, top + y).0, rounded);
        }
    }
    // The latents of the file make the same pictures again.
    scene.r3gan(&format!("{sample} --latents raw.safetensors --out again")).done();
    for n in 0..5 {
        assert_eq!(
            scene.read(&format!("again/latent000{n}.png")),
            scene.read(&format!("each/seed000{n}.png"))
        );
    }
    // numpy 2.2.6: RandomState(0).randn(2), rounded to f32.
    let (_, latents) = raw.f32s("latents");
    assert_eq!(latents[..2], [1.764_052_345_967_664_f64, 0.400_157_208_367_223_3].map(|v| v as f32));
    // 'z' of another program, as f32.
    scene.write("z.safetensors", one_tensor("z", &[1, 8], &latents[..8]));
    scene.r3gan(&format!("{sample} --latents z.safetensors --out z")).done();
    assert_eq!(scene.read("z/latent0000.png"), scene.read("each/seed0000.png"));
    // As gen_images: a class that nobody needs is only remarked on.
    let ignored = scene.r3gan(&format!("{sample} --seeds 0 --class 3 --out f")).done();
    assert!(ignored.stderr.starts_with("warning: --class is ignored"), "{ignored:?}");
    assert_eq!(scene.read("f/seed0000.png"), scene.read("each/seed0000.png"));
}

#[test]
fn a_conditional_model_needs_its_class() {
    let scene = Scene::new();
    labelled_zip(&scene);
    scene.write("m.safetensors", conditional_model());
    assert!(scene.r3gan("info m.safetensors").done().stdout.contains("8 x 8 x 3, 3 classes"));
    for class in 0..3 {
        let line = format!("sample --network m.safetensors --seeds 1 --class {class} --device cpu");
        scene.r3gan(&format!("{line} --out {class} --raw {class}.safetensors")).done();
    }
    let raw = |class: usize| Weights::parse(&scene.read(&format!("{class}.safetensors")));
    assert_eq!(raw(2).f32s("labels").1, [0.0, 0.0, 1.0]);
    assert_eq!(raw(0).f32s("latents"), raw(2).f32s("latents"));
    assert_ne!(raw(0).f32s("images"), raw(2).f32s("images"), "the class makes a difference");
    // The class can come with the latents.
    scene
        .r3gan("sample --network m.safetensors --latents 2.safetensors --raw again.safetensors --device cpu")
        .done();
    assert_eq!(scene.read("again.safetensors"), scene.read("2.safetensors"));
}

#[test]
fn points() {
    let scene = Scene::new();
    let line = "train --data ring8 --preset points --set network.architecture.hidden=[16,16,16] --out run";
    scene.r3gan(&format!("{line} --kimg 1 --tick 1 --batch 100 --device cpu")).done();
    assert_eq!(picture(&scene, "run/fakes-000001.png").width(), 512);
    let sample = "sample --network run/model-000001.safetensors --device cpu";
    scene.r3gan(&format!("{sample} --out p --seeds 0-99 --raw p.safetensors")).done();
    assert_eq!(scene.names("p", ""), ["points.png"]);
    assert_eq!(Weights::parse(&scene.read("p.safetensors")).f32s("points").0, [100, 2]);
    assert!(scene.r3gan("info run/checkpoint-000001.safetensors").done().stdout.contains("critic\n"));
}

#[test]
fn a_dry_run_tells_everything_and_writes_nothing() {
    let scene = Scene::new();
    labelled_zip(&scene);
    let before = scene.files();
    let line = "train --data classes.zip --cond --mirror --out run --device cpu TINY";
    let told = scene.r3gan(&format!("{line} --dry-run")).done().stdout;
    assert_eq!(scene.files(), before);
    assert!(!scene.has("run"));
    for words in [
        "# data: 24 samples, 3 classes",
        "# memory: about ",
        "s per kimg, measured with",
        "# the whole run: ",
    ] {
        assert!(told.contains(words), "{words}: {told}");
    }
    let config: toml::Table = told.parse().expect("TOML");
    assert_eq!((&config["batch"], &config["network"]["classes"]), (&50.into(), &3.into()));
}

/// The length that a safetensors file begins with can look like a pickle's first bytes: 896 is 80 03 00.
#[test]
fn a_model_is_not_taken_for_a_pickle() {
    let scene = Scene::new();
    let line =
        "train --data ring8 --preset points --set network.latent=2 --kimg 1 --tick 1 --batch 100 --out run";
    scene.r3gan(&format!("{line} --device cpu")).done();
    let model = scene.read("run/model-000001.safetensors");
    assert_eq!(model[..3], [0x80, 3, 0], "the header is no longer of 896 bytes: choose another network");
    assert!(scene.r3gan("info run/model-000001.safetensors").done().stdout.contains("kind         model"));
}

#[test]
fn gamma_follows_the_resolution_if_asked() {
    let scene = Scene::new();
    faces(&scene);
    let config = |flag: &str| {
        let line = format!("train --data faces --out run --device cpu TINY {flag} --dry-run");
        scene.r3gan(&line).done().stdout.parse::<toml::Table>().expect("TOML")["gamma"].clone()
    };
    // 1.5 at 64 pixels, so 1.5 / 8^3.3 at 8.
    let auto = config("--gamma auto");
    let base = auto["base"].as_float().expect("a number");
    assert!((base - 1.5 / 8f64.powf(3.3)).abs() < 1e-12, "{base}");
    assert_eq!(auto["end"].as_float(), Some(base / 10.0));
    assert_eq!(config("--gamma 3")["base"].as_float(), Some(3.0));
}

#[test]
fn options_of_one_run_configure_another() {
    let scene = Scene::new();
    faces(&scene);
    let run = |out: &str, more: &str| format!("train --data faces --out {out} --kimg 1 --device cpu {more}");
    scene.r3gan(&run("first", "--set gamma.base=2 --seed 5 TINY")).done();
    scene.r3gan(&run("second", "--preset demo-16 --config first/options.toml")).done();
    let options = |folder: &str| {
        let text = scene.text(&format!("{folder}/options.toml"));
        assert!(
            text.starts_with("# r3gan ") && text.contains(&format!("--data faces --out {folder}")),
            "{text}"
        );
        text.parse::<toml::Table>().expect("TOML")
    };
    assert_eq!(options("first"), options("second"));
    assert_eq!(options("second")["gamma"]["base"], 2.0.into());
    let model = |folder: &str| scene.read(&format!("{folder}/model-000001.safetensors"));
    assert_eq!(model("first"), model("second"), "the same configuration is the same run");
    // A flag goes over the file.
    let told = scene.r3gan(&run("third", "--preset demo-16 --config first/options.toml --seed 6 --dry-run"));
    assert!(told.done().stdout.contains("seed = 6"));
}

#[test]
fn half_models_are_half_the_size_and_nearly_the_same() {
    let scene = Scene::new();
    faces(&scene);
    // The checkpoint is at the end already, so one more thousand makes the two models.
    scene.write("old.safetensors", checkpoint());
    for (out, more) in [("whole", ""), ("half", "--half")] {
        let line =
            format!("train --data faces --out {out} --resume old.safetensors --kimg 2 --device cpu {more}");
        scene.r3gan(&line).done();
        let line =
            format!("sample --network {out}/model-000002.safetensors --raw {out}.safetensors --device cpu");
        scene.r3gan(&line).done();
    }
    assert!(scene.r3gan("info half/model-000002.safetensors").done().stdout.contains("precision    f16"));
    let size = |folder: &str| {
        let file = Weights::parse(&scene.read(&format!("{folder}/model-000002.safetensors")));
        file.tensors.values().map(|(_, _, data)| data.len()).sum::<usize>()
    };
    assert_eq!(2 * size("half"), size("whole"));
    let [whole, half] =
        ["whole.safetensors", "half.safetensors"].map(|name| Weights::parse(&scene.read(name)));
    let (whole, half) = (whole.f32s("images").1, half.f32s("images").1);
    assert_ne!(whole, half);
    // Weights are off by 2^-11 at most, and errors of some ten layers do not all add up: 1 % of the range.
    let largest = whole.iter().fold(0.0f32, |most, v| most.max(v.abs()));
    assert!(whole.iter().zip(&half).all(|(a, b)| (a - b).abs() < 0.01 * largest), "largest {largest}");
}

#[test]
fn reduced_precision_is_told_and_goes_into_the_files() {
    let scene = Scene::new();
    faces(&scene);
    let line = "train --data faces --kimg 1 --device cpu TINY";
    let plain = scene.r3gan(&format!("{line} --out plain")).done();
    assert!(!plain.stdout.contains("precision"), "{plain:?}");
    let told = "precision: bf16 in the stages next to the pictures, f32 in the others";
    let reduced = scene.r3gan(&format!("{line} --out reduced --precision bf16")).done();
    assert!(reduced.stdout.contains(told), "{reduced:?}");
    let dry = |flag: &str| scene.r3gan(&format!("{line} --out dry {flag} --dry-run")).done().stdout;
    for (flag, named, told) in [
        ("", "f32", "# precision: f32\n"),
        ("--precision auto", "f32", "# precision: f32\n"),
        ("--precision bf16", "bf16", told),
        ("--set precision=bf16", "bf16", told),
    ] {
        let stdout = dry(flag);
        let config: toml::Table = stdout.parse().expect("TOML");
        assert_eq!(config["precision"], named.into(), "{flag}");
        assert!(stdout.contains(told), "{flag}: {stdout}");
    }

    // The run is another one, its weights are f32 all the same.
    let model = |folder: &str| scene.read(&format!("{folder}/model-000001.safetensors"));
    assert_ne!(model("plain"), model("reduced"));
    assert_eq!(model("plain").len(), model("reduced").len());
    let options = scene.text("reduced/options.toml").parse::<toml::Table>().expect("TOML");
    assert_eq!(options["precision"], "bf16".into());
    let info = scene.r3gan("info reduced/checkpoint-000001.safetensors").done().stdout;
    assert!(info.contains("precision = \"bf16\""), "{info}");

    let sample = "sample --network reduced/model-000001.safetensors --device cpu --seeds 0-3";
    for format in ["f32", "bf16", "f16"] {
        let line = format!("{sample} --precision {format} --out {format} --raw {format}.safetensors");
        let said = scene.r3gan(&line).done().stdout;
        assert_eq!(said.contains(&format!("precision: {format} in the stages")), format != "f32", "{said}");
    }
    scene.r3gan(&format!("{sample} --raw auto.safetensors")).done();
    assert_eq!(scene.read("auto.safetensors"), scene.read("f32.safetensors"), "the CPU computes in f32");
    let values =
        |format: &str| Weights::parse(&scene.read(&format!("{format}.safetensors"))).f32s("images").1;
    let (whole, largest) = (values("f32"), values("f32").iter().fold(0.0f32, |most, v| most.max(v.abs())));
    for (format, unit) in [("bf16", 2f32.powi(-8)), ("f16", 2f32.powi(-11))] {
        let reduced = values(format);
        assert_ne!(reduced, whole);
        // Each of some ten layers rounds by half a unit.
        let close = |(a, b): (&f32, &f32)| (a - b).abs() < 8.0 * unit * largest;
        assert!(whole.iter().zip(&reduced).all(close), "{format}");
    }
    // gen_images computes pixels in the format of the pictures.
    let bf16 = |v: f32| half::bf16::from_f32(v).to_f32();
    let values = values("bf16");
    assert!(values.iter().all(|v| bf16(*v) == *v), "pictures are numbers of the format");
    for n in 0..4 {
        for (x, y, told) in picture(&scene, &format!("bf16/seed000{n}.png")).enumerate_pixels() {
            let value = pixel(&values, 8, n, [x as usize, y as usize]);
            assert_eq!(told.0, value.map(|v| bf16(bf16(v * 127.5) + 128.0).clamp(0.0, 255.0) as u8));
        }
    }
}

#[test]
fn the_rest_of_the_commands() {
    let scene = Scene::new();
    let help = scene.r3gan("--help").done().stdout;
    for command in ["train", "sample", "info", "doctor", "bench", "Exit codes:"] {
        assert!(help.contains(command), "{help}");
    }
    for command in ["train", "sample", "info", "doctor", "bench"] {
        assert!(scene.r3gan(&format!("{command} --help")).done().stdout.contains("Usage: r3gan"));
    }
    assert!(scene.r3gan("--version").done().stdout.starts_with("r3gan "));
    let doctor = scene.r3gan("doctor").done().stdout;
    assert!(doctor.contains("cpu") && doctor.contains("works"), "{doctor}");
    let told =
        scene.r3gan("bench --preset points --batch 4 --runs 2 --warmup 0 --device cpu --json").done().stdout;
    let lines: Vec<serde_json::Value> =
        told.lines().map(|line| serde_json::from_str(line).expect("a JSON object a line")).collect();
    let parts: Vec<_> = lines[1..].iter().map(|line| line["what"].as_str().expect("a name")).collect();
    assert_eq!(parts, ["sample", "critic", "generator", "iteration"]);
    for line in &lines[1..] {
        for key in ["median_s", "min_s", "max_s", "images_per_s", "peak_bytes"] {
            assert!(line[key].as_f64().is_some_and(|value| value > 0.0), "{key}: {line}");
        }
        assert_eq!(
            (&line["peer"], &line["batch"], &line["device"]),
            (&"r3gan".into(), &4.into(), &"cpu".into())
        );
        assert_eq!(line["critic_multiple"].is_number(), line["what"] == "critic");
    }
}
