# shellcheck shell=bash
# Benchmarks. Each is a folder of bench/ with a program `run`, which builds what it needs and whose last lines are
# "ratio NAME VALUE".

dev_bench() {
  if (($# == 0)); then
    echo "Benchmarks:"
    for program in bench/*/run; do
      # Its description: the first paragraph of its docstring.
      printf '\n  ./dev bench %s\n' "$(basename "$(dirname "$program")")"
      sed -n '/^"""/,/^$/{s/^"""//;/^$/q;s/^/    /p}' "$program"
    done
    echo
    echo "\"./dev bench NAME --help\" lists the options of each."
    return
  fi
  local name=$1
  shift
  [[ -x bench/$name/run ]] || die "there is no benchmark \"$name\"; ./dev bench lists them"
  install_packages dev.d/packages/build.txt bench/packages.txt
  local program=$PWD/bench/$name/run
  cd "${caller_dir:?}" || return # paths among the arguments are relative to it
  exec "$program" "$@"
}
