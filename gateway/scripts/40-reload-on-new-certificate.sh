#!/bin/sh
# Started by the image before nginx: looks at the certificate, and tells nginx to read its files again when it is another one.
# Connections that are open stay open: nginx hands over between old and new workers.
chain=/data/tls/fullchain.pem
every_s=${GATEWAY_LOOK_S:-10}
(
  seen=$(cksum <"$chain" 2>/dev/null)
  while sleep "$every_s"; do
    # Of a wrapper that was killed while one left (snippets/whom.conf).
    find /run -maxdepth 1 -name 'leaving.*' -mmin +10 -exec rm -f {} +
    now=$(cksum <"$chain" 2>/dev/null) || continue
    [ "$now" != "$seen" ] || continue
    # A key that does not fit yet, for whoever puts both there needs a moment: looked at again, until it does.
    if nginx -t -q; then
      echo "gateway: new certificate: reloading"
      nginx -s reload && seen=$now
    else
      echo "gateway: a new certificate that nginx does not take: going on with the former one, next look in $every_s s"
    fi
  done
) &
