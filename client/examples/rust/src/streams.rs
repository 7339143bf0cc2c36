//! A pipeline of operations, and a subscription that resumes.

use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;

use crate::connection::{request, Cache, Error};
use crate::proto::{
    operation, operation_result, subscription_event, ErrorReason, GetRequest, Operation, PipelineRequest, PublishRequest,
    SetRequest, SubscribeRequest,
};
use crate::text;

/// One frame of operations and its reply. Each operation has its own outcome.
pub async fn pipeline(cache: &mut Cache) -> Result<(), Error> {
    let (frames, receiver) = mpsc::channel(8);
    let mut replies = cache.pipeline(request(ReceiverStream::new(receiver))).await?.into_inner();

    let key = b"user:1".to_vec();
    let set = SetRequest { key: key.clone(), value: b"Grace".to_vec(), ..Default::default() };
    let get = GetRequest { key, ..Default::default() };
    let without_key = GetRequest::default();
    let operations = [operation::Operation::Set(set), operation::Operation::Get(get), operation::Operation::Get(without_key)];
    let operations = operations.into_iter().map(|operation| Operation { operation: Some(operation), ..Default::default() }).collect();
    frames.send(PipelineRequest { operations }).await?;

    let reply = replies.message().await?.ok_or_else(ended)?;
    for result in reply.results {
        match result.outcome {
            Some(operation_result::Outcome::Set(_)) => println!("pipeline: stored"),
            Some(operation_result::Outcome::Get(reply)) => println!("pipeline: {}", text(&reply.value)),
            Some(operation_result::Outcome::Error(error)) => {
                println!("pipeline: {}", ErrorReason::try_from(error.reason)?.as_str_name())
            }
            other => println!("pipeline: {other:?}"),
        }
    }
    Ok(())
}

fn ended() -> Status {
    Status::unavailable("the server ended the stream")
}

async fn publish(cache: &mut Cache, text: &str) -> Result<(), Status> {
    let message = PublishRequest { channel: b"news".to_vec(), payload: text.as_bytes().to_vec() };
    cache.publish(request(message)).await.map(|_| ())
}

/// Publishes `text` once the subscription is acknowledged, if any; the token of the first message that comes.
async fn next_message(cache: &mut Cache, resume_token: Vec<u8>, to_publish: Option<&str>) -> Result<Vec<u8>, Error> {
    // Without a deadline: a subscription lasts until it is dropped.
    let subscription = SubscribeRequest { channels: vec![b"news".to_vec()], resume_token, ..Default::default() };
    let mut stream = cache.subscribe(subscription).await?.into_inner();
    // An error: subscribe again, with the token of the last event.
    while let Some(response) = stream.message().await? {
        for event in response.events {
            match event.event {
                Some(subscription_event::Event::Acknowledgement(acknowledgement)) => {
                    // From here on nothing is missed.
                    if acknowledgement.resumed {
                        println!("resumed");
                    }
                    if let Some(text) = to_publish {
                        publish(cache, text).await?;
                    }
                }
                Some(subscription_event::Event::Message(message)) => {
                    println!("message: {}", text(&message.payload));
                    return Ok(event.resume_token);
                }
                Some(subscription_event::Event::Discontinuity(_)) => println!("something may be missing: read it anew"),
                _ => {}
            }
        }
    }
    Err(ended().into())
}

/// A subscription that breaks loses nothing: the next one goes on after the last event that arrived.
pub async fn subscribe(cache: &mut Cache) -> Result<(), Error> {
    let token = next_message(cache, Vec::new(), Some("first")).await?;
    publish(cache, "second").await?;
    next_message(cache, token, None).await?;
    Ok(())
}
