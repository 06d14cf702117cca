import FoundationEssentials
package import GatepostModel
import Postgres

/// What a captured mail says; sealed in its row, because its links and codes work.
package struct CapturedContent: Codable, Sendable, Hashable {
    package let from: String
    package let subject: String
    package let text: String
    package let html: String
    /// As it would have gone over the wire.
    package let raw: String

    /// Takes a finished mail.
    package init(from: String, subject: String, text: String, html: String, raw: String) {
        (self.from, self.subject, self.text, self.html, self.raw) = (from, subject, text, html, raw)
    }

    /// Opens what a row holds; throws `SealBroken` where another key or another row's was used.
    package init(sealed: [UInt8], of mail: MessageID, in app: AppID, keys: KeyRing) throws {
        let json = try keys.open(sealed, at: Self.place(of: mail, in: app))
        self = try JSONDecoder().decode(CapturedContent.self, from: Data(json))
    }

    /// The form in which a row holds it.
    package func sealed(of mail: MessageID, in app: AppID, keys: KeyRing) throws -> [UInt8] {
        try keys.seal(Array(try JSONEncoder().encode(self)), at: Self.place(of: mail, in: app))
    }

    private static func place(of mail: MessageID, in app: AppID) -> SealedPlace {
        SealedPlace(table: "captured_mails", column: "content_sealed", app: app, row: mail.uuid.bytes)
    }
}

/// A mail that is to be kept.
package struct NewCapturedMail: Sendable {
    package let id: MessageID
    package let kind: String
    package let userID: UserID?
    package let flowID: FlowID?
    package let recipient: EmailAddress
    package let contentSealed: [UInt8]

    /// Describes it.
    package init(
        id: MessageID, kind: String, userID: UserID?, flowID: FlowID?, recipient: EmailAddress, contentSealed: [UInt8]
    ) {
        (self.id, self.kind, self.userID, self.flowID) = (id, kind, userID, flowID)
        (self.recipient, self.contentSealed) = (recipient, contentSealed)
    }
}

/// A captured mail as its row says.
package struct CapturedMailRecord: Sendable {
    /// The most that are kept of an app; the oldest make room.
    package static let countMax = 1000

    /// The message's, what it was and whom it was about.
    package let id: MessageID
    package let kind: String
    package let userID: UserID?
    package let flowID: FlowID?
    /// As entered.
    package let recipient: String
    /// Empty where a list left it out.
    package let contentSealed: [UInt8]
    package let capturedAt: Instant

    init(_ row: PostgresRow) throws {
        (id, kind) = (try row.get("id"), try row.get("kind"))
        (userID, flowID) = (try row.get("user_id"), try row.get("flow_id"))
        (recipient, contentSealed) = (try row.get("recipient"), try row.get("content_sealed"))
        capturedAt = try row.get("captured_at")
    }
}

private func columns(withContent: Bool) -> SQL {
    let content: SQL = withContent ? "content_sealed" : "''::bytea as content_sealed"
    return "id, kind, user_id, flow_id, recipient, \(content), captured_at"
}

extension AppBatch {
    /// Keeps a mail, once, and lets the app's oldest make room.
    package mutating func insertCapturedMail(_ new: NewCapturedMail, at now: Instant) {
        add(
            """
            insert into captured_mails (app_id, id, kind, user_id, flow_id, recipient, content_sealed, captured_at)
            values (\(scope.appID), \(new.id), \(new.kind), \(new.userID), \(new.flowID), \(new.recipient.ascii),
                    \(new.contentSealed), \(now))
            on conflict (app_id, id) do nothing
            """)
        add(
            """
            delete from captured_mails
             where app_id = \(scope.appID)
               and (captured_at, id) <= (select captured_at, id from captured_mails
                                          where app_id = \(scope.appID)
                                          order by captured_at desc, id desc
                                         offset \(CapturedMailRecord.countMax) limit 1)
            """)
    }

    /// Captured mails, newest first, none older than they are kept.
    ///
    /// - Parameters:
    ///   - address: To whom; nil for all.
    ///   - cursor: Where the page before ended.
    ///   - now: The present time: a sweep is no boundary.
    ///   - limit: How many at most.
    ///   - withContent: Whether the rows come with what the mails say, which is most of them.
    /// - Returns: The mails.
    package mutating func capturedMails(
        to address: EmailAddress? = nil, after cursor: PageCursor? = nil, at now: Instant, limit: Int,
        withContent: Bool = false
    ) -> BatchReading<[CapturedMailRecord]> {
        let further: SQL = cursor.map { "and (captured_at, id) < (\($0.at), \($0.id))" } ?? ""
        let found: SQL = address.map { "and lower(recipient) = \($0.canonical)" } ?? ""
        return read(
            """
            select \(columns(withContent: withContent)) from captured_mails
             where app_id = \(scope.appID) and captured_at > \(now - Lifetimes.capturedMail) \(found) \(further)
             order by captured_at desc, id desc
             limit \(limit)
            """
        ) { try $0.map(CapturedMailRecord.init) }
    }

    /// One captured mail; nil if the app has none of this id any more.
    package mutating func capturedMail(_ id: MessageID, at now: Instant) -> BatchReading<CapturedMailRecord?> {
        read(
            """
            select \(columns(withContent: true)) from captured_mails
             where app_id = \(scope.appID) and id = \(id) and captured_at > \(now - Lifetimes.capturedMail)
            """
        ) { try $0.first.map(CapturedMailRecord.init) }
    }

    /// Deletes all of the app's captured mails, because it captures none any more.
    package mutating func deleteCapturedMails() {
        add("delete from captured_mails where app_id = \(scope.appID)")
    }
}
