"""Two-minute exercises over real runs: what a vote, a search, a sampling rule or an example does, predicted first."""

from promptkit.lessons.desk import Desk
from promptkit.lessons.exercise import Exercise, Question
from promptkit.lessons.shelf import LESSONS, exercise

__all__ = ["LESSONS", "Desk", "Exercise", "Question", "exercise"]
