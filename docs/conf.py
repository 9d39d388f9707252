"""The documentation site: Sphinx over the pages of this folder, docstrings of the package and the public C header.

Nothing is fetched while it is built, and nothing by who reads it. `tools/docs.sh` builds it.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "extensions"))

import starlings

project = "Starlings"
author = "the Starlings developers"
version = release = starlings.__version__
language = "en-GB"

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
    "hawkmoth",
    "docstring_names",
    "header_sections",
    "pages_from_outside",
]
exclude_patterns = ["_build", "extensions", "figures/*.py"]

# pages

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 4
myst_links_external_new_tab = False

# docstrings: numpydoc, where a single backtick is a name of the package or of a parameter

highlight_language = "text"
default_role = "py:obj"
napoleon_google_docstring = False
napoleon_use_rtype = False
napoleon_use_ivar = True
napoleon_preprocess_types = False
OTHER_PEOPLES = (
    "Sequence, Mapping, Generic, BaseException, tuple, dict, object"  # members inherited from these: left out
)
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_type_aliases = {
    name: name for name in ("EdgesLike", "KeyLike", "KeysLike", "Progress", "RecordName", "RecordsLike")
}
autodoc_default_options = {"members": True, "inherited-members": OTHER_PEOPLES}
python_maximum_signature_line_length = 88
c_maximum_signature_line_length = 88
add_module_names = False
toc_object_entries_show_parents = "hide"

# the C interface; `header_sections` prepares the header

hawkmoth_clang = ["-DSL_API=", "-DSL_MUST_USE="]
hawkmoth_compiler = "cc"
hawkmoth_autoconf = ["stdinc"]

# the look

html_theme = "furo"
html_title = f"Starlings {release}"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_show_sphinx = False
html_show_copyright = False
html_copy_source = False
html_theme_options = {"navigation_with_keys": True}
pygments_style = "tango"
pygments_dark_style = "github-dark"
