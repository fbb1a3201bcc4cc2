//! What is computed on the host: schedules, random numbers, the table of presets.

use r3gan::network::{Network, NetworkConfig, published};
use r3gan::preset;
use r3gan::random::RandomState;
use r3gan::schedule::{Schedule, Span};
use serde_json::Value;

use crate::fixtures::json;
use crate::platform::{self, NORMAL_UNITS, note, on_host};

fn floats(value: &Value) -> Vec<f64> {
    value.as_array().expect("a list").iter().map(|v| v.as_f64().expect("a number")).collect()
}

fn check_schedule(what: &str, kwargs: &Value, images: &[f64], values: &[f64]) {
    let get = |key: &str| kwargs.get(key).and_then(Value::as_f64).unwrap_or(0.0);
    let schedule = Schedule::new(get("base_value"), get("final_value"));
    let span = Span {
        total: get("total_nimg"),
        warmup: get("warmup_nimg"),
        warmup_value: get("warmup_value"),
        hold: get("hold_base_value_nimg"),
    };
    for (n, expected) in images.iter().zip(values) {
        let value = schedule.at(*n, &span);
        // 1e-12 of the schedule's size: f64, with the platform's cosine.
        let tolerance = 1e-12 * schedule.base.abs().max(schedule.end.abs()).max(1.0);
        assert!((value - expected).abs() <= tolerance, "{what} at {n}: {value} is not {expected}");
    }
}

fn schedules_equal_the_reference() {
    let file = json("schedules.json");
    for (name, preset) in file["presets"].as_object().expect("presets") {
        let images = floats(&preset["cur_nimg"]);
        let ours = preset::config(&name.to_lowercase(), 0).expect("every published preset is ours");
        for (key, entry) in preset["schedulers"].as_object().expect("schedulers") {
            let values = floats(&entry["values"]);
            check_schedule(&format!("{name} {key}"), &entry["kwargs"], &images, &values);
            let schedule = match key.as_str() {
                "lr" => ours.learning_rate,
                "beta2" => ours.beta2,
                "gamma" => ours.gamma,
                "ema" => ours.average_half_life,
                "aug" => ours.augmentation,
                other => panic!("{name}: unknown schedule {other}"),
            };
            for (n, expected) in images.iter().zip(&values) {
                let span = Span { total: ours.decay_images, ..Span::default() };
                let value = schedule.at(*n, &span);
                assert!((value - expected).abs() <= 1e-12 * expected.abs().max(1.0), "{name} {key} at {n}");
            }
        }
    }
    for entry in file["generic"].as_array().expect("generic schedules") {
        check_schedule("generic", &entry["kwargs"], &floats(&entry["cur_nimg"]), &floats(&entry["values"]));
    }
}

/// The list at `"section": {... "seed": [...]}`, each number read exactly (serde_json need not be).
fn exact(text: &str, section: &str, seed: &str) -> Vec<f64> {
    let (_, tail) = text.split_once(&format!("\"{section}\":")).expect("the section");
    let (_, tail) = tail.split_once(&format!("\"{seed}\": [")).expect("the seed");
    let (list, _) = tail.split_once(']').expect("the end of the list");
    list.split(',').map(|number| number.trim().parse().expect("a number")).collect()
}

/// Words and uniforms are exact everywhere, normals as far as the platform's logarithm is.
fn noise_equals_numpy() {
    let text = String::from_utf8(platform::read("seeds.json")).expect("text");
    let file = json("seeds.json");
    let seeds = |section: &str| {
        file[section].as_object().expect("an object by seed").keys().cloned().collect::<Vec<_>>()
    };
    let (mut numbers, mut moved, mut most, mut rounded) = (0, 0, 0, 0);
    for seed in seeds("seeds") {
        let mut random = RandomState::new(seed.parse().expect("a seed"));
        for (index, expected) in exact(&text, "seeds", &seed).into_iter().enumerate() {
            let ours = random.randn();
            // Neighbours have neighbouring bits.
            let units = ours.to_bits().abs_diff(expected.to_bits());
            assert!(
                (0..=NORMAL_UNITS).contains(&units),
                "seed {seed}, number {index}: {ours} is not {expected}"
            );
            (numbers, moved, most) = (numbers + 1, moved + usize::from(units > 0), most.max(units));
            rounded += usize::from(ours as f32 != expected as f32);
        }
    }
    note(&format!("{moved} of {numbers} normals differ, by at most {most} units, {rounded} of them as f32"));
    for seed in seeds("first_raw_uint32") {
        let mut random = RandomState::new(seed.parse().expect("a seed"));
        for expected in exact(&text, "first_raw_uint32", &seed) {
            assert_eq!(f64::from(random.next_u32()), expected, "seed {seed}");
        }
    }
    for seed in seeds("first_random_sample") {
        let mut random = RandomState::new(seed.parse().expect("a seed"));
        for expected in exact(&text, "first_random_sample", &seed) {
            assert_eq!(random.random().to_bits(), expected.to_bits(), "seed {seed}");
        }
    }
}

/// Published name, shape and standard deviation of every parameter.
fn check_parameters(preset: &str, network: &Network, config: &NetworkConfig, expected: &Value) {
    let names = published::names(config, network).expect("a published family");
    let shapes = expected["shapes"].as_object().expect("shapes by name");
    assert_eq!(names.len(), shapes.len(), "{preset}: number of tensors");
    assert_eq!(expected["parameters"].to_string(), network.parameter_count().to_string(), "{preset}");
    for (name, spec) in names.iter().zip(&network.parameters) {
        let shape: Vec<usize> = floats(&shapes[name]).into_iter().map(|v| v as usize).collect();
        assert_eq!(spec.shape, shape, "{preset} {name}");
        let measured = expected["init_std_measured"][name].as_f64().expect("a measured deviation");
        // The measured deviation of n normal draws scatters by 1 / sqrt(2 n).
        let scatter = 5.0 / (2.0 * spec.len() as f64).sqrt();
        let off = (measured - spec.deviation).abs();
        assert!(off <= scatter * spec.deviation, "{preset} {name}: {measured} is not {}", spec.deviation);
    }
}

fn parameters_equal_the_published_ones() {
    let file = json("preset_params.json");
    for (name, theirs) in file["presets"].as_object().expect("presets") {
        let classes = theirs["c_dim"].as_u64().expect("a number of classes") as usize;
        let config = preset::config(&name.to_lowercase(), classes).expect("ours").network;
        let side = theirs["img_resolution"].as_u64().expect("a resolution") as usize;
        assert_eq!(config.sample_shape(), [side, side, 3], "{name}");
        check_parameters(name, &config.generator().expect("a generator"), &config, &theirs["G"]);
        check_parameters(name, &config.critic().expect("a critic"), &config, &theirs["D"]);
    }
    let counts = file["unconditional_counts"].as_object().expect("counts");
    for (key, count) in counts {
        let (name, role) = key.split_once('.').expect("NAME.ROLE");
        let config = preset::config(&name.to_lowercase(), 0).expect("ours").network;
        let network = if role == "G" { config.generator() } else { config.critic() }.expect("a network");
        assert_eq!(Some(network.parameter_count() as u64), count.as_u64(), "{key}");
    }
}

on_host! {
    schedules_equal_the_reference,
    noise_equals_numpy,
    parameters_equal_the_published_ones,
}
