package org.antispamshield.client

import java.io.File
import java.sql.Connection
import java.sql.DriverManager
import java.sql.PreparedStatement
import java.sql.ResultSet
import kotlinx.serialization.Serializable
import kotlinx.serialization.encodeToString

/** What an outbox asks of SQLite, for every platform's SQLite alike. */
public object OutboxSql {
    public val SCHEMA: List<String> = listOf(
        """CREATE TABLE IF NOT EXISTS letters (
             key TEXT PRIMARY KEY, scan_id TEXT NOT NULL UNIQUE, body TEXT NOT NULL, scam INTEGER NOT NULL,
             written_at INTEGER NOT NULL, attempts INTEGER NOT NULL, held_until INTEGER NOT NULL, holds_all INTEGER NOT NULL)""",
        """CREATE TABLE IF NOT EXISTS outcomes (
             scan_id TEXT PRIMARY KEY, sent INTEGER NOT NULL, scam INTEGER NOT NULL, comment TEXT NOT NULL, message TEXT, at INTEGER NOT NULL)""",
        """CREATE TABLE IF NOT EXISTS on_server (
             scan_id TEXT PRIMARY KEY, id TEXT NOT NULL, verdict TEXT NOT NULL, at INTEGER NOT NULL)""",
        """CREATE TABLE IF NOT EXISTS tallies (
             key TEXT PRIMARY KEY, scan_type TEXT NOT NULL, version TEXT NOT NULL, harmless INTEGER NOT NULL, scam INTEGER NOT NULL,
             unsure INTEGER NOT NULL, attempts INTEGER NOT NULL, held_until INTEGER NOT NULL, holds_all INTEGER NOT NULL)""",
    )
    public const val LETTERS: String = "SELECT key, body, scam, written_at, attempts, held_until, holds_all FROM letters ORDER BY written_at, key"

    /** `scan_id` is unique: a newer letter of a scan takes the place of the older one. */
    public const val POST: String = "INSERT OR REPLACE INTO letters (key, scan_id, body, scam, written_at, attempts, held_until, holds_all) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
    public const val FORGET_OUTCOME: String = "DELETE FROM outcomes WHERE scan_id = ?"
    public const val AMEND: String = "UPDATE letters SET attempts = ?, held_until = ?, holds_all = ? WHERE key = ?"
    public const val DROP: String = "DELETE FROM letters WHERE key = ?"
    public const val KEEP_OUTCOME: String = "INSERT OR REPLACE INTO outcomes (scan_id, sent, scam, comment, message, at) VALUES (?, ?, ?, ?, ?, ?)"

    /** The server knows them all. */
    public const val FEWER_OUTCOMES: String = "DELETE FROM outcomes WHERE scan_id NOT IN (SELECT scan_id FROM outcomes ORDER BY at DESC LIMIT 200)"
    public const val OUTCOME: String = "SELECT scan_id, sent, scam, comment, message, at FROM outcomes WHERE scan_id = ?"
    public const val ON_SERVER: String = "SELECT id, verdict FROM on_server WHERE scan_id = ?"
    public const val KEEP_ON_SERVER: String = "INSERT OR REPLACE INTO on_server (scan_id, id, verdict, at) VALUES (?, ?, ?, ?)"
    public const val FEWER_ON_SERVER: String = "DELETE FROM on_server WHERE scan_id NOT IN (SELECT scan_id FROM on_server ORDER BY at DESC LIMIT 200)"
    public const val TALLIES: String = "SELECT scan_type, version, key, harmless, scam, unsure, attempts, held_until, holds_all FROM tallies ORDER BY version, rowid"

    public const val KEEP_TALLY: String = "INSERT OR REPLACE INTO tallies (key, scan_type, version, harmless, scam, unsure, attempts, held_until, holds_all) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
    public const val AMEND_TALLY: String = "UPDATE tallies SET attempts = ?, held_until = ?, holds_all = ? WHERE key = ?"
    public const val DROP_TALLY: String = "DELETE FROM tallies WHERE key = ?"

    /** What stands in the column `body`: the feedback, and the report with it. */
    public fun bodyOf(letter: Letter): String = with(letter.body) { json.encodeToString(KeptBody(scanId, feedbackType, actualLabel, comment, letter.report)) }

    /** A letter by the columns of [LETTERS], in their order. */
    public fun letterOf(key: String, body: String, scam: Boolean, writtenAt: Long, attempts: Int, heldUntil: Long, holdsAll: Boolean): Letter {
        val kept = json.decodeFromString<KeptBody>(body)
        val feedback = FeedbackBody(kept.scanId, kept.feedbackType, kept.actualLabel, kept.comment)
        return Letter(key, feedback, scam, writtenAt, attempts, heldUntil, holdsAll, kept.report)
    }
}

@Serializable
private class KeptBody(val scanId: String, val feedbackType: FeedbackType, val actualLabel: String, val comment: String? = null, val report: DeviceReport? = null)

