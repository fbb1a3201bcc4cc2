//! Measuring while training, and afterwards. The extractor is the one that `R3GAN_INCEPTION` names.

use serde_json::Value;

use crate::inputs::faces;
use crate::scene::Scene;

fn extractor(scene: &Scene) {
    let place = std::env::var("R3GAN_INCEPTION").expect("R3GAN_INCEPTION names an extractor");
    std::os::unix::fs::symlink(place, scene.path("inception.safetensors")).expect("a link");
}

fn lines(scene: &Scene, file: &str) -> Vec<Value> {
    scene.text(file).lines().map(|line| serde_json::from_str(line).expect("one JSON object a line")).collect()
}

#[test]
#[ignore = "needs the 87 MB that R3GAN_INCEPTION names"]
fn snapshots_are_measured_and_the_best_is_kept() {
    let scene = Scene::new();
    faces(&scene);
    extractor(&scene);
    let train = "train --data faces --out run --tick 1 --snap 1 --device cpu --cache cache TINY \
                 --metrics fid20_full,kid16_full --extractor inception.safetensors";
    let told = scene.r3gan(&format!("{train} --kimg 1")).done().stdout;
    assert!(told.contains("fid20_full ") && told.contains("kid16_full "), "{told}");
    let fid = |line: &Value| line["results"]["fid20_full"].as_f64().expect("a number");
    let measured = lines(&scene, "run/metric-fid20_full.jsonl");
    let models: Vec<_> = measured.iter().map(|line| line["snapshot_pkl"].as_str().expect("a name")).collect();
    assert_eq!(models, ["model-000000.safetensors", "model-000001.safetensors"]);
    let best = measured.iter().min_by(|a, b| fid(a).total_cmp(&fid(b))).expect("a line");
    let best = format!("run/{}", best["snapshot_pkl"].as_str().expect("a name"));
    assert_eq!(scene.read("run/best-fid20_full.safetensors"), scene.read(&best));
    assert_eq!(lines(&scene, "run/metric-kid16_full.jsonl").len(), 2);
    assert!(!scene.has("run/best-kid16_full.safetensors"), "the best is that of the first metric");

    // Real pictures are not looked at again, and the same network gives the same numbers, in its run's file too.
    assert_eq!(scene.names("cache", "").len(), 2);
    let again = "metrics --network run/model-000001.safetensors --data faces --metrics fid20_full --json --cache cache \
                 --extractor inception.safetensors --device cpu";
    let told: Value = serde_json::from_str(&scene.r3gan(again).done().stdout).expect("one JSON object");
    let measured = lines(&scene, "run/metric-fid20_full.jsonl");
    assert_eq!((measured.len(), told["fid20_full"].as_f64()), (3, Some(fid(&measured[1]))));
    assert_eq!(fid(&measured[2]), fid(&measured[1]));
    assert_eq!(scene.names("cache", "").len(), 2);

    // Taken back to its beginning, the run forgets what it measured later, and sets its best aside if it is later.
    let back = "--out run --resume run/checkpoint-000000.safetensors --kimg 1";
    let train = train.replace("--out run", back).replace("TINY", "");
    scene.r3gan(&train).done();
    let measured = lines(&scene, "run/metric-fid20_full.jsonl");
    let models: Vec<_> = measured.iter().map(|line| line["snapshot_pkl"].as_str().expect("a name")).collect();
    assert_eq!(models, ["model-000000.safetensors", "model-000001.safetensors"]);

    // A set is at no distance from itself.
    let same = "metrics --fakes faces --data faces --metrics fid16,pr16_3 --extractor inception.safetensors --json \
                --cache cache --device cpu";
    let ended = scene.r3gan(same).done();
    assert!(ended.stderr.contains("warning: pr16_3 is taken from Inception's features"), "{}", ended.stderr);
    let told: Value = serde_json::from_str(&ended.stdout).expect("one JSON object");
    assert!(told["fid16"].as_f64().is_some_and(|fid| fid < 1e-3), "{told}");
    assert_eq!((&told["pr16_3_precision"], &told["pr16_3_recall"]), (&1.0.into(), &1.0.into()));

    for (line, says) in [
        ("metrics --fakes faces --data faces --metrics is16", "--metrics: is16 needs the classes"),
        (
            "metrics --fakes faces --data faces --metrics fid17_full",
            "faces: holds 16 pictures, and fid17_full needs 17",
        ),
        (
            "metrics --fakes faces --data faces --metrics fid16 --extractor inception.safetensors",
            "are both FID's Inception; give one of them",
        ),
        ("metrics --fakes faces --data ring8 --metrics fid16_full", "ring8: holds points"),
        ("train --data ring8 --preset points --out points --metrics fid16", "ring8: holds points"),
    ] {
        let ended =
            scene.r3gan(&format!("{line} --extractor inception.safetensors --device cpu --cache cache"));
        assert!(!ended.status.success() && ended.stderr.contains(says), "{ended:?}");
    }
    assert!(!scene.has("points"), "a run that cannot be measured is not begun");
}
