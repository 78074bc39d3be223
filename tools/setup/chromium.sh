#!/bin/sh
# Debian's Chromium for the tests of pages, where this may be installed (root on Debian or Ubuntu).
# Without it those tests are skipped, and one line says so. `--with-fonts`: for screenshots in Chinese.
set -u
packages=""
command -v "${SHIMING_CHROMIUM:-chromium}" >/dev/null 2>&1 || packages="chromium"
if [ "${1:-}" = "--with-fonts" ] && ! fc-list :lang=zh 2>/dev/null | grep -q .; then
  packages="$packages fonts-noto-cjk"
fi
[ -n "$packages" ] || exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  echo "[setup] installing $packages"
  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $packages; } \
    >/dev/null 2>&1 && exit 0
fi
echo "[setup] not installed: $packages - the tests of pages in a browser will be skipped"
