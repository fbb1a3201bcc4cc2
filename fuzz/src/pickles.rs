//! Pickles written by hand: small whole snapshots, and broken ones. For tests and for the fuzzer's first inputs.

use std::collections::HashMap;

/// A value as Python would pickle it.
#[derive(Clone, Debug)]
pub enum Tree {
    None,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
    Bytes(Vec<u8>),
    Global(&'static str, &'static str),
    Tuple(Vec<Tree>),
    List(Vec<Tree>),
    Dict(Vec<(Tree, Tree)>),
    Reduce(Box<Tree>, Vec<Tree>),
    Object(Box<Tree>, Box<Tree>),
}

use Tree::{Bool, Bytes, Dict, Float, Global, Int, List, Object, Reduce, Text, Tuple};

pub fn text(text: &str) -> Tree {
    Text(text.into())
}

pub fn dict(entries: Vec<(&str, Tree)>) -> Tree {
    Dict(entries.into_iter().map(|(key, value)| (text(key), value)).collect())
}

fn ordered() -> Tree {
    Reduce(Box::new(Global("collections", "OrderedDict")), Vec::new())
}

/// A storage as torch saves it, with values of any class.
pub fn blob(class: &'static str, values: &[f32]) -> Vec<u8> {
    let pickle = |tree: &Tree| encode(tree, 2);
    let mut bytes = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.".to_vec();
    bytes.extend(pickle(&Int(1001)));
    bytes.extend(pickle(&dict(vec![("protocol_version", Int(1001)), ("little_endian", Bool(true))])));
    let count = Int(values.len() as i64);
    let named = [text("storage"), Global("torch", class), text("0"), text("cpu"), count, Tree::None];
    bytes.extend(pickle(&Tuple(named.into())));
    // The end of that pickle, with the instruction that looks the tuple up.
    bytes.splice(bytes.len() - 1.., *b"Q.");
    bytes.extend(pickle(&List(vec![text("0")])));
    bytes.extend((values.len() as u64).to_le_bytes());
    bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
    bytes
}

/// A tensor with all that describes it.
pub fn tensor_of(blob: Vec<u8>, offset: i64, size: &[i64], stride: &[i64]) -> Tree {
    let storage = Reduce(Box::new(Global("torch.storage", "_load_from_bytes")), vec![Bytes(blob)]);
    let ints = |list: &[i64]| Tuple(list.iter().copied().map(Int).collect());
    let rest = [storage, Int(offset), ints(size), ints(stride), Bool(false), ordered()];
    Reduce(Box::new(Global("torch._utils", "_rebuild_tensor_v2")), rest.into())
}

pub fn tensor(shape: &[usize], values: &[f32]) -> Tree {
    let size: Vec<i64> = shape.iter().map(|size| *size as i64).collect();
    let stride: Vec<i64> = (0..size.len()).map(|axis| size[axis + 1..].iter().product()).collect();
    tensor_of(blob("FloatStorage", values), 0, &size, &stride)
}

pub fn parameter(tensor: Tree) -> Tree {
    let function = Global("torch._utils", "_rebuild_parameter");
    Reduce(Box::new(function), vec![tensor, Bool(false), ordered()])
}

/// A module and what is in it.
pub fn object(class: Tree, parameters: Vec<(&str, Tree)>, buffers: Tree, modules: Vec<(Tree, Tree)>) -> Tree {
    let state = dict(vec![
        ("training", Bool(false)),
        ("_parameters", dict(parameters)),
        ("_buffers", buffers),
        ("_forward_hooks", ordered()),
        ("_modules", Dict(modules)),
    ]);
    Object(Box::new(class), Box::new(state))
}

impl Tree {
    /// What a dictionary or a module's state has under `key`.
    pub fn at(&mut self, key: &str) -> &mut Tree {
        match self {
            Object(_, state) => state.at(key),
            Dict(entries) => {
                let named = |(name, _): &&mut (Tree, Tree)| matches!(name, Text(name) if name == key);
                let found = entries.iter_mut().find(named);
                &mut found.unwrap_or_else(|| panic!("no entry {key}")).1
            }
            other => panic!("{other:?} has no entries"),
        }
    }

