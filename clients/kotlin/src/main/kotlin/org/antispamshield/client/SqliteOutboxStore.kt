package org.antispamshield.client

import java.io.File
import java.sql.Connection
import java.sql.DriverManager
import java.sql.PreparedStatement
import java.sql.ResultSet
import kotlinx.serialization.encodeToString

/** What an outbox asks of SQLite, for every platform's SQLite alike. */
public object OutboxSql {
    public val SCHEMA: List<String> = listOf(
        """CREATE TABLE IF NOT EXISTS letters (
             key TEXT PRIMARY KEY, scan_id TEXT NOT NULL UNIQUE, body TEXT NOT NULL, scam INTEGER NOT NULL,
             written_at INTEGER NOT NULL, attempts INTEGER NOT NULL, held_until INTEGER NOT NULL, holds_all INTEGER NOT NULL)""",
        """CREATE TABLE IF NOT EXISTS outcomes (
             scan_id TEXT PRIMARY KEY, sent INTEGER NOT NULL, scam INTEGER NOT NULL, comment TEXT NOT NULL, message TEXT, at INTEGER NOT NULL)""",
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
}

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
        run(OutboxSql.POST, letter.key, letter.body.scanId, json.encodeToString(letter.body), letter.scam, letter.writtenAt, letter.attempts, letter.heldUntil, letter.holdsAll)
        run(OutboxSql.FORGET_OUTCOME, letter.body.scanId)
    }

    override fun amend(letter: Letter): Unit = whole { run(OutboxSql.AMEND, letter.attempts, letter.heldUntil, letter.holdsAll, letter.key) }

    override fun settle(letter: Letter, outcome: Outcome): Unit = whole {
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

    override fun clear(): Unit = whole {
        run("DELETE FROM letters")
        run("DELETE FROM outcomes")
    }

    @Synchronized
    override fun close(): Unit = connection.close()

    private fun letterIn(row: ResultSet) = Letter(
        row.getString(1), json.decodeFromString(row.getString(2)), row.getBoolean(3), row.getLong(4), row.getInt(5), row.getLong(6), row.getBoolean(7),
    )

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
