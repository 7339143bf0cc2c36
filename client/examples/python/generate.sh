#!/bin/sh
# Generates the package ferrite.v1 in stubs/ from the contract. google.rpc comes with googleapis-common-protos.
#
#   generate.sh [FOLDER]    FOLDER: where Ferrite's proto/ is
set -eu
cd "$(dirname "$0")"
proto=${1:-../../../proto}
mkdir -p stubs
"${PYTHON:-python3}" -m grpc_tools.protoc -I "$proto" --python_out=stubs --grpc_python_out=stubs --pyi_out=stubs \
  ferrite/v1/cache.proto ferrite/v1/admin.proto
