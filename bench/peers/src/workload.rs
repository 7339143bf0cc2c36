//! Which keys are touched: the same bytes and the same distribution as bench/store/workload.h.

/// Spreads the bits of `x` (the finalizer of splitmix64). One to one, so distinct numbers stay
/// distinct.
fn mix(mut x: u64) -> u64 {
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d049bb133111eb);
    x ^ (x >> 31)
}

/// The key of entry `index`: 16 printable characters, as text protocols want them, which hold the
/// 64 bits of its mixed number, six and two at a time. It is computed and not looked up, and in few
/// steps, so that making a key costs no map a cache miss and takes little of what the processor can
/// look ahead.
#[derive(Clone, Copy, Default)]
pub struct Key([u8; 16]);

impl Key {
    pub fn new(index: u64) -> Self {
        const EACH_BYTE: u64 = 0x0101_0101_0101_0101;
        const ZEROS: u64 = b'0' as u64 * EACH_BYTE;
        let mixed = mix(index.wrapping_add(1));
        let words = [
            (mixed & (63 * EACH_BYTE)) + ZEROS,
            ((mixed >> 6) & (3 * EACH_BYTE)) + ZEROS,
        ];
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&words[0].to_le_bytes());
        bytes[8..].copy_from_slice(&words[1].to_le_bytes());
        Key(bytes)
    }

    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

/// A splitmix64 generator.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Random(mix(seed.wrapping_add(0x1234_5678)))
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e3779b97f4a7c15);
        mix(self.0)
    }
}

/// A number below `limit`, each as likely as every other.
pub fn below(limit: u64, random: &mut Random) -> u64 {
    ((u128::from(random.next()) * u128::from(limit)) >> 64) as u64
}

/// Picks which entry comes next.
pub trait Picker: Sync {
    fn pick(&self, random: &mut Random) -> u64;
}

/// Every entry is as likely as every other.
pub struct Uniform {
    entries: u64,
}

impl Uniform {
    pub fn new(entries: u64) -> Self {
        Uniform { entries }
    }
}

impl Picker for Uniform {
    fn pick(&self, random: &mut Random) -> u64 {
        below(self.entries, random)
    }
}

#[derive(Clone, Copy)]
struct Segment {
    first: u32,
    width: u32,
}

/// The first segment below the threshold, otherwise the second.
struct Choice {
    threshold: u64,
    segments: [Segment; 2],
}

/// Entry i in proportion to (i + 1)^-0.99. The class Zipf of workload.h says how and why so.
pub struct Zipf {
    choices: Vec<Choice>,
}

impl Zipf {
    pub fn new(entries: u64) -> Self {
        let (mut segments, mut weights) = (Vec::new(), Vec::new());
        let mut rank = 1;
        while rank <= entries {
            let octave = 1 << rank.ilog2();
            let width = std::cmp::max(octave / 32, 1).min(entries + 1 - rank);
            segments.push(Segment {
                first: (rank - 1) as u32,
                width: width as u32,
            });
            let mut weight = 0.0;
            for member in rank..rank + width {
                weight += (member as f64).powf(-0.99);
            }
            weights.push(weight);
            rank += width;
        }
        Zipf {
            choices: choices(&segments, weights),
        }
    }
}

/// Walker's alias method.
fn choices(segments: &[Segment], mut weights: Vec<f64>) -> Vec<Choice> {
    let mut total = 0.0;
    for weight in &weights {
        total += weight;
    }
    let scale = weights.len() as f64 / total;
    let (mut light, mut heavy) = (Vec::new(), Vec::new());
    let mut choices = Vec::new();
    for (i, segment) in segments.iter().enumerate() {
        choices.push(Choice {
            threshold: u64::MAX,
            segments: [*segment; 2],
        });
        weights[i] *= scale;
        if weights[i] < 1.0 {
            light.push(i);
        } else {
            heavy.push(i);
        }
    }
    while let (Some(&from), Some(&to)) = (heavy.last(), light.last()) {
        light.pop();
        choices[to].threshold = (weights[to] * 2f64.powi(64)) as u64;
        choices[to].segments[1] = segments[from];
        weights[from] -= 1.0 - weights[to];
        if weights[from] < 1.0 {
            heavy.pop();
            light.push(from);
        }
    }
    choices
}

impl Picker for Zipf {
    fn pick(&self, random: &mut Random) -> u64 {
        let product = u128::from(random.next()) * self.choices.len() as u128;
        let choice = &self.choices[(product >> 64) as usize];
        let second = product as u64 >= choice.threshold;
        let segment = choice.segments[usize::from(second)];
        u64::from(segment.first) + below(u64::from(segment.width), random)
    }
}

/// Tells whether two programs pick alike: a digest of the first picks of each distribution.
pub fn picks_digest(uniform: &Uniform, zipf: &Zipf) -> u64 {
    let mut random = Random::new(0);
    let mut digest = 0;
    for _ in 0..1000 {
        digest = mix(digest ^ uniform.pick(&mut random) ^ zipf.pick(&mut random));
    }
    digest
}
