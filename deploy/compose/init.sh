#!/bin/sh
# Makes, once, what compose's containers are told: an authority, a certificate for each workload, passwords, and the settings that
# hold them. Runs in an image with openssl, and writes to the volume that all mount; a second run changes nothing.
set -eu

out=${1:-/run/stoa}
[ ! -f "$out/complete" ] || exit 0
umask 077
mkdir -p "$out/pki" "$out/secrets" "$out/postgres"
days=825
random() { openssl rand -hex 24; }

# --- certificates: SPIFFE ids, as `make up` makes them
cd "$out/pki"
openssl ecparam -name prime256v1 -genkey -noout -out authority.key
openssl req -x509 -new -key authority.key -days 3650 -subj /CN=stoa-compose -out ca.pem \
  -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign
certificate() { # name, subject alternative names, usages
  openssl ecparam -name prime256v1 -genkey -noout | openssl pkcs8 -topk8 -nocrypt -out "$1.key"
  openssl req -new -key "$1.key" -subj "/CN=$1" -out "$1.csr"
  printf 'subjectAltName=%s\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=%s\nbasicConstraints=critical,CA:FALSE\n' "$2" "$3" >"$1.ext"
  openssl x509 -req -in "$1.csr" -CA ca.pem -CAkey authority.key -CAcreateserial -days "$days" -sha256 -extfile "$1.ext" -out "$1.pem"
  rm "$1.csr" "$1.ext"
}
for workload in cart catalog edge identity inventory notifications orders payments tools; do
  certificate "$workload" "URI:spiffe://stoa.local/ns/stoa/sa/$workload,DNS:$workload" serverAuth,clientAuth
done
certificate tls DNS:localhost,IP:127.0.0.1 serverAuth
rm authority.key

# --- passwords, and the settings that hold them
cd "$out/secrets"
superuser=$(random)
amqp=$(random)
redis=$(random)
sandbox_key=$(random)
sandbox_webhook=$(random)
setting() { mkdir -p "$1" && printf '%s' "$3" >"$1/$2"; }
setting postgres POSTGRES_PASSWORD "$superuser"
: >"$out/postgres/databases.sql"
for service in identity catalog inventory orders payments notifications sandbox; do
  password=$(random)
  setting "$service" DATABASE_URL "postgres://$service:$password@postgres:5432/$service"
  printf "create role %s login password '%s';\ncreate database %s owner %s;\n" \
    "$service" "$password" "$service" "$service" >>"$out/postgres/databases.sql"
done
for service in identity catalog inventory orders payments notifications; do
  setting "$service" AMQP_URL "amqp://stoa:$amqp@rabbitmq:5672/stoa"
done
setting identity SEALING_KEYS "first:$(random)"
setting identity ADMIN_PASSWORD "$(random)"
setting cart REDIS_URL "redis://default:$redis@redis:6379"
setting payments SANDBOX_API_KEY "$sandbox_key"
setting payments SANDBOX_WEBHOOK_SECRET "$sandbox_webhook"
setting sandbox API_KEY "$sandbox_key"
setting sandbox WEBHOOK_SECRET "$sandbox_webhook"
setting notifications SMTP_URL smtp://mail:1025
printf 'default_vhost = stoa\ndefault_user = stoa\ndefault_pass = %s\n' "$amqp" >"$out/rabbitmq.conf"
printf 'user default on >%s ~* &* +@all -@dangerous +info\n' "$redis" >"$out/users.conf"

# One volume for all: whoever runs compose owns the machine. Containers run as different users.
chmod -R a+rX "$out"
touch "$out/complete"
