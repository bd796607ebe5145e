#!/bin/sh
# Installs the agent from this folder alone: no network is asked. ./install.sh [FOLDER]; PYTHON=/path for another Python than python3.
set -eu
cd "$(dirname "$0")"
folder=${1:-/opt/croody-edge}
python=${PYTHON:-python3}
case "${LC_ALL:-${LC_MESSAGES:-${LANG:-}}}" in es*) spanish=1 ;; *) spanish= ;; esac
say() { if [ -n "$spanish" ]; then echo "$1"; else echo "$2"; fi; }
fail() {
  say "✗ $1" "✗ $2" >&2
  exit 1
}

wanted=$(cat python-version)
found=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null) ||
  fail "no hay $python: apt-get install python3, o PYTHON=/ruta" "there is no $python: apt-get install python3, or PYTHON=/path"
[ "$found" = "$wanted" ] ||
  fail "esto es para Python $wanted, y $python es $found: da otro con PYTHON=/ruta, o haz la carpeta con Python $found" \
    "this is for Python $wanted, and $python is $found: give another one with PYTHON=/path, or make the folder with Python $found"
sha256sum --quiet -c SHA256SUMS || fail "esta carpeta no está entera: cópiala otra vez" "this folder is not whole: copy it again"
"$python" -m venv --clear --without-pip "$folder" || fail "no se puede escribir en $folder: da otra carpeta, o sudo" \
  "$folder cannot be written: give another folder, or use sudo"
pip() {
  PYTHONPATH=$(echo pip-*.whl) "$python" -m pip --python "$folder/bin/python" --isolated --disable-pip-version-check \
    install -q --no-index --no-cache-dir --find-links wheels "$@"
}
for pins in requirements/*.txt; do pip --require-hashes -r "$pins"; done
pip --no-deps wheels/croody_contract-*.whl wheels/croody_edge-*.whl
folder=$(cd "$folder" && pwd)
sed "s|^ExecStart=.*|ExecStart=$folder/bin/croody-edge run|" croody-edge.service > "$folder/croody-edge.service"
say "instalado. Ahora: $folder/bin/croody-edge enrol PASE --dir CARPETA, con lo que muestra \`croody robot claim ID\` en el servidor" \
  "installed. Next: $folder/bin/croody-edge enrol CLAIM --dir FOLDER, with what \`croody robot claim ID\` prints on the server"
