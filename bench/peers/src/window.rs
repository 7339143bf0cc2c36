//! Runs one operation on one map for a fixed time.

use std::hint::black_box;
use std::sync::Barrier;
use std::time::{Duration, Instant};

use crate::maps::Map;
use crate::workload::{Key, Picker, Random};

pub const BATCH: usize = 16;
const KEYS_BETWEEN_LOOKS_AT_THE_CLOCK: u64 = 64;

#[derive(Clone, Copy, PartialEq)]
pub enum Operation {
    Get,
    Set,
    Mixed,
    MGet,
    Incr,
}

const NAMES: [(Operation, &str); 5] = [
    (Operation::Get, "get"),
    (Operation::Set, "set"),
    (Operation::Mixed, "mixed"),
    (Operation::MGet, "mget16"),
    (Operation::Incr, "incr"),
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

fn run_thread<M: Map, P: Picker>(
    map: &M,
    operation: Operation,
    picker: P,
    length: Duration,
    value: &[u8],
    mut random: Random,
) -> Share {
    let mut buffer = Vec::with_capacity(value.len());
    match operation {
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
        Operation::MGet => {
            let mut keys = [Key::default(); BATCH];
            let mut buffers = vec![Vec::with_capacity(value.len()); BATCH];
            repeat(length, BATCH as u64, || {
                keys.fill_with(|| Key::new(picker.pick(&mut random)));
                let found = map.get_many(&keys, &mut buffers);
                black_box(&buffers);
                found
            })
        }
        Operation::Incr => repeat(length, 1, || {
            u64::from(
                map.incr(Key::new(picker.pick(&mut random)).bytes())
                    .is_some(),
            )
        }),
    }
}

/// Fails when an operation missed its key, as then something else than the map would be measured.
pub fn run_window<M: Map, P: Picker>(
    map: &M,
    operation: Operation,
    picker: P,
    threads: usize,
    seconds: f64,
    value: &[u8],
    seed: impl Fn(usize) -> Random,
) -> Result<Outcome, String> {
    let length = Duration::from_secs_f64(seconds);
    let start = Barrier::new(threads);
    let shares: Vec<Share> = std::thread::scope(|scope| {
        let run = |thread| {
            let (start, random) = (&start, seed(thread));
            scope.spawn(move || {
                start.wait();
                run_thread(map, operation, picker, length, value, random)
            })
        };
        let running: Vec<_> = (0..threads).map(run).collect();
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
    let seconds = shares.iter().map(|share| share.seconds).sum::<f64>() / threads as f64;
    Ok(Outcome {
        operations,
        seconds,
    })
}
