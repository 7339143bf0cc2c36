// Links stubs of the contract with the packages of google.rpc and grpc.health that Go programs have already. A second copy
// of either would end the program before main. The argument is the address of a server; prints what it answers.
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"time"

	ferritev1 "ferrite/proto/ferrite/v1"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
)

func main() {
	connection, err := grpc.Dial(os.Args[1], grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		log.Fatal(err)
	}
	defer connection.Close()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()

	info, err := ferritev1.NewAdminServiceClient(connection).Info(ctx, &ferritev1.InfoRequest{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("pid", info.Pid)

	health, err := healthv1.NewHealthClient(connection).Check(ctx, &healthv1.HealthCheckRequest{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("health", health.Status)

	_, err = ferritev1.NewCacheServiceClient(connection).Get(ctx, &ferritev1.GetRequest{})
	for _, detail := range status.Convert(err).Details() {
		if info, ok := detail.(*errdetails.ErrorInfo); ok {
			fmt.Println(status.Code(err), info.Domain, info.Reason)
		}
	}
}
