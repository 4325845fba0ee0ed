#!/bin/sh
# SPDX-License-Identifier: ISC
# Writes dist/svconn-VERSION.tar.gz: the source tree with the joined files in it. The same tree gives the same bytes, from the repository or from
# such a tarball: names in order, one time for all (SOURCE_DATE_EPOCH, or that of the commit), no owner, two modes. Needs GNU tar and gzip.
set -eu
LC_ALL=C
export LC_ALL
cd "$(dirname "$0")/.."
here=packaging/amalgamation
version=$(sed -n 's/^#define SVCONN_VERSION "\([^"]*\)".*/\1/p' svc/svconn.h)
name=svconn-${version:?}
if ! tar --version 2>/dev/null | grep -q 'GNU tar'; then echo "$0: tar is not GNU tar" >&2; exit 1; fi
mkdir -p dist
tmp=$(mktemp -d dist/.new.XXXXXX)
trap 'rm -rf "$tmp"' EXIT

# MANIFEST has the names of all files in the tarball; three kinds of them are made here.
if [ -e .git ]; then
    git ls-files -c >"$tmp/files"
    when=$(git log -1 --format=%ct)
else
    grep -vxE "MANIFEST|$here/origin|dist/.*" MANIFEST >"$tmp/files"
    when=$(sed -n 2p $here/origin)
fi
mkdir "$tmp/$name"
tar -cf "$tmp/tree.tar" -T "$tmp/files"
tar -xf "$tmp/tree.tar" -C "$tmp/$name"
printf '%s\n%s\n' "$(sh $here/make.sh --origin)" "${SOURCE_DATE_EPOCH:-$when}" >"$tmp/$name/$here/origin"
sh "$tmp/$name/$here/make.sh" "$tmp/$name/dist"
(cd "$tmp/$name" && : >MANIFEST && find . -type f | sed 's,^\./,,' | sort >"../all" && mv ../all MANIFEST)
tar --format=ustar --sort=name --mtime="@${SOURCE_DATE_EPOCH:-$when}" --owner=0 --group=0 --numeric-owner --mode=u=rwX,go=rX \
    -C "$tmp" -cf "$tmp/$name.tar" "$name"
gzip -9n "$tmp/$name.tar"
chmod 644 "$tmp/$name.tar.gz"
mv "$tmp/$name.tar.gz" dist/
echo "dist/$name.tar.gz"
