//! Runs one operation on one map for a fixed time.

use std::hint::black_box;
use std::sync::Barrier;
use std::time::{Duration, Instant};

use crate::maps::Map;
use crate::workload::{below, Key, Picker, Random};

const KEYS_BETWEEN_LOOKS_AT_THE_CLOCK: u64 = 64;

#[derive(Clone, Copy, PartialEq)]
pub enum Operation {
    Get,
    Set,
    Mixed,
    Incr,
    MGet(usize),
    MSet(usize),
    MDelete(usize),
}

const NAMES: [(Operation, &str); 8] = [
    (Operation::Get, "get"),
    (Operation::Set, "set"),
    (Operation::Mixed, "mixed"),
    (Operation::Incr, "incr"),
    (Operation::MGet(16), "mget16"),
    (Operation::MGet(64), "mget64"),
    (Operation::MSet(16), "mset16"),
    (Operation::MDelete(16), "mdelete16"),
];

impl Operation {
    pub fn parse(name: &str) -> Option<Self> {
        NAMES
            .iter()
            .find(|(_, known)| *known == name)
            .map(|(operation, _)| *operation)
    }

    pub fn name(self) -> &'static str {
        NAMES
            .iter()
            .find(|(operation, _)| *operation == self)
            .map_or("", |(_, name)| name)
    }
}

/// What every thread is to do.
pub struct Window<'a, P> {
    pub operation: Operation,
    pub picker: &'a P,
    pub entries: u64,
    pub threads: usize,
    pub length: Duration,
    pub value: &'a [u8],
    /// Added to the thread's number, it seeds the thread's random numbers.
    pub seed: u64,
}

/// What all threads did together: single-key operations (a batch counts once per key), and how long
/// a thread took on average, as Google Benchmark reports it for threads.
pub struct Outcome {
    pub operations: u64,
    pub seconds: f64,
}

/// One thread's part: operations, those that found their key, seconds.
struct Share {
    operations: u64,
    found: u64,
    seconds: f64,
}

/// `step` makes `keys_per_step` operations and returns how many found their key.
fn repeat(length: Duration, keys_per_step: u64, mut step: impl FnMut() -> u64) -> Share {
    let (mut steps, mut found) = (0, 0);
    let start = Instant::now();
    loop {
        for _ in 0..KEYS_BETWEEN_LOOKS_AT_THE_CLOCK / keys_per_step {
            found += step();
            steps += 1;
        }
        let elapsed = start.elapsed();
        if elapsed >= length {
            return Share {
                operations: steps * keys_per_step,
                found,
                seconds: elapsed.as_secs_f64(),
            };
        }
    }
}

fn run_thread<M: Map, P: Picker>(map: &M, window: &Window<P>, thread: usize) -> Share {
    let (picker, length, value) = (window.picker, window.length, window.value);
    let mut random = Random::new(window.seed + thread as u64);
    let mut buffer = Vec::with_capacity(value.len());
    match window.operation {
        Operation::Get => repeat(length, 1, || {
            let key = Key::new(picker.pick(&mut random));
            let found = map.get(key.bytes(), &mut buffer);
            black_box(&buffer);
            u64::from(found)
        }),
        Operation::Set => repeat(length, 1, || {
            map.set(Key::new(picker.pick(&mut random)).bytes(), value);
            1
        }),
        Operation::Mixed => repeat(length, 1, || {
            let key = Key::new(picker.pick(&mut random));
            if random.next() % 5 == 0 {
                map.set(key.bytes(), value);
                return 1;
            }
            let found = map.get(key.bytes(), &mut buffer);
            black_box(&buffer);
            u64::from(found)
        }),
        Operation::Incr => repeat(length, 1, || {
            u64::from(
                map.incr(Key::new(picker.pick(&mut random)).bytes())
                    .is_some(),
            )
        }),
        Operation::MGet(batch) => {
            let mut keys = vec![Key::default(); batch];
            let mut buffers = vec![Vec::with_capacity(value.len()); batch];
            repeat(length, batch as u64, || {
                keys.fill_with(|| Key::new(picker.pick(&mut random)));
                let found = map.get_many(&keys, &mut buffers);
                black_box(&buffers);
                found
            })
        }
        Operation::MSet(batch) => {
            let mut keys = vec![Key::default(); batch];
            repeat(length, batch as u64, || {
                keys.fill_with(|| Key::new(picker.pick(&mut random)));
                map.set_many(&keys, value);
                batch as u64
            })
        }
        // As in bench/store/window.h: what is deleted is set again, and each key comes from a
        // stretch of entries of its own.
        Operation::MDelete(batch) => {
            let mut keys = vec![Key::default(); batch];
            let stretch = window.entries / (window.threads * batch) as u64;
            repeat(length, batch as u64, || {
                for (i, key) in keys.iter_mut().enumerate() {
                    let first = (thread * batch + i) as u64 * stretch;
                    *key = Key::new(first + below(stretch, &mut random));
                }
                let deleted = map.delete_many(&keys);
                map.set_many(&keys, value);
                deleted
            })
        }
    }
}

/// Fails when an operation missed its key, as then something else than the map would be measured.
pub fn run_window<M: Map, P: Picker>(map: &M, window: &Window<P>) -> Result<Outcome, String> {
    let start = Barrier::new(window.threads);
    let shares: Vec<Share> = std::thread::scope(|scope| {
        let run = |thread| {
            let start = &start;
            scope.spawn(move || {
                start.wait();
                run_thread(map, window, thread)
            })
        };
        let running: Vec<_> = (0..window.threads).map(run).collect();
        running
            .into_iter()
            .map(|thread| thread.join().expect("a thread panicked"))
            .collect()
    });
    let operations = shares.iter().map(|share| share.operations).sum();
    let found: u64 = shares.iter().map(|share| share.found).sum();
    if found != operations {
        return Err(format!(
            "{} of {operations} operations missed their key",
            operations - found
        ));
    }
    let seconds = shares.iter().map(|share| share.seconds).sum::<f64>() / window.threads as f64;
    Ok(Outcome {
        operations,
        seconds,
    })
}
