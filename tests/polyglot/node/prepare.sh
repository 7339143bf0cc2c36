#!/bin/sh
# Makes the directory in which the Node tests run: the packages of package-lock.json, the tests, and
# the stubs that protoc generates with protobuf-ts. It writes nothing into the source tree. A second
# run takes about a second.
#
#   prepare.sh DIRECTORY PROTOC PROTO_ROOT...
set -eu

fail() {
  echo "$0: $1" >&2
  exit 1
}

source=$(cd "$(dirname "$0")" && pwd)
directory=$1
protoc=$2
shift 2

command -v node >/dev/null || fail "node is missing: apt-get install nodejs"
command -v npm >/dev/null || fail "npm is missing: apt-get install npm"
node -e 'process.exit(process.versions.node.split(".")[0] >= 18 ? 0 : 1)' ||
  fail "Node 18 or later is needed, this is $(node --version)"

mkdir -p "$directory"
cd "$directory"
# The lock file of the last complete installation is kept beside it.
if ! cmp -s "$source/package-lock.json" node_modules/installed.json; then
  rm -rf node_modules
  cp "$source/package.json" "$source/package-lock.json" "$source/.npmrc" .
  npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
  cp package-lock.json node_modules/installed.json
fi

rm -rf gen ./*.js
cp "$source"/*.js .
mkdir gen
includes=
for root in "$@"; do
  includes="$includes -I$root"
done
# shellcheck disable=SC2086  # one word per include
"$protoc" $includes --plugin=protoc-gen-ts=node_modules/.bin/protoc-gen-ts --ts_out=gen \
  --ts_opt=output_javascript,output_legacy_commonjs,client_grpc1,long_type_bigint \
  ferrite/v1/cache.proto ferrite/v1/admin.proto google/rpc/status.proto \
  google/rpc/error_details.proto health.proto reflection.proto
