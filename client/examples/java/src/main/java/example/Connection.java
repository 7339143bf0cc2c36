package example;

import io.grpc.ManagedChannel;
import io.grpc.ManagedChannelBuilder;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** How to reach the cache: keepalive and retries. */
final class Connection {
  /**
   * What is tried again, when the server cannot be reached or says when to come again (grpc-retry-pushback-ms): only what may
   * be executed twice. Reads may, a Set without a condition, and whatever has a request_id: so give one to every Incr and to
   * every Set with a condition. Delete may not, as its second try answers that nothing was there, nor may Publish, whose
   * subscribers would get the message twice.
   */
  private static Map<String, ?> serviceConfig() {
    List<Map<String, String>> methods = Stream.of("Get", "MGet", "Exists", "Touch", "Set", "Incr")
        .map(method -> Map.of("service", "ferrite.v1.CacheService", "method", method))
        .collect(Collectors.toList());
    Map<String, ?> retryPolicy = Map.of(
        "maxAttempts", 4.0,
        "initialBackoff", "0.05s",
        "maxBackoff", "1s",
        "backoffMultiplier", 2.0,
        "retryableStatusCodes", List.of("UNAVAILABLE", "RESOURCE_EXHAUSTED"));
    return Map.of("methodConfig", List.of(Map.of("name", methods, "retryPolicy", retryPolicy)));
  }

  static ManagedChannel to(String address) {
    return ManagedChannelBuilder.forTarget(address)
        .usePlaintext()
        .defaultServiceConfig(serviceConfig())
        .enableRetry()
        // The server closes connections that ping more often than every 10 s.
        .keepAliveTime(30, TimeUnit.SECONDS)
        .keepAliveTimeout(10, TimeUnit.SECONDS)
        .keepAliveWithoutCalls(true)
        .build();
  }

  private Connection() {}
}
