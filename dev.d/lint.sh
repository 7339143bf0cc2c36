# shellcheck shell=bash
# Checks of style and contract. Each prints what it finds, and fails if it finds anything.

# The C++ files that are not generated, including those not yet committed.
cpp_files() { git ls-files --cached --others --exclude-standard '*.cc' '*.h'; }

lint_format() {
  local complaints
  complaints=$(cpp_files | xargs clang-format-14 --dry-run -Werror 2>&1) || {
    sed -nE 's/^([^:]+):[0-9]+:[0-9]+: error: .*/\1 is not formatted; .\/dev format fixes it/p' <<<"$complaints" | sort -u
    return 1
  }
}

lint_tidy() {
  # The generated headers must exist; nothing else needs to be compiled.
  build clang ferrite_proto
  run-clang-tidy-14 -quiet -p build/clang "^$PWD/(base|proto/slot|store|server|client|tests|bench)" \
    >.cache/tidy.log 2>/dev/null || {
    grep -vE '^(clang-tidy-14|[0-9]+ warnings? generated)' .cache/tidy.log
    return 1
  }
}

lint_proto() {
  local main
  get_buf
  .cache/bin/buf lint proto
  # A clone of another branch knows main only by its remote name.
  main=$(git rev-parse --verify --quiet main || git rev-parse --verify --quiet origin/main) || {
    echo "There is no branch main to compare the contract with"
    return 1
  }
  .cache/bin/buf breaking proto --against ".git#ref=$main,subdir=proto"
}

lint_shell() {
  git grep --untracked -lE '^#!.*\b(ba)?sh$|^# shellcheck shell=' -- ':!*.md' | xargs shellcheck
}

lint_helm() {
  get_helm
  .cache/bin/helm lint --strict helm/ferrite
}

# Each check runs in a subshell of its own, in which -e holds.
dev_lint() {
  install_packages dev.d/packages/build.txt dev.d/packages/lint.txt
  local checks=("$@") check status failed=()
  (($#)) || checks=(format tidy proto shell helm)
  for check in "${checks[@]}"; do
    declare -F "lint_$check" >/dev/null || die "there is no check \"$check\""
    echo "== $check"
    set +e
    (
      set -e
      "lint_$check"
    )
    status=$?
    set -e
    ((status == 0)) || failed+=("$check")
  done
  ((${#failed[@]} == 0)) || die "failed: ${failed[*]}"
  echo "Nothing to complain about"
}

dev_format() {
  install_packages dev.d/packages/lint.txt
  cpp_files | xargs clang-format-14 -i
}
