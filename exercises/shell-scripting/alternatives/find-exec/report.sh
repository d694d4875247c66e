#!/bin/sh
# The same report in plain POSIX sh, where find hands the names over and nobody reads them.
LC_ALL=C
export LC_ALL

if [ "$#" -ne 2 ] || [ ! -d "$2" ]; then
    echo "usage: report.sh list|summary|rotate FOLDER" >&2
    exit 2
fi

# each SCRIPT TEST...: runs a script with the names of all plain files that pass the tests of find.
# The exit code is not 0 when that of a script was not.
each() {
    script=$1
    shift
    find . -type f "$@" -exec sh -c "$script" sh {} +
}

list='printf "%s\0" "$@"'

show='
    failed=0
    for log do
        case $log in
        *.gz)
            if gzip -t -- "$log" 2>/dev/null; then
                echo log
                gzip -dc -- "$log" | sed -e "\$a\\"
            else
                printf "%s is damaged\n" "$log" >&2
                failed=1
            fi
            ;;
        *)
            echo log
            sed -e "\$a\\" -- "$log"
            ;;
        esac
    done
    exit "$failed"
'

move='
    failed=0
    for log do
        free=yes
        for old in "$log.1" "$log.2" "$log.3"; do
            if [ -h "$old" ] || { [ -e "$old" ] && [ ! -f "$old" ]; }; then
                free=no
            fi
        done
        if [ "$free" = no ]; then
            printf "%s has an old log that is no plain file\n" "$log" >&2
            failed=1
            continue
        fi
        if [ -f "$log.2" ]; then mv -f "$log.2" "$log.3"; fi
        if [ -f "$log.1" ]; then mv -f "$log.1" "$log.2"; fi
        cp -p "$log" "$log.1" && : >"$log" || failed=1
    done
    exit "$failed"
'

add_up='
    $0 == "log" { logs++; next }
    {
        requests++
        request = $0
        sub(/^[^"]*"/, "", request)
        behind = request
        sub(/".*/, "", request)
        sub(/^[^"]*" /, "", behind)
        status = substr(behind, 1, 3) + 0
        bytes += substr(behind, 5)
        if (status >= 500 && status < 600) errors++
        if (split(request, part, " ") >= 2) count[part[2]]++
    }
    END {
        printf "logs %d\nrequests %d\nbytes %.0f\nerrors %d\n", logs, requests, bytes, errors
        for (rank = 1; rank <= 5; rank++) {
            best = ""
            for (path in count)
                if (best == "" || count[path] > count[best] ||
                    count[path] == count[best] && path "" < best "")
                    best = path
            if (best == "") break
            print count[best], best
            delete count[best]
        }
    }
'

command=$1
case $2 in
/*) cd "$2" || exit 2 ;;
*) cd "./$2" || exit 2 ;;
esac
exec 4>&1
case $command in
list)
    each "$list" \( -name '*.log' -o -name '*.log.gz' \) | sort -z | sed -z 's/^..//'
    ;;
summary)
    # A pipe would lose the exit code of find, so it is written down on the way.
    {
        {
            each "$show" \( -name '*.log' -o -name '*.log.gz' \) || echo 1 >&3
        } | awk "$add_up" >&4
    } 3>&1 | {
        read -r failed
        exit "${failed:-0}"
    }
    ;;
rotate)
    each "$move" -name '*.log' -size +0
    ;;
*)
    echo "report.sh: no such command: $command" >&2
    exit 2
    ;;
esac
