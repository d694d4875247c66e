# Symbolic refs that lead to one another, and to themselves.
for git in */.git *.git; do
    for name in main search payments; do
        mkdir -p "$git/refs/heads"
        echo "ref: refs/heads/$name" >"$git/refs/heads/$name"
    done
    echo 'ref: HEAD' >"$git/HEAD"
done
