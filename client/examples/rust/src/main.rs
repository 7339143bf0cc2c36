//! Calls a Ferrite server: reads and writes, retries, a pipeline, a subscription, errors.
//!
//!     cargo run [HOST:PORT]

mod connection;
mod errors;
mod streams;

use std::time::{SystemTime, UNIX_EPOCH};

use connection::{request, retried, Cache, Error};
use proto::{set_request, GetRequest, GetResponse, IncrRequest, MDeleteRequest, MGetRequest, SetRequest};

pub mod proto {
    tonic::include_proto!("ferrite.v1");
}

fn text(bytes: &[u8]) -> std::borrow::Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}

fn or_absent(reply: &GetResponse) -> String {
    if reply.found { text(&reply.value).into() } else { "absent".into() }
}

async fn read_and_write(cache: &Cache) -> Result<(), Error> {
    let set = SetRequest {
        key: b"user:1".to_vec(),
        value: b"Ada".to_vec(),
        expiry: Some(set_request::Expiry::TtlMs(60_000)),
        ..Default::default()
    };
    let written = retried(|| async { cache.clone().set(request(set.clone())).await }).await?;
    let get = GetRequest { key: b"user:1".to_vec(), ..Default::default() };
    let hit = retried(|| async { cache.clone().get(request(get.clone())).await }).await?;
    if hit.found && hit.version == written.version {
        println!("hit: {}, at the version that was written", text(&hit.value));
    }
    let get = GetRequest { key: b"user:2".to_vec(), ..Default::default() };
    let miss = retried(|| async { cache.clone().get(request(get.clone())).await }).await?;
    if !miss.found {
        println!("miss: user:2"); // a miss is an answer, not an error
    }
    Ok(())
}

async fn count(cache: &Cache) -> Result<(), Error> {
    // The id makes a retry safe: the server counts once, and repeats its first answer.
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_nanos();
    let incr = IncrRequest {
        key: b"visits".to_vec(),
        initial: Some(1 << 53),
        request_id: format!("{}-{now}", std::process::id()).into_bytes(),
        ..Default::default()
    };
    let first = retried(|| async { cache.clone().incr(request(incr.clone())).await }).await?;
    let repeated = retried(|| async { cache.clone().incr(request(incr.clone())).await }).await?;
    println!("counter: {}, repeated: {}", first.value, repeated.value);

    let keys = MGetRequest { keys: vec![b"user:1".to_vec(), b"user:2".to_vec()] };
    let many = retried(|| async { cache.clone().m_get(request(keys.clone())).await }).await?;
    println!("mget: {}, {}", or_absent(&many.results[0]), or_absent(&many.results[1]));
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:6380".into());
    let mut cache = connection::connect(&address).await?;
    cache.m_delete(request(MDeleteRequest { keys: vec![b"visits".to_vec()] })).await?;
    read_and_write(&cache).await?;
    count(&cache).await?;
    streams::pipeline(&mut cache).await?;
    streams::subscribe(&mut cache).await?;
    errors::refused(&mut cache).await;
    errors::compressed(&cache).await;
    Ok(())
}
