package example;

import com.google.protobuf.ByteString;
import ferrite.v1.CacheServiceGrpc;
import ferrite.v1.GetRequest;
import ferrite.v1.Operation;
import ferrite.v1.OperationResult;
import ferrite.v1.PipelineRequest;
import ferrite.v1.PipelineResponse;
import ferrite.v1.PublishRequest;
import ferrite.v1.SetRequest;
import ferrite.v1.SubscribeRequest;
import ferrite.v1.SubscribeResponse;
import ferrite.v1.SubscriptionEvent;
import io.grpc.Context;
import io.grpc.ManagedChannel;
import io.grpc.stub.StreamObserver;
import java.util.Iterator;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/** A pipeline of operations, and a subscription that resumes. */
final class Streams {
  private static final ByteString NEWS = ByteString.copyFromUtf8("news");

  /** One frame of operations and its reply. Each operation has its own outcome. */
  static void pipeline(ManagedChannel channel) throws Exception {
    CompletableFuture<PipelineResponse> reply = new CompletableFuture<>();
    StreamObserver<PipelineRequest> frames = CacheServiceGrpc.newStub(channel).withDeadlineAfter(20, TimeUnit.SECONDS)
        .pipeline(new StreamObserver<>() {
          @Override
          public void onNext(PipelineResponse next) {
            reply.complete(next);
          }

          @Override
          public void onError(Throwable error) {
            reply.completeExceptionally(error);
          }

          @Override
          public void onCompleted() {
            reply.completeExceptionally(new IllegalStateException("the server ended the stream"));
          }
        });
    SetRequest set = SetRequest.newBuilder().setKey(Example.ADA).setValue(ByteString.copyFromUtf8("Grace")).build();
    frames.onNext(PipelineRequest.newBuilder()
        .addOperations(Operation.newBuilder().setSet(set))
        .addOperations(Operation.newBuilder().setGet(GetRequest.newBuilder().setKey(Example.ADA)))
        .addOperations(Operation.newBuilder().setGet(GetRequest.getDefaultInstance())) // without a key
        .build());
    for (OperationResult result : reply.get().getResultsList()) {
      switch (result.getOutcomeCase()) {
        case SET:
          System.out.println("pipeline: stored");
          break;
        case GET:
          System.out.println("pipeline: " + result.getGet().getValue().toStringUtf8());
          break;
        default:
          System.out.println("pipeline: " + result.getError().getReason());
      }
    }
    frames.onCompleted();
  }

  private static void publish(ManagedChannel channel, String text) {
    Example.cache(channel).publish(
        PublishRequest.newBuilder().setChannel(NEWS).setPayload(ByteString.copyFromUtf8(text)).build());
  }

  /** Publishes {@code text} once the subscription is acknowledged; the token of the first message that comes. */
  private static ByteString nextMessage(ManagedChannel channel, ByteString token, String text) throws Exception {
    // Without a deadline: a subscription lasts until it is cancelled.
    Context.CancellableContext subscription = Context.current().withCancellation();
    try {
      SubscribeRequest request = SubscribeRequest.newBuilder().addChannels(NEWS).setResumeToken(token).build();
      Iterator<SubscribeResponse> stream =
          subscription.call(() -> CacheServiceGrpc.newBlockingStub(channel).subscribe(request));
      while (stream.hasNext()) { // UNAVAILABLE: subscribe again, with the token of the last event
        for (SubscriptionEvent event : stream.next().getEventsList()) {
          if (event.hasAcknowledgement()) { // from here on nothing is missed
            if (event.getAcknowledgement().getResumed()) {
              System.out.println("resumed");
            }
            if (text != null) {
              publish(channel, text);
            }
          } else if (event.hasMessage()) {
            System.out.println("message: " + event.getMessage().getPayload().toStringUtf8());
            return event.getResumeToken();
          } else if (event.hasDiscontinuity()) {
            System.out.println("something may be missing: read it anew");
          }
        }
      }
    } finally {
      subscription.cancel(null);
    }
    throw new IllegalStateException("the server ended the subscription");
  }

  /** A subscription that breaks loses nothing: the next one goes on after the last event that arrived. */
  static void subscribe(ManagedChannel channel) throws Exception {
    ByteString token = nextMessage(channel, ByteString.EMPTY, "first");
    publish(channel, "second");
    nextMessage(channel, token, null);
  }

  private Streams() {}
}
