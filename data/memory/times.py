"""Compare `thau.memory.times.when` with dateparser on times.jsonl: `python data/memory/times.py` writes times.json.

dateparser gives points in time, not intervals, so it is judged kindly: it is right where its first find falls on the day on which the interval begins, and where it finds nothing in a text without a time."""
import json, warnings
from datetime import datetime
from pathlib import Path

from dateparser.search import search_dates
from thau.engine.files import write_json
from thau.memory.times import when

warnings.filterwarnings('ignore')
HERE = Path(__file__).parent

def ours(case):
    "Whether the interval is exact."
    found = when(case['text'], datetime.fromisoformat(case['now']), case['tz'])
    return (found and found.start.isoformat(), found and found.end.isoformat()) == (case['start'], case['end'])

def theirs(case):
    "Whether the day is right."
    base = datetime.fromisoformat(case['now']).replace(tzinfo=None)
    found = search_dates(case['text'], languages=['es', 'en'], settings=dict(PREFER_DATES_FROM='past', RELATIVE_BASE=base))
    return not found if case['start'] is None else bool(found) and found[0][1].date().isoformat() == case['start'][:10]

cases = [json.loads(line) for line in (HERE/'times.jsonl').read_text('utf-8').splitlines()]
figures = []
for lang in ('es', 'en'):
    for time in (True, False):
        some = [c for c in cases if c['lang'] == lang and (c['start'] is not None) == time]
        figures.append(dict(lang=lang, time=time, cases=len(some), thau=sum(map(ours, some)), dateparser_day=sum(map(theirs, some))))
write_json(HERE/'times.json', figures)
print(json.dumps(figures, indent=1))