    /// A module by its path, such as `Model.MainLayers`.
    pub fn module(&mut self, path: &str) -> &mut Tree {
        path.split('.').fold(self, |module, name| module.at("_modules").at(name))
    }

    pub fn set(&mut self, key: &str, value: Tree) {
        match self {
            Object(_, state) => state.set(key, value),
            Dict(entries) => {
                entries.retain(|(name, _)| !matches!(name, Text(name) if name == key));
                entries.push((text(key), value));
            }
            other => panic!("{other:?} has no entries"),
        }
    }
}

/// Names and shapes of a network of 8x8 pictures, with 3 latents and two channels.
fn parameters(side: &str) -> Vec<(String, Vec<usize>)> {
    let block = |at: &str| {
        let part = |name: &str, shape: &[usize]| (format!("Model.MainLayers.{at}.{name}"), shape.to_vec());
        vec![
            part("LinearLayer1.Layer.weight", &[4, 2, 1, 1]),
            part("LinearLayer2.Layer.weight", &[4, 2, 3, 3]),
            part("LinearLayer3.Layer.weight", &[2, 4, 1, 1]),
            part("NonLinearity1.Bias", &[4]),
            part("NonLinearity2.Bias", &[4]),
        ]
    };
    let one = |name: &str, shape: &[usize]| vec![(format!("Model.{name}"), shape.to_vec())];
    let lists = match side {
        "Generator" => [
            one("MainLayers.0.Layers.0.Basis", &[2, 4, 4]),
            one("MainLayers.0.Layers.0.LinearLayer.weight", &[2, 3]),
            block("0.Layers.1"),
            block("1.Layers.1"),
            one("AggregationLayer.Layer.weight", &[3, 2, 1, 1]),
        ],
        _ => [
            one("ExtractionLayer.Layer.weight", &[2, 3, 1, 1]),
            block("0.Layers.0"),
            block("1.Layers.0"),
            one("MainLayers.1.Layers.1.Basis.weight", &[2, 1, 4, 4]),
            one("MainLayers.1.Layers.1.LinearLayer.weight", &[1, 2]),
        ],
    };
    lists.concat()
}

/// Values that are all different and small.
pub fn values(count: usize) -> Vec<f32> {
    (0..count).map(|index| (index as f32 - 3.5) / 16.0).collect()
}

const KERNEL: [f32; 4] = [1.0, 3.0, 3.0, 1.0];

pub fn kernel() -> Tree {
    let outer: Vec<f32> = KERNEL.iter().flat_map(|a| KERNEL.map(|b| a * b / 64.0)).collect();
    tensor(&[4, 4], &outer)
}

fn part() -> Tree {
    Global("R3GAN.Networks", "Convolution")
}

/// Puts a tensor where its name says, making the modules on the way.
fn insert(module: &mut Tree, path: &str, kind: &str, tensor: Tree) {
    match path.split_once('.') {
        None => module.at(kind).set(path, tensor),
        Some((first, rest)) => {
            let modules = module.at("_modules");
            let Dict(entries) = &mut *modules else { panic!("modules are a dictionary") };
            if !entries.iter().any(|(name, _)| matches!(name, Text(name) if name == first)) {
                entries.push((text(first), object(part(), vec![], dict(vec![]), vec![])));
            }
            insert(modules.at(first), rest, kind, tensor);
        }
    }
}

/// A network of one side, `Generator` or `Discriminator`.
pub fn network(side: &'static str) -> Tree {
    let mut whole = object(Global("training.networks", side), vec![], dict(vec![]), vec![]);
    for (name, shape) in parameters(side) {
        let count = shape.iter().product();
        insert(&mut whole, &name, "_parameters", parameter(tensor(&shape, &values(count))));
    }
    let resampler = if side == "Generator" { "1.Layers.0" } else { "0.Layers.1" };
    insert(&mut whole, &format!("Model.MainLayers.{resampler}.Resampler.Kernel"), "_buffers", kernel());
    for (stage, precision) in [("0", "float32"), ("1", "bfloat16")] {
        whole.module(&format!("Model.MainLayers.{stage}")).set("DataType", Global("torch", precision));
    }
    if side == "Generator" {
        for (name, value) in [("z_dim", 3), ("c_dim", 0), ("img_resolution", 8)] {
            whole.set(name, Int(value));
        }
    }
    whole
}

