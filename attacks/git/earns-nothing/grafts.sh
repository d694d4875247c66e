# Tells git of other parents than those that commits have.
for git in */.git *.git; do
    mkdir -p "$git/info"
    commits=$(git --git-dir="$git" rev-list --all)
    for commit in $commits; do
        echo "$commit" $commits
    done >"$git/info/grafts"
    echo "$commits" >"$git/shallow"
done
