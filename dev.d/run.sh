# shellcheck shell=bash
# Starts the server, and says what to type next.

# Passes on the server's output. After the line "ferrite-server ready grpc=HOST:PORT http=HOST:PORT" it says what to type next.
announce() {
  trap '' INT # Ctrl-C is for the server; this process ends with it.
  local line grpc http server
  while IFS= read -r line; do
    echo "$line"
    [[ $line =~ ^ferrite-server\ ready\ grpc=([^ ]+)(\ http=([^ ]+))? ]] || continue
    grpc=${BASH_REMATCH[1]} http=${BASH_REMATCH[3]:-}
    server=
    [[ $grpc == 127.0.0.1:6380 ]] || server=" --server $grpc"
    echo
    echo "Ferrite is running; Ctrl-C stops it. In another terminal:"
    echo "  ./build/release/bin/ferrite$server set greeting hello --ttl 5m"
    echo "  ./build/release/bin/ferrite$server get greeting"
    echo "  ./build/release/bin/ferrite$server stats"
    [[ -z $http ]] || echo "  curl http://$http/metrics"
    echo "From any language with gRPC: $grpc, contract in proto/ferrite/v1/cache.proto; README.md shows how."
    echo
  done
}

dev_run() {
  [[ ${1:-} != -- ]] || shift
  install_packages dev.d/packages/build.txt
  build release ferrite-server ferrite
  exec build/release/bin/ferrite-server "$@" > >(announce)
}
