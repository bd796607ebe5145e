#!/bin/sh
# Verified backups in /backups: `once` makes one now (`once apart`: and removes none), `watch` by the clock (the service `backup`). Runs
# in the image of PostgreSQL where PGHOST says which one, in the cloud's for SQLite. What nobody could restore is no backup: each one is
# restored and counted.
set -eu
umask 077
here=$(dirname "$0")
# shellcheck source=ops/words.sh
. "$here/words.sh"
folder=/backups
part=$folder/.croody.part

newest() {
  # shellcheck disable=SC2012 # the names are our own
  ls -1 "$folder"/croody-*Z.* 2>/dev/null | sort | tail -1
}

dump() {
  if [ -n "${PGHOST:-}" ]; then pg_dump -Fc croody; else python -m croody.operations.backup; fi
}

count() {
  if [ -z "${PGHOST:-}" ]; then
    python -m croody.operations.backup --verify
    return
  fi
  trap 'dropdb --if-exists --force croody_verify' EXIT
  dropdb --if-exists --force croody_verify && createdb croody_verify && pg_restore -d croody_verify --exit-on-error &&
    psql -d croody_verify -Atc "select (select count(*) from fleet_robot) || ' robots, ' || (select count(*) from telemetry_record) || ' readings'"
}

# Kilobytes that are free where the database is, and those that a second one of its size takes: with the log of its changes, which
# PostgreSQL keeps to about a gigabyte. The server says both, for nobody else sees its disk.
rooms() {
  psql -d croody -qAtF ' ' -v ON_ERROR_STOP=1 <<'SQL'
create temp table disk (free bigint);
copy disk from program $$df -Pk . | awk 'NR == 2 { print $4 }'$$;
select free, size + least(size, 1048576) + 65536 from disk, (select pg_database_size('croody') / 1024 as size) as croody;
SQL
}

# A database that fills its disk is away for everybody.
need_room() {
  [ -n "${PGHOST:-}" ] || return 0
  told=$(rooms) || fail "la base de datos no dice cuánto sitio tiene: ¿está en marcha?" "the database does not say how much room it has: is it running?"
  free_mb=$((${told% *} / 1024)) need_mb=$((${told#* } / 1024))
  [ "$free_mb" -ge "$need_mb" ] || fail \
    "en el disco de la base de datos hay $free_mb MB libres y probar la copia ocupa $need_mb: haz sitio, o guarda menos días (CROODY_RETENTION_DAYS)" \
    "the disk of the database has $free_mb MB free, and trying the backup takes $need_mb: make room, or keep fewer days (CROODY_RETENTION_DAYS)"
}

once() { # [apart]
  [ -w "$folder" ] || fail \
    "la carpeta de las copias no se puede escribir con el usuario $(id -u): hazla suya (chown) o di de quién es en .env, BACKUP_USER=UID:GID" \
    "the folder of the backups cannot be written by user $(id -u): give it to that user (chown), or say in .env whose it is, BACKUP_USER=UID:GID"
  [ -z "${PGHOST:-}" ] || PGPASSWORD=$(cat /run/secrets/POSTGRES_PASSWORD)
  export PGPASSWORD TMPDIR="$folder"
  # One at a time: the one that a person asks for, or the one by the clock.
  exec 9<"$folder"
  flock 9
  # In another folder too: there is one scratch database, and all that make backups of this system have the folder of this script.
  exec 8<"$here"
  flock 8
  # What a backup that was cut off left behind.
  rm -rf "$part" "$folder"/.verify-* "$folder"/.backup-*
  if [ -n "${PGHOST:-}" ]; then kind=pgdump; else kind=tar.gz; fi
  file=$folder/croody-$(date -u +%Y%m%dT%H%M%SZ).$kind
  dump >"$part" || { rm -f "$part"; fail "la copia ha fallado: ¿está la base de datos en marcha y hay sitio en el disco?" \
    "the backup failed: is the database running, and is there room on the disk?"; }
  (need_room) || { rm -f "$part"; exit 1; }
  counted=$(count <"$part") || { rm -f "$part"; fail "la copia no se puede restaurar en una base de prueba: no cuenta" \
    "the backup could not be restored into a scratch database: it does not count"; }
  mv "$part" "$file"
  # shellcheck disable=SC2012
  [ "${1:-}" = apart ] || ls -1 "$folder"/croody-*Z.* | sort -r | tail -n "+$((${BACKUP_KEEP:-14} + 1))" | while read -r old; do rm -f "$old"; done
  echo "${file##*/}: $counted"
}

whole() { # NAME VALUE: 1 or more
  case $2 in
    *[!0-9]* | 0* | '') fail "$1=$2: escribe un número entero desde 1" "$1=$2: write a whole number from 1" ;;
  esac
}

# Seconds since the epoch of the moment after which a backup has to have been made.
wanted_since() {
  now=$(date +%s)
  if [ -z "${BACKUP_AT:-}" ]; then
    echo $((now - ${BACKUP_EVERY_H:-24} * 3600))
    return
  fi
  case $BACKUP_AT in [01][0-9]:[0-5][0-9] | 2[0-3]:[0-5][0-9]) ;; *)
    fail "BACKUP_AT=$BACKUP_AT: escribe HH:MM, en UTC" "BACKUP_AT=$BACKUP_AT: write HH:MM, in UTC" ;;
  esac
  at=$(date -u -d "$(date -u +%Y-%m-%d) $BACKUP_AT" +%s)
  [ "$at" -le "$now" ] || at=$((at - 86400))
  echo "$at"
}

is_due() {
  last=$(newest)
  [ -n "$last" ] || return 0
  since=$(wanted_since) && [ "$(stat -c %Y "$last")" -lt "$since" ]
}

# After a failure again in ten minutes. /tmp/failed and /tmp/alive are what the service's health is judged by.
watch() {
  trap 'exit 0' TERM INT
  # A setting that cannot be read ends the service, which is seen, rather than every backup, which is not.
  wanted_since >/dev/null
  wait_s=0
  while :; do
    if [ "$wait_s" -gt 0 ]; then
      wait_s=$((wait_s - 10))
    elif is_due; then
      sh "$0" once &
      while kill -0 $! 2>/dev/null; do
        : >/tmp/alive
        sleep 1
      done
      if wait $!; then rm -f /tmp/failed; else : >/tmp/failed && wait_s=600; fi
    fi
    : >/tmp/alive
    sleep 10 &
    wait $!
  done
}

whole BACKUP_KEEP "${BACKUP_KEEP:-14}"
whole BACKUP_EVERY_H "${BACKUP_EVERY_H:-24}"
case ${1:-watch} in
  once) once "${2:-}" ;;
  watch) watch ;;
  *) fail "backup.sh: once o watch" "backup.sh: once or watch" ;;
esac
