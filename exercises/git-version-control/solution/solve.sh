#!/bin/sh
# One way through all five tasks, without a person at an editor.
set -eu
here=$PWD/solution
export GIT_AUTHOR_NAME=Learner GIT_AUTHOR_EMAIL=learner@example.com
export GIT_COMMITTER_NAME=Learner GIT_COMMITTER_EMAIL=learner@example.com
cd shop

# 1. Merge
git pull -q --ff-only
git merge -q discounts || true
git show :1:fees.txt >base && git show :2:fees.txt >ours && git show :3:fees.txt >theirs
# of each fee, the value that one of the two has changed
awk '{ side = FILENAME }
    side == "base" { was[$1] = $2 }
    !($1 in now) { order[++count] = $1 }
    !($1 in now) || $2 != was[$1] { now[$1] = $2 }
    END { for (n = 1; n <= count; n++) print order[n], now[order[n]] }' base ours theirs >fees.txt
rm base ours theirs
git add fees.txt
git commit -q --no-edit

# 2. Rebase
git switch -q search
GIT_SEQUENCE_EDITOR="sed -i 's/^pick/reword/'" GIT_EDITOR="sh '$here/ticket.sh'" \
    git rebase -q -i --autosquash main

# 3. Bisect
git switch -q main
git bisect start main v1.0 >/dev/null
git bisect run sh test.sh >/dev/null
git tag first-bad refs/bisect/bad
git bisect reset >/dev/null 2>&1

# 4. Take the key out
key=$(git log -p --format= main..payments -- payments.env | sed -n 's/^+PROVIDER_KEY=//p')
FILTER_BRANCH_SQUELCH_WARNING=1 git filter-branch -f --tag-name-filter cat --tree-filter "
    for file in \$(grep -rlF $key .); do
        sed -i /$key/d \$file
        [ -s \$file ] || rm \$file
    done" -- ^main payments demo >/dev/null

# 5. Push
git push -q origin main search payments first-bad demo
