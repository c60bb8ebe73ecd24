"Everything is configured in `settings.ini`; edit there, not here."
from configparser import ConfigParser
from pathlib import Path
from setuptools import find_packages, setup

ini = ConfigParser(delimiters=['='])
ini.read('settings.ini', encoding='utf-8')
cfg = ini['DEFAULT']
lib = cfg['lib_path']
extras = {k.removesuffix('_requirements'): v.split() for k, v in cfg.items() if k.endswith('_requirements')}
extras['dev'] = sorted({need for needs in extras.values() for need in needs})

setup(
    name=cfg['lib_name'], version=cfg['version'], description=cfg['description'],
    long_description=Path('README.md').read_text('utf-8'), long_description_content_type='text/markdown',
    author=cfg['author'], author_email=cfg['author_email'], license=cfg['license'], license_files=['LICENSE', 'NOTICE'],
    url=cfg['git_url'], keywords=cfg['keywords'].split(),
    python_requires='>=' + cfg['min_python'],
    packages=[*find_packages(include=[lib, lib + '.*']), f'{lib}.data'],
    package_dir={f'{lib}.data': 'data'},        # data/ stands beside thau/ in a checkout, inside it once installed
    package_data={f'{lib}.data': ['**/*']},
    install_requires=cfg['requirements'].split(), extras_require=extras,
    entry_points={'console_scripts': cfg['console_scripts'].split(), 'nbdev': [f'{lib}={lib}._modidx:d']},
)
