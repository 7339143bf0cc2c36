# shellcheck shell=bash
# Builds everything and runs the tests.

dev_test() {
  install_packages dev.d/packages/build.txt tests/*/packages.txt
  get_helm
  get_strict_manifests
  build release
  exec ctest --preset release -j2 "$@"
}
