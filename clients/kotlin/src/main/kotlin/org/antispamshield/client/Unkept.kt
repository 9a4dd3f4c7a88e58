package org.antispamshield.client

/**
 * What became of things that wait, where the store could not be written, e.g. on a full device: what is settled is not sent again, and a pause is
 * kept. It lives as long as its outbox.
 */
internal class Unkept {
    /** By key: what was to be noted of one that is settled. */
    private val settled = LinkedHashMap<String, () -> Unit>()

    /** By key: one as it was to be written. */
    private val amended = LinkedHashMap<String, Pair<Waiting, () -> Unit>>()

    /** What was read from the store, as it stands; without what is settled. */
    @Synchronized
    fun of(waiting: List<Waiting>): List<Waiting> = waiting.filter { it.key !in settled }.map { amended[it.key]?.first ?: it }

    /** Note what became of one; where that fails, remember to. */
    @Synchronized
    fun settle(key: String, note: () -> Unit) {
        settled[key] = note
        note()
        settled.remove(key)
        amended.remove(key)
    }

    @Synchronized
    fun amend(one: Waiting, write: () -> Unit) {
        amended[one.key] = one to write
        write()
        amended.remove(one.key)
    }

    /** Note what could not be noted before. A pause holds without being written, too: where that fails, nothing has to wait for it. */
    @Synchronized
    fun catchUp() {
        for ((key, note) in settled.toList()) settle(key, note)
        for ((one, write) in amended.values.toList()) runCatching { amend(one, write) }
    }

    @Synchronized
    fun clear() {
        settled.clear()
        amended.clear()
    }
}
