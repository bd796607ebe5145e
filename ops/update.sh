# shellcheck shell=sh
# `./croody update`: newer images, the migration, and then each service in its turn.

# Images of others are renewed too, for they have holes of their own; a registry that cannot be reached holds nothing up.
renew() {
  say "se buscan imágenes base más nuevas" "looking for newer base images"
  # shellcheck disable=SC2046 # a list of words
  if told=$(compose pull --quiet $(compose config --services | grep -xE 'gateway|db|certbot') 2>&1); then
    if compose build --pull; then return; fi
    told=
  fi
  say "las imágenes base no se han podido renovar y se sigue con las que hay aquí${told:+: $(echo "$told" | tail -1)}" \
    "the base images could not be renewed, so going on with those that are here${told:+: $(echo "$told" | tail -1)}"
  compose build
}

update() { # [OPTIONS of compose up]
  if production; then check_hosts; fi
  look
  case $(setting CROODY_PULL_POLICY) in
    always) compose pull ;;
    never) ;; # a site without internet: docker load brought them
    *) renew ;;
  esac
  apply "$@"
  # What was built for this system and has lost its name to something newer. Nothing of anybody else's.
  docker image prune -f --filter "label=com.docker.compose.project=$(project)" >/dev/null || true
}

# Images that are there are used, also those of another commit: `up` is no update, and says so.
check_images() {
  image=$(setting CROODY_IMAGE) version=$(setting CROODY_VERSION) here=$(revision)
  image=${image:-croody-cloud}:${version:-dev}
  built=$(docker image inspect -f '{{index .Config.Labels "org.opencontainers.image.revision"}}' "$image" 2>/dev/null) || return 0
  case "$here,$built" in ,* | *,) return 0 ;; esac
  case $here in "$built"*) return 0 ;; esac
  case $built in "$here"*) return 0 ;; esac
  say "$image es de $built y esta carpeta está en $here: ./croody update la construye de nuevo" \
    "$image is of $built, and this folder is at $here: ./croody update builds it anew"
}

apply() { # [OPTIONS of compose up]
  compose run --rm -T migrate </dev/null || fail "la migración ha fallado: la versión anterior sigue en servicio. No se ha reiniciado nada" \
    "the migration failed: the old version goes on serving. Nothing was restarted"
  refresh_gateway
  settle "$@"
}

# All is what files, images and options say.
settle() { # [OPTIONS of compose up]
  fit "$@"
  for service in $ROLLING; do
    old=$(stale "$service")
    [ -z "$old" ] || roll "$service" "$old"
  done
  # All others read a changed secret when they start again. The database itself is told by its job `roles`.
  for service in $(running_services | grep -vxE "$(echo "$ROLLING" | tr ' ' '|')|gateway|db"); do
    [ -z "$(for id in $(running "$service"); do changed_since "$id"; done)" ] || {
      say "$service: arranca de nuevo, con el secreto cambiado" "$service: starts again, with the secret that changed"
      compose up -d --no-deps --force-recreate --scale "$service=$(count "$(running "$service")")" "$service"
    }
  done
  for service in gateway db; do
    if has "$service" && [ -n "$(stale "$service")" ]; then
      say "$service: se reemplaza, y falta unos segundos" "$service: is replaced, and away for some seconds"
    fi
  done
  # shellcheck disable=SC2046 # a list of words
  compose up -d --wait $(scales "$@") "$@"
}

# nginx reads its files once: after a pull it is told, and goes on with its connections. They are tried in a container beside it first.
refresh_gateway() {
  [ -n "$(running gateway)" ] || return 0
  if ! compose exec -T gateway cat /etc/nginx/nginx.conf </dev/null | cmp -s - gateway/nginx.conf; then
    how=replace
  elif [ -n "$(compose exec -T gateway find /etc/nginx/templates /etc/nginx/croody -newer /run/nginx.pid </dev/null)" ]; then
    how=reload
  else
    return 0
  fi
  tool gateway nginx -t -q </dev/null >/dev/null ||
    fail "nginx no acepta los archivos nuevos de gateway/ y sigue con los anteriores" "nginx does not take the new files of gateway/, and goes on with the old ones"
  # One whose settings changed too is replaced by `settle`; in the one that runs, the new files would have nothing to be filled with.
  [ -z "$(stale gateway)" ] || return 0
  if [ "$how" = replace ]; then
    compose up -d --no-deps --force-recreate --wait gateway
  else
    compose exec -T gateway sh -euc '/docker-entrypoint.d/20-envsubst-on-templates.sh >/dev/null; nginx -s reload; touch /run/nginx.pid' </dev/null ||
      fail "nginx no ha leído los archivos nuevos de gateway/ (la causa está arriba) y sigue con los anteriores: corrige la causa y repite" \
        "nginx did not read the new files of gateway/ (the cause is above), and goes on with the old ones: mend the cause and run this again"
  fi
}
