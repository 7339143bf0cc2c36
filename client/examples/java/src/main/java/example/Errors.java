package example;

import com.google.protobuf.Any;
import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.rpc.ErrorInfo;
import ferrite.v1.GetRequest;
import io.grpc.ManagedChannel;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;

/** Why the server refused a call, and what it refuses on principle. */
final class Errors {
  /** The reason is one of ferrite.v1.ErrorReason; the metadata are facts, such as the limit. */
  static ErrorInfo errorInfo(StatusRuntimeException error) throws InvalidProtocolBufferException {
    com.google.rpc.Status status = StatusProto.fromThrowable(error);
    if (status != null) {
      for (Any detail : status.getDetailsList()) {
        if (detail.is(ErrorInfo.class)) {
          return detail.unpack(ErrorInfo.class);
        }
      }
    }
    return ErrorInfo.getDefaultInstance();
  }

  static void refused(ManagedChannel channel) throws InvalidProtocolBufferException {
    try {
      Example.cache(channel).get(GetRequest.newBuilder().setKey(ByteString.copyFrom(new byte[5000])).build());
    } catch (StatusRuntimeException error) {
      ErrorInfo info = errorInfo(error);
      System.out.println("refused: " + info.getReason() + ", limit " + info.getMetadataMap().get("limit"));
    }
  }

  /** The server takes no compressed requests. Whoever wants to save bytes compresses values. */
  static void compressed(ManagedChannel channel) {
    try {
      Example.cache(channel).withCompression("gzip").get(GetRequest.newBuilder().setKey(Example.ADA).build());
    } catch (StatusRuntimeException error) {
      System.out.println("gzip: " + error.getStatus().getCode());
    }
  }

  private Errors() {}
}
