//! Runs the workloads of bench/store on DashMap and flurry.
//!
//! It speaks the same language as `bench-store --map`: one process holds one filled map, prints a
//! line when it is ready, then reads commands `OPERATION DISTRIBUTION THREADS SECONDS` from
//! standard input and answers each with one line of JSON. So `bench/store/run` can take turns
//! between all maps, whatever they are written in.

mod maps;
mod window;
mod workload;

use std::io::{BufRead, Write};
use std::time::Duration;

use maps::{DashMapOfBytes, FlurryMapOfBytes, Map};
use window::{run_window, Operation, Outcome, Window};
use workload::{picks_digest, Key, Picker, Uniform, Zipf};

const USAGE: &str = "usage: ferrite-peers --map dashmap|flurry [--keys N] [--value-bytes N]";

struct Options {
    map: String,
    keys: u64,
    value_bytes: usize,
}

fn parse_options() -> Result<Options, String> {
    let mut options = Options {
        map: String::new(),
        keys: 1_000_000,
        value_bytes: 64,
    };
    let mut arguments = std::env::args().skip(1);
    while let Some(flag) = arguments.next() {
        let value = arguments.next().ok_or(format!("{flag} needs a value"))?;
        let wrong = |_| format!("{flag} {value} is not a number");
        match flag.as_str() {
            "--map" => options.map = value,
            "--keys" => options.keys = value.parse().map_err(wrong)?,
            "--value-bytes" => options.value_bytes = value.parse().map_err(wrong)?,
            _ => return Err(format!("unknown flag {flag}")),
        }
    }
    Ok(options)
}

struct Command {
    operation: Operation,
    zipf: bool,
    threads: usize,
    length: Duration,
}

/// One command from standard input: its four words.
fn parse_command(line: &str) -> Option<Command> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let [operation, distribution, threads, seconds] = words[..] else {
        return None;
    };
    let command = Command {
        operation: Operation::parse(operation)?,
        zipf: distribution == "zipf",
        threads: threads.parse().ok().filter(|threads| *threads > 0)?,
        length: Duration::try_from_secs_f64(seconds.parse().ok()?).ok()?,
    };
    // Deleting needs keys that are there, and so picks its own.
    let possible = match command.operation {
        Operation::MDelete(_) => distribution == "uniform",
        _ => command.zipf || distribution == "uniform",
    };
    possible.then_some(command)
}

struct Pickers {
    uniform: Uniform,
    zipf: Zipf,
}

fn fill<M: Map>(map: &M, keys: u64, value: &[u8]) {
    for index in 0..keys {
        map.set(Key::new(index).bytes(), value);
    }
}

fn serve<M: Map + Default>(options: &Options, description: &str) -> Result<(), String> {
    let values = M::default();
    let value = vec![b'v'; options.value_bytes];
    fill(&values, options.keys, &value);
    // Counters live in a map of their own, so that every operation meets a map of `keys` entries.
    let counters = std::cell::OnceCell::new();

    let pickers = Pickers {
        uniform: Uniform::new(options.keys),
        zipf: Zipf::new(options.keys),
    };

    let mut output = std::io::stdout().lock();
    let mut print = |line: String| {
        writeln!(output, "{line}")
            .and_then(|()| output.flush())
            .map_err(|e| e.to_string())
    };
    print(format!(
        r#"{{"ready":"{description}","picks":"{:016x}"}}"#,
        picks_digest(&pickers.uniform, &pickers.zipf)
    ))?;
    for (turn, line) in std::io::stdin().lock().lines().enumerate() {
        let line = line.map_err(|e| e.to_string())?;
        let command = parse_command(&line).ok_or(format!("cannot understand '{line}'"))?;
        let map = if command.operation == Operation::Incr {
            counters.get_or_init(|| {
                let map = M::default();
                fill(&map, options.keys, b"0");
                map
            })
        } else {
            &values
        };
        let seed = turn as u64 * 1024;
        let outcome = if command.zipf {
            run(map, &command, &pickers.zipf, options.keys, &value, seed)?
        } else {
            run(map, &command, &pickers.uniform, options.keys, &value, seed)?
        };
        print(format!(
            concat!(
                r#"{{"map":"{}","operation":"{}","distribution":"{}","threads":{},"#,
                r#""operations":{},"seconds":{:.6}}}"#
            ),
            options.map,
            command.operation.name(),
            if command.zipf { "zipf" } else { "uniform" },
            command.threads,
            outcome.operations,
            outcome.seconds
        ))?;
    }
    Ok(())
}

fn run<M: Map, P: Picker>(
    map: &M,
    command: &Command,
    picker: &P,
    entries: u64,
    value: &[u8],
    seed: u64,
) -> Result<Outcome, String> {
    let window = Window {
        operation: command.operation,
        picker,
        entries,
        threads: command.threads,
        length: command.length,
        value,
        seed,
    };
    run_window(map, &window)
}

fn main() {
    let outcome = parse_options().and_then(|options| match options.map.as_str() {
        "dashmap" => serve::<DashMapOfBytes>(&options, "DashMap 6.2.1, foldhash 0.2.0"),
        "flurry" => serve::<FlurryMapOfBytes>(&options, "flurry 0.5.2, foldhash 0.2.0"),
        _ => Err(USAGE.to_string()),
    });
    if let Err(message) = outcome {
        eprintln!("ferrite-peers: {message}");
        std::process::exit(2);
    }
}
