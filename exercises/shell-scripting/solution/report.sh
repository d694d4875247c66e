#!/usr/bin/env bash
# Lists, summarises and rotates the access logs below a folder.
set -euo pipefail
export LC_ALL=C # bytes decide about order, and no language

main() {
    [[ $# -eq 2 ]] || usage 'two arguments are needed'
    [[ $1 == list || $1 == summary || $1 == rotate ]] || usage "no such command: $1"
    [[ -d $2 ]] || usage "not a folder: $2"
    case $2 in
    /*) cd -- "$2" ;;
    *) cd -- "./$2" ;; # a name such as - means something else to cd
    esac || usage "cannot enter: $2"
    "$1"
}

usage() {
    printf 'report.sh: %s\nusage: bash report.sh list|summary|rotate FOLDER\n' "$1" >&2
    exit 2
}

list() {
    find . -type f \( -name '*.log' -o -name '*.log.gz' \) -printf '%P\0' | sort -z
}

summary() {
    local log status=0
    local -a logs sound=()
    mapfile -d '' -t logs < <(list)
    wait "$!"
    for log in "${logs[@]}"; do
        if [[ $log == *.gz ]] && ! gzip -t -- "$log" 2>/dev/null; then
            printf 'report.sh: damaged, not counted: %s\n' "$log" >&2
            status=1
        else
            sound+=("$log")
        fi
    done
    printf 'logs %d\n' "${#sound[@]}"
    for log in "${sound[@]}"; do
        lines_of "$log"
    done | awk -F '"' "$COUNT"
    return "$status"
}

# The lines of one log. awk adds the line break that the last one may lack.
lines_of() {
    case $1 in
    *.gz) gzip -cd -- "$1" | awk 1 ;;
    *) awk 1 <"$1" ;;
    esac
}

# Fields: before the request, the request, and behind it the status and the size.
# shellcheck disable=SC2016 # for awk, not for the shell
COUNT='
    {
        split($3, after, " ")
        bytes += after[2]
        errors += after[1] ~ /^5/
        if (split($2, words, " ") > 1)
            seen[words[2]]++
    }
    END {
        printf "requests %d\nbytes %.0f\nerrors %d\n", NR, bytes, errors
        fflush()
        for (path in seen)
            print seen[path], path | "sort -k1,1nr -k2 | sed -n 1,5p"
    }'

rotate() {
    local log number status=0
    local -a logs
    mapfile -d '' -t logs < <(list)
    wait "$!"
    for log in "${logs[@]}"; do
        if [[ $log == *.gz || ! -s $log ]]; then
            continue
        fi
        if ! may_rotate "$log"; then
            printf 'report.sh: not rotated, its old logs are no plain files: %s\n' "$log" >&2
            status=1
            continue
        fi
        for number in 2 1; do
            if [[ -e $log.$number ]]; then
                mv -fT -- "$log.$number" "$log.$((number + 1))"
            fi
        done
        mv -T -- "$log" "$log.1"
        : >"$log"
    done
    return "$status"
}

may_rotate() {
    local old
    for old in "$1".{1,2,3}; do
        if [[ -L $old || (-e $old && ! -f $old) ]]; then
            return 1
        fi
    done
}

main "$@"
