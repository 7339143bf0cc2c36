#!/bin/sh
# Generates the package ferritev1 from the contract, within the module that go.mod names, whatever its name is.
#
#   generate.sh [FOLDER]    FOLDER: where Ferrite's proto/ is
set -eu
cd "$(dirname "$0")"
proto=${1:-../../../proto}
module=$(go list -m)
GOBIN=$PWD/bin go install google.golang.org/protobuf/cmd/protoc-gen-go google.golang.org/grpc/cmd/protoc-gen-go-grpc

# Where the code of each file goes. google.rpc and grpc.health need none: google.golang.org has it.
cache=Mferrite/v1/cache.proto=$module/ferritev1
admin=Mferrite/v1/admin.proto=$module/ferritev1
PATH=$PWD/bin:$PATH protoc -I "$proto" --go_out=. --go-grpc_out=. \
  --go_opt="module=$module,$cache,$admin" --go-grpc_opt="module=$module,$cache,$admin" \
  ferrite/v1/cache.proto ferrite/v1/admin.proto
