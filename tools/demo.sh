#!/bin/sh
# demo.sh BUILD [--once] [--port N] [--dir D]: a complete one-machine site in a
# directory of its own, and a first login.  Needs no root, no KDC, no LDAP.
set -eu
BUILD=$1; shift
ONCE=no PORT=0 DIR=

usage="usage: ./run demo [--once] [--port N] [--dir DIRECTORY]"
while [ $# -gt 0 ]; do
	case $1 in
	--once) ONCE=yes ;;
	--port) PORT=${2:?$usage}; shift ;;
	--dir) DIR=${2:?$usage}; shift ;;
	-h | --help) echo "$usage"; exit 0 ;;
	*) echo "$usage" >&2; exit 2 ;;
	esac
	shift
done

if [ -z "$DIR" ]; then
	DIR=$(mktemp -d "${TMPDIR:-/tmp}/signet-demo.XXXXXX")
elif [ -e "$DIR" ]; then
	echo "demo: $DIR exists; name a directory that does not" >&2; exit 1
else
	mkdir -p "$DIR"
fi
chmod 755 "$DIR"
BIN=$DIR/bin
SERVER=
say() { printf '\n\033[1m%s\033[0m\n' "$*"; }
[ -t 1 ] || say() { printf '\n%s\n' "$*"; }
end() {
	status=$?
	trap - EXIT INT TERM
	[ -n "$SERVER" ] && kill -TERM "$SERVER" 2>/dev/null && wait "$SERVER" || :
	if [ "$ONCE" = yes ] && [ $status = 0 ]; then rm -rf "$DIR"; fi
	[ $status = 0 ] || echo "demo: what is left to look at is in $DIR" >&2
	exit $status
}
trap end EXIT
trap 'exit 0' INT TERM

mkdir "$BIN"
ln -s "$BUILD/signet/signet" "$BIN/signet"
for name in ligo-login grid-proxy-init grid-proxy-info grid-proxy-destroy \
    grid-cert-info myproxy-logon myproxy-get-trustroots; do
	ln -s signet "$BIN/$name"
done
ln -s "$BUILD/signet-ca/signet-ca" "$BIN/signet-ca"
ln -s "$BUILD/signetd/signetd" "$BIN/signetd"
PATH=$BIN:$PATH
export PATH

BASE=/DC=org/DC=example/O=Demo
CAS="$BASE/OU=Certificate Authorities"

say "1. A root CA, and two CAs under it: for people's logins, and for hosts"
umask 022
signet-ca init root "$DIR/ca/root" --subject "$CAS/CN=Demo Root CA" \
    --may-sign-under "$CAS" --key ec:P-384 --no-passphrase
signet-ca init slcs "$DIR/ca/slcs" --root "$DIR/ca/root" \
    --subject "$CAS/OU=Here/CN=Login CA 1" --may-sign-under "$BASE/OU=People" \
    --key ec:P-256 --serial "range 100000000 100000000"
signet-ca init services "$DIR/ca/services" --root "$DIR/ca/root" \
    --subject "$CAS/OU=Services/CN=Host CA 1" \
    --may-sign-under "$BASE/OU=Services" --key ec:P-256 --no-passphrase

say "2. A certificate for this host, the trust directory, a user"
signet-ca issue "$DIR/ca/services" --profile host \
    --profile-dir "$BUILD/../share/profiles" \
    --subject "$BASE/OU=Services/CN=localhost" --dns localhost \
    --key ec:P-256 --out-cert "$DIR/hostcert.pem" --out-key "$DIR/hostkey.pem"
for ca in root slcs services; do
	signet-ca publish "$DIR/ca/$ca" --trust-dir "$DIR/certificates"
done
USERNAME=albert.einstein
PASSWORD=$(od -An -N9 -tx1 /dev/urandom | tr -d ' \n')
printf '%s\n' "$PASSWORD" |
    signet-ca passwd "$DIR/passwd" "$USERNAME" --password-stdin
sed "s,^subject .*,subject $BASE/OU=People/CN={principal}," \
    "$BUILD/../share/profiles/slcs-user.profile" >"$DIR/slcs-user.profile"

{
	echo "listen 127.0.0.1:$PORT"
	echo "tls-certificate $DIR/hostcert.pem"
	echo "tls-key $DIR/hostkey.pem"
	echo "trust-dir $DIR/certificates"
	echo "ca $DIR/ca/slcs"
	echo "profile $DIR/slcs-user.profile"
	echo "ledger $DIR/ledger/ledger.db"
	echo "realm EXAMPLE.ORG"
	echo "auth passwd"
	echo "passwd-file $DIR/passwd"
	echo "auth-workers 2"
	if [ "$(id -u)" = 0 ]; then
		# Numbers need no accounts; packages make named users.
		n=61201
		for role in front auth worker issuer signer keeper; do
			echo "user-$role $n"
			n=$((n + 1))
		done
	fi
} >"$DIR/signetd.conf"
# The password file is for the role that checks passwords alone.
[ "$(id -u)" != 0 ] || chown 61203 "$DIR/passwd"

say "3. signetd, the online CA"
signetd -c "$DIR/signetd.conf" 2>"$DIR/signetd.log" &
SERVER=$!
tries=0
until PORT=$(sed -n 's/.*: started port=\([0-9]*\).*/\1/p' "$DIR/signetd.log") &&
    [ -n "$PORT" ]; do
	tries=$((tries + 1))
	if ! kill -0 "$SERVER" 2>/dev/null || [ $tries -gt 100 ]; then
		cat "$DIR/signetd.log" >&2
		exit 1
	fi
	sleep 0.05
done
echo "It listens on 127.0.0.1:$PORT; its log is $DIR/signetd.log"

cat >"$DIR/signet.conf" <<C
server localhost:$PORT
realm EXAMPLE.ORG
auth password
trust-dir $DIR/certificates
C
export X509_CERT_DIR="$DIR/certificates" X509_USER_PROXY="$DIR/proxy.pem"
export XDG_CACHE_HOME="$DIR/cache" SIGNET_CONF="$DIR/signet.conf"

say "4. \$ signet login $USERNAME"
printf '%s\n' "$PASSWORD" | signet login "$USERNAME" --password-stdin
say "5. \$ signet proxy info"
signet proxy info
say "6. OpenSSL's own verifier, with proxies allowed"
openssl verify -allow_proxy_certs -CApath "$DIR/certificates" \
    -untrusted "$DIR/proxy.pem" "$DIR/proxy.pem"
say "7. What the ledger holds"
signet-ca ledger list --ledger "$DIR/ledger/ledger.db"

[ "$ONCE" = yes ] && exit 0
say "The site stays up until Ctrl-C. To try next, in another shell:"
cat <<T
  export PATH=$BIN:\$PATH
  export X509_CERT_DIR=$DIR/certificates X509_USER_PROXY=$DIR/proxy.pem
  export SIGNET_CONF=$DIR/signet.conf XDG_CACHE_HOME=$DIR/cache
  signet login $USERNAME        # the password is $PASSWORD
  signet status
  signet doctor
  grid-proxy-info
  MYPROXY_SERVER=localhost MYPROXY_SERVER_PORT=$PORT \\
      myproxy-logon -l $USERNAME -o $DIR/cred.pem    # the stock client works too
  signet-ca ledger check --ledger $DIR/ledger/ledger.db
T
wait "$SERVER"
