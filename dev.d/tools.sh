# shellcheck shell=bash
# Tools for which Debian 12 has no package, each in a fixed version. They are fetched once and kept in .cache/.

HELM_VERSION=v3.11.3 # also builds with Debian's Go 1.19
BUF_VERSION=1.50.0

# Builds Helm from its Go module, as .cache/bin/helm.
get_helm() {
  local home=helm-$HELM_VERSION
  if [[ ! -x .cache/$home/helm ]]; then
    echo "Building Helm $HELM_VERSION from source, once; this takes a few minutes"
    CGO_ENABLED=0 GOBIN=$PWD/.cache/$home quietly go install "helm.sh/helm/v3/cmd/helm@$HELM_VERSION"
  fi
  link_tool "$home/helm"
}

# Builds the check of rendered manifests against Kubernetes' own types, as .cache/bin/strict_manifests.
get_strict_manifests() {
  local out=$PWD/.cache/strict_manifests source=tests/helm/strict
  if [[ ! -x $out || -n $(find "$source" -newer "$out") ]]; then
    echo "Building the check of Kubernetes manifests, once"
    CGO_ENABLED=0 quietly env -C "$source" go build -buildvcs=false -o "$out" .
  fi
  link_tool strict_manifests
}

# Fetches buf, which checks the contract in proto/, as .cache/bin/buf.
get_buf() {
  local home=buf-$BUF_VERSION
  if [[ ! -x .cache/$home/node_modules/.bin/buf ]]; then
    echo "Fetching buf $BUF_VERSION, once"
    mkdir -p ".cache/$home"
    quietly npm install --prefix ".cache/$home" --no-save --no-audit --no-fund "@bufbuild/buf@$BUF_VERSION"
  fi
  link_tool "$home/node_modules/.bin/buf"
}

# link_tool PROGRAM: links it into .cache/bin. The path is relative to .cache/.
link_tool() {
  mkdir -p .cache/bin
  ln -sfn "../$1" .cache/bin/
}

# Runs a command, and shows its output only if it fails.
quietly() {
  mkdir -p .cache
  "$@" >.cache/command.log 2>&1 || {
    cat .cache/command.log >&2
    die "this failed: $*"
  }
}
