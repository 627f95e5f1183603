"""How each language says "Answer:". What templates ask a model to write is what the readers look for."""

from __future__ import annotations

DEFAULT = "en"
MARKERS = {
    "en": "Answer:",
    "ar": "الجواب:",
    "cs": "Odpověď:",
    "da": "Svar:",
    "de": "Antwort:",
    "es": "Respuesta:",
    "fr": "Réponse :",
    "hi": "उत्तर:",
    "id": "Jawaban:",
    "it": "Risposta:",
    "ja": "答え：",
    "ko": "정답:",
    "nl": "Antwoord:",
    "no": "Svar:",
    "pl": "Odpowiedź:",
    "pt": "Resposta:",
    "ru": "Ответ:",
    "sv": "Svar:",
    "tr": "Cevap:",
    "uk": "Відповідь:",
    "zh": "答案：",
}
