# shellcheck shell=bash
# Tools that Debian 12 has no package of, each in one fixed version. They are fetched once and kept in .cache/.

HELM_VERSION=v3.11.3 # the newest that Debian's Go 1.19 is known to build
BUF_VERSION=1.50.0

# Helm, built from its Go module; afterwards it is .cache/bin/helm.
get_helm() {
  local home=helm-$HELM_VERSION
  if [[ ! -x .cache/$home/helm ]]; then
    echo "Building Helm $HELM_VERSION from source, once; this takes a few minutes"
    CGO_ENABLED=0 GOBIN=$PWD/.cache/$home quietly go install "helm.sh/helm/v3/cmd/helm@$HELM_VERSION"
  fi
  link_tool "$home/helm"
}

# buf, which checks the contract in proto/; afterwards it is .cache/bin/buf.
get_buf() {
  local home=buf-$BUF_VERSION
  if [[ ! -x .cache/$home/node_modules/.bin/buf ]]; then
    echo "Fetching buf $BUF_VERSION, once"
    mkdir -p ".cache/$home"
    quietly npm install --prefix ".cache/$home" --no-save --no-audit --no-fund "@bufbuild/buf@$BUF_VERSION"
  fi
  link_tool "$home/node_modules/.bin/buf"
}

# link_tool PROGRAM, relative to .cache/.
link_tool() {
  mkdir -p .cache/bin
  ln -sfn "../$1" .cache/bin/
}

# Runs a command and shows what it printed only if it fails.
quietly() {
  mkdir -p .cache
  "$@" >.cache/command.log 2>&1 || {
    cat .cache/command.log >&2
    die "this failed: $*"
  }
}
