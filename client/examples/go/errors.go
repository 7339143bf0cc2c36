package main

import (
	"errors"
	"fmt"

	"ferrite/client/examples/go/ferritev1"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/encoding/gzip"
	"google.golang.org/grpc/status"
)

// Why the server refused: one of ferritev1.ErrorReason, and facts such as the limit.
func errorInfo(err error) *errdetails.ErrorInfo {
	for _, detail := range status.Convert(err).Details() {
		if info, ok := detail.(*errdetails.ErrorInfo); ok && info.Domain == "ferrite" {
			return info
		}
	}
	return &errdetails.ErrorInfo{}
}

func refused(cache ferritev1.CacheServiceClient) error {
	ctx, cancel := withDeadline()
	defer cancel()
	_, err := cache.Get(ctx, &ferritev1.GetRequest{Key: make([]byte, 5000)})
	if err == nil {
		return errors.New("such a key should be refused")
	}
	info := errorInfo(err)
	fmt.Printf("refused: %s, limit %s\n", info.Reason, info.Metadata["limit"])
	return nil
}

// The server takes no compressed requests. Whoever wants to save bytes compresses values.
func compressed(cache ferritev1.CacheServiceClient) error {
	ctx, cancel := withDeadline()
	defer cancel()
	_, err := cache.Get(ctx, &ferritev1.GetRequest{Key: []byte("user:1")}, grpc.UseCompressor(gzip.Name))
	if status.Code(err) == codes.Unimplemented {
		fmt.Println("gzip: UNIMPLEMENTED")
	}
	return nil
}
