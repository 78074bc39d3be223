"""Fetch what pages bring along from npm: HTMX for browsers, axe-core for the tests of pages.

    python web_assets.py TARGET

Runs in the builder environment of `environment.py`. Nothing is fetched at run time:
`entrypoints/pages/assets.py` serves the files from where this script puts them.
"""

import sys
from pathlib import Path

from npm_packages import npm_tarball, take_from_tarball

# npm package -> (version, sha512 of the tarball as npm states it, files taken)
NPM_PACKAGES = {
    "htmx.org": (  # 0BSD
        "2.0.11",
        "Thx/WtpeOQqSrqBCw/A1cwGJGg4UrVa3+sW0GmrM3p4gJgO89ecH4qtbnyzDDWFvBTqjnIMCgELTNt636dtamA==",
        ("package/dist/htmx.min.js",),
    ),
    "axe-core": (  # MPL-2.0; only tests use it
        "4.14.1",
        "FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ==",
        ("package/axe.min.js",),
    ),
}


def main() -> None:
    """Fill the folder given on the command line."""
    target = Path(sys.argv[1])
    target.mkdir(parents=True, exist_ok=True)
    for name, (version, sha512, members) in NPM_PACKAGES.items():
        take_from_tarball(npm_tarball(name, version, sha512), members, target)


if __name__ == "__main__":
    main()