/** Letters in a SQLite file, by `org.xerial:sqlite-jdbc`. Several processes may open the same file. */
public class SqliteOutboxStore(file: File) : OutboxStore, AutoCloseable {
    private val connection: Connection = DriverManager.getConnection("jdbc:sqlite:${file.path}")

    init {
        connection.createStatement().use { statement ->
            statement.execute("PRAGMA journal_mode = WAL")
            statement.execute("PRAGMA synchronous = FULL") // kept means: kept when the battery dies now
            statement.execute("PRAGMA busy_timeout = 10000")
            OutboxSql.SCHEMA.forEach(statement::execute)
        }
    }

    @Synchronized
    override fun letters(): List<Letter> = prepared(OutboxSql.LETTERS) { statement ->
        statement.executeQuery().use { rows -> generateSequence { if (rows.next()) letterIn(rows) else null }.toList() }
    }

    override fun post(letter: Letter): Unit = whole {
        run(OutboxSql.POST, letter.key, letter.body.scanId, OutboxSql.bodyOf(letter), letter.scam, letter.writtenAt, letter.attempts, letter.heldUntil, letter.holdsAll)
        run(OutboxSql.FORGET_OUTCOME, letter.body.scanId)
    }

    override fun amend(letter: Letter): Unit = whole { run(OutboxSql.AMEND, letter.attempts, letter.heldUntil, letter.holdsAll, letter.key) }

    override fun settle(letter: Letter, outcome: Outcome, onServer: OnServer?): Unit = whole {
        if (onServer != null) {
            run(OutboxSql.KEEP_ON_SERVER, outcome.scanId, onServer.id, onServer.verdict, outcome.at)
            run(OutboxSql.FEWER_ON_SERVER)
        }
        if (run(OutboxSql.DROP, letter.key) == 0) return@whole
        run(OutboxSql.KEEP_OUTCOME, outcome.scanId, outcome.sent, outcome.scam, outcome.comment, outcome.message, outcome.at)
        run(OutboxSql.FEWER_OUTCOMES)
    }

    @Synchronized
    override fun outcome(scanId: String): Outcome? = prepared(OutboxSql.OUTCOME) { statement ->
        statement.setString(1, scanId)
        statement.executeQuery().use { row ->
            if (!row.next()) null
            else Outcome(row.getString(1), row.getBoolean(2), row.getBoolean(3), row.getString(4), row.getString(5), row.getLong(6))
        }
    }

    @Synchronized
    override fun onServer(scanId: String): OnServer? = prepared(OutboxSql.ON_SERVER) { statement ->
        statement.setString(1, scanId)
        statement.executeQuery().use { row -> if (row.next()) OnServer(row.getString(1), row.getString(2)) else null }
    }

    @Synchronized
    override fun tallies(): List<Tally> = prepared(OutboxSql.TALLIES) { statement ->
        statement.executeQuery().use { rows -> generateSequence { if (rows.next()) tallyIn(rows) else null }.toList() }
    }

    override fun keepTally(tally: Tally): Unit = whole {
        val (harmless, scam, unsure) = tally.counts
        run(OutboxSql.KEEP_TALLY, tally.key, tally.type.name, tally.version, harmless, scam, unsure, tally.attempts, tally.heldUntil, tally.holdsAll)
    }

    override fun amendTally(tally: Tally): Unit = whole { run(OutboxSql.AMEND_TALLY, tally.attempts, tally.heldUntil, tally.holdsAll, tally.key) }

    override fun dropTally(key: String): Unit = whole { run(OutboxSql.DROP_TALLY, key) }

    override fun clear(): Unit = whole {
        for (table in listOf("letters", "outcomes", "on_server", "tallies")) run("DELETE FROM $table")
    }

    @Synchronized
    override fun close(): Unit = connection.close()

    private fun letterIn(row: ResultSet) = OutboxSql.letterOf(
        row.getString(1), row.getString(2), row.getBoolean(3), row.getLong(4), row.getInt(5), row.getLong(6), row.getBoolean(7),
    )

    private fun tallyIn(row: ResultSet): Tally {
        val counts = Counts(row.getInt(4), row.getInt(5), row.getInt(6))
        return Tally(ScanType.valueOf(row.getString(1)), row.getString(2), row.getString(3), counts, row.getInt(7), row.getLong(8), row.getBoolean(9))
    }

    private fun run(sql: String, vararg values: Any?): Int = prepared(sql) { statement ->
        values.forEachIndexed { at, value -> statement.setObject(at + 1, value) }
        statement.executeUpdate()
    }

    private fun <T> prepared(sql: String, use: (PreparedStatement) -> T): T = connection.prepareStatement(sql).use(use)

    @Synchronized
    private fun whole(work: () -> Unit) {
        connection.autoCommit = false
        try {
            work()
            connection.commit()
        } catch (error: Throwable) {
            connection.rollback()
            throw error
        } finally {
            connection.autoCommit = true
        }
    }
}
