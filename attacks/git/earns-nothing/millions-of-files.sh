# A branch whose tree has more files than anybody can look at, made of ten objects.
for git in */.git *.git; do
    export GIT_DIR="$git"
    name=$(echo x | git hash-object -w --stdin) mode=100644 kind=blob
    for _ in 1 2 3 4 5 6 7 8 9; do
        tree=$(for n in 0 1 2 3 4 5 6 7 8 9; do
            printf '%s %s %s\t%s\n' "$mode" "$kind" "$name" "$n"
        done | git mktree)
        name=$tree mode=040000 kind=tree
    done
    export GIT_AUTHOR_NAME=A GIT_AUTHOR_EMAIL=a@example.com
    export GIT_COMMITTER_NAME=A GIT_COMMITTER_EMAIL=a@example.com
    commit=$(echo x | git commit-tree "$name")
    for branch in main search payments; do
        git update-ref "refs/heads/$branch" "$commit"
    done
done
