#!/bin/sh
# Issues a certificate for CROODY_DOMAIN and keeps it fresh. Gateway and broker notice by themselves that the files changed.
# With the argument `deploy` it is certbot's hook: puts the new certificate where they look.
set -u
if [ "${1:-}" = deploy ]; then
  # The key first: the gateway looks at the chain, and takes it only when both fit.
  cp "$RENEWED_LINEAGE/privkey.pem" /data/tls/.privkey.pem.new && chmod 640 /data/tls/.privkey.pem.new \
    && cp "$RENEWED_LINEAGE/fullchain.pem" /data/tls/.fullchain.pem.new && chmod 644 /data/tls/.fullchain.pem.new \
    && mv /data/tls/.privkey.pem.new /data/tls/privkey.pem && mv /data/tls/.fullchain.pem.new /data/tls/fullchain.pem
  exit
fi
trap 'exit 0' INT TERM
if [ -n "$ACME_EMAIL" ]; then account="--email $ACME_EMAIL"; else account=--register-unsafely-without-email; fi
while :; do
  # shellcheck disable=SC2086 # account and options are lists of words
  if certbot certonly --non-interactive --agree-tos --keep-until-expiring --webroot -w /data/webroot $account -d "$CROODY_DOMAIN" \
    --cert-name croody --server "$ACME_SERVER" --config-dir /data/letsencrypt --work-dir /tmp/certbot --logs-dir /tmp/certbot-logs \
    --deploy-hook "sh /croody/acme.sh deploy" ${ACME_OPTIONS:-}; then
    # One that is good for long yet, but not in its place: another was put there meanwhile, or the volume is new.
    cmp -s /data/letsencrypt/live/croody/fullchain.pem /data/tls/fullchain.pem \
      || RENEWED_LINEAGE=/data/letsencrypt/live/croody sh /croody/acme.sh deploy
    wait_s=$ACME_LOOK_S
  else
    # Let's Encrypt bears five failures an hour; an hour is also soon enough.
    wait_s=3600
    [ "$ACME_LOOK_S" -gt "$wait_s" ] || wait_s=$ACME_LOOK_S
    echo "croody: no certificate for $CROODY_DOMAIN yet: does the name lead to this machine, and is port 80 open? Next try in $wait_s s"
  fi
  : >/tmp/looked
  sleep "$wait_s" &
  wait $!
done
