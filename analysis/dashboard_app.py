"""The dashboard as Streamlit runs it; `photojury dashboard PLACE` does so with the right options.

It stands outside of analysis/dashboard/, because Streamlit takes a folder `pages` beside its script for an app of the
old kind, and would run a page that is asked for first without this frame.

streamlit run analysis/dashboard_app.py -- demo-study
"""

import sys
from pathlib import Path

from photojury.analysis.dashboard.frame import run

run(Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve())
