#!/usr/bin/env bash
# Installs what the tests need and is not there yet: real Kafka clients from Debian, Node.js, kafkajs from npm. Quiet; three tries per
# download. Ends with an error when a client is of another version than the one that the tests were passed with.
set -uo pipefail
cd "$(dirname "$0")/.."

retry() {
  local try
  for try in 1 2 3; do
    "$@" && return 0
    sleep $((try * 2))
  done
  echo "set-up failed, three times: $*" >&2
  return 1
}

command -v dotnet >/dev/null || { echo "The .NET 10 SDK is missing: install it and run this again." >&2; exit 1; }

# Node.js of another source is as good as Debian's, and brings its own npm.
packages=()
command -v node >/dev/null || packages+=(nodejs)
command -v npm >/dev/null || packages+=(npm)
for package in kcat librdkafka1 python3-confluent-kafka python3-kafka python3-lz4 python3-snappy python3-zstandard gcc libc6-dev strace openssl; do
  dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q "install ok installed" || packages+=("$package")
done
if [ ${#packages[@]} != 0 ]; then
  echo "installing ${packages[*]}"
  retry apt-get -qq update || exit 1
  DEBIAN_FRONTEND=noninteractive retry apt-get -qq -y --no-install-recommends install "${packages[@]}" >/dev/null || exit 1
fi

# The package index that the acceptance test produces; some images come without it.
if [ "$(apt-cache dumpavail 2>/dev/null | grep -c '^Package:')" -lt 10000 ]; then
  retry apt-get -qq update || exit 1
fi

cd tests/RaftMq.Conformance/clients

# Debian replaces a package by its successor, so that no exact version can be asked for: what is there is compared instead.
wrong=0
clients=""
while read -r package tested; do
  version=$(dpkg-query -W -f '${Version}' "$package")
  clients+="$package $version, "
  if [[ "$version" =~ ^([0-9]+:)?([0-9]+\.[0-9]+)([^0-9]|$) ]] && [ "${BASH_REMATCH[2]}" = "$tested" ]; then continue; fi
  echo "$package is $version, and the tests were passed with $tested: write the new version into tests/RaftMq.Conformance/clients/versions.txt" \
    "and docs/kafka.md, and mend what then fails." >&2
  wrong=1
done < <(grep -v '^#' versions.txt)
[ "$wrong" = 0 ] || exit 1

# npm's versions are exact; those of an earlier checkout are replaced.
as_pinned() {
  node -e 'const { dependencies } = require("./package.json");
    for (const [name, version] of Object.entries(dependencies)) {
      if (require(`./node_modules/${name}/package.json`).version !== version) process.exit(1);
    }' 2>/dev/null
}

as_pinned || retry npm ci --silent --no-audit --no-fund || exit 1
as_pinned || { echo "npm ci did not install the versions of tests/RaftMq.Conformance/clients/package.json." >&2; exit 1; }
echo "clients: $clients$(node -p 'Object.entries(require("./package.json").dependencies).map((one) => one.join(" ")).join(", ")')"
