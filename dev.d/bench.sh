# shellcheck shell=bash
# Benchmarks: each is a folder of bench/ with a program `run`, which builds what it needs and ends with lines
# "ratio NAME VALUE".

dev_bench() {
  if (($# == 0)); then
    echo "There is:"
    for name in bench/*/run; do echo "  ./dev bench $(basename "$(dirname "$name")")"; done
    return
  fi
  local name=$1
  shift
  [[ -x bench/$name/run ]] || die "there is no benchmark \"$name\"; ./dev bench lists them"
  install_packages dev.d/packages/build.txt bench/packages.txt
  exec "bench/$name/run" "$@"
}
