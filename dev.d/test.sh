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
  run_tests release -j2 "$@"
}

# run_tests PRESET [ARGUMENT...]: runs ctest. Tests that fail are run once more, one at a time: on a machine that others use, too,
# a process may stand still for longer than a test allows. Those that pass then are named as unsteady, which is a fault of its own.
run_tests() {
  local preset=$1 failed=build/$1/Testing/Temporary/LastTestsFailed.log names
  shift
  rm -f "$failed"
  if ctest --preset "$preset" "$@"; then return; fi
  [[ -s $failed ]] || return 1
  names=$(cut -d: -f2- "$failed")
  echo "once more, one at a time: ${names//$'\n'/, }"
  # By their names: --rerun-failed goes by numbers, which are others where only some labels are run.
  ctest --preset "$preset" -R "^($(sed -E 's/[].[+*?(){}|^$\\]/\\&/g' <<<"$names" | paste -sd '|'))\$" || return
  echo "UNSTEADY, failed at first and passed by itself: ${names//$'\n'/, }"
}

# run_program COMMAND...: the same for a program that runs all of its tests by itself.
run_program() {
  if "$@"; then return; fi
  echo "once more: $1"
  "$@" || return
  echo "UNSTEADY, failed at first and passed then: $1"
}
