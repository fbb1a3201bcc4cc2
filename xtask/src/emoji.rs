//! Emoji as a labelled data set: the pictures of an npm package, sorted into a folder for each category, and the zips
//! that `r3gan dataset convert` makes of them.

use crate::run::{command, run, say};
use crate::{node, peers};
use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::fs;
use std::path::Path;

const VERSION: &str = "16.0.0";
const PICTURES: &str = "img/google/64";
/// Five swatches of skin, which are no emoji by themselves and too few for a class.
const LEFT_OUT: &str = "Component";
const SIDES: [&str; 2] = ["32", "64"];

/// Makes `emoji-32.zip`, `emoji-64.zip` and a note on where they come from.
pub fn make(folder: &Path) -> Result<()> {
    let r3gan = peers::build("cpu")?;
    let spec = format!("emoji-datasource-google@{VERSION}");
    run(command(node::npm()?, &["pack", "--silent", &spec]).current_dir(folder))?;
    let packed = format!("emoji-datasource-google-{VERSION}.tgz");
    run(command("tar", &["-xzf", &packed, "--no-same-owner"]).current_dir(folder))?;
    let (package, tree) = (folder.join("package"), folder.join("tree"));
    let sorted = sort(&package, &tree)?;
    say(format!("{sorted} emoji"));
    for side in SIDES {
        let zip = folder.join(format!("emoji-{side}.zip"));
        let how = ["--size", side, "--background", "white", "--colours", "colour", "--labels", "folders"];
        run(command(&r3gan, &["dataset", "convert"]).arg(&tree).arg("--out").arg(&zip).args(how))?;
    }
    fs::write(folder.join("LICENCE.txt"), note(sorted))?;
    fs::remove_file(folder.join(packed))?;
    fs::remove_dir_all(package)?;
    Ok(fs::remove_dir_all(tree)?)
}

/// Moves every picture to the folder of its category, numbered in the package's order; gives their number.
///
/// A skin tone is a picture of its own and belongs where the emoji does that it varies.
fn sort(package: &Path, tree: &Path) -> Result<usize> {
    let read = |name: &str| -> Result<Value> {
        let path = package.join(name);
        let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        serde_json::from_str(&text).with_context(|| path.display().to_string())
    };
    let (categories, emoji) = (read("categories.json")?, read("emoji.json")?);
    let categories: Vec<&str> = categories
        .as_object()
        .context("categories.json is an object")?
        .keys()
        .map(String::as_str)
        .filter(|name| *name != LEFT_OUT)
        .collect();
    let mut count = 0;
    for entry in emoji.as_array().context("emoji.json is a list")? {
        let category = entry["category"].as_str().context("an emoji has a category")?;
        if category == LEFT_OUT {
            continue;
        }
        let class = categories.iter().position(|name| *name == category);
        let class = class.with_context(|| format!("categories.json does not know {category}"))?;
        let into = tree.join(folder_name(class, category));
        fs::create_dir_all(&into)?;
        let tones = entry["skin_variations"].as_object().into_iter().flat_map(|tones| tones.values());
        for picture in std::iter::once(entry).chain(tones) {
            let name = picture["image"].as_str().context("an emoji names its picture")?;
            let from = package.join(PICTURES).join(name);
            fs::rename(&from, into.join(name)).with_context(|| from.display().to_string())?;
            count += 1;
        }
    }
    if count == 0 {
        bail!("the package holds no emoji");
    }
    Ok(count)
}

/// `0-smileys-emotion`
fn folder_name(class: usize, category: &str) -> String {
    format!("{class}-{}", category.to_lowercase().replace(" & ", "-"))
}

fn note(count: usize) -> String {
    format!(
        "{count} emoji of Google's Noto Emoji, Apache License 2.0\n\
         (https://github.com/googlefonts/noto-emoji, https://www.apache.org/licenses/LICENSE-2.0),\n\
         as the npm package emoji-datasource-google {VERSION} has them (https://github.com/iamcal/emoji-data).\n\n\
         Changed: put on white, scaled, labelled with their category; skin tones have the category of the emoji\n\
         that they vary. Left out: the five swatches of the category \"{LEFT_OUT}\".\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_lie_in_the_folder_of_their_category_with_their_skin_tones() {
        let folder = tempfile::tempdir().expect("a folder");
        let (package, tree) = (folder.path().join("package"), folder.path().join("tree"));
        fs::create_dir_all(package.join(PICTURES)).expect("a folder");
        for name in ["face", "hand", "hand-dark", "swatch"] {
            fs::write(package.join(PICTURES).join(format!("{name}.png")), name).expect("a picture");
        }
        let categories = r#"{"Smileys & Emotion": {}, "Component": {}, "People & Body": {}}"#;
        fs::write(package.join("categories.json"), categories).expect("a file");
        let emoji = r#"[
            {"image": "swatch.png", "category": "Component"},
            {"image": "hand.png", "category": "People & Body",
             "skin_variations": {"1F3FF": {"image": "hand-dark.png"}}},
            {"image": "face.png", "category": "Smileys & Emotion"}
        ]"#;
        fs::write(package.join("emoji.json"), emoji).expect("a file");
        assert_eq!(sort(&package, &tree).expect("sorted"), 3);
        for path in ["0-smileys-emotion/face.png", "1-people-body/hand.png", "1-people-body/hand-dark.png"] {
            assert!(tree.join(path).is_file(), "{path}");
        }
    }
}
