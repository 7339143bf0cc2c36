# shellcheck shell=bash
# The real Helm, built once from its Go module: Debian has no package of it. This version also builds with Debian's Go 1.19.

HELM_VERSION=v3.11.3

# Leaves the program at .cache/bin/helm.
build_helm() {
  local home=.cache/helm-$HELM_VERSION
  mkdir -p .cache/bin
  if [[ ! -x $home/helm ]]; then
    echo "Building Helm $HELM_VERSION from source, once; takes a few minutes"
    CGO_ENABLED=0 GOBIN=$PWD/$home go install "helm.sh/helm/v3/cmd/helm@$HELM_VERSION" 2>.cache/helm.log || {
      cat .cache/helm.log >&2
      die "could not build Helm"
    }
  fi
  ln -sfn "../../$home/helm" .cache/bin/helm
}
