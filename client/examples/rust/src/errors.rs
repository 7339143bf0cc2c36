//! Why the server refused a call, and what it refuses on principle.

use tonic::codec::CompressionEncoding;
use tonic::Code;
use tonic_types::StatusExt;

use crate::connection::{request, Cache};
use crate::proto::GetRequest;

/// The reason is one of ErrorReason; the metadata are facts, such as the limit.
pub async fn refused(cache: &mut Cache) {
    let get = GetRequest { key: vec![0; 5000], ..Default::default() };
    if let Err(status) = cache.get(request(get)).await {
        if let Some(info) = status.get_details_error_info().filter(|info| info.domain == "ferrite") {
            println!("refused: {}, limit {}", info.reason, info.metadata["limit"]);
        }
    }
}

/// The server takes no compressed requests. Whoever wants to save bytes compresses values.
pub async fn compressed(cache: &Cache) {
    let mut cache = cache.clone().send_compressed(CompressionEncoding::Gzip);
    let get = GetRequest { key: b"user:1".to_vec(), ..Default::default() };
    if let Err(status) = cache.get(request(get)).await {
        if status.code() == Code::Unimplemented {
            println!("gzip: UNIMPLEMENTED");
        }
    }
}
