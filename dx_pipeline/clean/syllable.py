"""Is a word a Vietnamese syllable? Judged by its onset, rhyme and tone, not by a dictionary.

Tables: the onsets and rhymes (vần) of the modern orthography; a syllable that ends in c, ch, p or t
only takes the tones sắc and nặng. Old and new tone placement (hoà, hòa) are the same syllable.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache

TONES = frozenset("\u0300\u0301\u0303\u0309\u0323")
_SHARP_OR_HEAVY = frozenset("\u0301\u0323")

# Letters of the Vietnamese alphabet beyond Latin-1: proof that a text is Unicode Vietnamese already.
VIETNAMESE_ONLY = frozenset("ĂăĐđĨĩŨũƠơƯư") | frozenset(chr(c) for c in range(0x1EA0, 0x1EFA))

_FRONT = frozenset("eêiy")
_ONSETS = frozenset("b c ch d đ g gh gi h k kh l m n ng ngh nh p ph qu r s t th tr v x".split()) | {""}
_HIGHLAND_ONSETS = frozenset("bl br chr dr đl đr gl gr hl kl kr ml mr pl pr rl sr tl".split())

_RHYMES = frozenset(
    """
    a ac ach ai am an ang anh ao ap at au ay ăc ăm ăn ăng ăp ăt âc âm ân âng âp ât âu ây
    e ec em en eng eo ep et ê êch êm ên ênh êp êt êu
    i ia ich iêc iêm iên iêng iêp iêt iêu im in inh ip it iu
    o oa oac oach oai oam oan oang oanh oao oap oat oay oăc oăm oăn oăng oăt oc oe oen oeo oet oi om on
    ong ooc oong op ot ô ôc ôi ôm ôn ông ôp ôt ơ ơi ơm ơn ơp ơt
    u ua uân uâng uât uây uc uê uêch uên uênh uêt ui um un ung uơ uôc uôi uôm uôn uông uôt up ut
    uy uya uych uyên uyêt uyn uynh uyp uyt uyu ư ưa ưc ươc ươi ươm ươn ương ươp ươt ươu ưi ưm ưn ưng ưt ưu
    y yêm yên yêng yêt yêu
    """.split()
)
_GI_RHYMES = frozenset(r for r in _RHYMES if r[0] not in "iy")
_QU_RHYMES = frozenset(
    """
    a ac ach ai am an ang anh ao at au ay ăc ăm ăn ăng ăp ăt âc ân âng ât âu ây e en eo et
    ê êch ên ênh êt êu i ich in inh it iêt iên ơ ơi ơn ôc y ych yên yêt yn ynh yt
    """.split()
)


@lru_cache(maxsize=100_000)
def is_syllable(word: str) -> bool:
    """True if the word (any case, NFC) can be one Vietnamese syllable."""
    return _is_syllable(word.lower(), _ONSETS)


@lru_cache(maxsize=20_000)
def is_place_word(word: str) -> bool:
    """True for a syllable with a highland onset (Krông) or two syllables run together (Đakrông)."""
    word = word.lower()
    onsets = _ONSETS | _HIGHLAND_ONSETS
    if _is_syllable(word, onsets):
        return True
    cuts = [i for i in range(2, len(word) - 1) if _is_consonant(word[i])]
    return any(_is_syllable(word[:i], onsets) and _is_syllable(word[i:], onsets) for i in cuts)


def _is_consonant(letter: str) -> bool:
    return unicodedata.normalize("NFD", letter)[0] not in "aeiouy"


def _is_syllable(word: str, onsets: frozenset[str]) -> bool:
    if not 1 <= len(word) <= 7:
        return False
    marks = [c for c in unicodedata.normalize("NFD", word) if c in TONES]
    if len(marks) > 1:
        return False
    plain = unicodedata.normalize("NFC", "".join(c for c in unicodedata.normalize("NFD", word) if c not in TONES))
    if not any(_fits(plain[:cut], plain[cut:], onsets) for cut in range(min(4, len(plain)))):
        return False
    if plain.endswith(("c", "ch", "p", "t")) and marks:
        return marks[0] in _SHARP_OR_HEAVY
    return True


def _fits(onset: str, rhyme: str, onsets: frozenset[str]) -> bool:
    if onset not in onsets or not rhyme:
        return False
    if onset == "qu":
        return rhyme in _QU_RHYMES
    if onset == "gi":
        return rhyme in _GI_RHYMES
    if onset in ("k", "gh", "ngh"):
        return rhyme in _RHYMES and rhyme[0] in _FRONT
    if onset in ("c", "ng"):
        return rhyme in _RHYMES and rhyme[0] not in _FRONT
    if onset == "g":
        return rhyme in _RHYMES and rhyme[0] not in "eêy"
    return rhyme in _RHYMES
