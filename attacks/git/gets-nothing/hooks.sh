# Every hook that git knows, and each speaks.
for git in */.git *.git; do
    mkdir -p "$git/hooks"
    for name in applypatch-msg commit-msg fsmonitor-watchman post-applypatch post-checkout \
        post-commit post-index-change post-merge post-receive post-rewrite post-update \
        pre-applypatch pre-auto-gc pre-commit pre-merge-commit pre-push pre-rebase pre-receive \
        prepare-commit-msg proc-receive push-to-checkout reference-transaction update; do
        printf '#!/bin/sh\necho "GOT %s: a hook ran" >&2\nexit 1\n' THROUGH >"$git/hooks/$name"
        chmod 755 "$git/hooks/$name"
    done
done
