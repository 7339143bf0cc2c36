# shellcheck shell=bash
# Starts an etcd and nodes on loopback, to play with, and ends all of them on Ctrl-C.

# A port that was free a moment ago.
free_port() {
  python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# Ends the processes, in order: nodes first, which hand over or let go, then etcd.
end_cluster() {
  trap '' INT TERM
  echo
  echo "Ending the cluster"
  ((${#cluster_nodes[@]} == 0)) || kill "${cluster_nodes[@]}" 2>/dev/null || true
  ((${#cluster_nodes[@]} == 0)) || wait "${cluster_nodes[@]}" 2>/dev/null || true
  [[ -z $cluster_etcd ]] || kill "$cluster_etcd" 2>/dev/null || true
  [[ -z $cluster_etcd ]] || wait "$cluster_etcd" 2>/dev/null || true
  rm -rf "$cluster_dir"
}

# Waits until a log has a line that matches; fails if the process ends before.
await_log_line() {
  local process=$1 log=$2 pattern=$3
  until grep -qE "$pattern" "$log" 2>/dev/null; do
    kill -0 "$process" 2>/dev/null || { tail -5 "$log" >&2; die "a process of the cluster has ended"; }
    sleep 0.1
  done
}

# How many slots have an owner, as the node at this address sees it.
owned_slots() {
  build/release/bin/ferrite --server "$1" --json cluster status 2>/dev/null |
    sed -nE 's/.*"slots_owned":"([0-9]+)","nodes".*/\1/p'
}

dev_cluster() {
  local count=${1:-3} first_port=${2:-6380} i port etcd_port peer_port address first='' http waited=0
  [[ $count =~ ^[1-9][0-9]?$ ]] || die "./dev cluster takes a number of nodes from 1 to 99"
  [[ $first_port =~ ^(0|[1-9][0-9]{3,4})$ ]] || die "./dev cluster takes the port of the first node as its second argument; 0: any that are free"
  ((first_port + 2 * count <= 65536)) || die "$count nodes from port $first_port on need ports above 65535"
  install_packages dev.d/packages/build.txt dev.d/packages/cluster.txt
  build release ferrite-server ferrite

  # What ends the cluster runs in this shell, which Ctrl-C reaches as it does its children.
  cluster_dir=$(mktemp -d) cluster_etcd='' cluster_nodes=()
  trap end_cluster EXIT
  trap 'exit 130' INT TERM

  etcd_port=$(free_port) peer_port=$(free_port)
  # In a session of its own, so that Ctrl-C does not end it before the nodes.
  setsid etcd --name dev --data-dir "$cluster_dir/etcd" --logger zap --log-outputs stderr \
    --listen-client-urls "http://127.0.0.1:$etcd_port" --advertise-client-urls "http://127.0.0.1:$etcd_port" \
    --listen-peer-urls "http://127.0.0.1:$peer_port" --initial-advertise-peer-urls "http://127.0.0.1:$peer_port" \
    --initial-cluster "dev=http://127.0.0.1:$peer_port" >"$cluster_dir/etcd.log" 2>&1 &
  cluster_etcd=$!
  await_log_line "$cluster_etcd" "$cluster_dir/etcd.log" 'serving client traffic'
  echo "etcd serves on 127.0.0.1:$etcd_port"

  for ((i = 1; i <= count; i++)); do
    port=$((first_port == 0 ? 0 : first_port + 2 * (i - 1)))
    setsid build/release/bin/ferrite-server --listen="127.0.0.1:$port" --http-listen="127.0.0.1:$((port == 0 ? 0 : port + 1))" \
      --cluster-name=dev --etcd-endpoints="127.0.0.1:$etcd_port" --node-id="node-$i" \
      --max-memory=256MiB >"$cluster_dir/node-$i.log" 2>&1 &
    cluster_nodes+=($!)
    await_log_line "$!" "$cluster_dir/node-$i.log" '^ferrite-server ready'
    read -r address http < <(sed -nE 's/^ferrite-server ready grpc=([^ ]+) http=([^ ]+).*/\1 \2/p' "$cluster_dir/node-$i.log")
    echo "node-$i serves gRPC on $address, HTTP on $http"
    first=${first:-$address}
  done

  until [[ $(owned_slots "$first") == 16384 ]]; do
    ((waited++ < 300)) || { tail -3 "$cluster_dir"/node-*.log >&2; die "the slots have no owners after 30 s"; }
    sleep 0.1
  done
  announce_cluster "$first" "$count"
  # A node that was ended on purpose does not end the others.
  wait
}

announce_cluster() {
  local server=''
  [[ $1 == 127.0.0.1:6380 ]] || server=" --server $1"
  echo
  echo "All slots have an owner; Ctrl-C ends the cluster. In another terminal:"
  echo "  ./build/release/bin/ferrite$server cluster status"
  echo "  ./build/release/bin/ferrite$server set greeting hello"
  echo "  ./build/release/bin/ferrite$server get greeting"
  echo "  ./build/release/bin/ferrite$server cluster watch"
  [[ $2 == 1 ]] || echo "  ./build/release/bin/ferrite$server cluster drain node-$2"
  echo "Any node answers for all keys. The logs are in $cluster_dir."
  echo
}
