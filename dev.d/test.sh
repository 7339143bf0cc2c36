# shellcheck shell=bash
# Builds everything and runs the tests; before them the checks, unless only some tests are asked for.
# A test that fails is run once more by itself: on a machine that others use, too, a process may stand still for longer
# than a test allows. One that passes then is named at the end as unsteady, which is a fault of its own.

dev_test() {
  local packages=(dev.d/packages/build.txt tests/*/packages.txt)
  (($#)) || packages+=(dev.d/packages/lint.txt)
  install_packages "${packages[@]}"
  (($#)) || run_checks "${CHECKS[@]}"
  get_helm
  get_strict_manifests
  build release
  rm -f "$FAILED_TESTS"
  ctest --preset release -j2 "$@" || run_failed_tests_again
}

FAILED_TESTS=build/release/Testing/Temporary/LastTestsFailed.log

run_failed_tests_again() {
  local names
  [[ -s $FAILED_TESTS ]] || return 1
  names=$(cut -d: -f2- "$FAILED_TESTS")
  echo "once more, one at a time: ${names//$'\n'/, }"
  ctest --preset release --rerun-failed || return
  echo "UNSTEADY, failed at first and passed by itself: ${names//$'\n'/, }"
}
