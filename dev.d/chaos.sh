# shellcheck shell=bash
# A cluster in network namespaces to which things happen: the long form of what ./dev test does for a minute.

dev_chaos() {
  install_packages dev.d/packages/build.txt dev.d/packages/cluster.txt tests/chaos/packages.txt
  build release ferrite-server ferrite chaos-load stepped_clock
  exec tests/chaos/run "$@"
}
