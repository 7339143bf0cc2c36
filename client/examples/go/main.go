// Calls a Ferrite server: reads and writes, retries, a pipeline, a subscription, errors.
//
//	./generate.sh && go run . [HOST:PORT]
package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"log"
	"os"
	"time"

	"ferrite/client/examples/go/ferritev1"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"
)

// What is tried again, when the server cannot be reached or says when to come again (grpc-retry-pushback-ms): only what may
// be executed twice. Reads may, a Set without a condition, and whatever has a request_id: so give one to every Incr and to
// every Set with a condition. Delete may not, as its second try answers that nothing was there, nor may Publish, whose
// subscribers would get the message twice.
const serviceConfig = `{
  "methodConfig": [{
    "name": [
      {"service": "ferrite.v1.CacheService", "method": "Get"},
      {"service": "ferrite.v1.CacheService", "method": "MGet"},
      {"service": "ferrite.v1.CacheService", "method": "Exists"},
      {"service": "ferrite.v1.CacheService", "method": "Touch"},
      {"service": "ferrite.v1.CacheService", "method": "Set"},
      {"service": "ferrite.v1.CacheService", "method": "Incr"}
    ],
    "retryPolicy": {
      "maxAttempts": 4,
      "initialBackoff": "0.05s",
      "maxBackoff": "1s",
      "backoffMultiplier": 2,
      "retryableStatusCodes": ["UNAVAILABLE", "RESOURCE_EXHAUSTED"]
    }
  }]
}`

// The server closes connections that ping more often than every 10 s.
var pings = keepalive.ClientParameters{Time: 30 * time.Second, Timeout: 10 * time.Second, PermitWithoutStream: true}

func connect(address string) (*grpc.ClientConn, error) {
	return grpc.NewClient(address,
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithKeepaliveParams(pings),
		grpc.WithDefaultServiceConfig(serviceConfig))
}

// Every call has a deadline. The server does not execute what comes too late.
func withDeadline() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), 20*time.Second)
}

func readAndWrite(cache ferritev1.CacheServiceClient) error {
	ctx, cancel := withDeadline()
	defer cancel()

	minute := &ferritev1.SetRequest_TtlMs{TtlMs: 60_000}
	written, err := cache.Set(ctx, &ferritev1.SetRequest{Key: []byte("user:1"), Value: []byte("Ada"), Expiry: minute})
	if err != nil {
		return err
	}
	hit, err := cache.Get(ctx, &ferritev1.GetRequest{Key: []byte("user:1")})
	if err != nil {
		return err
	}
	if hit.Found && hit.Version == written.Version {
		fmt.Printf("hit: %s, at the version that was written\n", hit.Value)
	}

	miss, err := cache.Get(ctx, &ferritev1.GetRequest{Key: []byte("user:2")})
	if err != nil {
		return err // a miss is no error: found is false
	}
	if !miss.Found {
		fmt.Println("miss: user:2")
	}
	return nil
}

func orAbsent(result *ferritev1.GetResponse) string {
	if !result.Found {
		return "absent"
	}
	return string(result.Value)
}

func count(cache ferritev1.CacheServiceClient) error {
	ctx, cancel := withDeadline()
	defer cancel()

	// The id makes a retry safe: the server counts once, and repeats its first answer.
	id := make([]byte, 16)
	if _, err := rand.Read(id); err != nil {
		return err
	}
	initial := int64(9_007_199_254_740_992) // 2^53: a double could not count on from here
	request := &ferritev1.IncrRequest{Key: []byte("visits"), Initial: &initial, RequestId: id}
	first, err := cache.Incr(ctx, request)
	if err != nil {
		return err
	}
	repeated, err := cache.Incr(ctx, request)
	if err != nil {
		return err
	}
	fmt.Printf("counter: %d, repeated: %d\n", first.Value, repeated.Value)

	many, err := cache.MGet(ctx, &ferritev1.MGetRequest{Keys: [][]byte{[]byte("user:1"), []byte("user:2")}})
	if err != nil {
		return err
	}
	fmt.Printf("mget: %s, %s\n", orAbsent(many.Results[0]), orAbsent(many.Results[1]))
	return nil
}

func run(address string) error {
	connection, err := connect(address)
	if err != nil {
		return err
	}
	defer connection.Close()
	cache := ferritev1.NewCacheServiceClient(connection)

	ctx, cancel := withDeadline()
	defer cancel()
	if _, err := cache.MDelete(ctx, &ferritev1.MDeleteRequest{Keys: [][]byte{[]byte("visits")}}); err != nil {
		return err
	}
	for _, step := range []func(ferritev1.CacheServiceClient) error{readAndWrite, count, pipeline, subscribe, refused, compressed} {
		if err := step(cache); err != nil {
			return err
		}
	}
	return nil
}

func main() {
	address := "127.0.0.1:6380"
	if len(os.Args) > 1 {
		address = os.Args[1]
	}
	if err := run(address); err != nil {
		log.Fatal(err)
	}
}
