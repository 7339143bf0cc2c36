# shellcheck shell=bash
# Configures and builds with the presets of CMakePresets.json.

# build PRESET [TARGET...]: builds the targets, or everything if none is named.
build() {
  local preset=$1
  shift
  quietly cmake --preset "$preset"
  cmake --build --preset "$preset" ${1:+--target "$@"}
}

dev_build() {
  local preset=${1:-release} packages=(dev.d/packages/build.txt)
  [[ $preset != clang && $preset != fuzz ]] || packages+=(dev.d/packages/lint.txt)
  install_packages "${packages[@]}"
  build "$preset"
  echo "Built: build/$preset/bin/"
}
