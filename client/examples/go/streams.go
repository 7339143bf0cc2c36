package main

import (
	"context"
	"fmt"

	"ferrite/client/examples/go/ferritev1"
)

// One frame of operations and its reply. Each operation has its own outcome.
func pipeline(cache ferritev1.CacheServiceClient) error {
	ctx, cancel := withDeadline()
	defer cancel()
	stream, err := cache.Pipeline(ctx)
	if err != nil {
		return err
	}
	set := &ferritev1.SetRequest{Key: []byte("user:1"), Value: []byte("Grace")}
	frame := &ferritev1.PipelineRequest{Operations: []*ferritev1.Operation{
		{Operation: &ferritev1.Operation_Set{Set: set}},
		{Operation: &ferritev1.Operation_Get{Get: &ferritev1.GetRequest{Key: []byte("user:1")}}},
		{Operation: &ferritev1.Operation_Get{Get: &ferritev1.GetRequest{}}}, // without a key
	}}
	if err := stream.Send(frame); err != nil {
		return err
	}
	reply, err := stream.Recv()
	if err != nil {
		return err
	}
	for _, result := range reply.Results {
		switch outcome := result.Outcome.(type) {
		case *ferritev1.OperationResult_Set:
			fmt.Println("pipeline: stored")
		case *ferritev1.OperationResult_Get:
			fmt.Printf("pipeline: %s\n", outcome.Get.Value)
		case *ferritev1.OperationResult_Error:
			fmt.Printf("pipeline: %s\n", outcome.Error.Reason)
		}
	}
	return stream.CloseSend()
}

// Publishes `text` once the subscription is acknowledged, if any, and returns the token of the first message that comes.
func nextMessage(cache ferritev1.CacheServiceClient, token []byte, text string) ([]byte, error) {
	ctx, cancel := context.WithCancel(context.Background()) // no deadline: a subscription lasts until it is cancelled
	defer cancel()
	channel := []byte("news")
	stream, err := cache.Subscribe(ctx, &ferritev1.SubscribeRequest{Channels: [][]byte{channel}, ResumeToken: token})
	if err != nil {
		return nil, err
	}
	for {
		response, err := stream.Recv()
		if err != nil {
			return nil, err // UNAVAILABLE: subscribe again, with the token of the last event
		}
		for _, event := range response.Events {
			switch what := event.Event.(type) {
			case *ferritev1.SubscriptionEvent_Acknowledgement: // from here on nothing is missed
				if what.Acknowledgement.Resumed {
					fmt.Println("resumed")
				}
				if text != "" {
					if err := publish(cache, channel, text); err != nil {
						return nil, err
					}
				}
			case *ferritev1.SubscriptionEvent_Message:
				fmt.Printf("message: %s\n", what.Message.Payload)
				return event.ResumeToken, nil
			case *ferritev1.SubscriptionEvent_Discontinuity:
				fmt.Println("something may be missing: read it anew")
			}
		}
	}
}

func publish(cache ferritev1.CacheServiceClient, channel []byte, text string) error {
	ctx, cancel := withDeadline()
	defer cancel()
	_, err := cache.Publish(ctx, &ferritev1.PublishRequest{Channel: channel, Payload: []byte(text)})
	return err
}

// A subscription that breaks loses nothing: the next one goes on after the last event that arrived.
func subscribe(cache ferritev1.CacheServiceClient) error {
	token, err := nextMessage(cache, nil, "first")
	if err != nil {
		return err
	}
	if err := publish(cache, []byte("news"), "second"); err != nil {
		return err
	}
	_, err = nextMessage(cache, token, "")
	return err
}
