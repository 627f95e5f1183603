"""Votes as growing bars, and in words what they decide."""

from __future__ import annotations

from rich.cells import cell_len
from rich.text import Text

from promptkit.events import VotesCounted
from promptkit.render import frame
from promptkit.render.amounts import many
from promptkit.render.safe import clip, flow, one_line, parts
from promptkit.render.state import Snapshot


def live(snapshot: Snapshot, now: float, width: int, rows: int) -> list[Text]:
    """A frame of the vote so far, never more than `rows` lines."""

    def body(room: int, left: int) -> list[Text]:
        votes = snapshot.votes
        asked = [frame.question(snapshot, room), Text()] if left >= 8 else []
        waiting = [Text("no answer yet", style="dim")]
        return [*asked, *(bars(votes, room, left - len(asked)) if votes and votes.counts else waiting)]

    room = max(1, width - 2 * frame.margin(width))
    words = frame.tallies(snapshot, now)
    if snapshot.votes:
        # The vote tells its own count.
        words = [standing(snapshot.votes), *words[1:]]
    return frame.layout(snapshot, now, width, rows, body, Text(parts(words, room), style="dim"))


def final(snapshot: Snapshot, width: int, rows: int) -> list[Text]:
    """The bars and what they decide."""
    gap = frame.margin(width)
    room = max(1, width - 2 * gap)
    votes = snapshot.votes
    lines = [frame.header(snapshot, max(1, width - gap)), Text()]
    if votes is None:
        return frame.fitted([*lines, *frame.indented([Text("no votes were counted", style="dim")], gap)], width)
    drawn = bars(votes, room, max(3, rows - 4), over=True)
    ruled = [Text(line) for line in flow(ruling(votes), room)]
    return frame.fitted([*lines, *frame.indented([*drawn, *([Text()] if drawn else []), *ruled], gap)], width)


def standing(votes: VotesCounted) -> str:
    """`12/20 in · leader 18 cannot be caught`; ties and lost samples said plainly."""
    words = [f"{votes.seen}/{votes.n} in" if votes.n else f"{votes.seen} in"]
    leaders = _leaders(votes)
    if len(leaders) > 1:
        words.append(f"tie: {_listed(leaders)}")
    elif leaders:
        sealed = " cannot be caught" if votes.decided and votes.seen < votes.n else ""
        words.append(f"leader {_name(leaders[0])}{sealed}")
    return " · ".join([*words, *_lost(votes)])


def ruling(votes: VotesCounted) -> str:
    """`decided: leads by 12, none to come · every answer could be read`."""
    leaders = _leaders(votes)
    to_come = max(0, votes.n - votes.seen)
    state = "decided" if votes.decided or votes.ended else "stopped" if to_come else "undecided"
    standing = votes.weights or votes.counts
    if not leaders:
        said = "undecided: no answer could be read"
    elif len(leaders) > 1:
        said = f"tied: {_listed(leaders)} have {_amount(votes, standing[0][1])} each"
    elif len(standing) == 1:
        said = f"{state}: no other answer"
    else:
        said = f"{state}: leads by {_lead(votes, standing[0][1] - standing[1][1])}"
    if leaders:
        over = votes.decided or votes.ended
        rest = f"{many(to_come, 'sample')} not needed" if over else f"{many(to_come, 'sample')} missing"
        said += f", {rest}" if to_come else ", none to come"
    return " · ".join([said, *(_lost(votes) or ["every answer could be read"])])


def tie(votes: VotesCounted) -> str:
    """`A and B are tied`; "" where one is ahead, or none."""
    leaders = _leaders(votes)
    return f"{_listed(leaders)} are tied" if len(leaders) > 1 else ""


def _lost(votes: VotesCounted) -> list[str]:
    unread = f"{votes.unread} could not be read" if votes.unread else ""
    failed = f"{votes.failed} failed" if votes.failed else ""
    aside = f"{votes.aside} set aside" if votes.aside else ""
    return [words for words in (unread, failed, aside) if words]


def _leaders(votes: VotesCounted) -> list[str]:
    standing = votes.weights or votes.counts
    top = standing[0][1] if standing else 0
    return [answer for answer, amount in standing if amount == top and amount > 0]


def _amount(votes: VotesCounted, amount: float) -> str:
    return f"{amount:.4g} by weight" if votes.weights else many(int(amount), "vote")


def _lead(votes: VotesCounted, lead: float) -> str:
    return f"{lead:.3g} by weight" if votes.weights else f"{lead:g}"


def _name(answer: str, width: int = 24) -> str:
    return clip(one_line(answer), width) or "(empty)"


def _listed(leaders: list[str]) -> str:
    names = [_name(answer, 16) for answer in leaders[:3]]
    if len(leaders) > 3:
        names.append(f"{len(leaders) - 3} more")
    return f"{', '.join(names[:-1])} and {names[-1]}"


def bars(votes: VotesCounted, width: int, rows: int, *, over: bool = False) -> list[Text]:
    """One line an answer, best first; `over`: shares are of the samples seen, not of those wanted."""
    whole = max(1, votes.seen if over or not votes.n else max(votes.n, votes.seen))
    counts = votes.counts
    if rows <= 0:
        return []
    if len(counts) > rows:
        counts = counts[: max(0, rows - 1)]
    numbers = [f"{count}/{whole}" for _, count in counts]
    shares = [f"{count / whole:.0%}" for _, count in counts]
    digits = max((len(number) for number in numbers), default=0)
    tail = digits + (6 if width >= 32 else 0)  # " 100%" after the count
    longest = max((cell_len(_name(answer, 200)) for answer, _ in counts), default=0)
    label = max(1, min(longest, max(8, width // 3), width - 2 - 1 - tail))
    room = width - 2 - label - 2 - 3 - tail
    lines = []
    leaders = set(_leaders(votes))
    for (answer, count), number, share in zip(counts, numbers, shares, strict=True):
        ahead = answer in leaders
        name = _name(answer, label)
        line = Text("▸ " if ahead else "  ", style="bold green")
        line.append(name + " " * (label - cell_len(name)), style="bold" if ahead else "")
        if room >= 4:
            full = min(room, max(1, round(count / whole * room))) if count else 0
            line.append("  " + "█" * full, style="green" if ahead else "cyan").append(" " * (room - full + 3))
        else:
            line.append(" ")
        line.append(number.rjust(digits))
        if width >= 32:
            line.append(share.rjust(6), style="" if ahead else "dim")
        lines.append(line)
    if left := votes.counts[len(counts) :]:
        more = f"  … {len(left)} more answers, {many(sum(count for _, count in left), 'vote')}"
        lines.append(Text(clip(more, width), style="dim"))
    return lines
