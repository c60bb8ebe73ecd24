"What `mkdocs` is told beside mkdocs.yml: the chapters in order, links between notebooks, and nothing from elsewhere."
import os, re

from thau.lab.book import chapters

ONLY = os.environ.get('THAU_SITE_ONLY') # A few rooms, for a test

def on_config(config):
    found = [c for c in chapters(config.docs_dir) if not ONLY or not c.room or c.room in ONLY.split(',')]
    nav = {'Book': ['index.ipynb']}
    for c in found: nav.setdefault(c.room.capitalize() or 'Book', []).append({c.title: f'{c.name}.ipynb'})
    config.nav = [{room: pages} for room, pages in nav.items()]
    if ONLY: # Pages that are not listed would be built all the same
        from pathspec import GitIgnoreSpec
        config.exclude_docs = GitIgnoreSpec.from_lines(['*.ipynb', '!index.ipynb', *(f'!{c.name}.ipynb' for c in found)])
    return config

def on_page_content(html, page, config, files): return re.sub(r'href="([^":]+)\.ipynb(["#])', r'href="\1.html\2', html)

STYLE = '<style>.jp-InputPrompt, .jp-OutputPrompt {display: none !important}</style>' # Saved cells have no numbers

def on_post_page(output, page, config): # MathJax and the like: the book has no formula that needs them
    return re.sub(r'<script[^>]+src="https?:[^>]*>\s*</script>', '', output).replace('</head>', f'{STYLE}</head>', 1)
