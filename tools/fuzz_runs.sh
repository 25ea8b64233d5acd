#!/bin/sh
# fuzz_runs.sh FOLDER RUNS JOBS: every fuzz target in FOLDER meets RUNS mutated
# inputs, JOBS targets at a time; the first report ends it.  The last line
# counts the targets.  What is no message (files that an administrator has, read
# once) and costs a derivation or a second reader an input gets a tenth of them.
set -eu
dir=$1 runs=$2 jobs=$3
# Small inputs, run one by one: what was freed need not be kept for long.
export ASAN_OPTIONS=malloc_context_size=1:quarantine_size_mb=2:thread_local_quarantine_size_kb=64

# What takes longest, longest first, so that none is left at the end when all
# the others are done.
slowest="map_mapfile x509_crl_index map_map_index x509_p12 x509_authority
 anchor_cadesc office_seal office_bundle x509_profile x509_proxy front_visit
 anchor_igtf_info trust_namespaces x509_crl_list x509_tbs x509_tbs_crl
 trust_verify anchor_root_files office_request ipc_msg"

# What is needed to do it again elsewhere: the input, if it is no larger than
# any that is tried here.
tell_input() {
	sed -n 's/^artifact_prefix=.*Test unit written to //p' "$1" |
	    while read -r input; do
		echo "$input, in base64:"
		head -c 4096 "$input" | base64
	    done
}

one() {
	target=$1 name=$(basename "$1" _fuzz)
	# In memory, where there is such a place: inputs come and go.
	scratch=$(mktemp -d -p /dev/shm 2>/dev/null || mktemp -d)
	mkdir -p "tests/corpus/$name"
	case $name in
	office_seal | office_bundle | x509_crl_list | ca_publish_conf | ca_page | \
	map_map_index)
		runs=$((runs / 10)) ;;
	esac
	# Each account of a line is looked for in the line: what a long one
	# costs is the square of it, and it has nothing that a short one lacks.
	longest=2048
	[ "$name" = map_mapfile ] && longest=256
	# Without the entropic schedule, whose book-keeping costs up to half of
	# the time; as much is reached.
	if "$target" -runs="$runs" -seed=1 -max_len="$longest" -rss_limit_mb=4096 \
	    -entropic=0 -artifact_prefix="$dir/$name-" "$scratch" "tests/corpus/$name" \
	    >"$dir/$name.log" 2>&1; then
		rm -rf "$scratch"
		echo "$name: $runs inputs"
		exit 0
	fi
	rm -rf "$scratch"
	tail -40 "$dir/$name.log" >&2
	tell_input "$dir/$name.log" >&2
	echo "$name: FAILED" >&2
	exit 1
}

if [ "${4:-}" = --one ]; then
	one "$5"
fi
list=$(find "$dir" -name '*_fuzz' -type f -perm -u+x | sort)
[ -n "$list" ] || { echo "no fuzz targets in $dir" >&2; exit 1; }
first=$(for name in $slowest; do
	echo "$list" | grep "/${name}_fuzz\$" || :
done)
{ echo "$first"; echo "$list" | grep -v -x -F "$first"; } | xargs -P "$jobs" -I{} sh "$0" "$dir" "$runs" "$jobs" --one {}
echo "fuzz: $(echo "$list" | wc -l) passed, 0 failed"
