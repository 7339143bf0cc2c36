// The module that go_package of ferrite/v1 names. It exists in this repository only: nothing is fetched for it, and the
// generated code is not kept here. README.md says how to generate it, here or in a module of your own.
module ferrite/proto

go 1.19

require (
	google.golang.org/grpc v1.63.3
	google.golang.org/protobuf v1.33.0
)

require (
	golang.org/x/net v0.26.0 // indirect
	golang.org/x/sys v0.21.0 // indirect
	golang.org/x/text v0.16.0 // indirect
	google.golang.org/genproto/googleapis/rpc v0.0.0-20240227224415-6ceb2ff114de // indirect
)
