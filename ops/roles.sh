#!/bin/sh
# The job `roles`, before everything that uses the database: `postgres` is the superuser, has no password and is let in by the server's
# socket alone; `croody`, which the site comes in as, owns its databases and nothing else, with the password of the file. In a volume of
# an earlier version the superuser is called croody: it is renamed, and what it had made given to the new croody, all at once or not at
# all. docs/how-to/rare-days.md has the way back.
set -eu
here=$(dirname "$0")
# shellcheck source=ops/words.sh
. "$here/words.sh"
# A server that was just made starts a second time, and somebody may look at a table just now: a moment later is soon enough.
if [ "${1:-}" != once ]; then
  for _ in 1 2 3 4 5 6 7 8 9 10; do
    if sh "$0" once; then exit 0; fi
    sleep 3
  done
  fail "los roles de la base de datos no se han podido poner en orden (la causa está arriba): ./croody up lo intenta otra vez" \
    "the roles of the database could not be put in order (the cause is above): ./croody up tries again"
fi
as() { psql -h "${PGHOST:-/var/run/postgresql}" -qAt -v ON_ERROR_STOP=1 "$@"; }

# What the superuser owns and did not make for itself: by the kind of thing, the command that gives it away.
gifts() {
  cat <<'SQL'
do $$ declare one text; begin
  for one in
    select format('alter schema %I owner to croody', nspname) from pg_namespace
      where nspowner = 10 and nspname !~ '^pg_' and nspname <> 'information_schema'
    union all
    select format('alter %s %I.%I owner to croody',
        case relkind when 'v' then 'view' when 'm' then 'materialized view' when 'S' then 'sequence' else 'table' end, nspname, relname)
      from pg_class join pg_namespace on pg_namespace.oid = relnamespace
      where relowner = 10 and relkind in ('r', 'p', 'v', 'm', 'S') and nspname !~ '^pg_' and nspname <> 'information_schema'
        -- A sequence goes with its table, and what an extension made stays with it.
        and not exists (select from pg_depend where classid = 'pg_class'::regclass and objid = pg_class.oid
          and (deptype = 'e' or relkind = 'S' and deptype in ('a', 'i')))
    union all
    select format('alter routine %s owner to croody', pg_proc.oid::regprocedure)
      from pg_proc join pg_namespace on pg_namespace.oid = pronamespace
      where proowner = 10 and nspname !~ '^pg_' and nspname <> 'information_schema'
        and not exists (select from pg_depend where classid = 'pg_proc'::regclass and objid = pg_proc.oid and deptype = 'e')
  loop execute one; end loop;
end $$;
SQL
}

superuser=
for name in postgres croody; do
  [ -n "$superuser" ] || [ "$(as -U "$name" -d postgres -c "select 'yes' from pg_roles where rolname = current_user and rolsuper" 2>/dev/null)" != yes ] ||
    superuser=$name
done
rename=
case $superuser in
  '') as -U postgres -d postgres -c 'select' && exit 1 ;;
  croody)
    superuser=croody_renames
    as -U croody -d postgres -c "do \$\$ begin
      if not exists (select from pg_roles where rolname = 'croody_renames') then create role croody_renames superuser login; end if; end \$\$"
    rename='alter role croody rename to postgres;' ;;
esac
{
  printf '%s\n' "set lock_timeout = '5s'; set client_min_messages = warning;" '\set password `cat /run/secrets/POSTGRES_PASSWORD`' "$rename" \
    'alter role postgres password null;' \
    "select 'create role croody login' where not exists (select from pg_roles where rolname = 'croody') \\gexec" \
    "alter role croody login nosuperuser nocreatedb nocreaterole noreplication nobypassrls password :'password';" \
    "select format('alter database %I owner to croody', datname) from pg_database
       where datdba = 10 and datname not in ('postgres', 'template0', 'template1') \\gexec"
  gifts
} | as -1 -U "$superuser" -d croody
# A database of telemetry's own is there before anybody looks for it.
other=$(sh "$here/backup.sh" other 2>/dev/null) || other=
[ -z "$other" ] || as -U postgres -d postgres -v name="$other" <<'SQL'
select format('create database %I owner croody', :'name') where not exists (select from pg_database where datname = :'name') \gexec
SQL
as -U postgres -d postgres -c 'set client_min_messages = warning' -c 'drop role if exists croody_renames'
for name in $(as -U postgres -d postgres -c "select datname from pg_database join pg_roles on pg_roles.oid = datdba
    where rolname = 'croody' and datname <> 'croody' and datallowconn"); do
  { echo "set lock_timeout = '5s';"; gifts; } | as -1 -U postgres -d "$name"
done
