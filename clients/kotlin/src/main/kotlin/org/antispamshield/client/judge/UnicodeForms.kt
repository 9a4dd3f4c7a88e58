package org.antispamshield.client.judge

// Normalisation form KC and lower case, as Python computes them, over the tables that came with the judge.
// Source: Unicode 16, sections 3.11 (normalisation), 3.12 (Hangul), 3.13 (final sigma).

private const val S = 0xac00
private const val L = 0x1100
private const val V = 0x1161
private const val T = 0x11a7
private const val L_COUNT = 19
private const val V_COUNT = 21
private const val T_COUNT = 28
private const val SYLLABLES = L_COUNT * V_COUNT * T_COUNT
private const val CAPITAL_SIGMA = 0x3a3
private const val SIGMA = 0x3c3
private const val FINAL_SIGMA = 0x3c2

/** Compatibility decomposition, marks in order, then composed again. */
internal fun nfkc(text: IntArray, characters: Characters): IntArray = composed(decomposed(text, characters), characters)

/** Compatibility decomposition, marks in order. */
internal fun decomposed(text: IntArray, characters: Characters): Points {
    val out = Points(text.size)
    for (point in text) {
        val syllable = point - S
        if (syllable in 0 until SYLLABLES) {
            out.add(L + syllable / (V_COUNT * T_COUNT))
            out.add(V + syllable % (V_COUNT * T_COUNT) / T_COUNT)
            if (syllable % T_COUNT > 0) out.add(T + syllable % T_COUNT)
        } else {
            val parts = characters.decomposed(point)
            if (parts == null) out.add(point) else out.addAll(parts)
        }
    }
    // Neighbouring marks in the order of their classes; equal ones stay as they are written.
    for (at in 1 until out.size) {
        val rank = characters.rank(out[at])
        if (rank == 0) continue
        var place = at
        while (place > 0 && characters.rank(out[place - 1]) > rank) {
            val mark = out[place]
            out[place] = out[place - 1]
            out[place - 1] = mark
            place--
        }
    }
    return out
}

private fun composed(text: Points, characters: Characters): IntArray {
    val out = Points(text.size)
    var starter = -1
    var before = 0 // class of what stands last behind the starter; 0: nothing does
    for (at in 0 until text.size) {
        val point = text[at]
        val rank = characters.rank(point)
        if (starter >= 0 && (before < rank || out.size == starter + 1)) {
            val one = pair(out[starter], point, characters)
            if (one != null) {
                out[starter] = one
                continue
            }
        }
        if (rank == 0) starter = out.size
        before = rank
        out.add(point)
    }
    return out.toArray()
}

private fun pair(first: Int, second: Int, characters: Characters): Int? {
    if (first in L until L + L_COUNT && second in V until V + V_COUNT) return S + ((first - L) * V_COUNT + (second - V)) * T_COUNT
    val syllable = first - S
    if (syllable in 0 until SYLLABLES && syllable % T_COUNT == 0 && second > T && second < T + T_COUNT) return first + (second - T)
    return characters.composed(first, second)
}

/** `str.lower()`: a sigma at the end of a word has a form of its own. */
internal fun lower(text: IntArray, characters: Characters): IntArray {
    val out = Points(text.size)
    text.forEachIndexed { at, point ->
        if (point == CAPITAL_SIGMA) {
            out.add(if (endsWord(text, at, characters)) FINAL_SIGMA else SIGMA)
        } else {
            val small = characters.lowered(point)
            if (small == null) out.add(point) else out.addAll(small)
        }
    }
    return out.toArray()
}

private fun endsWord(text: IntArray, at: Int, characters: Characters): Boolean {
    var place = at - 1
    while (place >= 0 && characters.isCaseIgnorable(text[place])) place--
    if (place < 0 || !characters.isCased(text[place])) return false
    place = at + 1
    while (place < text.size && characters.isCaseIgnorable(text[place])) place++
    return place == text.size || !characters.isCased(text[place])
}
