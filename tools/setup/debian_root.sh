# shellcheck shell=bash
# Sourced by other scripts: makes root directories of Debian packages, for any architecture, without installing anything
# and without root.

# make_debian_root ARCH FOLDER PACKAGE...
# Fills FOLDER, which is made anew, with the files of the packages (names, or paths of .deb files) and of all that they
# depend on. Takes the package sources of this system, but lists, cache and resolver state of its own, in FOLDER.apt.
# Fails where a package or one that it depends on cannot be had. Packages are unpacked, not configured.
make_debian_root() {
  local arch="$1" folder="$2" apt_dir="$2.apt" package
  shift 2
  rm -rf -- "${folder}" "${apt_dir}"
  mkdir -p "${folder}" "${apt_dir}"/{state/lists/partial,cache/archives/partial}
  : >"${apt_dir}/state/status" # no package is installed, so the resolver brings all that the wanted ones depend on
  cat >"${apt_dir}/apt.conf" <<TEXT
#clear APT::Architectures;
APT::Architecture "${arch}";
APT::Architectures { "${arch}"; };
APT::Install-Recommends "false";
APT::Sandbox::User "";
Acquire::Languages "none";
Dir::State "${apt_dir}/state";
Dir::State::status "${apt_dir}/state/status";
Dir::Cache "${apt_dir}/cache";
TEXT
  # A list that fails (a mirror that is being renewed) matters only if a package is then not found.
  APT_CONFIG="${apt_dir}/apt.conf" apt-get --quiet update ||
    echo "make_debian_root: not all lists of ${arch} could be read; trying with the others"
  APT_CONFIG="${apt_dir}/apt.conf" apt-get --quiet --yes --download-only install "$@" || return 1
  describe_packages "${arch}" "${folder}"
  for package in "${apt_dir}"/cache/archives/*.deb "$@"; do
    if [[ "${package}" == *.deb && -e "${package}" ]]; then
      unpack_package "${arch}" "${folder}" "${package}" || return 1
    fi
  done
  # Links to absolute places would leave the root.
  find "${folder}" -type l -lname '/*' -print0 | while IFS= read -r -d '' link; do
    ln --symbolic --force --no-dereference --relative "${folder}$(readlink "${link}")" "${link}"
  done
  rm -rf -- "${apt_dir}"
}

# Beside the files goes a database of dpkg, with what dpkg-shlibdeps asks: which package a library belongs to, and which
# version of it has which symbols. It names the files as they lie in the folder.
describe_packages() {
  local arch="$1" database="$2/var/lib/dpkg"
  mkdir -p "${database}/info" "${database}/updates"
  printf '%s\n' "$(dpkg --print-architecture)" "${arch}" >"${database}/arch"
  echo 1 >"${database}/info/format" # file names with the architecture
}

unpack_package() {
  local arch="$1" folder="$2" package="$3" database="$2/var/lib/dpkg" control="$2.apt/control" name file
  dpkg-deb --extract "${package}" "${folder}" || return 1
  name="$(dpkg-deb --field "${package}" Package)"
  if [[ "$(dpkg-deb --field "${package}" Multi-Arch)" == same ]]; then name+=":${arch}"; fi
  dpkg-deb --fsys-tarfile "${package}" | tar --list | sed "s|^\\.|${folder}|; s|/$||" >"${database}/info/${name}.list"
  rm -rf -- "${control}"
  dpkg-deb --control "${package}" "${control}" || return 1
  for file in shlibs symbols; do
    if [[ -e "${control}/${file}" ]]; then cp "${control}/${file}" "${database}/info/${name}.${file}"; fi
  done
  { dpkg-deb --field "${package}" && printf 'Status: install ok installed\n\n'; } >>"${database}/status"
}
