set -e
export GIT_AUTHOR_NAME=L GIT_AUTHOR_EMAIL=l@example.com GIT_COMMITTER_NAME=L GIT_COMMITTER_EMAIL=l@example.com
cd work
echo more >>a.txt
git commit -q -a -m 'More'
git branch -q -D side
rm -rf .git/logs
git gc -q --prune=now
