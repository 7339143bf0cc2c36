# shellcheck shell=bash
# What ./dev test checks besides running the tests: style, contract, locks and, with sanitizers, memory and threads. Checks that
# cost time remember what they have passed on, and are not repeated while nothing that they look at has changed.

# The checks of ./dev test, cheap ones first; each is a function check_NAME.
CHECKS=(format shell proto locks tsan asan)

check_format() { lint_format; }
check_shell() { lint_shell; }

check_proto() {
  get_buf
  .cache/bin/buf lint proto
}

# clang's thread-safety analysis. Nothing is compiled, only read.
check_locks() { build locks ferrite_store ferrite_server; }

# Tests of one thread that take long are left out: here they could find nothing.
check_tsan() {
  build tsan store_test store_soak server_test
  run_tests tsan -j2 --progress -L 'store|server' \
    -E "^(plain\.|store_.*_tbb)|_fuzz_replay|StoreModelTest|EvictionTest|EvictionPolicyTest|GlobTest|RoomReservationTest\.[^C]"
}

check_asan() {
  build asan server_test wire_codec_test client_parts_test client_peer_test \
    {policy,jwks,jwt,resume_token,cluster_map}_fuzz_replay
  run_tests asan -j2 --progress -R '^proto\.'
  run_tests asan -j2 --progress -L server -E GlobTest.AgreesWithTheOracle
  export LSAN_OPTIONS=suppressions=$PWD/tests/lsan_suppressions.txt:print_suppressions=0 # as the preset's tests have it
  run_program build/asan/bin/client_parts_test --gtest_brief=1
  run_program build/asan/bin/client_peer_test --gtest_brief=1
}

# What a check looks at, as one hash: the content of every file that git tracks or would track under these paths.
inputs_of() {
  local paths=(base proto store server client tests CMakeLists.txt CMakePresets.json dev.d)
  case $1 in
    format | shell) paths=(.) ;; # they look for files of their kind everywhere
    proto) paths=(proto dev.d) ;;
    locks) paths=(base proto store server client CMakeLists.txt CMakePresets.json dev.d) ;;
  esac
  git ls-files --cached --others --exclude-standard -- "${paths[@]}" | sort -u |
    while IFS= read -r file; do [[ ! -f $file ]] || echo "$file"; done | xargs sha256sum | sha256sum
}

# run_checks NAME...: fails after the last of them if any has failed.
run_checks() {
  local check status hash failed=()
  mkdir -p .cache/passed
  for check in "$@"; do
    declare -F "check_$check" >/dev/null || die "there is no check \"$check\"; there are: ${CHECKS[*]}"
    hash=$(inputs_of "$check")
    if [[ $(cat ".cache/passed/$check" 2>/dev/null) == "$hash" ]]; then
      echo "== $check: nothing has changed since it passed"
      continue
    fi
    echo "== $check"
    set +e
    (
      set -e
      "check_$check"
    )
    status=$?
    set -e
    if ((status == 0)); then
      echo "$hash" >".cache/passed/$check"
    else
      failed+=("$check")
    fi
  done
  ((${#failed[@]} == 0)) || die "failed: ${failed[*]}"
}

dev_check() {
  install_packages dev.d/packages/build.txt dev.d/packages/lint.txt
  (($#)) || set -- "${CHECKS[@]}"
  run_checks "$@"
}
