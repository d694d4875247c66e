#!/bin/sh
# The editor of messages: names the branch's ticket where it is missing.
grep -q '^Ticket: ' "$1" || {
    ticket=$(git log --format=%B ORIG_HEAD --not main 2>/dev/null | sed -n '/^Ticket: /{p;q;}')
    printf '\n%s\n' "$ticket" >>"$1"
}
