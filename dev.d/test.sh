# shellcheck shell=bash
# Builds everything and runs the tests; before them the checks, unless only some tests are asked for.

dev_test() {
  local packages=(dev.d/packages/build.txt tests/*/packages.txt)
  (($#)) || packages+=(dev.d/packages/lint.txt)
  install_packages "${packages[@]}"
  (($#)) || run_checks "${CHECKS[@]}"
  get_helm
  get_strict_manifests
  build release
  exec ctest --preset release -j2 "$@"
}
