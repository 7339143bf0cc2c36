# shellcheck shell=bash
# Benchmarks: each is a folder of bench/ with a program `run`, which builds what it needs and ends with lines
# "ratio NAME VALUE".

dev_bench() {
  if (($# == 0)); then
    echo "There is:"
    for program in bench/*/run; do
      # What each says of itself: the first paragraph of its docstring.
      printf '\n  ./dev bench %s\n' "$(basename "$(dirname "$program")")"
      sed -n '/^"""/,/^$/{s/^"""//;/^$/q;s/^/    /p}' "$program"
    done
    echo
    echo "Each takes options, which \"./dev bench NAME --help\" lists."
    return
  fi
  local name=$1
  shift
  [[ -x bench/$name/run ]] || die "there is no benchmark \"$name\"; ./dev bench lists them"
  install_packages dev.d/packages/build.txt bench/packages.txt
  local program=$PWD/bench/$name/run
  cd "$caller_dir" # files among the arguments are named from there
  exec "$program" "$@"
}
