# Sourced by the launchers beside it. Leaves ROOT, the repository's folder, and BUN, the Bun that
# package.json pins, installing both it and the dependencies first where that is still to be done.
# It needs Node with npm, or any Bun from 1.2 on; talk goes to stderr.

# Where the user stands, from where paths are that the user gives.
export CALLER="$PWD"
ROOT=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P) || exit 1

# The first line of the stamp is the Bun that was found; the rest is what it was installed from. The
# machine is part of that, because a folder can be shared between two.
STAMP=$ROOT/node_modules/.setup
installed_from() {
  uname -sm
  cat "$ROOT/package.json" "$ROOT/package-lock.json" "$ROOT/bun.lock"
}

install_packages() {
  echo "setup: installing the dependencies" >&2
  if command -v npm >/dev/null && command -v node >/dev/null; then
    (cd -- "$ROOT" && npm ci --include=dev --include=optional --loglevel=error </dev/null >&2)
  elif command -v bun >/dev/null; then
    (cd -- "$ROOT" && bun install --frozen-lockfile </dev/null >&2)
  else
    echo "setup: neither npm nor bun is on PATH; install Node 20 or later, or Bun" >&2
    return 1
  fi
}

# Bun's own install script puts the binary into node_modules/bun, but package managers may refuse to
# run it. The platform's package always has one, unless that script moved it away.
find_bun() {
  pinned=$(sed -n 's/^ *"bun": "\([^"]*\)".*/\1/p' "$ROOT/package.json")
  for BUN in "$ROOT/node_modules/bun/bin/bun.exe" "$ROOT"/node_modules/@oven/bun-*/bin/bun*; do
    [ "$("$BUN" --version 2>/dev/null)" != "$pinned" ] || return 0
  done
  echo "setup: no Bun $pinned that runs on this machine in $ROOT/node_modules; remove that folder and try again" >&2
  return 1
}

BUN=
stamped=
[ ! -f "$STAMP" ] || { read -r BUN && stamped=$(cat); } <"$STAMP"
BUN=$ROOT/$BUN
if [ "$stamped" != "$(installed_from)" ] || [ ! -x "$BUN" ]; then
  rm -f "$STAMP"
  install_packages && find_bun || exit 1
  { echo "${BUN#"$ROOT/"}" && installed_from; } >"$STAMP"
fi