fn optimizer(list: &[(String, Vec<usize>)]) -> Tree {
    let state = |(number, (_, shape)): (usize, &(String, Vec<usize>))| {
        let moments = || tensor(shape, &vec![0.25; shape.iter().product()]);
        let entries = vec![("step", tensor(&[], &[3.0])), ("exp_avg", moments()), ("exp_avg_sq", moments())];
        (Int(number as i64), dict(entries))
    };
    let group = dict(vec![
        ("betas", Tuple(vec![Int(0), Float(0.9)])),
        ("eps", Float(1e-8)),
        ("weight_decay", Int(0)),
        ("params", List((0..list.len() as i64).map(Int).collect())),
    ]);
    let states = Dict(list.iter().enumerate().map(state).collect());
    dict(vec![("state", states), ("param_groups", List(vec![group]))])
}

/// A whole snapshot, of 12 images and 3 steps.
pub fn snapshot() -> Tree {
    dict(vec![
        ("G", network("Generator")),
        ("D", network("Discriminator")),
        ("G_ema", network("Generator")),
        ("training_set_kwargs", dict(vec![("path", text("./tiny.zip")), ("use_labels", Bool(false))])),
        ("cur_nimg", Int(12)),
        ("D_opt_state", optimizer(&parameters("Discriminator"))),
        ("G_opt_state", optimizer(&parameters("Generator"))),
        ("augment_pipe", Tree::None),
    ])
}

/// A snapshot of the averaged generator alone.
pub fn small() -> Tree {
    dict(vec![("G_ema", network("Generator")), ("cur_nimg", Int(12))])
}

/// What the fuzzer starts from: each kind of thing once, as short as can be.
pub fn seeds() -> Vec<(&'static str, Vec<u8>)> {
    let bias = || vec![("Bias", parameter(tensor(&[2], &[0.5, -0.5])))];
    let buffers = dict(vec![("Kernel", tensor_of(blob("FloatStorage", &[1.0; 5]), 1, &[2, 2], &[2, 1]))]);
    let mut stage = object(part(), bias(), buffers, vec![]);
    stage.set("DataType", Global("torch", "bfloat16"));
    let modules = vec![(text("Model"), stage)];
    let mut network = object(Global("training.networks", "Generator"), vec![], dict(vec![]), modules);
    network.set("z_dim", Int(3));
    let network = dict(vec![("G_ema", network), ("cur_nimg", Int(70_000))]);
    let adam = dict(vec![("G_opt_state", optimizer(&[("Bias".into(), vec![2])]))]);
    let mut rare =
        b"\x80\x05\x95\x40\0\0\0\0\0\0\0}(\x8d\x01\0\0\0\0\0\0\0a\x8e\x02\0\0\0\0\0\0\0xyr\0\x01\0\0"
            .to_vec();
    rare.extend(
        b"X\x08\0\0\0cur_nimg\x8a\x02\x10\x27C\x01bJ\xff\xff\xff\xff(K\x01K\x021\x8f(K\x01\x90N0]Nau.",
    );
    vec![
        ("network-2", encode(&network, 2)),
        ("network-4", encode(&network, 4)),
        ("optimizer-4", encode(&adam, 4)),
        ("rare-5", rare),
    ]
}

/// A batch of CIFAR-10's python version, byte for byte as Python 2's cPickle writes the originals.
pub fn cifar_batch(labels: &[u8], planes: &[u8]) -> Vec<u8> {
    let string = |text: &[u8]| match u8::try_from(text.len()) {
        Ok(length) => [b"U", &[length][..], text].concat(),
        Err(_) => [b"T", &(text.len() as u32).to_le_bytes()[..], text].concat(),
    };
    let mut bytes =
        b"\x80\x02}q\x01(U\x0bbatch_labelq\x02U\x15training batch 1 of 5q\x03U\x06labelsq\x04]q\x05("
            .to_vec();
    bytes.extend(labels.iter().flat_map(|label| [b'K', *label]));
    bytes.extend(b"eU\x04dataq\x06cnumpy.core.multiarray\n_reconstruct\nq\x07cnumpy\nndarray\nq\x08");
    bytes.extend(b"K\0\x85U\x01b\x87Rq\x09(K\x01M");
    bytes.extend((labels.len() as u16).to_le_bytes());
    bytes.extend(b"M\x00\x0c\x86cnumpy\ndtype\nq\x0aU\x02u1K\0K\x01\x87Rq\x0b");
    bytes.extend(b"(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\0tb\x89");
    bytes.extend(string(planes));
    bytes.extend(b"tbU\x09filenamesq\x0c]q\x0d(");
    for picture in 0..labels.len() {
        bytes.extend(string(format!("frog_s_{picture:06}.png").as_bytes()));
        bytes.extend([b'q', 14]);
    }
    bytes.extend(b"eu.");
    bytes
}

