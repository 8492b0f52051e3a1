#!/bin/sh
# Loads the portable rules in NGINX + libModSecurity 3 and in Apache + ModSecurity 2.9, on loopback, and sends every case of ../cases
# and, if CORPUS names its folder, every case of the reference corpora through both. Ends 1 if a verdict differs from the expected one.
#
# Needs nginx libnginx-mod-http-modsecurity apache2 libapache2-mod-security2 python3 (Debian's names).
set -eu
here=$(cd "$(dirname "$0")" && pwd)
modules=${APACHE_MODULES:-/usr/lib/apache2/modules}
work=$(mktemp -d)
chmod 755 "$work"
mkdir "$work/ng" "$work/ap" "$work/logs"
chmod 777 "$work/ng" "$work/ap" "$work/logs"
stop() {
	for pid in "$work/ng/pid" "$work/ap/pid"; do
		if [ -f "$pid" ]; then kill "$(cat "$pid")" || true; fi
	done
	sleep 1
	rm -rf "$work"
}
trap stop EXIT

ports=$(python3 "$here/cases.py" ports)
read -r nginx apache backend <<P
$ports
P

# Each case is tried with one denying rule; the others are switched off by a request header that only this file knows.
{
	printf 'SecRuleEngine On\nSecRequestBodyAccess On\nSecRequestBodyLimit 1048576\nSecAuditEngine Off\n'
	printf 'SecResponseBodyAccess On\nSecResponseBodyMimeType application/json\n'
	python3 "$here/cases.py" switches "$here/../../portable"
	cat "$here"/../../portable/*.conf
} > "$work/rules.conf"

cat > "$work/ng.conf" <<C
load_module modules/ngx_http_modsecurity_module.so;
worker_processes 1; pid $work/ng/pid; error_log $work/logs/ng.log warn;
events { worker_connections 64; }
http { access_log off; large_client_header_buffers 200 32k; underscores_in_headers on;
  client_body_temp_path $work/ng/b; proxy_temp_path $work/ng/p; fastcgi_temp_path $work/ng/f; uwsgi_temp_path $work/ng/u; scgi_temp_path $work/ng/s;
  server { listen 127.0.0.1:$nginx; merge_slashes off; modsecurity on; modsecurity_rules_file $work/rules.conf; location / { proxy_pass http://127.0.0.1:$backend; } } }
C
cat > "$work/ap.conf" <<C
ServerName localhost
ServerRoot $work/ap
PidFile $work/ap/pid
Listen 127.0.0.1:$apache
ErrorLog $work/logs/ap.log
AllowEncodedSlashes NoDecode
LimitRequestFieldSize 32768
LimitRequestFields 200
LoadModule mpm_event_module $modules/mod_mpm_event.so
LoadModule authz_core_module $modules/mod_authz_core.so
LoadModule unique_id_module $modules/mod_unique_id.so
LoadModule proxy_module $modules/mod_proxy.so
LoadModule proxy_http_module $modules/mod_proxy_http.so
LoadModule security2_module $modules/mod_security2.so
DefaultRuntimeDir $work/ap
Mutex file:$work/ap default
SecDataDir $work/ap
SecTmpDir $work/ap
Include $work/rules.conf
ProxyPass / http://127.0.0.1:$backend/ nocanon
C
nginx -c "$work/ng.conf"
apache2 -f "$work/ap.conf" -k start
python3 "$here/cases.py" run "$nginx $apache $backend" "$here/../cases" "${CORPUS:-}" || {
	cat "$work"/logs/*.log | grep -v 'ModSecurity: ' | tail -n 50
	exit 1
}
