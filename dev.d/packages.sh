# shellcheck shell=bash
# Debian packages. A packages file has one package per line and comments after #. A second word on a line is a command that
# replaces the package: any `go` on the PATH satisfies "golang-go go".

# Prints the packages of the given files that are missing, one per line.
# A package counts as present when it is installed or an installed one provides it.
missing_packages() {
  declare -A present=()
  local status package provides provided command
  while IFS='|' read -r status package provides; do
    [[ $status == installed ]] || continue
    present[$package]=1
    for provided in ${provides//,/ }; do present[$provided]=1; done
  done < <(dpkg-query -W -f '${db:Status-Status}|${Package}|${Provides}\n')

  while read -r package command; do
    [[ -n ${present[$package]:-} ]] && continue
    [[ -n $command ]] && command -v "$command" >/dev/null && continue
    echo "$package"
  done < <(sed -e 's/#.*//' -e '/^[[:space:]]*$/d' "$@") | sort -u
}

# Installs those packages of the given files that are missing, and says which. If none is, it quickly does nothing.
install_packages() {
  command -v dpkg-query >/dev/null || die "this is not Debian: install what $* name by hand, then use cmake --preset"
  local missing install as_root=()
  missing=$(missing_packages "$@")
  [[ -n $missing ]] || return 0
  mapfile -t missing <<<"$missing"

  echo "Installing Debian packages: ${missing[*]}"
  install=(apt-get install -y --no-install-recommends "${missing[@]}")
  if ((EUID != 0)); then
    command -v sudo >/dev/null || die "not root, and there is no sudo. As root, run: ${install[*]}"
    as_root=(sudo)
  fi
  as_root+=(env DEBIAN_FRONTEND=noninteractive bash -c "$INSTALL_QUIETLY" --)
  # Fetches the package lists only if they are missing (as in a fresh container) or older than the archive.
  if "${install[@]}" --simulate >/dev/null 2>&1 && "${as_root[@]}" "${install[@]}"; then return; fi
  if "${as_root[@]}" apt-get update && "${as_root[@]}" "${install[@]}"; then return; fi
  die "could not install the packages. As root, run: apt-get update && ${install[*]}"
}

# Runs an apt command as root, without starting the services in the packages: the tests need Prometheus and Redis as
# programs, not as running servers. Debian asks policy-rc.d whether it may start a service.
# shellcheck disable=SC2016
INSTALL_QUIETLY='
policy=/usr/sbin/policy-rc.d
if [[ ! -e $policy ]]; then
  printf "#!/bin/sh\nexit 101\n" >"$policy"
  chmod 755 "$policy"
  trap "rm -f $policy" EXIT
fi
"$@"'
