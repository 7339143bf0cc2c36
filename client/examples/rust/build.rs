//! Generates the module ferrite.v1 from the contract, with protoc. tonic-types has google.rpc.

use std::path::PathBuf;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo:rerun-if-env-changed=FERRITE_PROTO");
    let proto = std::env::var("FERRITE_PROTO").unwrap_or_else(|_| "../../../proto".into());
    let cache = PathBuf::from(&proto).join("ferrite/v1/cache.proto");
    tonic_prost_build::configure()
        .build_server(false)
        .compile_protos(&[cache], &[proto.into()])?;
    Ok(())
}
