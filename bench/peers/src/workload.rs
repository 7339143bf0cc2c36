//! Which keys are touched: the same bytes and the same distribution as bench/store/workload.h.

/// Spreads the bits of `x` (the finalizer of splitmix64). One to one, so distinct numbers stay
/// distinct.
fn mix(mut x: u64) -> u64 {
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d049bb133111eb);
    x ^ (x >> 31)
}

/// The eight hexadecimal digits of a number, first digit in the lowest byte; without memory access.
fn hex_digits(x: u32) -> u64 {
    let mut nibbles = u64::from(x.swap_bytes());
    nibbles = (nibbles | (nibbles << 16)) & 0x0000_ffff_0000_ffff;
    nibbles = (nibbles | (nibbles << 8)) & 0x00ff_00ff_00ff_00ff;
    nibbles = ((nibbles >> 4) | (nibbles << 8)) & 0x0f0f_0f0f_0f0f_0f0f;
    let letters = ((nibbles + 0x0606_0606_0606_0606) >> 4) & 0x0101_0101_0101_0101;
    nibbles + 0x3030_3030_3030_3030 + letters * u64::from(b'a' - b'0' - 10)
}

/// The key of entry `index`: 16 hexadecimal digits, computed and not looked up, so that making a
/// key costs every map the same few instructions and no cache miss.
#[derive(Clone, Copy, Default)]
pub struct Key([u8; 16]);

impl Key {
    pub fn new(index: u64) -> Self {
        let mixed = mix(index.wrapping_add(1));
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&hex_digits((mixed >> 32) as u32).to_le_bytes());
        bytes[8..].copy_from_slice(&hex_digits(mixed as u32).to_le_bytes());
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

/// Picks which entry comes next.
pub trait Picker: Copy + Send + Sync {
    fn pick(&self, random: &mut Random) -> u64;
}

/// Every entry is as likely as every other.
#[derive(Clone, Copy)]
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
        ((u128::from(random.next()) * u128::from(self.entries)) >> 64) as u64
    }
}
