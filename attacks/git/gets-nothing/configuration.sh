# A configuration that runs commands wherever git asks it, and includes files.
say="sh -c 'echo GOT \"\"THROUGH: the configuration ran >&2; exit 1' #"
for git in */.git *.git; do
    for key in core.fsmonitor core.pager core.editor core.sshCommand core.alternateRefsCommand \
        filter.x.clean filter.x.smudge filter.x.process diff.external gpg.program \
        uploadpack.packObjectsHook credential.helper; do
        git config --file "$git/config" "$key" "$say"
    done
    git config --file "$git/config" include.path /etc/passwd
    git config --file "$git/config" core.worktree /
    mkdir -p "$git/info"
    echo '* filter=x diff=x' >"$git/info/attributes"
done
