//! How to reach the cache: keepalive, deadlines, retries.

use std::future::Future;
use std::time::Duration;

use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Response, Status};

pub type Error = Box<dyn std::error::Error>;
pub type Cache = crate::proto::cache_service_client::CacheServiceClient<Channel>;

pub async fn connect(address: &str) -> Result<Cache, Error> {
    let channel = Endpoint::from_shared(format!("http://{address}"))?
        .connect_timeout(Duration::from_secs(5))
        // The server closes connections that ping more often than every 10 s.
        .http2_keep_alive_interval(Duration::from_secs(30))
        .keep_alive_timeout(Duration::from_secs(10))
        .keep_alive_while_idle(true)
        .connect()
        .await?;
    Ok(Cache::new(channel))
}

/// Every call has a deadline. The server does not execute what comes too late.
pub fn request<T>(message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.set_timeout(Duration::from_secs(20));
    request
}

const TRIES: u32 = 4;

/// Tries a call again when the server cannot be reached or says when to come again. Tonic reads no service config, so this is
/// what its retryPolicy does elsewhere.
///
/// Only for what may be executed twice: reads, a Set without a condition, and whatever has a request_id, so give one to every
/// Incr and to every Set with a condition. Not for Delete, whose second try answers that nothing was there, nor for Publish, whose
/// subscribers would get the message twice.
pub async fn retried<T, F>(call: impl Fn() -> F) -> Result<T, Status>
where
    F: Future<Output = Result<Response<T>, Status>>,
{
    let mut pause = Duration::from_millis(50);
    for _ in 1..TRIES {
        match call().await {
            Ok(response) => return Ok(response.into_inner()),
            Err(status) if matches!(status.code(), Code::Unavailable | Code::ResourceExhausted) => {
                tokio::time::sleep(pushback(&status).unwrap_or(pause)).await;
                pause *= 2;
            }
            Err(status) => return Err(status),
        }
    }
    call().await.map(Response::into_inner)
}

/// When the server wants to see the call again.
fn pushback(status: &Status) -> Option<Duration> {
    let milliseconds = status.metadata().get("grpc-retry-pushback-ms")?.to_str().ok()?.parse().ok()?;
    Some(Duration::from_millis(milliseconds))
}
