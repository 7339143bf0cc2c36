package example;

import com.google.protobuf.ByteString;
import ferrite.v1.CacheServiceGrpc;
import ferrite.v1.CacheServiceGrpc.CacheServiceBlockingStub;
import ferrite.v1.GetRequest;
import ferrite.v1.GetResponse;
import ferrite.v1.IncrRequest;
import ferrite.v1.IncrResponse;
import ferrite.v1.MDeleteRequest;
import ferrite.v1.MGetRequest;
import ferrite.v1.MGetResponse;
import ferrite.v1.SetRequest;
import ferrite.v1.SetResponse;
import io.grpc.ManagedChannel;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.TimeUnit;

/**
 * Calls a Ferrite server: reads and writes, retries, a pipeline, a subscription, errors.
 *
 * <pre>mvn compile && java -cp 'target/classes:target/dependency/*' example.Example [HOST:PORT]</pre>
 */
public final class Example {
  static final ByteString ADA = ByteString.copyFromUtf8("user:1");
  static final ByteString NOBODY = ByteString.copyFromUtf8("user:2");
  static final ByteString VISITS = ByteString.copyFromUtf8("visits");

  /** Every call has a deadline, counted from here. The server does not execute what comes too late. */
  static CacheServiceBlockingStub cache(ManagedChannel channel) {
    return CacheServiceGrpc.newBlockingStub(channel).withDeadlineAfter(20, TimeUnit.SECONDS);
  }

  private static void readAndWrite(ManagedChannel channel) {
    SetResponse written = cache(channel).set(SetRequest.newBuilder()
        .setKey(ADA).setValue(ByteString.copyFromUtf8("Ada")).setTtlMs(60_000).build());
    GetResponse hit = cache(channel).get(GetRequest.newBuilder().setKey(ADA).build());
    if (hit.getFound() && hit.getVersion() == written.getVersion()) {
      System.out.println("hit: " + hit.getValue().toStringUtf8() + ", at the version that was written");
    }
    GetResponse miss = cache(channel).get(GetRequest.newBuilder().setKey(NOBODY).build());
    if (!miss.getFound()) { // a miss is an answer, not an exception
      System.out.println("miss: user:2");
    }
  }

  private static void count(ManagedChannel channel) {
    // The id makes a retry safe: the server counts once, and repeats its first answer.
    IncrRequest request = IncrRequest.newBuilder().setKey(VISITS).setInitial(1L << 53)
        .setRequestId(ByteString.copyFromUtf8(UUID.randomUUID().toString())).build();
    IncrResponse first = cache(channel).incr(request);
    IncrResponse repeated = cache(channel).incr(request);
    System.out.println("counter: " + first.getValue() + ", repeated: " + repeated.getValue());

    MGetResponse many = cache(channel).mGet(MGetRequest.newBuilder().addAllKeys(List.of(ADA, NOBODY)).build());
    System.out.println("mget: " + orAbsent(many.getResults(0)) + ", " + orAbsent(many.getResults(1)));
  }

  private static String orAbsent(GetResponse reply) {
    return reply.getFound() ? reply.getValue().toStringUtf8() : "absent";
  }

  /** The argument is the address of a server. */
  public static void main(String[] arguments) throws Exception {
    ManagedChannel channel = Connection.to(arguments.length > 0 ? arguments[0] : "127.0.0.1:6380");
    try {
      cache(channel).mDelete(MDeleteRequest.newBuilder().addKeys(VISITS).build());
      readAndWrite(channel);
      count(channel);
      Streams.pipeline(channel);
      Streams.subscribe(channel);
      Errors.refused(channel);
      Errors.compressed(channel);
    } finally {
      channel.shutdown().awaitTermination(5, TimeUnit.SECONDS);
    }
  }

  private Example() {}
}
