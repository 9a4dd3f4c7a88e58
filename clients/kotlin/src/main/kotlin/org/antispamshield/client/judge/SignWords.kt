package org.antispamshield.client.judge

import java.util.concurrent.ConcurrentHashMap

/** A text as plain words: folded, small, without accents; Arabic ones without the article and an "and". As `wordsOf` of `judge/reasons.ts`. */
internal class SignWords(private val characters: Characters) {
    private val normalise = NORMALISERS.getValue(NORMALISER)(characters)

    fun folded(text: IntArray): IntArray = normalise(text)

    fun of(text: String): List<String> {
        val read = points(text)
        val small = lower(folded(read.copyOf(minOf(read.size, LONGEST))), characters)
        val words = ArrayList<String>()
        val word = StringBuilder()
        fun end() {
            if (word.isNotEmpty()) words.add(bare(word.toString()))
            word.setLength(0)
        }
        for (written in decomposed(small, characters).toArray()) {
            if (within(written, ACCENTS) || written == TATWEEL) continue
            val point = ARABIC_ENDINGS[written] ?: written
            if (point == '_'.code || characters.isAlphanumeric(point) || within(point, VOWELS)) {
                word.appendCodePoint(point)
            } else {
                end()
                if (point in CURRENCIES) words.add(String(Character.toChars(point)))
            }
        }
        end()
        return words
    }

    private fun within(point: Int, ranges: List<IntRange>) = ranges.any { point in it }

    private fun bare(word: String): String {
        if (word[0] !in '\u0621'..'\u064a') return word
        return listOf("\u0648", "\u0627\u0644").fold(word) { left, prefix ->
            if (left.startsWith(prefix) && left.length >= prefix.length + 3) left.substring(prefix.length) else left
        }
    }

    private companion object {
        const val NORMALISER = "scam-text-v3"
        const val LONGEST = 5000
        const val TATWEEL = 0x640
        val ACCENTS = listOf(0x300..0x36f, 0x610..0x61a, 0x64b..0x65f)

        /** Vowel signs that are no letters, and no word ends at one. */
        val VOWELS = listOf(0x610..0x61a, 0x64b..0x65f, 0x900..0x963, 0x966..0x97f)
        val ARABIC_ENDINGS = mapOf(0x649 to 0x64a, 0x629 to 0x647)
        val CURRENCIES = "£$€₹".codePoints().toArray().toSet()
    }
}

/** Words in order, each with up to so many others before it. */
internal class Phrase private constructor(written: String) {
    private class Step(val word: String, val goesOn: Boolean, val gap: Int) {
        fun isAt(found: String) = if (goesOn) found.startsWith(word) else found == word
    }

    private val steps = written.split(' ').map {
        val word = it.removePrefix("+")
        Step(word.removeSuffix("*"), word.endsWith("*"), if (it.startsWith("+")) GAP else 0)
    }

    /** Whether it stands somewhere, and is not taken back by one of the words [back]. */
    fun stands(words: List<String>, back: Set<String>): Boolean = words.indices.any { start ->
        val end = if (steps[0].isAt(words[start])) endFrom(start, words) else -1
        end >= 0 && (maxOf(0, start - BEFORE)..end).none { words[it] in back }
    }

    private fun endFrom(start: Int, words: List<String>): Int = steps.drop(1).fold(start) { at, step ->
        if (at < 0) -1 else (at + 1..minOf(at + 1 + step.gap, words.size - 1)).firstOrNull { step.isAt(words[it]) } ?: -1
    }

    companion object {
        private const val GAP = 3
        private const val BEFORE = 4
        private val parsed = ConcurrentHashMap<String, Phrase>()

        fun of(written: String): Phrase = parsed.computeIfAbsent(written, ::Phrase)
    }
}
