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

# Of what certbot wrote last, the cause and its remedy, in both languages: it stands in a log that anybody may read. The first that fits:
# who cannot reach the server says "connection refused" too.
cause() {
  case $(cat /tmp/told) in
    *CERTIFICATE_VERIFY_FAILED* | *SSLError*) echo "the certificate of $ACME_SERVER itself is not trusted here: give its authority in ACME_CA_FILE / aquí nadie se fía del certificado de $ACME_SERVER: di su autoridad en ACME_CA_FILE" ;;
    *"Max retries exceeded"* | *NewConnectionError* | *ConnectTimeout* | *ReadTimeout* | *ConnectionError* | *NameResolutionError*) echo "$ACME_SERVER cannot be reached from this server: look at ACME_SERVER, its DNS and its way out / no se llega a $ACME_SERVER desde este servidor: mira ACME_SERVER, su DNS y su salida" ;;
    *rateLimited* | *"too many"*) echo "$ACME_SERVER takes no more requests for a while: wait, or try with another ACME_SERVER / $ACME_SERVER no acepta más peticiones por un tiempo: espera, o prueba con otro ACME_SERVER" ;;
    *externalAccountRequired*) echo "$ACME_SERVER wants an account of its own: ACME_OPTIONS=--eab-kid ... --eab-hmac-key ... / $ACME_SERVER pide una cuenta suya: ACME_OPTIONS=--eab-kid ... --eab-hmac-key ..." ;;
    *invalidContact* | *invalidEmail* | *unsupportedContact* | *"contact email"*) echo "$ACME_SERVER does not take ACME_EMAIL=$ACME_EMAIL: write another one, or none / $ACME_SERVER no acepta ACME_EMAIL=$ACME_EMAIL: escribe otro, o ninguno" ;;
    *rejectedIdentifier* | *"does not end with a valid public suffix"* | *"Domain name"*) echo "$ACME_SERVER gives no certificate for a name such as $CROODY_DOMAIN: is CROODY_DOMAIN the site's public name? / $ACME_SERVER no da certificados para un nombre como $CROODY_DOMAIN: ¿es CROODY_DOMAIN el nombre público del sitio?" ;;
    *acme:error:caa* | *"CAA record"*) echo "a CAA record in the DNS of $CROODY_DOMAIN allows others only: add this authority to it / un registro CAA en el DNS de $CROODY_DOMAIN solo permite a otros: añade esta autoridad" ;;
    *acme:error:dns* | *"DNS problem"* | *NXDOMAIN* | *"no valid A records"*) echo "$CROODY_DOMAIN leads nowhere in the DNS: give it an A record with the address of this server / $CROODY_DOMAIN no lleva a ninguna parte en el DNS: dale un registro A con la dirección de este servidor" ;;
    *acme:error:unauthorized* | *"Invalid response from"*) echo "somebody else answers at http://$CROODY_DOMAIN: does the name lead to this machine, and is port 80 ours (HTTP_PORT)? / en http://$CROODY_DOMAIN responde otro: ¿lleva el nombre a esta máquina, y es nuestro el puerto 80 (HTTP_PORT)?" ;;
    *acme:error:connection* | *"Timeout during connect"* | *"Connection refused"*) echo "port 80 of $CROODY_DOMAIN is not reached from outside: open it in the firewall and at the router / al puerto 80 de $CROODY_DOMAIN no se llega desde fuera: ábrelo en el cortafuegos y en el router" ;;
    *) echo "certbot says why above / certbot dice arriba por qué" ;;
  esac
}

# One of another server, or for another name, is none, however long it is good for.
again() {
  [ ! -e /data/letsencrypt/renewal/croody.conf ] || grep -qxF "server = $ACME_SERVER" /data/letsencrypt/renewal/croody.conf ||
    echo --force-renewal
}

while :; do
  # shellcheck disable=SC2046,SC2086 # account and options are lists of words
  if certbot certonly --non-interactive --agree-tos --keep-until-expiring --renew-with-new-domains --webroot -w /data/webroot $account \
    -d "$CROODY_DOMAIN" --cert-name croody --server "$ACME_SERVER" --config-dir /data/letsencrypt --work-dir /tmp/certbot \
    --logs-dir /tmp/certbot-logs --deploy-hook "sh /croody/acme.sh deploy" $(again) ${ACME_OPTIONS:-} >/tmp/told 2>&1; then
    cat /tmp/told
    # One that is good for long yet, but not in its place: another was put there meanwhile, or the volume is new.
    cmp -s /data/letsencrypt/live/croody/fullchain.pem /data/tls/fullchain.pem \
      || RENEWED_LINEAGE=/data/letsencrypt/live/croody sh /croody/acme.sh deploy
    wait_s=$ACME_LOOK_S
  else
    cat /tmp/told
    # Let's Encrypt bears five failures an hour; an hour is also soon enough.
    wait_s=3600
    [ "$ACME_LOOK_S" -gt "$wait_s" ] || wait_s=$ACME_LOOK_S
    echo "croody: no certificate for $CROODY_DOMAIN: $(cause). Next try in $wait_s s, or at ./croody restart certbot"
  fi
  : >/tmp/looked
  sleep "$wait_s" &
  wait $!
done
