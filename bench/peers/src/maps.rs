//! The maps under test, behind the verbs that every map of bench/store has.
//!
//! Each does what a cache would have to do with it: keys and values are byte strings of any length,
//! a read copies the value out into a buffer that the caller reuses, a counter is a decimal text
//! that one atomic step reads and writes.

use crate::workload::Key;

pub trait Map: Sync {
    /// Copies the value into `value`; false when the key is not there.
    fn get(&self, key: &[u8], value: &mut Vec<u8>) -> bool;
    fn set(&self, key: &[u8], value: &[u8]);
    /// Adds 1 to a counter and returns what it holds then; none when there is no such counter.
    fn incr(&self, key: &[u8]) -> Option<i64>;

    /// False when the key was not there.
    fn delete(&self, key: &[u8]) -> bool;

    /// Reads keys[i] into values[i] and returns how many were there. Neither map has calls for many
    /// keys.
    fn get_many(&self, keys: &[Key], values: &mut [Vec<u8>]) -> u64 {
        keys.iter()
            .zip(values)
            .map(|(key, value)| u64::from(self.get(key.bytes(), value)))
            .sum()
    }

    fn set_many(&self, keys: &[Key], value: &[u8]) {
        keys.iter().for_each(|key| self.set(key.bytes(), value));
    }

    /// Returns how many were there.
    fn delete_many(&self, keys: &[Key]) -> u64 {
        keys.iter()
            .map(|key| u64::from(self.delete(key.bytes())))
            .sum()
    }
}

fn copy(from: &[u8], to: &mut Vec<u8>) {
    to.clear();
    to.extend_from_slice(from);
}

fn parse_counter(text: &[u8]) -> Option<i64> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// A number as decimal text, on the stack.
struct Decimal {
    bytes: [u8; 20],
    length: usize,
}

impl Decimal {
    fn new(number: i64) -> Self {
        use std::io::Write;
        let mut bytes = [0; 20];
        let mut rest = &mut bytes[..];
        write!(rest, "{number}").expect("20 bytes hold every i64");
        let length = 20 - rest.len();
        Decimal { bytes, length }
    }

    fn bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

/// DashMap with foldhash, which measured faster than aHash and than its default SipHash. A write to
/// a key that is there goes into the buffer that is there, which measured faster than `insert` of a
/// fresh key and value.
#[derive(Default)]
pub struct DashMapOfBytes(dashmap::DashMap<Box<[u8]>, Vec<u8>, foldhash::fast::RandomState>);

impl Map for DashMapOfBytes {
    fn get(&self, key: &[u8], value: &mut Vec<u8>) -> bool {
        self.0.get(key).map(|found| copy(&found, value)).is_some()
    }

    fn set(&self, key: &[u8], value: &[u8]) {
        match self.0.get_mut(key) {
            Some(mut found) => copy(value, &mut found),
            None => drop(self.0.insert(key.into(), value.to_vec())),
        }
    }

    fn incr(&self, key: &[u8]) -> Option<i64> {
        let mut found = self.0.get_mut(key)?;
        let counter = parse_counter(&found)? + 1;
        copy(Decimal::new(counter).bytes(), &mut found);
        Some(counter)
    }

    fn delete(&self, key: &[u8]) -> bool {
        self.0.remove(key).is_some()
    }
}

/// flurry with foldhash. Its values are immutable, so that every write makes a new one; readers
/// take no lock.
#[derive(Default)]
pub struct FlurryMapOfBytes(flurry::HashMap<Box<[u8]>, Box<[u8]>, foldhash::fast::RandomState>);

impl Map for FlurryMapOfBytes {
    fn get(&self, key: &[u8], value: &mut Vec<u8>) -> bool {
        self.0
            .pin()
            .get(key)
            .map(|found| copy(found, value))
            .is_some()
    }

    fn set(&self, key: &[u8], value: &[u8]) {
        self.0.pin().insert(key.into(), value.into());
    }

    fn incr(&self, key: &[u8]) -> Option<i64> {
        let mut counter = None;
        self.0.pin().compute_if_present(key, |_, found| {
            counter = parse_counter(found).map(|before| before + 1);
            counter.map(|after| Decimal::new(after).bytes().into())
        });
        counter
    }

    fn delete(&self, key: &[u8]) -> bool {
        self.0.pin().remove(key).is_some()
    }

    fn get_many(&self, keys: &[Key], values: &mut [Vec<u8>]) -> u64 {
        let map = self.0.pin();
        let read = |(key, value): (&Key, &mut Vec<u8>)| {
            map.get(key.bytes())
                .map(|found| copy(found, value))
                .is_some()
        };
        keys.iter().zip(values).map(read).map(u64::from).sum()
    }

    fn set_many(&self, keys: &[Key], value: &[u8]) {
        let map = self.0.pin();
        for key in keys {
            map.insert(key.bytes().into(), value.into());
        }
    }

    fn delete_many(&self, keys: &[Key]) -> u64 {
        let map = self.0.pin();
        let delete = |key: &Key| u64::from(map.remove(key.bytes()).is_some());
        keys.iter().map(delete).sum()
    }
}
