from bench.results import Results as Results
from bench.results import load_results as load_results

__version__: str
