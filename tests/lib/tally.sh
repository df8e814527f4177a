# shellcheck shell=bash
# Running tests side by side, and counting: a line for each as it ends, and the closing line.

jobs=3

# beside COMMAND...: in the background, so many side by side, those that only wait not counted
waiting=(none)
beside() {
	while (( $(jobs -rp | grep -cvxF "$(printf '%s\n' "${waiting[@]}")") >= jobs )); do
		wait -n || true
	done
	"$@" &
}

tally_begin() {
	tally_dir=$(mktemp -d)
	# shellcheck disable=SC2064 # the folder as it is now
	trap "rm -rf $tally_dir" EXIT
}

# tally NAME COMMAND...: runs a test; exit status 77 is "skipped", its output then says why
tally() {
	local name=$1 begin=$SECONDS status=0 word log
	shift
	log=$tally_dir/log.${name//[^a-zA-Z0-9-]/_}
	"$@" > "$log" 2>&1 < /dev/null || status=$?
	case $status in
	0) word=ok ;;
	77) word=skipped ;;
	*) word=FAIL ;;
	esac
	say "$word" >> "$tally_dir/results"
	{
		printf '%-8s%-44s%4d s\n' "$word" "$name" $((SECONDS - begin))
		[[ $word == ok ]] || tail -n 60 "$log" | sed 's/^/        /'
	} > "$log.line"
	cat "$log.line"
}

tally_end() {
	local passed failed skipped
	touch "$tally_dir/results"
	passed=$(grep -cx ok "$tally_dir/results" || true)
	failed=$(grep -cx FAIL "$tally_dir/results" || true)
	skipped=$(grep -cx skipped "$tally_dir/results" || true)
	say "$passed passed, $failed failed, $skipped skipped"
	(( passed > 0 && failed == 0 ))
}