/// The bytes of a pickle in one of the protocols.
pub fn encode(tree: &Tree, protocol: u8) -> Vec<u8> {
    let mut writer = Writer { bytes: vec![0x80, protocol], protocol, memo: HashMap::new() };
    writer.write(tree);
    writer.bytes.push(b'.');
    writer.bytes
}

struct Writer {
    bytes: Vec<u8>,
    protocol: u8,
    /// Names that were written before.
    memo: HashMap<String, u8>,
}

impl Writer {
    fn write(&mut self, tree: &Tree) {
        match tree {
            Tree::None => self.bytes.push(b'N'),
            Bool(value) => self.bytes.push(if *value { 0x88 } else { 0x89 }),
            Int(value) => self.int(*value),
            Float(value) => self.put(b'G', value.to_be_bytes()),
            Text(text) => self.shared(text.clone(), |writer| writer.text(text)),
            Bytes(bytes) => {
                self.put(b'B', (bytes.len() as u32).to_le_bytes());
                self.bytes.extend(bytes);
            }
            Global(module, name) => self.shared(format!("{module}\n{name}"), |writer| {
                if writer.protocol < 4 {
                    writer.put(b'c', format!("{module}\n{name}\n"));
                } else {
                    writer.write(&text(module));
                    writer.write(&text(name));
                    writer.bytes.push(0x93);
                }
            }),
            Tuple(items) => {
                self.bytes.push(b'(');
                items.iter().for_each(|item| self.write(item));
                self.bytes.push(b't');
            }
            List(items) => {
                self.bytes.extend(b"](");
                items.iter().for_each(|item| self.write(item));
                self.bytes.push(b'e');
            }
            Dict(entries) => {
                self.bytes.extend(b"}(");
                for (key, value) in entries {
                    self.write(key);
                    self.write(value);
                }
                self.bytes.push(b'u');
            }
            Reduce(function, arguments) => {
                self.write(function);
                self.write(&Tuple(arguments.clone()));
                self.bytes.push(b'R');
            }
            Object(class, state) => {
                self.write(class);
                self.bytes.extend(b")\x81");
                self.write(state);
                self.bytes.push(b'b');
            }
        }
    }

    fn put(&mut self, instruction: u8, operand: impl AsRef<[u8]>) {
        self.bytes.push(instruction);
        self.bytes.extend(operand.as_ref());
    }

    fn int(&mut self, value: i64) {
        match value {
            0..=0xff => self.put(b'K', [value as u8]),
            0x100..=0xffff => self.put(b'M', (value as u16).to_le_bytes()),
            _ => match i32::try_from(value) {
                Ok(value) => self.put(b'J', value.to_le_bytes()),
                Err(_) => {
                    self.put(0x8a, [8]);
                    self.bytes.extend(value.to_le_bytes());
                }
            },
        }
    }

    fn text(&mut self, text: &str) {
        match u8::try_from(text.len()) {
            Ok(length) if self.protocol >= 4 => self.put(0x8c, [length]),
            _ => self.put(b'X', (text.len() as u32).to_le_bytes()),
        }
        self.bytes.extend(text.as_bytes());
    }

    /// The first time as it is, and from then on by its number, as far as numbers of one byte go.
    fn shared(&mut self, name: String, write: impl FnOnce(&mut Self)) {
        if let Some(number) = self.memo.get(&name) {
            return self.put(b'h', [*number]);
        }
        write(self);
        let Ok(number) = u8::try_from(self.memo.len()) else { return };
        self.memo.insert(name, number);
        match self.protocol {
            4.. => self.bytes.push(0x94),
            _ => self.put(b'q', [number]),
        }
    }
}
