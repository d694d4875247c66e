#!/usr/bin/env bash
# The same report with nothing but bash where that will do: globs instead of find, regular
# expressions and associative arrays instead of awk.
LC_ALL=C
shopt -s globstar dotglob nullglob
fail() {
    echo "report.sh: $*" >&2
    exit "${code:-1}"
}

find_logs() {
    logs=()
    local name
    for name in **/*; do
        [[ $name == *.log || $name == *.log.gz ]] && [[ -f $name && ! -L $name ]] && logs+=("$name")
    done
    return 0
}

declare -A seen=()
requests=0 bytes=0 errors=0
line_pattern='"([^"]*)" ([0-9]{3}) ([0-9]+|-)$'
count_lines() {
    local line words
    while IFS= read -r line || [[ -n $line ]]; do
        [[ $line =~ $line_pattern ]] || continue
        requests=$((requests + 1))
        [[ ${BASH_REMATCH[2]} == 5* ]] && errors=$((errors + 1))
        [[ ${BASH_REMATCH[3]} == - ]] || bytes=$((bytes + BASH_REMATCH[3]))
        read -r -a words <<<"${BASH_REMATCH[1]}"
        if [[ ${#words[@]} -ge 2 ]]; then
            seen["${words[1]}"]=$((${seen["${words[1]}"]:-0} + 1))
        fi
    done
    return 0
}

top_five() {
    local path
    for path in "${!seen[@]}"; do
        printf '%s %s\n' "${seen["$path"]}" "$path"
    done | LC_ALL=C sort -s -t ' ' -k 2 | LC_ALL=C sort -s -t ' ' -k 1,1 -n -r | {
        mapfile -n 5 -t best
        cat >/dev/null
        [[ ${#best[@]} -eq 0 ]] || printf '%s\n' "${best[@]}"
    }
}

[[ $# == 2 ]] || code=2 fail "usage: report.sh list|summary|rotate FOLDER"
[[ $1 =~ ^(list|summary|rotate)$ ]] || code=2 fail "unknown command: $1"
[[ -n $2 && -d $2 ]] || code=2 fail "not a folder: $2"
[[ $2 == /* ]] && cd "$2" || cd "$PWD/$2" || code=2 fail "cannot enter $2"
find_logs
trouble=0

if [[ $1 == list ]]; then
    [[ ${#logs[@]} -eq 0 ]] || printf '%s\0' "${logs[@]}" | LC_ALL=C sort -z
elif [[ $1 == summary ]]; then
    good=0
    unpacked=$(mktemp) || fail "no room for temporary files"
    trap 'rm -f "$unpacked"' EXIT
    for log in "${logs[@]}"; do
        if [[ $log != *.gz ]]; then
            count_lines <"$log"
        elif gzip -d <"$log" >"$unpacked" 2>/dev/null; then
            count_lines <"$unpacked"
        else
            echo "cannot unpack $log" >&2
            trouble=1
            continue
        fi
        good=$((good + 1))
    done
    printf '%s\n' "logs $good" "requests $requests" "bytes $bytes" "errors $errors"
    top_five
else
    for log in "${logs[@]}"; do
        [[ $log == *.log && -s $log ]] || continue
        olds=()
        for old in "$log".[123]; do
            [[ -f $old && ! -L $old ]] || olds+=("$old")
        done
        if [[ ${#olds[@]} -gt 0 ]]; then
            echo "cannot rotate $log" >&2
            trouble=1
            continue
        fi
        [[ ! -e $log.2 ]] || mv -- "$log.2" "$log.3"
        [[ ! -e $log.1 ]] || mv -- "$log.1" "$log.2"
        mv -- "$log" "$log.1" && true >"$log"
    done
fi
exit "$trouble"
